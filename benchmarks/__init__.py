"""Speed, tracked: the engine beside plain NumPy versions of the same models. ``python -m benchmarks``."""
