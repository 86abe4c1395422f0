"""The borrowing base by hand: which receivables a bank counts week by week, and what it lends on them."""

import numpy as np
import pytest

from simulator.jit import NEVER
from simulator.losses import balance_formulas as f
from simulator.losses.balance_kernels import note_balances
from simulator.losses.balances import allocate_balances, no_balances, prepare
from simulator.treasury import formulas as money
from simulator.treasury.base import BasePlan, most_over
from simulator.treasury.run import run_treasury
from tests.balance_cases import EARLY, TWO, book, insured, lent, noted, one_view
from tests.cash_cases import flows, plan, policies
from tests.policy_cases import WEEK, clock
from tests.twins import losses as twin


def test_worked_numbers_of_the_docstrings():
    assert f.limit_on(150_000.0, 0.0, 42, 14) == 150_000
    assert f.limit_on(150_000.0, 0.0, 42, 42) == f.limit_on(np.inf, 0.0, 42, 49) == 0
    assert f.limit_on(np.inf, 0.5, 42, 49) == np.inf
    assert f.covered_more(50_000.0, 50_000.0, 90_000.0) == 40_000
    assert f.covered_more(50_000.0, 50_000.0, 30_000.0) == 0
    assert f.is_cross_aged(6_000.0, 50_000.0, 0.1)
    assert not f.is_cross_aged(4_000.0, 50_000.0, 0.1)
    assert not f.is_cross_aged(0.0, 0.0, 0.0)
    assert f.within_liability(100_000.0, 0.9, 45_000.0) == pytest.approx(50_000, abs=0.001)
    assert f.within_liability(100_000.0, 0.9, 120_000.0) == 100_000
    assert f.not_covered(119_000.0, 90_000.0) == 29_000
    assert f.not_covered(119_000.0, 81_000.0) == 38_000
    assert f.not_covered(90_000.0, 119_000.0) == 0
    assert money.over_concentration(120_000.0, 132_000.0, 0.5) == 54_000
    assert money.borrowing_base(78_000.0, 0.8, 0.0, 0.0, 0.9) == pytest.approx(62_400)
    assert money.borrowing_base(0.0, 0.8, 202_000.0, 0.0, 0.9) == pytest.approx(181_800)
    assert money.borrowing_base(0.0, 0.8, 180_600.0, 20_000.0, 1.0) == pytest.approx(160_600)
    assert money.borrowing_base(0.0, 0.8, 10_000.0, 20_000.0, 1.0) == 0
    assert money.line_available(100_000.0, 62_400.0) == 62_400


# --- the worked example: buyers A (at home), B (abroad, limit cancelled in week 6) and C, at the end of week 9 ---

A, B, C = range(3)
EXAMPLE = book(
    [
        (A, 0, 8 * WEEK, 60_000), (A, 4 * WEEK, 12 * WEEK, 60_000),
        (B, 2 * WEEK, 10 * WEEK, 100_000), (B, 7 * WEEK, 15 * WEEK, 20_000),
        (C, 1 * WEEK, 5 * WEEK, 8_000), (C, 9 * WEEK, 13 * WEEK, 12_000),
    ],
    3,
)  # fmt: skip
PAID = [NEVER, NEVER, NEVER, NEVER, 8 * WEEK, NEVER]
NET = np.array([[50_000.0, 50_000, 100_000, 20_000, 8_000, 12_000]])  # A's invoices hold 10,000 of VAT each
#: Named limits of A and B, a discretionary one of C; B's is cancelled on the last day of week 6.
LIMITS = {
    "insured": np.ones((1, 3), np.bool_), "value": NET, "segments": np.array([[0, 1, 3, 4]], np.int32),
    "from_day": np.array([EARLY, EARLY, 6 * WEEK, EARLY], np.int32),
    "limit": np.array([90_000.0, 150_000, 0, 20_000]), "changes": np.zeros(4, np.bool_),
}  # fmt: skip


def at_week_9(base, **terms):
    counting = one_view(EXAMPLE, 10, **terms)
    return base(noted(counting, EXAMPLE, PAID, weeks=10))[9 - 1]


def test_uninsured_base_of_the_worked_example():
    """Buyers at home only, a debtor counts for at most half of 132,000: (66,000 + 12,000) · 80 %."""
    home = {"counts": np.array([[True, False, True]]), "n_largest": 1}
    assert at_week_9(lambda rows: lent(rows, concentration=0.5), **home) == pytest.approx(62_400)
    assert at_week_9(lent, **home) == pytest.approx(0.8 * 132_000), "without the cap"


def test_insured_base_of_the_worked_example():
    """A up to its limit 90,000, B's invoice shipped before the cancellation 100,000, C 12,000: 202,000 · 90 %."""
    assert at_week_9(lent, run_off=True, **LIMITS) == pytest.approx(181_800)


def test_prudent_base_of_the_worked_example():
    """Insured percentages 90, 90 and 80 %, less the aggregate first loss of 20,000, lent in full."""
    prudent = {"run_off": True, "weight": np.array([[0.9, 0.9, 0.8]]), **LIMITS}
    found = at_week_9(lambda rows: lent(rows, first_loss=20_000.0, insured_advance_rate=1.0), **prudent)
    assert found == pytest.approx(160_600)


def test_a_cancelled_limit_takes_the_base_with_it():
    """As banks do by default: from the cancellation on nothing of B's debt counts, (90,000 + 12,000) · 90 %."""
    assert at_week_9(lent, **LIMITS) == pytest.approx(91_800)
    weekly = lent(noted(one_view(EXAMPLE, 10, **LIMITS), EXAMPLE, PAID, weeks=10))
    # A's first invoice, + C1 8,000, + B1, + A2 up to the limit; week 6: B is gone; week 8: C1 is paid; week 9: C2
    expected = [58_000, 158_000, 158_000, 198_000, 198_000, 98_000, 98_000, 90_000, 102_000, 102_000]
    assert weekly == pytest.approx([0.9 * value for value in expected])


# --- rules by hand ---


def test_two_buyers_over_four_weeks():
    """Week ends on days 7, 14, 21 and 28; paid on days 12 and 60, 16 and 70; nothing overdue for more than 5 days.

    Buyer 0: 1,000 due on day 3 counts until day 8, 400 from day 5; buyer 1: 500 due on day 8 until day 13, 700 from 15.
    """
    days = [12, 60, 16, 70]
    counting = one_view(TWO, 4, maximum_overdue=5)
    rows = noted(counting, TWO, days)
    assert rows.uninsured[0, 0].tolist() == [1_000 + 400 + 500, 400, 400 + 700, 400 + 700]
    assert lent(rows) == pytest.approx([1_520, 320, 880, 880])
    rows = noted(one_view(TWO, 4), TWO, days)
    assert rows.uninsured[0, 0].tolist() == [1_900, 900, 1_100, 1_100], "blank: all count until they are paid"


def test_cross_ageing():
    """Buyer 1: 500 of 1,200 (42 %) overdue too long from week 3; at a quarter all of it goes, at a half it stays."""
    days, maximum = [12, 60, 70, 70], {"maximum_overdue": 5, "ages_across": True}
    rows = noted(one_view(TWO, 4, cross_ageing=0.25, **maximum), TWO, days)
    # week 2: buyer 1's only debt is overdue, 100 % of it
    assert rows.uninsured[0, 0].tolist() == [1_900, 400, 400, 400]
    rows = noted(one_view(TWO, 4, cross_ageing=0.5, **maximum), TWO, days)
    assert rows.uninsured[0, 0].tolist() == [1_900, 400, 1_100, 1_100]


def test_concentration_cuts_every_large_buyer_but_no_insured_one():
    three = book([(0, 1, 50, 600), (1, 1, 50, 300), (2, 1, 50, 100)], 3)
    counting = one_view(three, 1, n_largest=most_over(0.2, 3))
    rows = noted(counting, three, [60] * 3, weeks=1)
    assert rows.largest[0, 0, 0].tolist() == [600, 300, 100]
    assert lent(rows, concentration=0.2) == pytest.approx([0.8 * (200 + 200 + 100)])
    some = insured([np.inf] * 3) | {"insured": np.array([[True, False, False]])}
    rows = noted(one_view(three, 1, n_largest=most_over(0.2, 3), **some), three, [60] * 3, weeks=1)
    assert lent(rows, concentration=0.2) == pytest.approx([0.8 * (200 + 100) + 0.9 * 600])


def test_most_buyers_over_a_share():
    assert [most_over(share, 600) for share in (1.0, 0.5, 0.3, 0.2, 0.1, 0.0)] == [0, 1, 3, 4, 9, 600]
    assert most_over(0.01, 50) == 50


def test_lost_and_withheld_invoices_do_not_count():
    """Buyer 0 fails on day 10; the invoice of day 15 to buyer 1 is not shipped."""
    days, lost = [NEVER, NEVER, 16, -1], [10, 10, NEVER, -1]
    rows = noted(one_view(TWO, 4), TWO, days, lost)
    assert rows.uninsured[0, 0].tolist() == [1_900, 500, 0, 0]
    days, lost = [NEVER, NEVER, 16, -1], [-10, 25, NEVER, -1]  # a protracted default keeps its mark: negative
    rows = noted(one_view(TWO, 4), TWO, days, lost)
    assert rows.uninsured[0, 0].tolist() == [1_900, 900, 400, 0]


@pytest.mark.parametrize(
    ("to", "run_off", "expected"),
    [
        # announced on day 10, held from day 14: the invoice of day 15 finds the limit cut to 0 or 600
        (0.0, True, [1_000, 1_000, 1_000, 1_000]),
        (0.0, False, [1_000, 0, 0, 0]),
        (0.6, True, [1_000, 1_000, 1_000, 1_000]),
        (0.6, False, [1_000, 600, 600, 600]),
        (1.0, False, [1_000, 1_000, 1_000, 1_000]),
    ],
)
def test_a_limit_change_of_the_score(to, run_off, expected):
    """Limits of 1,000; buyer 0 owes 1,400 and its limit changes, buyer 1 has no limit to change and is left out."""
    terms = insured([1_000.0, 0.0], changes=True, change_to=np.array([to]), notice=np.array([4], np.int32))
    counting = one_view(TWO, 4, run_off=run_off, intensity=np.array([1.0]), **terms)
    score = -1.9246  # Φ = 0.02714, so 365·0.02751 = 10.04 years of days: within (10, 11]
    assert twin.limit_change_day(score, 1.0, 28) == 11
    score = -1.93
    assert twin.limit_change_day(score, 1.0, 28) == 10
    rows = noted(counting, TWO, [70, 70, 70, 70], score=score)
    assert rows.insured[0, 0].tolist() == expected
    rows = noted(counting, TWO, [70, 70, 70, 70], score=9.0)
    assert rows.insured[0, 0].tolist() == [1_000] * 4


def test_a_view_takes_the_buyers_of_its_regime_or_of_all():
    counting = no_balances(3, 2, 4)._replace(regime=np.array([0, 1, 1], np.int32), value=np.ones((3, 4)))
    counting.counts[:] = True
    counting = prepare(counting, TWO, clock(7))
    rows = allocate_balances(counting, 1, 1)
    days = np.full((1, 4), 90, np.int32)
    for b, regime in ((0, 1), (1, -1)):
        note_balances(0, b, regime, False, np.array([9.0]), False, days, days, counting, rows)
    assert rows.uninsured[0, :, 0, 0].tolist() == [1, 1 + 2, 1 + 2]


def test_a_base_below_what_is_drawn_is_repaid_from_cash():
    """A line of 100, drawn by 90; in week 3 the base falls to 40: 50 go back, and headroom shows what is missing."""
    cash = plan(3, opening_cash=-40.0, minimum_cash=50.0, line_limit=100.0)
    counting = no_balances(1, 0, 0)
    rows = allocate_balances(counting, 1, 3)
    rows.uninsured[0, 0, :, 0] = [500, 500, 50]
    base = BasePlan(np.zeros(1, np.int32), np.zeros(1), 0.8, 0.9, 1.0)
    found = run_treasury(cash, flows(1, 3), np.zeros((1, 3)), policies(1, 1, 3), base, rows)
    assert found.borrowing_base[0, 0].tolist() == [400, 400, 40], "whatever the limit"
    assert found.line[0, 0].tolist() == [90, 90, 40]
    assert found.cash[0, 0].tolist() == [50, 50, 0]
    assert found.headroom[0, 0].tolist() == [10, 10, -50]
    assert found.first_shortfall_period[0, 0] == 2


# --- what counts as insured: limits that are shared, the maximum liability, and the rest ---

THREE = book([(0, 1, 50, 100), (1, 1, 50, 100), (2, 1, 50, 100)], 3)
#: A group's limit of 150 on buyers 0 and 1, a country's 120 on 1 and 2.
SHARED = {
    "group_pool": np.array([[1, 1, -1]], np.int32), "country_pool": np.array([[-1, 2, 2]], np.int32),
    "country_maximum": np.array([[np.inf, 120, 120]]), "n_pools": 3,
}  # fmt: skip


def counted(ledger=THREE, limits=(150.0, 150.0, np.inf), **terms):
    """What counts as insured, and as uninsured, of debts that are open at the end of one week."""
    terms = insured(list(limits)) | {"uninsured_value": ledger.book_value[None]} | terms
    rows = noted(one_view(ledger, 1, **terms), ledger, [60] * len(ledger.amount), weeks=1)
    return rows.insured[0, 0, 0], rows.uninsured[0, 0, 0]


def test_shared_limits_bound_what_counts_in_the_order_of_the_ledger():
    """Buyer 0 takes 100 of the group's 150; buyer 1 the other 50, and 50 of the country's 120; buyer 2 the last 70."""
    assert counted() == (300, 0)
    assert counted(**SHARED) == (100 + 50 + 70, 0)
    assert counted(rest=np.ones((1, 3), np.bool_), **SHARED) == (220, 50 + 30)
    last_first = {name: values[:, ::-1].copy() for name, values in SHARED.items() if name != "n_pools"}
    # buyers 2 and 1 in one group, 1 and 0 in one country: 0 takes 100, 1 the last 20 of the country, 2 its own 100
    assert counted(limits=(np.inf, 150.0, 150.0), **last_first, n_pools=3) == (100 + 20 + 100, 0)


def test_the_maximum_liability_bounds_all_that_counts():
    """At 90 % a liability of 180: 90 on buyer 0, 45 on buyer 1 (50 of the group), 45 are left: 50 on buyer 2."""
    bounded = SHARED | {"weight": np.full((1, 3), 0.9), "liability": np.array([180.0]), "rest": np.ones((1, 3), bool)}
    found = counted(**bounded)
    assert found == pytest.approx((180, 10 + 55 + 55), abs=0.01)
    assert found[0] <= 180
    assert counted(**bounded | {"liability": np.array([198.0])})[0] == pytest.approx(0.9 * 220, abs=0.01)


def test_what_is_taken_lasts_for_a_period_only():
    """Buyer 0's debt is paid on day 9: buyer 1, behind it in the ledger, then has the group's limit of 150."""
    two = book([(0, 1, 50, 100), (1, 1, 50, 100)], 2)
    terms = insured([150.0, 150.0]) | {"group_pool": np.array([[1, 1]], np.int32), "n_pools": 2}
    assert noted(one_view(two, 2, **terms), two, [9, 60], weeks=2).insured[0, 0].tolist() == [150, 100]


@pytest.mark.parametrize("rest", [False, True])
def test_the_rest_of_an_insured_buyers_debt(rest):
    """119 owed, 100 without tax, a limit of 90, cut to 40 in week 2: 29, then 79 count as uninsured where they may.

    At a weight of one half 45 and 20 count as insured, and 74 and 99 are left.
    """
    one = book([(0, 1, 50, 119.0)], 1)
    terms = insured([90.0, 40.0]) | {
        "insured": np.ones((1, 1), np.bool_), "segments": np.array([[0, 2]], np.int32), "value": np.array([[100.0]]),
        "from_day": np.array([EARLY, 10], np.int32), "uninsured_value": np.array([[119.0]]),
        "rest": np.full((1, 1), rest),
    }  # fmt: skip
    rows = noted(one_view(one, 2, n_largest=1, **terms), one, [60], weeks=2)
    assert rows.insured[0, 0].tolist() == [90, 40]
    assert rows.uninsured[0, 0].tolist() == ([29, 79] if rest else [0, 0])
    assert rows.largest[0, 0, :, 0].tolist() == ([29, 79] if rest else [0, 0]), "cut where it is concentrated"
    rows = noted(one_view(one, 2, weight=np.full((1, 1), 0.5), **terms), one, [60], weeks=2)
    assert rows.insured[0, 0].tolist() == [45, 20]
    assert rows.uninsured[0, 0].tolist() == ([74, 99] if rest else [0, 0])
