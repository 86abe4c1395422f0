"""The reserve fund: it pays for losses, is topped up from cash, and earns interest."""

import numpy as np
import pytest

from simulator.treasury.run import run_treasury
from tests.cash_cases import flows, plan, policies


def fund_case(claims=(0.0,) * 5, **terms):
    """Five weeks with a loss of 30 in the second; a fund of 50, topped up by at most 8 a week, and cash of 100."""
    about = {
        "opening_cash": 100.0, "minimum_cash": 80.0, "reserve": np.array([50.0]), "funded": np.array([True]),
        "top_up": np.full((1, 5), 8.0),
    }  # fmt: skip
    ledger, policy = flows(1, 5), policies(1, 1, 5)
    ledger.losses[0] = [0.0, 30.0, 0.0, 0.0, 0.0]
    ledger.collections[0] = [0.0, -30.0, 0.0, 0.0, 0.0]  # the debt that does not come in
    policy.claim_cash[0, 0] = claims
    return run_treasury(plan(5, **(about | terms)), ledger, np.zeros((1, 5)), policy)


def test_a_fund_pays_for_losses_and_is_topped_up_from_cash_above_the_minimum():
    rows = fund_case()
    # week 2: the fund pays 30 and gets 8; then 8, then the last 4 that cash has above its minimum of 80
    assert rows.fund[0, 0].tolist() == [50, 28, 36, 40, 40]
    assert rows.cash[0, 0].tolist() == [100, 92, 84, 80, 80]
    assert rows.minimum_fund[0, 0] == 20, "before the top-up of the same week"
    assert rows.periods_below_reserve[0, 0] == 4


def test_claims_refill_the_fund_and_the_rest_is_cash():
    rows = fund_case(claims=(0.0, 0.0, 0.0, 27.0, 0.0), top_up=np.zeros((1, 5)))
    assert rows.fund[0, 0].tolist() == [50, 20, 20, 47, 47]
    rows = fund_case(claims=(0.0, 0.0, 0.0, 45.0, 0.0), top_up=np.zeros((1, 5)))
    assert rows.fund[0, 0].tolist() == [50, 20, 20, 50, 50]
    assert rows.cash[0, 0].tolist() == [100, 100, 100, 115, 115]


def test_a_fund_can_be_exhausted():
    rows = fund_case(reserve=np.array([25.0]), minimum_cash=200.0)
    assert rows.fund[0, 0].tolist() == [25, 0, 0, 0, 0]
    assert rows.minimum_fund[0, 0] == 0
    assert rows.cash[0, 0].tolist() == [100, 95, 95, 95, 95], "no top-up while cash is below its minimum"
    rows = fund_case(reserve=np.array([25.0]), minimum_cash=80.0)
    assert rows.fund[0, 0, 1] == 8, "topped up in the week"
    assert rows.minimum_fund[0, 0] == 0, "in which it was exhausted"


def test_a_fund_is_not_cash():
    """The same money as a reserve in cash keeps the firm above its minimum; in a fund it pays for losses only."""
    rows = fund_case(opening_cash=60.0, top_up=np.zeros((1, 5)))
    assert rows.headroom[0, 0].tolist() == [-20] * 5
    rows = fund_case(opening_cash=60.0, funded=np.array([False]))
    assert rows.headroom[0, 0].tolist() == [30, 0, 0, 0, 0]
    assert rows.fund.shape == (1, 1, 0)


def test_interest_fills_the_fund_and_goes_to_cash_where_it_is_full():
    rows = fund_case(
        fund_interest=np.array([0.1]),
        cost_of_capital=np.array([0.08]),
        period_years=np.ones(5),
        top_up=np.zeros((1, 5)),
    )
    # 5 earned and released; week 2: 5 earned while 30 is paid out; then 10 % of what is there
    assert rows.fund[0, 0].tolist() == pytest.approx([50, 25, 27.5, 30.25, 33.275])
    assert rows.cash[0, 0].tolist() == [105] * 5
    assert rows.financing_cost[0, 0] == pytest.approx(-(5 + 5 + 2.5 + 2.75 + 3.025))
    assert rows.reserve_cost[0, 0] == pytest.approx(0.08 * (50 + 50 + 25 + 27.5 + 30.25))


def test_with_a_loss_payee_the_fund_gets_what_the_bank_leaves():
    """A claim of 45 on a line drawn by 20: 20 to the bank, 25 of the 30 that the fund lacks."""
    rows = fund_case(
        claims=(0.0, 0.0, 45.0, 0.0, 0.0), opening_cash=60.0, line_limit=100.0, top_up=np.zeros((1, 5)),
        loss_payee=np.array([True]),
    )  # fmt: skip
    assert rows.line[0, 0].tolist() == [20, 20, 0, 0, 0]
    assert rows.fund[0, 0].tolist() == [50, 20, 45, 45, 45]
    assert rows.cash[0, 0].tolist() == [80] * 5


def test_a_reserve_in_cash_has_its_constant_cost():
    rows = fund_case(funded=np.array([False]), standing_reserve_cost=np.array([4.0]))
    assert rows.reserve_cost[0, 0] == 4
    assert rows.periods_below_reserve[0, 0] == 0
