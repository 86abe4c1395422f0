"""Entering an invoice into the rows of a scenario: collected, outstanding, written off, or never shipped.

Everywhere ``s`` is the scenario's row in rates and drivers, ``r`` the row of results: regime · n + s.
"""

import numpy as np

from simulator.fx.formulas import rate_on
from simulator.jit import row
from simulator.losses.formulas import cost_of_lateness, within


@row
def settle(r, i, share, day, clock, book, rows):
    """Take a share of an invoice off the receivables on a day, and off those that premiums are charged on."""
    rows.settled[r, clock.period_of_day[day]] += share * book.book_value[i]
    no_longer_insurable(r, i, share, day, clock, book, rows)


@row
def no_longer_insurable(r, i, share, day, clock, book, rows):
    """Take a share of an invoice off the balances that premiums are charged on, at the next month end."""
    for k in range(book.insurable_value.shape[0]):
        rows.insurable_gone[r, k, clock.month_of_day[day]] += share * book.insurable_value[k, i]


@row
def collect(r, s, b, i, day, share, discount, rates, rules, clock, book, rows):
    """Book a share of an invoice that is paid on a day: within the horizon as a collection, else as outstanding.

    ``discount`` is the part of the invoice the buyer deducts when it pays.
    """
    value = share * book.book_value[i]
    amount = share * book.amount[i]
    if within(day, clock.horizon):
        rate = rate_on(rates, s, book.currency[i], day)
        worth = amount * rate
        conceded = discount * book.amount[i] * rate
        period = clock.period_of_day[day]
        rows.collections[r, period] += worth - conceded
        settle(r, i, share, day, clock, book, rows)
        rows.collected[r] += worth - conceded
        rows.conceded[r] += conceded
        rows.delay_cost[r] += cost_of_lateness(value, book.due_day[i], day, rules.cost_of_delay)
    else:
        worth = amount * rate_on(rates, s, book.currency[i], clock.horizon)
        rows.outstanding[r] += worth
        no_longer_insurable(r, i, share, clock.horizon + 1, clock, book, rows)
        rows.delay_cost[r] += cost_of_lateness(value, book.due_day[i], clock.horizon, rules.cost_of_delay)
    rows.fx_result[r] += worth - value
    rows.billed[r] += value


@row
def collect_all(r, s, b, rates, rules, clock, book, paid, rows):
    """Book all invoices of an untroubled buyer: like :func:`collect`, with sums kept at hand until the last one."""
    begin = book.start[b]
    collected = 0.0
    outstanding = 0.0
    fx_result = 0.0
    delay_cost = 0.0
    billed = 0.0
    for i in range(begin, book.start[b + 1]):
        day = paid[i - begin]
        until = day if day < clock.horizon else clock.horizon
        value = book.book_value[i]
        worth = book.amount[i] * rate_on(rates, s, book.currency[i], until)
        if day <= clock.horizon:
            rows.collections[r, clock.period_of_day[day]] += worth
            settle(r, i, 1.0, day, clock, book, rows)
            collected += worth
        else:
            outstanding += worth
            no_longer_insurable(r, i, 1.0, clock.horizon + 1, clock, book, rows)
        fx_result += worth - value
        delay_cost += cost_of_lateness(value, book.due_day[i], until, rules.cost_of_delay)
        billed += value
    rows.collected[r] += collected
    rows.outstanding[r] += outstanding
    rows.fx_result[r] += fx_result
    rows.delay_cost[r] += delay_cost
    rows.billed[r] += billed


@row
def recovery_on(i, lost_on, drawn, rules):
    """Recovery rate of a debt lost on a day, and the day it arrives: as drawn, after the lag, or as a script says."""
    if rules.scripted_receipt.shape[0] > 0:
        return rules.scripted_recovery[i], np.int64(rules.scripted_receipt[i])
    return drawn, np.int64(lost_on + rules.recovery_lag)


@row
def write_off(r, s, b, i, day, share, recovery, rates, rules, clock, book, rows):
    """Book a share of a debt lost on a day, with its recovery when it arrives; returns the loss net of recovery."""
    rate, received = recovery_on(i, day, recovery, rules)
    value = share * book.book_value[i]
    amount = share * book.amount[i]
    debt = amount * rate_on(rates, s, book.currency[i], day)
    until = received if received < clock.horizon else clock.horizon
    back = rate * amount * rate_on(rates, s, book.currency[i], until)
    if received <= clock.horizon:
        rows.recoveries[r, clock.period_of_day[received]] += back
    settle(r, i, share, day, clock, book, rows)
    rows.losses[r, clock.period_of_day[day]] += debt - back
    rows.delay_cost[r] += cost_of_lateness(value, book.due_day[i], day, rules.cost_of_delay)
    rows.fx_result[r] += debt - value
    rows.billed[r] += value
    rows.recovered[r] += back
    rows.gross_loss[r] += debt - back
    return debt - back


@row
def withhold(r, b, i, rules, clock, book, rows):
    """Book a planned invoice that is not shipped: no bill, and its purchases are saved."""
    value = book.book_value[i]
    rows.stopped[r, clock.period_of_day[book.issue_day[i]]] += value
    no_longer_insurable(r, i, 1.0, book.issue_day[i], clock, book, rows)
    payable = book.issue_day[i] + rules.supplier_terms_days
    if 1 <= payable <= clock.horizon:
        rows.purchases_saved[r, clock.period_of_day[payable]] += rules.variable_cost_rate * value


@row
def charge(r, s, i, share, day, rates, clock, book, rows):
    """Book a cost of trade on a day: a share of an invoice, at the rate of that day."""
    rows.trade_cost[r, clock.period_of_day[day]] += share * book.amount[i] * rate_on(rates, s, book.currency[i], day)


@row
def note_loss(r, b, loss, book, rows, scratch):
    """Remember the largest loss on one buyer group in a scenario."""
    group = book.group[b]
    if group >= 0:
        scratch.group_loss[r, group] += loss
        loss = scratch.group_loss[r, group]
    if loss > rows.largest_loss[r]:
        rows.largest_loss[r] = loss
