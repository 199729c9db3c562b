"""Predictions in processes of their own."""
