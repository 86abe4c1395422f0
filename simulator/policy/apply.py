"""From simulated events to what each programme pays: the result rows of the policy kernel, and the call."""

from __future__ import annotations

from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from simulator.ledger.portfolio import Floats, Ints
from simulator.losses.plan import Book, Clock
from simulator.losses.rows import Events
from simulator.policy.gaps import GAP_STEPS
from simulator.policy.kernels import apply_programmes
from simulator.policy.plan import PolicyPlan

#: Groups of neighbouring scenarios that share sorting space: enough for any number of threads, few enough to be small.
_GROUPS = 64


class PolicyRows(NamedTuple):
    """Results by scenario (n), programme (P), period (T) and waterfall step (:data:`~simulator.policy.gaps.GAP_STEPS`).

    ``indemnity`` is ultimate and net of the insurer's share of later money, ``indemnity_gross`` is what was paid,
    ``indemnity_in_horizon`` is cash received less shares paid over by the horizon, [n, P]. ``premium`` includes
    fees and tax. ``claim_cash`` is claims received less shares paid over, ``premium_cash`` what is paid for cover,
    [n, P, T]. ``gap`` [n, P, G] is at the dates of loss, before later money; lost debts that no claim holds are in it
    as not covered, at the day they are lost.
    """

    indemnity: Floats
    indemnity_gross: Floats
    indemnity_in_horizon: Floats
    premium: Floats
    claim_cash: Floats
    premium_cash: Floats
    gap: Floats


def allocate_rows(n_scenarios: int, n_programmes: int, n_periods: int) -> PolicyRows:
    """Unfilled result rows for :func:`apply_policies`; a later block of the same size may use them again."""
    n, p, t = n_scenarios, n_programmes, n_periods
    return PolicyRows(
        np.empty((n, p)),
        np.empty((n, p)),
        np.empty((n, p)),
        np.empty((n, p)),
        np.empty((n, p, t)),
        np.empty((n, p, t)),
        np.empty((n, p, len(GAP_STEPS))),
    )


def apply_policies(
    plan: PolicyPlan,
    book: Book,
    clock: Clock,
    events: Events,
    rates: Floats,
    recovery_lag: int,
    rows: PolicyRows | None = None,
) -> PolicyRows:
    """Evaluate every programme on every scenario of a block.

    Args:
        plan: the programmes.
        book: the invoices that events point to.
        clock: horizon and periods.
        events: unpaid invoices of troubled buyers. Where a count exceeds what the arrays hold, only what they hold
            is used and the block must be run again with more room.
        rates: study currency per unit by weekly step, float64[n, n_currencies, steps + 1].
        recovery_lag: days from loss to recovery.
        rows: rows to write into; new ones by default.

    Returns:
        the rows.
    """
    n_scenarios, capacity = events.buyer.shape
    n_programmes, n_periods = plan.instalment.shape
    rows = rows if rows is not None else allocate_rows(n_scenarios, n_programmes, n_periods)
    # a scenario lists a buyer at most once, claim or not, and every listed buyer has at least one event
    most_claims = max(1, min(plan.limit.shape[1], capacity, int(events.n_events.max(initial=0))))
    groups = max(1, min(_GROUPS, n_scenarios))
    key: NDArray[np.int64] = np.empty((groups, most_claims), np.int64)
    first_event: Ints = np.empty((groups, most_claims), np.int32)
    apply_programmes(plan, book, events, rates, recovery_lag, clock, key, first_event, rows)
    return rows


def bytes_per_scenario(n_programmes: int, n_periods: int) -> int:
    """Memory one scenario takes in these rows, for planning blocks."""
    return 8 * n_programmes * (4 + 2 * n_periods + len(GAP_STEPS))
