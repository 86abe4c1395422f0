"""The borrowing base: which receivables a bank counts week by week, and what it lends on them."""

from itertools import pairwise
from pathlib import Path

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

import simulator
from simulator.engine.model import build_model
from simulator.engine.replay import replay_scenario
from simulator.jit import NEVER
from simulator.losses import balance_formulas as f
from simulator.losses import balance_tile_kernels as tile
from simulator.losses.balance_kernels import note_balances
from simulator.losses.balances import allocate_balances, balance_bytes, no_balances, prepare
from simulator.losses.kernels import count_buyer
from simulator.losses.plan import Book
from simulator.losses.rows import allocate_scratch
from simulator.policy.plan import build_policies
from simulator.study.calendar import Calendar
from simulator.treasury import formulas as money
from simulator.treasury.base import BasePlan, build_base, most_over
from simulator.treasury.base_kernels import lend
from simulator.treasury.run import run_treasury
from tests.balance_cases import KEPT, by_scenario, plain_rows, random_views
from tests.policy_cases import WEEK, clock
from tests.small_books import study
from tests.small_ledger import make_portfolio
from tests.test_treasury_cash import flows, plan, policies
from tests.twins import losses as twin
from tests.twins import treasury as treasury_twin

EARLY = -NEVER


def book(invoices, n_buyers):
    """A book of (buyer, issue, due, value) in order of buyers."""
    buyer, issue, due, value = (np.array(column) for column in zip(*invoices, strict=True))
    n = len(value)
    return Book(
        np.searchsorted(buyer, np.arange(n_buyers + 1)).astype(np.int32), np.arange(n, dtype=np.int32),
        issue.astype(np.int32), due.astype(np.int32), np.zeros(n, np.int32), value.astype(np.float64),
        value.astype(np.float64), issue < 1, np.zeros(n, np.bool_), np.arange(n_buyers, dtype=np.uint64),
        np.full(n_buyers, -1, np.int32), np.zeros(n), np.zeros((0, n)),
    )  # fmt: skip


def one_view(ledger, weeks, **terms):
    """A view in which every invoice counts as uninsured, but for the terms given."""
    n_buyers = len(ledger.group)
    built = no_balances(1, n_buyers, len(ledger.amount))
    built.counts[:] = True
    built.value[0] = ledger.book_value
    return prepare(built._replace(**terms), ledger, clock(WEEK * weeks))


def insured(limits, changes=False, **terms):
    """Terms of a view that is insured up to these limits, which hold from the beginning."""
    n = len(limits)
    return {
        "insured": np.ones((1, n), np.bool_), "segments": np.arange(n + 1, dtype=np.int32)[None],
        "from_day": np.full(n, EARLY, np.int32), "limit": np.array(limits, dtype=np.float64),
        "changes": np.full(n, changes), **terms,
    }  # fmt: skip


def noted(counting, ledger, days, lost=None, weeks=4, score=9.0):
    """Balances of one scenario from payment days (and loss days) by invoice, as rows by scenario."""
    rows = allocate_balances(counting, 1, weeks)
    troubled = lost is not None
    for b in range(len(ledger.group)):
        mine = slice(ledger.start[b], ledger.start[b + 1])
        day = np.array([days[mine]], dtype=np.int32)
        loss = np.array([(lost if troubled else days)[mine]], dtype=np.int32)
        note_balances(0, b, 0, False, np.array([score]), troubled, day, loss, counting, rows)
    return by_scenario(rows, 1)


def lent(rows, first_loss=0.0, advance_rate=0.8, insured_advance_rate=0.9, concentration=1.0):
    """What is lent on receivables each week."""
    base = BasePlan(np.zeros(1, np.int32), np.array([first_loss]), advance_rate, insured_advance_rate, concentration)
    found = np.empty(rows.uninsured.shape[2])
    tiled = rows._replace(**{name: getattr(rows, name)[..., None] for name in KEPT})
    lend(base, tiled, 0, 0, found)
    return found.tolist()


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

TWO = book([(0, -10, 3, 1_000), (0, 5, 30, 400), (1, 1, 8, 500), (1, 15, 40, 700)], 2)


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


# --- the worked example's study, week by week ---

STUDY = Path(__file__).resolve().parent.parent / "configs" / "worked_example" / "study.yaml"
BASE = {
    "advance_rate": 0.8, "insured_advance_rate": 0.9, "home_country": "DE", "maximum_overdue": None,
    "cancelled_limits": "run_off", "within_maximum_liability": False,
}  # fmt: skip


def cash_of_example(base, line=None, opening_cash=150_000, **terms):
    """Cash rows of the uninsured programme and of "Percent first" with the bank as loss payee."""
    credit_line = {"limit": 100_000, "rate": 0.08, "borrowing_base": BASE | base} | (line or {})
    overrides = {"liquidity.credit_line": credit_line, "liquidity.opening_cash": opening_cash}
    overrides["programmes[1].loss_payee"] = True
    overrides |= {f"programmes[1].{name}": value for name, value in terms.items()}
    return replay_scenario(build_model(simulator.load_study(STUDY, overrides)), 0).block.cash


@pytest.mark.parametrize(
    ("base", "expected"),
    [
        # A 90,000 and B 100,000 at 90 %, C 12,000 at 80 %: 180,600
        ({"uninsured_rest": "ineligible"}, 0.9 * 180_600),
        ({"uninsured_rest": "ineligible", "full_cover": 0.8}, 0.9 * 202_000),
        ({"uninsured_rest": "ineligible", "full_cover": 0.0}, 0.9 * 202_000),
        # … less the first loss of 20,000
        ({"uninsured_rest": "ineligible", "insured_value": "indemnifiable"}, 0.9 * 160_600),
        # the maximum liability
        ({"uninsured_rest": "ineligible", "within_maximum_liability": True}, 0.9 * 128_000),
        ({"uninsured_rest": "ineligible", "within_maximum_liability": True, "insured_value": "indemnifiable"},
         0.9 * 128_000),
        # A owes 120,000 and C 12,000; B is abroad
        ({}, 0.9 * 180_600 + 0.8 * (39_000 + 2_400)),
        ({"full_cover": 0.8}, 0.9 * 202_000 + 0.8 * 30_000),
        ({"foreign": True}, 0.9 * 180_600 + 0.8 * (39_000 + 2_400 + 30_000)),
        # 81,000 on A, 47,000 on B, nothing left for C
        ({"within_maximum_liability": True}, 0.9 * 128_000 + 0.8 * (39_000 + 12_000)),
        # B's limit is gone
        ({"cancelled_limits": "ineligible", "full_cover": 0.8}, 0.9 * 102_000 + 0.8 * 30_000),
        ({"cancelled_limits": "ineligible", "full_cover": 0.8, "foreign": True}, 0.9 * 102_000 + 0.8 * 150_000),
    ],
)  # fmt: skip
def test_terms_of_a_base_in_week_9(base, expected):
    assert cash_of_example(base).borrowing_base[0, 1, 9 - 1] == pytest.approx(expected, abs=0.01)


FREE = {"premium": {}, "discretionary_percentage": None, "maximum_liability": 1e6}


def test_a_policy_that_insures_nothing_is_no_policy():
    """0 % and the bank as loss payee: the uninsured path to the byte, its rate of interest included."""
    line = {"insured_rate": 0.02}
    for base in ({"foreign": True}, {"concentration": 0.3, "within_maximum_liability": True, "cross_ageing": 0.2}):
        cash = cash_of_example(base, line, 20_000, insured_percentage=0, **FREE)
        assert cash.line[0, 0].max() > 0, "the line is used"
        for name in ("borrowing_base", "cash", "line", "headroom", "financing_cost"):
            found = getattr(cash, name)[0]
            assert found[1].tobytes() == found[0].tobytes(), name
    cash = cash_of_example({"foreign": True}, line, 20_000, insured_percentage=0.9, **FREE)
    assert cash.financing_cost[0, 1] < cash.financing_cost[0, 0]


@pytest.mark.parametrize("value", ["covered", "indemnifiable"])
def test_the_base_grows_with_the_insured_percentage(value):
    """From the uninsured one; little cover borrows little.

    Week 9, at home only: 80 % of 132,000 uninsured. 10 % insures 9,000 + 10,000 + 1,200, of which 10,000 abroad, and
    132,000 less 10,200 is left.
    """
    terms = {"insured_value": value}
    paths = [
        cash_of_example(terms, insured_percentage=share, aggregate_first_loss=0, **FREE).borrowing_base[0]
        for share in (0, 0.1, 0.5, 0.9, 1)
    ]
    np.testing.assert_array_equal(paths[0][1], paths[0][0])
    for less, more in pairwise(paths):
        assert (more[1] >= less[1] - 1e-9).all()
        assert more[1].max() > less[1].max() + 5_000
    assert paths[0][1, 9 - 1] == pytest.approx(0.8 * 132_000, abs=0.01)
    assert paths[1][1, 9 - 1] == pytest.approx(0.9 * 20_200 + 0.8 * 121_800, abs=0.01)
    assert paths[3][1, 9 - 1] == pytest.approx(0.9 * 0.9 * 202_000 + 0.8 * (132_000 - 0.9 * 102_000), abs=0.01)


# --- plans ---

LINE = {"credit_line": {"limit": 1_000, "borrowing_base": {"home_country": "DE"}}}


def base_of(programmes, line=None, disputed=(), types=("company",) * 3, groups=("",) * 3):
    asked = study(
        horizon="2 weeks", programmes=programmes, portfolio={"buyers": "buyers.csv"},
        liquidity={"credit_line": LINE["credit_line"] | {"borrowing_base": {"home_country": "DE"} | (line or {})}},
    )  # fmt: skip
    buyers = [
        {"country": "DE", "credit_limit": 300.0, "buyer_type": types[0], "group_id": groups[0]},
        {"country": "FR", "credit_limit": 0.0, "buyer_type": types[1], "group_id": groups[1]},
        {"country": "", "buyer_type": types[2], "group_id": groups[2]},
    ]
    ledger = make_portfolio(
        buyers, [(0, -5, 20, 0, 119.0, True), (1, 1, 30, 0, 100.0, False), (2, 3, 9, 0, 7.0, False)]
    )
    for values, kind in ((ledger.buyers.buyer_type, types),):
        values[:] = kind
    ledger.invoices.disputed[list(disputed)] = True
    items = book([(0, -5, 20, 119.0), (1, 1, 30, 100.0), (2, 3, 9, 7.0)], 3)
    items.disputed[list(disputed)] = True
    items.vat[0] = 19.0
    when = Calendar.of(asked)
    return build_base(asked, ledger, when, items, build_policies(asked, ledger, when, np.ones(1)))


NONE = {"name": "None", "type": "none"}
COVER = {"name": "Cover", "type": "whole_turnover", "discretionary_limit": 50, "aggregate_first_loss": 40}


def test_programmes_share_a_view_but_for_a_loss_payee():
    plain = COVER | {"name": "Plain"}
    counting, base = base_of([NONE, COVER | {"loss_payee": True}, plain])
    assert base.of_programme.tolist() == [0, 1, 0]
    assert counting.insured.tolist() == [[False] * 3, [True, False, True]]
    assert counting.counts.tolist() == [[True, False, True], [True, False, True]]
    assert counting.value.tolist() == [[119, 100, 7], [100, 100, 7]], "insured without value added tax"
    limits = counting.segments[1]
    assert counting.segments[0].tolist() == [0, 0, 0, 0]
    assert np.diff(limits).tolist() == [1, 1, 1]
    assert counting.limit[limits[:3]].tolist() == [300, 0, 50]
    assert counting.changes[limits[:3]].tolist() == [True, True, False], "only named limits change"
    assert base.first_loss.tolist() == [0, 0]
    assert counting.weight.tolist() == [[1, 1, 1], [0.9, 1, 0.9]]
    assert counting.rest.tolist() == [[False] * 3, [True, False, True]]
    assert counting.uninsured_value.tolist() == [[119, 100, 7]] * 2
    assert counting.liability.tolist() == [np.inf, np.inf]
    assert (counting.group_pool == -1).all()
    assert (counting.country_pool == -1).all()
    assert counting.n_pools == 0


@pytest.mark.parametrize(
    ("terms", "line", "weight"),
    [
        ({"insured_percentage": 0.1}, {}, [0.1, 0.1]),
        ({"insured_percentage": 0.1}, {"insured_value": "indemnifiable", "full_cover": 0.05}, [0.1, 0.1]),
        ({"discretionary_percentage": 0.4}, {"full_cover": 0.8}, [1, 0.5]),
        ({"insured_percentage": {"insolvency": 0.9, "protracted_default": 0.6}}, {}, [0.6, 0.6]),
        ({"countries": {"DE": {"insured_percentage": 0.7}}}, {}, [0.7, 0.9]),
    ],
)
def test_weight_is_the_insured_percentage_a_bank_can_count_on(terms, line, weight):
    counting, _ = base_of([COVER | {"loss_payee": True} | terms], line)
    assert counting.insured.tolist() == [[True, False, True]]
    assert counting.weight[0, [0, 2]].tolist() == pytest.approx(weight)


def test_who_is_not_insured_counts_as_uninsured():
    for terms in (
        {"insured_percentage": 0, "discretionary_percentage": 0},
        {"insured_percentage": {"insolvency": 0.9, "protracted_default": 0}},
        {"buyers": {"ids": ["B1"]}},  # its limit is zero
    ):
        counting, base = base_of([NONE, COVER | {"loss_payee": True} | terms])
        assert base.of_programme.tolist() == [0, 0]
        assert counting.insured.tolist() == [[False] * 3]


def test_limits_that_are_shared():
    """The group's largest limit, a country's maximum and the maximum liability, first loss not yet taken off."""
    policy = COVER | {"loss_payee": True, "shared_limits": True, "maximum_liability": 400,
                      "countries": {"DE": {"maximum": 250}}}  # fmt: skip
    counting, _ = base_of([NONE, policy], {"insured_value": "indemnifiable"}, groups=("G", "", "G"))
    assert counting.group_pool.tolist() == [[-1] * 3, [1, -1, 1]]
    assert counting.limit[counting.segments[1, [0, 2]]].tolist() == [300, 300]
    assert counting.country_pool.tolist() == [[-1] * 3, [2, -1, -1]]
    assert counting.country_maximum[1, 0] == 250
    assert counting.liability.tolist() == [np.inf, 440]
    assert counting.n_pools == 3
    counting, _ = base_of([policy | {"shared_limits": False, "countries": {}}], {"within_maximum_liability": False})
    assert (counting.liability.tolist(), counting.n_pools) == ([np.inf], 0)
    counting, _ = base_of([policy], {"uninsured_rest": "ineligible"})
    assert not counting.rest.any()
    assert counting.liability.tolist() == [400]


def test_what_a_bank_counts():
    counting, _ = base_of([NONE], {"foreign": True})
    assert counting.counts.tolist() == [[True, True, True]]
    counting, _ = base_of([NONE], types=("company", "company", "related"))
    assert counting.counts.tolist() == [[True, False, False]], "never debts of related companies"
    counting, _ = base_of([NONE], disputed=[0])
    assert counting.value.tolist() == [[0, 100, 7]]
    counting, _ = base_of([NONE], {"disputed": True}, disputed=[0])
    assert counting.value.tolist() == [[119, 100, 7]]


def test_terms_of_the_base():
    counting, base = base_of(
        [COVER | {"loss_payee": True, "vat_covered": True, "insured_percentage": "90 %",
                  "discretionary_percentage": 0.8,
                  "limit_changes": {"annual_probability": 0.05, "to": 0.5, "notice": 14}}],
        {"insured_value": "indemnifiable", "maximum_overdue": 60, "cross_ageing": 0.1, "concentration": 0.25,
         "cancelled_limits": "run_off", "advance_rate": 0.7, "insured_advance_rate": 0.85},
    )  # fmt: skip
    assert base.first_loss.tolist() == [40]
    assert (base.advance_rate, base.insured_advance_rate, base.concentration) == (0.7, 0.85, 0.25)
    assert counting.weight[0, [0, 2]].tolist() == [0.9, 0.8]
    assert counting.value.tolist() == [[119, 100, 7]]
    assert counting.intensity[0] == pytest.approx(0.0512933)
    assert (counting.notice[0], counting.change_to[0]) == (14, 0.5)
    assert (counting.maximum_overdue, counting.ages_across, counting.cross_ageing) == (60, True, 0.1)
    assert (counting.run_off, counting.n_largest) == (True, 3)
    assert counting.period_end.tolist() == [7, 14]


def test_without_a_base_there_is_nothing():
    asked = study(programmes=[NONE], portfolio={"buyers": "buyers.csv"})
    counting, base = build_base(asked, None, None, None, None)
    assert len(counting.regime) == len(base.of_programme) == 0
    assert balance_bytes(counting, 52) == 0
    assert sum(values.nbytes for values in allocate_balances(counting, 1_000, 52)) == 0


def test_memory_is_counted():
    for terms in (
        {}, {"n_largest": 4}, {"ages_across": True}, {"n_pools": 5}, {"series_value": np.zeros((2, 50))},
    ):  # fmt: skip
        counting = no_balances(3, 10, 50)._replace(**terms)
        taken = sum(values.nbytes for values in allocate_balances(counting, 8, 52))
        assert balance_bytes(counting, 52) == taken / 8
        assert sum(values.nbytes for values in allocate_balances(counting, 8, 52, 4)) <= taken


# --- twins ---

amounts = st.floats(0, 1e9)
a_day = st.one_of(st.integers(-400, 800), st.just(NEVER))


@given(amounts, amounts, amounts, st.floats(0, 1), a_day, st.integers(-400, 800))
@settings(deadline=None)
def test_formulas_equal_their_twins(x, y, z, share, day, due):
    for name, arguments in {
        "limit_on": (x, share, due, day),
        "covered_more": (x, y, z),
        "is_cross_aged": (x, y, share),
        "within_liability": (x, max(share, 0.01), y),
        "not_covered": (x, y),
    }.items():
        assert getattr(f, name)(*arguments) == getattr(twin, name)(*arguments), name
    for name, arguments in {
        "over_concentration": (x, y, share),
        "borrowing_base": (x, share, y, z, 0.9),
        "line_available": (x, y),
    }.items():
        assert getattr(money, name)(*arguments) == getattr(treasury_twin, name)(*arguments), name


def random_case(seed, weeks=9, n_buyers=6):
    rng = np.random.default_rng(seed)
    invoices = []
    for b in range(n_buyers):
        issues = np.sort(rng.integers(-60, WEEK * weeks + 1, rng.integers(1, 9)))
        invoices += [(b, d, d + rng.integers(1, 60), np.round(rng.gamma(1.0, 900.0), 2)) for d in issues]
    ledger = book(invoices, n_buyers)
    counting = random_views(rng, ledger, clock(WEEK * weeks))
    return rng, ledger, counting


@pytest.mark.parametrize("seed", range(30))
def test_rows_equal_their_twin(seed):
    """Week by week on random books: what is there on the last day, against sums kept by period."""
    weeks = 9
    rng, ledger, counting = random_case(seed, weeks)
    when = clock(WEEK * weeks)
    fast, slow = allocate_balances(counting, 1, weeks), plain_rows(counting, 1, weeks)
    for b in range(len(ledger.group)):
        begin, end = ledger.start[b], ledger.start[b + 1]
        regime, score = int(rng.integers(-1, 2)), float(rng.normal())
        troubled = rng.random() < 0.5
        fates, days, lost = [], [], []
        for i in range(begin, end):
            first = max(1, ledger.issue_day[i])
            fate = {"i": i, "shipped": True, "paid": int(first + rng.integers(0, 90)), "lost_on": NEVER}
            luck = rng.random() if troubled else 1.0
            if luck < 0.2 and not ledger.open_item[i]:
                fate["shipped"] = False
            elif luck < 0.5:
                fate |= {"paid": NEVER, "lost_on": int(first + rng.integers(0, 60))}
            fates.append(fate)
            days.append(fate["paid"] if fate["shipped"] else -1)
            lost.append(-1 if not fate["shipped"] else fate["lost_on"] * int(rng.choice([-1, 1])))
        arrays = (np.array([values], dtype=np.int32) for values in (days, lost))
        note_balances(0, b, regime, False, np.array([score]), troubled, *arrays, counting, fast)
        twin.note_fates(0, b, regime, score, fates, counting, when, ledger, slow)
    fast = by_scenario(fast, 1)
    for name in KEPT:
        np.testing.assert_array_equal(getattr(fast, name), getattr(slow, name), err_msg=name)


@pytest.mark.parametrize("seed", range(12))
def test_scenarios_side_by_side_equal_each_alone(seed):
    """Random books, eight scenarios of which some are none of the tile's: aged, changed and moving limits included."""
    weeks, n = 9, 8
    rng, ledger, counting = random_case(seed, weeks, n_buyers=20)
    counting = prepare(
        counting._replace(
            segments=np.tile(np.arange(21, dtype=np.int32), (3, 1)), limit=rng.choice([900.0, 3_000.0, np.inf], 20),
            from_day=np.where(rng.random(20) < 0.8, EARLY, 20).astype(np.int32), changes=rng.random(20) < 0.5,
            liability=np.array([3_000.0, 6_000.0, np.inf]), insured=rng.random((3, 20)) < 0.8,
        ), ledger, clock(WEEK * weeks),
    )  # fmt: skip
    longest = int(np.diff(ledger.start).max())
    together, alone = allocate_balances(counting, n, weeks, n), allocate_balances(counting, n, weeks)
    scratch = allocate_scratch(n, longest, 0)
    quiet = 0
    for b in range(len(ledger.group)):
        begin, end = ledger.start[b], ledger.start[b + 1]
        issue = np.maximum(1, ledger.issue_day[begin:end, None])
        days = (issue + rng.integers(0, 90, (end - begin, n))).astype(np.int32)
        scratch.score[:] = rng.normal(size=n)
        part = (rng.random(n) < 0.8).astype(np.float64)
        together_noted(ledger, b, days, part, scratch, counting, together)
        quiet += together.quiet.sum()
        for s in np.flatnonzero(part):
            scratch.paid[s, : end - begin] = days[:, s]
            note_balances(
                s, b, -1, False, scratch.score, False, scratch.paid, scratch.lost, counting, alone
            )  # fmt: skip
    assert quiet > 0
    side_by_side, each = by_scenario(together, n), by_scenario(alone, n)
    for name in KEPT:
        assert getattr(side_by_side, name).tobytes() == getattr(each, name).tobytes(), name


def together_noted(ledger, b, days, part, scratch, counting, rows):
    """Note a buyer in a tile of scenarios, as the loop over its invoices does."""
    n = len(part)
    tile.prepare_counting(0, n, b, counting, rows)
    for i in range(ledger.start[b], ledger.start[b + 1]):
        until = np.minimum(days[i - ledger.start[b]], len(counting.period_of_day) - 1)
        period = counting.period_of_day[until]
        if counting.ages_across:
            tile.note_age(n, counting.old[i], period, rows.aged[0])
        tile.no_longer_counts(n, counting.first[i], counting.old[i], period)
        for k in range(counting.n_series[b]):
            rows.arrived[0, k, counting.first[i]] += counting.series_value[k, i]
            tile.let_go(n, counting.series_value[k, i], period, rows.balance[0, k])
    count_buyer(0, 0, n, b, days, part, ledger, scratch, counting, rows)


def test_views_share_what_they_see_alike():
    """Buyer 0 is seen at two values by three views, and for its rest at a third; buyer 1 at one by all."""
    counting = no_balances(3, 2, 4)._replace(
        value=np.array([[1_000.0, 400, 500, 700], [900, 300, 500, 700], [900, 300, 500, 700]]),
        uninsured_value=np.array([[0.0, 0, 0, 0], [1_000, 400, 500, 700], [950, 350, 500, 700]]),
        insured=np.array([[False, False], [True, True], [True, False]]), weight=np.array([[1, 1], [0.8, 0.5], [1, 1]]),
        segments=np.array([[0, 0, 0], [0, 2, 3], [3, 4, 4]], np.int32), limit=np.full(4, 1e6),
        from_day=np.array([EARLY, 5, EARLY, EARLY], np.int32), changes=np.array([False, True, False, True]),
        intensity=np.array([0.0, 0.0, np.inf]), rest=np.array([[False, False], [True, True], [True, False]]),
    )  # fmt: skip
    counting.counts[:] = True
    counting = prepare(counting, TWO, clock(WEEK * 4))
    assert counting.n_series.tolist() == [3, 1]
    assert counting.series_value[:, :2].tolist() == [[1_000, 400], [900, 300], [950, 350]]
    assert counting.series_value[0, 2:].tolist() == [500, 700]
    assert counting.of_value.tolist() == [[0, 0], [1, 0], [1, 0]]
    assert counting.of_rest[1:, 0].tolist() == [0, 2]
    assert counting.steady.tolist() == [[True, True], [False, True], [True, True]]
    assert counting.change_score.tolist() == [np.inf, -np.inf], "at once, if a limit may change"
    assert (counting.least * 1024).tolist() == pytest.approx([0.999, 0.4995, 0.999])
