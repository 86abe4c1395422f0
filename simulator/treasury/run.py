"""From flows to cash paths: the result rows of the treasury kernel, and the call."""

from __future__ import annotations

from typing import NamedTuple

import numpy as np

from simulator.ledger.portfolio import Floats, Ints
from simulator.losses.balances import BalanceRows
from simulator.losses.rows import LedgerRows
from simulator.policy.apply import PolicyRows
from simulator.treasury.base import BasePlan
from simulator.treasury.kernels import run_cash
from simulator.treasury.plan import CashPlan


class CashRows(NamedTuple):
    """Results by scenario (n), programme (P) and period (T), study currency.

    ``cash`` closing cash and ``line`` drawn credit line, both after the line is drawn or repaid, and ``headroom``
    [n, P, T];
    ``minimum_cash`` lowest closing cash, ``minimum_headroom`` lowest headroom, ``shortfall_amount`` (≥ 0),
    ``ending_cash``, ``financing_cost`` (interest paid less earned) [n, P]; ``first_shortfall_period`` int32[n, P],
    -1 if none.
    ``borrowing_base`` what the bank lends on receivables [n, P, T], of no periods where the whole line can be drawn
    whatever is owed. ``fund`` closing balance of the reserve fund [n, P, T], of no periods where no programme has one;
    ``reserve_cost`` opportunity cost of the reserve and ``minimum_fund`` lowest balance of the fund when it has paid
    for a period's losses and before anything is put in, 0 once it has been exhausted [n, P];
    ``periods_below_reserve`` int32[n, P], how many periods it ends below its target.
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
    borrowing_base: Floats
    fund: Floats
    reserve_cost: Floats
    minimum_fund: Floats
    periods_below_reserve: Ints


def allocate_rows(
    n_scenarios: int, n_programmes: int, n_periods: int, funded: bool = False, based: bool = False
) -> CashRows:
    """Unfilled result rows for :func:`run_treasury`; a later block of the same size may use them again.

    Args:
        n_scenarios, n_programmes, n_periods: size of the block.
        funded: whether any programme has a reserve fund.
        based: whether there is a borrowing base.
    """
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
        np.empty((n, p, t if based else 0)),
        np.empty((n, p, t if funded else 0)),
        np.empty((n, p)),
        np.empty((n, p)),
        np.empty((n, p), np.int32),
    )


def run_treasury(
    plan: CashPlan,
    ledger: LedgerRows,
    hedge: Floats,
    policy: PolicyRows,
    base: BasePlan | None = None,
    balances: BalanceRows | None = None,
    rows: CashRows | None = None,
) -> CashRows:
    """Cash paths of every programme on every scenario of a block.

    Args:
        plan: opening position, line and planned outflows.
        ledger: money of the ledger by period, one row per scenario and regime.
        hedge: forward settlements by period, positive when received, float64[n, n_periods].
        policy: claim and premium cash by programme and period.
        base, balances: terms of a borrowing base and the receivables that count for it; the whole line by default.
        rows: rows to write into; new ones by default.

    Returns:
        the rows.
    """
    n_scenarios, n_programmes, n_periods = policy.claim_cash.shape
    based = base is not None and len(base.of_programme) > 0
    if not based:
        base = balances = None
    if rows is None:
        rows = allocate_rows(n_scenarios, n_programmes, n_periods, bool(plan.funded.any()), based)
    run_cash(plan, base, ledger, balances, hedge, policy.claim_cash, policy.premium_cash, rows)
    return rows


def bytes_per_scenario(plan: CashPlan, base: BasePlan) -> int:
    """Memory one scenario takes in these rows, for planning blocks."""
    paths = 3 + bool(plan.funded.any()) + (len(base.of_programme) > 0)
    return len(plan.reserve) * (8 * paths * len(plan.outflow) + 64)
