"""Writes a result: HTML report, JSON, CSV, NRRD for 3D Slicer, and a summary for the terminal."""
