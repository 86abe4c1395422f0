"""What of the ledger counts for a bank's lending, and the rows it is added up in.

A *view* is the ledger as one regime leaves it, seen without insurance or under one policy with the bank as loss payee.
Without a borrowing base there are no views, and nothing here takes memory or time.
"""

from __future__ import annotations

from typing import NamedTuple

import numpy as np

from simulator.jit import NEVER
from simulator.ledger.portfolio import Flags, Floats, Ints


class BalancePlan(NamedTuple):
    """Which receivables count, by view (V), buyer (B) and invoice (N); money is book value in study currency.

    ``regime`` int32[V]. ``counts`` bool[V, B]: any of the buyer's invoices may count; ``insured`` bool[V, B]: as
    insured debts, times ``weight`` float64[V, B] and up to the limits ``segments[v, b]`` … ``segments[v, b + 1] - 1``
    (int32[V, B + 1]): ``limit`` (infinite for no limit) holds ``from_day``, ``changes``: the insurer may change it.
    ``value`` float64[V, N] is what an invoice counts for while it is eligible, 0 where it never is.

    A change comes when the buyer's score says so: ``intensity`` float64[V] (0: never) and ``notice`` int32[V] in days;
    the share ``change_to`` float64[V] of a limit remains. A lower limit holds for later shipments and, unless
    ``run_off``, for all that is owed. ``maximum_overdue`` in days (NEVER: no maximum); ``ages_across`` and
    ``cross_ageing``: whether and at which aged share a buyer does not count at all. ``n_largest``: so many of the
    largest uninsured balances are kept, enough for a cap on concentration. ``period_end`` int32[T].
    """

    regime: Ints
    counts: Flags
    insured: Flags
    weight: Floats
    value: Floats
    segments: Ints
    from_day: Ints
    limit: Floats
    changes: Flags
    intensity: Floats
    notice: Ints
    change_to: Floats
    period_end: Ints
    run_off: bool
    maximum_overdue: int
    ages_across: bool
    cross_ageing: float
    n_largest: int


class BalanceRows(NamedTuple):
    """Balances by scenario (n), view (V) and period end (T), study currency.

    ``uninsured`` and ``insured`` float64[n, V, T] are eligible receivables before caps on concentration;
    ``largest`` float64[n, V, T, K] the largest uninsured balances of single buyers, in descending order. ``balance``,
    ``debt`` and ``aged`` float64[n, T] are for work on one buyer.
    """

    uninsured: Floats
    insured: Floats
    largest: Floats
    balance: Floats
    debt: Floats
    aged: Floats


def no_balances(n_views: int = 0, n_buyers: int = 0, n_invoices: int = 0) -> BalancePlan:
    """A plan in which nothing counts, for users to fill."""
    v, b = n_views, n_buyers
    return BalancePlan(
        regime=np.zeros(v, np.int32),
        counts=np.zeros((v, b), np.bool_),
        insured=np.zeros((v, b), np.bool_),
        weight=np.ones((v, b)),
        value=np.zeros((v, n_invoices)),
        segments=np.zeros((v, b + 1), np.int32),
        from_day=np.zeros(0, np.int32),
        limit=np.zeros(0),
        changes=np.zeros(0, np.bool_),
        intensity=np.zeros(v),
        notice=np.zeros(v, np.int32),
        change_to=np.zeros(v),
        period_end=np.zeros(0, np.int32),
        run_off=False,
        maximum_overdue=NEVER,
        ages_across=False,
        cross_ageing=1.0,
        n_largest=0,
    )


def allocate_balances(plan: BalancePlan, n: int, n_periods: int) -> BalanceRows:
    """Fresh, zeroed rows for n scenarios."""
    views = len(plan.regime)
    periods = n_periods if views else 0
    ageing = periods if plan.ages_across else 0
    return BalanceRows(
        np.zeros((n, views, periods)),
        np.zeros((n, views, periods)),
        np.zeros((n, views, periods, plan.n_largest)),
        np.zeros((n, periods)),
        np.zeros((n, ageing)),
        np.zeros((n, ageing)),
    )


def balance_bytes(plan: BalancePlan, n_periods: int) -> int:
    """Memory one scenario takes in these rows, for planning blocks."""
    views = len(plan.regime)
    if views == 0:
        return 0
    return 8 * n_periods * (views * (2 + plan.n_largest) + (3 if plan.ages_across else 1))
