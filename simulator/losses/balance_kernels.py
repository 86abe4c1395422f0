"""What a buyer's invoices count for at a bank, at the end of each period of a scenario.

Called for each buyer when its payment days are final: afterwards they are gone. A *view* is the ledger as one regime
leaves it, seen without insurance or under one policy with the bank as loss payee.
"""

from simulator.jit import NEVER, row
from simulator.losses.balance_formulas import counts_until, covered_more, is_cross_aged, limit_on
from simulator.losses.formulas import limit_change_day


@row
def first_period(day, n_periods, clock):
    """First period at whose end a day has come; the number of periods if that is after the horizon."""
    if day > clock.horizon:
        return n_periods
    return clock.period_of_day[day] if day > 0 else 0


@row
def note_ageing(s, b, troubled, days, lost, plan, clock, book, rows):
    """What a buyer owes in all at the end of each period, and how much of it is overdue too long."""
    n_periods = rows.debt.shape[1]
    begin = book.start[b]
    rows.debt[s, :] = 0.0
    rows.aged[s, :] = 0.0
    for i in range(begin, book.start[b + 1]):
        gone = days[i - begin]
        if troubled:
            if gone == -1:
                continue
            gone = min(gone, abs(lost[i - begin]))
        last = first_period(gone, n_periods, clock)
        value = book.book_value[i]
        for t in range(first_period(book.issue_day[i], n_periods, clock), last):
            rows.debt[s, t] += value
        old = book.due_day[i] + plan.maximum_overdue + 1
        for t in range(first_period(old, n_periods, clock), last):
            rows.aged[s, t] += value


@row
def keep_largest(largest, balance):
    """Keep a balance among the largest ones, in descending order, if it is one of them."""
    at = largest.shape[0] - 1
    if balance <= largest[at]:
        return
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
def note_view(s, b, v, change_day, troubled, days, lost, plan, clock, book, rows):
    """Add a buyer's counting balances to one view; ``rows.balance`` is zero before and after."""
    n_periods = rows.balance.shape[1]
    begin = book.start[b]
    insured = plan.insured[v, b]
    low, high = n_periods, 0
    for i in range(begin, book.start[b + 1]):
        value = plan.value[v, i]
        if value <= 0.0:
            continue
        gone, lost_on = days[i - begin], NEVER
        if troubled:
            if gone == -1:
                continue
            lost_on = abs(lost[i - begin])
        first = first_period(book.issue_day[i], n_periods, clock)
        last = first_period(counts_until(gone, lost_on, book.due_day[i], plan.maximum_overdue), n_periods, clock)
        if insured:
            limit = limit_in_force(v, b, change_day, book.issue_day[i], plan)
            for t in range(first, last):
                rows.balance[s, t] += covered_more(value, rows.balance[s, t], limit)
        else:
            for t in range(first, last):
                rows.balance[s, t] += value
        if first < last:
            low, high = min(low, first), max(high, last)
    if low >= high:
        return
    for t in range(low, high):
        balance = rows.balance[s, t]
        rows.balance[s, t] = 0.0
        if plan.ages_across and is_cross_aged(rows.aged[s, t], rows.debt[s, t], plan.cross_ageing):
            continue
        if not insured:
            rows.uninsured[s, v, t] += balance
            if rows.largest.shape[3] > 0:
                keep_largest(rows.largest[s, v, t], balance)
            continue
        if not plan.run_off:
            balance = min(balance, limit_in_force(v, b, change_day, plan.period_end[t], plan))
        rows.insured[s, v, t] += plan.weight[v, b] * balance


@row
def note_balances(s, b, regime, score, troubled, days, lost, plan, clock, book, rows):
    """Add a buyer's balances at the end of each period to all views of a regime.

    Args:
        s: the scenario's row.
        b: the buyer.
        regime: whose payment days they are; -1 where they are the same under every regime.
        score: normal score of limit changes.
        troubled: whether invoices may be lost or withheld.
        days: payment days of its invoices, NEVER if never paid and -1 if withheld.
        lost: their loss days or NEVER, maybe negative; read for a troubled buyer only.
        plan, rows: :class:`~simulator.losses.balances.BalancePlan` and :class:`~simulator.losses.balances.BalanceRows`.
        clock, book: horizon and invoices.
    """
    if plan.ages_across:
        note_ageing(s, b, troubled, days, lost, plan, clock, book, rows)
    for v in range(plan.regime.shape[0]):
        if not plan.counts[v, b] or (regime >= 0 and plan.regime[v] != regime):
            continue
        change_day = limit_change_day(score, plan.intensity[v], clock.horizon)
        if change_day != NEVER:
            change_day += plan.notice[v]
        note_view(s, b, v, change_day, troubled, days, lost, plan, clock, book, rows)
