"""Debts paid before the indemnity is due: what a claim then holds, and who gets the money."""

import numpy as np
import pytest

from simulator.policy.limits import ALWAYS
from tests.policy_cases import Debt, gaps, settle, terms, waterfall

LATE = {"due": 10, "protracted": True}


def test_a_debt_paid_before_the_indemnity_is_due_takes_nothing_from_other_claims():
    """Due 10, waiting 180, settlement 30: paid by day 220 it is no claim, and the maximum liability of 45 and the
    first loss of 45 are there for the insolvency of day 280 and its debt of 50. Paid on day 221 it comes first."""
    policy = terms(1.0, waiting_days=180, settlement_days=30)
    programmes = [policy | {"maximum_liability": 45}, policy | {"aggregate_first_loss": 45}]
    insolvent = Debt(1, 50, due=250, insolvent=280, lost=280)
    rows = settle(programmes, [[Debt(0, 50, paid=220, **LATE), insolvent]])
    assert rows.indemnity[0].tolist() == [45, 5]
    assert rows.gap[0, :, 0].tolist() == [50, 50]
    rows = settle(programmes, [[Debt(0, 50, paid=221, **LATE), insolvent]])
    assert rows.indemnity_gross[0].tolist() == [45, 55]
    assert rows.gap[0, :, 0].tolist() == [100, 100]


def test_money_between_date_of_loss_and_indemnity_is_shared_pro_rata():
    """200,000 are owed on day 190, the limit is 100,000, and 60,000 are paid on day 210, before the indemnity of day
    220: 140,000 are left, 70,000 of them covered. Paid a week later, the insurer gets its 45 % of the 60,000 back."""
    policy = terms(0.9, waiting_days=180, settlement_days=30, limit=100_000.0)
    deducted = policy | {"each_and_every_first_loss": 13_000}
    capped = policy | {"maximum_liability": 60_000}
    debts = [Debt(0, 140_000, lost=190, **LATE), Debt(0, 60_000, due=60, paid=210)]
    rows = settle([policy, deducted, capped], [debts])
    assert gaps(rows) == pytest.approx(waterfall(debt=140_000, over_limit=70_000, coinsurance=7_000, indemnity=63_000))
    assert rows.indemnity[0].tolist() == pytest.approx([63_000, 50_000, 60_000])
    debts[1] = debts[1]._replace(paid=227)
    rows = settle([policy, deducted, capped], [debts])
    steps = waterfall(debt=200_000, over_limit=100_000, coinsurance=10_000, indemnity=90_000)
    assert gaps(rows) == pytest.approx(steps)
    assert rows.indemnity[0].tolist() == pytest.approx([90_000 * 0.7, 77_000 - 0.3 * 77_000, 60_000 * 0.7])


def test_one_forgotten_invoice_does_not_make_a_claim_of_debts_that_are_paid_when_due():
    """1,000 are 180 days late on day 190. Of what is not due then, one invoice is paid when due: no loss. One stays
    unpaid for 210 days past due as well: held. One is paid 210 days past due, when its own indemnity would be."""
    policy = terms(0.9, waiting_days=180, settlement_days=30)
    forgotten = Debt(0, 1_000, lost=190, **LATE)
    prompt = Debt(0, 250_000, issue=180, due=240, paid=240)
    rows = settle([policy, policy | {"oldest_first": True}], [[forgotten, prompt]])
    for p in (0, 1):
        assert gaps(rows, p=p) == pytest.approx(waterfall(debt=1_000, coinsurance=100, indemnity=900))
    just, late = prompt._replace(paid=450), prompt._replace(paid=451, protracted=True)
    assert gaps(settle([policy], [[forgotten, just]]))["debt"] == 1_000
    rows = settle([policy], [[forgotten, late]])
    assert gaps(rows)["debt"] == 251_000
    assert rows.indemnity[0, 0] == pytest.approx(0.9 * 251_000 - 0.9 * 250_000)


def test_recoveries_before_the_indemnity_make_the_claim_smaller_as_payments_do():
    """Half of 100 comes on day 220, the indemnity on day 230; the first loss of 30 is taken off what is left."""
    policy = terms(0.9, waiting_days=190, settlement_days=30, aggregate_first_loss=30)
    paid = [Debt(0, 50, lost=200, **LATE), Debt(0, 50, paid=220, **LATE)]
    recovered = [Debt(0, 100, lost=200, recovery=0.5, receipt=220, **LATE)]
    for debts in (paid, recovered):
        rows = settle([policy], [debts])
        assert gaps(rows) == pytest.approx(waterfall(debt=50, coinsurance=5, aggregate_first_loss=30, indemnity=15))
        assert rows.indemnity[0, 0] == pytest.approx(15)
    rows = settle([policy], [[recovered[0]._replace(receipt=231)]])
    assert gaps(rows) == pytest.approx(waterfall(debt=100, coinsurance=10, aggregate_first_loss=30, indemnity=60))
    assert rows.indemnity[0, 0] == pytest.approx(60 - 50 * 0.6)


def test_what_is_still_owed_is_counted_at_the_rate_of_the_date_of_loss():
    """100 and, at 1.0, another 100; the foreign one, worth 50 by the date of loss, is paid before the indemnity: 100
    are still owed, of which the policy, converting at the invoice's date, covers half of its 200."""
    rates = np.ones((1, 2, 60))
    rates[0, 1, 20:] = 0.5
    debts = [Debt(0, 100, lost=190, **LATE), Debt(0, 100, currency=1, due=60, paid=210)]
    rows = settle([terms(0.9, waiting_days=180, settlement_days=30, conversion="invoice_date")], [debts], rates=rates)
    assert gaps(rows) == pytest.approx(waterfall(debt=100, coinsurance=10, indemnity=90))


def test_money_for_other_invoices_fills_no_disputed_one():
    """60 are disputed and never paid, 100 are paid on day 50 for another invoice: excluded, the buyer owes what it
    disputes, under either rule."""
    debts = [Debt(0, 60, due=10, insolvent=100, disputed=True), Debt(0, 100, due=40, paid=50, insolvent=100)]
    rows = settle([terms(0.9), terms(0.9, oldest_first=True)], [debts])
    for p in (0, 1):
        assert gaps(rows, p=p) == waterfall(debt=60, disputed=60)


def test_money_before_the_indemnity_frees_limits_that_buyers_share():
    """Of 100 owed 40 are paid in time, so 60 of the shared limit of 100 are used, and 40 are left for the next."""
    debts = [Debt(0, 60, lost=190, **LATE), Debt(0, 40, due=60, paid=210), Debt(1, 70, insolvent=300, lost=300)]
    policy = terms(1.0, waiting_days=180, settlement_days=30)
    group = settle([policy | {"group_pool": 0, "limit": 100.0}], [debts])
    country = settle([policy | {"country_pool": 0, "country_maximum": 100.0}], [debts])
    for rows in (group, country):
        assert gaps(rows) == pytest.approx(waterfall(debt=130, over_limit=30, indemnity=100))


def test_later_recoveries_go_to_what_is_still_owed():
    """Half of the debt of 200 is paid in time, 20 % of the other half is recovered: R1 0.2 × 90 of it, R3 the same,
    since the money before the indemnity has gone to both invoices alike."""
    debts = [Debt(0, 100, lost=190, recovery=0.2, **LATE), Debt(0, 100, due=60, paid=210)]
    policy = terms(0.9, waiting_days=180, settlement_days=30)
    rules = ("by_indemnity", "by_covered_debt", "oldest_first", "insurer_first")
    rows = settle([policy | {"recovery_rule": rule} for rule in rules], [debts], recovery_lag=100)
    assert rows.indemnity_gross[0].tolist() == pytest.approx([90] * 4)
    assert rows.indemnity[0].tolist() == pytest.approx([90 - 18, 90 - 20, 90 - 18, 90 - 20])


def test_a_claim_holds_only_what_stays_unpaid_until_its_indemnity():
    """Both waiting periods are over on day 190, one debt is paid on day 200, before the indemnity of day 220. Paid on
    day 221, it is held, and the money is shared."""
    policy = terms(0.9, waiting_days=180, settlement_days=30)
    rows = settle([policy], [[Debt(0, 100, paid=200, **LATE), Debt(0, 60, lost=190, **LATE)]])
    assert gaps(rows) == pytest.approx(waterfall(debt=60, coinsurance=6, indemnity=54))
    assert rows.indemnity[0, 0] == pytest.approx(54)
    rows = settle([policy], [[Debt(0, 100, paid=221, **LATE), Debt(0, 60, lost=190, **LATE)]])
    assert gaps(rows) == pytest.approx(waterfall(debt=160, coinsurance=16, indemnity=144))
    assert rows.indemnity[0, 0] == pytest.approx(144 - 90)


def test_a_buyer_that_paid_late_can_still_fail():
    """Paid within the settlement of its protracted default, so a later insolvency is the buyer's claim."""
    debts = [Debt(0, 100, paid=200, insolvent=300, **LATE), Debt(0, 70, issue=230, due=290, insolvent=300, lost=300)]
    rows = settle([terms(1.0, waiting_days=180, settlement_days=30)], [debts])
    assert gaps(rows) == waterfall(debt=70, indemnity=70)
    assert rows.claim_cash[0, 0, 329 // 7] == 70


def test_the_next_debt_that_stays_unpaid_brings_about_the_claim():
    """The first waiting period is over on day 190, but that debt is paid on day 200; the second is over on day 210."""
    debts = [Debt(0, 100, paid=200, **LATE), Debt(0, 70, due=30, protracted=True, lost=210)]
    rows = settle([terms(1.0, waiting_days=180, settlement_days=30)], [debts])
    assert gaps(rows) == waterfall(debt=70, indemnity=70)
    assert rows.claim_cash[0, 0, 239 // 7] == 70


def test_oldest_first_money_until_the_indemnity_fills_the_oldest_debt():
    """100 due on day 10 stays unpaid, 100 due on day 40 is paid on day 215: that money fills the older one by day 220,
    when its indemnity would be due, so what is left is the younger one. With ten days less it fills neither in time."""
    debts = [Debt(0, 100, issue=1, lost=190, **LATE), Debt(0, 100, issue=2, due=40, paid=215, protracted=True)]
    policy = terms(1.0, waiting_days=180, settlement_days=30, oldest_first=True, limit=[[(ALWAYS, 100.0), (2, 0.0)]])
    rows = settle([policy, policy | {"settlement_days": 20}], [debts])
    assert gaps(rows) == waterfall(debt=100, limit_cancelled=100)
    assert gaps(rows, p=1) == waterfall(debt=200, over_limit=100, indemnity=100)
