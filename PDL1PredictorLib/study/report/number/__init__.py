"""The report of endpoints that are numbers."""
