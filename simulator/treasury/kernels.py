"""The cash path of every scenario under every programme."""

import numpy as np

from simulator.jit import kernel, prange, row
from simulator.treasury.base_kernels import lend
from simulator.treasury.formulas import (
    assigned_claims,
    cash_interest,
    cost_of_fund,
    drawn_after,
    headroom,
    into_fund,
    line_available,
    line_interest,
    opening_balance,
    paid_by_fund,
    price_of_line,
    shortfall,
    utilisation,
)


@row
def line_rate(plan, p, drawn):
    """Annual rate of a programme on what was drawn when the period began: that of the last step reached."""
    used = utilisation(drawn, plan.line_limit)
    rate = plan.line_rate
    for step in range(plan.step_from.shape[0]):
        if used >= plan.step_from[step]:
            rate = plan.step_rate[step]
    return price_of_line(rate, plan.saving[p])


@row
def run_programme(plan, p, collections, recoveries, hedge, claim_cash, premium_cash, purchases_saved, losses,
                  trade_cost, lent, cash_row, line_row, headroom_row, fund_row):  # fmt: skip
    """One cash path: money in and out of each period, then the reserve fund, then the credit line.

    Interest is on the balances the period began with. All per-period arrays have length n_periods, but for
    ``lent`` (the borrowing base), empty where there is none, and ``fund_row``, empty where no programme
    has a fund. ``cash_row``, ``line_row`` (drawn), ``headroom_row`` and ``fund_row`` are written.

    A fund pays for the losses of the period, takes claims and its own interest while it is below its target, and is
    topped up from cash above the minimum. With the bank as loss payee claims repay the line before they serve anything
    else; what they repay is not drawn again in the same period.

    Returns:
        lowest closing cash, lowest headroom, first period with headroom below zero (-1 if none), closing cash,
        interest paid less interest earned, opportunity cost of the reserve, lowest fund before top-ups, periods
        below its target.
    """
    funded = plan.funded[p]
    target = plan.reserve[p]
    fund = target if funded else 0.0
    cash = opening_balance(plan.opening_cash, 0.0 if funded else target)
    drawn = 0.0
    financing_cost = 0.0
    reserve_cost = 0.0 if funded else plan.standing_reserve_cost[p]
    lowest_cash = np.inf
    lowest_headroom = np.inf
    lowest_fund = fund
    below_target = 0
    first_shortfall = -1
    for t in range(plan.outflow.shape[0]):
        years = plan.period_years[t]
        paid = line_interest(drawn, line_rate(plan, p, drawn), years)
        earned = cash_interest(cash, plan.cash_rate, years)
        financing_cost += paid - earned
        cash += collections[t] + recoveries[t] + hedge[t] + claim_cash[t] + earned
        cash -= premium_cash[t] + plan.outflow[t] + (plan.purchases[t] - purchases_saved[t]) + paid + trade_cost[t]
        assigned = assigned_claims(claim_cash[t], plan.loss_payee[p])
        if funded:
            before = fund
            reserve_cost += cost_of_fund(fund, plan.cost_of_capital[p], years)
            earned = cash_interest(fund, plan.fund_interest[p], years)
            financing_cost -= earned
            fund -= paid_by_fund(fund, losses[t])
            lowest_fund = min(lowest_fund, fund)
            claims = into_fund(fund, target, claim_cash[t] - min(drawn, assigned))
            fund += claims
            assigned = max(0.0, assigned - claims)
            fund += into_fund(fund, target, earned)
            free = cash + earned + (before - fund) - assigned - plan.minimum_cash - drawn
            fund += into_fund(fund, target, min(plan.top_up[p, t], free))
            cash += earned + (before - fund)
            if fund < target:
                below_target += 1
        if fund_row.shape[0] > 0:
            fund_row[t] = fund
        limit = line_available(plan.line_limit, lent[t]) if lent.shape[0] > 0 else plan.line_limit
        room = headroom(cash, drawn, limit, plan.minimum_cash)
        if room < 0.0 and first_shortfall < 0:
            first_shortfall = t
        headroom_row[t] = room
        lowest_headroom = min(lowest_headroom, room)
        before = drawn
        drawn = drawn_after(drawn, cash - assigned, plan.minimum_cash, limit)
        drawn -= min(drawn, assigned)
        cash += drawn - before
        lowest_cash = min(lowest_cash, cash)
        cash_row[t] = cash
        line_row[t] = drawn
    return (
        lowest_cash, lowest_headroom, first_shortfall, cash, financing_cost, reserve_cost, lowest_fund, below_target,
    )  # fmt: skip


@row
def run_scenario(plan, base, ledger, balances, hedge, claim_cash, premium_cash, rows, s):
    """The cash paths of one scenario, one per programme, written to its rows."""
    for p in range(plan.reserve.shape[0]):
        r = plan.regime[p] * claim_cash.shape[0] + s
        if base is not None:
            lend(base, balances, s, p, rows.borrowing_base[s, p])
        lowest_cash, lowest_headroom, first_shortfall, ending_cash, financing_cost, reserve_cost, fund, below = (
            run_programme(
                plan, p, ledger.collections[r], ledger.recoveries[r], hedge[s], claim_cash[s, p], premium_cash[s, p],
                ledger.purchases_saved[r], ledger.losses[r], ledger.trade_cost[r],
                rows.borrowing_base[s, p], rows.cash[s, p], rows.line[s, p], rows.headroom[s, p], rows.fund[s, p],
            )
        )  # fmt: skip
        rows.minimum_cash[s, p] = lowest_cash
        rows.minimum_headroom[s, p] = lowest_headroom
        rows.shortfall_amount[s, p] = shortfall(lowest_headroom)
        rows.first_shortfall_period[s, p] = first_shortfall
        rows.ending_cash[s, p] = ending_cash
        rows.financing_cost[s, p] = financing_cost
        rows.reserve_cost[s, p] = reserve_cost
        rows.minimum_fund[s, p] = fund
        rows.periods_below_reserve[s, p] = below


@kernel
def run_cash(plan, base, ledger, balances, hedge, claim_cash, premium_cash, rows):
    """Cash paths of a block of n scenarios.

    Args:
        plan: :class:`~simulator.treasury.plan.CashPlan`.
        base: :class:`~simulator.treasury.base.BasePlan`; None without a borrowing base, whose kernels are not compiled.
        ledger: :class:`~simulator.losses.rows.LedgerRows`, of which a programme reads row regime · n + s.
        balances: :class:`~simulator.losses.balances.BalanceRows`, None likewise.
        hedge: float64[n, n_periods], the same for all programmes.
        claim_cash, premium_cash: float64[n, n_programmes, n_periods].
        rows: :class:`~simulator.treasury.run.CashRows`, written.
    """
    for s in prange(claim_cash.shape[0]):
        run_scenario(plan, base, ledger, balances, hedge, claim_cash, premium_cash, rows, np.int64(s))
