"""Laws of cash, line and fund on random flows, among them that money goes somewhere; twins and threads."""

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from simulator.jit import set_threads
from simulator.losses.balances import allocate_balances, no_balances
from simulator.treasury import formulas as f
from simulator.treasury.base import no_base
from simulator.treasury.run import allocate_rows, run_treasury
from tests.balance_cases import by_scenario
from tests.cash_cases import random_base, random_case
from tests.twins import treasury as twin

# --- laws ---


@given(st.integers(0, 10**9))
@settings(max_examples=60, deadline=None)
def test_opening_cash_and_all_flows_make_closing_cash(seed):
    cash, ledger, hedge, policy = random_case(seed)
    rows = run_treasury(cash, ledger, hedge, policy)
    n, n_programmes, n_periods = policy.claim_cash.shape
    traded = ledger.collections + ledger.recoveries + ledger.purchases_saved - ledger.trade_cost
    traded = traded.reshape(2, n, n_periods)[cash.regime].swapaxes(0, 1)
    shared = hedge - cash.outflow - cash.purchases
    total = (traded + shared[:, None] + policy.claim_cash - policy.premium_cash).sum(axis=2)
    opening = cash.opening_cash + cash.reserve
    fund = rows.fund[:, :, -1] if cash.funded.any() else np.zeros((n, n_programmes))
    np.testing.assert_allclose(
        opening + total - rows.financing_cost + rows.line[:, :, -1], rows.ending_cash + fund, rtol=1e-9, atol=1e-7
    )


@given(st.integers(0, 10**9))
@settings(max_examples=40, deadline=None)
def test_a_fund_stays_between_nothing_and_its_target(seed):
    cash, ledger, hedge, policy = random_case(seed)
    rows = run_treasury(cash._replace(funded=np.array([True, True, False])), ledger, hedge, policy)
    assert (rows.fund >= 0).all()
    assert (rows.fund <= cash.reserve[:, None] + 1e-9).all()
    assert (rows.fund[:, 2] == 0).all()
    assert (rows.minimum_fund[:, :2] <= np.minimum(rows.fund[:, :2].min(axis=2), cash.reserve[:2])).all()
    assert (rows.minimum_fund >= 0).all()
    below = (rows.fund < cash.reserve[:, None]).sum(axis=2)
    np.testing.assert_array_equal(rows.periods_below_reserve[:, :2], below[:, :2])
    # the reserve costs at least what its lowest balance would, and at most what a full one would
    years = cash.period_years.sum()
    assert (rows.reserve_cost[:, :2] >= 0.08 * rows.minimum_fund[:, :2] * years - 1e-9).all()
    assert (rows.reserve_cost[:, :2] <= 0.08 * cash.reserve[:2] * years + 1e-9).all()
    np.testing.assert_array_equal(rows.reserve_cost[:, 2], cash.standing_reserve_cost[2])


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
    free = ~cash.loss_payee[None, :, None]  # with the bank as loss payee a claim may repay the line first
    assert (rows.cash[drawn & ~full & free] <= cash.minimum_cash + 1e-7).all()
    assert (rows.cash[~full & free] >= cash.minimum_cash - 1e-7).all()
    short = rows.headroom < 0
    first = np.where(short.any(axis=2), short.argmax(axis=2), -1)
    np.testing.assert_array_equal(rows.first_shortfall_period, first)
    np.testing.assert_array_equal(rows.shortfall_amount, np.maximum(0, -rows.headroom.min(axis=2)))
    np.testing.assert_array_equal(rows.shortfall_amount > 0, first >= 0)
    np.testing.assert_array_equal(rows.minimum_cash, rows.cash.min(axis=2))
    np.testing.assert_array_equal(rows.ending_cash, rows.cash[:, :, -1])


@given(st.integers(0, 10**9))
@settings(max_examples=40, deadline=None)
def test_nothing_is_drawn_beyond_the_base(seed):
    cash, ledger, hedge, policy = random_case(seed)
    base, balances = random_base(seed)
    rows = run_treasury(cash, ledger, hedge, policy, base, balances)
    available = np.minimum(cash.line_limit, rows.borrowing_base)
    assert (rows.line <= available).all()
    np.testing.assert_allclose(
        rows.headroom, rows.cash + available - rows.line - cash.minimum_cash, rtol=1e-9, atol=1e-7
    )
    # a base that is never short is no base
    balances.uninsured[:] = 1e12
    balances.largest[:] = 0.0
    rich, plain = run_treasury(cash, ledger, hedge, policy, base, balances), run_treasury(cash, ledger, hedge, policy)
    for name in set(plain._fields) - {"borrowing_base"}:
        np.testing.assert_array_equal(getattr(rich, name), getattr(plain, name), err_msg=name)


@given(st.integers(0, 10**9), st.floats(0, 1e4))
@settings(max_examples=40, deadline=None)
def test_more_money_never_hurts(seed, gift):
    """Free interest aside: more cash at the start raises every headroom."""
    cash, ledger, hedge, policy = random_case(seed)
    # a fund takes a gift for later losses; it is left out
    cash = cash._replace(funded=np.zeros(3, np.bool_))
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
        "utilisation": (minimum, limit),
        "price_of_line": (rate, 0.3),
        "assigned_claims": (cash, drawn > 0),
        "paid_by_fund": (minimum, drawn),
        "into_fund": (minimum, limit, cash),
        "cost_of_fund": (minimum, rate, 7 / 365),
    }.items():
        assert getattr(f, name)(*arguments) == getattr(twin, name)(*arguments), name


@pytest.mark.parametrize("seed", range(8))
def test_kernel_equals_its_twin(seed):
    cash, ledger, hedge, policy = random_case(seed)
    base, balances = random_base(seed) if seed % 2 else (no_base(), allocate_balances(no_balances(), 8, 13))
    rows = run_treasury(cash, ledger, hedge, policy, base, balances)
    slow = allocate_rows(*policy.claim_cash.shape, funded=bool(cash.funded.any()), based=seed % 2 == 1)
    twin.run_cash(cash, base, ledger, by_scenario(balances, 8), hedge, policy.claim_cash, policy.premium_cash, slow)
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
