"""The compiled room against its plain twins: equal to the last bit, for any grouping and number of threads."""

import types

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from simulator.jit import NEVER, set_threads
from simulator.policy import formulas, kernels, premium_formulas, recovery_formulas, term_formulas
from simulator.policy.apply import apply_policies, insurable_balances
from simulator.policy.codes import MOST_STEPS
from simulator.policy.gaps import GAP_STEPS
from simulator.policy.limits import ALWAYS
from simulator.policy.records import blank_terms
from tests.policy_cases import Debt, Stopped, Weak, arrays, clock, empty_rows, plan
from tests.twins import policy as twin
from tests.twins import policy_scenario

HORIZON = 364
N_BUYERS = 12
BY_PERIL = {"insolvency": 0.9, "protracted_default": 0.8, "transfer": 0.7, "contract_frustration": 0.6}
LIMITS = [0.0, 800.0, 2_500.0, np.inf, [(ALWAYS, 3_000.0), (60, 900.0, 0.5)], [(-20, 2_000.0), (100, 0.0)]]
FULL_OF_TERMS = {
    "percentage": BY_PERIL, "waiting_days": 210, "settlement_days": 45, "non_qualifying_loss": 400.0,
    "each_and_every_first_loss": 250.0, "aggregate_first_loss": 1_000.0, "maximum_liability": 9_000.0,
    "premium_rate": 0.002, "premium_minimum": 90.0, "premium_tax": 0.19, "premium_fees": 7.0, "untaxed_fees": 3.0,
    "planned_turnover": 60_000.0, "covers_open_items": False, "sold_whole": False,
}  # fmt: skip
PROGRAMMES = [
    {"insured": False},
    {"percentage": BY_PERIL, "waiting_days": 180, "settlement_days": 30},
    FULL_OF_TERMS,
    {
        "order": "deductible_first", "percentage": 0.9, "waiting_days": 180, "settlement_days": 300,
        "aggregate_first_loss": 2_000.0, "each_and_every_first_loss": 100.0, "maximum_liability": 4_000.0,
        "premium_rate": 0.01, "planned_turnover": 60_000.0, "eroded_ground_up": True, "disputes_suspended": True,
        "insurer_intensity": 0.7, "insurer_systemic": 0.3, "sold_whole": False, "extension_days": 40,
        "limit_currency": (1, 1.3),
    },
    {
        "order": "minimum_retention", "percentage": 0.9, "waiting_days": [180, 240], "minimum_retention": 300.0,
        "non_qualifying_loss": 200.0, "equality_fails": True, "waiting_insolvency": 20, "waiting_frustration": 180,
        "extension_days": 30, "change_intensity": 0.7, "change_to": 0.4, "change_notice": 30, "missed": 0.3,
        "reduction": 0.5, "notify_after": 30, "recovery_rule": "by_covered_debt", "recovery_costs": "policyholder",
        "premium_rate": 0.01, "planned_turnover": 60_000.0, "bonus": [(0.0, -0.2), (0.6, 0.0), (9.0, 0.4)],
        "liability_multiple": 30.0, "minimum_of_year": 100.0, "group_pool": [0, 0, 0, *[-1] * 9],
    },
    {
        "order": ("insured_percentage", "non_qualifying_loss", "aggregate_first_loss"), "percentage": 0.95,
        "non_qualifying_loss": 150.0, "non_qualifying_deducted": True, "aggregate_first_loss": 1_000.0,
        "waiting_days": 180, "currency": 1, "conversion": "lower_of", "vat_covered": True, "oldest_first": True,
        "change_intensity": 0.7, "change_notice": 10, "premium_rate": 0.01, "planned_turnover": 50_000.0,
        "turnover_rate": 0.9, "premium_minimum": 40.0, "top_up_multiple": 0.5, "top_up_maximum": 800.0,
        "top_up_percentage": 0.7, "recovery_rule": "oldest_first", "recovery_costs": "insurer", "sold_whole": False,
        "insurer_intensity": 0.5, "insurer_systemic": 0.3, "insurer_recovery": 0.4,
    },
    {
        "percentage": {"protracted_default": 0.9, "transfer": 0.9}, "waiting_days": 180, "currency": 2,
        "conversion": "shipment_month_end", "losses_occurring": True, "first_day": 30, "last_day": 300,
        "recovery_rule": "insurer_first", "country_pool": [3, 3, 3, 3, 4, 4, *[-1] * 6],
        "country_maximum": [4_000.0] * 4 + [1_000.0] * 2 + [np.inf] * 6, "eligible": 7,
        "limit_currency": (-1, 0.8), "premium_rate": 0.01, "planned_turnover": 40_000.0, "sold_whole": False,
    },
    {"percentage": 0.9, "conversion": "payment_date", "oldest_first": True, "waiting_days": 190},
    {"percentage": 0.9, "conversion": "due_date", "recovery_rule": "oldest_first", "currency": 1},
    {"percentage": 0.9, "conversion": "invoice_date", "waiting_days": 185, "on_balance": True, "premium_rate": 0.001},
]  # fmt: skip
STUDY = {
    "dispute_probability": 0.15,
    "dispute_upheld": 0.6,
    "dispute_days": 90,
    "recovery_cost": 0.1,
    "dispute_key": np.array([1, 2], np.uint32),
    "notification_key": np.array([3, 4], np.uint32),
    "insurer_key": np.array([5, 6], np.uint32),
    "insurer_entity": np.uint64(99),
}


def random_debts(rng, busy):
    """One scenario of any kind the ledger can produce, on three currencies."""
    debts = []
    for buyer in np.flatnonzero(rng.random(N_BUYERS) < busy):
        insolvent = int(rng.integers(1, HORIZON + 1)) if rng.random() < 0.5 else NEVER
        frustrated, score = bool(rng.random() < 0.3), float(rng.normal() - 1.0)
        issues = sorted(int(day) for day in rng.integers(-200, 160, rng.integers(1, 6)))
        for issue in issues:
            due = issue + int(rng.integers(20, 90))
            paid = NEVER if insolvent != NEVER or rng.random() < 0.5 else due + int(rng.integers(100, 400))
            lost = (insolvent if insolvent != NEVER else max(1, due + 180)) if paid == NEVER else NEVER
            drawn = paid if rng.random() < 0.5 else min(paid, due + int(rng.integers(0, 300)))
            amount = float(rng.gamma(1.0, 1_000.0))
            debts.append(
                Debt(
                    int(buyer), amount, issue=issue, due=due, paid=paid, lost=lost, recovery=float(rng.random()),
                    insolvent=insolvent, protracted=bool(rng.random() < 0.5), currency=int(rng.integers(0, 3)),
                    open_item=issue < 1, disputed=bool(rng.random() < 0.1), vat=amount * float(rng.choice([0.0, 0.16])),
                    drawn=drawn, overdue=int(rng.integers(-20, 60)), score=score, frustrated=frustrated,
                    share=float(rng.choice([1.0, 0.3])),
                )
            )  # fmt: skip
    return debts


def random_block(seed, n=40, busy=0.5, regimes=1):
    """Plan, book, events, rates and drivers of a block; a row of events is a scenario under one of the regimes."""
    rng = np.random.default_rng(seed)
    scenarios = [random_debts(rng, busy) for _ in range(n * regimes)]
    stopped = [
        [
            Stopped(int(b), float(rng.gamma(1.0, 900.0)), int(rng.integers(1, 100)), int(rng.integers(50, 300)))
            for b in np.flatnonzero(rng.random(N_BUYERS) < 0.2)
        ]
        for _ in scenarios
    ]
    weak = [
        [Weak(int(b), float(rng.normal() - 1.0)) for b in np.flatnonzero(rng.random(N_BUYERS) < 0.3)] for _ in scenarios
    ]

    def block(lag=90, capacity=None):
        book, events = arrays(scenarios, stopped, capacity, lag, N_BUYERS, weak)
        return book._replace(insurable_value=book.book_value * [[0.8], [0.4]]), events

    book, _ = block()
    programmes = [dict(terms) for terms in PROGRAMMES]
    for terms in programmes:
        terms["limit"] = [LIMITS[k] for k in rng.integers(0, len(LIMITS), N_BUYERS)]
        terms["named"] = rng.random(N_BUYERS) < 0.7
        if terms.get("eligible"):
            terms["eligible"] = rng.random(len(book.amount)) < 0.9
        terms["percentage_by_buyer"] = rng.choice([np.nan, np.nan, 0.5], N_BUYERS)
    built = plan(programmes, N_BUYERS, book, **STUDY)
    built.instalment[:, [0, 13, 26, 39]] = built.terms["premium_minimum"][:, None] / 4
    built.month_ends[:, ::2] = True
    built.balance_of[:] = np.arange(len(programmes)) % 2
    built.buyer_rank[:] = rng.permutation(N_BUYERS)
    built.regime[:] = np.arange(len(programmes)) % regimes
    rates = np.exp(np.cumsum(rng.normal(0.0, 0.08, (n, 3, 53)), axis=2))
    drivers = rng.normal(-1.5, 1.0, (n, 2))
    ledger = types.SimpleNamespace(insurable_gone=rng.gamma(1.0, 200.0, (n * regimes, 2, 14)))
    return built, block, rates, drivers, ledger


def compare(fast, slow):
    for name, values, plain in zip(fast._fields, fast, slow, strict=True):
        assert values.tobytes() == plain.tobytes(), name


def fast_and_slow(built, book, events, rates, drivers, ledger, first=0):
    fast = empty_rows(len(rates), len(PROGRAMMES), 52)
    when = clock(HORIZON)
    bounded = book._replace(issue_day=np.minimum(book.issue_day, HORIZON))
    apply_policies(built, bounded, when, events, rates, fast, first=first, drivers=drivers, ledger=ledger)
    slow = empty_rows(len(rates), len(PROGRAMMES), 52)
    balance = insurable_balances(bounded, when, ledger)
    policy_scenario.apply_programmes(first // 4, built, bounded, events, balance, rates, drivers, when, None, slow)
    return fast, slow


@pytest.mark.parametrize("seed", [0, 1, *(pytest.param(seed, marks=pytest.mark.slow) for seed in (2, 3, 4))])
def test_kernel_equals_its_twin(seed):
    built, block, rates, drivers, ledger = random_block(seed, regimes=1 + seed % 2)
    for lag in (0, 90, 364):
        fast, slow = fast_and_slow(built, *block(lag), rates, drivers, ledger, first=8 * seed)
        compare(fast, slow)
    if seed == 0:
        taken = dict(zip(GAP_STEPS, np.abs(fast.gap).sum(axis=(0, 1)), strict=True))
        assert all(taken.values()), f"a step of the waterfall is never exercised: {taken}"
        assert (fast.indemnity_gross[:, 1:].sum(axis=0) > 0).all(), "a programme never pays"


def test_everybody_fails_at_once():
    """The worst scenario of a large ledger: 700 claims, many on one day, sorted by rank of the buyer's id."""
    rng = np.random.default_rng(5)
    n = 700
    debts = [Debt(b, float(rng.gamma(1.0, 100.0)), insolvent=int(rng.integers(1, 20))) for b in range(n)]
    book, events = arrays([debts])
    built = plan([PROGRAMMES[1], FULL_OF_TERMS], n, book)
    built.buyer_rank[:] = rng.permutation(n)
    fast, slow = empty_rows(1, 2, 52), empty_rows(1, 2, 52)
    apply_policies(built, book, clock(HORIZON), events, np.ones((1, 1, 53)), fast)
    policy_scenario.apply_programmes(
        0, built, book, events, None, np.ones((1, 1, 53)), None, clock(HORIZON), None, slow
    )
    compare(fast, slow)


def test_more_events_than_room_are_left_out_not_read_beyond_the_end():
    built, block, rates, drivers, ledger = random_block(3)
    book, events = block(capacity=6)
    assert events.n_events.max() > 6
    compare(*fast_and_slow(built, book, events, rates, drivers, ledger))


def test_rows_can_be_used_again():
    built, block, rates, drivers, ledger = random_block(1)
    book, events = block()
    more = {"drivers": drivers, "ledger": ledger}
    fresh = apply_policies(built, book, clock(HORIZON), events, rates, **more)
    kept = empty_rows(len(rates), len(PROGRAMMES), 52)
    for _ in range(2):
        compare(apply_policies(built, book, clock(HORIZON), events, rates, kept, **more), fresh)


def test_same_bytes_for_any_threads_and_blocks():
    built, block, rates, drivers, ledger = random_block(2, n=120)
    book, events = block()
    try:
        found = []
        for threads in (1, 2):
            set_threads(threads)
            found.append(apply_policies(built, book, clock(HORIZON), events, rates, drivers=drivers, ledger=ledger))
    finally:
        set_threads(None)
    compare(found[0], found[1])
    for start, stop in ((0, 4), (40, 120)):
        at = slice(start, stop)
        part = type(events)(*(values[at] for values in events))
        some = types.SimpleNamespace(insurable_gone=ledger.insurable_gone[at])
        more = {"first": start, "drivers": drivers[at], "ledger": some}
        rows = apply_policies(built, book, clock(HORIZON), part, rates[at], **more)
        compare(rows, type(rows)(*(values[at] for values in found[0])))


@given(st.lists(st.integers(0, 2**62), unique=True, max_size=40))
@settings(deadline=None)
def test_sorting_claims(keys):
    fast = np.array([*keys, -1], np.int64), np.array([*range(len(keys)), -1], np.int32)
    slow = fast[0].copy(), fast[1].copy()
    kernels.sort_claims(*fast, len(keys))
    twin.sort_claims(*slow, len(keys))
    for left, right in zip(fast, slow, strict=True):
        assert left.tolist() == right.tolist()


money = st.floats(0, 1e9)
share = st.floats(0, 1)
days = st.one_of(st.integers(-500, 900), st.just(NEVER))


@given(
    st.lists(st.sampled_from(range(5)), unique=True), st.lists(money, min_size=4, max_size=4), money, share, money,
    st.one_of(money, st.just(np.inf)), st.lists(st.booleans(), min_size=3, max_size=3),
)  # fmt: skip
@settings(deadline=None)
def test_orders_of_terms_equal_their_twin(steps, amounts, covered, percentage, first_loss, liability, flags):
    terms = blank_terms(1)
    terms["steps"] = steps + [-1] * (MOST_STEPS - len(steps))
    names = ("non_qualifying_loss", "each_and_every_first_loss", "minimum_retention", "aggregate_first_loss")
    for name, value in zip(names, amounts, strict=True):
        terms[name] = value
    for name, value in zip(("non_qualifying_deducted", "equality_fails", "eroded_ground_up"), flags, strict=True):
        terms[name] = value
    fast = term_formulas.apply_terms(terms[0], covered, percentage, first_loss, liability)
    assert fast == twin.apply_terms(terms[0], covered, percentage, first_loss, liability)
    assert sum(fast[:7]) == pytest.approx(covered, rel=1e-9, abs=1e-6)
    assert min(fast) >= 0


@given(money, money, share, st.floats(1, 1e9), days, days, st.integers(0, 400), share, st.booleans())
@settings(deadline=None)
def test_formulas_equal_their_twins(a, b, part, debt, day, other, wait, chance, flag):
    rates = np.array([[[1.0, 1.1, 1.2], [0.5, 0.6, 0.7]]])
    known = min(day, 900)
    rule = wait % 6
    for room, found in {
        formulas: {
            "event_loss_day": (day, wait),
            "protracted_loss_day": (known, wait, wait % 90, other),
            "held_up_loss_day": (known, wait, wait % 90, day, other),
            "date_of_loss": (day, other),
            "is_claimed": (day, known, other, wait, wait % 90),
            "still_owed": (a + b, a),
            "is_lost_unclaimed": (wait, day, known if flag else NEVER),
            "falls_in_period": (known, other, wait, flag),
            "claim_key": (wait, abs(known)),
            "left_of_debt": (debt, a, b),
            "policy_rate": (rates, 0, wait % 3 - 1, known),
            "conversion_day": (rule, 1, 2, 3, 4, 5),
            "dispute_state": (flag, chance, part, part, chance, wait > 200),
            "limit_after_change": (a, day, other, part),
            "converted_limit": (a, part + 0.1, chance),
            "additional_limit": (a, part, b),
            "covered_debt": (a, b, debt),
            "room_left": (a, b),
            "happens": (wait * 10_000_000, chance),
        },
        term_formulas: {
            "qualifies": (a, b if wait % 2 else a, flag),
            "after_percentage": (a, part),
            "after_deductible": (a, b),
            "after_minimum_retention": (a, b, debt),
            "absorbed_by_first_loss": (a, b),
            "erosion_of_first_loss": (a, b, flag, wait % 2 == 0, debt),
            "capped_by_maximum_liability": (a, b),
        },
        recovery_formulas: {
            "lost_by_late_notice": (a, flag, part),
            "insurer_score": (part * 6 - 3, chance * 6 - 3, chance),
            "failure_day": (chance * 6 - 3, part),
            "paid_by_insurer": (a, known, other, part),
            "receipt_day": (day, other),
            "receipt_amount": (a, day, part),
            "insurer_share": (wait % 4, a, b, debt, debt),
            "share_of_invoice": (a, a + debt, b, b, a, debt, a),
            "after_costs": (a, b, wait % 3, part * 0.9),
        },
        premium_formulas: {
            "share_of_policy_year": (wait,),
            "premium_on_turnover": (a, part, b),
            "after_bonus": (a, part),
            "premium_due": (a, b, debt, 0.19),
            "premium_adjustment": (a, b, 0.19),
        },
    }.items():
        for name, arguments in found.items():
            assert getattr(room, name)(*arguments) == getattr(twin, name)(*arguments), name
