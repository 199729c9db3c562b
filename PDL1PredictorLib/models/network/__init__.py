"""A bundle's network: its graph read before anything runs it, its weights, and what runs it."""
