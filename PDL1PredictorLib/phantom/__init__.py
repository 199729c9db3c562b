"""A synthetic cohort of chest-like CTs with known truth."""
