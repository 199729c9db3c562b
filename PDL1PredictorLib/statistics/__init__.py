"""Statistics of predictions: arrays in, named results out."""
