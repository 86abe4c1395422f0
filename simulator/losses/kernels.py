"""Loops of the losses room: from the common state to payments, defaults, stopped shipments and losses.

One pass over the buyers of a scenario: draw the buyer's own state, its default day and the payment day of each
invoice, then settle the buyer. Four scenarios share each Philox call (see :mod:`simulator.streams`), so the outer
loop goes over quads. A buyer whose invoices are all paid in good time takes the short road; only a *troubled* one
(insolvent, in protracted default, or overdue beyond the stop-shipment rule) is settled invoice by invoice.
"""

import numpy as np

from simulator.defaults.formulas import default_day
from simulator.delays.formulas import delay_score, next_run, own_noise, payment_day
from simulator.factors.formulas import common_part, latent
from simulator.fx.formulas import transfer_release
from simulator.jit import NEVER, kernel, prange, row
from simulator.losses.balance_kernels import note_balances
from simulator.losses.booking import collect_all, note_loss
from simulator.losses.formulas import limit_score, payer_rank, recovery_rate, standard_state
from simulator.losses.plan import Luck
from simulator.losses.regime_kernels import is_in_trouble, longest_lateness, settle_regimes
from simulator.losses.settle_kernels import open_account, settle_troubled
from simulator.streams import normal, tabulated, uniform, words


@row
def draw_payment_days(quad, first, b, shared, blocked_from, keys, delay, transfer, book, scratch):
    """Payment day of every invoice of a buyer in four scenarios, before and after a transfer block.

    Args:
        quad: absolute quad number; first: row of its first scenario; b: buyer.
        shared: float64[n] the part of the delay score that a buyer's invoices have in common.
        blocked_from: int32[n, n_countries] day of the transfer event (NEVER if none).
        keys, delay, transfer, book, scratch: plans and working rows; fills ``scratch.drawn`` and ``scratch.paid``.
    """
    begin = book.start[b]
    location = delay.location[b]
    scale = delay.scale[b]
    own = delay.own[b]
    rule = delay.run_rule[b]
    country = transfer.buyer_country[b]
    for i in range(begin, book.start[b + 1]):
        word = words(keys.invoice_delay, quad, delay.draw_entity[i], delay.draw_index[i])
        earliest = 1 if book.open_item[i] else book.issue_day[i]
        for lane in range(4):
            s = first + lane
            noise = own_noise(word[lane], delay.lower_score[i], shared[s], own)
            days = location + scale * tabulated(delay.quantile, 0, shared[s] + own * noise)
            day = payment_day(book.due_day[i], book.issue_day[i], days, earliest)
            day = next_run(delay.run_day, rule, delay.run_offset, day)
            scratch.drawn[s, i - begin] = day
            if country >= 0:
                day = transfer_release(day, blocked_from[s, country], transfer.duration)
            scratch.paid[s, i - begin] = day


@row
def frustrated_on(quad, lane, s, b, blocked_from, keys, rules, transfer, book):
    """Day on which an act of state frustrates the contracts with a buyer: the transfer event's, or NEVER."""
    country = transfer.buyer_country[b]
    if country < 0 or blocked_from[s, country] == NEVER:
        return NEVER
    luck = uniform(words(keys.frustration, quad, book.buyer_entity[b], 0)[lane])
    return blocked_from[s, country] if luck < rules.frustration else NEVER


@row
def list_weak(s, n, b, count, score, events):
    """List a buyer as weak under each of ``count`` regimes."""
    for g in range(count):
        r = g * n + s
        j = events.weak_count[r]
        if j < events.weak_buyer.shape[1]:
            events.weak_buyer[r, j] = b
            events.weak_score[r, j] = score
        events.weak_count[r] = j + 1


@row
def draw_luck(quad, lane, s, b, insolvent_on, frustrated, keys, rules, book, scratch):
    """What else a buyer draws that is not paid in good time: its recovery, and whether it cures."""
    noise = normal(words(keys.recovery, quad, book.buyer_entity[b], 0)[lane])
    row_of_law = rules.recovery_class[b]
    recovery = recovery_rate(rules.recovery, row_of_law, scratch.state[s], noise, rules.recovery_systematic)
    cured = uniform(words(keys.cure, quad, book.buyer_entity[b], 0)[lane]) < rules.cure_probability
    return Luck(insolvent_on, frustrated, scratch.score[s], recovery, cured)


@row
def settle_in_trouble(s, b, luck, rates, rules, clock, book, rows, events, scratch, counting, balances):
    """Settle a troubled buyer where there is one regime only, on open account."""
    drawn = scratch.drawn[s]
    paid = scratch.paid[s]
    deal = open_account()
    loss = settle_troubled(s, s, b, luck, deal, drawn, paid, rates, rules, clock, book, None, rows, events, scratch)
    note_loss(s, b, loss, book, rows, scratch)
    if counting is not None:
        note_balances(s, 1, b, 0, scratch.score, True, scratch.final, scratch.lost, counting, balances)


@row
def simulate_quad(
    q, first_quad, keys, drivers, mixing, rates, blocked_from,
    factor, default, delay, transfer, rules, clock, book, limits, regimes, shared, rows, events, scratch,
    counting, balances,
):  # fmt: skip
    """Simulate the four scenarios of the block's quad ``q``; other arguments as in :func:`simulate_ledger`.

    What most buyers need stays in this body: handing all plans to another function costs more than an invoice.
    """
    first = 4 * q
    quad = first_quad + q
    n = rates.shape[0]
    count = 1
    common = 0
    if regimes is not None:
        count = regimes.count
        common = count * n if count > 1 else 0  # rows of those with whom all regimes trade alike
    limits_change = limits.threshold > -np.inf
    for b in range(book.group.shape[0]):
        own_words = words(keys.default, quad, factor.residual_entity[b], 0)
        buyer_words = words(keys.buyer_delay, quad, book.buyer_entity[b], 0)
        limit_words = words(keys.limit, quad, book.buyer_entity[b], 0) if limits_change else buyer_words
        share = factor.systematic_share[b]
        for lane in range(4):
            s = first + lane
            systematic = common_part(factor.loading_start, factor.loading_driver, factor.loading, drivers, s, b)
            residual = normal(own_words[lane])
            scratch.state[s] = standard_state(systematic, share)
            scratch.latent[s] = latent(systematic, share, residual) * mixing[s]
            if limits_change:
                scratch.score[s] = limit_score(
                    scratch.state[s], residual, normal(limit_words[lane]),
                    limits.systemic[b], limits.credit, limits.own[b],
                )  # fmt: skip
            shared[s] = delay_score(
                scratch.state[s], residual, normal(buyer_words[lane]), 0.0,
                delay.systemic[b], delay.credit, delay.buyer, delay.own[b],
            )  # fmt: skip
        draw_payment_days(quad, first, b, shared, blocked_from, keys, delay, transfer, book, scratch)
        quiet = 0
        for lane in range(4):
            s = first + lane
            insolvent_on = default_day(default.threshold, default.curve[b], scratch.latent[s])
            if insolvent_on != NEVER:
                for g in range(count):
                    rows.n_defaults[g * n + s] += 1
            frustrated = False
            if rules.frustration > 0.0:
                frustrated_day = frustrated_on(quad, lane, s, b, blocked_from, keys, rules, transfer, book)
                frustrated = frustrated_day < insolvent_on
                insolvent_on = min(insolvent_on, frustrated_day)
            if scratch.score[s] <= limits.threshold:
                list_weak(s, n, b, count, scratch.score[s], events)
            trouble = is_in_trouble(insolvent_on, longest_lateness(b, book, scratch.paid[s]), rules)
            alike = True
            if regimes is not None:
                alike = not regimes.touched[b] and not scratch.score[s] <= regimes.stop_threshold
            if alike and not trouble:
                collect_all(common + s, s, b, rates, rules, clock, book, scratch.paid[s], rows)
                quiet |= 1 << lane
                continue
            luck = draw_luck(quad, lane, s, b, insolvent_on, frustrated, keys, rules, book, scratch)
            if regimes is None:
                settle_in_trouble(s, b, luck, rates, rules, clock, book, rows, events, scratch, counting, balances)
            else:
                rank = payer_rank(shared[s], delay.systemic[b], delay.credit, delay.buyer)
                settle_regimes(
                    quad, lane, n, s, b, luck, rank, blocked_from, keys, rates, delay, transfer, rules, clock, book,
                    regimes, rows, events, scratch, counting, balances,
                )  # fmt: skip
        if counting is not None and quiet != 0:
            note_balances(first, quiet, b, -1, scratch.score, False, scratch.paid, scratch.lost, counting, balances)


@kernel
def simulate_ledger(
    first_quad, keys, drivers, mixing, rates, blocked_from,
    factor, default, delay, transfer, rules, clock, book, limits, regimes, shared, rows, events, scratch,
    counting, balances,
):  # fmt: skip
    """Simulate the ledger in a block of scenarios.

    Args:
        first_quad: number of the block's first quad of scenarios.
        keys: Philox keys of the streams drawn here.
        drivers, mixing: common state, float64[n, n_drivers] and float64[n].
        rates: float64[n, n_currencies, n_steps + 1]; blocked_from: int32[n, n_countries].
        factor, default, delay, transfer, rules, clock, book, limits: plans of the rooms.
        regimes: ways of trading, None where there is one only: what is not needed is not compiled.
        shared: float64[n] working array.
        rows, events, scratch: results and working rows, counts and sums zeroed by the caller.
        counting, balances: what of it a bank counts, and the zeroed rows of that; None without a borrowing base.
    """
    for q in prange(rates.shape[0] // 4):
        simulate_quad(
            np.int64(q), first_quad, keys, drivers, mixing, rates, blocked_from, factor, default, delay, transfer,
            rules, clock, book, limits, regimes, shared, rows, events, scratch, counting, balances,
        )  # fmt: skip
