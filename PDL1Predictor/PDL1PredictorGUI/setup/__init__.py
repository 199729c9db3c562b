"""What the module needs: packages, models, the library, preferences."""
