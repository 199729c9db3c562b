"""A finished model on cases from elsewhere: fitted to them, and held against another model on them."""
