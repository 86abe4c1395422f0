"""The tasks that are measured: what each is, how large, and how engine and NumPy do it.

``FULL`` sizes are those of ``make bench``; ``--quick`` takes smaller ones. Every child process of a run sees the same.
"""

from __future__ import annotations

import os
from collections.abc import Callable
from dataclasses import dataclass
from functools import cache
from typing import Any

import numpy as np

import simulator
from benchmarks.books import S2_BUYERS, S2_INVOICES_PER_YEAR, ledger_study, work_folder
from benchmarks.measure import EXPORTER
from benchmarks.numpy_exposures import many_factor_study, one_factor_study
from benchmarks.numpy_exposures import simulate as simulate_exposures
from benchmarks.numpy_ledger import NumpyLedger
from benchmarks.numpy_terms import policy_study
from simulator.engine.model import Model, build_model
from simulator.engine.run import simulate
from simulator.study.load import LoadedStudy

QUICK = os.environ.get("BENCHMARK_QUICK") == "1"
LEVEL = 0.999


@dataclass(frozen=True)
class Task:
    """One piece of work.

    Attributes:
        name: as in the tables.
        title: what it is.
        unit: what a scenario consists of: buyers or invoices.
        load: its study.
        scenarios: in one timed call of the engine on one thread.
        numpy_scenarios: in one timed call of NumPy.
        run: scenarios of one whole run in a fresh process, for wall time and memory; 0 for none.
    """

    name: str
    title: str
    unit: str
    load: Callable[[], LoadedStudy]
    scenarios: int
    numpy_scenarios: int
    run: int


def _exposures(write: Callable[..., dict[str, Any]]) -> Callable[[], LoadedStudy]:
    def load() -> LoadedStudy:
        folder = work_folder() / write.__name__
        folder.mkdir(exist_ok=True)
        return simulator.load_study(write(folder))

    return load


def _size(full: int, quick: int) -> int:
    return quick if QUICK else full


TASKS = {
    task.name: task
    for task in (
        Task("T1", "1,000 buyers, one factor → loss, VaR 99.9", "buyer", _exposures(one_factor_study),
             _size(100_000, 50_000), _size(100_000, 10_000), _size(10_000_000, 1_000_000)),
        Task("T2", "10,000 buyers, five factors → loss, VaR 99.9", "buyer", _exposures(many_factor_study),
             _size(50_000, 10_000), _size(10_000, 2_000), _size(100_000, 20_000)),
        Task("T3", "T1's portfolio under a policy", "buyer", _exposures(policy_study), _size(100_000, 20_000), 0, 0),
        Task("S1", "exporter: 600 buyers, 52 weeks, 5 programmes", "invoice", lambda: simulator.load_study(EXPORTER),
             _size(8_192, 4_096), _size(4_096, 1_024), _size(100_000, 10_000)),
        Task("S2", "5,000 buyers, 52 weeks, 5 programmes", "invoice",
             lambda: ledger_study(S2_BUYERS, S2_INVOICES_PER_YEAR),
             _size(256, 64), _size(128, 32), _size(20_000, 1_024)),
    )
}  # fmt: skip
#: Tasks that have a NumPy version as a whole; T3's is measured by itself.
PAIRED = ("T1", "T2", "S1", "S2")


@cache
def model_of(name: str) -> Model:
    """A task's study made ready, once in a process."""
    return build_model(TASKS[name].load())


@cache
def _ledger(name: str) -> NumpyLedger:
    model = model_of(name)
    # dense arrays of a larger ledger: one scenario at a time fills the cache already
    return NumpyLedger(model) if len(model.book.amount) < 50_000 else NumpyLedger(model, chunk=16, dense=1)


def run_engine(name: str, scenarios: int) -> float:
    """Simulate a task with the engine; its value at risk."""
    return _value_at_risk(simulate(model_of(name), scenarios).rows["gross_loss"])


def run_numpy(name: str, scenarios: int) -> float:
    """Simulate a task with NumPy; its value at risk."""
    if TASKS[name].unit == "buyer":
        return _value_at_risk(simulate_exposures(model_of(name), scenarios)["gross_loss"])
    return _value_at_risk(_ledger(name).run(scenarios)[0]["gross_loss"])


def _value_at_risk(loss: np.ndarray) -> float:
    return float(np.quantile(loss, LEVEL, method="inverted_cdf"))
