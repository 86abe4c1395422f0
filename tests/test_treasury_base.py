"""The borrowing base: which receivables a bank counts week by week, and what it lends on them."""

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from simulator.jit import NEVER
from simulator.losses import balance_formulas as f
from simulator.losses.balance_kernels import note_balances
from simulator.losses.balances import allocate_balances, balance_bytes, no_balances, prepare
from simulator.losses.plan import Book
from simulator.policy.plan import build_policies
from simulator.study.calendar import Calendar
from simulator.treasury import formulas as money
from simulator.treasury.base import BasePlan, build_base, most_over
from simulator.treasury.base_kernels import lend
from simulator.treasury.run import run_treasury
from tests.balance_cases import random_views
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
        np.full(n_buyers, -1, np.int32), np.zeros(n), np.zeros(n_buyers, np.int32),
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
    """Balances of one scenario from payment days (and loss days) by invoice."""
    rows = allocate_balances(counting, 1, weeks)
    troubled = lost is not None
    for b in range(len(ledger.group)):
        mine = slice(ledger.start[b], ledger.start[b + 1])
        day = np.array([days[mine]], dtype=np.int32)
        loss = np.array([(lost if troubled else days)[mine]], dtype=np.int32)
        note_balances(0, 1, b, 0, np.array([score]), troubled, day, loss, counting, rows)
    return rows


def lent(rows, line_limit=1e9, first_loss=0.0, advance_rate=0.8, insured_advance_rate=0.9, concentration=1.0):
    """What can be drawn each week."""
    base = BasePlan(np.zeros(1, np.int32), np.array([first_loss]), advance_rate, insured_advance_rate, concentration)
    available = np.empty(rows.uninsured.shape[2])
    lend(base, rows, 0, 0, line_limit, available)
    return available.tolist()


def test_worked_numbers_of_the_docstrings():
    assert f.limit_on(150_000.0, 0.0, 42, 14) == 150_000
    assert f.limit_on(150_000.0, 0.0, 42, 42) == f.limit_on(np.inf, 0.0, 42, 49) == 0
    assert f.limit_on(np.inf, 0.5, 42, 49) == np.inf
    assert f.covered_more(50_000.0, 50_000.0, 90_000.0) == 40_000
    assert f.covered_more(50_000.0, 50_000.0, 30_000.0) == 0
    assert f.is_cross_aged(6_000.0, 50_000.0, 0.1)
    assert not f.is_cross_aged(4_000.0, 50_000.0, 0.1)
    assert not f.is_cross_aged(0.0, 0.0, 0.0)
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
    assert lent(rows, line_limit=850.0) == pytest.approx([850, 320, 850, 850])
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
        note_balances(0, 1, b, regime, np.array([9.0]), False, days, days, counting, rows)
    assert rows.uninsured[0, :, 0].tolist() == [1, 1 + 2, 1 + 2]


def test_a_base_below_what_is_drawn_is_repaid_from_cash():
    """A line of 100, drawn by 90; in week 3 the base falls to 40: 50 go back, and headroom shows what is missing."""
    cash = plan(3, opening_cash=-40.0, minimum_cash=50.0, line_limit=100.0)
    counting = no_balances(1, 0, 0)
    rows = allocate_balances(counting, 1, 3)
    rows.uninsured[0, 0] = [500, 500, 50]
    base = BasePlan(np.zeros(1, np.int32), np.zeros(1), 0.8, 0.9, 1.0)
    found = run_treasury(cash, flows(1, 3), np.zeros((1, 3)), policies(1, 1, 3), base, rows)
    assert found.availability[0, 0].tolist() == [100, 100, 40]
    assert found.line[0, 0].tolist() == [90, 90, 40]
    assert found.cash[0, 0].tolist() == [50, 50, 0]
    assert found.headroom[0, 0].tolist() == [10, 10, -50]
    assert found.first_shortfall_period[0, 0] == 2


# --- plans ---

LINE = {"credit_line": {"limit": 1_000, "borrowing_base": {"home_country": "DE"}}}


def base_of(programmes, line=None, disputed=(), types=("company",) * 3):
    asked = study(
        horizon="2 weeks", programmes=programmes, portfolio={"buyers": "buyers.csv"},
        liquidity={"credit_line": LINE["credit_line"] | {"borrowing_base": {"home_country": "DE"} | (line or {})}},
    )  # fmt: skip
    buyers = [
        {"country": "DE", "credit_limit": 300.0, "buyer_type": types[0]},
        {"country": "FR", "credit_limit": 0.0, "buyer_type": types[1]},
        {"country": "", "buyer_type": types[2]},
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
    assert counting.weight.tolist() == [[1, 1, 1], [1, 1, 1]]


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
    for terms in ({}, {"n_largest": 4}, {"ages_across": True}):
        counting = no_balances(3, 10, 50)._replace(**terms)
        taken = sum(values.nbytes for values in allocate_balances(counting, 8, 52))
        assert balance_bytes(counting, 52) == taken / 8


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
    fast, slow = (allocate_balances(counting, 1, weeks) for _ in range(2))
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
        note_balances(0, 1, b, regime, np.array([score]), troubled, *arrays, counting, fast)
        twin.note_fates(0, b, regime, score, fates, counting, when, ledger, slow)
    for name in ("uninsured", "insured", "largest"):
        np.testing.assert_array_equal(getattr(fast, name), getattr(slow, name), err_msg=name)
