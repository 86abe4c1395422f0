"""The compiled room against its plain twins: equal to the last bit, for any grouping and number of threads."""

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from simulator.jit import NEVER, set_threads
from simulator.policy import formulas as f
from simulator.policy import kernels
from simulator.policy.apply import apply_policies
from tests.policy_cases import Debt, Stopped, arrays, clock, empty_rows, plan
from tests.twins import policy as twin

HORIZON = 364
PROGRAMMES = [
    {"insured": False},
    {"percentage_insolvency": 0.9, "percentage_protracted": 0.8, "waiting_days": 180, "settlement_days": 30},
    {
        "percentage_insolvency": 0.95, "percentage_protracted": 0.95, "percentage_discretionary": 0.6,
        "waiting_days": 210, "settlement_days": 45, "non_qualifying_loss": 400.0, "each_and_every_first_loss": 250.0,
        "aggregate_first_loss": 5_000.0, "maximum_liability": 6_000.0, "premium_rate": 0.002, "premium_minimum": 90.0,
        "premium_tax": 0.19, "premium_fees": 7.0, "planned_turnover": 60_000.0, "covers_open_items": False,
    },
    {
        "order": 1, "percentage_insolvency": 0.9, "percentage_protracted": 0.9, "waiting_days": 180,
        "settlement_days": 300, "aggregate_first_loss": 2_000.0, "each_and_every_first_loss": 100.0,
        "maximum_liability": 4_000.0, "premium_rate": 0.01, "planned_turnover": 60_000.0,
    },
]  # fmt: skip


def random_block(seed, n=40, n_buyers=12, busy=0.5):
    """Scenarios of any kind the ledger can produce, on three moving currencies."""
    rng = np.random.default_rng(seed)
    scenarios, stopped = [], []
    for _ in range(n):
        debts = []
        for buyer in np.flatnonzero(rng.random(n_buyers) < busy):
            insolvent = int(rng.integers(1, HORIZON + 1)) if rng.random() < 0.5 else NEVER
            for _ in range(rng.integers(1, 6)):
                due = int(rng.integers(-200, 200))
                paid = NEVER if insolvent != NEVER or rng.random() < 0.5 else int(due + rng.integers(100, 400))
                lost = (insolvent if insolvent != NEVER else max(1, due + 180)) if paid == NEVER else NEVER
                debts.append(
                    Debt(
                        int(buyer), float(rng.gamma(1.0, 1_000.0)), issue=due - 45, due=due, paid=paid, lost=lost,
                        recovery=float(rng.random()), insolvent=insolvent, protracted=bool(rng.random() < 0.5),
                        currency=int(rng.integers(0, 3)), open_item=bool(rng.random() < 0.3),
                        disputed=bool(rng.random() < 0.1),
                    )
                )  # fmt: skip
        scenarios.append(debts)
        stopped.append([Stopped(int(b), float(rng.gamma(1.0, 900.0))) for b in rng.integers(0, n_buyers, 3)])
    built = plan(PROGRAMMES, n_buyers)
    for p in range(len(PROGRAMMES)):
        built.insured[p] = p > 0
        built.limit[p] = rng.choice([0.0, 800.0, 2_500.0, np.inf], n_buyers)
        built.insurable[p] = built.limit[p] > 0
        built.discretionary[p] = rng.random(n_buyers) < 0.3
        built.instalment[p, [0, 13, 26, 39]] = built.premium_minimum[p] / 4
    built.buyer_rank[:] = rng.permutation(n_buyers)
    rates = np.exp(np.cumsum(rng.normal(0.0, 0.08, (n, 3, 53)), axis=2))
    return built, scenarios, stopped, rates


def compare(fast, slow):
    for name, values, plain in zip(fast._fields, fast, slow, strict=True):
        assert values.tobytes() == plain.tobytes(), name


def run_twin(built, book, events, rates, lag, rows):
    key, first_event = np.zeros((1, 5_000), np.int64), np.zeros((1, 5_000), np.int32)
    twin.apply_programmes(built, book, events, rates, lag, clock(HORIZON), key, first_event, rows)
    return rows


@pytest.mark.parametrize("seed", range(6))
def test_kernel_equals_its_twin(seed):
    built, scenarios, stopped, rates = random_block(seed)
    book, events = arrays(scenarios, stopped)
    shape = (len(scenarios), len(PROGRAMMES), 52)
    for lag in (0, 90, 364):
        fast = apply_policies(built, book, clock(HORIZON), events, rates, lag, empty_rows(*shape))
        compare(fast, run_twin(built, book, events, rates, lag, empty_rows(*shape)))
        if lag == 90:
            assert (fast.indemnity > 0).any()
            assert (fast.gap[:, 1:].sum(axis=(0, 1)) > 0).all(), "a term of the waterfall is never exercised"


def test_everybody_fails_at_once():
    """The worst scenario of a large ledger: 700 claims, many on one day, sorted by rank of the buyer's id."""
    rng = np.random.default_rng(5)
    n = 700
    debts = [Debt(b, float(rng.gamma(1.0, 100.0)), insolvent=int(rng.integers(1, 20))) for b in range(n)]
    built = plan(PROGRAMMES[1:], n)
    built.buyer_rank[:] = rng.permutation(n)
    book, events = arrays([debts])
    rates = np.ones((1, 1, 53))
    fast = apply_policies(built, book, clock(HORIZON), events, rates, 30)
    compare(fast, run_twin(built, book, events, rates, 30, empty_rows(1, 3, 52)))


def test_more_events_than_room_are_left_out_not_read_beyond_the_end():
    built, scenarios, stopped, rates = random_block(3)
    book, events = arrays(scenarios, stopped, capacity=6)
    assert events.n_events.max() > 6
    fast = apply_policies(built, book, clock(HORIZON), events, rates, 90)
    compare(fast, run_twin(built, book, events, rates, 90, empty_rows(len(scenarios), len(PROGRAMMES), 52)))


def test_rows_can_be_used_again():
    built, scenarios, stopped, rates = random_block(1)
    book, events = arrays(scenarios, stopped)
    fresh = apply_policies(built, book, clock(HORIZON), events, rates, 90)
    kept = empty_rows(len(scenarios), len(PROGRAMMES), 52)
    for _ in range(2):
        compare(apply_policies(built, book, clock(HORIZON), events, rates, 90, kept), fresh)


def test_same_bytes_for_any_threads_and_blocks():
    built, scenarios, stopped, rates = random_block(2, n=300)
    book, events = arrays(scenarios, stopped)
    try:
        found = []
        for threads in (1, 2):
            set_threads(threads)
            found.append(apply_policies(built, book, clock(HORIZON), events, rates, 90))
    finally:
        set_threads(None)
    compare(found[0], found[1])
    for start, stop in ((0, 4), (100, 300)):
        part = type(events)(*(values[start:stop] for values in events))
        rows = apply_policies(built, book, clock(HORIZON), part, rates[start:stop], 90)
        compare(rows, type(rows)(*(values[start:stop] for values in found[0])))


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
days = st.one_of(st.integers(-500, 900), st.just(NEVER))


@given(money, money, st.floats(0, 1), money, money, st.one_of(money, st.just(np.inf)), st.integers(0, 1))
@settings(deadline=None)
def test_wordings_equal_their_twins(covered, nql, percentage, excess, first_loss, liability, order):
    arguments = (covered, nql, percentage, excess, first_loss, liability)
    for name in ("percent_first", "deductible_first"):
        assert getattr(f, name)(*arguments) == getattr(twin, name)(*arguments)
    assert f.apply_wording(order, *arguments) == twin.apply_wording(order, *arguments)


@given(money, money, st.floats(0, 1), st.floats(1, 1e9), days, days, st.integers(0, 400))
@settings(deadline=None)
def test_formulas_equal_their_twins(a, b, share, debt, day, other, wait):
    for name, arguments in {
        "protracted_loss_day": (min(day, 900), wait, other),
        "date_of_loss": (day, other),
        "is_claimed": (day, other, wait),
        "is_lost_unclaimed": (wait, other, day, min(day, other)),
        "claim_key": (wait, min(abs(day), 900)),
        "is_known_loss": (day, wait),
        "is_eligible": (day > 0, other > 0, wait > 100),
        "covered_debt": (a, b),
        "qualifies": (a, b),
        "after_percentage": (a, share),
        "after_each_and_every": (a, b),
        "absorbed_by_aggregate_first_loss": (a, b),
        "capped_by_maximum_liability": (a, b),
        "insurer_share": (a, b, debt),
        "receipt_day": (day, other, wait),
        "receipt_amount": (a, day, share),
        "share_of_policy_year": (wait,),
        "premium_on_turnover": (a, share, b),
        "premium_due": (a, share, b, debt, 0.19),
        "premium_adjustment": (a, share, b, 0.19),
    }.items():
        assert getattr(f, name)(*arguments) == getattr(twin, name)(*arguments), name
