"""Lines that tell a number: penalized, through a logistic curve where it lies between two bounds."""
