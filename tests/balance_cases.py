"""Receivables as a bank counts them, by hand and at random, for the tests of the losses and treasury rooms."""

import numpy as np

from simulator.jit import NEVER
from simulator.losses.balance_kernels import note_balances
from simulator.losses.balances import allocate_balances, no_balances, prepare
from simulator.losses.plan import Book
from simulator.treasury.base import BasePlan
from simulator.treasury.base_kernels import lend
from tests.policy_cases import WEEK, clock

KEPT = ("uninsured", "insured", "largest", "used")


def random_views(rng, ledger, clock, regimes=(0, 0, 1)):
    """One view per regime named, some buyers insured, some limits that hold from later days or may change."""
    views, n_buyers, n = len(regimes), len(ledger.group), len(ledger.amount)
    segments = np.cumsum(rng.integers(0, 3, (views, n_buyers)), axis=1)
    segments = np.concatenate([np.zeros((views, 1), np.int64), segments], axis=1)
    total = segments.max(initial=0) + 1
    usual = np.median(ledger.book_value) if n else 1.0
    counting = no_balances(views, n_buyers, n)._replace(
        regime=np.array(regimes, np.int32), counts=rng.random((views, n_buyers)) < 0.8,
        insured=rng.random((views, n_buyers)) < 0.5, weight=rng.choice([1.0, 0.9], (views, n_buyers)),
        value=ledger.book_value * (rng.random((views, n)) < rng.choice([0.9, 1.0])), segments=segments.astype(np.int32),
        from_day=np.where(rng.random(total) < 0.5, -NEVER, np.sort(rng.integers(-80, 60, total))).astype(np.int32),
        limit=rng.choice([0.0, usual, np.inf], total), changes=rng.random(total) < 0.7,
        intensity=rng.choice([0.0, 0.5, np.inf], views), notice=rng.integers(0, 20, views).astype(np.int32),
        change_to=rng.choice([0.0, 0.5], views),
        run_off=bool(rng.random() < 0.5), maximum_overdue=int(rng.choice([0, 10, 30])),
        ages_across=bool(rng.random() < 0.5), cross_ageing=0.3, n_largest=int(rng.integers(0, 4)),
        rest=rng.random((views, n_buyers)) < 0.5, n_pools=5,
        uninsured_value=ledger.book_value * (rng.random((views, n)) < 0.8),
        group_pool=rng.choice([-1, 1, 2], (views, n_buyers)).astype(np.int32),
        country_pool=rng.choice([-1, 3, 4], (views, n_buyers)).astype(np.int32),
        country_maximum=rng.choice([usual, 3 * usual], (views, n_buyers)),
        liability=rng.choice([2.0 * usual, np.inf], views),
    )  # fmt: skip
    return prepare(counting, ledger, clock)


def plain_rows(counting, n, n_periods):
    """Rows as the twins fill them: by scenario, without tiles."""
    rows = allocate_balances(counting, n, n_periods)
    return rows._replace(**{name: getattr(rows, name)[..., 0] for name in KEPT})


def by_scenario(rows, n):
    """Rows of tiles as rows by scenario."""
    flat = {name: np.moveaxis(getattr(rows, name), -1, 1) for name in KEPT}
    return rows._replace(
        **{name: x.reshape(x.shape[0] * x.shape[1], *x.shape[2:])[:n].copy() for name, x in flat.items()}
    )


EARLY = -NEVER


def book(invoices, n_buyers):
    """A book of (buyer, issue, due, value) in order of buyers."""
    buyer, issue, due, value = (np.array(column) for column in zip(*invoices, strict=True))
    n = len(value)
    return Book(
        np.searchsorted(buyer, np.arange(n_buyers + 1)).astype(np.int32), np.arange(n, dtype=np.int32),
        issue.astype(np.int32), due.astype(np.int32), np.zeros(n, np.int32), value.astype(np.float64),
        value.astype(np.float64), issue < 1, np.zeros(n, np.bool_), np.arange(n_buyers, dtype=np.uint64),
        np.full(n_buyers, -1, np.int32), np.zeros(n), np.zeros((0, n)),
    )  # fmt: skip


def one_view(ledger, weeks, **terms):
    """A view in which every invoice counts as uninsured, but for the terms given."""
    n_buyers = len(ledger.group)
    built = no_balances(1, n_buyers, len(ledger.amount))
    built.counts[:] = True
    built.value[0] = ledger.book_value
    return prepare(built._replace(**terms), ledger, clock(WEEK * weeks))


def insured(limits, changes=False, **terms):
    """Terms of a view that is insured up to these limits, which hold from the beginning."""
    n = len(limits)
    return {
        "insured": np.ones((1, n), np.bool_), "segments": np.arange(n + 1, dtype=np.int32)[None],
        "from_day": np.full(n, EARLY, np.int32), "limit": np.array(limits, dtype=np.float64),
        "changes": np.full(n, changes), **terms,
    }  # fmt: skip


def noted(counting, ledger, days, lost=None, weeks=4, score=9.0):
    """Balances of one scenario from payment days (and loss days) by invoice, as rows by scenario."""
    rows = allocate_balances(counting, 1, weeks)
    troubled = lost is not None
    for b in range(len(ledger.group)):
        mine = slice(ledger.start[b], ledger.start[b + 1])
        day = np.array([days[mine]], dtype=np.int32)
        loss = np.array([(lost if troubled else days)[mine]], dtype=np.int32)
        note_balances(0, b, 0, False, np.array([score]), troubled, day, loss, counting, rows)
    return by_scenario(rows, 1)


def lent(rows, first_loss=0.0, advance_rate=0.8, insured_advance_rate=0.9, concentration=1.0):
    """What is lent on receivables each week."""
    base = BasePlan(np.zeros(1, np.int32), np.array([first_loss]), advance_rate, insured_advance_rate, concentration)
    found = np.empty(rows.uninsured.shape[2])
    tiled = rows._replace(**{name: getattr(rows, name)[..., None] for name in KEPT})
    lend(base, tiled, 0, 0, found)
    return found.tolist()


TWO = book([(0, -10, 3, 1_000), (0, 5, 30, 400), (1, 1, 8, 500), (1, 15, 40, 700)], 2)
