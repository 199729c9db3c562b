"""Cohorts: tables, importers, and cases prepared for training; needs the extra `train`."""
