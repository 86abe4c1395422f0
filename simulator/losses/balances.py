"""What of the ledger counts for a bank's lending, and the rows it is added up in.

A *view* is the ledger as one regime leaves it, seen without insurance or under one policy with the bank as loss payee.
Without a borrowing base there are no views, and nothing here takes memory or time.
"""

from __future__ import annotations

from typing import NamedTuple

import numpy as np

from simulator.constants import NEVER
from simulator.ledger.portfolio import Flags, Floats, Ints
from simulator.losses.plan import Book, Clock
from simulator.losses.regimes import change_threshold

#: Money is rounded to 1/1024 here: sums and differences up to 8·10¹² are then exact, in whatever order.
GRAIN = 1024.0


class BalancePlan(NamedTuple):
    """Which receivables count, by view (V), buyer (B) and invoice (N); money is book value in study currency.

    ``regime`` int32[V]. ``counts`` bool[V, B]: any of the buyer's invoices may count; ``insured`` bool[V, B]: as
    insured debts, times ``weight`` float64[V, B] and up to the limits ``segments[v, b]`` … ``segments[v, b + 1] - 1``
    (int32[V, B + 1]): ``limit`` (infinite for no limit) holds ``from_day``, ``changes``: the insurer may change it.
    ``value`` float64[V, N] is what an invoice counts for while it is eligible, 0 where it never is.

    ``rest`` bool[V, B]: what does not count as insured of a buyer's ``uninsured_value`` float64[V, N] counts as
    uninsured.
    Insured buyers share the rows ``group_pool`` and ``country_pool`` int32[V, B] of ``n_pools`` (-1: none): those of a
    group its limit, those of a country ``country_maximum`` float64[V, B]; all of a view share ``liability`` float64[V]
    (row 0 where it is finite), in weighted money. Whoever stands first in the ledger takes first.

    A change comes when the buyer's score says so: ``intensity`` float64[V] (0: never) and ``notice`` int32[V] in days;
    the share ``change_to`` float64[V] of a limit remains. A lower limit holds for later shipments and, unless
    ``run_off``, for all that is owed. ``maximum_overdue`` in days (NEVER: no maximum); ``ages_across`` and
    ``cross_ageing``: whether and at which aged share a buyer does not count at all. ``n_largest``: so many of the
    largest uninsured balances are kept, enough for a cap on concentration.

    The rest follows from the book (:func:`prepare`): ``start`` int32[B + 1], ``issue_day``, the period ``first`` at
    whose end an invoice is there and ``old`` from whose end on it is overdue too long, its ``debt`` [N];
    ``period_of_day`` int32[horizon + 2] and ``period_end`` int32[T].

    Most views see a buyer's invoices at the same values. What they see are ``n_series`` int32[B] *series* with the
    values ``series_value`` float64[S, N]: each view takes ``of_value`` and, for the rest, ``of_rest`` int32[V, B].
    With less than ``least`` float64[V] left of the liability no more counts. ``steady`` bool[V, B]: an insured buyer's
    limit is one from the beginning to the end, unless its score says it changes, which it never does above
    ``change_score`` float64[B].
    """

    regime: Ints
    counts: Flags
    insured: Flags
    weight: Floats
    value: Floats
    rest: Flags
    uninsured_value: Floats
    n_pools: int
    group_pool: Ints
    country_pool: Ints
    country_maximum: Floats
    liability: Floats
    segments: Ints
    from_day: Ints
    limit: Floats
    changes: Flags
    intensity: Floats
    notice: Ints
    change_to: Floats
    run_off: bool
    maximum_overdue: int
    ages_across: bool
    cross_ageing: float
    n_largest: int
    start: Ints
    issue_day: Ints
    first: Ints
    old: Ints
    debt: Floats
    period_of_day: Ints
    period_end: Ints
    n_series: Ints
    series_value: Floats
    of_value: Ints
    of_rest: Ints
    least: Floats
    steady: Flags
    change_score: Floats


class BalanceRows(NamedTuple):
    """Balances by tile of consecutive scenarios (n), view (V) and period end (T), a tile's scenarios (W) last; study
    currency. Scenario s is number s % W of tile s // W.

    ``uninsured`` and ``insured`` float64[n, V, T, W] are eligible receivables before caps on concentration;
    ``largest`` float64[n, V, T, K, W] the largest uninsured balances of single buyers, in descending order; ``used``
    float64[n, V, n_pools, T, W] what buyers have taken so far of what they share; ``spent`` bool[n, V, T] whether the
    maximum liability is, in all scenarios of a tile.

    The others are for work on one buyer. In all scenarios of a tile: ``arrived`` float64[n, S, T + 1] is what comes in
    a period, ``balance`` float64[n, S, T + 1, W] first what goes and then what is there at its end; ``total``,
    ``counted`` and ``quiet`` float64[n, W]: the sum so far, what counts as insured, and 1 for scenarios that are added
    up together; ``aged`` int32[n, W] whether any invoice is overdue too long. In one of them: ``gone`` int32[n, longest
    ledger of a buyer], ``seen`` float64[n, S, T], ``covered``, ``debt`` and ``overdue`` float64[n, T] and
    ``cross_aged`` bool[n, T].
    """

    uninsured: Floats
    insured: Floats
    largest: Floats
    used: Floats
    spent: Flags
    arrived: Floats
    balance: Floats
    total: Floats
    counted: Floats
    quiet: Floats
    aged: Ints
    gone: Ints
    seen: Floats
    covered: Floats
    debt: Floats
    overdue: Floats
    cross_aged: Flags


def no_balances(n_views: int = 0, n_buyers: int = 0, n_invoices: int = 0) -> BalancePlan:
    """A plan in which nothing counts, for users to fill and :func:`prepare`."""
    v, b = n_views, n_buyers
    none = np.zeros(0, np.int32)
    return BalancePlan(
        regime=np.zeros(v, np.int32),
        counts=np.zeros((v, b), np.bool_),
        insured=np.zeros((v, b), np.bool_),
        weight=np.ones((v, b)),
        value=np.zeros((v, n_invoices)),
        rest=np.zeros((v, b), np.bool_),
        uninsured_value=np.zeros((v, n_invoices)),
        n_pools=0,
        group_pool=np.full((v, b), -1, np.int32),
        country_pool=np.full((v, b), -1, np.int32),
        country_maximum=np.full((v, b), np.inf),
        liability=np.full(v, np.inf),
        segments=np.zeros((v, b + 1), np.int32),
        from_day=none,
        limit=np.zeros(0),
        changes=np.zeros(0, np.bool_),
        intensity=np.zeros(v),
        notice=np.zeros(v, np.int32),
        change_to=np.zeros(v),
        run_off=False,
        maximum_overdue=NEVER,
        ages_across=False,
        cross_ageing=1.0,
        n_largest=0,
        start=none,
        issue_day=none,
        first=none,
        old=none,
        debt=np.zeros(0),
        period_of_day=none,
        period_end=none,
        n_series=np.zeros(b, np.int32),
        series_value=np.zeros((0, n_invoices)),
        of_value=np.zeros((v, b), np.int32),
        of_rest=np.zeros((v, b), np.int32),
        least=np.zeros(v),
        steady=np.ones((v, b), np.bool_),
        change_score=np.full(b, -np.inf),
    )


def prepare(plan: BalancePlan, book: Book, clock: Clock) -> BalancePlan:
    """The plan with what follows from the book and the clock.

    Args:
        plan: what counts and on which terms.
        book: the invoices.
        clock: horizon and periods.
    """
    n_periods = int(clock.period_of_day[-1]) + 1
    # one day more: what lies after the horizon outlasts every period
    period = np.append(clock.period_of_day, np.int32(n_periods))
    old = book.due_day.astype(np.int64) + plan.maximum_overdue + 1
    last_day = clock.horizon + 1
    exact = plan._replace(
        value=np.round(plan.value * GRAIN) / GRAIN,
        uninsured_value=np.round(plan.uninsured_value * GRAIN) / GRAIN,
        limit=np.round(plan.limit * GRAIN) / GRAIN,
        country_maximum=np.round(plan.country_maximum * GRAIN) / GRAIN,
        start=book.start,
        issue_day=book.issue_day,
        first=period[np.clip(book.issue_day, 0, last_day)],
        old=period[np.clip(old, 0, last_day)],
        debt=np.round(book.book_value * GRAIN) / GRAIN,
        # a hair less than one grain of the debt with the lowest weight
        least=0.999 / GRAIN * np.where(plan.counts & plan.insured, plan.weight, 1.0).min(axis=1, initial=1.0),
        period_of_day=period,
        period_end=np.searchsorted(clock.period_of_day, np.arange(n_periods), side="right").astype(np.int32) - 1,
    )
    return _with_moves(_with_series(exact), clock.horizon)


def _with_series(plan: BalancePlan) -> BalancePlan:
    """The plan with the different series of values that its views see of each buyer."""
    n_views, n_buyers = plan.counts.shape
    buyer = np.repeat(np.arange(n_buyers), np.diff(plan.start))
    known: dict[bytes, int] = {}
    kinds = ((plan.value, plan.counts), (plan.uninsured_value, plan.counts & plan.insured & plan.rest))
    number = [[known.setdefault(row.tobytes(), len(known)) for row in values] for values, _ in kinds]
    different = np.zeros((len(known), len(buyer)))
    needed = np.zeros((len(known), n_buyers), np.bool_)
    for numbers, (values, seen) in zip(number, kinds, strict=True):
        for v, d in enumerate(numbers):
            different[d] = values[v]
            needed[d] |= seen[v]
    like = np.repeat(np.arange(len(known))[:, None], n_buyers, axis=1)
    for d in range(len(known)):
        for c in range(d - 1, -1, -1):
            differs = np.bincount(buyer[different[c] != different[d]], minlength=n_buyers)
            like[d, needed[c] & (differs == 0)] = c
    own = needed & (like == np.arange(len(known))[:, None])
    place = np.cumsum(own, axis=0) - 1
    n_series = own.sum(axis=0)
    series = np.zeros((int(n_series.max(initial=0)), len(buyer)))
    for d in range(len(known)):
        mine = np.flatnonzero(own[d][buyer])
        series[place[d][buyer[mine]], mine] = different[d][mine]
    column = np.arange(n_buyers)
    of_value, of_rest = (
        np.array([place[like[d], column] for d in numbers], np.int32).reshape(n_views, n_buyers) for numbers in number
    )
    return plan._replace(n_series=n_series.astype(np.int32), series_value=series, of_value=of_value, of_rest=of_rest)


def _with_moves(plan: BalancePlan, horizon: int) -> BalancePlan:
    """The plan with the buyers whose limits move."""
    begin, end = plan.segments[:, :-1], plan.segments[:, 1:]
    always = np.append(plan.from_day == -NEVER, False)  # one more for a buyer at the end without any limit
    insured = plan.counts & plan.insured
    may_change = np.zeros(plan.counts.shape, np.bool_)
    total = np.concatenate([[0], np.cumsum(plan.changes)])
    if len(plan.changes):
        may_change = insured & (total[end] > total[begin])
    threshold = np.array([change_threshold([float(q)], horizon) for q in plan.intensity]).reshape(-1, 1)
    return plan._replace(
        steady=~plan.insured | ((end == begin + 1) & always[np.minimum(begin, len(always) - 1)]),
        change_score=np.where(may_change, threshold, -np.inf).max(axis=0, initial=-np.inf),
    )


def allocate_balances(plan: BalancePlan, n: int, n_periods: int, width: int = 1) -> BalanceRows:
    """Fresh, zeroed rows for n scenarios, in tiles of ``width``."""
    views = len(plan.regime)
    periods = n_periods if views else 0
    ageing = periods if plan.ages_across else 0
    longest = int(np.diff(plan.start).max(initial=0))
    series = len(plan.series_value)
    tiles = -(-n // width) if views else 0

    def zeros(*shape: int) -> Floats:
        return np.zeros((tiles, *shape))

    return BalanceRows(
        uninsured=zeros(views, periods, width),
        insured=zeros(views, periods, width),
        largest=zeros(views, periods, plan.n_largest, width),
        used=zeros(views, plan.n_pools, periods, width),
        spent=np.zeros((tiles, views, periods), np.bool_),
        arrived=zeros(series, periods + 1),
        balance=zeros(series, periods + 1, width),
        total=zeros(width),
        counted=zeros(width),
        quiet=zeros(width),
        aged=np.zeros((tiles, width), np.int32),
        gone=np.zeros((tiles, longest), np.int32),
        seen=zeros(series, periods),
        covered=zeros(periods),
        debt=zeros(ageing),
        overdue=zeros(ageing),
        cross_aged=np.zeros((tiles, ageing), np.bool_),
    )


def balance_bytes(plan: BalancePlan, n_periods: int) -> int:
    """Memory one scenario takes in these rows at most, for planning blocks: what it takes in a tile of its own."""
    views, series = len(plan.regime), len(plan.series_value)
    if views == 0:
        return 0
    rows = views * (2 + plan.n_largest + plan.n_pools) + 3 * series + 1
    alone = 4 * int(np.diff(plan.start).max(initial=0)) + 8 * (2 * series + 3) + 4
    return alone + n_periods * (8 * rows + views + (17 if plan.ages_across else 0))
