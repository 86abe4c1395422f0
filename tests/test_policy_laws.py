"""Laws that hold for any policy and any claims, found by hypothesis or drawn with a fixed seed.

Policies share limits between buyers and within a country, have a top-up, suspend disputed debts and are in a currency
of their own; debts are in two currencies. A law that does not hold for one of these takes it out (:func:`without`) and
says why. Rates are those of one day: what their movement does is in ``tests/test_policy_cover.py``.
"""

import numpy as np
import pytest
from hypothesis import assume, given, settings
from hypothesis import strategies as st

from simulator.jit import NEVER
from simulator.policy.apply import apply_policies, claims_in_order
from simulator.policy.codes import RECOVERY_RULES, STUDY_CURRENCY
from simulator.policy.gaps import GAP_STEPS
from simulator.policy.limits import ALWAYS
from simulator.policy.views import with_views
from tests.policy_cases import Debt, arrays, clock, constant_rates, gaps, plan, settle

N_BUYERS = 5
GAP_PARTS = slice(1, None)
#: Study currency per unit of either currency.
RATES = (1.0, 0.5)
#: Disputes of the ledger are settled for the seller, after some days; no others are drawn.
DISPUTES = {"dispute_upheld": 1.0, "dispute_days": 50}
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
            # what a solvent buyer never pays is a protracted default in the end
            late = draw(st.booleans()) or paid == insolvent == NEVER
            # lost with the buyer, or as a protracted default; nothing is shipped to an insolvent buyer
            lost = insolvent if insolvent != NEVER or not late else due + 180
            amount = draw(amounts)
            found.append(
                Debt(
                    buyer, amount, issue=min(due - 30, insolvent - 1), due=due, paid=paid, insolvent=insolvent,
                    protracted=late, lost=lost if paid == NEVER else NEVER,
                    recovery=draw(fractions), disputed=draw(st.integers(0, 9)) == 0,
                    currency=draw(st.sampled_from([0, 0, 1])),
                    vat=amount * draw(st.sampled_from([0.0, 0.0, 0.125])),
                )
            )  # fmt: skip
    return found


ORDERS = [
    "percent_first", "deductible_first", "minimum_retention",
    ("insured_percentage", "non_qualifying_loss", "aggregate_first_loss", "each_and_every_first_loss"),
    ("each_and_every_first_loss", "insured_percentage", "minimum_retention"),
]  # fmt: skip
CANCELLED = [(ALWAYS, 150_000.0), (20, 0.0)]


@st.composite
def policies(draw):
    peril = draw(fractions)
    limits = [draw(st.sampled_from([0.0, 40_000.0, 150_000.0, np.inf, CANCELLED])) for _ in range(N_BUYERS)]
    shared = draw(st.booleans())
    if shared:  # two buyers share the limit of the first one
        limits[1] = limits[0]
    return {
        "group_pool": [0, 0, -1, -1, -1] if shared else [-1] * N_BUYERS,
        "country_pool": draw(st.sampled_from([[-1] * N_BUYERS, [1, 1, 1, 1, -1]])),
        "country_maximum": draw(st.sampled_from([20_000.0, 90_000.0])),
        "top_up_multiple": draw(st.sampled_from([0.0, 0.0, 0.5, 2.0])),
        "top_up_maximum": draw(st.sampled_from([30_000.0, np.inf])),
        "top_up_percentage": draw(st.sampled_from([0.5, 0.9])),
        "disputes_suspended": draw(st.booleans()),
        "currency": draw(st.sampled_from([STUDY_CURRENCY, STUDY_CURRENCY, 1])),
        "order": draw(st.sampled_from(ORDERS)),
        "percentage": {"insolvency": peril, "protracted_default": draw(fractions)},
        "percentage_by_buyer": [draw(st.sampled_from([np.nan, np.nan, 0.6])) for _ in range(N_BUYERS)],
        "limit": limits,
        "non_qualifying_loss": draw(first_losses),
        "non_qualifying_deducted": draw(st.booleans()),
        "each_and_every_first_loss": draw(first_losses),
        "minimum_retention": draw(first_losses),
        "aggregate_first_loss": draw(first_losses),
        "eroded_ground_up": draw(st.booleans()),
        "maximum_liability": draw(st.sampled_from([np.inf, 100_000.0, 300_000.0])),
        "waiting_days": draw(st.sampled_from([180, 210])),
        "settlement_days": draw(st.sampled_from([0, 30, 90])),
        "oldest_first": draw(st.booleans()),
        "recovery_rule": draw(st.sampled_from(RECOVERY_RULES)),
    }


def without(policy, *terms):
    """A policy without shared limits, country maxima or a top-up, as told."""
    none = {
        "group": {"group_pool": [-1] * N_BUYERS},
        "country": {"country_pool": [-1] * N_BUYERS},
        "top_up": {"top_up_multiple": 0.0},
    }
    for term in terms:
        policy = policy | none[term]
    return policy


def unit(policy):
    """Study currency per unit of the policy's."""
    return RATES[max(0, policy["currency"])]


def scaled(limits, factor):
    """Limits times a factor, those that change included."""
    return [
        [(day, amount * factor) for day, amount in limit] if isinstance(limit, list) else limit * factor
        for limit in limits
    ]


def highest(limits):
    """The sum of the highest limits of all buyers."""
    return sum(max(amount for _, amount in limit) if isinstance(limit, list) else limit for limit in limits)


def run(programmes, scenario, lag=20):
    return settle(
        programmes, [scenario], n_buyers=N_BUYERS, recovery_lag=lag, rates=constant_rates(1, RATES), **DISPUTES
    )  # fmt: skip


law = settings(max_examples=100, deadline=None)


@given(policies(), debts())
@law
def test_indemnity_is_within_covered_debt_within_limits(policy, scenario):
    """A top-up's indemnities are beyond the limits and the maximum liability: a policy is taken without one, and with
    one it pays no less. That does not hold within a country's maximum, which earlier claims use up with debts that the
    top-up bears less of."""
    alone = without(policy, "country", "top_up")
    less, more = run([alone, without(policy, "country")], scenario).indemnity_gross[0]
    assert more >= less * (1 - 1e-12)
    policy = without(policy, "top_up")
    rows = run([policy], scenario)
    steps = gaps(rows)
    uncovered = ("conversion", "vat", "disputed", "not_covered", "limit_cancelled", "over_limit")
    covered = steps["debt"] - sum(steps[name] for name in uncovered)
    gross = rows.indemnity_gross[0, 0]
    tolerance = 1e-9 * (1 + steps["debt"])
    assert -tolerance <= rows.indemnity[0, 0] <= gross <= covered + tolerance
    assert gross <= policy["maximum_liability"] * unit(policy) * (1 + 1e-12)
    assert covered <= highest(policy["limit"]) * unit(policy) + tolerance
    assert steps["debt"] == pytest.approx(rows.gap[0, 0, GAP_PARTS].sum(), rel=1e-9)
    assert (rows.gap >= -tolerance).all()
    assert steps["indemnity"] == gross
    assert rows.claim_cash.sum() == pytest.approx(rows.indemnity_in_horizon[0, 0], abs=tolerance)


@given(policies(), debts(), st.sampled_from(["percentage", "limit", "maximum_liability"]), st.floats(1.0, 3.0))
@law
def test_better_terms_pay_no_less(policy, scenario, term, factor):
    """Not where limits are raised and a country's maximum is not: earlier claims take more of it, those of buyers with
    a lower percentage too, and leave less to the others. Nor beside a top-up with the larger percentage, which bears
    less of the debt then."""
    if term == "limit":
        policy = without(policy, "country", "top_up")
    better = dict(policy)
    if term == "percentage":
        better[term] = {peril: min(1.0, share * factor) for peril, share in policy[term].items()}
        # a buyer's own percentage stands for every peril that is insured at all: the least of them all
        own = np.asarray(policy["percentage_by_buyer"])
        better["percentage_by_buyer"] = np.fmin(1.0, own * factor) * np.where(np.isnan(own), np.nan, 1.0)
    else:
        better[term] = scaled(policy[term], factor) if term == "limit" else policy[term] * factor
    rows = run([policy, better], scenario)
    less, more = rows.indemnity_gross[0]
    assert more >= less * (1 - 1e-12)


@given(
    policies(),
    debts(),
    st.sampled_from(["non_qualifying_loss", "each_and_every_first_loss", "minimum_retention", "aggregate_first_loss"]),
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
        "percentage": percentage,
        "each_and_every_first_loss": excess,
        "aggregate_first_loss": first_loss,
    }
    scenario = [Debt(b, amount, insolvent=50 if same_day else 50 + b) for b, amount in enumerate(claims)]
    w1, w2 = run([policy, policy | {"order": "deductible_first"}], scenario).indemnity_gross[0]
    assert w2 - w1 == pytest.approx((1 - percentage) * (len(claims) * excess + first_loss), abs=1e-6)


@given(policies(), debts())
@law
def test_percent_first_total_does_not_depend_on_the_order_of_claims(policy, scenario):
    """All claims together: min(maximum liability, max(0, Σ claims after percentage and excess - first loss)). A top-up
    bears no first loss."""
    policy = without(policy, "top_up")
    policy = policy | {"order": "percent_first", "eroded_ground_up": False}
    policy |= {"aggregate_first_loss": 0.0, "maximum_liability": np.inf}
    free = run([policy], scenario).indemnity_gross[0, 0]
    whole = policy | {"aggregate_first_loss": 70_000.0 / unit(policy), "maximum_liability": 90_000.0 / unit(policy)}
    rows = run([whole], scenario)
    assert rows.indemnity_gross[0, 0] == pytest.approx(min(90_000, max(0, free - 70_000)), rel=1e-9, abs=1e-6)


@given(policies(), debts(), st.sampled_from([45, 150, 210, 250]))
@law
def test_claims_can_be_settled_in_two_blocks(policy, scenario, split):
    """All claims at once, or those with a date of loss up to a day first, and then the others with what the first ones
    left of the aggregate first loss, the maximum liability and a country's maximum: the same totals. Not where a limit
    is shared between claims of both blocks, since what is left of a limit by its date is no term of a policy."""
    policy = without(policy, "group")
    if policy["eroded_ground_up"]:
        # what qualifies is seen from outside where it is paid in full, so with a gate and nothing but it
        policy |= {"non_qualifying_deducted": False}
    book, events = arrays([scenario], recovery_lag=20, n_buyers=N_BUYERS)
    built = with_views(plan([policy], N_BUYERS, book, **DISPUTES))
    early = {buyer for buyer, day in claims_in_order(built, book, events, 0, 0, 0) if day is not None and day <= split}
    first, later = [d for d in scenario if d.buyer in early], [d for d in scenario if d.buyer not in early]
    # the first insurer's indemnities alone use up the maximum liability
    once, own = run([policy], scenario), run([without(policy, "top_up")], first)
    eroded = own.gap[0, 0, GAP_STEPS.index("aggregate_first_loss")]
    if policy["eroded_ground_up"]:
        eroded = run([in_full(policy)], first).indemnity_gross[0, 0]
    rest = policy | {
        "aggregate_first_loss": max(0.0, policy["aggregate_first_loss"] - eroded / unit(policy)),
        "maximum_liability": max(0.0, policy["maximum_liability"] - own.indemnity_gross[0, 0] / unit(policy)),
    }
    if max(policy["country_pool"]) >= 0:
        abroad = [d for d in first if policy["country_pool"][d.buyer] >= 0]
        own = run([policy], abroad)  # a country's maximum is used up by the top-up too
        covered = own.gap[0, 0, 0] - own.gap[0, 0, 1 : GAP_STEPS.index("non_qualifying")].sum()
        rest["country_maximum"] = max(0.0, policy["country_maximum"] - covered / unit(policy))
    blocks = run([policy], first), run([rest], later)
    for whole, one, other in zip(once, *blocks, strict=True):
        np.testing.assert_allclose(one + other, whole, rtol=1e-9, atol=1e-3)


def in_full(policy):
    """A policy that pays the covered debt of all claims that qualify."""
    shares = {peril: float(share > 0.0) for peril, share in policy["percentage"].items()}
    own = np.where(np.isnan(policy["percentage_by_buyer"]), np.nan, 1.0)
    borne = ("each_and_every_first_loss", "minimum_retention", "aggregate_first_loss")
    paid = {"percentage": shares, "percentage_by_buyer": own, "maximum_liability": np.inf}
    return without(policy, "top_up") | dict.fromkeys(borne, 0.0) | paid


@given(policies(), debts(), st.permutations(range(N_BUYERS)))
@law
def test_the_order_of_buyers_in_the_ledger_does_not_matter(policy, scenario, moved):
    """Buyers re-sorted, their ids (ranks) unchanged: the same bytes."""
    results = []
    for position in (range(N_BUYERS), moved):
        at = np.argsort(position)
        by_buyer = ("limit", "percentage_by_buyer", "group_pool", "country_pool")
        there = {name: [policy[name][buyer] for buyer in at] for name in by_buyer}
        debts_there = [debt._replace(buyer=position[debt.buyer]) for debt in scenario]
        book, events = arrays([debts_there], recovery_lag=20, n_buyers=N_BUYERS)
        built = plan([policy | there], N_BUYERS, book, **DISPUTES)
        built.buyer_rank[list(position)] = range(N_BUYERS)
        rows = apply_policies(built, book, clock(), events, constant_rates(1, RATES))
        results.append(b"".join(values.tobytes() for values in rows))
    assert results[0] == results[1]


@given(debts())
@law
def test_full_cover_pays_the_debt_and_no_cover_pays_nothing(scenario):
    full = {"percentage": 1.0, "waiting_days": 180}
    none = {"percentage": 0.0, "waiting_days": 180}
    rows = run([full, none], [debt._replace(disputed=False, vat=0.0) for debt in scenario])
    assert rows.indemnity_gross[0, 0] == rows.gap[0, 0, 0]
    assert not rows.gap[0, 0, 1:-1].any()
    steps = gaps(rows, p=1)
    assert steps["debt"] == steps["not_covered"]
    for values in (rows.indemnity, rows.indemnity_gross, rows.indemnity_in_horizon, rows.premium):
        assert values[0, 1] == 0
    assert not rows.claim_cash[0, 1].any()


@given(policies(), debts(), st.integers(0, 400))
@law
def test_settlement_only_moves_money(policy, scenario, later):
    """Of debts that stay unpaid and bring no money before the indemnity, which makes a claim smaller."""
    slow = policy | {"settlement_days": policy["settlement_days"] + later}
    scenario = [d._replace(recovery=0.0) for d in scenario if d.paid == NEVER]
    rows = run([policy, slow], scenario)
    for values in (rows.indemnity, rows.indemnity_gross, rows.gap):
        assert values[:, 0].tobytes() == values[:, 1].tobytes()
    paid = np.cumsum(rows.claim_cash, 2)
    assert (paid[0, 1] <= paid[0, 0] + 1e-6).all()


@given(fractions, st.booleans(), debts(), st.integers(0, 400))
@law
def test_money_before_or_after_the_indemnity_comes_to_the_same(percentage, oldest_first, scenario, later):
    """Without limits, first losses and caps, whatever is paid or recovered and when."""
    policy = {"percentage": percentage, "waiting_days": 180, "settlement_days": 10, "oldest_first": oldest_first}
    # disputed debts and tax are not covered, and yet share later money
    scenario = [d._replace(disputed=False, vat=0.0) for d in scenario]
    if oldest_first:  # the day from which money is pro rata is that of the claim
        scenario = [d for d in scenario if d.paid == NEVER]
    rows = run([policy, policy | {"settlement_days": 10 + later}], scenario)
    np.testing.assert_allclose(rows.indemnity[0, 1], rows.indemnity[0, 0], rtol=1e-9, atol=1e-6)


@given(policies(), debts())
@law
def test_buyers_that_pay_before_the_indemnity_is_due_change_nothing(policy, scenario):
    settled = {d.buyer for d in scenario}
    for d in scenario:
        if d.paid > d.due + policy["waiting_days"] + policy["settlement_days"]:
            settled.discard(d.buyer)
    with_them, without = run([policy], scenario), run([policy], [d for d in scenario if d.buyer not in settled])
    for values, same in zip(with_them, without, strict=True):
        assert values.tobytes() == same.tobytes()


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
    money = (
        "non_qualifying_loss", "each_and_every_first_loss", "minimum_retention", "aggregate_first_loss",
        "maximum_liability", "country_maximum", "top_up_maximum",
    )  # fmt: skip
    larger = policy | {name: policy[name] * k for name in money} | {"limit": scaled(policy["limit"], k)}
    one = run([policy], scenario)
    many = run([larger], [debt._replace(amount=debt.amount * k, vat=debt.vat * k) for debt in scenario])
    for values, times in zip(one, many, strict=True):
        np.testing.assert_array_equal(values * k, times)


@given(policies(), debts())
@law
def test_an_invoice_cut_in_two_is_the_same_debt(policy, scenario):
    # where a limit cuts an invoice, what the oldest invoices receive depends on how debts are invoiced
    policy = policy | {"recovery_rule": "by_indemnity"}
    halves = [d._replace(amount=d.amount / 2, vat=d.vat / 2) for d in scenario for _ in range(2)]
    one, two = run([policy], scenario), run([policy], halves)
    for values, same in zip(one, two, strict=True):
        np.testing.assert_allclose(values, same, rtol=1e-12, atol=1e-6)
