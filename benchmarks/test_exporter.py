"""The exporter study (600 buyers, 9,000 invoices, 52 weeks, 5 programmes): engine and NumPy side by side."""

from __future__ import annotations

import os
from dataclasses import replace
from functools import partial

import pytest

import simulator
from benchmarks.measure import EXPORTER, Timed, in_fresh_process, last_json, run_timed
from benchmarks.numpy_ledger import NumpyLedger
from simulator.engine.model import build_model
from simulator.engine.run import simulate
from simulator.jit import set_threads

SCENARIOS = 4096
FULL = int(os.environ.get("BENCHMARK_FULL", "100000"))


@pytest.fixture
def one_thread():
    set_threads(1)
    yield
    set_threads(None)


def test_engine_one_thread(benchmark, exporter, one_thread):
    units = len(exporter.book.amount)
    run_timed(
        benchmark, partial(simulate, exporter, SCENARIOS), scenarios=SCENARIOS, units=units, unit="invoice", threads=1
    )


def test_numpy(benchmark, exporter):
    units = len(exporter.book.amount)
    ledger = NumpyLedger(exporter)
    run_timed(benchmark, partial(ledger.run, SCENARIOS), scenarios=SCENARIOS, units=units, unit="invoice", threads=1)


def test_engine_all_threads(benchmark, exporter):
    units, threads = len(exporter.book.amount), set_threads(None)
    run_timed(
        benchmark,
        partial(simulate, exporter, SCENARIOS),
        scenarios=SCENARIOS,
        units=units,
        unit="invoice",
        threads=threads,
    )


def test_one_more_programme(benchmark, one_thread):
    """Five programmes against six, in turns, so that both see the same busy machine."""
    loaded = simulator.load_study(EXPORTER)
    programmes = loaded.study.programmes
    sixth = programmes[1].model_copy(update={"name": "Sixth", "insured_percentage": 0.85})
    more = replace(loaded, study=loaded.study.model_copy(update={"programmes": [*programmes, sixth]}))
    five, six = (Timed(partial(simulate, build_model(study), 2048)) for study in (loaded, more))

    def both():
        five()
        six()

    benchmark.pedantic(both, rounds=5, iterations=1, warmup_rounds=1)
    cost = min(six.cpu[1:]) / min(five.cpu[1:]) - 1.0
    benchmark.extra_info.update(programmes=len(programmes), cost_of_one_more=cost)


@pytest.mark.parametrize("which", ["engine", "numpy"])
def test_peak_memory(benchmark, which):
    """4,096 scenarios in a process of their own."""
    found = benchmark.pedantic(in_fresh_process, args=(["-m", "benchmarks.child", which, "4096"],), rounds=1)
    benchmark.extra_info.update(peak_mib=found["peak_mib"], **last_json(found))


def test_full_simulation(benchmark):
    """All scenarios of issue 2's bar, simulated and kept, in a fresh process with compiled kernels in the cache."""
    found = benchmark.pedantic(in_fresh_process, args=(["-m", "benchmarks.child", "engine", str(FULL)],), rounds=1)
    benchmark.extra_info.update(
        {k: found[k] for k in ("wall_seconds", "cpu_seconds", "peak_mib")}, scenarios=FULL, **last_json(found)
    )


def test_full_run_with_report(benchmark, tmp_path):
    """``simulator run`` as a user types it: stresses, run folder and all reports included."""
    command = [
        "-m",
        "simulator",
        "run",
        str(EXPORTER),
        "--scenarios",
        str(FULL),
        "--out",
        str(tmp_path / "run"),
        "--quiet",
    ]
    found = benchmark.pedantic(in_fresh_process, args=(command, "report.html"), rounds=1)
    benchmark.extra_info.update({k: found[k] for k in ("wall_seconds", "cpu_seconds", "peak_mib")}, scenarios=FULL)
