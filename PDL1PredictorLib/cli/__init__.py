"""The command `pdl1`: a page a group of commands."""
