"""Other terms of trade against the twin, and what may never change."""

import numpy as np
import pytest

import simulator
from simulator.engine.model import build_model
from simulator.jit import NEVER
from simulator.losses import formulas, kernels
from simulator.losses.balances import allocate_balances
from tests.balance_cases import plain_rows, random_views
from tests.regime_cases import identity, simulate, trading_study
from tests.studies import random_study
from tests.test_losses import charged_on_balances, compare_rows, scripted_study
from tests.twins import losses as twin
from tests.twins import losses_scenario


@pytest.mark.parametrize("seed", range(8))
def test_regimes_equal_their_twin(seed, tmp_path):
    """Every row and event of every regime, bit for bit."""
    model = charged_on_balances(build_model(simulator.load_study(trading_study(tmp_path, seed))), seed % 3)
    assert model.regime.of_programme.tolist() == [0, 1, 2, 3, 4, 5, 0]
    counting = random_views(np.random.default_rng(seed), model.book, model.clock, range(model.regime.count))
    found = []
    tiled = allocate_balances(counting, 12, model.calendar.n_periods, 8)
    plain = plain_rows(counting, 12, model.calendar.n_periods)
    for simulate_ledger, balances in ((kernels.simulate_ledger, tiled), (losses_scenario.simulate_ledger, plain)):
        rows, events = simulate(model, 12, 8, simulate_ledger, complete=False, counted=(counting, balances))
        found.append((rows, events, balances))
    compare_rows(*found)
    assert (events.n_events > 0).any()
    assert (events.weak_count > 0).any()


@pytest.mark.parametrize("seed", range(20))
def test_laws_under_every_regime(seed, tmp_path):
    """Money goes somewhere; the listed losses are the loss; book value leaves the ledger once at most."""
    model = build_model(simulator.load_study(trading_study(tmp_path, seed)))
    rows, events = simulate(model, 64)
    identity(rows)
    listed = np.arange(events.buyer.shape[1]) < events.n_events[:, None]
    loss = np.where(listed, events.loss, 0.0).sum(axis=1)
    np.testing.assert_allclose(loss, rows.gross_loss, atol=1e-9 * rows.billed.max())
    left = (rows.billed - rows.settled.sum(axis=1)).reshape(-1, 64)
    # under factoring an advance beyond the protection may be due back after the horizon
    assert (left[[0, 2, 3, 4, 5]] > -1e-9 * rows.billed.max()).all()
    side = model.cash_side
    shipped = side.opening_book + side.planned_billing.sum() - rows.stopped.sum(axis=1)
    np.testing.assert_allclose(rows.billed, shipped, atol=1e-9 * rows.billed.max())
    assert (rows.trade_cost >= 0).all()
    assert (rows.trade_cost[:64] == 0).all()
    assert (rows.conceded[:64] == 0).all()
    assert (rows.n_defaults.reshape(-1, 64) == rows.n_defaults[:64]).all(), "buyers fail under every regime alike"


IDLE = {
    "collection": {"stages": [{"after": "10 days", "factor": 1.0}]},
    "early_payment_discount": {"take_up": 0.0},
}


@pytest.mark.parametrize("idle", ["collection", "early_payment_discount"])
@pytest.mark.parametrize("seed", range(4))
def test_a_regime_that_changes_nothing_is_regime_0(seed, idle, tmp_path):
    """To the byte, in rows and events."""
    programmes = [{"name": "As today", "type": "none"}, {"name": "Idle", "type": "none", idle: IDLE[idle]}]
    study = random_study(tmp_path, seed, programmes=programmes)
    model = build_model(simulator.load_study(study))
    assert model.regime.count == 2
    rows, events = simulate(model, 32)
    for name, values in rows._asdict().items():
        assert values[:32].tobytes() == values[32:].tobytes(), name
    compare_rows(
        (rows, type(events)(*(v[:32] for v in events))), (rows, type(events)(*(v[32:] for v in events)))
    )  # fmt: skip
    study["programmes"] = programmes[:1]
    alone, listed = simulate(build_model(simulator.load_study(study)), 32)
    # alone, troubled buyers are settled for a whole tile, else one by one
    compare_rows((rows, type(events)(*(v[:32] for v in events))), (rows, listed))
    for name, values in alone._asdict().items():
        np.testing.assert_allclose(rows._asdict()[name][:32], values, rtol=1e-12, atol=1e-6, err_msg=name)


def test_chasing_never_delays_and_regimes_share_their_luck(tmp_path):
    """Collection brings no payment later, and a regime's numbers do not depend on the other regimes."""
    study = trading_study(tmp_path, 5)
    model = build_model(simulator.load_study(study))
    rows, events = simulate(model, 64)
    study["programmes"] = [study["programmes"][k] for k in (0, 3, 6)]  # the last, of regime 0, for its waiting period
    only, few = simulate(build_model(simulator.load_study(study)), 64)
    chased = slice(3 * 64, 4 * 64)
    for name, values in only._asdict().items():
        np.testing.assert_allclose(rows._asdict()[name][chased], values[64:], rtol=1e-12, atol=1e-6, err_msg=name)
    assert (events.n_events[chased] == few.n_events[64:]).all()


def test_formulas_equal_their_twins():
    rng = np.random.default_rng(2)
    for _ in range(2000):
        score, q = rng.standard_normal() * 3, rng.choice([0.0, 1.0, rng.uniform(0, 1)])
        with np.errstate(divide="ignore"):
            intensity = float(-np.log1p(-q))
        assert formulas.limit_change_day(score, intensity, 364) == twin.limit_change_day(score, intensity, 364)
        weights = rng.uniform(0, 1, 3)
        z = rng.standard_normal(3)
        assert formulas.limit_score(*z, *weights) == twin.limit_score(*z, *weights)
        shared = weights * rng.choice([0.0, 1.0], 3)
        assert formulas.payer_rank(z[0], *shared) == twin.payer_rank(z[0], *shared)
        after = np.sort(rng.integers(0, 90, (1, 3))).astype(float)
        after[0, rng.integers(1, 4) :] = np.inf
        factor = rng.choice([0.0, 0.25, 0.8, 1.0], (1, 3))
        due = int(rng.integers(-100, 300))
        first = max(1, due - 30)
        day = int(rng.integers(first, first + 400))
        found = formulas.chased_day(day, due, first, 0, after, factor)
        assert found == twin.chased_day(day, due, first, 0, after, factor)
        assert first <= found <= day
        money, days, rate = rng.uniform(0, 1e6), int(rng.integers(0, 400)), rng.uniform(0, 0.2)
        assert formulas.advance_interest(money, days, rate) == twin.advance_interest(money, days, rate)
    assert formulas.advance_interest(73_000.0, 50, 0.06) == pytest.approx(600.0)
    assert formulas.payer_rank(-np.sqrt(0.5), 0.3, 0.4, 0.5) == pytest.approx(0.1586553)
    assert formulas.payer_rank(0.0, 0.0, 0.0, 0.0) == -1.0, "nothing shared"


def test_limit_scores_are_normal_and_follow_buyer_and_state(tmp_path):
    """N(0, 1) whatever the shares; a change comes within the year with its chance, more often for those that fail."""
    study = trading_study(tmp_path, 1)
    study["study"]["horizon"] = "365 days"
    study["credit"]["dependence"]["limit_changes"] = {"systemic": 0.3, "credit": 0.4}
    q = 0.8
    study["programmes"] = [{"name": "P", "type": "whole_turnover", "limit_changes": {"annual_probability": q}}]
    model = build_model(simulator.load_study(study))
    n = 4096
    _, events = simulate(model, n)
    chance = events.weak_count[:n].sum() / (n * 12)
    assert chance == pytest.approx(q, abs=4.5 * np.sqrt(q * (1 - q) / n)), "even if all twelve move together"
    listed = np.arange(events.buyer.shape[1]) < events.n_events[:n, None]
    failed = listed & (events.default_day[:n] < NEVER) & ~events.frustrated[:n]
    assert events.limit_score[:n][failed].mean() < -0.5


def offered(folder, take_up, shares, pd=0.0):
    """Rows of 4,096 scenarios of one buyer, as written and with an offer, and in which of them it takes the offer."""
    delay = {"model": "lognormal", "median_days": 30.0, "sigma": 0.5}
    study = scripted_study(
        folder, late=0, delay=delay, shares=dict.fromkeys(("systemic", "credit", "buyer"), 0) | shares
    )
    buyers = folder / "buyers.csv"
    buyers.write_text(buyers.read_text(encoding="utf-8").replace(",EUR,0,", f",EUR,{pd},"), encoding="utf-8")
    study["credit"]["dependence"] = {"shares": {"global": 0.0, "country": 0.3, "sector": 0.0}}
    study["liquidity"] = {"cost_of_delay": 0.1}
    offer = {"discount": 0.02, "within": "10 days", "take_up": take_up}
    study["programmes"] = [
        {"name": "As today", "type": "none"},
        {"name": "Offer", "type": "none", "early_payment_discount": offer},
    ]
    n = 4096
    rows, _ = simulate(build_model(simulator.load_study(study)), n)
    return rows, rows.conceded[n:] > 0.0


@pytest.mark.parametrize(
    "shares", [{"buyer": 0.4, "systemic": 0.2, "credit": 0.1}, {"buyer": 1.0}, {"systemic": 0.3}, {}]
)
@pytest.mark.parametrize("take_up", [0.1, 0.3, 0.8])
def test_a_discount_is_taken_as_often_as_asked_and_by_the_promptest(take_up, shares, tmp_path):
    """Takers would have paid sooner than the others; where invoices share nothing, just as late."""
    rows, takes = offered(tmp_path, take_up, shares)
    n = len(takes)
    assert takes.mean() == pytest.approx(take_up, abs=4.5 * np.sqrt(take_up * (1 - take_up) / n))
    cost = rows.delay_cost[:n]
    error = np.sqrt(cost[takes].var() / takes.sum() + cost[~takes].var() / (~takes).sum())
    later = (cost[~takes].mean() - cost[takes].mean()) / error
    assert later > 4.5 if shares else abs(later) < 4.5
    if shares == {"buyer": 1.0}:
        assert cost[takes].max() <= cost[~takes].min(), "ranked without exception"


def test_who_is_about_to_fail_takes_no_discount(tmp_path):
    """Delays that only the buyer's credit quality decides: takers are those of the best 30 %, who do not fail."""
    rows, takes = offered(tmp_path, 0.3, {"credit": 1.0}, pd=0.3)
    n = len(takes)
    failed = rows.n_defaults[:n] > 0
    assert failed.mean() == pytest.approx(0.3, abs=0.05)
    assert failed[takes].mean() < 0.12 < 0.3 < failed[~takes].mean()
