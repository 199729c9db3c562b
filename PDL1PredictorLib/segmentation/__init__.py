"""A contour from one click: prompt, search box, surface about the click, network, doubts."""
