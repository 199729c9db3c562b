"""Slicer's application: its scene, modules, files and views, and what its own Python packages offer to scripts."""
