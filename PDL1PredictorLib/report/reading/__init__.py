"""How a result is read: what comes first, in five lines, at another base rate, by groups of inputs."""
