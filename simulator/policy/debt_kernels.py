"""Lists of a scenario that all programmes share which see the same debts: debts, who owes them, who buys less."""

import numpy as np

from simulator.jit import NEVER, row
from simulator.policy.codes import UNDISPUTED
from simulator.policy.formulas import dispute_state
from simulator.streams import uniform, words


@row
def dispute_of(key, entity, quad, lane, in_ledger, probability, upheld):
    """What a dispute does to an unpaid invoice in a scenario: marked in the ledger, or drawn."""
    if not in_ledger and probability <= 0.0:
        return np.int64(UNDISPUTED)
    disputed_score = uniform(words(key, quad, entity, 0)[lane])
    upheld_score = uniform(words(key, quad, entity, 1)[lane])
    return np.int64(dispute_state(in_ledger, disputed_score, upheld_score, probability, upheld, True))


@row
def list_debts(events, row, book, month_end, invoice_entity, key, probability, upheld, quad, lane, debts, owing):
    """List the debts of a row of events, and the buyers who owe them; returns how many buyers."""
    n_events = min(events.n_events[row], events.buyer.shape[1])
    count = 0
    for e in range(n_events):
        invoice = events.invoice[row, e]
        debt = debts[e]
        debt.invoice = invoice
        debt.currency = book.currency[invoice]
        debt.share = events.share[row, e]
        debt.amount = book.amount[invoice] * debt.share
        debt.value = book.book_value[invoice] * debt.share
        debt.vat_share = book.vat[invoice] / book.amount[invoice] if book.vat[invoice] > 0.0 else 0.0
        debt.recovery = events.recovery[row, e]
        debt.issue_day = book.issue_day[invoice]
        debt.month_end = month_end[invoice]
        debt.due_day = book.due_day[invoice]
        debt.drawn_day = events.drawn_day[row, e]
        debt.paid_day = events.paid_day[row, e]
        debt.loss_day = events.loss_day[row, e]
        debt.receipt_day = events.receipt_day[row, e]
        debt.overdue = events.overdue_at_issue[row, e]
        debt.protracted = events.protracted[row, e]
        debt.dispute = dispute_of(
            key, invoice_entity[invoice], np.int64(quad), np.int64(lane), book.disputed[invoice], probability, upheld
        )
        buyer = events.buyer[row, e]
        if count == 0 or owing[count - 1].buyer != buyer:
            one = owing[count]
            one.buyer = buyer
            one.entity = book.buyer_entity[buyer]
            one.begin = e
            one.default_day = events.default_day[row, e]
            one.frustrated = events.frustrated[row, e]
            one.limit_score = events.limit_score[row, e]
            one.late = False
            one.lost = False
            count += 1
        one = owing[count - 1]
        one.end = e + 1
        one.late |= debt.protracted
        one.lost |= debt.loss_day != NEVER
    return count


@row
def list_unsold(events, row, owing, n_owing, unsold):
    """List the buyers of whom less may be insured than planned; returns how many.

    Goes through the lists of withheld shipments, weak buyers and buyers who owe side by side, all in order of buyers.
    Which list a buyer is on is hard to foretell: entries are looked up in all three, and taken where they are its own.
    """
    room = events.stopped_buyer.shape[1]
    n_stopped, n_weak = min(events.stopped_count[row], room), min(events.weak_count[row], room)
    stopped, weak, o, count = np.int64(0), np.int64(0), np.int64(0), np.int64(0)
    while True:
        at, looked, owes = min(stopped, room - 1), min(weak, room - 1), min(o, owing.shape[0] - 1)
        withheld = np.int64(events.stopped_buyer[row, at]) if stopped < n_stopped else np.int64(NEVER)
        changing = np.int64(events.weak_buyer[row, looked]) if weak < n_weak else np.int64(NEVER)
        indebted = np.int64(owing[owes].buyer) if o < n_owing else np.int64(NEVER)
        buyer = min(withheld, changing, indebted)
        if buyer == NEVER:
            return count
        one = unsold[count]
        one.buyer = buyer
        one.withheld = events.stopped_value[row, at] if withheld == buyer else 0.0
        one.since, one.until = events.stopped_from[row, at], events.stopped_until[row, at]
        one.weak = changing == buyer
        one.limit_score = events.weak_score[row, looked]
        one.owing = o if indebted == buyer else np.int64(-1)
        stopped += np.int64(withheld == buyer)
        weak += np.int64(changing == buyer)
        o += np.int64(indebted == buyer)
        count += 1
