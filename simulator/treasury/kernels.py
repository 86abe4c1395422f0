"""The cash path of every scenario under every programme."""

import numpy as np

from simulator.jit import kernel, prange, row
from simulator.treasury.formulas import (
    cash_interest,
    drawn_after,
    headroom,
    line_interest,
    opening_balance,
    shortfall,
)


@row
def run_programme(
    plan,
    collections,
    recoveries,
    hedge,
    claim_cash,
    premium_cash,
    purchases_saved,
    reserve,
    cash_row,
    line_row,
    headroom_row,
):
    """One cash path: money in and out of each period, then interest, then the credit line.

    Interest is on the balances the period began with. All per-period arrays have length n_periods; ``cash_row``,
    ``line_row`` (drawn) and ``headroom_row`` are written.

    Returns:
        lowest closing cash, lowest headroom, first period with headroom below zero (-1 if none), closing cash,
        interest paid less interest earned.
    """
    cash = opening_balance(plan.opening_cash, reserve)
    drawn = 0.0
    financing_cost = 0.0
    lowest_cash = np.inf
    lowest_headroom = np.inf
    first_shortfall = -1
    for t in range(plan.outflow.shape[0]):
        paid = line_interest(drawn, plan.line_rate, plan.period_years[t])
        earned = cash_interest(cash, plan.cash_rate, plan.period_years[t])
        financing_cost += paid - earned
        cash += collections[t] + recoveries[t] + hedge[t] + claim_cash[t] + earned
        cash -= premium_cash[t] + plan.outflow[t] + (plan.purchases[t] - purchases_saved[t]) + paid
        room = headroom(cash, drawn, plan.line_limit, plan.minimum_cash)
        if room < 0.0 and first_shortfall < 0:
            first_shortfall = t
        headroom_row[t] = room
        lowest_headroom = min(lowest_headroom, room)
        before = drawn
        drawn = drawn_after(drawn, cash, plan.minimum_cash, plan.line_limit)
        cash += drawn - before
        lowest_cash = min(lowest_cash, cash)
        cash_row[t] = cash
        line_row[t] = drawn
    return lowest_cash, lowest_headroom, first_shortfall, cash, financing_cost


@row
def run_scenario(plan, collections, recoveries, hedge, claim_cash, premium_cash, purchases_saved, rows, s):
    """The cash paths of one scenario, one per programme, written to its rows."""
    for p in range(plan.reserve.shape[0]):
        lowest_cash, lowest_headroom, first_shortfall, ending_cash, financing_cost = run_programme(
            plan, collections[s], recoveries[s], hedge[s], claim_cash[s, p], premium_cash[s, p], purchases_saved[s],
            plan.reserve[p], rows.cash[s, p], rows.line[s, p], rows.headroom[s, p],
        )  # fmt: skip
        rows.minimum_cash[s, p] = lowest_cash
        rows.minimum_headroom[s, p] = lowest_headroom
        rows.shortfall_amount[s, p] = shortfall(lowest_headroom)
        rows.first_shortfall_period[s, p] = first_shortfall
        rows.ending_cash[s, p] = ending_cash
        rows.financing_cost[s, p] = financing_cost


@kernel
def run_cash(plan, collections, recoveries, hedge, claim_cash, premium_cash, purchases_saved, rows):
    """Cash paths of a block of n scenarios.

    Args:
        plan: :class:`~simulator.treasury.plan.CashPlan`.
        collections, recoveries, hedge, purchases_saved: float64[n, n_periods], the same for all programmes.
        claim_cash, premium_cash: float64[n, n_programmes, n_periods].
        rows: :class:`~simulator.treasury.run.CashRows`, written.
    """
    for s in prange(collections.shape[0]):
        run_scenario(plan, collections, recoveries, hedge, claim_cash, premium_cash, purchases_saved, rows, np.int64(s))
