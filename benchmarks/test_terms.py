"""Task T3: the terms of a policy on the claims of many simulated years.

Three ways: NumPy and a plain loop over the engine's formulas, both on amounts alone; and the policy room of the engine,
which in the same years also keeps dates, cash by period, recoveries and every step of the waterfall.
"""

from __future__ import annotations

from functools import partial

import pytest

from benchmarks import numpy_terms, term_loop
from benchmarks.measure import run_timed
from benchmarks.numpy_terms import draw_claims
from benchmarks.rooms import time_by_room
from benchmarks.tasks import QUICK, TASKS, model_of
from simulator.jit import set_threads

YEARS = 100_000 if QUICK else 1_000_000


@pytest.fixture(scope="module")
def claims():
    return draw_claims(model_of("T3"), YEARS)


def terms_of(model):
    return model.policy.terms[1:2], float(model.policy.cover["percentage"][1, 0, 0])


def note(benchmark, claims):
    seconds = benchmark.extra_info["wall_seconds"]
    moved = term_loop.bytes_moved(claims)
    benchmark.extra_info.update(
        claims_per_year=len(claims.debt) / YEARS, gigabytes=moved / 1e9, gigabytes_per_second=moved / seconds / 1e9
    )


def test_numpy(benchmark, claims):
    terms, percentage = terms_of(model_of("T3"))
    work = partial(numpy_terms.indemnities, claims, terms[0], percentage)
    run_timed(benchmark, work, scenarios=YEARS, units=1, unit="year", threads=1, rounds=7)
    note(benchmark, claims)


@pytest.mark.parametrize("threads", [1, None])
def test_loop(benchmark, claims, threads):
    terms, percentage = terms_of(model_of("T3"))
    used = set_threads(threads)
    work = partial(term_loop.indemnities, claims, terms, percentage)
    run_timed(benchmark, work, scenarios=YEARS, units=1, unit="year", threads=used, rounds=15)
    note(benchmark, claims)
    set_threads(None)


def test_policy_room(benchmark, one_thread):
    """The policy room's part of a simulation of the same portfolio."""
    years = TASKS["T3"].scenarios
    rooms = benchmark.pedantic(time_by_room, args=(model_of("T3"), years), rounds=1, iterations=1)
    seconds = rooms["apply_policies"]
    benchmark.extra_info.update(scenarios=years, cpu_seconds=seconds, cpu_ns_per_unit=seconds / years * 1e9, threads=1)
