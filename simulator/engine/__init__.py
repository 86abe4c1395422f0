"""The engine: plan blocks, run the rooms in order on each, keep rows, resume."""
