"""From the study's programmes to arrays: limits, percentages, premium, turnover, maximum liability."""

import dataclasses

import numpy as np
import pytest

from simulator.errors import InputError
from simulator.ledger.portfolio import Invoices
from simulator.policy.plan import build_policies, instalments, planned_turnover_by_buyer
from simulator.study.calendar import Calendar
from tests import small_books

BUYERS = ["007", "A", "B", "C"]
LIMITS = [50_000.0, 0.0, np.nan, np.inf]


def ledger(limits=LIMITS):
    """Four buyers with an open item each, sales on days 1, 100, 200 and beyond the horizon, some in USD."""
    book = small_books.portfolio(BUYERS, credit_limit=limits, annual_sales=[1e5, 2e5, 3e5, np.nan])
    issue = np.array([-10, 1, 100, 200, 366] * 4, dtype=np.int32)
    n = len(issue)
    invoices = Invoices(
        [str(i) for i in range(n)], np.arange(n, dtype=np.uint64), np.repeat(np.arange(4, dtype=np.int32), 5), issue,
        issue + 30, np.array([0, 0, 1, 0, 0] * 4, dtype=np.int32), np.tile([1e3, 1e4, 2e4, 3e4, 4e4], 4),
        issue < 1, np.zeros(n, np.bool_),
    )  # fmt: skip
    return dataclasses.replace(book, invoices=invoices, currencies=["EUR", "USD"])


def build(*programmes, portfolio=None, **more):
    asked = small_books.study(programmes=[{"name": f"P{i}", **p} for i, p in enumerate(programmes)], **more)
    return build_policies(asked, portfolio or ledger(), Calendar.of(asked), np.array([1.0, 0.5]))


def whole_turnover(**more):
    return {"type": "whole_turnover", **more}


def test_limits_blank_zero_and_infinite():
    plain, discretion, unlimited, none = (
        whole_turnover(),
        whole_turnover(discretionary_limit="20 k"),
        whole_turnover(limits="unlimited"),
        {"type": "none"},
    )
    plan = build(plain, discretion, unlimited, none)
    assert plan.limit[0].tolist() == [50_000, 0, 0, np.inf]
    assert plan.limit[1].tolist() == [50_000, 0, 20_000, np.inf]
    assert plan.discretionary[:2].tolist() == [[False] * 4, [False, False, True, False]]
    assert plan.limit[2].tolist() == [np.inf] * 4
    assert plan.insurable[:3].tolist() == [
        [True, False, False, True],
        [True, False, True, True],
        [True, True, True, True],
    ]
    assert plan.insured.tolist() == [True, True, True, False]


def test_terms_arrive_as_written():
    plan = build(
        whole_turnover(
            insured_percentage={"insolvency": "90 %", "protracted_default": "80 %"}, discretionary_percentage="70 %",
            non_qualifying_loss="1 k", each_and_every_first_loss="2 k", aggregate_first_loss="3 k",
            maximum_liability="4 M", waiting_period="6 months", settlement="4 weeks", covers_open_items=False,
        ),
        {"type": "excess_of_loss"},
        {"type": "excess_of_loss", "order": "percent_first"},
    )  # fmt: skip
    assert plan.order.tolist() == [0, 1, 0]
    assert plan.percentage_insolvency[0] == 0.9
    assert plan.percentage_protracted[0] == 0.8
    assert plan.percentage_discretionary[0] == 0.7
    assert np.isnan(plan.percentage_discretionary[1])
    assert plan.non_qualifying_loss[0] == 1e3
    assert plan.each_and_every_first_loss[0] == 2e3
    assert plan.aggregate_first_loss[0] == 3e3
    assert plan.maximum_liability.tolist() == [4e6, np.inf, np.inf]
    assert plan.waiting_days.tolist() == [180] * 3
    assert plan.settlement_days.tolist() == [28, 30, 30]
    assert plan.covers_open_items.tolist() == [False, True, True]


def test_turnover_is_what_is_planned_to_insurable_buyers_within_the_horizon():
    """10,000 + USD 20,000 at 0.5 + 30,000 per buyer; open items and what lies beyond the horizon are not in it."""
    plan = build(whole_turnover(), whole_turnover(limits="unlimited"))
    assert plan.planned_turnover.tolist() == [2 * 50_000, 4 * 50_000]


def test_turnover_of_a_constant_exposure_study_is_annual_sales():
    asked = small_books.study(horizon="73 days")
    portfolio = small_books.portfolio(BUYERS, annual_sales=[1e5, 2e5, np.nan, 0.0])
    turnover = planned_turnover_by_buyer(portfolio, Calendar.of(asked), np.ones(1))
    np.testing.assert_allclose(turnover, [2e4, 4e4, 0, 0])


def test_maximum_liability_as_a_multiple_of_the_planned_premium():
    premium = {"rate_on_turnover": "0.2 %", "minimum": 150}
    plan = build(
        whole_turnover(maximum_liability="30 x premium", premium=premium),
        whole_turnover(maximum_liability="30 x premium", premium=premium | {"minimum": "1 k"}),
    )
    np.testing.assert_allclose(plan.maximum_liability, [30 * 200, 30 * 1_000])


def test_a_short_horizon_pays_its_part_of_the_minimum_and_the_year_s_amounts_stand_in_full():
    """91 days are a quarter of 52 weeks; sales of 40,000 in them are 160,000 a year, which cost 8,000."""
    premium = {"rate_on_turnover": "5 %", "minimum": "4 k", "fees": 300, "instalments": 4}
    policy = whole_turnover(aggregate_first_loss="10 k", maximum_liability="30 x premium", premium=premium)
    floored = policy | {"premium": premium | {"minimum": "12 k"}}
    short = build(policy, floored, portfolio=ledger([0.0, 0.0, 0.0, np.inf]), horizon="91 days")
    assert short.planned_turnover.tolist() == [1e4, 1e4]  # by day 91 only the sale of day 1
    np.testing.assert_allclose(short.premium_minimum, [1e3, 3e3])
    np.testing.assert_allclose(short.instalment.sum(axis=1), [1e3, 3e3])
    assert short.premium_fees.tolist() == [300, 300]
    assert short.aggregate_first_loss.tolist() == [1e4, 1e4]
    np.testing.assert_allclose(short.maximum_liability, [30 * 4e3, 30 * 12e3])
    busy = build(policy | {"premium": premium | {"minimum": "1 k"}}, portfolio=ledger([0.0, 0.0, 0.0, np.inf]),
                 horizon="91 days")  # fmt: skip
    np.testing.assert_allclose(busy.maximum_liability, 30 * 0.05 * 4e4)
    for horizon in ("52 weeks", "53 weeks", "1 year"):
        assert build(policy, horizon=horizon).premium_minimum[0] == 4e3


def test_a_multiple_of_no_premium_is_refused():
    with pytest.raises(InputError, match="a multiple of premium needs a premium") as caught:
        build({"type": "none"}, whole_turnover(maximum_liability="30 x premium"))
    assert "programmes[1].maximum_liability = 30 x premium" in str(caught.value)


def test_instalments():
    calendar = Calendar.of(small_books.study(horizon="52 weeks"))
    deposit = instalments(3_200.0, 4, calendar)
    # days 0, 91, 182, 273; day 91 is the last of week 13
    assert {int(t): v for t, v in enumerate(deposit) if v} == {0: 800, 12: 800, 25: 800, 38: 800}
    assert instalments(5.0, 52, calendar).sum() == pytest.approx(5.0)
    months = Calendar.of(small_books.study(horizon="12 months", period="month"))
    assert np.count_nonzero(instalments(1.0, 4, months)) == 4


def test_rank_follows_the_id_not_the_ledger():
    asked = small_books.study(programmes=[{"name": "P", "type": "none"}])
    portfolio = small_books.portfolio(["b", "a", "10", "9"])
    plan = build_policies(asked, portfolio, Calendar.of(asked), np.ones(1))
    assert plan.buyer_rank.tolist() == [3, 2, 0, 1]
