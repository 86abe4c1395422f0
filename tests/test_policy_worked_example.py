"""The worked example of docs/MODEL.md §15, as far as the present terms express it, to the cent.

Weeks of the example are weeks here. Amounts are net of VAT, since VAT is not covered and its gap is the example's own
first step; buyer B's shipment after the cancelled limit enters as a disputed invoice, which is not covered either;
the shipment's exchange rate is 1.10 throughout the policy's reckoning.
"""

import numpy as np
import pytest

from simulator.policy.apply import apply_policies
from simulator.treasury.run import run_treasury
from tests.policy_cases import WEEK, Debt, arrays, clock, constant_rates, gaps, plan, settle, terms
from tests.test_treasury_cash import flows
from tests.test_treasury_cash import plan as cash_plan

A, B, C = 0, 1, 2
HORIZON = 56 * WEEK


def week(t):
    return t * WEEK


DEBTS = [
    Debt(A, 50_000, issue=0, due=week(8), insolvent=week(10), lost=week(10), recovery=0.1),
    Debt(A, 50_000, issue=week(4), due=week(12), insolvent=week(10), lost=week(10), recovery=0.1),
    # B pays 22,000 of its first invoice in week 20; the rest becomes a protracted default in week 36
    Debt(B, 22_000, issue=week(2), due=week(10), paid=week(20), currency=1, protracted=True),
    Debt(B, 88_000, issue=week(2), due=week(10), lost=week(14), recovery=0.1, currency=1, protracted=True),
    Debt(B, 22_000, issue=week(7), due=week(15), lost=week(14), recovery=0.1, currency=1, disputed=True),
    Debt(C, 12_000, issue=week(9), due=week(13), insolvent=week(15), lost=week(15)),
]
POLICY = {
    "percentage_insolvency": 0.9,
    "percentage_protracted": 0.9,
    "percentage_discretionary": 0.8,
    "limit": [90_000, 150_000, 20_000],
    "discretionary": [False, False, True],
    "non_qualifying_loss": 5_000,
    "each_and_every_first_loss": 1_000,
    "aggregate_first_loss": 20_000,
    "maximum_liability": 40 * 3_200,
    "waiting_days": week(26),
    "settlement_days": week(4),
    "premium_rate": 0.005,
    "premium_minimum": 3_200,
    "premium_tax": 0.1,
    "premium_fees": 120 / 1.1,  # the example's limit fees bear no tax
    "planned_turnover": 220_000,
    "instalment": [800.0 if t in (0, 12, 25, 38) else 0.0 for t in range(56)],
}
RATES = constant_rates(1, (1.0, 1 / 1.1), 56)


def pays(**changes):
    rows = settle([POLICY | changes], [DEBTS], rates=RATES, when=clock(HORIZON), recovery_lag=week(40))
    return rows, rows.indemnity_gross[0, 0]


@pytest.mark.parametrize(
    ("changes", "total"),
    [
        ({}, 128_000),
        ({"maximum_liability": np.inf}, 139_600),
        ({"order": 1}, 128_000),
        ({"order": 1, "maximum_liability": np.inf}, 142_000),
        ({"order": 1, "aggregate_first_loss": 50_000, "each_and_every_first_loss": 0}, 117_600),
    ],
)
def test_totals_of_the_wordings(changes, total):
    assert pays(**changes)[1] == pytest.approx(total, abs=0.005)


@pytest.mark.parametrize(
    ("changes", "a", "c", "b"),
    [
        ({}, 60_000, 8_600, 59_400),
        ({"order": 1}, 62_100, 8_800, 57_100),
        ({"order": 1, "aggregate_first_loss": 50_000, "each_and_every_first_loss": 0}, 36_000, 9_600, 72_000),
    ],
)
def test_claims_are_paid_in_their_week(changes, a, c, b):
    """Insolvency settles after four weeks; the protracted default after 26 weeks of waiting and four more."""
    built = plan([POLICY | changes], 3, 56)
    book, events = arrays([[debt._replace(recovery=0.0) for debt in DEBTS]])
    rows = apply_policies(built, book, clock(HORIZON), events, RATES, 0)
    paid = {t + 1: v for t, v in enumerate(rows.claim_cash[0, 0]) if v}
    assert paid == pytest.approx({14: a, 19: c, 40: b}, abs=0.005)


def test_where_cover_is_lost():
    """Debt net of VAT 212,000; the example's gap attribution from there on."""
    rows, _ = pays()
    assert gaps(rows) == pytest.approx(
        {
            "debt": 212_000,
            "not_covered": 20_000,
            "over_limit": 10_000,
            "non_qualifying": 0,
            "coinsurance": 19_400,
            "each_and_every": 3_000,
            "aggregate_first_loss": 20_000,
            "maximum_liability": 11_600,
            "indemnity": 128_000,
        },
        abs=0.005,
    )


def test_the_insurers_share_of_recoveries():
    """A's dividend in week 50: 6,000; B's recovery in week 54: 10,000 × 59,400 / 100,000 = 5,940."""
    rows, gross = pays()
    assert gross - rows.indemnity[0, 0] == pytest.approx(6_000 + 5_940, abs=0.005)
    assert rows.claim_cash[0, 0, 50 - 1] == pytest.approx(-6_000, abs=0.005)
    assert rows.claim_cash[0, 0, 54 - 1] == pytest.approx(-5_940, abs=0.005)


def test_premium():
    rows, _ = pays()
    assert rows.premium[0, 0] == pytest.approx(3_200 + 320 + 120)
    assert rows.premium_cash[0, 0].sum() == pytest.approx(3_640)


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


def test_currency_at_the_date_of_loss_before_the_cap():
    """With the rate of week 36 (1.25) buyer B's covered debt is 70,400: 63,360, then 62,360."""
    rates = constant_rates(1, (1.0, 1 / 1.25), 56)
    policy = POLICY | {"aggregate_first_loss": 0, "maximum_liability": np.inf}
    rows = settle([policy], [[d for d in DEBTS if d.buyer == B]], n_buyers=3, rates=rates, when=clock(HORIZON))
    assert rows.indemnity_gross[0, 0] == pytest.approx(62_360, abs=0.005)


def test_no_cover_at_all_is_the_uninsured_path():
    rows = settle([terms(0.0)], [DEBTS], rates=RATES, when=clock(HORIZON))
    assert not rows.claim_cash.any()
