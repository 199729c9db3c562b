"""How a run stands, ends and is told of: signals, processes, faults."""
