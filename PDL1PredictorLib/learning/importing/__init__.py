"""A bundle made of the parts of a model from elsewhere."""
