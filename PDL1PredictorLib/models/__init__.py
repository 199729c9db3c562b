"""From a bundle to an answer: the file format, and the predictors that read it."""
