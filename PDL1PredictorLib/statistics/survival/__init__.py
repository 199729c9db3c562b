"""Time to an event: curves, tests, Cox models, concordance, accuracy at a horizon, the best cut."""
