"""Training and evaluation on cohorts; needs the extra `train`."""
