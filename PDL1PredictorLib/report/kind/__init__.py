"""How answers of each kind are shown."""
