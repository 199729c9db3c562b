"""The two regions that are measured, by the prefix of their features' names."""

REGIONS = {"tumor": "tumor", "ring": "peritumoral ring"}
"""Key to words for people."""
