"""Stand-ins of the widgets of CTK and of Slicer."""
