"""The families of features, each from what it counts to its numbers."""
