"""A report that is made again from its result and its own page."""
