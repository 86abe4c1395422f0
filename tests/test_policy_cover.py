"""What of a debt is covered: limits by day, shared limits, perils, disputes, currencies; one small table each."""

import numpy as np
import pytest

from simulator.jit import NEVER
from simulator.policy.apply import apply_policies
from simulator.policy.codes import STUDY_CURRENCY
from simulator.policy.limits import ALWAYS
from tests.policy_cases import Debt, arrays, clock, constant_rates, gaps, plan, settle, terms, waterfall

FULL = terms(1.0, waiting_days=180)
LATE = {"due": 10, "protracted": True}
LOST = {"insolvent": 30, "lost": 30, "recovery": 0.1}


def paid(policy, debts, **more):
    return settle([policy], [debts], **more).indemnity_gross[0, 0]


# --- limits ---


def test_shipments_before_a_cancellation_stay_covered():
    """Limit 100 until day 19, then none: 60 shipped before, 30 after. The loss of the limit has its own step."""
    debts = [Debt(0, 60, issue=5, insolvent=50), Debt(0, 30, issue=20, insolvent=50)]
    rows = settle([FULL | {"limit": [[(ALWAYS, 100.0), (20, 0.0)]]}], [debts])
    assert gaps(rows) == waterfall(debt=90, limit_cancelled=30, indemnity=60)


def test_after_a_reduction_new_shipments_are_covered_within_the_new_limit():
    """80 under a limit of 100, then 50 under one of 90: covered 90; the old limit would have covered 100 of 130."""
    debts = [Debt(0, 80, issue=5, insolvent=50), Debt(0, 50, issue=20, insolvent=50)]
    rows = settle([FULL | {"limit": [[(ALWAYS, 100.0), (20, 90.0)]]}], [debts])
    assert gaps(rows) == waterfall(debt=130, limit_cancelled=10, over_limit=30, indemnity=90)
    # reduced below what is covered already: nothing new is covered, nothing old is lost
    rows = settle([FULL | {"limit": [[(ALWAYS, 100.0), (20, 40.0)]]}], [debts])
    assert gaps(rows) == waterfall(debt=130, limit_cancelled=20, over_limit=30, indemnity=80)


def test_a_limit_that_begins_later_does_not_cover_earlier_shipments():
    debts = [Debt(0, 60, issue=5, insolvent=50), Debt(0, 30, issue=20, insolvent=50)]
    rows = settle([FULL | {"limit": [[(20, 100.0)]]}], [debts])
    assert gaps(rows) == waterfall(debt=90, not_covered=60, indemnity=30)


def test_limits_with_percentages_of_their_own():
    """60 at 90 % and 30 at 50 %: 54 + 15; only what a limit covers counts at its percentage."""
    limits = [[(ALWAYS, 100.0, 0.9), (20, 100.0, 0.5)]]
    debts = [Debt(0, 60, issue=5, insolvent=50), Debt(0, 30, issue=20, insolvent=50)]
    assert paid(FULL | {"limit": limits}, debts) == pytest.approx(69)
    assert paid(FULL | {"limit": limits}, [debts[0], debts[1]._replace(amount=70)]) == pytest.approx(54 + 20)


def test_the_insurer_cancels_limits_of_weak_buyers():
    """Intensity ln 2 a year, score 0: told after exactly a year; a year and the notice are beyond, so score below: at
    Φ = 1/4 told on day ceil(365·log2(4/3)) = 152, holding from day 162. Named limits only."""
    policy = FULL | {"change_intensity": np.log(2), "change_notice": 10, "limit": 1_000.0}
    quarter = -0.6744897501960817
    debts = [Debt(0, 70, issue=161, insolvent=300, score=quarter), Debt(0, 20, issue=162, insolvent=300, score=quarter)]
    rows = settle([policy, policy | {"change_to": 0.08}, policy | {"named": False}], [debts])
    assert gaps(rows) == waterfall(debt=90, limit_cancelled=20, indemnity=70)
    assert gaps(rows, p=1) == waterfall(debt=90, limit_cancelled=10, indemnity=80)  # up to 80 stay covered
    assert gaps(rows, p=2) == waterfall(debt=90, indemnity=90)
    calm = [debt._replace(score=9.0) for debt in debts]
    assert paid(policy, calm) == 90


def test_a_group_shares_one_limit_in_the_order_of_claims():
    """Limit 100 for both: the claim of day 20 takes 70, that of day 30 finds 30 left. A stranger is not affected."""
    debts = [Debt(0, 60, insolvent=30), Debt(1, 70, insolvent=20), Debt(2, 80, insolvent=40)]
    rows = settle([FULL | {"limit": 100.0, "group_pool": [0, 0, -1]}], [debts])
    assert gaps(rows) == waterfall(debt=210, over_limit=30, indemnity=180)


def test_a_countrys_maximum_is_used_up_in_the_order_of_claims():
    debts = [Debt(0, 60, insolvent=30), Debt(1, 70, insolvent=20), Debt(2, 80, insolvent=40)]
    policy = FULL | {"country_pool": [1, 1, 0], "country_maximum": [100.0, 100.0, 500.0]}
    assert gaps(settle([policy], [debts])) == waterfall(debt=210, over_limit=30, indemnity=180)


def test_a_countrys_maximum_cuts_the_insurers_share_of_the_oldest_invoice():
    """Debt 100, 50 covered under the country's maximum: of a recovery of 10 half is the insurer's under every rule by
    debt, R2 as R3, however many invoices there are."""
    policy = FULL | {"country_pool": [1], "country_maximum": [50.0]}
    rules = [policy | {"recovery_rule": rule} for rule in ("by_indemnity", "by_covered_debt", "oldest_first")]
    for debts in ([Debt(0, 100, **LOST)], [Debt(0, 60, **LOST), Debt(0, 40, **LOST)]):
        rows = settle(rules, [debts])
        assert rows.indemnity[0] == pytest.approx([45, 45, 45])


def test_a_top_up_pays_above_the_limit_without_first_losses():
    """Debt 200, limit 100, top-up of once the limit but at most 60, 80 % of it: 90 % of 100 less 10, and 48."""
    policy = terms(0.9, limit=100.0, each_and_every_first_loss=10, top_up_multiple=1.0, top_up_maximum=60.0)
    policy["top_up_percentage"] = 0.8
    debts = [Debt(0, 200, insolvent=30)]
    rows = settle([policy, policy | {"named": False}], [debts])
    assert gaps(rows) == pytest.approx(
        waterfall(debt=200, over_limit=40, coinsurance=10 + 12, each_and_every=10, indemnity=128)
    )
    assert rows.indemnity_gross[0, 1] == pytest.approx(80)  # none above a limit that is not named
    # a cancelled limit takes the top-up with it
    gone = policy | {"limit": [[(ALWAYS, 100.0), (1, 0.0)]]}
    assert gaps(settle([gone], [debts]))["limit_cancelled"] == 160


# --- perils and dates ---


def test_a_peril_left_out_is_not_covered():
    policy = {"percentage": {"protracted_default": 0.9}, "waiting_days": 180}
    rows = settle([policy], [[Debt(0, 100, insolvent=50, lost=50), Debt(1, 10, lost=190, **LATE)]])
    assert gaps(rows) == pytest.approx(waterfall(debt=110, not_covered=100, coinsurance=1, indemnity=9))


def test_transfer_is_a_peril_of_its_own():
    """Deposited on day 60 and held up until day 400: transfer at 70 %. Deposited on day 250: a protracted default."""
    policy = {"percentage": {"protracted_default": 0.9, "transfer": 0.7}, "waiting_days": [180, 90]}
    held_up = Debt(0, 100, due=10, drawn=60, paid=400, protracted=True)
    rows = settle([policy], [[held_up]])
    assert rows.indemnity_gross[0, 0] == pytest.approx(70)
    assert rows.claim_cash[0, 0, 99 // 7] == pytest.approx(70)  # day 10 + 90
    assert paid(policy, [held_up._replace(drawn=250)]) == pytest.approx(90)
    assert paid(policy | {"percentage": {"protracted_default": 0.9}}, [held_up]) == 0
    assert paid(policy, [held_up._replace(paid=100)]) == 0  # released on the last day of the waiting period


def test_waiting_for_an_insolvency_moves_the_date_not_the_debt():
    """Insolvent on day 50, 30 days of waiting: due on day 87. What was owed on day 50 and is unpaid then counts."""
    debts = [Debt(0, 100, insolvent=50), Debt(0, 10, paid=95, insolvent=50), Debt(0, 1, paid=87, insolvent=50)]
    rows = settle([terms(1.0, waiting_insolvency=30, settlement_days=7)], [debts])
    assert rows.claim_cash[0, 0, [86 // 7, 94 // 7]].tolist() == [110, -10]
    assert gaps(rows)["debt"] == 110
    # a waiting period that ends before that is the date of loss
    late = Debt(0, 100, due=10, protracted=True, insolvent=185)
    rows = settle([{"percentage": {"insolvency": 0.5, "protracted_default": 0.9}, "waiting_days": 180,
                    "waiting_insolvency": 10}], [[late]])  # fmt: skip
    assert rows.indemnity_gross[0, 0] == pytest.approx(90)


def test_contract_frustration_has_its_own_percentage_and_waiting_period():
    policy = {"percentage": {"insolvency": 0.9, "contract_frustration": 0.8}, "waiting_frustration": 180}
    rows = settle([policy], [[Debt(0, 100, insolvent=50, frustrated=True)]])
    assert rows.claim_cash[0, 0, 229 // 7] == pytest.approx(80)


def test_dates_of_loss_outside_the_period():
    """Period of days 30 to 200. Insolvent before: nothing; after: risk attaching pays for shipments of the period."""
    policy = terms(1.0, first_day=30, last_day=200)
    by_loss = policy | {"losses_occurring": True}
    for insolvent, attaching, occurring in ((29, 0, 0), (30, 10, 10), (200, 10, 10), (201, 10, 0)):
        rows = settle([policy, by_loss], [[Debt(0, 10, issue=20, due=90, insolvent=insolvent)]])
        assert rows.indemnity_gross[0].tolist() == [attaching, occurring]
    # shipped after the period: only a policy for losses occurring might cover it, and only if lost within
    rows = settle([policy, by_loss], [[Debt(0, 10, issue=201, due=240, insolvent=250)]])
    assert not rows.indemnity_gross.any()


def test_shipments_while_the_buyer_is_overdue_too_long_are_not_covered():
    debts = [Debt(0, 100, overdue=60, insolvent=50), Debt(0, 10, overdue=61, insolvent=50), Debt(0, 1, insolvent=50)]
    rows = settle([terms(1.0, extension_days=60)], [debts])
    assert gaps(rows) == waterfall(debt=111, not_covered=10, indemnity=101)


# --- tax, disputes, currencies, payments ---


def test_value_added_tax_is_a_step_of_its_own():
    debts = [Debt(0, 119, vat=19, insolvent=50), Debt(1, 119, vat=19, insolvent=50, disputed=True)]
    rows = settle([terms(1.0, limit=90.0), terms(1.0, limit=90.0, vat_covered=True)], [debts])
    assert gaps(rows) == pytest.approx(waterfall(debt=238, vat=38, disputed=100, over_limit=10, indemnity=90))
    assert gaps(rows, p=1) == pytest.approx(waterfall(debt=238, disputed=119, over_limit=29, indemnity=90))


def test_disputed_debts_are_paid_once_settled_for_the_seller():
    """A quarter of the covered debt is disputed in the ledger: paid 90 days after the rest if every dispute is won."""
    debts = [Debt(0, 75, insolvent=50), Debt(0, 25, insolvent=50, disputed=True)]
    policy = terms(0.8, settlement_days=20, disputes_suspended=True)
    won = settle([policy], [debts], dispute_upheld=1.0, dispute_days=90)
    assert won.claim_cash[0, 0, [69 // 7, 159 // 7]] == pytest.approx([60, 20])
    lost = settle([policy], [debts], dispute_upheld=0.0, dispute_days=90)
    assert gaps(lost) == pytest.approx(waterfall(debt=100, disputed=25, coinsurance=15, indemnity=60))
    # until then the undisputed debt has the limit for itself, whatever was shipped first; or the country's maximum
    debts = [Debt(0, 60, insolvent=50, disputed=True), Debt(0, 80, insolvent=50)]
    for most in ({"limit": 100.0}, {"country_pool": 0, "country_maximum": 100.0}):
        limited = settle([policy | most], [debts], dispute_upheld=1.0, dispute_days=90)
        assert limited.claim_cash[0, 0, [69 // 7, 159 // 7]] == pytest.approx([64, 16])


def test_disputes_are_drawn_invoice_by_invoice_and_alike_under_every_programme():
    """30 % are disputed, 60 % of those settled for the seller: 88 % and 70 % of 4,000 debts, to 4.5 errors."""
    n = 4_000
    policy = terms(1.0, disputes_suspended=True)
    draws = {"dispute_probability": 0.3, "dispute_upheld": 0.6, "dispute_key": np.array([1, 2], np.uint32)}
    rows = settle([policy, policy, terms(1.0)], [[Debt(0, 1, insolvent=5)] * n], **draws)
    error = 4.5 * np.sqrt(0.25 / n)
    assert rows.indemnity_gross[0] / n == pytest.approx([0.88, 0.88, 0.7], abs=error)
    assert rows.indemnity_gross[0, 0] == rows.indemnity_gross[0, 1]


@pytest.mark.parametrize(
    ("rule", "covered"),
    [
        ("date_of_loss", 80), ("invoice_date", 100), ("due_date", 90), ("payment_date", 70), ("lower_of", 80),
        ("shipment_month_end", 95),
    ],
)  # fmt: skip
def test_the_rate_of_conversion(rule, covered):
    """USD 100 falls from 1.00 on day 7 to 0.95 (30), 0.90 (40), 0.80 (70) and 0.70 (100) of the policy's euro."""
    rates = np.ones((1, 2, 53))
    for day, rate in ((30, 0.95), (40, 0.9), (70, 0.8), (100, 0.7)):
        rates[0, 1, (day + 6) // 7 :] = rate
    debt = Debt(0, 100, issue=7, due=40, insolvent=70, currency=1)
    rows = settle([terms(1.0, conversion=rule, settlement_days=30)], [[debt]], rates=rates)
    assert rows.indemnity_gross[0, 0] == pytest.approx(covered)
    assert gaps(rows) == pytest.approx(waterfall(debt=80, conversion=80 - covered, indemnity=covered))


@pytest.mark.parametrize(
    ("rule", "rate"),
    [
        ("date_of_loss", 0.8), ("invoice_date", 1.0), ("due_date", 0.9), ("payment_date", 0.7), ("lower_of", 0.8),
        ("shipment_month_end", 0.95),
    ],
)  # fmt: skip
def test_a_limit_in_the_currency_of_the_debt_covers_the_same_part_at_any_rate(rule, rate):
    """USD 100 under a limit of USD 60, which was worth 120 of the policy's currency at 2.00 on day 0."""
    rates = np.ones((1, 2, 53))
    rates[0, 1, 0] = 2.0
    for day, value in ((30, 0.95), (40, 0.9), (70, 0.8), (100, 0.7)):
        rates[0, 1, (day + 6) // 7 :] = value
    debt = Debt(0, 100, issue=7, due=40, insolvent=70, currency=1)
    policy = terms(1.0, conversion=rule, settlement_days=30, limit=120.0, limit_currency=(1, 2.0))
    rows = settle([policy, policy | {"limit_currency": None}], [[debt]], rates=rates)
    assert gaps(rows)["indemnity"] == pytest.approx(60 * rate)
    assert gaps(rows)["over_limit"] == pytest.approx(40 * rate)
    assert gaps(rows, p=1)["over_limit"] == 0  # a limit of 120 in the policy's own currency


def test_a_limit_of_the_studys_currency_in_a_policy_of_another():
    """Limit EUR 400, debt EUR 800; a dollar costs 0.50 on day 0 (limit USD 800) and 0.80 on the date of loss."""
    rates = np.ones((1, 2, 53))
    rates[0, 1, :] = 0.8
    rates[0, 1, 0] = 0.5
    policy = terms(1.0, limit=800.0, limit_currency=(STUDY_CURRENCY, 2.0), currency=1)
    assert gaps(settle([policy], [[Debt(0, 800, insolvent=70)]], rates=rates))["indemnity"] == pytest.approx(400)


def test_a_policy_in_a_foreign_currency():
    """Terms in USD, the study in EUR: a dollar costs 0.80 on the date of loss and 1.00 when the indemnity is paid.
    Debt EUR 800 = USD 1,000; limit USD 900; 90 % of it less USD 10 = USD 800, paid as EUR 800, shown as EUR 640."""
    rates = np.ones((1, 2, 53))
    rates[0, 1, :11] = 0.8
    policy = terms(0.9, limit=900.0, each_and_every_first_loss=10, settlement_days=30, currency=1)
    rows = settle([policy], [[Debt(0, 800, insolvent=70)]], rates=rates)
    assert rows.claim_cash[0, 0, 99 // 7] == pytest.approx(800)
    assert rows.indemnity_gross[0, 0] == pytest.approx(800)
    assert gaps(rows) == pytest.approx(
        waterfall(debt=800, over_limit=80, coinsurance=72, each_and_every=8, indemnity=640)
    )
    # a dividend of EUR 100 after the dollar has risen is USD 100: the insurer gets 100 × 800/1,000
    back = settle([policy], [[Debt(0, 800, insolvent=70, lost=70, recovery=0.125)]], rates=rates, recovery_lag=100)
    assert back.indemnity[0, 0] == pytest.approx(800 - 80)


def test_payments_that_fill_the_oldest_invoice_move_the_date_of_loss():
    """Due days 10, 40, 70 of 100 each; the first is never paid, the others are on days 40 and 70. As paid: 100 on day
    190. Oldest first: the first two are filled, the third is what is left, and its waiting period ends on day 250."""
    debts = [
        Debt(0, 100, issue=1, due=10, protracted=True, lost=190),
        Debt(0, 100, issue=2, due=40, paid=40),
        Debt(0, 100, issue=3, due=70, paid=70),
    ]
    rows = settle([FULL, FULL | {"oldest_first": True}], [debts])
    assert rows.indemnity_gross[0].tolist() == [100, 100]
    assert np.flatnonzero(rows.claim_cash[0, 0]).tolist() == [189 // 7]
    assert np.flatnonzero(rows.claim_cash[0, 1]).tolist() == [249 // 7]
    # the payment of a shipment after the date of loss, day 190, fills no older invoice, however soon it comes
    slow = FULL | {"oldest_first": True, "settlement_days": 30}
    unpaid = [debts[0], Debt(0, 100, issue=195, due=200, paid=210)]
    assert np.flatnonzero(settle([slow], [unpaid]).claim_cash[0, 0]).tolist() == [219 // 7]
    # shipped by then it does: what is left is the younger one, whose waiting period ends on day 380
    unpaid[1] = unpaid[1]._replace(issue=185)
    rows = settle([slow], [unpaid])
    assert (rows.indemnity[0, 0], rows.indemnity_in_horizon[0, 0]) == (100, 0)
    # nothing is late where everything is paid within the waiting period
    prompt = [debts[0]._replace(paid=180, lost=NEVER), *debts[1:]]
    assert not settle([FULL | {"oldest_first": True}], [prompt]).gap.any()


def test_only_the_sellers_part_of_a_factored_invoice_is_its_claim():
    """The factor protects 70 %: 30 is the debt, and what comes back is 30 % of half of it."""
    debts = [Debt(0, 100, vat=10, insolvent=50, lost=50, recovery=0.5, share=0.3), Debt(1, 10, lost=60, share=0.3)]
    rows = settle([terms(1.0)], [debts], recovery_lag=10)
    assert gaps(rows) == pytest.approx(waterfall(debt=33, vat=3, not_covered=3, indemnity=27))
    assert rows.indemnity[0, 0] == pytest.approx(27 - 15 * 27 / 30)


# --- afterwards ---


def test_late_notice_costs_part_of_the_indemnity():
    """Missed for certain, half is lost; only where a debt was overdue for the 30 days by the date of loss. What the
    insurer does not owe does not use up its maximum liability."""
    policy = terms(1.0, missed=1.0, reduction=0.5, notify_after=30, maximum_liability=120)
    overdue, fresh = Debt(0, 100, due=20, insolvent=50), Debt(1, 100, due=21, insolvent=50)
    rows = settle([policy], [[overdue, fresh]])
    assert gaps(rows) == waterfall(debt=200, notification=50, maximum_liability=30, indemnity=120)
    some = settle([policy | {"missed": 0.25}], [[overdue]] * 4_000, notification_key=np.array([7, 7], np.uint32))
    share = (some.indemnity_gross[:, 0] < 100).mean()
    assert share == pytest.approx(0.25, abs=4.5 * np.sqrt(0.25 * 0.75 / 4_000))


def test_an_insurer_that_fails_pays_from_its_estate():
    """Certain to fail on day 1: 40 % of what is due from then on; the shares in recoveries follow what was paid."""
    policy = terms(1.0, insurer_intensity=np.inf, insurer_recovery=0.4, settlement_days=20)
    rows = settle(
        [policy], [[Debt(0, 100, insolvent=50, lost=50, recovery=0.5)]], recovery_lag=30, drivers=np.zeros((1, 1))
    )
    assert gaps(rows) == waterfall(debt=100, insurer_default=60, indemnity=40)
    assert rows.insurer_loss[0, 0] == 60
    assert rows.indemnity[0, 0] == pytest.approx(40 - 50 * 0.4)
    with pytest.raises(ValueError, match="common state"):
        settle([policy], [[Debt(0, 100, insolvent=50)]])


def test_a_failed_insurer_gets_no_more_premium():
    """It fails on day 100 for certain. Paid by then: fees and the deposits of days 0 and 92, not those of days 183 and
    274 nor the adjustment; from day 1 on only the first deposit and fees are paid. No bonus comes back either."""
    price = {"premium_minimum": 3_200, "premium_rate": 0.005, "planned_turnover": 1e6, "premium_fees": 100}
    price |= {"instalment": [800 if t in (0, 13, 26, 39) else 0 for t in range(52)], "premium_tax": 0.1}
    certain = price | {"insurer_systemic": 1.0, "insurer_intensity": 365 * np.log(2) / 100}
    policies = [terms(**price), terms(**certain), terms(**certain | {"insurer_intensity": np.inf})]
    policies.append(terms(**certain, bonus=[(9.0, -1.0)]))
    rows = settle(policies, [[]], n_buyers=1, drivers=np.zeros((1, 1)))
    assert rows.premium[0] == pytest.approx([1.1 * 5_100, 1.1 * 1_700, 1.1 * 900, 1.1 * 1_700])
    np.testing.assert_allclose(rows.premium_cash.sum(axis=2), rows.premium)
    assert np.flatnonzero(rows.premium_cash[0, 1]).tolist() == [0, 13]
    # the policy ends, and is adjusted, before the insurer fails
    early = terms(**certain, last_day=90, adjustment_period=12)
    assert settle([early], [[]], n_buyers=1, drivers=np.zeros((1, 1))).premium[0, 0] == pytest.approx(1.1 * 3_500)


def test_insurers_fail_as_often_as_their_probability_says_and_in_bad_times():
    """Φ(latent) ≤ 1 - exp(-0.5·300/365) for a claim due on day 300; the latent follows the driver."""
    n = 20_000
    rng = np.random.default_rng(4)
    drivers = rng.normal(size=(n, 1))
    policy = terms(1.0, insurer_intensity=0.5, insurer_systemic=0.6, insurer_recovery=0.0)
    rows = settle([policy], [[Debt(0, 1, insolvent=300)]] * n, drivers=drivers, insurer_key=np.array([3, 9], np.uint32))
    failed = rows.insurer_loss[:, 0] > 0
    expected = 1 - np.exp(-0.5 * 300 / 365)
    assert failed.mean() == pytest.approx(expected, abs=4.5 * np.sqrt(expected * (1 - expected) / n))
    assert drivers[failed, 0].mean() < -0.5


def test_money_to_the_oldest_invoices():
    """Two invoices of 60; the older is covered in full, the younger for 30. Indemnity at 2/3: 60. The dividend of 10 %
    of both, 12, falls on the older: 12 × 40/60 = 8. Covered debt for debt (R2) would be 12 × 90/120 = 9."""
    policy = terms(2 / 3, limit=90.0)
    failed = {"insolvent": 50, "lost": 50, "recovery": 0.1}
    debts = [Debt(0, 60, issue=1, **failed), Debt(0, 60, issue=2, **failed)]
    for rule, share in (("oldest_first", 8), ("by_indemnity", 6), ("by_covered_debt", 9), ("insurer_first", 12)):
        rows = settle([policy | {"recovery_rule": rule}], [debts], recovery_lag=30)
        assert rows.indemnity_gross[0, 0] - rows.indemnity[0, 0] == pytest.approx(share), rule
    # late payment of the younger comes first and still fills the older one
    early = [debts[0], debts[1]._replace(paid=60, lost=NEVER, recovery=0.0)]
    rows = settle([policy | {"recovery_rule": "oldest_first"}], [early], recovery_lag=30)
    assert rows.claim_cash[0, 0, 59 // 7] == pytest.approx(-60 * 40 / 60)


@pytest.mark.parametrize(("costs", "share"), [("shared", 4_500), ("policyholder", 5_000), ("insurer", 4_000)])
def test_who_bears_the_costs_of_recovering(costs, share):
    """9,000 arrive of 10,000 recovered at 10 % cost; half of the debt was indemnified. A late payment costs nothing."""
    debt = Debt(0, 18_000, insolvent=50, lost=50, recovery=0.5)
    rows = settle([terms(0.5, recovery_costs=costs)], [[debt]], recovery_lag=30, recovery_cost=0.1)
    assert rows.indemnity_gross[0, 0] - rows.indemnity[0, 0] == pytest.approx(share)
    late = Debt(0, 100, due=10, protracted=True, paid=300)
    rows = settle([terms(0.5, waiting_days=180, recovery_costs=costs)], [[late]], recovery_cost=0.1)
    assert rows.indemnity[0, 0] == 0


def test_a_recovery_arrives_on_its_own_day():
    rows = settle([terms(1.0)], [[Debt(0, 100, insolvent=50, lost=50, recovery=0.5, receipt=120)]])
    assert rows.claim_cash[0, 0, 119 // 7] == -50


def test_programmes_read_the_ledger_of_their_regime():
    """Rows of events: two scenarios as the study trades, then the same two under another way of trading."""
    book, events = arrays([[Debt(0, 1, insolvent=5)], [], [Debt(0, 10, insolvent=5)], [Debt(0, 100, insolvent=5)]])
    built = plan([terms(1.0), terms(1.0)], 1, book)
    built.regime[1] = 1
    rows = apply_policies(built, book, clock(), events, constant_rates(2))
    assert rows.indemnity_gross.tolist() == [[1, 10], [0, 100]]
