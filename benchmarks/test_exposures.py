"""Constant exposures, tasks T1 (1,000 buyers, one factor) and T2 (10,000, five): engine and NumPy side by side."""

from __future__ import annotations

from functools import partial

import pytest

from benchmarks.measure import run_timed
from benchmarks.numpy_exposures import simulate as simulate_numpy
from simulator.engine.run import simulate
from simulator.jit import set_threads

#: Scenarios times buyers of one call.
WORK = 102_400_000
NUMPY_WORK = 20_480_000


@pytest.mark.parametrize("threads", [1, None])
def test_engine(benchmark, exposures, threads):
    used, units = set_threads(threads), len(exposures.book.amount)
    run_timed(
        benchmark, partial(simulate, exposures, WORK // units), scenarios=WORK // units, units=units, unit="buyer",
        threads=used,
    )  # fmt: skip
    set_threads(None)


def test_numpy(benchmark, exposures):
    units = len(exposures.book.amount)
    run_timed(
        benchmark, partial(simulate_numpy, exposures, NUMPY_WORK // units), scenarios=NUMPY_WORK // units, units=units,
        unit="buyer", threads=1,
    )  # fmt: skip
