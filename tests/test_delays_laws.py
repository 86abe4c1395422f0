"""Statistical laws of payment delays: the marginal, dependence between invoices, and the link to credit quality."""

import math

import numpy as np
import pytest
from scipy.special import ndtr
from scipy.stats import rankdata

from simulator.delays.formulas import delay_at, delay_score, invoice_score, payment_day, unpaid_score
from simulator.delays.marginals import quantile
from simulator.delays.near_formulas import near_place
from simulator.jit import row
from simulator.streams import (
    TABLE_SIZE,
    entity_key,
    inverse_normal,
    normal,
    normal_tail,
    stream_key,
    table_grid,
    tabulated,
    words,
)
from tests.small_ledger import make_study
from tests.test_delays_plan import build

LIMIT = 4.5
N = 200_000
SHARES = [
    {"systemic": 0.0, "credit": 0.0, "buyer": 0.0},
    {"systemic": 0.10, "credit": 0.10, "buyer": 0.40},
    {"systemic": 0.5, "credit": 0.3, "buyer": 0.2},
    {"systemic": 0.0, "credit": 0.0, "buyer": 1.0},
]


def scores(plan, seed, n, invoices=2):
    """Common state, credit residual and the scores of a buyer's invoices, in plain NumPy."""
    random = np.random.default_rng(seed)
    state, residual, effect = random.normal(size=(3, n))
    own = random.normal(size=(invoices, n))
    shared = -plan.systemic[0] * state - plan.credit * residual + plan.buyer * effect
    return state, residual, shared + plan.own[0] * own


def whole_days(plan, score):
    delay = plan.location[0] + plan.scale[0] * np.interp(score, table_grid(), plan.quantile[0])
    return np.floor(delay + 0.5).astype(int)


@pytest.mark.parametrize("shares", SHARES, ids=str)
def test_score_is_standard_normal_whatever_the_shares(shares):
    plan = build({"shares": shares})
    _, _, score = scores(plan, 1, N)
    y = score[0]
    for power, moment, variance in ((1, 0, 1), (2, 1, 2), (3, 0, 15), (4, 3, 96)):
        assert abs(np.mean(y**power) - moment) < LIMIT * math.sqrt(variance / N)
    for point in (-3, -1.5, 0, 0.7, 2.5):
        p = ndtr(point)
        assert abs(np.mean(y <= point) - p) < LIMIT * math.sqrt(p * (1 - p) / N)


@pytest.mark.parametrize("shares", SHARES, ids=str)
@pytest.mark.parametrize(
    "model",
    [
        {"model": "mixture"},
        {"model": "lognormal", "median_days": 20, "sigma": 0.8, "shift_days": -10},
        {"model": "student_t", "scale_days": 6, "degrees_of_freedom": 1.5},
        {"model": "empirical", "values": [-8, -3, 0, 0, 0, 2, 5, 9, 30, 75]},
    ],
    ids=lambda m: m["model"],
)
def test_day_frequencies_are_those_of_the_marginal_under_any_shares(model, shares):
    plan = build({"delay": model, "shares": shares})
    law = make_study(payment={"delay": model}).payment.delay
    _, _, score = scores(plan, 2, N)
    days = whole_days(plan, score[0])
    # probability of each day, from the quantile function alone, on a fine grid of probabilities
    grid = 500_000
    exact = np.floor(quantile(law, (np.arange(grid) + 0.5) / grid) + 0.5)
    low, high = -40, 200
    observed = np.bincount(np.clip(days, low, high) - low, minlength=high - low + 1) / N
    expected = np.bincount(np.clip(exact, low, high).astype(int) - low, minlength=high - low + 1) / grid
    # an empirical law's step is a ramp of one table cell: at most 0.16 % of probability on either side
    ramp = 0.0016 if model["model"] == "empirical" else 0.0
    error = LIMIT * np.sqrt(np.maximum(expected, 1 / N) * (1 - expected) / N) + ramp
    assert np.all(np.abs(observed - expected) < error)


@row
def play(key, entity, weights, lower, location, scale, lines, due, issue, first, score, day):
    """The chain of formulas for one invoice in every scenario, on Philox words."""
    for q in range(len(score) // 4):
        s, e = words(key, q, entity[0], 0), words(key, q, entity[1], 0)
        u, own = words(key, q, entity[2], 0), words(key, q, entity[3], 0)
        for lane in range(4):
            state, residual, effect = normal(s[lane]), normal(e[lane]), normal(u[lane])
            shared = delay_score(state, residual, effect, 0.0, weights[0], weights[1], weights[2], weights[3])
            y = invoice_score(own[lane], np.float32(shared), np.float32(weights[3]))
            if lower > -np.inf:
                y = unpaid_score(y, np.float32(normal_tail(lower)), np.float32(normal_tail(-lower)))
            score[4 * q + lane] = y
            place = near_place(y)
            knot = int(np.floor(place))
            line = lines[knot + TABLE_SIZE // 2]
            delay = delay_at(line[0], line[1], place - np.float32(knot), np.float32(location), np.float32(scale))
            day[4 * q + lane] = payment_day(due, issue, delay, first)


def played(plan, invoice, due, issue, first, n=N):
    """Scores and payment days of one invoice of the first buyer, in n scenarios."""
    score, day = np.empty(n), np.empty(n, dtype=np.int64)
    play(*told(plan, invoice), plan.lines.view(np.float32).reshape(-1, 2), due, issue, first, score, day)
    return score, day


def told(plan, invoice):
    """Key, entities, weights, lower score, location and scale of an invoice of the first buyer."""
    entity = np.array([entity_key(name) for name in ("S", "e", "U", f"invoice {invoice}")], dtype=np.uint64)
    weights = (float(plan.systemic[0]), plan.credit, plan.buyer, float(plan.own[0]))
    lower = float(plan.lower_score[invoice]) if len(plan.lower_score) else -math.inf
    return stream_key(1, "invoice_delay"), entity, weights, lower, float(plan.location[0]), float(plan.scale[0])


@row
def play_wide(key, entity, weights, lower, location, scale, table, due, issue, first, day):
    """The same chain in numbers of 64 bits."""
    for q in range(len(day) // 4):
        s, e = words(key, q, entity[0], 0), words(key, q, entity[1], 0)
        u, own = words(key, q, entity[2], 0), words(key, q, entity[3], 0)
        for lane in range(4):
            state, residual, effect, noise = normal(s[lane]), normal(e[lane]), normal(u[lane]), normal(own[lane])
            y = delay_score(state, residual, effect, noise, weights[0], weights[1], weights[2], weights[3])
            if lower > -np.inf:
                y = -inverse_normal(normal_tail(y) * normal_tail(lower))
            day[4 * q + lane] = payment_day(due, issue, location + scale * tabulated(table, 0, y), first)


@pytest.mark.parametrize("open_item", [False, True])
def test_days_are_those_of_numbers_of_64_bits(open_item):
    """All but one in 20,000 at most, and no day that differs is far off where the law is not steep."""
    plan = build({"shares": SHARES[1], "location": 3, "scale": 1.4}, invoices=[(0, -60, -20, 0, 1.0, open_item)])
    assert (plan.lower_score[0] > -math.inf) == open_item
    _, found = played(plan, 0, -20, -60, 1 if open_item else -60)
    wide = np.empty(N, dtype=np.int64)
    play_wide(*told(plan, 0), plan.quantile, -20, -60, 1 if open_item else -60, wide)
    differs = found != wide
    assert differs.mean() <= 5e-5
    assert np.abs(found - wide)[np.abs(wide) < 200].max() <= 1


def test_formulas_on_keyed_draws_give_the_marginal():
    """The whole chain of formulas: Y is N(0, 1) and days have the probabilities of Q."""
    plan = build({"shares": SHARES[1], "delay": {"model": "mixture"}, "location": 2, "scale": 1.5})
    law = make_study(payment={"delay": {"model": "mixture"}}).payment.delay
    y, days = played(plan, 0, 30, -999, -999)
    assert abs(y.mean()) < LIMIT / math.sqrt(N)
    assert abs(y.var() - 1) < LIMIT * math.sqrt(2 / N)
    grid = 2_000_000
    exact = 30 + np.floor(2 + 1.5 * quantile(law, (np.arange(grid) + 0.5) / grid) + 0.5)
    for day in range(0, 120):
        p = np.mean(exact == day)
        assert abs(np.mean(days == day) - p) < LIMIT * math.sqrt(max(p, 1 / N) * (1 - p) / N)


@pytest.mark.parametrize("shares", SHARES[1:3], ids=str)
def test_spearman_of_two_invoices_of_a_buyer(shares):
    """ρ_S = (6/π)·asin(r/2) with r = r_s + r_c + r_b, for any continuous law of the delay."""
    plan = build({"shares": shares, "delay": {"model": "gamma", "shape": 2.0, "scale_days": 10.0}})
    _, _, score = scores(plan, 4, N)
    delay = np.interp(score, table_grid(), plan.quantile[0])
    correlation = np.corrcoef(rankdata(delay[0]), rankdata(delay[1]))[0, 1]
    r = sum(shares.values())
    assert abs(correlation - 6 / math.pi * math.asin(r / 2)) < LIMIT / math.sqrt(N)


def test_credit_link_delays_weak_buyers_and_only_with_its_share():
    for share in (0.0, 0.2, 0.5):
        plan = build({"shares": {"systemic": 0.0, "credit": share, "buyer": 0.1}})
        _, residual, score = scores(plan, 5, N)
        weak = residual <= -1.0
        expected = -math.sqrt(share) * (-math.exp(-0.5) / math.sqrt(2 * math.pi) / ndtr(-1.0))
        assert abs(score[0][weak].mean() - expected) < LIMIT / math.sqrt(weak.sum())
        # in days as well: the share of invoices more than 30 days late
        late = whole_days(plan, score[0]) > 30
        assert (late[weak].mean() > late.mean() + 0.01) == (share > 0)


def test_bad_times_delay_everybody():
    plan = build({"shares": {"systemic": 0.3, "credit": 0.0, "buyer": 0.0}})
    state, _, score = scores(plan, 6, N)
    slope = np.mean(-state * score[0])
    assert abs(slope - math.sqrt(0.3)) < LIMIT * math.sqrt(1.3 / N)


@pytest.mark.parametrize("shares", SHARES[:3], ids=str)
@pytest.mark.parametrize("due", [-90, -10, 0, 20])
def test_open_items_follow_the_law_of_the_still_unpaid(due, shares):
    """An open item's payment day has exactly the delay law given that it comes after today, whatever the shares."""
    model = {"model": "lognormal", "median_days": 20.0, "sigma": 1.0, "shift_days": -25.0}
    plan = build({"delay": model, "shares": shares}, invoices=[(0, due - 45, due, 0, 1.0, True)])
    law = make_study(payment={"delay": model}).payment.delay
    n = 200_000
    _, drawn = played(plan, 0, due, due - 45, 1)
    assert drawn.min() >= 1
    grid = 2_000_000
    raw = np.floor(quantile(law, (np.arange(grid) + 0.5) / grid) + 0.5).astype(int)
    days = np.maximum(due + raw, due - 45)
    kept = days[days >= 1]
    for day in (1, 2, 5, 15, 40, 100, 300):
        p, q = np.mean(kept <= day), np.mean(drawn <= day)
        assert abs(p - q) < LIMIT * math.sqrt(max(p * (1 - p), 1e-5) / n)


def test_open_items_of_a_buyer_keep_their_rank_correlation():
    plan = build({"shares": SHARES[1]}, invoices=[(0, -60, -30, 0, 1.0, True), (0, -50, -5, 0, 1.0, True)])
    score = [played(plan, invoice, -30, -60, 1)[0] for invoice in (0, 1)]
    for lower, drawn in zip(plan.lower_score, score, strict=True):
        assert drawn.min() >= lower - 2e-6
    expected = 6 / math.pi * math.asin((1 - plan.own[0] ** 2) / 2)
    assert abs(np.corrcoef(rankdata(score[0]), rankdata(score[1]))[0, 1] - expected) < LIMIT / math.sqrt(N)


def test_an_item_later_than_any_observed_delay_is_paid_at_once():
    plan = build(
        {"delay": {"model": "empirical", "values": [0.0, 10.0, 20.0]}},
        invoices=[(0, -100, -60, 0, 1.0, True)],
    )
    assert plan.lower_score[0] == 6.5
    for word in (0, 2**31, 2**32 - 1):
        tails = np.float32(normal_tail(6.5)), np.float32(normal_tail(-6.5))
        score = unpaid_score(invoice_score(np.uint32(word), np.float32(0), np.float32(plan.own[0])), *tails)
        delay = np.interp(score, table_grid(), plan.quantile[0])
        assert payment_day(-60, -100, delay, 1) == 1
