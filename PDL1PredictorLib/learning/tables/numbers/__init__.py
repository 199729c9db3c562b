"""Models of a number compared on a plain table of inputs."""
