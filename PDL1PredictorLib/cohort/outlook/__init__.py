"""What can be done with a cohort, and what it would take: told before anything is started."""
