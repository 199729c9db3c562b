"""Radiomic features: settings, engines, and the way from a case to a named vector."""
