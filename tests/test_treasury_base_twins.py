"""The borrowing base against its twin, in tiles of scenarios and in views that share what they see."""

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from simulator.jit import NEVER
from simulator.losses import balance_formulas as f
from simulator.losses import balance_tile_kernels as tile
from simulator.losses.balance_kernels import note_balances
from simulator.losses.balances import allocate_balances, no_balances, prepare
from simulator.losses.kernels import count_buyer
from simulator.losses.rows import allocate_scratch
from simulator.treasury import formulas as money
from tests.balance_cases import EARLY, KEPT, TWO, book, by_scenario, plain_rows, random_views
from tests.policy_cases import WEEK, clock
from tests.twins import losses as twin
from tests.twins import treasury as treasury_twin
from tests.twins.losses_balances import note_fates

amounts = st.floats(0, 1e9)
a_day = st.one_of(st.integers(-400, 800), st.just(NEVER))


@given(amounts, amounts, amounts, st.floats(0, 1), a_day, st.integers(-400, 800))
@settings(deadline=None)
def test_formulas_equal_their_twins(x, y, z, share, day, due):
    for name, arguments in {
        "limit_on": (x, share, due, day),
        "covered_more": (x, y, z),
        "is_cross_aged": (x, y, share),
        "within_liability": (x, max(share, 0.01), y),
        "not_covered": (x, y),
    }.items():
        assert getattr(f, name)(*arguments) == getattr(twin, name)(*arguments), name
    for name, arguments in {
        "over_concentration": (x, y, share),
        "borrowing_base": (x, share, y, z, 0.9),
        "line_available": (x, y),
    }.items():
        assert getattr(money, name)(*arguments) == getattr(treasury_twin, name)(*arguments), name


def random_case(seed, weeks=9, n_buyers=6):
    rng = np.random.default_rng(seed)
    invoices = []
    for b in range(n_buyers):
        issues = np.sort(rng.integers(-60, WEEK * weeks + 1, rng.integers(1, 9)))
        invoices += [(b, d, d + rng.integers(1, 60), np.round(rng.gamma(1.0, 900.0), 2)) for d in issues]
    ledger = book(invoices, n_buyers)
    counting = random_views(rng, ledger, clock(WEEK * weeks))
    return rng, ledger, counting


@pytest.mark.parametrize("seed", range(30))
def test_rows_equal_their_twin(seed):
    """Week by week on random books: what is there on the last day, against sums kept by period."""
    weeks = 9
    rng, ledger, counting = random_case(seed, weeks)
    when = clock(WEEK * weeks)
    fast, slow = allocate_balances(counting, 1, weeks), plain_rows(counting, 1, weeks)
    for b in range(len(ledger.group)):
        begin, end = ledger.start[b], ledger.start[b + 1]
        regime, score = int(rng.integers(-1, 2)), float(rng.normal())
        troubled = rng.random() < 0.5
        fates, days, lost = [], [], []
        for i in range(begin, end):
            first = max(1, ledger.issue_day[i])
            fate = {"i": i, "shipped": True, "paid": int(first + rng.integers(0, 90)), "lost_on": NEVER}
            luck = rng.random() if troubled else 1.0
            if luck < 0.2 and not ledger.open_item[i]:
                fate["shipped"] = False
            elif luck < 0.5:
                fate |= {"paid": NEVER, "lost_on": int(first + rng.integers(0, 60))}
            fates.append(fate)
            days.append(fate["paid"] if fate["shipped"] else -1)
            lost.append(-1 if not fate["shipped"] else fate["lost_on"] * int(rng.choice([-1, 1])))
        arrays = (np.array([values], dtype=np.int32) for values in (days, lost))
        note_balances(0, b, regime, False, np.array([score]), troubled, *arrays, counting, fast)
        note_fates(0, b, regime, score, fates, counting, when, ledger, slow)
    fast = by_scenario(fast, 1)
    for name in KEPT:
        np.testing.assert_array_equal(getattr(fast, name), getattr(slow, name), err_msg=name)


@pytest.mark.parametrize("seed", range(12))
def test_scenarios_side_by_side_equal_each_alone(seed):
    """Random books, eight scenarios of which some are none of the tile's: aged, changed and moving limits included."""
    weeks, n = 9, 8
    rng, ledger, counting = random_case(seed, weeks, n_buyers=20)
    counting = prepare(
        counting._replace(
            segments=np.tile(np.arange(21, dtype=np.int32), (3, 1)), limit=rng.choice([900.0, 3_000.0, np.inf], 20),
            from_day=np.where(rng.random(20) < 0.8, EARLY, 20).astype(np.int32), changes=rng.random(20) < 0.5,
            liability=np.array([3_000.0, 6_000.0, np.inf]), insured=rng.random((3, 20)) < 0.8,
        ), ledger, clock(WEEK * weeks),
    )  # fmt: skip
    longest = int(np.diff(ledger.start).max())
    together, alone = allocate_balances(counting, n, weeks, n), allocate_balances(counting, n, weeks)
    scratch = allocate_scratch(n, longest, 0)
    quiet = 0
    for b in range(len(ledger.group)):
        begin, end = ledger.start[b], ledger.start[b + 1]
        issue = np.maximum(1, ledger.issue_day[begin:end, None])
        days = (issue + rng.integers(0, 90, (end - begin, n))).astype(np.int32)
        scratch.score[:] = rng.normal(size=n)
        part = (rng.random(n) < 0.8).astype(np.float64)
        together_noted(ledger, b, days, part, scratch, counting, together)
        quiet += together.quiet.sum()
        for s in np.flatnonzero(part):
            scratch.paid[s, : end - begin] = days[:, s]
            note_balances(
                s, b, -1, False, scratch.score, False, scratch.paid, scratch.lost, counting, alone
            )  # fmt: skip
    assert quiet > 0
    side_by_side, each = by_scenario(together, n), by_scenario(alone, n)
    for name in KEPT:
        assert getattr(side_by_side, name).tobytes() == getattr(each, name).tobytes(), name


def together_noted(ledger, b, days, part, scratch, counting, rows):
    """Note a buyer in a tile of scenarios, as the loop over its invoices does."""
    n = len(part)
    tile.prepare_counting(0, n, b, counting, rows)
    for i in range(ledger.start[b], ledger.start[b + 1]):
        until = np.minimum(days[i - ledger.start[b]], len(counting.period_of_day) - 1)
        period = counting.period_of_day[until]
        if counting.ages_across:
            tile.note_age(n, counting.old[i], period, rows.aged[0])
        tile.no_longer_counts(n, counting.first[i], counting.old[i], period)
        for k in range(counting.n_series[b]):
            rows.arrived[0, k, counting.first[i]] += counting.series_value[k, i]
            tile.let_go(n, counting.series_value[k, i], period, rows.balance[0, k])
    count_buyer(0, 0, n, b, days, part, ledger, scratch, counting, rows)


def test_views_share_what_they_see_alike():
    """Buyer 0 is seen at two values by three views, and for its rest at a third; buyer 1 at one by all."""
    counting = no_balances(3, 2, 4)._replace(
        value=np.array([[1_000.0, 400, 500, 700], [900, 300, 500, 700], [900, 300, 500, 700]]),
        uninsured_value=np.array([[0.0, 0, 0, 0], [1_000, 400, 500, 700], [950, 350, 500, 700]]),
        insured=np.array([[False, False], [True, True], [True, False]]), weight=np.array([[1, 1], [0.8, 0.5], [1, 1]]),
        segments=np.array([[0, 0, 0], [0, 2, 3], [3, 4, 4]], np.int32), limit=np.full(4, 1e6),
        from_day=np.array([EARLY, 5, EARLY, EARLY], np.int32), changes=np.array([False, True, False, True]),
        intensity=np.array([0.0, 0.0, np.inf]), rest=np.array([[False, False], [True, True], [True, False]]),
    )  # fmt: skip
    counting.counts[:] = True
    counting = prepare(counting, TWO, clock(WEEK * 4))
    assert counting.n_series.tolist() == [3, 1]
    assert counting.series_value[:, :2].tolist() == [[1_000, 400], [900, 300], [950, 350]]
    assert counting.series_value[0, 2:].tolist() == [500, 700]
    assert counting.of_value.tolist() == [[0, 0], [1, 0], [1, 0]]
    assert counting.of_rest[1:, 0].tolist() == [0, 2]
    assert counting.steady.tolist() == [[True, True], [False, True], [True, True]]
    assert counting.change_score.tolist() == [np.inf, -np.inf], "at once, if a limit may change"
    assert (counting.least * 1024).tolist() == pytest.approx([0.999, 0.4995, 0.999])
