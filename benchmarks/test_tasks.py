"""Tasks T1, T2, S1 and S2: engine and NumPy side by side, and whole runs in fresh processes."""

from __future__ import annotations

from functools import partial

import pytest

from benchmarks.measure import in_fresh_process, last_json, run_timed
from benchmarks.tasks import PAIRED, TASKS, model_of, run_engine, run_numpy
from simulator.jit import set_threads


def sizes(name):
    return {"units": len(model_of(name).book.amount), "unit": TASKS[name].unit}


@pytest.mark.parametrize("name", PAIRED)
def test_numpy(benchmark, name):
    task = TASKS[name]
    run_numpy(name, 16)
    work = partial(run_numpy, name, task.numpy_scenarios)
    run_timed(benchmark, work, scenarios=task.numpy_scenarios, threads=1, **sizes(name))


@pytest.mark.parametrize("threads", [1, None])
@pytest.mark.parametrize("name", PAIRED)
def test_engine(benchmark, name, threads):
    task, used = TASKS[name], set_threads(threads)
    run_engine(name, 16)
    work = partial(run_engine, name, task.scenarios)
    run_timed(benchmark, work, scenarios=task.scenarios, threads=used, **sizes(name))
    set_threads(None)


@pytest.mark.parametrize("name", PAIRED)
def test_whole_run(benchmark, name):
    """All scenarios of a task, simulated and kept, in a fresh process with compiled kernels in the cache."""
    child = ["-m", "benchmarks.child", name, "engine", str(TASKS[name].run)]
    note_run(benchmark, benchmark.pedantic(in_fresh_process, args=(child,), rounds=1))


@pytest.mark.parametrize("name", PAIRED)
def test_numpy_memory(benchmark, name):
    child = ["-m", "benchmarks.child", name, "numpy", str(TASKS[name].numpy_scenarios)]
    note_run(benchmark, benchmark.pedantic(in_fresh_process, args=(child,), rounds=1))


@pytest.mark.parametrize("name", PAIRED)
def test_engine_memory(benchmark, name):
    """As many scenarios as NumPy, so that their memory can be compared."""
    child = ["-m", "benchmarks.child", name, "engine", str(TASKS[name].numpy_scenarios)]
    note_run(benchmark, benchmark.pedantic(in_fresh_process, args=(child,), rounds=1))


def note_run(benchmark, found):
    benchmark.extra_info.update({k: found[k] for k in ("wall_seconds", "cpu_seconds", "peak_mib")} | last_json(found))
