"""Task T1: 1,000 buyers, one factor, constant exposures: engine and NumPy side by side."""

from __future__ import annotations

from functools import partial

import pytest

from benchmarks.measure import run_timed
from benchmarks.numpy_exposures import simulate as simulate_numpy
from simulator.engine.run import simulate
from simulator.jit import set_threads

SCENARIOS = 20_480


@pytest.mark.parametrize("threads", [1, None])
def test_engine(benchmark, exposures, threads):
    used = set_threads(threads)
    run_timed(
        benchmark, partial(simulate, exposures, SCENARIOS), scenarios=SCENARIOS, units=1000, unit="buyer", threads=used
    )
    set_threads(None)


def test_numpy(benchmark, exposures):
    run_timed(
        benchmark,
        partial(simulate_numpy, exposures, SCENARIOS),
        scenarios=SCENARIOS,
        units=1000,
        unit="buyer",
        threads=1,
    )
