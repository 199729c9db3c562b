"""What a manifest may hold, entry by entry, and how schema 1 says it."""
