"""Troubled buyers on open account: all scenarios of a tile in which a buyer is in trouble are settled side by side.

What becomes of its invoices is found in plain loops over these scenarios: whether one is shipped, and whether it is
lost. What is paid is collected with all the rest, in :func:`simulator.losses.tile_kernels.collect_quiet`; only what is
withheld, lost or in protracted default is looked at one by one, with the rules and bookings of
:mod:`simulator.losses.settle_kernels`.
"""

import numpy as np

from simulator.jit import NEVER, row
from simulator.losses.booking import note_loss, withhold, write_off
from simulator.losses.formulas import day_lost, is_protracted, protracted_day
from simulator.losses.plan import Luck
from simulator.losses.settle_kernels import list_debts, note_stopped


@row
def note_luck(t, j, luck, tiles):
    """Keep what a buyer draws in scenario number ``j`` of its troubled ones."""
    tiles.failed_on[t, j] = luck.insolvent_on
    tiles.frustrated[t, j] = luck.frustrated
    tiles.recovery[t, j] = luck.recovery
    tiles.cured[t, j] = luck.cured


@row
def fetch_troubled(troubled, count, in_trouble, days, target):
    """Payment days of ``count`` invoices in the troubled scenarios, side by side."""
    for k in range(count):
        for j in range(troubled):
            target[k, j] = days[k, in_trouble[j]]


@row
def hold_back(n, final, blocked_until):
    """No shipments before an invoice is paid that is overdue beyond the rule."""
    for j in range(n):
        blocked_until[j] = max(blocked_until[j], final[j])


@row
def decide_fates(
    n, planned, issue_day, due_day, after, horizon, drawn, paid, failed_on, cured, blocked_until, final, lost
):  # fmt: skip
    """What becomes of an invoice: the days it is paid and lost, as in :class:`~simulator.losses.rows.Scratch`."""
    for j in range(n):
        withheld = planned & ((issue_day >= failed_on[j]) | (blocked_until[j] > issue_day))
        protracted = is_protracted(paid[j], due_day, after, failed_on[j], horizon)
        lost_on = day_lost(paid[j], drawn[j], due_day, after, failed_on[j], cured[j], horizon)
        final[j] = -1 if withheld else (paid[j] if lost_on == NEVER else NEVER)
        lost[j] = -1 if withheld else (-lost_on if protracted else lost_on)


@row
def find_fates(n, b, drawn, paid, failed_on, cured, blocked_until, rules, clock, book, final, lost):
    """What becomes of all invoices of a buyer in ``n`` troubled scenarios."""
    begin, end = book.start[b], book.start[b + 1]
    for j in range(n):
        blocked_until[j] = -1
    overdue = begin
    for i in range(begin, end):
        k = i - begin
        issue = book.issue_day[i]
        if rules.stop_shipment_after != NEVER:
            # as in settle_troubled: overdue beyond the rule by this shipment's day
            while overdue < end and book.due_day[book.by_due[overdue]] + rules.stop_shipment_after < issue:
                hold_back(n, final[book.by_due[overdue] - begin], blocked_until)
                overdue += 1
        decide_fates(
            n, not book.open_item[i], issue, book.due_day[i], rules.protracted_after, clock.horizon,
            drawn[k], paid[k], failed_on, cured, blocked_until, final[k], lost[k],
        )  # fmt: skip


@row
def list_odd(j, count, lost, listed):
    """List those of ``count`` invoices that are withheld, lost or protracted defaults in a scenario; returns how many.

    No branch hangs on which these are: none could be foreseen.
    """
    found = 0
    for k in range(count):
        listed[found] = k
        found += lost[k, j] != NEVER
    return found


@row
def book_odd(
    s, p, j, b, luck, drawn, final, lost, share, listed, days, rates, rules, clock, book, rows, events, scratch,
    counting,
):  # fmt: skip
    """Book what a buyer is not sent and what it never pays in a scenario, and list its debts."""
    begin = book.start[b]
    found = list_odd(j, book.start[b + 1] - begin, lost, listed)
    if found == 0:
        return
    withheld = 0.0
    withheld_from = NEVER
    withheld_until = -NEVER
    loss = 0.0
    trigger = luck.insolvent_on
    latest = np.int64(0)
    for m in range(found):
        k = listed[m]
        i = begin + k
        issue = book.issue_day[i]
        if final[k, j] == -1:
            withhold(s, b, i, rules, clock, book, rows)
            withheld += book.book_value[i]
            withheld_from = min(withheld_from, issue)
            withheld_until = issue
            if counting is not None:
                days[k, p] = issue
            continue
        lost_on = abs(lost[k, j])
        if lost[k, j] < 0:
            rows.n_protracted[s] += 1
            first = protracted_day(book.due_day[i], rules.protracted_after)
            trigger = min(trigger, first)
            latest = max(latest, first)
        if lost_on != NEVER:
            loss += write_off(s, s, b, i, lost_on, 1.0, luck.recovery, rates, rules, clock, book, rows)
            if counting is not None:
                days[k, p] = lost_on
    note_stopped(s, b, withheld, withheld_from, withheld_until, events)
    if trigger != NEVER:
        list_debts(
            s, s, b, luck, drawn[:, j], final[:, j], lost[:, j], share, trigger, latest,
            rates, rules, clock, book, events,
        )  # fmt: skip
    note_loss(s, b, loss, book, rows, scratch)


@row
def settle_together(
    t, first, b, troubled, held, days, rates, rules, clock, book, rows, events, scratch, tiles, counting
):  # fmt: skip
    """Settle a buyer in the ``troubled`` first scenarios of ``tiles.in_trouble``.

    What is paid is left to be collected: where ``tiles.final`` is as ``tiles.its_paid``. With a borrowing base the days
    on which invoices go are put in place of ``days``.
    """
    in_trouble, drawn, paid = tiles.in_trouble[t], tiles.its_drawn[t], tiles.its_paid[t]
    final, lost = tiles.final[t], tiles.lost[t]
    n_invoices = book.start[b + 1] - book.start[b]
    fetch_troubled(troubled, n_invoices, in_trouble, days, paid)
    if held:
        fetch_troubled(troubled, n_invoices, in_trouble, tiles.drawn[t], drawn)
    else:
        drawn = paid
    # whole vectors at a time: what is found beyond the troubled ones is not looked at
    lanes = min((troubled + 15) // 16 * 16, final.shape[1])
    find_fates(
        lanes, b, drawn, paid, tiles.failed_on[t], tiles.cured[t], tiles.blocked_until[t], rules, clock, book, final,
        lost,
    )  # fmt: skip
    share = scratch.share[first]  # on open account all is the seller's risk
    for k in range(n_invoices):
        share[k] = 1.0
    for j in range(troubled):
        p = in_trouble[j]
        s = first + np.int64(p)
        luck = Luck(
            int(np.int64(tiles.failed_on[t, j])), tiles.frustrated[t, j], scratch.score[s], tiles.recovery[t, j],
            tiles.cured[t, j],
        )  # fmt: skip
        book_odd(
            s, p, j, b, luck, drawn, final, lost, share, tiles.listed[t], days, rates, rules, clock, book, rows, events,
            scratch, counting,
        )  # fmt: skip
