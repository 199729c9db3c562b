"""Training of the small network that draws a contour from a click."""
