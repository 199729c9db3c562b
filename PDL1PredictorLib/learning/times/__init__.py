"""Learning of times until an event: fitting, its likelihood, what the kind decides."""
