"""What a buyer's invoices count for at a bank, at the end of each period of one scenario.

Called for each buyer when its payment days are final: afterwards they are gone. A *view* is the ledger as one regime
leaves it, seen without insurance or under one policy with the bank as loss payee. Most views see the same balances of a
buyer, so these are added up once, by the periods in which an invoice comes and goes. Most scenarios are added up side
by side, in :mod:`simulator.losses.balance_tile_kernels`; here are those where a buyer is cross-aged, its limit moves,
or regimes differ.
"""

import numpy as np

from simulator.jit import NEVER, row
from simulator.losses.balance_formulas import covered_more, is_cross_aged, limit_on, not_covered, within_liability
from simulator.losses.formulas import limit_change_day


@row
def find_cross_aged(t, b, plan, rows):
    """Mark the periods at whose end too much of a buyer's debt is overdue too long."""
    debt, overdue, gone = rows.debt[t], rows.overdue[t], rows.gone[t]
    for period in range(debt.shape[0]):
        debt[period] = 0.0
        overdue[period] = 0.0
    for i in range(plan.start[b], plan.start[b + 1]):
        last = gone[i - plan.start[b]]
        for period in range(plan.first[i], last):
            debt[period] += plan.debt[i]
        for period in range(plan.old[i], last):
            overdue[period] += plan.debt[i]
    for period in range(debt.shape[0]):
        rows.cross_aged[t, period] = is_cross_aged(overdue[period], debt[period], plan.cross_ageing)


@row
def add_series(t, b, aged, plan, rows):
    """Add up what all views see of a buyer: the balance at the end of each period at each series of values."""
    n_periods = rows.seen.shape[2]
    begin, gone = plan.start[b], rows.gone[t]
    for k in range(plan.n_series[b]):
        seen, value = rows.seen[t, k], plan.series_value[k]
        for period in range(n_periods):
            seen[period] = 0.0
        for i in range(begin, plan.start[b + 1]):
            since = plan.first[i]
            until = min(plan.old[i], gone[i - begin])
            if since < until:
                seen[since] += value[i]
                if until < n_periods:
                    seen[until] -= value[i]
        total = 0.0
        for period in range(n_periods):
            total += seen[period]
            seen[period] = 0.0 if aged and rows.cross_aged[t, period] else total


@row
def keep_largest(largest, p, balance):
    """Put a balance that belongs there among the largest ones of scenario ``p``, in descending order."""
    at = largest.shape[0] - 1
    while at > 0 and largest[at - 1, p] < balance:
        largest[at, p] = largest[at - 1, p]
        at -= 1
    largest[at, p] = balance


@row
def limit_in_force(v, b, change_day, day, plan):
    """Limit of a buyer on a day; none before its first segment."""
    limit = 0.0
    for k in range(plan.segments[v, b], plan.segments[v, b + 1]):
        if plan.from_day[k] <= day:
            limit = limit_on(plan.limit[k], plan.change_to[v], change_day if plan.changes[k] else NEVER, day)
    return limit


@row
def cover_by_issue(t, p, b, v, change_day, aged, plan, rows):
    """Find a buyer's covered balances where its limit does not stay: each invoice under the limit of its issue."""
    begin = plan.start[b]
    pool = plan.group_pool[v, b]
    covered = rows.covered[t]
    value = plan.series_value[plan.of_value[v, b]]
    for period in range(covered.shape[0]):
        covered[period] = 0.0
    for i in range(begin, plan.start[b + 1]):
        limit = limit_in_force(v, b, change_day, plan.issue_day[i], plan)
        for period in range(plan.first[i], min(plan.old[i], rows.gone[t, i - begin])):
            used = rows.used[t, v, pool, period, p] if pool >= 0 else 0.0
            covered[period] += covered_more(value[i], used + covered[period], limit)
    for period in range(covered.shape[0]):
        if aged and rows.cross_aged[t, period]:
            covered[period] = 0.0
        elif not plan.run_off:
            used = rows.used[t, v, pool, period, p] if pool >= 0 else 0.0
            limit = limit_in_force(v, b, change_day, plan.period_end[period], plan)
            covered[period] = covered_more(covered[period], used, limit)


@row
def cover_balances(t, p, b, v, plan, rows):
    """Find a buyer's covered balances where its limit stays."""
    seen, covered = rows.seen[t, plan.of_value[v, b]], rows.covered[t]
    limit, pool = plan.limit[plan.segments[v, b]], plan.group_pool[v, b]
    for period in range(covered.shape[0]):
        used = rows.used[t, v, pool, period, p] if pool >= 0 else 0.0
        covered[period] = covered_more(seen[period], used, limit)


@row
def count_covered(t, p, b, v, plan, rows):
    """Count a buyer's covered balances, as far as what it shares with others lasts, and what does not count as such as
    uninsured."""
    group, country = plan.group_pool[v, b], plan.country_pool[v, b]
    weight, liability = plan.weight[v, b], plan.liability[v]
    smallest = rows.largest.shape[3] - 1
    used, owed = rows.used[t, v], rows.seen[t, plan.of_rest[v, b]]
    for period in range(rows.covered.shape[1]):
        counted = rows.covered[t, period]
        if country >= 0:
            counted = covered_more(counted, used[country, period, p], plan.country_maximum[v, b])
        if liability < np.inf:
            left = covered_more(liability, used[0, period, p], liability)
            counted = within_liability(counted, weight, left)
            used[0, period, p] += weight * counted
        if country >= 0:
            used[country, period, p] += counted
        if group >= 0:
            used[group, period, p] += counted
        rows.insured[t, v, period, p] += weight * counted
        if plan.rest[v, b]:
            rest = not_covered(owed[period], weight * counted)
            rows.uninsured[t, v, period, p] += rest
            if smallest >= 0 and rest > rows.largest[t, v, period, smallest, p]:
                keep_largest(rows.largest[t, v, period], p, rest)


@row
def count_uninsured(t, p, b, v, plan, rows):
    """Count a buyer's balances as uninsured."""
    seen, smallest = rows.seen[t, plan.of_value[v, b]], rows.largest.shape[3] - 1
    for period in range(seen.shape[0]):
        rows.uninsured[t, v, period, p] += seen[period]
        if smallest >= 0 and seen[period] > rows.largest[t, v, period, smallest, p]:
            keep_largest(rows.largest[t, v, period], p, seen[period])


@row
def note_balances(s, b, regime, moving, scores, troubled, days, lost, plan, rows):
    """Add a buyer's balances at the end of each period to all views of a regime, in one scenario.

    Args:
        s: row of the scenario.
        b: the buyer.
        regime: whose payment days they are; -1 where they are the same under every regime.
        moving: only to views in which its limit is not one from the beginning to the end.
        scores: float64[n] normal scores of limit changes.
        troubled: whether invoices may be lost or withheld.
        days: int32[n, longest] payment days of its invoices, NEVER if never paid and -1 if withheld.
        lost: int32[n, longest] loss days or NEVER, maybe negative; read for a troubled buyer only.
        plan, rows: :class:`~simulator.losses.balances.BalancePlan` and :class:`~simulator.losses.balances.BalanceRows`.
    """
    if plan.n_series[b] == 0:
        return
    width = rows.total.shape[1]
    t = s // width
    p = s - t * width
    latest = plan.period_of_day.shape[0] - 1
    begin = plan.start[b]
    aged = np.bool_(False)
    for i in range(begin, plan.start[b + 1]):
        day = days[s, i - begin]
        if troubled and day != -1:
            day = min(day, abs(lost[s, i - begin]))
        gone = plan.period_of_day[min(day, latest)] if day >= 0 else 0
        rows.gone[t, i - begin] = gone
        if plan.old[i] < gone:
            aged = plan.ages_across
    if aged:
        find_cross_aged(t, b, plan, rows)
    add_series(t, b, aged, plan, rows)
    for v in range(plan.regime.shape[0]):
        if not plan.counts[v, b] or (regime >= 0 and plan.regime[v] != regime) or (moving and plan.steady[v, b]):
            continue
        if not plan.insured[v, b]:
            count_uninsured(t, p, b, v, plan, rows)
            continue
        change_day = NEVER
        if scores[s] <= plan.change_score[b]:
            change_day = limit_change_day(scores[s], plan.intensity[v], latest - 1)
            if change_day != NEVER:
                change_day += plan.notice[v]
        if not plan.steady[v, b] or (change_day != NEVER and plan.changes[plan.segments[v, b]]):
            cover_by_issue(t, p, b, v, change_day, aged, plan, rows)
        else:
            cover_balances(t, p, b, v, plan, rows)
        count_covered(t, p, b, v, plan, rows)
