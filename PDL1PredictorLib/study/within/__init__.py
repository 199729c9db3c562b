"""A model within another, as the report shows it: plain values, and how they are made."""
