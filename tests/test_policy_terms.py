"""Each term as an underwriter would check it: loss in, indemnity out."""

import numpy as np
import pytest

from simulator.jit import NEVER
from simulator.policy import formulas as f
from simulator.policy import premium_formulas as pf
from simulator.policy import recovery_formulas as rf
from simulator.policy import term_formulas as tf
from simulator.policy.apply import apply_policies
from simulator.policy.codes import steps_of
from simulator.policy.limits import ALWAYS
from simulator.policy.records import blank_terms
from tests.policy_cases import Debt, arrays, clock, constant_rates, gaps, plan, settle, terms, waterfall

INF = np.inf
W1, W2 = "percent_first", "deductible_first"
# covered, non-qualifying loss, each-and-every, aggregate first loss left, liability left, W1 pays, W2 pays (90 %)
SINGLE_CLAIMS = [
    (4_999.99, 5_000, 0, 0, INF, 0, 0),
    (5_000, 5_000, 0, 0, INF, 4_500, 4_500),
    (50_000, 0, 5_000, 0, INF, 40_000, 40_500),
    (50_000, 0, 0, 10_000, INF, 35_000, 36_000),
    (50_000, 0, 5_000, 10_000, INF, 30_000, 31_500),
    (10_000, 0, 5_000, 10_000, INF, 0, 0),
    (100_000, 1_000, 2_500, 20_000, INF, 67_500, 69_750),
    (500_000, 0, 0, 0, 300_000, 300_000, 300_000),
]


def apply(covered, percentage=0.9, first_loss=0.0, liability=INF, order=W1, **amounts):
    """One claim through the steps of an order."""
    record = blank_terms(1)
    record["steps"] = steps_of(order)
    for name, value in amounts.items():
        record[name] = value
    return tf.apply_terms(record[0], covered, percentage, first_loss, liability)


@pytest.mark.parametrize(("covered", "nql", "excess", "first_loss", "left", "w1", "w2"), SINGLE_CLAIMS)
def test_single_claims(covered, nql, excess, first_loss, left, w1, w2):
    for order, pays in ((W1, w1), (W2, w2), ("excess_of_loss", w2)):
        amounts = {"non_qualifying_loss": nql, "each_and_every_first_loss": excess}
        *steps, _ = apply(covered, 0.9, first_loss, left, order, **amounts)
        assert steps[-1] == pytest.approx(pays, abs=0.001)
        assert sum(steps) == pytest.approx(covered, rel=1e-12)
        assert min(steps) >= 0


@pytest.mark.parametrize(("covered", "nql", "excess", "first_loss", "left", "w1", "w2"), SINGLE_CLAIMS)
def test_single_claims_through_the_room(covered, nql, excess, first_loss, left, w1, w2):
    amounts = {
        "non_qualifying_loss": nql,
        "each_and_every_first_loss": excess,
        "aggregate_first_loss": first_loss,
        "maximum_liability": left,
    }
    rows = settle([terms(order=W1, **amounts), terms(order=W2, **amounts)], [[Debt(0, covered, insolvent=70, lost=70)]])
    np.testing.assert_allclose(rows.indemnity_gross[0], [w1, w2], atol=0.001)


def test_regression_vectors_of_a_claims_engine():
    """Covered 75,000 at 90 %, gate 1,000, excess 500, first loss 2,000, cap 200,000; then 85,000 with 50,000 left."""
    amounts = {"non_qualifying_loss": 1_000, "each_and_every_first_loss": 500}
    gate, percentage, excess, _, first_loss, cap, pays, _ = apply(75_000, 0.9, 2_000, 200_000, **amounts)
    steps = [75_000 - gate, 75_000 - gate - percentage]
    steps += [steps[-1] - excess, steps[-1] - excess - first_loss, steps[-1] - excess - first_loss - cap]
    assert [*steps, pays] == pytest.approx([75_000, 67_500, 67_000, 65_000, 65_000, 65_000])
    *_, cap, pays, _ = apply(85_000, 0.9, 0, 50_000, **amounts)
    assert (pays + cap, pays) == (76_000, 50_000)


def test_the_minimum_retention_tops_the_coinsurance_up():
    """Debt 5,000, uninsured 15 % = 750, minimum retention 1,000: 4,000 is paid; of 10,000 the 1,500 is more."""
    for covered, coinsurance, retention, pays in (
        (5_000, 750, 250, 4_000),
        (10_000, 1_500, 0, 8_500),
        (600, 90, 510, 0),
    ):
        found = apply(covered, 0.85, order="minimum_retention", minimum_retention=1_000)
        assert found[1] == pytest.approx(coinsurance)
        assert found[3] == pytest.approx(retention)
        assert found[6] == pytest.approx(pays, abs=1e-9)
    rows = settle([{"percentage": 0.85, "order": "minimum_retention", "minimum_retention": 1_000}],
                  [[Debt(0, 5_000, insolvent=9)]])  # fmt: skip
    assert gaps(rows) == pytest.approx(waterfall(debt=5_000, coinsurance=750, minimum_retention=250, indemnity=4_000))


def test_in_an_order_of_ones_own_the_minimum_retention_tops_up_all_that_is_borne():
    """100,000 less an excess of 5,000, 90 % of that is 85,500: 14,500 are borne, 20,000 the least. A deducted
    non-qualifying loss counts too; what comes after the step does not."""
    order = ("each_and_every_first_loss", "insured_percentage", "minimum_retention")
    amounts = {"each_and_every_first_loss": 5_000, "minimum_retention": 20_000}
    found = apply(100_000, 0.9, order=order, **amounts)
    assert found[1:4] == pytest.approx((9_500, 5_000, 5_500))
    assert found[6] == pytest.approx(80_000)
    after = ("insured_percentage", "minimum_retention", "each_and_every_first_loss")
    assert apply(100_000, 0.9, order=after, **amounts)[6] == pytest.approx(75_000)
    deducted = apply(
        100_000, 0.9, order=("non_qualifying_loss", *order), non_qualifying_loss=2_000, non_qualifying_deducted=True,
        **amounts,
    )  # fmt: skip
    assert deducted[6] == pytest.approx(80_000)


def test_a_non_qualifying_loss_may_fail_at_equality_or_be_deducted():
    assert apply(5_000, non_qualifying_loss=5_000)[6] == 4_500
    assert apply(5_000, non_qualifying_loss=5_000, equality_fails=True)[:1] == (5_000,)
    assert apply(5_000.01, non_qualifying_loss=5_000, equality_fails=True)[6] == pytest.approx(4_500.009)
    # deducted, at its place in the order: first in W1 (90 % of 85,000), after the percentage in an order of one's own
    deducted = {"non_qualifying_loss": 5_000, "non_qualifying_deducted": True}
    assert apply(90_000, **deducted)[6] == pytest.approx(76_500)
    assert apply(90_000, order=("insured_percentage", "non_qualifying_loss"), **deducted)[6] == pytest.approx(76_000)


def test_a_gate_looks_at_the_covered_debt_wherever_it_stands():
    late = ("insured_percentage", "non_qualifying_loss", "maximum_liability")
    assert apply(5_000, order=late, non_qualifying_loss=5_000)[6] == 4_500
    assert apply(4_999, order=late, non_qualifying_loss=5_000)[0] == 4_999


def test_erosion_from_the_ground_up():
    """First loss 100,000, two claims of 90,000 at 90 %: approved claims erode 81,000, then 19,000 and 62,000 is paid;
    ground up the first takes 90,000 of it and the second finds 10,000: 71,000. Below the gate nothing is eroded."""
    debts = [Debt(0, 90_000, insolvent=10), Debt(1, 90_000, insolvent=20), Debt(2, 500, insolvent=5)]
    policy = terms(aggregate_first_loss=100_000, non_qualifying_loss=1_000)
    rows = settle([policy, policy | {"eroded_ground_up": True}], [debts])
    assert rows.indemnity_gross[0] == pytest.approx([62_000, 71_000])


def test_two_claims_share_first_loss_and_cap():
    """The same vectors as two claims of one policy: the second finds the first loss gone and 135,000 left."""
    policy = terms(
        non_qualifying_loss=1_000, each_and_every_first_loss=500, aggregate_first_loss=2_000, maximum_liability=100_000
    )
    rows = settle([policy], [[Debt(0, 75_000, insolvent=10), Debt(1, 85_000, insolvent=20)]])
    assert rows.indemnity_gross[0, 0] == pytest.approx(100_000)
    assert gaps(rows)["maximum_liability"] == pytest.approx(65_000 + 76_000 - 100_000)
    assert gaps(rows)["aggregate_first_loss"] == pytest.approx(2_000)


def test_worked_numbers_of_when():
    assert f.event_loss_day(70, 0) == 70
    assert f.event_loss_day(70, 180) == 250
    assert f.event_loss_day(NEVER, 180) == NEVER
    assert f.protracted_loss_day(70, 182, 30, 300) == 252
    assert f.protracted_loss_day(70, 182, 30, 283) == 252
    assert f.protracted_loss_day(70, 182, 30, 282) == NEVER
    assert f.held_up_loss_day(70, 182, 30, 80, 290) == 252
    assert f.held_up_loss_day(70, 182, 30, 80, 282) == NEVER
    assert f.held_up_loss_day(70, 182, 30, 253, 400) == NEVER
    assert f.date_of_loss(300, 252) == 252
    assert f.is_claimed(14, 60, 140, 70, 210)
    assert not f.is_claimed(14, 60, 140, 140, 210)
    assert not f.is_claimed(14, 60, 140, 13, 210)
    assert not f.is_claimed(14, 60, 140, 50, 210)
    assert f.is_claimed(14, 60, 271, 50, 210)
    assert f.is_lost_unclaimed(71, 300, 70)
    assert not f.is_lost_unclaimed(14, 300, 70)
    assert f.is_lost_unclaimed(14, 300, NEVER)
    assert f.falls_in_period(400, 1, 365, False)
    assert not f.falls_in_period(400, 1, 365, True)
    assert f.claim_key(14, 3) == 60_129_542_147
    assert f.claim_key(NEVER, 3) > f.claim_key(10_000, 2**31 - 1)


def test_worked_numbers_of_how_much():
    assert f.left_of_debt(110_000.0, 22_000.0, 110_000.0) == 88_000
    assert f.still_owed(200_000.0, 140_000.0) == 0.7
    assert f.policy_rate(np.full((1, 1, 2), 0.92), 0, 0, 5) == 0.92
    assert f.policy_rate(np.full((1, 1, 2), 0.92), 0, -1, 5) == 1
    assert [f.conversion_day(rule, 9, 20, 39, 219, 249) for rule in range(6)] == [219, 9, 20, 39, 249, 219]
    assert f.dispute_state(False, 0.03, 0.4, 0.05, 0.5, True) == 1
    assert f.dispute_state(False, 0.03, 0.4, 0.05, 0.5, False) == 2
    assert f.dispute_state(False, 0.07, 0.4, 0.05, 0.5, True) == 0
    assert f.limit_after_change(1e5, 59, 60, 0.4) == 1e5
    assert f.limit_after_change(1e5, 60, 60, 0.4) == 40_000
    assert f.additional_limit(50_000.0, 1.0, 40_000.0) == 40_000
    assert f.additional_limit(0.0, 1.0, 40_000.0) == 0
    assert f.covered_debt(60_000.0, 60_000.0, 90_000.0) == 90_000
    assert f.covered_debt(60_000.0, 60_000.0, 50_000.0) == 60_000
    assert f.room_left(500_000.0, 420_000.0) == 80_000
    assert f.happens(2**31 - 1, 0.6)
    assert not f.happens(2**31, 0.5)
    assert not tf.qualifies(4_999.99, 5_000, False)
    assert tf.qualifies(5_000, 5_000, False)
    assert not tf.qualifies(5_000, 5_000, True)
    assert tf.after_percentage(90_000.0, 0.9) == 81_000
    assert tf.after_deductible(81_000.0, 1_000.0) == 80_000
    assert tf.after_deductible(800.0, 1_000.0) == 0
    assert tf.after_minimum_retention(4_250.0, 1_000.0, 750.0) == 4_000
    assert tf.after_minimum_retention(4_250.0, 1_000.0, 1_200.0) == 4_250
    assert tf.absorbed_by_first_loss(80_000.0, 20_000.0) == 20_000
    assert tf.erosion_of_first_loss(81_000.0, 90_000.0, True, False, 100_000.0) == 81_000
    assert tf.erosion_of_first_loss(81_000.0, 90_000.0, True, True, 100_000.0) == 90_000
    assert tf.capped_by_maximum_liability(71_000.0, 59_400.0) == 59_400
    amounts = {"non_qualifying_loss": 1e3, "each_and_every_first_loss": 2.5e3}
    assert apply(1e5, 0.9, 2e4, INF, W1, **amounts) == (0, 10_000, 2_500, 0, 20_000, 0, 67_500, 20_000)
    assert apply(1e5, 0.9, 2e4, INF, W2, **amounts) == (0, 7_750, 2_500, 0, 20_000, 0, 69_750, 20_000)


def test_worked_numbers_of_afterwards():
    assert rf.lost_by_late_notice(60_000.0, True, 0.5) == 30_000
    assert rf.lost_by_late_notice(60_000.0, False, 0.5) == 0
    assert rf.insurer_score(-2.0, 0.0, 0.25) == -1
    assert rf.failure_day(0.0, 0.1) == 2_530
    assert rf.failure_day(0.0, 0.001) == NEVER
    assert rf.failure_day(0.0, 0.0) == NEVER
    assert rf.paid_by_insurer(60_000.0, 100, 90, 0.4) == 24_000
    assert rf.paid_by_insurer(60_000.0, 89, 90, 0.4) == 60_000
    assert rf.receipt_day(300, NEVER) == 300
    assert rf.receipt_day(NEVER, 434) == 434
    assert rf.receipt_amount(120_000.0, NEVER, 0.1) == 12_000
    assert [rf.insurer_share(rule, 12e3, 6e4, 9e4, 12e4) for rule in (0, 1, 3)] == [6_000, 9_000, 12_000]
    assert rf.share_of_invoice(0.0, 6e4, 0.0, 12e3, 6e4, 9e4, 6e4) == pytest.approx(8_000)
    assert rf.share_of_invoice(6e4, 12e4, 0.0, 12e3, 6e4, 9e4, 3e4) == 0
    assert [rf.after_costs(4_500.0, 9_000.0, rule, 0.1) for rule in range(3)] == pytest.approx([4_500, 5_000, 4_000])
    assert [pf.share_of_policy_year(days) for days in (91, 364, 365)] == [0.25, 1, 1]
    assert pf.premium_on_turnover(220_000.0, 0.005, 3_200.0) == 3_200
    assert pf.after_bonus(10_000.0, -0.1) == 9_000
    assert pf.premium_due(3_200.0, 120.0, 0.0, 0.1) == pytest.approx(3_652)
    assert pf.premium_due(3_200.0, 0.0, 120.0, 0.1) == pytest.approx(3_640)
    assert pf.premium_adjustment(5_000.0, 3_200.0, 0.1) == pytest.approx(1_980)


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


# --- debts paid before the indemnity is due ---

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
