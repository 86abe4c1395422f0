"""From the study's programmes to records: terms, percentages, perils, eligibility, premium, turnover, liability."""

import dataclasses
import datetime as dt

import numpy as np
import pytest

from simulator.engine.model import untroubled
from simulator.errors import InputError
from simulator.ledger.portfolio import Invoices
from simulator.policy.codes import CONVERSIONS, PERILS, steps_of
from simulator.policy.eligibility import Shipments, is_known_loss, month_ends_of, within_period, within_terms
from simulator.policy.plan import build_policies
from simulator.policy.records import changeable_limits
from simulator.policy.sales import instalments
from simulator.study.calendar import Calendar
from tests import small_books

BUYERS = ["007", "A", "B", "C"]
LIMITS = [50_000.0, 0.0, np.nan, np.inf]
NEVER = 2147483647


def ledger(limits=LIMITS, vat=0.0, **columns):
    """Four buyers with an open item each, sales on days 1, 100, 200 and beyond the horizon, some in USD."""
    book = small_books.portfolio(BUYERS, credit_limit=limits, annual_sales=[1e5, 2e5, 3e5, np.nan])
    issue = np.array([-10, 1, 100, 200, 366] * 4, dtype=np.int32)
    n = len(issue)
    amount = np.tile([1e3, 1e4, 2e4, 3e4, 4e4], 4)
    invoices = Invoices(
        [str(i) for i in range(n)], np.arange(n, dtype=np.uint64), np.repeat(np.arange(4, dtype=np.int32), 5), issue,
        issue + 30, np.array([0, 0, 1, 0, 0] * 4, dtype=np.int32), amount, issue < 1, np.zeros(n, np.bool_),
        amount * vat,
    )  # fmt: skip
    buyers = dataclasses.replace(book.buyers, **columns)
    return dataclasses.replace(book, buyers=buyers, invoices=invoices, currencies=["EUR", "USD"])


def build(*programmes, portfolio=None, scripted=(), **more):
    asked = small_books.study(programmes=[{"name": f"P{i}", **p} for i, p in enumerate(programmes)], **more)
    return build_policies(asked, portfolio or ledger(), Calendar.of(asked), np.array([1.0, 0.5]), scripted=scripted)


def whole_turnover(**more):
    return {"type": "whole_turnover", **more}


def test_terms_arrive_as_written():
    plan = build(
        whole_turnover(
            insured_percentage={"insolvency": "90 %", "protracted_default": "80 %", "contract_frustration": 0},
            waiting_period={"insolvency": "30 days", "protracted_default": "6 months", "transfer": "90 days"},
            non_qualifying_loss="1 k", non_qualifying_mode="deduction", non_qualifying_equal="fails",
            each_and_every_first_loss="2 k", aggregate_first_loss="3 k", first_loss_eroded_by="ground_up_losses",
            maximum_liability="4 M", settlement="4 weeks", maximum_extension_period="60 days", vat_covered=True,
            disputes="suspended", payment_allocation="oldest_first", conversion="lower_of", basis="losses_occurring",
            notification={"after": "20 days", "missed": "5 %", "reduction": "50 %"}, currency="USD",
            limit_changes={"annual_probability": "50 %", "to": "40 %", "notice": "10 days"},
            recoveries={"rule": "oldest_first", "costs": "insurer"},
            top_up={"multiple": 2, "maximum": "1 M", "insured_percentage": "70 %"},
            insurer={"annual_pd": "1 %", "systemic": "30 %", "recovery": "40 %"},
        ),
        {"type": "excess_of_loss"},
        {"type": "none"},
        payment={"disputes": {"probability": "3 %", "upheld": "60 %", "resolution": "90 days"}},
    )  # fmt: skip
    terms = plan.terms[0]
    assert dict(zip(PERILS, plan.cover[0, 0].percentage, strict=True)) == {
        "insolvency": 0.9, "protracted_default": 0.8, "transfer": 0.9, "contract_frustration": 0,
    }  # fmt: skip
    assert plan.cover[0, 0].expiry_days.tolist() == [180, 90]
    assert (terms.waiting_insolvency, terms.waiting_frustration, terms.settlement_days) == (30, 180, 28)
    assert (terms.non_qualifying_loss, terms.each_and_every_first_loss, terms.aggregate_first_loss) == (1e3, 2e3, 3e3)
    assert terms.non_qualifying_deducted
    assert terms.equality_fails
    assert terms.eroded_ground_up
    assert terms.maximum_liability == 4e6
    assert terms.extension_days == 60
    assert terms.vat_covered
    assert terms.disputes_suspended
    assert terms.oldest_first
    assert terms.losses_occurring
    assert CONVERSIONS[terms.conversion] == "lower_of"
    assert (terms.notify_after, terms.missed, terms.reduction) == (20, 0.05, 0.5)
    assert (terms.currency, terms.turnover_rate) == (1, 2.0)
    assert terms.change_intensity == pytest.approx(np.log(2))
    assert (terms.change_to, terms.change_notice) == (0.4, 10)
    assert (terms.recovery_rule, terms.recovery_costs) == (2, 2)
    assert (terms.top_up_multiple, terms.top_up_maximum, terms.top_up_percentage) == (2, 1e6, 0.7)
    assert terms.insurer_intensity == pytest.approx(-np.log(0.99))
    assert (terms.insurer_systemic, terms.insurer_recovery) == (0.3, 0.4)
    assert (plan.dispute_probability, plan.dispute_upheld, plan.dispute_days) == (0.03, 0.6, 90)
    # a script draws nothing: disputes of the ledger are all settled for the seller from even chances on, else none
    for chance, settled in ((0.6, 1.0), (0.5, 1.0), (0.49, 0.0)):
        quiet = untroubled(plan._replace(dispute_upheld=chance))
        assert (quiet.dispute_probability, quiet.dispute_upheld) == (0.0, settled)
    assert quiet.terms["insurer_intensity"].tolist() == quiet.terms["missed"].tolist() == [0, 0, 0]
    assert plan.insured.tolist() == [True, True, False]
    plain = plan.terms[1]
    assert plain.steps.tolist() == steps_of("deductible_first")
    assert plain.maximum_liability == np.inf
    assert plan.cover[1, 0].expiry_days.tolist() == [180, 180]
    assert plain.waiting_insolvency == plain.waiting_frustration == plain.change_intensity == 0
    assert plain.currency == -1
    assert plain.extension_days == NEVER
    assert (plain.first_day, plain.last_day) == (1, 365)


def test_orders():
    gate, share, excess, retention, first_loss = range(5)
    assert steps_of("percent_first") == [gate, share, excess, first_loss, -1, -1]
    assert steps_of("deductible_first") == steps_of("excess_of_loss") == [gate, excess, first_loss, share, -1, -1]
    assert steps_of("minimum_retention") == [gate, share, retention, excess, first_loss, -1]
    assert steps_of(("aggregate_first_loss", "insured_percentage", "maximum_liability"))[:3] == [first_loss, share, -1]


def test_percentages_of_limits_and_countries():
    """The country's takes the policy's place; of a country's and a discretionary limit's the lower one counts; a peril
    that is left out stays out."""
    portfolio = ledger(country=["DE", "TR", "TR", "TR"], limits=[1.0, 1.0, np.nan, np.nan], rating=["A", "", "A", ""])
    turkey = {"TR": {"insured_percentage": "70 %", "waiting_period": "1 year"}}
    policy = whole_turnover(
        insured_percentage={"transfer": 0}, countries=turkey,
        discretionary_limit="9 k", discretionary_percentage="60 %", discretionary_needs="rating", blind_limit="2 k",
        blind_percentage="80 %", waiting_clock="notice", notification={"after": "30 days"},
    )  # fmt: skip
    plan = build(policy, portfolio=portfolio)
    assert plan.cover[0]["percentage"][:, 0].tolist() == [0.9, 0.7, 0.6, 0.7]
    assert plan.cover[0]["percentage"][:, 2].tolist() == [0, 0, 0, 0]
    assert plan.cover[0]["expiry_days"][:, 0].tolist() == [210, 395, 395, 395]
    assert plan.segment["limit"].tolist() == [1, 1, 9_000, 2_000]


def test_who_is_insured():
    portfolio = ledger(
        limits=[1.0] * 4, buyer_type=["company", "public", "company", "company"], country=["DE", "DE", "TR", "DE"]
    )
    closed = whole_turnover(countries={"TR": {"covered": False}})
    plan = build(whole_turnover(), closed, whole_turnover(excludes=[], buyers={"ids": ["A", "B"]}), portfolio=portfolio)
    of_buyer = plan.eligible.reshape(3, 4, 5).any(axis=2)
    assert of_buyer.tolist() == [[True, False, True, True], [True, False, False, True], [False, True, True, False]]
    assert plan.cover["insurable"].tolist() == of_buyer.tolist()


def test_what_of_an_invoice_is_eligible():
    """Issued on days -10, 1, 100, 200 and 366, due 30 days later."""
    as_of = small_books.study().study.as_of
    from_day_100 = {"starts": as_of + dt.timedelta(days=100), "period": "4 weeks"}
    plan = build(
        whole_turnover(limits="unlimited"),
        whole_turnover(limits="unlimited", covers_open_items=False),
        whole_turnover(limits="unlimited", **from_day_100),
        whole_turnover(limits="unlimited", covers_open_items=False, **from_day_100),
        whole_turnover(limits="unlimited", covers_open_items=False, basis="losses_occurring", **from_day_100),
        whole_turnover(limits="unlimited", maximum_terms="29 days"),
        whole_turnover(limits="unlimited", waiting_period="180 days", **from_day_100 | {"period": "1 year"}),
    )
    assert plan.eligible[:, :5].astype(int).tolist() == [
        [1, 1, 1, 1, 0], [0, 1, 1, 1, 0], [1, 1, 1, 0, 0], [0, 0, 1, 0, 0], [0, 0, 1, 1, 1], [0, 0, 0, 0, 0],
        [1, 1, 1, 1, 1],
    ]  # fmt: skip
    assert plan.terms["first_day"].tolist() == [1, 1, 100, 100, 100, 1, 100]
    assert plan.terms["last_day"].tolist() == [365, 365, 127, 127, 127, 365, 464]


def test_worked_numbers_of_eligibility():
    due = np.array([-180, -179], np.int32)
    assert is_known_loss(due, np.full(2, 180), 1).tolist() == [True, False]
    days = np.array([0, 366], np.int32)
    shipments = Shipments(days, days, np.array([91, 1_000]), np.zeros(2, np.bool_), np.zeros(2, np.uint64))
    assert within_period(shipments, 1, 365, True, False).tolist() == [True, False]
    assert within_period(shipments, 1, 365, False, True).tolist() == [False, True]
    terms = Shipments(days, np.array([10, 10, -1]), np.array([100, 101, NEVER]), days > 0, np.zeros(2, np.uint64))
    assert within_terms(terms, 90).tolist() == [True, False, True]
    calendar = Calendar.of(small_books.study())  # 30 October 2026
    assert month_ends_of(np.array([-30, 0, 1, 2, 40], np.int32), calendar).tolist() == [-30, 1, 1, 31, 62]


def test_pools_of_groups_and_countries():
    portfolio = ledger(group_id=["G", "", "G", "H"], country=["DE", "TR", "TR", "FR"], limits=[3.0, 1.0, 7.0, 5.0])
    plan = build(whole_turnover(shared_limits=True, countries={"TR": {"maximum": "9 k"}}), portfolio=portfolio)
    assert plan.cover[0]["group_pool"].tolist() == [0, -1, 0, -1]
    assert plan.cover[0]["country_pool"].tolist() == [-1, 1, 1, -1]
    assert plan.cover[0]["country_maximum"].tolist() == [np.inf, 9_000, 9_000, np.inf]
    assert plan.segment["limit"].tolist() == [7, 1, 7, 5]
    assert plan.n_pools == 2


def test_turnover_is_what_is_planned_to_insurable_buyers_within_the_horizon():
    """10,000 + USD 20,000 at 0.5 + 30,000 per buyer; open items and what lies beyond the horizon are not in it."""
    plan = build(whole_turnover(), whole_turnover(limits="unlimited"), whole_turnover(currency="USD"))
    assert plan.terms["planned_turnover"].tolist() == [2 * 50_000, 4 * 50_000, 2 * 100_000]
    assert plan.cover["sold_whole"][0].tolist() == [True, False, False, True]


def test_turnover_is_net_of_tax_and_of_the_period():
    """A period of the first 150 days has shipments of 20,000 per buyer, 20 % of it tax."""
    policy = whole_turnover(limits="unlimited", period="150 days")
    plan = build(policy, policy | {"vat_covered": True}, portfolio=ledger(vat=0.2))
    assert plan.terms["planned_turnover"] == pytest.approx([4 * 16_000, 4 * 20_000])
    assert not plan.cover["sold_whole"].any()
    assert plan.terms["year_share"] == pytest.approx([150 / 364] * 2)
    assert plan.terms["adjustment_period"].tolist() == [149 // 7] * 2


def test_turnover_of_a_constant_exposure_study_is_annual_sales():
    portfolio = small_books.portfolio(BUYERS, annual_sales=[1e5, 2e5, np.nan, 0.0])
    plan = build(whole_turnover(limits="unlimited"), portfolio=portfolio, horizon="73 days")
    assert plan.terms["planned_turnover"] == pytest.approx([6e4])
    assert plan.eligible.all()
    assert not build(whole_turnover(covers_open_items=False), portfolio=portfolio).eligible.any()


def test_fees_and_top_up_are_paid_on_the_first_day():
    """Two named limits above zero... 50,000 and unlimited: 2 × 60; a top-up of once the limit, 2 % of 50,000."""
    premium = {"fees": 100, "limit_fee": 60, "tax": "10 %"}
    plan = build(
        whole_turnover(premium=premium),
        whole_turnover(premium=premium | {"tax_on_fees": False}, top_up={"rate": "2 %"}),
        whole_turnover(premium=premium, starts=small_books.study().study.as_of + dt.timedelta(days=100)),
    )
    assert plan.terms["premium_fees"] == pytest.approx([220, 1_000, 220])
    assert plan.terms["untaxed_fees"].tolist() == [0, 220, 0]
    assert plan.terms["fee_period"].tolist() == [0, 0, 98 // 7]


def test_maximum_liability_as_a_multiple():
    premium = {"rate_on_turnover": "0.2 %", "minimum": 150}
    plan = build(
        whole_turnover(maximum_liability="30 x premium", premium=premium),
        whole_turnover(maximum_liability="30 x premium", premium=premium | {"minimum": "1 k"}),
        whole_turnover(maximum_liability="40 x minimum premium", premium=premium),
        whole_turnover(maximum_liability="20 x premium paid", premium=premium),
    )
    assert plan.terms["maximum_liability"] == pytest.approx([30 * 200, 30 * 1_000, 40 * 150, 20 * 200])
    assert plan.terms["liability_multiple"].tolist() == [0, 0, 0, 20]


def test_a_short_horizon_pays_its_part_of_the_minimum_and_the_year_s_amounts_stand_in_full():
    """91 days are a quarter of 52 weeks; sales of 40,000 in them are 160,000 a year, which cost 8,000."""
    premium = {"rate_on_turnover": "5 %", "minimum": "4 k", "fees": 300, "instalments": 4}
    policy = whole_turnover(aggregate_first_loss="10 k", maximum_liability="30 x premium", premium=premium)
    floored = policy | {"premium": premium | {"minimum": "12 k"}}
    short = build(policy, floored, portfolio=ledger([0.0, 0.0, 0.0, np.inf]), horizon="91 days")
    assert short.terms["planned_turnover"].tolist() == [1e4, 1e4]  # by day 91 only the sale of day 1
    assert short.terms["premium_minimum"] == pytest.approx([1e3, 3e3])
    assert short.instalment.sum(axis=1) == pytest.approx([1e3, 3e3])
    assert short.terms["premium_fees"].tolist() == [300, 300]
    assert short.terms["aggregate_first_loss"].tolist() == [1e4, 1e4]
    assert short.terms["maximum_liability"] == pytest.approx([30 * 4e3, 30 * 12e3])
    busy = build(policy | {"premium": premium | {"minimum": "1 k"}}, portfolio=ledger([0.0, 0.0, 0.0, np.inf]),
                 horizon="91 days")  # fmt: skip
    assert busy.terms["maximum_liability"] == pytest.approx([30 * 0.05 * 4e4])
    for horizon in ("52 weeks", "53 weeks", "1 year"):
        assert build(policy, horizon=horizon).terms["premium_minimum"][0] == 4e3


def test_a_year_s_policy_on_a_longer_or_shorter_horizon():
    """Of a year that begins on day 183 a horizon of 365 days holds 183: two deposits of four, each half of what is due.

    After the period nothing is insured by way of new shipments, and the adjustment falls on its last day.
    """
    starts = small_books.study().study.as_of + dt.timedelta(days=183)
    premium = {"minimum": 3_640, "instalments": 4}
    plan = build(whole_turnover(starts=starts, period="1 year", premium=premium), whole_turnover(premium=premium))
    assert plan.terms["premium_minimum"][0] == pytest.approx(3_640 * 183 / 364)
    assert {int(t): round(v, 2) for t, v in enumerate(plan.instalment[0]) if v} == {25: 915, 38: 915}
    assert plan.terms["adjustment_period"][0] == 52
    assert not plan.instalment[1, 26:38].any()


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
    # a policy year that begins on day 100: days 99 and 190, 281; the fourth lies beyond the horizon
    later = instalments(300.0, 4, calendar, 100, 364)
    assert {int(t): v for t, v in enumerate(later) if v} == {14: 100, 27: 100, 40: 100}


def test_a_premium_on_balances_keeps_insured_receivables_apart():
    """Each invoice counts by itself: its buyer, its day, its tax of 20 %; month ends of a quarter."""
    balance = {"premium": {"base": "balance", "rate_on_balance": "0.2 %"}}
    plan = build(
        whole_turnover(buyers={"ids": ["B", "C"]}, limits="unlimited", **balance),
        whole_turnover(limits="unlimited", vat_covered=True, **balance),
        whole_turnover(limits="unlimited"),
        portfolio=ledger(vat=0.2), horizon="13 weeks",
    )  # fmt: skip
    # of each buyer 1,000 open, then 10,000, 20,000 dollars at 0.5, 30,000 and 40,000; a policy of a quarter insures
    # what is shipped by day 91
    assert plan.balance_of.tolist() == [0, 1, 0]
    assert plan.insurable_value[0].tolist() == [0] * 10 + [800, 8_000, 0, 0, 0] * 2
    assert plan.insurable_value[1].tolist() == [1_000, 10_000, 0, 0, 0] * 4
    # 30 October: month ends on days 1, 31, 62 and, beyond the quarter, 93
    assert np.flatnonzero(plan.month_ends[0]).tolist() == [0, 30 // 7, 61 // 7]
    assert len(build(whole_turnover()).insurable_value) == 0


def test_rank_follows_the_id_not_the_ledger():
    asked = small_books.study(programmes=[{"name": "P", "type": "none"}])
    portfolio = small_books.portfolio(["b", "a", "10", "9"])
    plan = build_policies(asked, portfolio, Calendar.of(asked), np.ones(1))
    assert plan.buyer_rank.tolist() == [3, 2, 0, 1]


def test_limits_that_an_insurer_can_change():
    plan = build(whole_turnover(discretionary_limit="9 k"), whole_turnover(limits="unlimited"), {"type": "none"},
                 whole_turnover(currency="USD"))  # fmt: skip
    nan = np.nan
    expected = [[50_000, nan, nan, np.inf], [nan] * 4, [nan] * 4, [50_000, nan, nan, np.inf]]
    np.testing.assert_array_equal(changeable_limits(plan), expected)


def test_an_insurers_rating_gives_its_probability():
    plan = build(whole_turnover(insurer={"rating": "B"}), whole_turnover(insurer={}), whole_turnover())
    assert plan.terms["insurer_intensity"] == pytest.approx([-np.log(1 - 0.0293), -np.log(1 - 0.0002), 0], abs=1e-6)
    with pytest.raises(InputError, match="no such rating"):
        build(whole_turnover(insurer={"rating": "Z9"}))
