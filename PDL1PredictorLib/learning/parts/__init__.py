"""Parts of a model's inputs: what each learns from training cases, and what it makes of a case."""
