"""What makes a claim, on which day and under which limit, and when its money moves."""

import numpy as np
import pytest

from simulator.jit import NEVER
from simulator.policy.apply import apply_policies
from tests.policy_cases import Debt, arrays, clock, constant_rates, gaps, plan, settle, terms, waterfall

INF = np.inf

# --- limits and perils ---


def test_limit_zero_is_no_cover_and_no_limit_is_full_cover():
    debts = [[Debt(0, 1_000, insolvent=5), Debt(1, 1_000, insolvent=5), Debt(2, 1_000, insolvent=5)]]
    rows = settle([terms(1.0, limit=[0.0, 400.0, INF])], debts)
    assert gaps(rows) == waterfall(debt=3_000, not_covered=1_000, over_limit=600, indemnity=1_400)


def test_without_insurance_everything_is_zero():
    programme = terms(insured=False, premium_fees=5.0, premium_minimum=7.0, instalment=1.0)
    rows = settle([programme], [[Debt(0, 1_000, insolvent=5)]])
    assert all((values == 0).all() for values in rows)


def test_percentage_depends_on_peril_and_buyer():
    policy = {
        "percentage": {"insolvency": 0.9, "protracted_default": 0.8},
        "percentage_by_buyer": [np.nan, np.nan, 0.6, 0.6],
        "waiting_days": 180,
    }
    late = {"due": 10, "protracted": True}
    debts = [
        Debt(0, 100, insolvent=50),
        Debt(1, 1_000, **late),
        Debt(2, 10_000, insolvent=50),
        Debt(3, 100_000, **late),
    ]
    assert settle([policy], [debts]).indemnity_gross[0, 0] == pytest.approx(90 + 800 + 6_000 + 60_000)


def test_insolvency_on_the_day_the_waiting_period_ends_is_insolvency():
    policy = {"percentage": {"insolvency": 0.9, "protracted_default": 0.5}, "waiting_days": 180}
    for insolvent, share in ((190, 0.9), (191, 0.5)):
        rows = settle([policy], [[Debt(0, 100, due=10, protracted=True, insolvent=insolvent)]])
        assert rows.indemnity_gross[0, 0] == pytest.approx(100 * share)


def test_date_of_loss_follows_each_programmes_waiting_period():
    """Paid on day 230, due on day 10: a claim after 180 days, none after 240."""
    debt = Debt(0, 100, due=10, paid=230, protracted=True)
    rows = settle([terms(1.0, waiting_days=180), terms(1.0, waiting_days=240)], [[debt]])
    assert rows.indemnity_gross[0].tolist() == [100, 0]
    assert rows.indemnity[0].tolist() == [0, 0]  # all of it came in late and went back to the insurer
    assert rows.claim_cash[0, 0, 189 // 7] == 100
    assert rows.claim_cash[0, 0, 229 // 7] == -100


def test_the_oldest_unpaid_invoice_sets_the_date_and_takes_the_others_along():
    debts = [
        Debt(0, 100, issue=0, due=20, protracted=True),
        Debt(0, 10, issue=150, due=180, paid=250),
        Debt(0, 1, issue=201, due=230, protracted=True),
        Debt(0, 1_000, issue=0, due=20, paid=200),
    ]
    rows = settle([terms(1.0, waiting_days=180)], [debts])
    assert gaps(rows)["debt"] == 110  # day 200: the third is shipped later, the fourth paid that day
    assert rows.indemnity[0, 0] == 100


def test_disputed_and_open_items():
    debts = [
        Debt(0, 100, insolvent=5, disputed=True),
        Debt(0, 10, insolvent=5, open_item=True),
        Debt(0, 1, insolvent=5),
    ]
    rows = settle([terms(1.0), terms(1.0, covers_open_items=False)], [debts])
    assert rows.indemnity_gross[0].tolist() == [11, 1]
    assert gaps(rows, p=1) == waterfall(debt=111, disputed=100, not_covered=10, indemnity=1)


def test_a_disputed_debt_starts_no_waiting_period_but_shows_in_the_waterfall():
    """Its own time runs out on day 200; the buyer's other invoice is only late: no claim takes it, and it is paid."""
    disputed = Debt(0, 100, due=20, protracted=True, disputed=True, lost=200)
    late = Debt(0, 10, issue=100, due=130, paid=220)
    policy = terms(1.0, waiting_days=180)
    rows = settle([policy], [[disputed, late]])
    assert rows.indemnity_gross[0, 0] == 0
    assert gaps(rows)["debt"] == gaps(rows)["not_covered"] == 100
    cured = settle([policy], [[disputed._replace(paid=250, lost=NEVER), late]])
    assert not cured.gap.any()  # paid in the end and never claimed: nothing was lost
    rows = settle([policy], [[disputed._replace(insolvent=300), late._replace(insolvent=300, paid=NEVER)]])
    assert rows.indemnity_gross[0, 0] == 10  # the insolvency of day 300 is a claim of its own


def test_an_old_debt_does_not_use_up_the_claim_of_a_policy_for_new_shipments():
    old = Debt(0, 100, issue=-300, due=-250, protracted=True, insolvent=200, open_item=True)
    new = Debt(0, 10, issue=50, due=80, insolvent=200)
    rows = settle([terms(1.0, covers_open_items=False, waiting_days=180)], [[old, new]])
    assert rows.indemnity_gross[0, 0] == 10
    assert gaps(rows)["not_covered"] == 100


def test_a_loss_known_on_day_0_is_not_insured_and_starts_no_clock():
    """Waiting 180 days: overdue for 180 days on day 0 is known, for 179 is claimed on day 1."""
    known = Debt(0, 100, issue=-230, due=-180, protracted=True, lost=1, open_item=True)
    policy = terms(1.0, waiting_days=180)
    rows = settle([policy, terms(1.0, waiting_days=181)], [[known]])
    assert rows.indemnity_gross[0].tolist() == [0, 100]
    assert gaps(rows)["debt"] == gaps(rows)["not_covered"] == 100
    fresh = settle([policy], [[known._replace(due=-179)]])
    assert fresh.indemnity_gross[0, 0] == 100
    assert gaps(fresh)["not_covered"] == 0
    # the same buyer fails on day 200: its other debts are claimed then, the old one is in the debt without cover
    fails = {"insolvent": 200, "lost": 200}
    rows = settle([policy], [[known._replace(insolvent=200), Debt(0, 10, issue=50, due=80, **fails)]])
    assert rows.indemnity_gross[0, 0] == 10
    assert gaps(rows)["debt"] == 110
    assert gaps(rows)["not_covered"] == 100


def test_debts_lost_outside_every_claim_show_as_not_covered():
    """Date of loss 200 (due 20, 180 days); shipped on day 250, lost on day 300 at twice the rate."""
    rates = np.ones((1, 1, 53))
    rates[0, 0, 40:] = 2.0
    debts = [
        Debt(0, 100, due=20, protracted=True, insolvent=300, lost=200),
        Debt(0, 10, issue=250, due=280, insolvent=300, lost=300),
        Debt(0, 1, issue=250, due=280, paid=290, insolvent=300),
    ]
    rows = settle([terms(0.9, waiting_days=180)], [debts], rates=rates)
    assert rows.indemnity_gross[0, 0] == 90
    assert gaps(rows) == pytest.approx(waterfall(debt=120, not_covered=20, coinsurance=10, indemnity=90))
    assert not settle([terms(0.9, insured=False)], [debts], rates=rates).gap.any()


@pytest.mark.parametrize(("rank", "net"), [([0, 1], 100.0), ([1, 0], 50.0)])
def test_claims_of_one_day_go_by_rank_of_the_buyers_id(rank, net):
    """Only the first of two claims of one day finds the maximum liability; half of the second's debt is recovered."""
    book, events = arrays(
        [[Debt(0, 100, insolvent=5), Debt(1, 100, insolvent=5, lost=5, recovery=0.5)]], recovery_lag=9
    )
    built = plan([terms(1.0, maximum_liability=100)], 2, book)
    built.buyer_rank[:] = rank
    rows = apply_policies(built, book, clock(), events, constant_rates(1))
    assert rows.indemnity_gross[0, 0] == 100
    assert rows.indemnity[0, 0] == net


# --- money and time ---


def test_indemnity_and_shares_on_the_horizon_clock():
    """Paid after settlement; the dividend comes before the indemnity, so its share waits for it."""
    debt = Debt(0, 1_000, insolvent=10, lost=10, recovery=0.2)
    rows = settle([terms(0.9, settlement_days=30)], [[debt]], recovery_lag=14)
    assert rows.claim_cash[0, 0, 39 // 7] == pytest.approx(900 - 180)
    assert rows.claim_cash.sum() == pytest.approx(rows.indemnity[0, 0])
    late = settle([terms(0.9, settlement_days=360)], [[debt]], recovery_lag=14)
    assert late.claim_cash.sum() == 0
    assert late.indemnity_in_horizon[0, 0] == 0
    assert late.indemnity[0, 0] == pytest.approx(720)
    dividend_late = settle([terms(0.9, settlement_days=30)], [[debt]], recovery_lag=364)
    assert dividend_late.indemnity_in_horizon[0, 0] == pytest.approx(900)
    assert dividend_late.indemnity[0, 0] == pytest.approx(720)


def test_debt_is_converted_on_the_date_of_loss_and_later_money_on_its_day():
    rates = np.ones((1, 2, 53))
    rates[0, 1, :] = np.linspace(2.0, 1.0, 53)  # falls by 1/52 a week
    debt = Debt(0, 520, insolvent=70, lost=70, recovery=0.5, currency=1)
    rows = settle([terms(0.5)], [[debt]], rates=rates, recovery_lag=70)
    assert gaps(rows)["debt"] == pytest.approx(520 * (2 - 10 / 52))
    money = 260 * (2 - 20 / 52)
    assert rows.indemnity[0, 0] == pytest.approx(260 * (2 - 10 / 52) - money / 2)


def test_shares_never_exceed_the_indemnity_and_earlier_money_fills_it():
    """The currency doubles after the loss: two payments are worth more than the debt was."""
    rates = np.ones((1, 2, 53))
    rates[0, 1, 20:] = 4.0
    debts = [
        Debt(0, 100, due=1, paid=300, protracted=True, currency=1),
        Debt(0, 100, due=1, paid=200, protracted=True, currency=1),
    ]
    rows = settle([terms(1.0, waiting_days=100, settlement_days=10)], [debts], rates=rates)
    assert rows.indemnity_gross[0, 0] == 200
    assert rows.indemnity[0, 0] == 0
    assert rows.claim_cash[0, 0, 199 // 7] == -200
    assert rows.claim_cash[0, 0, 299 // 7] == 0


def test_debt_of_a_claim_beyond_the_horizon_uses_its_last_rate():
    rates = np.ones((1, 1, 53))
    rates[0, 0, -1] = 3.0
    rows = settle([terms(1.0, waiting_days=400)], [[Debt(0, 10, due=100, protracted=True)]], rates=rates)
    assert rows.indemnity[0, 0] == 30
    assert rows.indemnity_in_horizon[0, 0] == 0


def test_constant_exposure():
    """One pseudo-invoice per buyer, issued the day before, never due; one period."""
    debts = [Debt(0, 100, issue=-1, due=NEVER, insolvent=365, lost=365, recovery=0.25, open_item=True)]
    rows = settle([terms(0.8)], [debts], rates=np.ones((1, 1, 2)), when=clock(365, 365), recovery_lag=364)
    assert rows.indemnity_gross[0, 0] == pytest.approx(80)
    assert rows.indemnity[0, 0] == pytest.approx(60)
