"""How well contours agree."""
