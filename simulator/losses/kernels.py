"""Loops of the losses room: from the common state to payments, defaults, stopped shipments and losses.

One pass over the buyers, for a tile of scenarios at once (see :mod:`simulator.losses.tile_kernels`): draw the buyer's
own state, its default day and the payment day of each invoice. What is paid is collected for all scenarios together.
Where a buyer is *troubled* (insolvent, in protracted default, or overdue beyond the stop-shipment rule), what it is not
sent and what it never pays is booked one by one (:mod:`simulator.losses.trouble_kernels`). Only where the seller trades
with it in several ways is it settled invoice by invoice, scenario by scenario.
"""

import numpy as np

from simulator.defaults.formulas import default_day
from simulator.jit import NEVER, kernel, prange, row
from simulator.losses.balance_kernels import note_balances
from simulator.losses.balance_tile_kernels import count_together
from simulator.losses.formulas import payer_rank, recovery_rate
from simulator.losses.plan import Luck
from simulator.losses.regime_kernels import is_in_trouble, settle_regimes
from simulator.losses.tile_kernels import (
    collect_quiet,
    draw_buyer,
    draw_payment_days,
    hand_over,
    list_marked,
    mark_quiet,
    prepare_tile,
)
from simulator.losses.trouble_kernels import note_luck, settle_together
from simulator.streams import normal, uniform, words


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
def fetch_days(s, p, b, days, book, target):
    """One scenario's payment days of a buyer, invoice by invoice."""
    for k in range(book.start[b + 1] - book.start[b]):
        target[s, k] = days[k, p]


@row
def count_buyer(t, first, n, b, days, part, book, scratch, counting, balances):
    """Balances of a buyer in the scenarios with ``part`` 1: side by side, or else one by one."""
    if counting.n_series[b] == 0:
        return
    moving = count_together(t, n, b, part, scratch.score[first : first + n], counting, balances)
    quiet = balances.quiet[t]
    for p in range(n):
        if part[p] > 0.0 and (moving or quiet[p] == 0.0):
            s = first + p
            fetch_days(s, p, b, days, book, scratch.paid)
            only = quiet[p] > 0.0
            note_balances(
                s, b, np.int64(-1), only, scratch.score, np.bool_(False), scratch.paid, scratch.lost, counting, balances
            )  # fmt: skip


@row
def simulate_tile(
    t, first_quad, keys, drivers, mixing, rates, blocked_from,
    factor, default, delay, transfer, rules, clock, book, limits, regimes, rows, events, scratch, tiles,
    counting, balances,
):  # fmt: skip
    """Simulate the scenarios of tile ``t``; other arguments as in :func:`simulate_ledger`."""
    n = rates.shape[0]
    width = tiles.word.shape[1]
    first = t * width
    here = min(width, n - first)
    first_quad = first_quad + (first >> 2)
    count = 1
    common = 0
    if regimes is not None:
        count = regimes.count
        common = count * n if count > 1 else 0  # rows of those with whom all regimes trade alike
    prepare_tile(t, first, here, drivers, rates, blocked_from, tiles)
    late, part, in_trouble = tiles.late[t], tiles.part[t], tiles.in_trouble[t]
    latest = min(rules.protracted_after, rules.stop_shipment_after)
    weakest = limits.threshold
    if regimes is not None:
        weakest = max(weakest, regimes.stop_threshold)
    last_day = default.threshold.shape[1] - 1
    for b in range(book.group.shape[0]):
        draw_buyer(t, first, here, first_quad, b, keys, mixing, factor, delay, book, limits, scratch, tiles)
        held = draw_payment_days(t, here, first_quad, b, keys, delay, transfer, book, tiles)
        drawn = tiles.drawn[t]
        paid = tiles.paid[t] if held else drawn
        mark_quiet(
            here, default.threshold[default.curve[b], last_day], latest, weakest, scratch.latent[first : first + here],
            late, scratch.score[first : first + here], part,
        )  # fmt: skip
        troubled = 0
        every = rules.frustration > 0.0
        if regimes is not None:
            every |= regimes.touched[b]
        for m in range(list_marked(here, every, part, in_trouble)):
            p = in_trouble[m]
            s = first + np.int64(p)
            quad, lane = first_quad + np.int64(p >> 2), np.int64(p & 3)
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
            alike = True
            if regimes is not None:
                alike = not regimes.touched[b] and not scratch.score[s] <= regimes.stop_threshold
            if alike and not is_in_trouble(insolvent_on, late[p], rules):
                part[p] = 1.0
                continue
            if regimes is None:
                part[p] = 1.0
                luck = Luck(insolvent_on, frustrated, scratch.score[s], 0.0, False)
                if insolvent_on != NEVER or late[p] > rules.protracted_after:
                    luck = draw_luck(quad, lane, s, b, insolvent_on, frustrated, keys, rules, book, scratch)
                note_luck(t, troubled, luck, tiles)
                in_trouble[troubled] = p
                troubled += 1
            else:
                part[p] = 0.0
                luck = draw_luck(quad, lane, s, b, insolvent_on, frustrated, keys, rules, book, scratch)
                fetch_days(s, p, b, drawn, book, scratch.drawn)
                fetch_days(s, p, b, paid, book, scratch.paid)
                rank = payer_rank(tiles.shared[t, p], delay.systemic[b], delay.credit, delay.buyer)
                settle_regimes(
                    quad, lane, n, s, b, luck, rank, blocked_from, keys, rates, delay, transfer, rules, clock, book,
                    regimes, rows, events, scratch, counting, balances,
                )  # fmt: skip
        if troubled > 0:
            settle_together(
                t, first, b, np.int64(troubled), held, paid, rates, rules, clock, book, rows, events, scratch, tiles,
                counting,
            )  # fmt: skip
        collect_quiet(
            t, common + first, here, b, held, np.int64(troubled), rules, clock, book, rows, tiles, counting, balances
        )  # fmt: skip
        if counting is not None:
            count_buyer(t, first, here, b, paid, part, book, scratch, counting, balances)
    hand_over(t, first, common + first, here, rates, clock, rows, tiles)


@kernel
def simulate_ledger(
    first_quad, keys, drivers, mixing, rates, blocked_from,
    factor, default, delay, transfer, rules, clock, book, limits, regimes, rows, events, scratch, tiles,
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
        rows, events, scratch, tiles: results and working rows, counts and sums zeroed by the caller.
        counting, balances: what of it a bank counts, and the zeroed rows of that, in the same tiles; None without
            a borrowing base.
    """
    for t in prange(tiles.word.shape[0]):
        simulate_tile(
            np.int64(t), first_quad, keys, drivers, mixing, rates, blocked_from, factor, default, delay, transfer,
            rules, clock, book, limits, regimes, rows, events, scratch, tiles, counting, balances,
        )  # fmt: skip
