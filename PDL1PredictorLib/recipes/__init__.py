"""The recipes: what decides the outcome of a training, as frozen values."""
