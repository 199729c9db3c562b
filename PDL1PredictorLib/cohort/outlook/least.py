"""How many cases a training needs at least, by what an endpoint is."""

LEAST_PER_CLASS = 10  # in training: with fewer, neither features nor classifiers can be chosen by cross-validation
LEAST_NUMBERS = 20  # in training, of known values
LEAST_EVENTS = 20  # in training
