"""Finished models on cases that they have not seen: how they do, how they compare, and how they are recalibrated."""
