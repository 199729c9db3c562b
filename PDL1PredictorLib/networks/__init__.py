"""Torch modules only: the networks of the published systems."""
