"""Constant exposures: a sieve over all buyers and scenarios first, exact formulas only for those that pass it.

A buyer's own draw in a scenario is a uniform number of 40 bits: the first eight are a byte of a Philox call that serves
sixteen scenarios, the others a word of a second draw, made only where the byte leaves open whether the buyer fails.

The work goes by tiles of scenarios. For one buyer after the other, its bytes of a whole tile are drawn at once, each is
compared with the buyer's bound (see :mod:`simulator.losses.mark_kernels`), and the few that pass wait in a queue, which
is decided by the formulas of factors and defaults.
"""

import numpy as np

from simulator.factors.formulas import common_part
from simulator.jit import kernel, prange, row, scalar
from simulator.losses.formulas import recovery_rate, standard_state
from simulator.losses.mark_kernels import mark_buyer, prepare_tile, queue_marked
from simulator.streams import draw_each, draw_words, inverse_normal, normal, words

_TWO_32 = 2.0**32
_TWO_M40 = 2.0**-40
_UNIT = np.uint64(1)


@scalar
def fine_uniform(byte, word):
    """Uniform on (0, 1) from its first eight bits and 32 more: fine_uniform(3, 2**31) = 3.5/256, and 2⁻⁴¹."""
    return (np.float64(byte) * _TWO_32 + (np.float64(word) + 0.5)) * _TWO_M40


@row
def invert_queued(count, queue_byte, queue_word, residual):
    """The normals of the draws in the queue."""
    for k in range(count):
        residual[k] = inverse_normal(fine_uniform(queue_byte[k], queue_word[k]))


@row
def decide_queued(first, count, drivers, mixing, factor, sieve, position, buyer, value):
    """Who of the queue fails; returns how many. Their scenarios, buyers and latent variables move to its front.

    The latent variable is that of :func:`~simulator.factors.formulas.common_part` and
    :func:`~simulator.factors.formulas.latent`, with its root taken once per buyer. No branch hangs on who fails: none
    could be foreseen.
    """
    failed = np.uint64(0)
    for k in range(count):
        # unsigned: an index that may be negative is looked at twice
        s, b = np.uint64(first) + np.uint64(position[k]), np.uint64(buyer[k])
        common = 0.0
        for i in range(np.uint64(factor.loading_start[b]), np.uint64(factor.loading_start[b + _UNIT])):
            common += factor.loading[i] * drivers[s, np.uint64(factor.loading_driver[i])]
        x = (common + sieve.own[b] * value[k]) * mixing[s]
        position[failed] = s
        buyer[failed] = b
        value[failed] = x
        failed += np.uint64(x <= sieve.last[b])
    return np.int64(failed)


@row
def guessed_day(value, b, threshold, curve, sieve):
    """Default day of a buyer that fails, as :func:`~simulator.defaults.formulas.default_day` has it.

    From a good guess it is a step or none to the first day whose threshold the value does not exceed.
    """
    c = curve[b]
    position = min(max((value - sieve.range[c, 0]) * sieve.range[c, 1], 0.0), sieve.day.shape[1] - 1e-6)
    knot = np.int64(position)
    part = position - knot
    guess = sieve.day[c, knot, 0] + part * (sieve.day[c, knot, 1] + part * sieve.day[c, knot, 2])
    d = min(max(np.int64(guess + 0.5), 0), threshold.shape[1] - 1)
    while d > 0 and value <= threshold[c, d - 1]:
        d -= 1
    while value > threshold[c, d]:
        d += 1
    return d + 1


@row
def drawn_recovery(quad, lane, s, b, keys, drivers, factor, rules, book):
    """Recovery rate of a buyer that fails, where it is left to chance."""
    noise = normal(words(keys.recovery, quad, book.buyer_entity[b], 0)[lane])
    common = common_part(factor.loading_start, factor.loading_driver, factor.loading, drivers, s, b)
    state = standard_state(common, factor.systematic_share[b])
    return recovery_rate(rules.recovery, rules.recovery_class[b], state, noise, rules.recovery_systematic)


@row
def book_certain(n_failed, scenario, buyer, sieve, amount, loss, recovery, gross, recovered, largest, n_defaults):
    """Losses of the queue's failures, in order, where recoveries are certain and buyers form no groups."""
    for k in range(n_failed):
        s, b = np.uint64(scenario[k]), np.uint64(buyer[k])
        rate = sieve.recovery[b]
        lost = amount[b] * (1.0 - rate)
        gross[s] += lost
        recovered[s] += amount[b] * rate
        largest[s] = max(largest[s], lost)
        n_defaults[s] += 1
        loss[k] = lost
        recovery[k] = rate


@row
def book_listed(
    n_failed, before, scenario, buyer, sieve, amount, gross, recovered, largest, n_defaults,
    list_scenario, list_buyer, list_loss,
):  # fmt: skip
    """As :func:`book_certain` and :func:`enter_failures` in one go, where nobody asks for events and there is room."""
    for k in range(n_failed):
        s, b = np.uint64(scenario[k]), np.uint64(buyer[k])
        rate = sieve.recovery[b]
        lost = amount[b] * (1.0 - rate)
        gross[s] += lost
        recovered[s] += amount[b] * rate
        largest[s] = max(largest[s], lost)
        n_defaults[s] += 1
        at = np.uint64(before) + np.uint64(k)
        list_scenario[at], list_buyer[at], list_loss[at] = s, b, lost
    return before + n_failed


@row
def book_any(
    n_failed, scenario, buyer, loss, recovery, first_quad, keys, drivers, factor, rules, sieve, book, rows, scratch
):  # fmt: skip
    """Losses of the queue's failures, in order."""
    for k in range(n_failed):
        s, b = np.int64(scenario[k]), np.int64(buyer[k])
        rate = sieve.recovery[b]
        if not sieve.certain[b]:
            rate = drawn_recovery(first_quad + (s >> 2), s & 3, s, b, keys, drivers, factor, rules, book)
        lost = book.amount[b] * (1.0 - rate)
        rows.gross_loss[s] += lost
        rows.recovered[s] += book.amount[b] * rate
        rows.n_defaults[s] += 1
        of_group = lost
        if book.group[b] >= 0:
            scratch.group_loss[s, book.group[b]] += lost
            of_group = scratch.group_loss[s, book.group[b]]
        rows.largest_loss[s] = max(rows.largest_loss[s], of_group)
        loss[k] = lost
        recovery[k] = rate


@row
def enter_failures(n_failed, before, scenario, buyer, loss, list_scenario, list_buyer, list_loss):
    """Append the queue's failures to their tile's list as far as there is room; returns how many there are by now."""
    for k in range(min(n_failed, list_loss.shape[0] - before)):
        list_scenario[before + k] = scenario[k]
        list_buyer[before + k] = buyer[k]
        list_loss[before + k] = loss[k]
    return before + n_failed


@row
def list_events(n_failed, scenario, buyer, value, loss, recovery, default, sieve, lag, events):
    """Enter the queue's failures in their scenarios' events: what ``constant_events`` leaves open."""
    for k in range(n_failed):
        s, b = scenario[k], buyer[k]
        j = events.n_events[s]
        if j < events.buyer.shape[1]:
            day = guessed_day(value[k], b, default.threshold, default.curve, sieve)
            events.buyer[s, j] = b
            events.default_day[s, j] = day
            events.recovery[s, j] = recovery[k]
            events.loss[s, j] = loss[k]
            events.receipt_day[s, j] = day + lag
        events.n_events[s] = j + 1


@row
def lose_in_tile(
    t, first_quad, keys, drivers, mixing, factor, default, rules, sieve, book, rows, events, scratch, failures, bench
):  # fmt: skip
    """Constant exposures in one tile of the block's scenarios; see :func:`lose_exposures`."""
    tile = bench.line.shape[1]
    first = t * tile
    n = min(tile, rows.gross_loss.shape[0] - first)
    quad = first_quad + (first >> 2)
    # the tile may begin amid the sixteen scenarios of a call
    skipped = 4 * (quad & 3)
    n_calls = (skipped + n + 15) >> 4
    byte, mark = bench.byte[t][skipped:], bench.mark[t]
    prepare_tile(first, n, drivers, mixing, bench.driver[t], bench.largest[t])
    mixed = np.bool_(False)
    for s in range(first, first + n):
        mixed |= mixing[s] != 1.0
    for p in range(n, n + 64):
        mark[p] = 0
    count = 0
    n_buyers = book.group.shape[0]
    simple = np.bool_(True)
    for b in range(n_buyers):
        simple &= sieve.certain[b] and book.group[b] < 0
    for b in range(n_buyers):
        if sieve.level[b] > -np.inf:
            draw_words(quad >> 2, n_calls, keys.default, factor.residual_entity[b], 0, bench.pair[t])
            mark_buyer(
                n, b, mixed, factor, sieve, bench.driver[t], bench.largest[t], bench.steps, bench.line[t], byte, mark
            )  # fmt: skip
            count = queue_marked(
                n, b, factor.residual_entity[b], np.int64(count), byte, bench.marks[t], bench.eight[t], bench.sets[t],
                bench.place[t], bench.bit, bench.queue_position[t], bench.queue_byte[t], bench.queue_buyer[t],
                bench.queue_entity[t],
            )  # fmt: skip
        if count > bench.residual.shape[1] - tile or b == n_buyers - 1:
            draw_each(
                count, quad, keys.default, bench.queue_entity[t], 1, bench.queue_position[t], bench.queue_word[t]
            )  # fmt: skip
            invert_queued(count, bench.queue_byte[t], bench.queue_word[t], bench.residual[t])
            failed = decide_queued(
                first, count, drivers, mixing, factor, sieve, bench.queue_position[t], bench.queue_buyer[t],
                bench.residual[t],
            )  # fmt: skip
            scenario, buyer, before = bench.queue_position[t], bench.queue_buyer[t], failures.listed[t]
            if simple and events is None and before + failed <= failures.loss.shape[1]:
                failures.listed[t] = book_listed(
                    failed, before, scenario, buyer, sieve, book.amount,
                    rows.gross_loss, rows.recovered, rows.largest_loss, rows.n_defaults,
                    failures.scenario[t], failures.buyer[t], failures.loss[t],
                )  # fmt: skip
                count = 0
                continue
            loss, recovery = bench.loss[t], bench.recovery[t]
            if simple:
                book_certain(
                    failed, scenario, buyer, sieve, book.amount, loss, recovery,
                    rows.gross_loss, rows.recovered, rows.largest_loss, rows.n_defaults,
                )  # fmt: skip
            else:
                book_any(
                    failed, scenario, buyer, loss, recovery, first_quad, keys, drivers, factor, rules, sieve, book,
                    rows, scratch,
                )  # fmt: skip
            if events is not None:
                list_events(
                    failed, scenario, buyer, bench.residual[t], loss, recovery, default, sieve, rules.recovery_lag,
                    events,
                )  # fmt: skip
            failures.listed[t] = enter_failures(
                failed, before, scenario, buyer, loss, failures.scenario[t], failures.buyer[t], failures.loss[t]
            )  # fmt: skip
            count = 0


@kernel
def lose_exposures(
    first_quad, keys, drivers, mixing, factor, default, rules, sieve, book, rows, events, scratch, failures, bench
):  # fmt: skip
    """The classic credit portfolio model: every buyer owes its constant exposure until it fails.

    Arguments as in :func:`~simulator.losses.kernels.simulate_ledger`, and the sieve, the list of failures and working
    rows; each buyer has one pseudo-invoice, money has no currency and no clock. Without ``events`` (None) nobody asks
    for days. Where a list is too short, only its counts are complete.
    """
    for t in prange(bench.line.shape[0]):
        lose_in_tile(
            np.int64(t), first_quad, keys, drivers, mixing, factor, default, rules, sieve, book, rows, events, scratch,
            failures, bench,
        )  # fmt: skip
