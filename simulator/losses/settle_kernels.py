"""Settling a troubled buyer invoice by invoice, and the list of its debts that insurance may answer."""

from simulator.fx.formulas import rate_on
from simulator.jit import NEVER, row
from simulator.losses.booking import collect, recovery_on, withhold, write_off
from simulator.losses.formulas import is_protracted, protracted_day


@row
def fate_of_invoice(s, b, k, i, luck, rules, clock, book, scratch):
    """How an invoice that was shipped ends: (loss day or NEVER, whether it is a protracted default).

    A protracted default is cured when the buyer is (``luck.cured``), or when only a transfer block held the payment
    up; then it is paid on its day like any other, unless the buyer fails first or the script has it never paid.
    """
    paid = scratch.paid[s, k]
    protracted = is_protracted(paid, book.due_day[i], rules.protracted_after, luck.insolvent_on, clock.horizon)
    cured = luck.cured and paid != NEVER
    if protracted and not cured and scratch.drawn[s, k] > book.due_day[i] + rules.protracted_after:
        return protracted_day(book.due_day[i], rules.protracted_after), protracted
    return (luck.insolvent_on if paid > luck.insolvent_on else NEVER), protracted


@row
def settle_troubled(r, s, b, luck, rates, rules, clock, book, rows, events, scratch):
    """Settle a buyer invoice by invoice: shipped or withheld, paid or lost; list its debts for the claims.

    Fills ``scratch.final`` and ``scratch.lost``; a withheld invoice has -1 in both. Returns the buyer's loss.
    """
    begin, end = book.start[b], book.start[b + 1]
    blocked_until = -1
    overdue = begin
    withheld = 0.0
    buyer_loss = 0.0
    trigger = luck.insolvent_on
    latest = 0
    for i in range(begin, end):
        k = i - begin
        issue = book.issue_day[i]
        if rules.stop_shipment_after != NEVER:
            # invoices overdue beyond the rule by this shipment's day: they were settled in an earlier round
            while overdue < end and book.due_day[book.by_due[overdue]] + rules.stop_shipment_after < issue:
                earlier = book.by_due[overdue] - begin
                if scratch.final[s, earlier] > blocked_until:
                    blocked_until = scratch.final[s, earlier]
                overdue += 1
        if not book.open_item[i] and (issue >= luck.insolvent_on or blocked_until > issue):
            withhold(r, b, i, rules, clock, book, rows)
            withheld += book.book_value[i]
            scratch.final[s, k] = -1
            scratch.lost[s, k] = -1
            continue
        loss_day, protracted = fate_of_invoice(s, b, k, i, luck, rules, clock, book, scratch)
        if protracted:
            rows.n_protracted[r] += 1
            first = protracted_day(book.due_day[i], rules.protracted_after)
            if first < trigger:
                trigger = first
            if first > latest:
                latest = first
        if loss_day != NEVER:
            scratch.final[s, k] = NEVER
            buyer_loss += write_off(r, s, b, i, loss_day, 1.0, luck.recovery, rates, rules, clock, book, rows)
        else:
            scratch.final[s, k] = scratch.paid[s, k]
            collect(r, s, b, i, scratch.final[s, k], 1.0, 0.0, rates, rules, clock, book, rows)
        # keep the protracted mark beside the loss day: negative means a protracted default
        scratch.lost[s, k] = -loss_day if protracted else loss_day
    if withheld > 0.0:
        j = events.stopped_count[r]
        if j < events.stopped_buyer.shape[1]:
            events.stopped_buyer[r, j] = b
            events.stopped_value[r, j] = withheld
        events.stopped_count[r] = j + 1
    if trigger != NEVER:
        list_debts(r, s, b, luck, trigger, latest, rates, rules, clock, book, events, scratch)
    return buyer_loss


@row
def list_debts(r, s, b, luck, trigger, latest, rates, rules, clock, book, events, scratch):
    """List the debts of a troubled buyer that may enter a claim.

    A policy's date of loss lies between ``trigger`` (the first protracted default or the insolvency) and the
    ``latest`` protracted default (0 if none; earlier ones may not be insured) plus the longest waiting period's excess
    over ``protracted_after``, or the insolvency if that comes first. Debts paid before the one cannot be claimed, debts
    issued after the other neither: they are listed only where they are lost, since every loss is.
    """
    begin = book.start[b]
    last = latest + rules.waiting_span
    if latest == 0 or last > luck.insolvent_on:
        last = luck.insolvent_on
    oldest = begin
    for i in range(begin, book.start[b + 1]):
        k = i - begin
        mark = scratch.lost[s, k]
        lost_on = -mark if mark < 0 else mark
        never_shipped = scratch.final[s, k] == -1
        if never_shipped or scratch.final[s, k] <= trigger or (book.issue_day[i] > last and lost_on == NEVER):
            continue
        # what is paid by this shipment stays paid: the search for the oldest debt need not begin again
        while oldest < book.start[b + 1] and scratch.final[s, book.by_due[oldest] - begin] <= book.issue_day[i]:
            oldest += 1
        j = events.n_events[r]
        if j < events.buyer.shape[1]:
            events.buyer[r, j] = b
            events.invoice[r, j] = i
            events.default_day[r, j] = luck.insolvent_on
            events.paid_day[r, j] = scratch.final[s, k]
            events.loss_day[r, j] = lost_on
            events.protracted[r, j] = mark < 0
            events.recovery[r, j] = 0.0
            events.drawn_day[r, j] = scratch.drawn[s, k] if scratch.drawn[s, k] <= lost_on else NEVER
            events.overdue_at_issue[r, j] = overdue_days(s, b, book.issue_day[i], oldest, book, scratch)
            events.limit_score[r, j] = luck.limit_score
            events.frustrated[r, j] = luck.frustrated
            events.loss[r, j] = 0.0
            events.receipt_day[r, j] = NEVER
            if lost_on != NEVER:
                rate, received = recovery_on(i, lost_on, luck.recovery, rules)
                until = received if received < clock.horizon else clock.horizon
                c = book.currency[i]
                events.recovery[r, j] = rate
                events.receipt_day[r, j] = received
                events.loss[r, j] = book.amount[i] * (
                    rate_on(rates, s, c, lost_on) - rate * rate_on(rates, s, c, until)
                )
        events.n_events[r] = j + 1


@row
def overdue_days(s, b, issue_day, oldest, book, scratch):
    """Days by which the oldest debt unpaid on a day, of those shipped before it, is past due; -NEVER if there is none.

    ``oldest`` is where to begin in the order of due days.
    """
    begin = book.start[b]
    for at in range(oldest, book.start[b + 1]):
        i = book.by_due[at]
        if book.issue_day[i] < issue_day < scratch.final[s, i - begin]:
            return issue_day - book.due_day[i]
    return -NEVER
