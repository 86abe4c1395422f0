"""Laws that hold for any policy and any claims, found by hypothesis or drawn with a fixed seed."""

import numpy as np
import pytest
from hypothesis import assume, given, settings
from hypothesis import strategies as st

from simulator.jit import NEVER
from simulator.policy.apply import apply_policies
from tests.policy_cases import Debt, arrays, clock, constant_rates, gaps, plan, settle

N_BUYERS = 5
GAP_PARTS = slice(1, None)
amounts = st.integers(1, 200_000).map(float)
first_losses = st.integers(0, 60_000).map(float)
fractions = st.sampled_from([0.0, 0.25, 0.5, 0.8, 0.9, 0.95, 1.0])


@st.composite
def debts(draw):
    """One scenario: buyers that fail or are late, with a few invoices each."""
    found = []
    for buyer in range(N_BUYERS):
        insolvent = draw(st.sampled_from([NEVER, 30, 60, 200, 300]))
        for _ in range(draw(st.integers(0, 3))):
            due = draw(st.integers(-30, 100))
            paid = draw(st.sampled_from([NEVER, NEVER, 250, 350, 400])) if insolvent == NEVER else NEVER
            late = draw(st.booleans())
            # lost with the buyer, or as a protracted default; nothing is shipped to an insolvent buyer
            lost = insolvent if insolvent != NEVER or not late else due + 180
            found.append(
                Debt(
                    buyer, draw(amounts), issue=min(due - 30, insolvent - 1), due=due, paid=paid, insolvent=insolvent,
                    protracted=late, lost=lost if paid == NEVER else NEVER,
                    recovery=draw(fractions), disputed=draw(st.integers(0, 9)) == 0,
                )
            )  # fmt: skip
    return found


@st.composite
def policies(draw):
    return {
        "order": draw(st.integers(0, 1)),
        "percentage_insolvency": draw(fractions),
        "percentage_protracted": draw(fractions),
        "percentage_discretionary": draw(st.sampled_from([np.nan, 0.6])),
        "discretionary": [draw(st.booleans()) for _ in range(N_BUYERS)],
        "limit": [draw(st.sampled_from([0.0, 40_000.0, 150_000.0, np.inf])) for _ in range(N_BUYERS)],
        "non_qualifying_loss": draw(first_losses),
        "each_and_every_first_loss": draw(first_losses),
        "aggregate_first_loss": draw(first_losses),
        "maximum_liability": draw(st.sampled_from([np.inf, 100_000.0, 300_000.0])),
        "waiting_days": draw(st.sampled_from([180, 210])),
        "settlement_days": draw(st.sampled_from([0, 30, 90])),
    }


def run(programmes, scenario, lag=20):
    return settle(programmes, [scenario], n_buyers=N_BUYERS, recovery_lag=lag)


law = settings(max_examples=100, deadline=None)


@given(policies(), debts())
@law
def test_indemnity_is_within_covered_debt_within_limits(policy, scenario):
    rows = run([policy], scenario)
    steps = gaps(rows)
    covered = steps["debt"] - steps["not_covered"] - steps["over_limit"]
    gross = rows.indemnity_gross[0, 0]
    tolerance = 1e-9 * (1 + steps["debt"])
    assert 0 <= rows.indemnity[0, 0] <= gross <= covered + tolerance
    assert gross <= policy["maximum_liability"] * (1 + 1e-12)
    assert covered <= sum(policy["limit"]) + tolerance
    assert steps["debt"] == pytest.approx(rows.gap[0, 0, GAP_PARTS].sum(), rel=1e-9)
    assert (rows.gap >= -tolerance).all()
    assert steps["indemnity"] == gross
    assert rows.claim_cash.sum() == pytest.approx(rows.indemnity_in_horizon[0, 0], abs=tolerance)


@given(policies(), debts(), st.sampled_from(["percentage", "limit", "maximum_liability"]), st.floats(1.0, 3.0))
@law
def test_better_terms_pay_no_less(policy, scenario, term, factor):
    better = dict(policy)
    if term == "percentage":
        assume(not np.isnan(policy["percentage_discretionary"]))
        for peril in ("insolvency", "protracted", "discretionary"):
            better[f"percentage_{peril}"] = min(1.0, policy[f"percentage_{peril}"] * factor)
    else:
        better[term] = np.asarray(policy[term]) * factor
    rows = run([policy, better], scenario)
    less, more = rows.indemnity_gross[0]
    assert more >= less * (1 - 1e-12)


@given(
    policies(),
    debts(),
    st.sampled_from(["non_qualifying_loss", "each_and_every_first_loss", "aggregate_first_loss"]),
    st.integers(0, 50_000),
)
@law
def test_a_larger_first_loss_pays_no_more(policy, scenario, term, more):
    rows = run([policy, policy | {term: policy[term] + more}], scenario)
    before, after = rows.indemnity_gross[0]
    assert after <= before + 1e-9 * (1 + before)


@given(fractions, st.lists(st.integers(50_000, 200_000).map(float), min_size=1, max_size=5), st.booleans())
@law
def test_the_two_orders_differ_by_coinsurance_on_the_deductibles(percentage, claims, same_day):
    """Where nothing floors and no cap binds: W2 - W1 = (1 - %) × deductibles."""
    excess, first_loss = 1_000.0, 9_000.0
    assume(percentage * min(claims) > excess + first_loss)
    policy = {
        "percentage_insolvency": percentage,
        "each_and_every_first_loss": excess,
        "aggregate_first_loss": first_loss,
    }
    scenario = [Debt(b, amount, insolvent=50 if same_day else 50 + b) for b, amount in enumerate(claims)]
    w1, w2 = run([policy, policy | {"order": 1}], scenario).indemnity_gross[0]
    assert w2 - w1 == pytest.approx((1 - percentage) * (len(claims) * excess + first_loss), abs=1e-6)


@given(policies(), debts())
@law
def test_percent_first_total_does_not_depend_on_the_order_of_claims(policy, scenario):
    """All claims together: min(maximum liability, max(0, Σ claims after percentage and excess - first loss))."""
    policy = policy | {"order": 0, "aggregate_first_loss": 0.0, "maximum_liability": np.inf}
    free = run([policy], scenario).indemnity_gross[0, 0]
    whole = policy | {"aggregate_first_loss": 70_000.0, "maximum_liability": 90_000.0}
    rows = run([whole], scenario)
    assert rows.indemnity_gross[0, 0] == pytest.approx(min(90_000, max(0, free - 70_000)), rel=1e-9, abs=1e-6)


@given(policies(), debts(), st.permutations(range(N_BUYERS)))
@law
def test_the_order_of_buyers_in_the_ledger_does_not_matter(policy, scenario, moved):
    """Buyers re-sorted, their ids (ranks) unchanged: the same bytes."""
    results = []
    for position in (range(N_BUYERS), moved):
        built = plan([policy], N_BUYERS)
        for buyer, place in enumerate(position):
            built.limit[0, place] = policy["limit"][buyer]
            built.discretionary[0, place] = policy["discretionary"][buyer]
            built.buyer_rank[place] = buyer
        book, events = arrays([[debt._replace(buyer=position[debt.buyer]) for debt in scenario]])
        rows = apply_policies(built, book, clock(), events, constant_rates(1), 20)
        results.append(b"".join(values.tobytes() for values in rows))
    assert results[0] == results[1]


@given(debts())
@law
def test_full_cover_pays_the_debt_and_no_cover_pays_nothing(scenario):
    full = {"percentage_insolvency": 1.0, "percentage_protracted": 1.0, "waiting_days": 180}
    none = {"percentage_insolvency": 0.0, "percentage_protracted": 0.0, "waiting_days": 180}
    rows = run([full, none], [debt._replace(disputed=False) for debt in scenario])
    assert rows.indemnity_gross[0, 0] == rows.gap[0, 0, 0]
    assert rows.gap[0, 0, 1:-1].any() == 0
    for values in (rows.indemnity, rows.indemnity_gross, rows.indemnity_in_horizon, rows.premium):
        assert values[0, 1] == 0
    assert not rows.claim_cash[0, 1].any()


@given(policies(), debts(), st.integers(0, 400))
@law
def test_settlement_only_moves_money(policy, scenario, later):
    slow = policy | {"settlement_days": policy["settlement_days"] + later}
    rows = run([policy, slow], scenario)
    for values in (rows.indemnity, rows.indemnity_gross, rows.gap):
        assert values[:, 0].tobytes() == values[:, 1].tobytes()
    # claims alone arrive later, period by period; shares wait for the indemnity, so the net stays ahead too
    paid = np.cumsum(run([policy, slow], [d._replace(recovery=0.0) for d in scenario if d.paid == NEVER]).claim_cash, 2)
    assert (paid[0, 1] <= paid[0, 0] + 1e-6).all()


@given(policies(), debts(), st.integers(0, 90))
@law
def test_waiting_only_moves_debts_that_are_never_paid(policy, scenario, longer):
    """All shipped before the first claim, never paid, no insolvency: the claims are the same, later."""
    frozen = [d._replace(paid=NEVER, insolvent=NEVER, protracted=True, due=10, issue=0, recovery=0.0) for d in scenario]
    patient = policy | {"waiting_days": policy["waiting_days"] + longer}
    rows = run([policy, patient], frozen)
    np.testing.assert_array_equal(rows.indemnity_gross[:, 0], rows.indemnity_gross[:, 1])
    np.testing.assert_array_equal(rows.gap[:, 0], rows.gap[:, 1])
    paid = np.cumsum(rows.claim_cash, axis=2)
    assert (paid[0, 1] <= paid[0, 0] + 1e-6).all()


@given(policies(), debts(), st.sampled_from([0.5, 2.0, 1024.0]))
@law
def test_all_money_times_k_gives_k_times_the_result(policy, scenario, k):
    """Powers of two, so that rounding cannot hide a term that was forgotten."""
    money = ("limit", "non_qualifying_loss", "each_and_every_first_loss", "aggregate_first_loss", "maximum_liability")
    scaled = policy | {name: np.asarray(policy[name]) * k for name in money}
    one = run([policy], scenario)
    many = run([scaled], [debt._replace(amount=debt.amount * k) for debt in scenario])
    for values, times in zip(one, many, strict=True):
        np.testing.assert_array_equal(values * k, times)


@given(policies(), debts())
@law
def test_an_invoice_cut_in_two_is_the_same_debt(policy, scenario):
    halves = [half for d in scenario for half in (d._replace(amount=d.amount / 2), d._replace(amount=d.amount / 2))]
    one, two = run([policy], scenario), run([policy], halves)
    for values, same in zip(one, two, strict=True):
        np.testing.assert_allclose(values, same, rtol=1e-12, atol=1e-6)
