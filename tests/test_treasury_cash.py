"""The cash path: interest, line, headroom, shortfall, and its identity."""

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from simulator.jit import set_threads
from simulator.losses.rows import allocate_rows as allocate_ledger
from simulator.policy.apply import allocate_rows as allocate_policy
from simulator.treasury import formulas as f
from simulator.treasury.plan import CashPlan
from simulator.treasury.run import allocate_rows, run_treasury
from tests.twins import treasury as twin


def flows(n, n_periods):
    """A ledger in which nothing happens."""
    return allocate_ledger(n, n_periods)


def policies(n, n_programmes, n_periods):
    """Programmes that pay and cost nothing."""
    rows = allocate_policy(n, n_programmes, n_periods)
    for values in rows:
        values[:] = 0.0
    return rows


def plan(n_periods, n_programmes=1, **terms):
    built = CashPlan(
        0.0, 0.0, 0.0, 0.0, 0.0, np.zeros(n_periods), np.zeros(n_periods), np.zeros(n_programmes),
        np.zeros(n_programmes), np.full(n_periods, 7 / 365),
    )  # fmt: skip
    return built._replace(**terms)


def run(cash, collections):
    """Cash rows of one scenario and programme with given collections."""
    ledger = flows(1, len(collections))
    ledger.collections[0] = collections
    return run_treasury(cash, ledger, np.zeros((1, len(collections))), policies(1, 1, len(collections)))


def test_worked_numbers_of_the_docstrings():
    assert f.opening_balance(150_000.0, 50_000.0) == 200_000
    assert f.line_interest(520_000.0, 0.06, 7 / 365) == pytest.approx(598.36, abs=0.005)
    assert f.cash_interest(365_000.0, 0.02, 7 / 365) == pytest.approx(140)
    assert f.cash_interest(-365_000.0, 0.02, 7 / 365) == 0
    assert f.drawn_after(10_000.0, 12_500.0, 32_500.0, 25_000.0) == 25_000
    assert f.headroom(30_600.0, 0.0, 10_000.0, 32_500.0) == 8_100
    assert f.shortfall(-114_900.0) == 114_900
    assert f.shortfall(100.0) == 0


def test_line_is_drawn_to_the_minimum_then_repaid_first():
    cash = plan(5, opening_cash=100.0, minimum_cash=50.0, line_limit=80.0)
    rows = run(cash, [-30.0, -40.0, -70.0, 60.0, 100.0])
    assert rows.cash[0, 0].tolist() == [70, 50, 40, 50, 120]
    assert rows.line[0, 0].tolist() == [0, 20, 80, 30, 0]
    assert rows.headroom[0, 0].tolist() == [100, 60, -10, 50, 150]
    assert rows.first_shortfall_period[0, 0] == 2
    assert rows.shortfall_amount[0, 0] == 10
    assert rows.minimum_headroom[0, 0] == -10
    assert rows.minimum_cash[0, 0] == 40
    assert rows.ending_cash[0, 0] == 120


def test_interest_is_on_balances_the_period_began_with():
    cash = plan(3, opening_cash=1_000.0, line_limit=500.0, line_rate=0.1, cash_rate=0.05, period_years=np.ones(3))
    rows = run(cash, [-1_150.0, 0.0, 1_000.0])
    assert rows.line[0, 0].tolist() == pytest.approx([100, 110, 0])
    assert rows.ending_cash[0, 0] == pytest.approx(1_000 - 110 - 11)
    assert rows.financing_cost[0, 0] == pytest.approx(-50 + 10 + 11)


def test_a_reserve_is_cash_beside_the_firms_own_and_is_spent_when_needed():
    cash = plan(2, n_programmes=2, opening_cash=100.0, minimum_cash=50.0, reserve=np.array([0.0, 60.0]))
    ledger = flows(1, 2)
    ledger.collections[0] = [-90.0, 0.0]
    rows = run_treasury(cash, ledger, np.zeros((1, 2)), policies(1, 2, 2))
    assert rows.cash[0, :, -1].tolist() == [10, 70]
    assert rows.shortfall_amount[0].tolist() == [40, 0]
    assert rows.first_shortfall_period[0].tolist() == [0, -1]


def test_every_flow_has_its_sign():
    cash = plan(1, outflow=np.array([1e1]), purchases=np.array([1e2]))
    ledger = flows(1, 1)
    ledger.collections[:], ledger.recoveries[:], ledger.purchases_saved[:] = 1e3, 1e4, 1e5
    policy = policies(1, 1, 1)
    policy.claim_cash[:], policy.premium_cash[:] = 1e6, 1e7
    rows = run_treasury(cash, ledger, np.full((1, 1), 1e8), policy)
    assert rows.ending_cash[0, 0] == -1e1 - 1e2 + 1e3 + 1e4 + 1e5 + 1e6 - 1e7 + 1e8


# --- laws ---


def random_case(seed, n=8, n_periods=13, n_programmes=3):
    rng = np.random.default_rng(seed)
    ledger = flows(n, n_periods)
    ledger.collections[:] = rng.gamma(1.0, 100.0, ledger.collections.shape)
    ledger.recoveries[:] = rng.gamma(0.2, 20.0, ledger.recoveries.shape)
    ledger.purchases_saved[:] = rng.gamma(0.2, 5.0, ledger.recoveries.shape)
    policy = policies(n, n_programmes, n_periods)
    policy.claim_cash[:] = rng.normal(5.0, 30.0, policy.claim_cash.shape)
    policy.premium_cash[:] = rng.gamma(1.0, 5.0, policy.claim_cash.shape)
    cash = CashPlan(
        rng.uniform(-100, 500), rng.uniform(0, 200), rng.choice([0.0, 150.0, 1e4]), 0.07, rng.choice([0.0, 0.03]),
        rng.gamma(2.0, 40.0, n_periods), rng.gamma(1.0, 40.0, n_periods), rng.choice([0.0, 80.0], n_programmes),
        np.full(n_programmes, 0.08), rng.uniform(0.01, 0.1, n_periods),
    )  # fmt: skip
    return cash, ledger, rng.normal(0.0, 20.0, (n, n_periods)), policy


@given(st.integers(0, 10**9))
@settings(max_examples=60, deadline=None)
def test_opening_cash_and_all_flows_make_closing_cash(seed):
    cash, ledger, hedge, policy = random_case(seed)
    rows = run_treasury(cash, ledger, hedge, policy)
    shared = ledger.collections + ledger.recoveries + hedge + ledger.purchases_saved - cash.outflow - cash.purchases
    total = (shared[:, None] + policy.claim_cash - policy.premium_cash).sum(axis=2)
    opening = cash.opening_cash + cash.reserve
    np.testing.assert_allclose(
        opening + total - rows.financing_cost + rows.line[:, :, -1], rows.ending_cash, rtol=1e-9, atol=1e-7
    )


@given(st.integers(0, 10**9))
@settings(max_examples=60, deadline=None)
def test_line_and_shortfall(seed):
    cash, ledger, hedge, policy = random_case(seed)
    rows = run_treasury(cash, ledger, hedge, policy)
    assert (rows.line >= 0).all()
    assert (rows.line <= cash.line_limit).all()
    np.testing.assert_allclose(
        rows.headroom, rows.cash + cash.line_limit - rows.line - cash.minimum_cash, rtol=1e-9, atol=1e-7
    )
    # the line is only drawn where cash would be below the minimum, and then up to it
    drawn = rows.line > 0
    full = rows.line == cash.line_limit
    assert (rows.cash[drawn & ~full] <= cash.minimum_cash + 1e-7).all()
    assert (rows.cash[~full] >= cash.minimum_cash - 1e-7).all()
    short = rows.headroom < 0
    first = np.where(short.any(axis=2), short.argmax(axis=2), -1)
    np.testing.assert_array_equal(rows.first_shortfall_period, first)
    np.testing.assert_array_equal(rows.shortfall_amount, np.maximum(0, -rows.headroom.min(axis=2)))
    np.testing.assert_array_equal(rows.shortfall_amount > 0, first >= 0)
    np.testing.assert_array_equal(rows.minimum_cash, rows.cash.min(axis=2))
    np.testing.assert_array_equal(rows.ending_cash, rows.cash[:, :, -1])


@given(st.integers(0, 10**9), st.floats(0, 1e4))
@settings(max_examples=40, deadline=None)
def test_more_money_never_hurts(seed, gift):
    """Free interest aside: more cash at the start raises every headroom."""
    cash, ledger, hedge, policy = random_case(seed)
    less = run_treasury(cash, ledger, hedge, policy)
    more = run_treasury(cash._replace(opening_cash=cash.opening_cash + gift), ledger, hedge, policy)
    assert (more.headroom >= less.headroom - 1e-7).all()
    assert (more.shortfall_amount <= less.shortfall_amount + 1e-7).all()


# --- twins and threads ---

numbers = st.floats(-1e9, 1e9, allow_nan=False)
shares = st.floats(0, 1)


@given(numbers, numbers, st.floats(0, 1e9), st.floats(0, 1e9), shares)
@settings(deadline=None)
def test_formulas_equal_their_twins(cash, drawn, minimum, limit, rate):
    for name, arguments in {
        "opening_balance": (cash, minimum),
        "line_interest": (drawn, rate, 7 / 365),
        "cash_interest": (cash, rate, 7 / 365),
        "drawn_after": (drawn, cash, minimum, limit),
        "headroom": (cash, drawn, limit, minimum),
        "shortfall": (cash,),
    }.items():
        assert getattr(f, name)(*arguments) == getattr(twin, name)(*arguments), name


@pytest.mark.parametrize("seed", range(5))
def test_kernel_equals_its_twin(seed):
    cash, ledger, hedge, policy = random_case(seed)
    rows = run_treasury(cash, ledger, hedge, policy)
    slow = allocate_rows(*policy.claim_cash.shape)
    twin.run_cash(
        cash, ledger.collections, ledger.recoveries, hedge, policy.claim_cash, policy.premium_cash,
        ledger.purchases_saved, slow,
    )  # fmt: skip
    for name, fast, plain in zip(rows._fields, rows, slow, strict=True):
        np.testing.assert_array_equal(fast, plain, err_msg=name)


def test_same_bytes_for_any_number_of_threads():
    cash, ledger, hedge, policy = random_case(7, n=1_000)
    try:
        found = []
        for threads in (1, 2):
            set_threads(threads)
            found.append(b"".join(values.tobytes() for values in run_treasury(cash, ledger, hedge, policy)))
    finally:
        set_threads(None)
    assert found[0] == found[1]
