"""What is written of models of a number on a plain table of inputs."""
