"""Section 7: the models that are here, and the guide to an evaluation or a training."""
