"""From flows to cash paths: the result rows of the treasury kernel, and the call."""

from __future__ import annotations

from typing import NamedTuple

import numpy as np

from simulator.ledger.portfolio import Floats, Ints
from simulator.losses.rows import LedgerRows
from simulator.policy.apply import PolicyRows
from simulator.treasury.kernels import run_cash
from simulator.treasury.plan import CashPlan


class CashRows(NamedTuple):
    """Results by scenario (n), programme (P) and period (T), study currency.

    ``cash`` closing cash and ``line`` drawn credit line, both after the line is drawn or repaid, and ``headroom``
    [n, P, T];
    ``minimum_cash`` lowest closing cash, ``minimum_headroom`` lowest headroom, ``shortfall_amount`` (≥ 0),
    ``ending_cash``, ``financing_cost`` (interest paid less earned) [n, P]; ``first_shortfall_period`` int32[n, P],
    -1 if none.
    """

    cash: Floats
    line: Floats
    headroom: Floats
    minimum_cash: Floats
    minimum_headroom: Floats
    shortfall_amount: Floats
    first_shortfall_period: Ints
    ending_cash: Floats
    financing_cost: Floats


def allocate_rows(n_scenarios: int, n_programmes: int, n_periods: int) -> CashRows:
    """Unfilled result rows for :func:`run_treasury`; a later block of the same size may use them again."""
    n, p, t = n_scenarios, n_programmes, n_periods
    return CashRows(
        np.empty((n, p, t)),
        np.empty((n, p, t)),
        np.empty((n, p, t)),
        np.empty((n, p)),
        np.empty((n, p)),
        np.empty((n, p)),
        np.empty((n, p), np.int32),
        np.empty((n, p)),
        np.empty((n, p)),
    )


def run_treasury(
    plan: CashPlan, ledger: LedgerRows, hedge: Floats, policy: PolicyRows, rows: CashRows | None = None
) -> CashRows:
    """Cash paths of every programme on every scenario of a block.

    Args:
        plan: opening position, line and planned outflows.
        ledger: collections, recoveries and saved purchases by period.
        hedge: forward settlements by period, positive when received, float64[n, n_periods].
        policy: claim and premium cash by programme and period.
        rows: rows to write into; new ones by default.

    Returns:
        the rows.
    """
    rows = rows if rows is not None else allocate_rows(*policy.claim_cash.shape)
    run_cash(
        plan, ledger.collections, ledger.recoveries, hedge, policy.claim_cash, policy.premium_cash,
        ledger.purchases_saved, rows,
    )  # fmt: skip
    return rows


def bytes_per_scenario(n_programmes: int, n_periods: int) -> int:
    """Memory one scenario takes in these rows, for planning blocks."""
    return n_programmes * (24 * n_periods + 44)
