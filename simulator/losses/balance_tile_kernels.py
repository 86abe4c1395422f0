"""What a buyer's invoices count for at a bank in all scenarios of a tile at once.

The same sums as in :mod:`simulator.losses.balance_kernels`, as plain loops over the scenarios that are compiled to
vector instructions. An invoice comes in the same period in all of them; only the period in which it goes is entered one
by one. Money that is added up over invoices is in multiples of 1/1024, so exact in any order; it is never negative, so
what is left of a maximum liability only shrinks.
"""

import numpy as np

from simulator.jit import row
from simulator.losses.balance_formulas import covered_more, not_covered, within_liability
from simulator.losses.balance_kernels import keep_largest


@row
def clear(n, values):
    """Set the first n columns to zero."""
    for k in range(values.shape[0]):
        for p in range(n):
            values[k, p] = 0.0


@row
def prepare_counting(t, n, b, plan, rows):
    """Nothing has come or gone yet of a buyer."""
    for k in range(plan.n_series[b]):
        rows.arrived[t, k] = 0.0
        clear(n, rows.balance[t, k])
    for p in range(n):
        rows.aged[t, p] = 0


@row
def note_age(n, old, period, aged):
    """Mark the scenarios in which an invoice is overdue too long before it goes."""
    for p in range(n):
        aged[p] |= old < period[p]


@row
def no_longer_counts(n, first, old, period):
    """Periods from which on an invoice does not count: it is paid, or overdue too long."""
    for p in range(n):
        period[p] = max(first, min(old, period[p]))


@row
def let_go(n, value, period, gone):
    """Enter an invoice where it goes."""
    for p in range(n):
        gone[np.uint32(period[p]), p] += value


@row
def add_up_periods(n, arrived, quiet, total, balance):
    """From what comes and goes to what is there at the end of each period; nothing where a scenario is not quiet."""
    for p in range(n):
        total[p] = 0.0
    for period in range(arrived.shape[0] - 1):
        come = arrived[period]
        for p in range(n):
            total[p] += come - balance[period, p]
            balance[period, p] = total[p] * quiet[p]


@row
def keep_largest_of(n, balance, largest):
    """Put the balances of a buyer among the largest ones of each scenario."""
    smallest = largest.shape[0] - 1
    any_larger = False
    for p in range(n):
        any_larger |= balance[p] > largest[smallest, p]
    if any_larger:
        for p in range(n):
            if balance[p] > largest[smallest, p]:
                keep_largest(largest, p, balance[p])


@row
def count_all_uninsured(n, balance, uninsured, largest):
    """Count a buyer's balances as uninsured."""
    for period in range(uninsured.shape[0]):
        for p in range(n):
            uninsured[period, p] += balance[period, p]
        if largest.shape[1] > 0:
            keep_largest_of(n, balance[period], largest[period])


@row
def cover_within_liability(n, weight, liability, least, used, counted):
    """Count balances as far as the maximum liability lasts; returns whether less than the ``least`` is left of it."""
    over = False
    for p in range(n):
        over |= weight * counted[p] > covered_more(liability, used[p], liability)
    if not over:
        for p in range(n):
            used[p] += weight * counted[p]
        return False
    enough = False
    for p in range(n):
        counted[p] = within_liability(counted[p], weight, covered_more(liability, used[p], liability))
    for p in range(n):
        used[p] += weight * counted[p]
        enough |= covered_more(liability, used[p], liability) >= least
    return not enough


@row
def count_all_covered(
    n, weight, limit, group, country, maximum, liability, least, has_rest, balance, owed, used, spent, counted,
    insured, uninsured, largest,
):  # fmt: skip
    """Count a buyer's balances as far as its limit and what it shares with others last; the rest as uninsured."""
    for period in range(insured.shape[0]):
        if spent[period]:
            for p in range(n):
                counted[p] = 0.0
        else:
            if group < 0:
                for p in range(n):
                    counted[p] = covered_more(balance[period, p], 0.0, limit)
            else:
                for p in range(n):
                    counted[p] = covered_more(balance[period, p], used[group, period, p], limit)
            if country >= 0:
                for p in range(n):
                    counted[p] = covered_more(counted[p], used[country, period, p], maximum)
            if liability < np.inf:
                spent[period] = cover_within_liability(n, weight, liability, least, used[0, period], counted)
            if country >= 0:
                for p in range(n):
                    used[country, period, p] += counted[p]
            if group >= 0:
                for p in range(n):
                    used[group, period, p] += counted[p]
            for p in range(n):
                insured[period, p] += weight * counted[p]
        if has_rest:
            for p in range(n):
                counted[p] = not_covered(owed[period, p], weight * counted[p])
            for p in range(n):
                uninsured[period, p] += counted[p]
            if largest.shape[1] > 0:
                keep_largest_of(n, counted, largest[period])


@row
def count_together(t, n, b, part, score, plan, rows):
    """Add a buyer to all views in which its limit stays, in the scenarios with ``part`` 1.

    Those in which it is cross-aged, or its limit changes, are left out: ``rows.quiet`` is 1 for the others.

    Returns:
        whether any view is left out.
    """
    quiet, aged, change_score = rows.quiet[t], rows.aged[t], plan.change_score[b]
    for p in range(n):
        quiet[p] = 0.0 if (aged[p] != 0) | (score[p] <= change_score) else part[p]
    for k in range(plan.n_series[b]):
        add_up_periods(n, rows.arrived[t, k], quiet, rows.total[t], rows.balance[t, k])
    moving = False
    for v in range(plan.regime.shape[0]):
        if not plan.counts[v, b]:
            continue
        balance = rows.balance[t, plan.of_value[v, b]]
        if not plan.insured[v, b]:
            count_all_uninsured(n, balance, rows.uninsured[t, v], rows.largest[t, v])
        elif not plan.steady[v, b]:
            moving = True
        else:
            count_all_covered(
                n, plan.weight[v, b], plan.limit[plan.segments[v, b]], plan.group_pool[v, b], plan.country_pool[v, b],
                plan.country_maximum[v, b], plan.liability[v], plan.least[v], plan.rest[v, b], balance,
                rows.balance[t, plan.of_rest[v, b]], rows.used[t, v], rows.spent[t, v], rows.counted[t],
                rows.insured[t, v], rows.uninsured[t, v], rows.largest[t, v],
            )  # fmt: skip
    return moving
