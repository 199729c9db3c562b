"""Studies on cohorts: conducted, measured, reported; needs the extra `train`."""
