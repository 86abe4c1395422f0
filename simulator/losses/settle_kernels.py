"""Settling a buyer invoice by invoice, and the list of its debts that insurance may answer.

So are troubled buyers settled in scripts, and where there are several regimes: one whom the seller trades with on other
terms than open account (a :class:`~simulator.losses.regimes.Deal`) in trouble or not. Where there is one regime,
:mod:`simulator.losses.trouble_kernels` does the same for many scenarios at once.
"""

import numpy as np

from simulator.fx.formulas import rate_on
from simulator.jit import NEVER, row
from simulator.losses.booking import charge, collect, recovery_on, withhold, write_off
from simulator.losses.formulas import advance_interest, day_lost, is_protracted, protracted_day
from simulator.losses.regimes import FACTORED, LETTER_OF_CREDIT, OPEN_ACCOUNT, PREPAID, REFUSED, Deal


@row
def open_account():
    """The deal of a study as written: everybody is supplied on open account."""
    return Deal(OPEN_ACCOUNT, 0.0, 0.0, 0.0, 0.0, 0, False, 0.0, 0, NEVER, np.inf)


@row
def is_open_account(deal):
    """Whether a deal changes nothing; payment days may still be chased."""
    return deal.form == OPEN_ACCOUNT and deal.discount == 0.0 and deal.stops_on == NEVER


@row
def is_sold(deal, open_item, due_day):
    """Whether an invoice is sold to a factor: a new one, or an open item not yet due if such are sold too."""
    return deal.form == FACTORED and (not open_item or (deal.sells_open and due_day > 0))


@row
def share_at_risk(deal, open_item, due_day):
    """Part of an invoice that is the seller's risk under a deal: none if paid by a bank or in advance, or protected."""
    if is_sold(deal, open_item, due_day):
        return 1.0 - deal.protection
    if not open_item and (deal.form == PREPAID or deal.form == LETTER_OF_CREDIT):
        return 0.0
    return 1.0


@row
def owed_at_risk(s, b, i, book, scratch):
    """Book value at the seller's risk that a buyer owes when its invoice ``i`` is issued, of those before it."""
    begin = book.start[b]
    total = 0.0
    for j in range(begin, i):
        if scratch.final[s, j - begin] > book.issue_day[i]:
            total += scratch.share[s, j - begin] * book.book_value[j]
    return total


@row
def allowed_on(g, b, day, deal, regimes):
    """Debt up to which the seller ships to a buyer on a day, once its limit has changed: as drawn, or as told last."""
    allowed = deal.allowed
    if regimes is not None:
        for k in range(regimes.told_day.shape[2]):
            if regimes.told_day[g, b, k] <= day:
                allowed = regimes.told_allowed[g, b, k]
    return allowed


@row
def fate_of_invoice(i, drawn, paid, luck, rules, clock, book):
    """How an invoice that was shipped ends: (loss day or NEVER, whether it is a protracted default)."""
    due, after = book.due_day[i], rules.protracted_after
    protracted = is_protracted(paid, due, after, luck.insolvent_on, clock.horizon)
    return day_lost(paid, drawn, due, after, luck.insolvent_on, luck.cured, clock.horizon), protracted


@row
def note_stopped(r, b, value, since, until, events):
    """List what a buyer was not shipped at the seller's risk, if anything."""
    if value > 0.0:
        j = events.stopped_count[r]
        if j < events.stopped_buyer.shape[1]:
            events.stopped_buyer[r, j] = b
            events.stopped_value[r, j] = value
            events.stopped_from[r, j] = since
            events.stopped_until[r, j] = until
        events.stopped_count[r] = j + 1


@row
def settle_troubled(r, s, b, luck, deal, drawn, paid, rates, rules, clock, book, regimes, rows, events, scratch):
    """Settle a buyer invoice by invoice: shipped or withheld, paid or lost; list its debts for the claims.

    ``drawn`` and ``paid`` are the payment days of its invoices before and after transfer blocks; ``regimes`` is None
    where there is one only. Fills ``scratch.final``, ``scratch.lost`` and ``scratch.share``; a withheld invoice has -1
    in the first two. Returns the buyer's loss.
    """
    begin, end = book.start[b], book.start[b + 1]
    blocked_until = -1
    overdue = begin
    withheld = 0.0
    withheld_from = NEVER
    withheld_until = -NEVER
    buyer_loss = 0.0
    trigger = luck.insolvent_on
    latest = np.int64(0)
    plain = is_open_account(deal)
    for i in range(begin, end):
        k = i - begin
        issue = book.issue_day[i]
        share = 1.0
        sold = False
        if rules.stop_shipment_after != NEVER:
            # invoices overdue beyond the rule by this shipment's day: they were settled in an earlier round
            while overdue < end and book.due_day[book.by_due[overdue]] + rules.stop_shipment_after < issue:
                earlier = book.by_due[overdue] - begin
                if scratch.final[s, earlier] > blocked_until:
                    blocked_until = scratch.final[s, earlier]
                overdue += 1
        refused = False
        if not plain:
            share = share_at_risk(deal, book.open_item[i], book.due_day[i])
            sold = is_sold(deal, book.open_item[i], book.due_day[i])
            refused = deal.form == REFUSED
            if issue >= deal.stops_on and share > 0.0 and not refused:
                allowed = allowed_on(r // rates.shape[0], b, issue, deal, regimes)
                refused = owed_at_risk(s, b, i, book, scratch) + share * book.book_value[i] > allowed
        scratch.share[s, k] = share
        if not book.open_item[i] and (issue >= luck.insolvent_on or blocked_until > issue or refused):
            withhold(r, b, i, rules, clock, book, rows)
            withheld += book.book_value[i]
            withheld_from = min(withheld_from, issue)
            withheld_until = issue
            scratch.final[s, k] = -1
            scratch.lost[s, k] = -1
            continue
        if share < 1.0 and not book.open_item[i]:
            withheld += (1.0 - share) * book.book_value[i]
            withheld_from = min(withheld_from, issue)
            withheld_until = issue
        if share == 0.0 and not sold:
            scratch.final[s, k] = pay_safely(r, s, b, i, deal, rates, rules, clock, book, rows)
            scratch.lost[s, k] = NEVER
            continue
        loss_day, protracted = fate_of_invoice(i, drawn[k], paid[k], luck, rules, clock, book)
        protracted = protracted and share > 0.0
        if protracted:
            rows.n_protracted[r] += 1
            first = protracted_day(book.due_day[i], rules.protracted_after)
            if first < trigger:
                trigger = first
            if first > latest:
                latest = first
        scratch.final[s, k] = NEVER if loss_day != NEVER else paid[k]
        discount = 0.0 if book.open_item[i] else deal.discount
        if sold:
            buyer_loss += sell(
                r, s, b, i, scratch.final[s, k], loss_day, discount, luck.recovery, deal,
                rates, rules, clock, book, rows,
            )  # fmt: skip
        elif loss_day != NEVER:
            buyer_loss += write_off(r, s, b, i, loss_day, 1.0, luck.recovery, rates, rules, clock, book, rows)
        else:
            collect(r, s, b, i, paid[k], 1.0, discount, rates, rules, clock, book, rows)
        # keep the protracted mark beside the loss day: negative means a protracted default
        scratch.lost[s, k] = -loss_day if protracted else loss_day
    note_stopped(r, b, withheld, withheld_from, withheld_until, events)
    if trigger != NEVER:
        # with a step a row is to the compiler what a column is, as settle_together has them: compiled once for both
        list_debts(
            r, s, b, luck, drawn[::1], scratch.final[s, ::1], scratch.lost[s, ::1], scratch.share[s], trigger, latest,
            rates, rules, clock, book, events,
        )  # fmt: skip
    return buyer_loss


@row
def pay_safely(r, s, b, i, deal, rates, rules, clock, book, rows):
    """Book an invoice that is paid whatever the buyer does, in advance or by a bank when due; returns the day."""
    day = book.issue_day[i] if deal.form == PREPAID else book.due_day[i]
    charge(r, s, i, deal.fee, book.issue_day[i], rates, clock, book, rows)
    collect(r, s, b, i, day, 1.0, 0.0, rates, rules, clock, book, rows)
    return day


@row
def sell(r, s, b, i, paid, loss_day, discount, recovery, deal, rates, rules, clock, book, rows):
    """Book an invoice sold to a factor: advance, fee and interest, then the balance; returns what the seller loses.

    The balance comes with the buyer's payment. After the days of guarantee the factor pays what it protects beyond the
    advance (or takes back what it advanced beyond that); the rest stays the seller's, paid later or lost.
    """
    sold_on = 1 if book.open_item[i] else book.issue_day[i]
    guaranteed_on = book.due_day[i] + deal.guarantee
    ends_on = paid if paid < guaranteed_on else guaranteed_on
    collect(r, s, b, i, sold_on, deal.advance_rate, 0.0, rates, rules, clock, book, rows)
    charge(r, s, i, deal.fee, sold_on, rates, clock, book, rows)
    until = ends_on if ends_on < clock.horizon else clock.horizon
    advance = deal.advance_rate * book.amount[i] * rate_on(rates, s, book.currency[i], sold_on)
    interest = advance_interest(advance, until - sold_on, deal.interest)
    rows.trade_cost[r, clock.period_of_day[until]] += interest
    if paid <= guaranteed_on:
        collect(r, s, b, i, paid, 1.0 - deal.advance_rate, discount, rates, rules, clock, book, rows)
        return 0.0
    at_once = deal.protection - deal.advance_rate
    collect(r, s, b, i, guaranteed_on, at_once, 0.0, rates, rules, clock, book, rows)
    share = 1.0 - deal.protection
    if loss_day != NEVER:
        return write_off(r, s, b, i, loss_day, share, recovery, rates, rules, clock, book, rows)
    collect(r, s, b, i, paid, share, 0.0, rates, rules, clock, book, rows)
    return 0.0


@row
def list_debts(r, s, b, luck, drawn, final, lost, share, trigger, latest, rates, rules, clock, book, events):
    """List the debts of a troubled buyer that may enter a claim.

    ``drawn``, ``final``, ``lost`` and ``share`` by invoice, as in :class:`~simulator.losses.rows.Scratch`.

    A policy's date of loss lies between ``trigger`` (the first protracted default or the insolvency) and the
    ``latest`` protracted default (0 if none; earlier ones may not be insured) plus the longest waiting period's excess
    over ``protracted_after``, or the insolvency if that comes first. Debts paid before the one cannot be claimed, debts
    issued after the other neither: they are listed only where they are lost, since every loss is. Where a policy counts
    payments for the oldest debts, those paid before the trigger are listed too where an older one is unpaid then, and
    later ones in any case: payments move the date of loss.
    """
    begin = book.start[b]
    last = latest + rules.waiting_span
    if latest == 0 or last > luck.insolvent_on or rules.lists_newer:
        last = luck.insolvent_on
    oldest = begin
    unpaid_due = oldest_unpaid_due(b, trigger, final, share, book) if rules.lists_newer else NEVER
    for i in range(begin, book.start[b + 1]):
        k = i - begin
        if final[k] <= trigger and book.due_day[i] < unpaid_due:
            continue
        mark = lost[k]
        lost_on = -mark if mark < 0 else mark
        # withheld or not the seller's risk
        outside = final[k] == -1 or share[k] == 0.0
        if outside or (book.issue_day[i] > last and lost_on == NEVER):
            continue
        # what is paid by this shipment stays paid: the search for the oldest debt need not begin again
        while oldest < book.start[b + 1] and final[book.by_due[oldest] - begin] <= book.issue_day[i]:
            oldest += 1
        j = events.n_events[r]
        if j < events.buyer.shape[1]:
            events.buyer[r, j] = b
            events.invoice[r, j] = i
            events.default_day[r, j] = luck.insolvent_on
            events.paid_day[r, j] = final[k]
            events.loss_day[r, j] = lost_on
            events.protracted[r, j] = mark < 0
            events.recovery[r, j] = 0.0
            events.drawn_day[r, j] = drawn[k] if drawn[k] <= lost_on else NEVER
            events.overdue_at_issue[r, j] = overdue_days(b, book.issue_day[i], oldest, final, book)
            events.limit_score[r, j] = luck.limit_score
            events.frustrated[r, j] = luck.frustrated
            events.share[r, j] = share[k]
            events.loss[r, j] = 0.0
            events.receipt_day[r, j] = NEVER
            if lost_on != NEVER:
                rate, received = recovery_on(i, lost_on, luck.recovery, rules)
                until = received if received < clock.horizon else clock.horizon
                c = book.currency[i]
                events.recovery[r, j] = rate
                events.receipt_day[r, j] = received
                events.loss[r, j] = (share[k] * book.amount[i]) * (
                    rate_on(rates, s, c, lost_on) - rate * rate_on(rates, s, c, until)
                )
        events.n_events[r] = j + 1


@row
def oldest_unpaid_due(b, day, final, share, book):
    """Due day of the oldest debt of a buyer that is unpaid after a day; NEVER if there is none."""
    begin = book.start[b]
    for at in range(begin, book.start[b + 1]):
        i = book.by_due[at]
        if final[i - begin] > day and share[i - begin] > 0.0:
            return np.int64(book.due_day[i])
    return np.int64(NEVER)


@row
def overdue_days(b, issue_day, oldest, final, book):
    """Days by which the oldest debt unpaid on a day, of those shipped before it, is past due; -NEVER if there is none.

    ``oldest`` is where to begin in the order of due days.
    """
    begin = book.start[b]
    for at in range(oldest, book.start[b + 1]):
        i = book.by_due[at]
        if book.issue_day[i] < issue_day < final[i - begin]:
            return issue_day - book.due_day[i]
    return -NEVER
