"""Random choices of what a bank counts, for the tests of the losses and treasury rooms."""

import numpy as np

from simulator.jit import NEVER
from simulator.losses.balances import allocate_balances, no_balances, prepare

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
