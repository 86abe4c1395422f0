"""Constant exposures: a sieve over all buyers and scenarios first, exact formulas only for those that pass it.

A buyer's own draw in a scenario is a uniform number of 40 bits: the first eight are a byte of a Philox call that serves
sixteen scenarios, the others a word of a second draw, made only where the byte leaves open whether the buyer fails.

The work goes by tiles of scenarios. For one buyer after the other, its bytes of a whole tile are drawn at once, each is
compared with the buyer's bound (see :mod:`simulator.losses.sieve`), and the few that pass wait in a queue, which is
decided by the formulas of factors and defaults. All this is plain loops over plain arrays, of short numbers where that
does, which compilers turn into vector instructions.
"""

import numpy as np

from simulator.factors.formulas import common_part
from simulator.jit import kernel, prange, row, scalar
from simulator.losses.formulas import recovery_rate, standard_state
from simulator.losses.sieve import SIX_BITS
from simulator.streams import draw_each, draw_words, inverse_normal, normal, words

_TWO_32 = 2.0**32
_TWO_M40 = 2.0**-40
#: Largest bound, distance of a line from a 16-bit number's ends, and steps that a product in 16 bits may be too low.
_TOP = np.int16(4095)
_ROOM = 16000.0
_LOST_STEPS = 1.5
_LARGEST_POWER = 12
_LARGEST_SCALE = 4096.0
#: Brings the lowest bits of eight bytes together in the highest byte, in their order.
_TOGETHER = np.uint64(0x0102040810204080)
_SIX_BITS = np.uint64(SIX_BITS)
_NONE = np.uint64(0)
_UNIT = np.uint64(1)
_LAST_OF_SIXTEEN = np.uint64(15)


@scalar
def fine_uniform(byte, word):
    """Uniform on (0, 1) from its first eight bits and 32 more: fine_uniform(3, 2**31) = 3.5/256, and 2⁻⁴¹."""
    return (np.float64(byte) * _TWO_32 + (np.float64(word) + 0.5)) * _TWO_M40


@scalar
def scaled(factor, value):
    """Product of two 16-bit numbers over 2¹⁶, rounded down. scaled(16384, -5) = -2 (of -1.25)."""
    return np.int16((np.int32(factor) * np.int32(value)) >> np.int32(16))


@row
def prepare_tile(first, n, drivers, mixing, driver, largest):
    """Drivers and 1/mixing of a tile as 16-bit numbers, 32767 being the largest absolute value of each."""
    n_drivers = drivers.shape[1]
    for j in range(n_drivers + 1):
        most = 0.0
        for s in range(first, first + n):
            most = max(most, abs(drivers[s, j] if j < n_drivers else 1.0 / mixing[s]))
        unit = 32767.0 / most if most > 0.0 else 0.0
        for p in range(n):
            value = drivers[first + p, j] if j < n_drivers else 1.0 / mixing[first + p]
            driver[j, p] = np.int16(np.rint(value * unit))
        largest[j] = most


@row
def start_line(n, level, a, first, line):
    """Lines from their constant and one driver."""
    for p in range(n):
        line[p] = level + scaled(a, first[p])


@row
def extend_line(n, a, first, b, second, line):
    """Two more drivers in the lines."""
    for p in range(n):
        line[p] += scaled(a, first[p]) + scaled(b, second[p])


@scalar
def byte_bound(line, most, gain, none, one):
    """256·line⁴ rounded up to within a step: the largest byte that passes.

    All in 16-bit numbers. ``none`` and ``one`` are 0 and 1, but from memory: where a compiler knows them, it sees that
    nothing can overflow, and goes on in numbers of twice the size.

    Args:
        line: height of the line in units of ``most``.
        most: the height at which all bytes pass.
        gain: 2¹⁴ over ``most``.

    Worked number: half of most = 2048 → y = 2¹³, y² = 2¹⁰ + 1 (in 2¹²), so 16 = 256/2⁴.
    """
    y = np.int16(min(max(line, none), most) * gain)
    square = np.int16(min(np.int16(scaled(y, y) + one), _TOP))
    return np.int16(scaled(square, square) + none)


@row
def mark_one(n, level, a, first, most, gain, none, one, byte, mark):
    """Mark the bytes that do not exceed the bound of a line in one driver."""
    for p in range(n):
        line = np.int16(level + scaled(a, first[p]))
        mark[p] = np.int16(byte[p]) <= byte_bound(line, most, gain, none, one)


@row
def mark_more(n, line, a, first, b, second, most, gain, none, one, byte, mark):
    """Mark the bytes that do not exceed the bound of lines to which two more drivers are added."""
    for p in range(n):
        height = np.int16(line[p] + scaled(a, first[p]) + scaled(b, second[p]))
        mark[p] = np.int16(byte[p]) <= byte_bound(height, most, gain, none, one)


@row
def mark_buyer(n, b, mixed, factor, sieve, driver, largest, steps, line, byte, mark):
    """Mark the bytes of a tile with which a buyer can fail."""
    last = largest.shape[0] - 1
    begin, end = factor.loading_start[b], factor.loading_start[b + 1]
    level = sieve.level[b] + (0.0 if mixed else sieve.threshold[b])
    size = abs(level) + (abs(sieve.threshold[b]) * largest[last] if mixed else 0.0)
    for i in range(begin, end):
        size += abs(sieve.loading[i]) * largest[factor.loading_driver[i]]
    if not size <= _ROOM:
        for p in range(n):
            mark[p] = 1
        return
    power = _LARGEST_POWER
    scale = _LARGEST_SCALE
    while size * scale > _ROOM:
        power -= 1
        scale *= 0.5
    # a factor of 2⁻¹⁶ for the product's sake, and the drivers' own unit
    unit = scale * (65536.0 / 32767.0)
    terms = end - begin + (1 if mixed else 0)
    whole = np.int16(np.ceil(level * scale + _LOST_STEPS * terms + 0.01))
    most, gain = np.int16(1 << power), np.int16(16384 >> power)
    # the threshold enters as one more driver, 1/mixing
    i = begin
    a, j = np.int16(0), last
    if mixed:
        a = np.int16(np.rint(sieve.threshold[b] * largest[last] * unit))
    elif begin < end:
        j = factor.loading_driver[i]
        a = np.int16(np.rint(sieve.loading[i] * largest[j] * unit))
        i += 1
    if i == end:
        mark_one(n, whole, a, driver[j], most, gain, steps[0], steps[1], byte, mark)
        return
    start_line(n, whole, a, driver[j], line)
    while i < end:
        j = factor.loading_driver[i]
        a = np.int16(np.rint(sieve.loading[i] * largest[j] * unit))
        k, c = j, np.int16(0)
        if i + 1 < end:
            k = factor.loading_driver[i + 1]
            c = np.int16(np.rint(sieve.loading[i + 1] * largest[k] * unit))
        i += 2
        if i < end:
            extend_line(n, a, driver[j], c, driver[k], line)
        else:
            mark_more(n, line, a, driver[j], c, driver[k], most, gain, steps[0], steps[1], byte, mark)


@row
def queue_marked(
    n, b, entity, count, byte, marks, eight, sets, place, bit, queue_position, queue_byte, queue_buyer, queue_entity
):  # fmt: skip
    """Append the bytes marked to the queue; returns its length.

    Marks are brought together in sets of 64 bits first, as few bytes are marked. How many there are in a set cannot be
    foreseen, and a branch that was foreseen wrongly costs more than three bits: so three are taken at a time, and what
    is written for one that is not there is written over by the next. Queues have room for that.
    """
    n_sets = np.uint64((n + 63) // 64)
    for g in range(n_sets << np.uint64(3)):
        eight[g] = np.uint8((marks[g] * _TOGETHER) >> np.uint64(56))
    filled = np.uint64(0)
    for w in range(n_sets):
        left = sets[w]
        sets[filled] = left
        place[filled] = w << np.uint64(6)
        filled += np.uint64(left != _NONE)
    begin = np.uint64(count)
    end = begin
    for k in range(filled):
        left = sets[k]
        first = np.uint64(place[k])
        while left != _NONE:
            for _ in range(3):
                lowest = left & (~left + _UNIT)
                p = first + np.uint64(bit[(lowest * _SIX_BITS) >> np.uint64(58)])
                queue_position[end] = p
                queue_byte[end] = byte[p]
                end += np.uint64(left != _NONE)
                left ^= lowest
    for k in range((end - begin + _LAST_OF_SIXTEEN) >> np.uint64(4)):
        for i in range(16):
            at = begin + (k << np.uint64(4)) + np.uint64(i)
            queue_buyer[at] = b
            queue_entity[at] = entity
    return np.int64(end)


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
    before = 4 * (quad & 3)
    n_calls = (before + n + 15) >> 4
    byte, mark = bench.byte[t][before:], bench.mark[t]
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
                n, b, factor.residual_entity[b], count, byte, bench.marks[t], bench.eight[t], bench.sets[t],
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
            scenario, buyer = bench.queue_position[t], bench.queue_buyer[t]
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
                failed, failures.listed[t], scenario, buyer, loss, failures.scenario[t], failures.buyer[t],
                failures.loss[t],
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
