"""What a buyer's invoices count for at a bank, at the end of each period of a scenario.

Called for each buyer when its payment days are final: afterwards they are gone. A *view* is the ledger as one regime
leaves it, seen without insurance or under one policy with the bank as loss payee. Most views see the same balances of a
buyer, so these are added up once, by the periods in which an invoice comes and goes.
"""

import numpy as np

from simulator.jit import NEVER, row
from simulator.losses.balance_formulas import covered_more, is_cross_aged, limit_on, not_covered, within_liability
from simulator.losses.formulas import limit_change_day


@row
def find_cross_aged(s, b, plan, rows):
    """Mark the periods at whose end too much of a buyer's debt is overdue too long."""
    n_periods = rows.debt.shape[1]
    for t in range(n_periods):
        rows.debt[s, t] = 0.0
        rows.aged[s, t] = 0.0
    for i in range(plan.start[b], plan.start[b + 1]):
        gone = rows.gone[s, i - plan.start[b]]
        for t in range(plan.first[i], gone):
            rows.debt[s, t] += plan.debt[i]
        for t in range(plan.old[i], gone):
            rows.aged[s, t] += plan.debt[i]
    for t in range(n_periods):
        rows.cross_aged[s, t] = is_cross_aged(rows.aged[s, t], rows.debt[s, t], plan.cross_ageing)


@row
def keep_largest(largest, balance):
    """Put a balance that belongs there among the largest ones, in descending order."""
    at = largest.shape[0] - 1
    while at > 0 and largest[at - 1] < balance:
        largest[at] = largest[at - 1]
        at -= 1
    largest[at] = balance


@row
def limit_in_force(v, b, change_day, day, plan):
    """Limit of a buyer on a day; none before its first segment."""
    limit = 0.0
    for k in range(plan.segments[v, b], plan.segments[v, b + 1]):
        if plan.from_day[k] <= day:
            limit = limit_on(plan.limit[k], plan.change_to[v], change_day if plan.changes[k] else NEVER, day)
    return limit


@row
def cover_by_issue(s, b, v, change_day, aged, plan, rows):
    """Find a buyer's covered balances where its limit does not stay: each invoice under the limit of its issue."""
    n_periods = rows.covered.shape[1]
    begin = plan.start[b]
    pool = plan.group_pool[v, b]
    covered = rows.covered[s]
    for t in range(n_periods):
        covered[t] = 0.0
    for i in range(begin, plan.start[b + 1]):
        limit = limit_in_force(v, b, change_day, plan.issue_day[i], plan)
        for t in range(plan.first[i], min(plan.old[i], rows.gone[s, i - begin])):
            used = rows.used[s, v, pool, t] if pool >= 0 else 0.0
            covered[t] += covered_more(plan.value[v, i], used + covered[t], limit)
    for t in range(n_periods):
        if aged and rows.cross_aged[s, t]:
            covered[t] = 0.0
        elif not plan.run_off:
            used = rows.used[s, v, pool, t] if pool >= 0 else 0.0
            limit = limit_in_force(v, b, change_day, plan.period_end[t], plan)
            covered[t] = covered_more(covered[t], used, limit)


@row
def add_owed(s, b, v, aged, plan, rows):
    """Add up what an insured buyer's invoices would count for if it were not insured."""
    n_periods = rows.owed.shape[1]
    begin = plan.start[b]
    owed = rows.owed[s]
    for t in range(n_periods):
        owed[t] = 0.0
    for i in range(begin, plan.start[b + 1]):
        since = plan.first[i]
        until = min(plan.old[i], rows.gone[s, i - begin])
        if since < until:
            owed[since] += plan.uninsured_value[v, i]
            if until < n_periods:
                owed[until] -= plan.uninsured_value[v, i]
    total = 0.0
    for t in range(n_periods):
        total += owed[t]
        owed[t] = 0.0 if aged and rows.cross_aged[s, t] else total


@row
def count_covered(s, b, v, aged, plan, rows):
    """Count a buyer's covered balances, as far as what it shares with others lasts, and what does not count as such as
    uninsured."""
    group, country = plan.group_pool[v, b], plan.country_pool[v, b]
    weight, liability = plan.weight[v, b], plan.liability[v]
    smallest = rows.largest.shape[3] - 1
    if plan.rest[v, b]:
        add_owed(s, b, v, aged, plan, rows)
    for t in range(rows.covered.shape[1]):
        counted = rows.covered[s, t]
        if country >= 0:
            counted = covered_more(counted, rows.used[s, v, country, t], plan.country_maximum[v, b])
        if liability < np.inf:
            left = covered_more(liability, rows.used[s, v, 0, t], liability)
            counted = within_liability(counted, weight, left)
            rows.used[s, v, 0, t] += weight * counted
        if country >= 0:
            rows.used[s, v, country, t] += counted
        if group >= 0:
            rows.used[s, v, group, t] += counted
        rows.insured[s, v, t] += weight * counted
        if plan.rest[v, b]:
            rest = not_covered(rows.owed[s, t], weight * counted)
            rows.uninsured[s, v, t] += rest
            if smallest >= 0 and rest > rows.largest[s, v, t, smallest]:
                keep_largest(rows.largest[s, v, t], rest)


@row
def note_balances(first, lanes, b, regime, scores, troubled, days, lost, plan, rows):
    """Add a buyer's balances at the end of each period to all views of a regime, in some of four scenarios.

    All in one body, and for up to four scenarios at once: handing the plan over costs more than adding up a ledger.

    Args:
        first: row of the first scenario; lanes: which of the four from there on, as bits.
        b: the buyer.
        regime: whose payment days they are; -1 where they are the same under every regime.
        scores: float64[n] normal scores of limit changes.
        troubled: whether invoices may be lost or withheld.
        days: int32[n, longest] payment days of its invoices, NEVER if never paid and -1 if withheld.
        lost: int32[n, longest] loss days or NEVER, maybe negative; read for a troubled buyer only.
        plan, rows: :class:`~simulator.losses.balances.BalancePlan` and :class:`~simulator.losses.balances.BalanceRows`.
    """
    n_periods = rows.balance.shape[1]
    smallest = rows.largest.shape[3] - 1
    latest = plan.period_of_day.shape[0] - 1
    begin, end = plan.start[b], plan.start[b + 1]
    for lane in range(4):
        if (lanes >> lane) & 1 == 0:
            continue
        s = first + lane
        aged = False
        for i in range(begin, end):
            day = days[s, i - begin]
            if troubled and day != -1:
                day = min(day, abs(lost[s, i - begin]))
            gone = plan.period_of_day[min(day, latest)] if day >= 0 else 0
            rows.gone[s, i - begin] = gone
            if plan.old[i] < gone:
                aged = plan.ages_across
        if aged:
            find_cross_aged(s, b, plan, rows)
        at_hand = -1
        for v in range(plan.regime.shape[0]):
            if not plan.counts[v, b] or (regime >= 0 and plan.regime[v] != regime):
                continue
            if plan.insured[v, b]:
                k = plan.segments[v, b]
                change_day = limit_change_day(scores[s], plan.intensity[v], latest - 1)
                if change_day != NEVER:
                    change_day += plan.notice[v]
                always = plan.segments[v, b + 1] == k + 1 and plan.from_day[k] == -NEVER
                if not always or (change_day != NEVER and plan.changes[k]):
                    cover_by_issue(s, b, v, change_day, aged, plan, rows)
                    count_covered(s, b, v, aged, plan, rows)
                    continue
            if plan.like[v, b] != at_hand:
                at_hand = plan.like[v, b]
                for t in range(n_periods):
                    rows.balance[s, t] = 0.0
                for i in range(begin, end):
                    since = plan.first[i]
                    until = min(plan.old[i], rows.gone[s, i - begin])
                    if since < until:
                        rows.balance[s, since] += plan.value[v, i]
                        if until < n_periods:
                            rows.balance[s, until] -= plan.value[v, i]
                total = 0.0
                for t in range(n_periods):
                    total += rows.balance[s, t]
                    rows.balance[s, t] = 0.0 if aged and rows.cross_aged[s, t] else total
            if plan.insured[v, b]:
                limit, pool = plan.limit[plan.segments[v, b]], plan.group_pool[v, b]
                for t in range(n_periods):
                    used = rows.used[s, v, pool, t] if pool >= 0 else 0.0
                    rows.covered[s, t] = covered_more(rows.balance[s, t], used, limit)
                count_covered(s, b, v, aged, plan, rows)
                continue
            for t in range(n_periods):
                rows.uninsured[s, v, t] += rows.balance[s, t]
            if smallest >= 0:
                for t in range(n_periods):
                    if rows.balance[s, t] > rows.largest[s, v, t, smallest]:
                        keep_largest(rows.largest[s, v, t], rows.balance[s, t])
