"""The exporter study as a user runs it: programmes, whole runs with reports, and reports alone (task R)."""

from __future__ import annotations

from dataclasses import replace
from functools import partial

import pytest

import simulator
from benchmarks.measure import EXPORTER, in_fresh_process, in_turns
from benchmarks.tasks import TASKS
from simulator.engine.model import build_model
from simulator.engine.run import simulate


def test_one_more_programme(benchmark, one_thread):
    """Five programmes against six, in turns, so that both see the same busy machine."""
    loaded = simulator.load_study(EXPORTER)
    programmes = loaded.study.programmes
    sixth = programmes[1].model_copy(update={"name": "Sixth", "insured_percentage": 0.85})
    more = replace(loaded, study=loaded.study.model_copy(update={"programmes": [*programmes, sixth]}))
    work = [partial(simulate, build_model(study), 1024) for study in (loaded, more)]
    five, six = benchmark.pedantic(in_turns, args=(work,), kwargs={"rounds": 9}, rounds=1)
    benchmark.extra_info.update(programmes=len(programmes), cost_of_one_more=six.cpu / five.cpu - 1.0)


@pytest.fixture(scope="module")
def run_folder(tmp_path_factory):
    return tmp_path_factory.mktemp("run") / "exporter"


def test_run_with_report(benchmark, run_folder):
    """``simulator run`` as a user types it: stresses, run folder and all reports included."""
    scenarios = TASKS["S1"].run
    options = ["--scenarios", str(scenarios), "--out", str(run_folder), "--quiet"]
    command = ["-m", "simulator", "run", str(EXPORTER), *options]
    found = benchmark.pedantic(in_fresh_process, args=(command, "report.html"), rounds=1)
    benchmark.extra_info.update({k: found[k] for k in ("wall_seconds", "cpu_seconds", "peak_mib")}, scenarios=scenarios)


def test_report(benchmark, run_folder):
    """Task R: ``simulator report`` on that run, page, workbook, figures and summary."""
    command = ["-m", "simulator", "report", str(run_folder)]
    found = []
    benchmark.pedantic(lambda: found.append(in_fresh_process(command, "report.html")), rounds=3, iterations=1)
    benchmark.extra_info.update(
        {k: min(f[k] for f in found) for k in ("wall_seconds", "cpu_seconds", "peak_mib")}, scenarios=TASKS["S1"].run
    )
