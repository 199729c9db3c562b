"""Classifiers compared on a plain table of inputs."""
