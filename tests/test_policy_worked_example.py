"""The worked example of docs/MODEL.md §15 to the cent: value added tax, a cancelled limit, every wording.

Weeks of the example are weeks here. The shipment's exchange rate is 1.10 throughout the policy's reckoning, except
where a test says so.
"""

import numpy as np
import pytest

from simulator.policy.apply import apply_policies
from simulator.policy.limits import ALWAYS
from simulator.treasury.run import run_treasury
from tests.policy_cases import WEEK, Debt, arrays, clock, constant_rates, gaps, plan, settle, terms, waterfall
from tests.test_treasury_cash import flows
from tests.test_treasury_cash import plan as cash_plan

A, B, C = 0, 1, 2
HORIZON = 56 * WEEK


def week(t):
    return t * WEEK


DEBTS = [
    Debt(A, 60_000, issue=0, due=week(8), insolvent=week(10), lost=week(10), recovery=0.1, vat=10_000, open_item=True),
    Debt(A, 60_000, issue=week(4), due=week(12), insolvent=week(10), lost=week(10), recovery=0.1, vat=10_000),
    # B pays 22,000 of its first invoice in week 20; the rest becomes a protracted default in week 36
    Debt(B, 22_000, issue=week(2), due=week(10), paid=week(20), currency=1, protracted=True),
    Debt(B, 88_000, issue=week(2), due=week(10), lost=week(14), recovery=0.1, currency=1, protracted=True),
    Debt(B, 22_000, issue=week(7), due=week(15), lost=week(14), recovery=0.1, currency=1),
    Debt(C, 12_000, issue=week(9), due=week(13), insolvent=week(15), lost=week(15)),
]
POLICY = {
    "percentage": 0.9,
    "percentage_by_buyer": [np.nan, np.nan, 0.8],  # C is under the discretionary limit
    "limit": [90_000, [(ALWAYS, 150_000), (week(6) + 1, 0)], 20_000],
    "named": [True, True, False],
    "non_qualifying_loss": 5_000,
    "each_and_every_first_loss": 1_000,
    "aggregate_first_loss": 20_000,
    "maximum_liability": 40 * 3_200,
    "waiting_days": week(26),
    "settlement_days": week(4),
    "premium_rate": 0.005,
    "premium_minimum": 3_200,
    "premium_tax": 0.1,
    "untaxed_fees": 120,
    "planned_turnover": 220_000,
    "instalment": [800.0 if t in (0, 12, 25, 38) else 0.0 for t in range(56)],
}
RATES = constant_rates(1, (1.0, 1 / 1.1), 56)
W2 = {"order": "deductible_first"}
W3 = {"order": "minimum_retention", "minimum_retention": 10_000, "each_and_every_first_loss": 0}
XOL = {"order": "excess_of_loss", "aggregate_first_loss": 50_000, "each_and_every_first_loss": 0}
UNCAPPED = {"maximum_liability": np.inf}


def pays(debts=DEBTS, rates=RATES, **changes):
    rows = settle([POLICY | changes], [debts], n_buyers=3, rates=rates, when=clock(HORIZON), recovery_lag=week(40))
    return rows, rows.indemnity_gross[0, 0]


@pytest.mark.parametrize(
    ("changes", "total"),
    [
        ({}, 128_000), (UNCAPPED, 139_600), (W2, 128_000), (W2 | UNCAPPED, 142_000), (W3, 128_000),
        (W3 | UNCAPPED, 132_000), (XOL, 117_600), (XOL | {"eroded_ground_up": True}, 117_600),
    ],
)  # fmt: skip
def test_totals_of_the_wordings(changes, total):
    assert pays(**changes)[1] == pytest.approx(total, abs=0.005)


@pytest.mark.parametrize(
    ("changes", "a", "c", "b"),
    [
        ({}, 60_000, 8_600, 59_400),
        (W2, 62_100, 8_800, 57_100),
        (W3, 60_000, 2_000, 66_000),
        (XOL, 36_000, 9_600, 72_000),
    ],
)
def test_claims_are_paid_in_their_week(changes, a, c, b):
    """Insolvency settles after four weeks; the protracted default after 26 weeks of waiting and four more."""
    book, events = arrays([[debt._replace(recovery=0.0) for debt in DEBTS]])
    built = plan([POLICY | changes], 3, book, 56)
    rows = apply_policies(built, book, clock(HORIZON), events, RATES)
    paid = {t + 1: v for t, v in enumerate(rows.claim_cash[0, 0]) if v}
    assert paid == pytest.approx({14: a, 19: c, 40: b}, abs=0.005)


def test_a_non_qualifying_loss_deducted_after_the_percentage():
    """A's claim after the third step is 76,000 instead of 81,000; each-and-every and first loss leave 55,000."""
    order = ("insured_percentage", "non_qualifying_loss", "each_and_every_first_loss", "aggregate_first_loss")
    only_a = [debt for debt in DEBTS if debt.buyer == A]
    assert pays(only_a, order=order, non_qualifying_deducted=True)[1] == pytest.approx(76_000 - 1_000 - 20_000)


def test_where_cover_is_lost():
    """Debt 232,000 with its tax; the example's gap attribution."""
    rows, _ = pays()
    assert gaps(rows) == pytest.approx(
        waterfall(
            debt=232_000, vat=20_000, limit_cancelled=20_000, over_limit=10_000, coinsurance=19_400,
            each_and_every=3_000, aggregate_first_loss=20_000, maximum_liability=11_600, indemnity=128_000,
        ),
        abs=0.005,
    )  # fmt: skip


def test_the_insurers_share_of_recoveries():
    """A's dividend in week 50: 6,000; B's recovery in week 54: 10,000 × 59,400 / 100,000 = 5,940."""
    rows, gross = pays()
    assert gross - rows.indemnity[0, 0] == pytest.approx(6_000 + 5_940, abs=0.005)
    assert rows.claim_cash[0, 0, 50 - 1] == pytest.approx(-6_000, abs=0.005)
    assert rows.claim_cash[0, 0, 54 - 1] == pytest.approx(-5_940, abs=0.005)


@pytest.mark.parametrize(
    ("rule", "share"), [("by_indemnity", 6_000), ("by_covered_debt", 9_000), ("insurer_first", 12_000)]
)
def test_rules_that_share_a_dividend(rule, share):
    """12,000 on A's debt of 120,000, of which 90,000 are covered and 60,000 paid."""
    rows, gross = pays([debt for debt in DEBTS if debt.buyer == A], recovery_rule=rule)
    assert gross - rows.indemnity[0, 0] == pytest.approx(share)


def test_premium():
    rows, _ = pays()
    assert rows.premium[0, 0] == pytest.approx(3_200 + 320 + 120)
    assert rows.premium_cash[0, 0].sum() == pytest.approx(3_640)


def test_the_day_of_conversion():
    """At the rate of the date of loss (1.25) buyer B's covered debt is 70,400: 63,360, then 62,360; at that of the
    invoice (1.10) 80,000: 72,000, then 71,000, and the debt was worth 88,000 instead of 100,000."""
    rates = np.ones((1, 2, 57))
    rates[0, 1, :10], rates[0, 1, 10:] = 1 / 1.1, 1 / 1.25
    b = [debt for debt in DEBTS if debt.buyer == B]
    free = {"aggregate_first_loss": 0, **UNCAPPED}
    assert pays(b, rates, **free)[1] == pytest.approx(62_360, abs=0.005)
    rows, gross = pays(b, rates, conversion="invoice_date", **free)
    assert gross == pytest.approx(71_000, abs=0.005)
    assert gaps(rows)["debt"] == pytest.approx(88_000)
    assert gaps(rows)["conversion"] == pytest.approx(-12_000)
    assert pays(b, rates, conversion="lower_of", **free)[1] == pytest.approx(62_360, abs=0.005)


def test_payments_to_the_oldest_or_to_the_newest_invoice():
    """B's 22,000 of week 20 fill the covered first invoice: 80,000 stay covered; had they been paid for the second,
    uncovered one, 100,000 would. What B paid for counts only where payments count as paid."""
    b = [
        Debt(B, 110_000, issue=week(2), due=week(10), lost=week(14), currency=1, protracted=True),
        Debt(B, 22_000, issue=week(7), due=week(15), paid=week(20), currency=1),
    ]
    free = {"each_and_every_first_loss": 0, "aggregate_first_loss": 0, "percentage": 1.0, **UNCAPPED}
    assert pays(b, **free)[1] == pytest.approx(100_000)
    rows, gross = pays(b, oldest_first=True, **free)
    assert gross == pytest.approx(80_000)
    assert gaps(rows) == pytest.approx(waterfall(debt=100_000, limit_cancelled=20_000, indemnity=80_000), abs=0.005)


UNINSURED = {
    8: 118_000, 13: 93_000, 14: 88_000, 19: 63_000, 20: 75_600, 26: 45_600, 28: 35_600, 29: 30_600, 35: 600, 36: -4_400,
    39: -19_400, 40: -24_400, 50: -62_400, 52: -72_400, 54: -72_400, 56: -82_400,
}  # fmt: skip
INSURED = {
    8: 117_000, 13: 91_120, 14: 146_120, 19: 129_720, 20: 142_320, 26: 111_440, 28: 101_440, 29: 96_440, 35: 66_440,
    36: 61_440, 39: 45_560, 40: 99_960, 50: 55_960, 52: 45_960, 54: 40_020, 56: 30_020,
}  # fmt: skip


def test_cash_paths_week_by_week():
    """Both columns of the example; its payments at the end of a week fall into that week's period."""
    policy, _ = pays()
    both = policy._replace(
        claim_cash=np.concatenate([np.zeros((1, 1, 56)), policy.claim_cash], axis=1),
        premium_cash=np.concatenate([np.zeros((1, 1, 56)), policy.premium_cash], axis=1),
    )
    ledger = flows(1, 56)
    for t, amount in ((8, 8_000), (20, 22_000 / 1.25)):
        ledger.collections[0, t - 1] = amount
    for t, amount in ((50, 12_000), (54, 11_000 / 1.1)):
        ledger.recoveries[0, t - 1] = amount
    cash = cash_plan(56, 2, opening_cash=150_000.0, minimum_cash=32_500.0, outflow=np.full(56, 5_000.0))
    rows = run_treasury(cash, ledger, np.zeros((1, 56)), both)
    for p, path in enumerate((UNINSURED, INSURED)):
        assert {t: rows.cash[0, p, t - 1] for t in path} == pytest.approx(path, abs=0.005)
    assert rows.minimum_cash[0] == pytest.approx([-82_400, 30_020], abs=0.005)
    assert rows.first_shortfall_period[0].tolist() == [29 - 1, 56 - 1]
    assert rows.shortfall_amount[0] == pytest.approx([114_900, 2_480], abs=0.005)
    assert (rows.cash[0] < 32_500).sum(axis=1).tolist() == [28, 1]
    assert (rows.cash[0, 0] < 0).sum() == 21


def test_no_cover_at_all_is_the_uninsured_path():
    rows = settle([terms(0.0)], [DEBTS], rates=RATES, when=clock(HORIZON))
    assert not rows.claim_cash.any()
    assert gaps(rows)["debt"] == gaps(rows)["not_covered"] > 0
