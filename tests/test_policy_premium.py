"""What cover costs: turnover and balances, deposits, fees, bonus, the maximum liability that follows the premium."""

import types

import numpy as np
import pytest

from simulator.engine.block import run_block
from simulator.engine.model import build_model
from simulator.policy.apply import apply_policies, insurable_balances
from simulator.policy.limits import ALWAYS
from tests.policy_cases import Debt, Stopped, Weak, arrays, clock, constant_rates, plan, settle, terms
from tests.scripts import small

INF = np.inf
PRICE = {
    "planned_turnover": 1_000_000, "premium_rate": 0.005, "premium_minimum": 3_200, "premium_tax": 0.1,
    "premium_fees": 100, "instalment": [800 if t in (0, 13, 26, 39) else 0 for t in range(52)], "sold_whole": True,
}  # fmt: skip


def test_premium_follows_what_was_shipped():
    stopped = [[], [Stopped(0, 200_000), Stopped(1, 50_000)], [Stopped(0, 900_000)]]
    rows = settle([terms(limit=[INF, 0.0], **PRICE)], [[], [], []], n_buyers=2, stopped=stopped)
    np.testing.assert_allclose(rows.premium[:, 0], [(p + 100) * 1.1 for p in (5_000, 4_000, 3_200)])
    np.testing.assert_allclose(rows.premium_cash.sum(axis=2), rows.premium)
    np.testing.assert_allclose(rows.premium_cash[0, 0, [0, 13, 26, 39, 51]], [990, 880, 880, 880, 1_980])
    assert rows.premium_cash[2, 0, 51] == 0


def test_untaxed_fees_and_days_of_payment():
    policy = terms(**PRICE | {"untaxed_fees": 50, "fee_period": 5, "adjustment_period": 40})
    rows = settle([policy], [[]], n_buyers=1)
    assert rows.premium[0, 0] == pytest.approx((5_000 + 100) * 1.1 + 50)
    assert rows.premium_cash[0, 0, [5, 40]] == pytest.approx([100 * 1.1 + 50, 1_800 * 1.1])


def sales():
    """Buyer 0 is sent 100 on days 30, 60, …, 330; half of an invoice is tax, the policy ends on day 200."""
    return [Debt(0, 100.0, issue=day, due=day + 30, vat=50.0) for day in range(30, 331, 30)]


def shipped(policy, stopped=None, weak=None):
    """Premium at 100 % of the turnover of one scenario without claims."""
    book, events = arrays([sales()], [stopped or []], weak=[weak or []], n_buyers=1)
    events.n_events[:] = 0
    terms_of_it = {"premium_rate": 1.0, "planned_turnover": 300.0, "last_day": 200, "sold_whole": False, **policy}
    built = plan([terms_of_it], 1, book)
    return apply_policies(built, book, clock(), events, constant_rates(1)).premium[0, 0]


def test_only_insurable_sales_of_the_period_count():
    """Six shipments by day 200, 50 net each. Withheld: the last six, in the middle, all, half of each."""
    assert shipped({}) == 300
    last = Stopped(0, 600.0, 180, 330)
    assert shipped({}, [last]) == 250
    assert shipped({"vat_covered": True, "planned_turnover": 600.0}, [last]) == 500
    assert shipped({}, [Stopped(0, 200.0, 90, 120)]) == 200  # shipping went on later, beyond the period
    assert shipped({}, [Stopped(0, 1_100.0)]) == 0
    assert shipped({}, [Stopped(0, 550.0)]) == 150
    cut = {"limit": [[(ALWAYS, 9.0), (150, 0.0)]], "planned_turnover": 200.0}
    assert shipped(cut, [Stopped(0, 800.0, 120, 330)]) == 150


def test_no_premium_for_what_is_shipped_without_cover():
    """The shipment of day 30 is never paid: its date of loss is day 120, so days 150 and 180 are not covered, nor days
    60 and 90 where the buyer is overdue for more than 60 days when they are shipped. All others are paid at once."""
    first, *later = sales()
    owed = [first._replace(protracted=True, lost=180), *[debt._replace(paid=debt.issue + 1) for debt in later]]
    owed[1:3] = [debt._replace(overdue=61) for debt in owed[1:3]]
    policy = {"premium_rate": 1.0, "planned_turnover": 300.0, "last_day": 200, "sold_whole": False, "waiting_days": 60}
    overdue = policy | {"extension_days": 60}
    rows = settle([policy, overdue, overdue | {"extension_days": 61}, policy | {"sold_whole": True}], [owed])
    assert rows.premium[0].tolist() == [200, 100, 200, 200]
    # withheld in part after the date of loss: counted once
    stopped = [[Stopped(0, 200.0, 120, 150)]]
    assert settle([policy, overdue], [owed], stopped=stopped).premium[0].tolist() == [150, 50]
    # a policy that insures no default: nothing ends its cover
    none = policy | {"percentage": {"insolvency": 0.9}}
    assert settle([none], [owed]).premium[0, 0] == 300


def test_no_premium_for_what_is_shipped_after_a_limit_is_cancelled():
    """Told on day 100 and effective on day 110: the shipments of days 120, 150 and 180 are uncovered. What was not
    shipped at all counts once; a reduced limit, or one that is not named, keeps its turnover."""
    score = -0.28  # Φ = 0.39, told after log(0.61)/log(0.5) of a year at even odds
    policy = {"change_intensity": 0.5 * 365 / 100, "change_notice": 10}
    told = int(np.ceil(-365 * np.log(0.61026) / policy["change_intensity"]))
    assert told == 99
    assert shipped(policy, weak=[Weak(0, score)]) == 150
    assert shipped(policy, [Stopped(0, 500.0, 210, 330)], [Weak(0, score)]) == 150  # withheld anyway
    assert shipped(policy, [Stopped(0, 900.0, 90, 330)], [Weak(0, score)]) == 100
    assert shipped(policy | {"change_to": 0.5}, weak=[Weak(0, score)]) == 300
    assert shipped(policy | {"named": False}, weak=[Weak(0, score)]) == 300


def test_a_premium_on_balances():
    """0.2 % a month on 500 of 1,000 insurable at first, 100 less each week of the first four."""
    book, events = arrays([[Debt(0, 1_000.0, issue=0, open_item=True)]])
    events.n_events[:] = 0
    built = plan([terms(on_balance=True, premium_rate=0.002)], 1, book)
    book = book._replace(insurable_value=np.full((1, 1), 500.0))
    built.month_ends[0, [3, 7]] = 1.0
    settled = np.zeros((1, 2, 52))
    settled[0, 0, :4], settled[0, 1, :4] = 200.0, 100.0
    ledger = types.SimpleNamespace(settled=settled, stopped=np.zeros((1, 2, 52)))
    balance = insurable_balances(book, clock(), ledger)
    assert balance[0, 0, :6].tolist() == [400, 300, 200, 100, 100, 100]
    rows = apply_policies(built, book, clock(), events, constant_rates(1), ledger=ledger)
    assert rows.premium[0, 0] == pytest.approx(0.002 * (100 + 100))
    with pytest.raises(ValueError, match="rows of the ledger"):
        apply_policies(built, book, clock(), events, constant_rates(1))


def test_month_end_balances_by_hand(tmp_path):
    """1 % a month of what buyers with a limit owe at the end of the weeks of days 1, 31 and 62, everybody paying when
    due: A1 840, A2 1,680 net of tax, A3 500 and B1 3,000 x 0.9 on day 7, A4 4,000 on day 35, B2 700 x 0.9 on day 63."""
    price = {"type": "whole_turnover", "premium": {"base": "balance", "rate_on_balance": 0.01}}
    programmes = [
        {"name": "Net", **price},
        {"name": "Gross", "vat_covered": True, **price},
        {"name": "New shipments", "covers_open_items": False, **price},
        {"name": "A only", "buyers": {"ids": ["A"]}, **price},
        {"name": "C too", "discretionary_limit": 1_000, **price},
        {"name": "Net again", "insured_percentage": 0.5, **price},
    ]
    sections = {"study": {"title": "S", "as_of": "2026-10-30", "currency": "EUR", "horizon": "13 weeks"}}
    model = build_model(small(tmp_path, {}, programmes=programmes, **sections))
    assert model.policy.balance_of.tolist() == [0, 1, 2, 3, 4, 0]
    # C1 is overdue and paid on day 1, so it is in no balance
    expected = [103.5, 108.3, 46.3, 70.2, 103.5, 103.5]
    np.testing.assert_allclose(run_block(model, 0, 4, 20).policy.premium[0], expected)


def test_bonus_and_malus():
    """Premium 5,000: no claim -20 %, up to 60 % (3,000) nothing, beyond +40 %; settled with the adjustment."""
    policy = terms(1.0, **PRICE | {"bonus": [(0.0, -0.2), (0.6, 0.0), (1.0, 0.4)]})
    scenarios = [[], [Debt(0, 3_000, insolvent=5)], [Debt(0, 3_001, insolvent=5)], [Debt(0, 90_000, insolvent=5)]]
    rows = settle([policy], scenarios, n_buyers=1)
    np.testing.assert_allclose(rows.premium[:, 0], [(p + 100) * 1.1 for p in (4_000, 5_000, 7_000, 7_000)])
    np.testing.assert_allclose(rows.premium_cash[:, 0, 51], [(p - 3_200) * 1.1 for p in (4_000, 5_000, 7_000, 7_000)])


def test_a_maximum_liability_of_the_premium_paid():
    """Ten times the scenario's year: 5,000 on what was shipped, 3,200 where little was; half a year counts twice."""
    policy = terms(1.0, **PRICE | {"liability_multiple": 10.0, "minimum_of_year": 3_200})
    debts = [Debt(0, 90_000, insolvent=5)]
    rows = settle([policy, policy | {"year_share": 0.5}], [debts, debts], stopped=[[], [Stopped(0, 900_000)]])
    assert rows.indemnity_gross.tolist() == [[50_000, 90_000], [32_000, 32_000]]


def test_a_premium_in_policy_currency_is_paid_at_the_days_rate():
    """USD 800 a quarter and an adjustment of USD 1,800; the dollar costs 1 until week 20 and 2 after."""
    rates = np.ones((1, 2, 53))
    rates[0, 1, 21:] = 2.0
    rows = settle([terms(**PRICE | {"currency": 1, "premium_fees": 0})], [[]], n_buyers=1, rates=rates)
    assert rows.premium[0, 0] == pytest.approx(1.1 * (2 * 800 + 2 * 1_600 + 3_600))
    np.testing.assert_allclose(rows.premium_cash.sum(axis=2), rows.premium)
