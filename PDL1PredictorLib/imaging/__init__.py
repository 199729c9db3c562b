"""From files to measured regions: reading, lattice, tumor and ring, patch, pictures, measures."""
