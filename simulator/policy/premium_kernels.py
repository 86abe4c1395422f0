"""The premium of one scenario: what it is charged on, bonus or malus, and when it is paid."""

import numpy as np

from simulator.jit import NEVER, row
from simulator.policy.cover_kernels import limits_change_on, segment_at
from simulator.policy.formulas import policy_rate
from simulator.policy.premium_formulas import after_bonus, premium_adjustment, premium_due, premium_on_turnover


@row
def insurable_sale(plan, book, p, buyer, invoice):
    """Insurable turnover in study currency of a planned invoice: net of tax, within the policy period and a limit."""
    terms = plan.terms[p]
    issue = book.issue_day[invoice]
    if book.open_item[invoice] or not plan.eligible[p, invoice]:
        return 0.0
    if issue < terms.first_day or issue > terms.last_day:
        return 0.0
    k = segment_at(plan.segment, plan.cover[p, buyer], issue)
    if k < 0 or plan.segment[k].limit <= 0.0:
        return 0.0
    value = book.book_value[invoice]
    if not terms.vat_covered and book.vat[invoice] > 0.0:
        value -= value * (book.vat[invoice] / book.amount[invoice])
    return value


@row
def turnover_lost(plan, book, p, buyer, withheld, since, until, uncovered_from):
    """Insurable turnover of a buyer, as planned, that is not shipped or is shipped without cover.

    Withheld is a book value of invoices planned from ``since`` to ``until``: the same share of each. What is planned
    from ``uncovered_from`` on counts in full, withheld or not.
    """
    if uncovered_from == NEVER and plan.cover[p, buyer].sold_whole:
        return withheld
    planned = 0.0
    insurable = 0.0
    lost = 0.0
    for invoice in range(book.start[buyer], book.start[buyer + 1]):
        issue = book.issue_day[invoice]
        within = withheld > 0.0 and since <= issue <= until and not book.open_item[invoice]
        if within:
            planned += book.book_value[invoice]
        if issue >= uncovered_from:
            lost += insurable_sale(plan, book, p, buyer, invoice)
        elif within:
            insurable += insurable_sale(plan, book, p, buyer, invoice)
    return lost + insurable * (withheld / planned) if planned > 0.0 else lost


@row
def turnover_overdue(plan, book, events, at, buyer, begin, end, uncovered_from):
    """Insurable turnover shipped to a buyer while its oldest debt was overdue beyond the maximum extension period."""
    turnover = 0.0
    for e in range(begin, end):
        invoice = events.invoice[at.row, e]
        overdue = events.overdue_at_issue[at.row, e] > plan.terms[at.programme].extension_days
        if overdue and book.issue_day[invoice] < uncovered_from:
            turnover += events.share[at.row, e] * insurable_sale(plan, book, at.programme, buyer, invoice)
    return turnover


@row
def next_buyer(buyers, row, k, count):
    """Buyer of the next entry of a list in order of buyers; NEVER at its end."""
    return np.int64(buyers[row, k]) if k < count else np.int64(NEVER)


@row
def turnover_shipped(plan, book, events, clock, at, key, first_event, n_claims):
    """Insurable turnover of the scenario, policy currency: as planned, less what is not shipped or not covered.

    Not covered is what is shipped after the buyer's limit is cancelled, after its date of loss, or while it is overdue
    beyond the maximum extension period; the last is known of buyers in the events only. Goes through the lists of
    withheld shipments, weak buyers and debts side by side, all in order of buyers, and so are the claims.
    """
    p = at.programme
    terms = plan.terms[p]
    n_stopped = min(events.stopped_count[at.row], events.stopped_buyer.shape[1])
    cancels = terms.change_intensity > 0.0 and terms.change_to <= 0.0
    n_weak = min(events.weak_count[at.row], events.weak_buyer.shape[1]) if cancels else 0
    n_events = min(events.n_events[at.row], events.buyer.shape[1])
    lost = 0.0
    stopped, weak, claim, e = 0, 0, 0, 0
    while True:
        owing = next_buyer(events.buyer, at.row, e, n_events)
        buyer = min(
            next_buyer(events.stopped_buyer, at.row, stopped, n_stopped),
            next_buyer(events.weak_buyer, at.row, weak, n_weak),
            owing,
        )
        if buyer == NEVER:
            break
        cover = plan.cover[p, buyer]
        withheld, since, until, uncovered_from = 0.0, NEVER, -NEVER, NEVER
        if next_buyer(events.stopped_buyer, at.row, stopped, n_stopped) == buyer:
            withheld = events.stopped_value[at.row, stopped]
            since, until = events.stopped_from[at.row, stopped], events.stopped_until[at.row, stopped]
            stopped += 1
        if next_buyer(events.weak_buyer, at.row, weak, n_weak) == buyer:
            if plan.segment[cover.segments[0]].changes:
                uncovered_from = limits_change_on(terms, events.weak_score[at.row, weak], clock.horizon)
            weak += 1
        begin = e
        while next_buyer(events.buyer, at.row, e, n_events) == buyer:
            e += 1
        if owing == buyer and claim < n_claims and first_event[claim] == begin:
            uncovered_from = min(uncovered_from, (key[claim] >> 32) + 1)
            claim += 1
        if cover.insurable:
            lost += turnover_lost(plan, book, p, buyer, withheld, since, until, uncovered_from)
            lost += turnover_overdue(plan, book, events, at, buyer, begin, e, uncovered_from)
    return max(0.0, terms.planned_turnover - lost * terms.turnover_rate)


@row
def month_end_balances(plan, balance, rates, at):
    """Sum of insurable receivables at the month ends of the policy period, policy currency at the day's rate."""
    terms = plan.terms[at.programme]
    total = 0.0
    for t in range(plan.month_ends.shape[1]):
        if plan.month_ends[at.programme, t] > 0.0:
            insurable = 0.0
            for k in range(plan.class_share.shape[1]):
                insurable += plan.class_share[at.programme, k] * balance[at.row, k, t]
            rate = policy_rate(rates, at.scenario, terms.currency, plan.period_start[t])
            total += plan.month_ends[at.programme, t] * insurable / rate
    return total


@row
def premium_base(plan, book, events, balance, rates, clock, at, key, first_event, n_claims):
    """What the premium is a rate on: turnover, or month-end balances. Claims are listed in order of buyers."""
    if plan.terms[at.programme].on_balance:
        return month_end_balances(plan, balance, rates, at)
    return turnover_shipped(plan, book, events, clock, at, key, first_event, n_claims)


@row
def bonus_of(plan, p, claims, premium):
    """Bonus or malus of a scenario: that of the first step whose claims ratio is not exceeded; the last is open."""
    steps = plan.terms[p].bonus_steps
    for k in range(steps - 1):
        if claims <= plan.bonus_ratio[p, k] * premium:
            return plan.bonus_change[p, k]
    return plan.bonus_change[p, steps - 1]


@row
def pay_premium(plan, rates, clock, rows, at, base, claims, failed_on):
    """Deposits in advance, fees on the first day, adjustment to what was insured at the end.

    Nothing is paid to an insurer that has failed, nor paid back by it: deposits and fees are due on the first day of
    their period, the adjustment on the last day of the policy or of the horizon.

    Args:
        base: turnover or balances that the premium is a rate on.
        claims: indemnities of the scenario, policy currency.
        failed_on: day on which the insurer fails, or NEVER.
    """
    s, p = at.scenario, at.programme
    terms = plan.terms[p]
    premium = premium_on_turnover(base, terms.premium_rate, terms.premium_minimum)
    if terms.bonus_steps > 0:
        premium = after_bonus(premium, bonus_of(plan, p, claims, premium))
    adjustment = premium_adjustment(premium, terms.premium_minimum, terms.premium_tax)
    adjusted_on = min(terms.last_day, clock.horizon)
    for t in range(plan.instalment.shape[1]):
        cash = 0.0
        if plan.period_start[t] < failed_on:
            cash = plan.instalment[p, t] * (1.0 + terms.premium_tax)
            if t == terms.fee_period:
                cash += terms.premium_fees * (1.0 + terms.premium_tax) + terms.untaxed_fees
        if t == terms.adjustment_period and adjusted_on < failed_on:
            cash += adjustment
        rows.premium_cash[s, p, t] = cash * policy_rate(rates, s, terms.currency, plan.period_start[t])
    if terms.currency < 0 and failed_on > clock.horizon:
        rows.premium[s, p] = premium_due(premium, terms.premium_fees, terms.untaxed_fees, terms.premium_tax)
    else:
        for t in range(plan.instalment.shape[1]):
            rows.premium[s, p] += rows.premium_cash[s, p, t]
