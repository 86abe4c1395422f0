"""How cost grows with scenarios, buyers, invoices, programmes and threads."""

from __future__ import annotations

from dataclasses import replace
from functools import cache, partial

import pytest

import simulator
from benchmarks.books import ledger_study, work_folder
from benchmarks.measure import EXPORTER, exponent, in_turns
from benchmarks.numpy_exposures import one_factor_study
from benchmarks.tasks import QUICK, model_of
from simulator.engine.model import build_model
from simulator.engine.run import simulate
from simulator.jit import set_threads

#: A quick run leaves out the two largest sizes.
KEPT = -2 if QUICK else None


@cache
def exposures(n_buyers):
    folder = work_folder() / f"buyers{n_buyers}"
    folder.mkdir(exist_ok=True)
    return build_model(simulator.load_study(one_factor_study(folder, n_buyers)))


@cache
def ledger(n_buyers, invoices_per_year):
    return build_model(ledger_study(n_buyers, invoices_per_year))


def n_invoices(model):
    return len(model.book.amount)


#: Curve: scenarios per block, sizes, and what to do for a size (made ready before it is timed). Blocks are fixed: the
#: engine chooses them by the clock, which on a busy machine is no part of the cost. The ledger's sizes
#: are such that what is paid once in a run, or once for a scenario and a buyer, is small beside its invoices.
CURVES = {
    "T1 scenarios": (4_096, [32_768, 65_536, 131_072, 262_144, 524_288], lambda n: (n, model_of("T1"), n)),
    "T1 buyers": (4_096, [2_000, 4_000, 8_000, 16_000, 32_000], lambda n: (n, exposures(n), 8_192)),
    "ledger scenarios": (128, [4_096, 8_192, 16_384, 32_768, 65_536], lambda n: (n, model_of("S1"), n)),
    "ledger buyers": (128, [600, 1_200, 2_400, 4_800, 9_600], lambda n: (n, ledger(n, 12), 256)),
    "ledger invoices": (128, [24, 48, 96, 192, 360], lambda n: (n_invoices(ledger(600, n)), ledger(600, n), 256)),
}


@pytest.mark.parametrize("name", CURVES)
def test_curve(benchmark, one_thread, name):
    block, given, prepare = CURVES[name]
    sizes, models, scenarios = zip(*(prepare(n) for n in given[:KEPT]), strict=True)
    work = [partial(simulate, model, n, block=block) for model, n in zip(models, scenarios, strict=True)]
    cost = benchmark.pedantic(in_turns, args=(work,), kwargs={"rounds": 3}, rounds=1)
    seconds = [one.cpu for one in cost]
    benchmark.extra_info.update(sizes=sizes, cpu_seconds=seconds, exponent=exponent(sizes, seconds))


def test_programmes(benchmark, one_thread):
    """One, two, five, ten and twenty programmes: the shipped five over and over; the first is self-insurance."""
    loaded = simulator.load_study(EXPORTER)
    sizes, work = [1, 2, 5, 10, 20], []
    for n in sizes:
        names = [loaded.study.programmes[k % 5].model_copy(update={"name": f"P{k}"}) for k in range(n)]
        study = loaded.study.model_copy(update={"programmes": names})
        work.append(partial(simulate, build_model(replace(loaded, study=study)), 512))
    cost = benchmark.pedantic(in_turns, args=(work,), kwargs={"rounds": 5}, rounds=1)
    benchmark.extra_info.update(sizes=sizes, cpu_seconds=[one.cpu for one in cost])


@pytest.mark.parametrize(("name", "scenarios"), [("T1", 100_000), ("S1", 4_096)])
def test_threads(benchmark, name, scenarios):
    """One to all threads, in turns: wall time."""
    sizes = list(range(1, set_threads(None) + 1))
    model = model_of(name)

    def run(threads):
        set_threads(threads)
        simulate(model, scenarios)

    cost = benchmark.pedantic(in_turns, args=([partial(run, n) for n in sizes],), kwargs={"rounds": 5}, rounds=1)
    set_threads(None)
    benchmark.extra_info.update(
        sizes=sizes, wall_seconds=[one.wall for one in cost], cpu_seconds=[one.cpu for one in cost]
    )
