"""One buyer in one scenario under every regime: what it agrees to, when it pays, and its settlement in each."""

import numpy as np

from simulator.delays.formulas import next_run
from simulator.fx.formulas import transfer_release
from simulator.jit import NEVER, row
from simulator.losses.balance_kernels import note_balances
from simulator.losses.booking import collect_all, note_loss
from simulator.losses.formulas import chased_day, limit_change_day
from simulator.losses.regimes import LETTER_OF_CREDIT, PREPAID, REFUSED, Deal
from simulator.losses.settle_kernels import is_open_account, settle_troubled
from simulator.streams import uniform, words


@row
def longest_lateness(b, book, paid):
    """Most days that any invoice of a buyer is paid after its due date (may be negative)."""
    begin = book.start[b]
    worst = -NEVER
    for i in range(begin, book.start[b + 1]):
        late = paid[i - begin] - book.due_day[i]
        if late > worst:
            worst = late
    return worst


@row
def is_in_trouble(insolvent_on, late, rules):
    """Whether a buyer fails, or is later than a protracted default or the stop-shipment rule allows."""
    return insolvent_on != NEVER or late > rules.protracted_after or late > rules.stop_shipment_after


@row
def deal_with(g, quad, lane, b, score, rank, keys, horizon, book, regimes):
    """The deal with a buyer under regime ``g``: whether it agrees to the terms and takes a discount, and when its
    limit changes. The same luck decides under every regime: its limit score and its rank among payers."""
    form = regimes.form[g, b]
    if form in (LETTER_OF_CREDIT, PREPAID):
        willing = uniform(words(keys.acceptance, quad, book.buyer_entity[b], 0)[lane])
        if willing >= regimes.accepted[g, b]:
            form = REFUSED
    discount = regimes.discount[g, b]
    if discount > 0.0:
        # the promptest payers take it: whoever is about to fail has no money to pay early with
        place = rank
        if place < 0.0:
            place = uniform(words(keys.discount, quad, book.buyer_entity[b], 0)[lane])
        if place >= regimes.take_up[g]:
            discount = 0.0
    stops_on = NEVER
    if regimes.allowed[g, b] < np.inf:
        changed_on = limit_change_day(score, regimes.stop_intensity[g], horizon)
        if changed_on != NEVER:
            stops_on = changed_on + regimes.stop_notice[g]
    for k in range(regimes.told_day.shape[2]):
        stops_on = min(stops_on, regimes.told_day[g, b, k])
    guarantee, within = int(np.int64(regimes.guarantee[g])), int(np.int64(regimes.within[g]))  # as on open account
    return Deal(
        form, regimes.fee[g, b], regimes.advance_rate[g], regimes.interest[g], regimes.protection[g],
        guarantee, regimes.sells_open[g], discount, within, stops_on, regimes.allowed[g, b],
    )  # fmt: skip


@row
def days_under(g, b, blocked_on, deal, delay, transfer, book, regimes, drawn, its_drawn, its_paid):
    """Payment days of a buyer's invoices under regime ``g``: chased, or early for a discount, then held by a block.

    Args:
        blocked_on: first blocked day of the buyer's country, NEVER if none.
        drawn: days as the study draws them; its_drawn, its_paid: filled.
    """
    begin = book.start[b]
    for i in range(begin, book.start[b + 1]):
        day = drawn[i - begin]
        issue = book.issue_day[i]
        first = 1 if book.open_item[i] else issue
        if regimes.chased[g, b] and day != NEVER:
            if not book.open_item[i]:
                day = max(issue, day - regimes.earlier[g])
            day = chased_day(day, book.due_day[i], first, g, regimes.stage_after, regimes.stage_factor)
            day = next_run(delay.run_day, delay.run_rule[b], delay.run_offset, day)
        if deal.discount > 0.0 and not book.open_item[i]:
            day = min(day, issue + deal.within)
        its_drawn[i - begin] = day
        its_paid[i - begin] = transfer_release(day, blocked_on, transfer.duration)


@row
def settle_regimes(
    quad, lane, n, s, b, luck, rank, blocked_from, keys, rates, delay, transfer, rules, clock, book, regimes,
    rows, events, scratch, counting, balances,
):  # fmt: skip
    """Settle a buyer in one scenario under every regime, from the same drawn days.

    ``n`` scenarios are in the block; ``rank`` is the buyer's among payers (low is prompt), below 0 where its invoices
    share nothing.
    """
    country = transfer.buyer_country[b]
    # a script has no transfer events
    blocked_on = blocked_from[s, country] if 0 <= country < blocked_from.shape[1] else NEVER
    for g in range(regimes.count):
        r = g * n + s
        deal = deal_with(g, quad, lane, b, luck.limit_score, rank, keys, clock.horizon, book, regimes)
        drawn = scratch.drawn[s]
        all_paid = scratch.paid
        if regimes.affects[g, b]:
            drawn = scratch.its_drawn[s]
            all_paid = scratch.its_paid
        paid = all_paid[s]
        if regimes.affects[g, b]:
            days_under(g, b, blocked_on, deal, delay, transfer, book, regimes, scratch.drawn[s], drawn, paid)
        late = longest_lateness(b, book, paid)
        quiet = is_open_account(deal) and not is_in_trouble(luck.insolvent_on, late, rules)
        if quiet:
            collect_all(r, s, b, rates, rules, clock, book, paid, rows)
        else:
            loss = settle_troubled(
                r, s, b, luck, deal, drawn, paid, rates, rules, clock, book, regimes, rows, events, scratch
            )  # fmt: skip
            note_loss(r, b, loss, book, rows, scratch)
        if counting is not None:
            final = all_paid if quiet else scratch.final
            note_balances(s, b, g, np.bool_(False), scratch.score, not quiet, final, scratch.lost, counting, balances)
