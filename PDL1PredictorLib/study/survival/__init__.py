"""`pdl1 survival`: what the columns of a table tell of the time to an event."""
