"""Each term as an underwriter would check it: loss in, indemnity out."""

import numpy as np
import pytest

from simulator.jit import NEVER
from simulator.policy import formulas as f
from simulator.policy import premium_formulas as pf
from simulator.policy import recovery_formulas as rf
from simulator.policy import term_formulas as tf
from simulator.policy.codes import steps_of
from simulator.policy.records import blank_terms
from tests.policy_cases import Debt, gaps, settle, terms, waterfall

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
