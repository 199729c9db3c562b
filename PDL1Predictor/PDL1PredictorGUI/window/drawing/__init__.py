"""Drawing a tumor from a click: placing points in the views, the contour that they give."""
