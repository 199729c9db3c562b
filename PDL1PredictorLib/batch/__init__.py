"""Many cases with one model: a folder each, one table of all answers, and what is done is not done again."""
