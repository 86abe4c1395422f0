"""Benchmarks: the NumPy versions do the engine's work, so speeds may be compared; the gate closes on a doubled cost."""

import json

import numpy as np
import pytest

import simulator
from benchmarks import gate, numpy_terms, tables, term_loop
from benchmarks.__main__ import FOLDER, RESULTS
from benchmarks.measure import EXPORTER, exponent
from benchmarks.numpy_exposures import one_factor_study
from benchmarks.numpy_exposures import simulate as simulate_exposures
from benchmarks.numpy_ledger import NumpyLedger
from simulator.engine.model import build_model
from simulator.engine.run import simulate
from simulator.policy.gaps import GAP_STEPS
from tests.studies import random_study

#: Standard errors that two means may be apart; and what is compared.
LIMIT = 4.5
ROWS = (
    "gross_loss", "recovered", "largest_loss", "n_defaults", "n_protracted", "delay_cost", "billed", "fx_result",
    "collected", "outstanding", "indemnity", "indemnity_gross", "indemnity_in_horizon", "premium", "retained_loss",
    "minimum_cash", "minimum_headroom", "shortfall_amount", "ending_cash", "financing_cost",
)  # fmt: skip


def agree(engine, plain, name):
    """Means of two independent samples within the limit of their combined standard error."""
    gap = np.atleast_1d(plain.mean(axis=0) - engine.mean(axis=0))
    variance = np.atleast_1d(engine.var(axis=0) / len(engine) + plain.var(axis=0) / len(plain))
    rounding = 1e-9 * np.maximum(np.atleast_1d(np.abs(engine).max(axis=0)), 1.0)
    off = np.abs(gap) > LIMIT * np.sqrt(variance) + rounding
    assert not off.any(), f"{name}: NumPy and engine are {gap / np.sqrt(variance + 1e-300)} standard errors apart"


def compare(model, n_scenarios):
    engine = simulate(model, n_scenarios)
    plain, quantiles = NumpyLedger(model, seed=7).run(n_scenarios)
    for name in ROWS:
        agree(engine.rows[name], plain[name], name)
    for k, name in enumerate(GAP_STEPS[:-1]):
        agree(engine.rows[f"gap_{name}"], plain["gap"][:, :, k], f"gap_{name}")
    short, plain_short = (rows["first_shortfall_period"] >= 0 for rows in (engine.rows, plain))
    agree(short.astype(float), plain_short.astype(float), "probability of a shortfall")
    # the money identities hold in NumPy's rows too
    total = plain["collected"] + plain["recovered"] + plain["gross_loss"] + plain["outstanding"]
    np.testing.assert_allclose(plain["billed"] + plain["fx_result"], total, rtol=1e-9)
    assert engine.quantiles is not None
    median, plain_median = engine.quantiles.quantile([0.5]), quantiles.quantile([0.5])
    spread = np.ptp(engine.quantiles.quantile([0.16, 0.84]), axis=0) / 2
    assert (np.abs(median - plain_median) <= 8.0 * spread / np.sqrt(n_scenarios) + 1.0).mean() > 0.95


@pytest.mark.slow
def test_numpy_ledger_is_the_exporter_study():
    compare(build_model(simulator.load_study(EXPORTER)), 6_000)


@pytest.mark.slow
@pytest.mark.parametrize("seed", [1, 3, 8, 12, 21])
def test_numpy_ledger_is_the_model_whatever_the_study_asks(tmp_path, seed):
    """Terms, pay runs, stop shipment, grids and copulas that the exporter study does not use."""
    compare(build_model(simulator.load_study(random_study(tmp_path, seed))), 20_000)


def test_numpy_exposures_is_the_classic_model(tmp_path):
    model = build_model(simulator.load_study(one_factor_study(tmp_path)))
    engine, plain = simulate(model, 8_192), simulate_exposures(model, 8_192)
    for name in ("gross_loss", "n_defaults", "largest_loss"):
        agree(engine.rows[name], plain[name].astype(float), name)
    total = plain["buyer_loss"].sum()
    assert total == pytest.approx(plain["gross_loss"].sum(), rel=1e-9)


def test_terms_are_the_same_in_numpy_in_the_loop_and_in_the_policy_room(tmp_path):
    model = build_model(simulator.load_study(numpy_terms.policy_study(tmp_path)))
    claims = numpy_terms.draw_claims(model, 20_000)
    assert claims.start[-1] == len(claims.debt)
    terms = model.policy.terms[1:2]
    plain, loop = numpy_terms.indemnities(claims, terms[0], 0.9), term_loop.indemnities(claims, terms, 0.9)
    np.testing.assert_allclose(loop, plain, rtol=1e-9, atol=1e-6)
    # by hand: the first claim of a year of one claim
    year = int(np.flatnonzero(np.diff(claims.start) == 1)[0])
    by_hand = 0.9 * min(claims.debt[claims.start[year]], 150_000.0) - 5_000.0
    assert plain[year] == pytest.approx(max(0.0, max(0.0, by_hand) - 100_000.0), abs=1e-6)
    assert 0.0 < plain.mean() < plain.max() == 2_000_000.0
    engine = simulate(model, 20_480)
    agree(engine.rows["indemnity_gross"][:, 1], plain, "indemnity")


def test_what_is_not_written_in_numpy_is_refused(tmp_path):
    study = random_study(tmp_path, 1)
    study["simulation"]["tail"] = "importance"
    with pytest.raises(ValueError, match="neither importance sampling"):
        NumpyLedger(build_model(simulator.load_study(study)))


def test_default_runs_do_not_collect_benchmarks(pytestconfig):
    assert pytestconfig.getini("testpaths") == ["tests"]


class Busy:
    """A clock and work that takes known time on it, slowed down at random as on a machine that others use."""

    def __init__(self, seconds, noise=0.0):
        self.now, self.calls, self.noise, self.seconds = 0.0, 0, noise, seconds
        self.rng = np.random.default_rng(5)

    def entry(self, name):
        return gate.Entry(lambda: self.work(self.seconds[name]), lambda: self.work(0.1), lambda: self.now)

    def work(self, seconds):
        self.calls += 1
        self.now += seconds * (1.0 + self.noise * self.rng.exponential())


def test_gate_closes_on_a_doubled_cost():
    busy = Busy({"fast": 0.2, "slow": 0.3}, noise=1.0)
    entries = {name: busy.entry(name) for name in busy.seconds}
    kept = {"fast": 2.0, "slow": 3.0}
    good, lines = gate.check(entries, kept)
    assert good, lines
    entries["slow"] = gate.doubled(entries["slow"])
    good, lines = gate.check(entries, kept)
    assert not good
    assert "good" in lines[0]
    assert "too slow" in lines[1]


def test_gate_closes_on_a_ratio_that_says_nothing_any_more():
    """A task that costs less than half of what is kept could be doubled unseen."""
    busy = Busy({"task": 0.1})
    entries = {"task": busy.entry("task")}
    assert gate.check(entries, {"task": 1.9})[0]
    good, lines = gate.check(entries, {"task": 2.1})
    assert not good
    assert "much faster" in lines[0]


def test_gate_looks_again_before_it_closes():
    busy = Busy({"task": 0.1})
    slow_at_first = gate.Entry(
        lambda: busy.work(0.5 if busy.calls < 20 else 0.1), lambda: busy.work(0.1), lambda: busy.now
    )
    good, lines = gate.check({"task": slow_at_first}, {"task": 1.0})
    assert good, lines
    assert busy.calls > 2 * (gate.ROUNDS + 1)


def test_gate_knows_each_of_its_tasks():
    kept = json.loads(gate.KEPT.read_text(encoding="utf-8"))
    assert list(kept) == list(gate.entries())


def test_tables_are_those_of_the_kept_numbers():
    result = json.loads((RESULTS / "latest.json").read_text(encoding="utf-8"))
    page = (FOLDER / "README.md").read_text(encoding="utf-8")
    assert page.partition(tables.BEGIN)[2].partition(tables.END)[0].strip() == tables.tables(result)


def test_exponent_of_a_power_law():
    assert exponent([1, 2, 4, 8], [3.0 * n**1.25 for n in (1, 2, 4, 8)]) == pytest.approx(1.25, rel=1e-12)
