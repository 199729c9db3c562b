"""Clinical values of a cohort: cells of its table, columns that it declares, what can be learned from."""
