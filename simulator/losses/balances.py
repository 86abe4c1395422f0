"""What of the ledger counts for a bank's lending, and the rows it is added up in.

A *view* is the ledger as one regime leaves it, seen without insurance or under one policy with the bank as loss payee.
Without a borrowing base there are no views, and nothing here takes memory or time.
"""

from __future__ import annotations

from typing import NamedTuple

import numpy as np

from simulator.jit import NEVER
from simulator.ledger.portfolio import Flags, Floats, Ints
from simulator.losses.plan import Book, Clock

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
    whose end an invoice is there and ``old`` from whose end on it is overdue too long, its ``debt`` [N]; ``like``
    int32[V, B], the first view with the same values of a buyer; ``period_of_day`` int32[horizon + 2] and ``period_end``
    int32[T].
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
    like: Ints
    period_of_day: Ints
    period_end: Ints


class BalanceRows(NamedTuple):
    """Balances by scenario (n), view (V) and period end (T), study currency.

    ``uninsured`` and ``insured`` float64[n, V, T] are eligible receivables before caps on concentration;
    ``largest`` float64[n, V, T, K] the largest uninsured balances of single buyers, in descending order; ``used``
    float64[n, V, n_pools, T] what buyers have taken so far of what they share. ``gone`` int32[n, longest ledger of a
    buyer], ``balance``, ``covered``, ``owed``, ``debt`` and ``aged`` float64[n, T] and ``cross_aged`` bool[n, T] are
    for work on one buyer.
    """

    uninsured: Floats
    insured: Floats
    largest: Floats
    used: Floats
    gone: Ints
    balance: Floats
    covered: Floats
    owed: Floats
    debt: Floats
    aged: Floats
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
        like=np.zeros((v, b), np.int32),
        period_of_day=none,
        period_end=none,
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
    value = np.round(plan.value * GRAIN) / GRAIN
    buyer = np.repeat(np.arange(len(book.start) - 1), np.diff(book.start))
    like = np.zeros_like(plan.like)
    for v in range(len(plan.regime)):
        like[v] = v
        for u in range(v - 1, -1, -1):
            differs = np.bincount(buyer[value[u] != value[v]], minlength=len(book.start) - 1)
            like[v, differs == 0] = u
    old = book.due_day.astype(np.int64) + plan.maximum_overdue + 1
    last_day = clock.horizon + 1
    return plan._replace(
        value=value,
        uninsured_value=np.round(plan.uninsured_value * GRAIN) / GRAIN,
        limit=np.round(plan.limit * GRAIN) / GRAIN,
        country_maximum=np.round(plan.country_maximum * GRAIN) / GRAIN,
        start=book.start,
        issue_day=book.issue_day,
        first=period[np.clip(book.issue_day, 0, last_day)],
        old=period[np.clip(old, 0, last_day)],
        debt=np.round(book.book_value * GRAIN) / GRAIN,
        like=like,
        period_of_day=period,
        period_end=np.searchsorted(clock.period_of_day, np.arange(n_periods), side="right").astype(np.int32) - 1,
    )


def allocate_balances(plan: BalancePlan, n: int, n_periods: int) -> BalanceRows:
    """Fresh, zeroed rows for n scenarios."""
    views = len(plan.regime)
    periods = n_periods if views else 0
    ageing = periods if plan.ages_across else 0
    longest = int(np.diff(plan.start).max(initial=0))
    return BalanceRows(
        np.zeros((n, views, periods)),
        np.zeros((n, views, periods)),
        np.zeros((n, views, periods, plan.n_largest)),
        np.zeros((n, views, plan.n_pools, periods)),
        np.zeros((n, longest), np.int32),
        np.zeros((n, periods)),
        np.zeros((n, periods)),
        np.zeros((n, periods)),
        np.zeros((n, ageing)),
        np.zeros((n, ageing)),
        np.zeros((n, ageing), np.bool_),
    )


def balance_bytes(plan: BalancePlan, n_periods: int) -> int:
    """Memory one scenario takes in these rows, for planning blocks."""
    views = len(plan.regime)
    if views == 0:
        return 0
    working = 4 * int(np.diff(plan.start).max(initial=0))
    rows = views * (2 + plan.n_largest + plan.n_pools) + 3
    return working + n_periods * (8 * rows + (17 if plan.ages_across else 0))
