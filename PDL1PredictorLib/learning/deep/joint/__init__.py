"""Networks that see slices and a table: how they are trained."""
