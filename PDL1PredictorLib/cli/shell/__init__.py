"""How what is typed in a shell becomes a command, and how long work is told where no terminal is."""
