"""Speed, tracked: the engine beside plain NumPy versions of the same models. ``python -m benchmarks``."""

import os

# NumPy on one thread means one thread: idle threads of its linear algebra library burn processor time (set before the
# first import of NumPy, and handed on to child processes)
os.environ.setdefault("OPENBLAS_NUM_THREADS", "1")
os.environ.setdefault("MKL_NUM_THREADS", "1")
