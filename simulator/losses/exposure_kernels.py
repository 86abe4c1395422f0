"""Constant exposures: a sieve over all buyers and scenarios first, exact formulas only for those that pass it.

The work goes by tiles of scenarios. For one buyer after the other, its words of a whole tile are drawn at once, four
scenarios to a Philox call as everywhere, each is compared with the buyer's tangent (see :mod:`simulator.losses.sieve`),
and the few that pass are decided by the formulas of factors and defaults. All this is plain loops over plain arrays,
which compilers turn into vector instructions. Losses are booked in a second pass, scenario by scenario.

Words come two to a 64-bit number and are left in that order: position p of a tile of n quads holds the scenario
:func:`scenario_at`.
"""

import numpy as np

from simulator.constants import NO_SCORE
from simulator.defaults.formulas import default_day
from simulator.factors.formulas import common_part, latent
from simulator.jit import NEVER, kernel, prange, row, scalar
from simulator.losses.formulas import recovery_rate, standard_state
from simulator.losses.sieve import SLACK, WILDEST
from simulator.streams import normal, words

_M0 = np.uint64(0xD2511F53)
_M1 = np.uint64(0xCD9E8D57)
_W0 = np.uint64(0x9E3779B9)
_W1 = np.uint64(0xBB67AE85)
_LOW = np.uint64(0xFFFFFFFF)
_32 = np.uint64(32)
#: Bits of 2³² as a 32-bit float: the word that would be probability 1.
_ONE = np.int32(159 << 23)
_ZERO = np.float32(0.0)
_UNIT = np.float32(1.0)
#: Rounding of 32-bit arithmetic, doubled.
_ROUNDING = 2.0**-23
_FRACTION = np.int64((1 << 52) - 1)
_EXPONENT_OF_ONE = np.int64(1023 << 52)


@scalar
def scenario_at(position, n_quads):
    """Scenario of a tile whose word is at a position: words 1 and 0 of every quad, then words 3 and 2.

    Worked numbers, two quads: positions 0 … 7 hold the scenarios 1, 0, 5, 4, 3, 2, 7, 6.
    """
    half = 2 * n_quads
    if position < half:
        return 4 * (position >> 1) + 1 - (position & 1)
    return 4 * ((position - half) >> 1) + 3 - (position & 1)


@scalar
def passes(word, tangent):
    """Whether a word may be a failure: −log₂(word/2³²) ≥ tangent², in units of 2⁻²³ and its root.

    The logarithm is read off the bits of the word as a 32-bit float, which count 2²³ per octave and never too many.

    Worked number: word 2³⁰ is 2 octaves, so it passes at a tangent of 1.41·√2²³ and fails at 1.42·√2²³.
    """
    bound = max(tangent, _ZERO)
    return np.float32(np.int32(_ONE - np.float32(word).view(np.int32))) >= bound * bound


@scalar
def near_normal(word):
    """The normal of a word to an absolute error below 2e-7, without branch or logarithm; NaN above uniform 0.84.

    The root s of the bits −log₂(uniform), by a polynomial in the uniform's own binary fraction, gives the normal by a
    rational function (least-squares fits; errors 5e-8 and 9e-9).

    Worked number: word 42949672 is the uniform 0.01, so −2.326348.
    """
    bits = np.float64(np.float64(word) + 0.5).view(np.int64)
    x = np.int64((bits & _FRACTION) | _EXPONENT_OF_ONE).view(np.float64) - 1.5
    log = (((((((-0.008874696649257255 * x + 0.014778720766209785) * x - 0.02068585496135935) * x
           + 0.037462937512774894) * x - 0.07128301135029973) * x + 0.14252637016887662) * x
           - 0.3205976659204752) * x + 0.9617959717013125) * x + 0.5849624944956762  # fmt: skip
    s = np.sqrt(32.0 - (np.float64((bits >> np.int64(52)) - np.int64(1023)) + log))
    num = ((((3.8434939158073362 * s + 32.88429992815775) * s + 39.30100316063572) * s
           - 36.47344094001227) * s - 35.89564817139712) * s - 3.6597075441818983  # fmt: skip
    den = (((3.2629114696455046 * s + 28.033087794623327) * s + 43.47723193975256) * s + 16.208700949232288) * s + 1.0
    return -num / den if s >= 0.5 else np.nan


@row
def prepare_tile(first, n_quads, drivers, mixing, driver, largest):
    """Drivers and 1/mixing of a tile in the order of the words, and the largest of each."""
    n_drivers = drivers.shape[1]
    for j in range(n_drivers + 1):
        most = 0.0
        for p in range(4 * n_quads):
            s = first + scenario_at(p, n_quads)
            value = drivers[s, j] if j < n_drivers else 1.0 / mixing[s]
            driver[j, p] = value
            most = max(most, abs(value))
        largest[j] = most


@row
def draw_words(n_quads, key, entity, quad_product, pair):
    """Words of an entity in all quads of a tile: Philox as in :func:`simulator.streams.words`, in 64-bit lanes.

    Everything above the lowest 32 bits is noise, cut off by the masks before each product. What the first two rounds
    do to the entity alone, or to the quad alone, stands outside the loop.
    """
    k0 = np.uint64(key[0]) | (np.uint64(key[1]) << _32)
    k1 = (k0 >> _32) | (k0 << _32)
    from_entity = _M1 * (entity & _LOW)
    high = (entity >> _32) ^ (entity << _32) ^ k1
    again = _M0 * (((from_entity >> _32) ^ k0) & _LOW)
    k0 += _W0
    k1 += _W1
    low_and_key = from_entity ^ k0
    high_and_key = (again >> _32) ^ k1
    k0 += _W0
    k1 += _W1
    for q in range(n_quads):
        p0 = quad_product[q]
        p1 = _M1 * (((p0 >> _32) ^ high) & _LOW)
        c0 = (p1 >> _32) ^ low_and_key
        c1 = p1
        c2 = high_and_key ^ p0
        c3 = again
        x0 = k0
        x1 = k1
        for _ in range(7):
            p0 = _M0 * (c0 & _LOW)
            p1 = _M1 * (c2 & _LOW)
            c0 = (p1 >> _32) ^ c1 ^ x0
            c2 = (p0 >> _32) ^ c3 ^ x1
            c1 = p1
            c3 = p0
            x0 = x0 + _W0
            x1 = x1 + _W1
        p0 = _M0 * (c0 & _LOW)
        p1 = _M1 * (c2 & _LOW)
        # the last round without its shifts: word 0 stays above word 1, and word 2 above word 3
        pair[q] = p1 ^ ((c1 ^ x0) << _32)
        pair[n_quads + q] = p0 ^ ((c3 ^ x1) << _32)


@row
def start_tangent(n, level, a, first, b, second, tangent):
    """Tangents from their constant and two drivers."""
    for p in range(n):
        tangent[p] = level + a * first[p] + b * second[p]


@row
def extend_tangent(n, a, first, b, second, tangent):
    """Two more drivers in the tangents."""
    for p in range(n):
        tangent[p] += a * first[p] + b * second[p]


@row
def mark_words(n, level, a, driver, word, mark):
    """Mark the words that pass a tangent in a single driver."""
    for p in range(n):
        mark[p] = passes(word[p], level + a * driver[p])


@row
def mark_buyer(n, b, mixed, start, loading_driver, level, threshold, loading, driver, largest, tangent, word, mark):
    """Compare the words of a buyer in a tile with its tangents."""
    last = largest.shape[0] - 1
    begin, end = start[b], start[b + 1]
    # every product and sum, each input and the level are rounded once
    size = abs(level[b]) + abs(threshold[b]) * largest[last]
    for i in range(begin, end):
        size += abs(loading[i]) * largest[loading_driver[i]]
    base = level[b] - (size * _ROUNDING * (end - begin + 5) if size < np.inf else 0.0)
    if not mixed:
        base += threshold[b]
    if end - begin == 1 and not mixed:
        mark_words(n, np.float32(base), np.float32(loading[begin]), driver[loading_driver[begin]], word, mark)
        return
    # the threshold enters as one more driver, 1/mixing, whose factor is 0 where the level has it already
    first = np.float32(threshold[b] if mixed else 0.0)
    second, j = _ZERO, last
    i = begin
    if i < end:
        second, j = np.float32(loading[i]), loading_driver[i]
        i += 1
    start_tangent(n, np.float32(base), first, driver[last], second, driver[j], tangent)
    while i < end:
        first, k = np.float32(loading[i]), loading_driver[i]
        second, j = _ZERO, k
        if i + 1 < end:
            second, j = np.float32(loading[i + 1]), loading_driver[i + 1]
        extend_tangent(n, first, driver[k], second, driver[j], tangent)
        i += 2
    mark_words(n, _ZERO, _UNIT, tangent, word, mark)


@row
def queue_marked(n, count, word, mark, marks, group, queue_position, queue_word):
    """Append the words marked to the queue; returns its length. No branch hangs on a mark: none could be foreseen."""
    n_groups = np.uint64(0)
    for g in range((n + 7) // 8):
        group[n_groups] = g
        n_groups += np.uint64(marks[g] != 0)
    at = np.uint64(count)
    for k in range(n_groups):
        first = 8 * group[k]
        for p in range(first, first + 8):
            queue_position[at] = p
            queue_word[at] = word[p]
            at += np.uint64(mark[p])
    return np.int64(at)


@row
def near_normals(count, queue_word, near):
    """Nearly the normals of all words in the queue."""
    for k in range(count):
        near[k] = near_normal(queue_word[k])


@row
def exact_day(s, b, word, drivers, mixing, factor, default):
    """Default day of a buyer in a scenario by the formulas of factors and defaults, NEVER if it survives."""
    common = common_part(factor.loading_start, factor.loading_driver, factor.loading, drivers, s, b)
    value = latent(common, factor.systematic_share[b], normal(word)) * mixing[s]
    return default_day(default.threshold, default.curve[b], value)


@row
def decide(first, n_quads, n_waiting, drivers, mixing, factor, default, sieve, waiting, queue_end, queue_position,
           queue_word, near, n_events, buyer, day):  # fmt: skip
    """Who of the queue fails, and when, noted in the events of its scenario.

    The day is guessed from a nearly exact latent variable; where that comes close to another day, or to surviving, the
    exact formulas decide.
    """
    k = 0
    knots = np.float64(sieve.day.shape[1])
    for m in range(n_waiting):
        b = waiting[m]
        own = sieve.own[b]
        row = default.curve[b]
        last, low, scale = sieve.range[row, 0], sieve.range[row, 1], sieve.range[row, 2]
        begin, end = factor.loading_start[b], factor.loading_start[b + 1]
        while k < queue_end[m]:
            s = first + scenario_at(queue_position[k], n_quads)
            common = 0.0
            for i in range(begin, end):
                common += factor.loading[i] * drivers[s, factor.loading_driver[i]]
            scaled = mixing[s]
            value = (common + own * near[k]) * scaled
            word = queue_word[k]
            k += 1
            if value > last + SLACK and scaled <= WILDEST:
                continue
            insolvent_on = np.int64(NEVER)
            open_yet = True
            position = (value - low) * scale
            if 0.0 <= position < knots and scaled <= WILDEST:
                knot = np.int64(position)
                part = position - knot
                when = sieve.day[row, knot, 0] + part * (sieve.day[row, knot, 1] + part * sieve.day[row, knot, 2])
                whole = np.floor(when)
                doubt = sieve.day[row, knot, 3]
                if doubt < when - whole < 1.0 - doubt:
                    insolvent_on = np.int64(whole) + 2
                    open_yet = False
            if open_yet:
                insolvent_on = exact_day(s, b, word, drivers, mixing, factor, default)
                if insolvent_on == NEVER:
                    continue
            j = n_events[s]
            if j < buyer.shape[1]:
                buyer[s, j] = b
                day[s, j] = insolvent_on
            n_events[s] = j + 1


@row
def drawn_recovery(quad, lane, s, b, keys, drivers, factor, rules, book):
    """Recovery rate of a buyer that fails, where it is left to chance."""
    noise = normal(words(keys.recovery, quad, book.buyer_entity[b], 0)[lane])
    common = common_part(factor.loading_start, factor.loading_driver, factor.loading, drivers, s, b)
    state = standard_state(common, factor.systematic_share[b])
    return recovery_rate(rules.recovery, rules.recovery_class[b], state, noise, rules.recovery_systematic)


@row
def book_tile(first, n, first_quad, keys, drivers, factor, rules, sieve, book, rows, events, scratch):
    """Losses of all who fail in a tile's scenarios, in buyer order; fills in the rest of the events."""
    for s in range(first, first + n):
        listed = min(events.n_events[s], events.buyer.shape[1])
        gross, recovered, largest = rows.gross_loss[s], rows.recovered[s], rows.largest_loss[s]
        for j in range(listed):
            b = events.buyer[s, j]
            recovery_class = rules.recovery_class[b]
            if sieve.certain[recovery_class]:
                recovery = rules.recovery[recovery_class, 0]
            else:
                recovery = drawn_recovery(first_quad + (s >> 2), s & 3, s, b, keys, drivers, factor, rules, book)
            loss = book.amount[b] * (1.0 - recovery)
            gross += loss
            recovered += book.amount[b] * recovery
            of_group = loss
            if book.group[b] >= 0:
                scratch.group_loss[s, book.group[b]] += loss
                of_group = scratch.group_loss[s, book.group[b]]
            largest = max(largest, of_group)
            events.invoice[s, j] = b
            events.recovery[s, j] = recovery
            events.loss[s, j] = loss
            events.loss_day[s, j] = events.default_day[s, j]
            events.receipt_day[s, j] = events.default_day[s, j] + rules.recovery_lag
            events.paid_day[s, j] = NEVER
            events.protracted[s, j] = False
            events.drawn_day[s, j] = NEVER
            events.overdue_at_issue[s, j] = -NEVER
            events.limit_score[s, j] = NO_SCORE
            events.frustrated[s, j] = False
            events.share[s, j] = 1.0
        rows.gross_loss[s], rows.recovered[s], rows.largest_loss[s] = gross, recovered, largest
        rows.n_defaults[s] += listed


@row
def lose_in_tile(
    t, first_quad, keys, drivers, mixing, factor, default, rules, sieve, book, rows, events, scratch, bench
):  # fmt: skip
    """Constant exposures in one tile of the block's scenarios; see :func:`lose_exposures`."""
    tile = bench.word.shape[1]
    first = t * tile
    n = min(tile, rows.gross_loss.shape[0] - first)
    n_quads = n >> 2
    driver, largest, word, mark = bench.driver[t], bench.largest[t], bench.word[t], bench.mark[t]
    prepare_tile(first, n_quads, drivers, mixing, driver, largest)
    mixed = False
    for s in range(first, first + n):
        mixed |= mixing[s] != 1.0
    for q in range(n_quads):
        bench.quad_product[t, q] = _M0 * np.uint64(np.uint32(first_quad + (first >> 2) + q))
    for p in range(n, n + 8):
        mark[p] = 0
    count = 0
    waiting = 0
    n_buyers = book.group.shape[0]
    for b in range(n_buyers):
        if sieve.level[b] < np.inf:
            draw_words(n_quads, keys.default, factor.residual_entity[b], bench.quad_product[t], bench.pair[t])
            mark_buyer(
                n, b, mixed, factor.loading_start, factor.loading_driver, sieve.level, sieve.threshold, sieve.loading,
                driver, largest, bench.tangent[t], word, mark,
            )  # fmt: skip
            count = queue_marked(
                n, count, word, mark, bench.marks[t], bench.group[t], bench.queue_position[t], bench.queue_word[t]
            )
            bench.waiting[t, waiting] = b
            bench.queue_end[t, waiting] = count
            waiting += 1
        if count > bench.near.shape[1] - tile or waiting == bench.waiting.shape[1] or b == n_buyers - 1:
            near_normals(count, bench.queue_word[t], bench.near[t])
            decide(
                first, n_quads, waiting, drivers, mixing, factor, default, sieve, bench.waiting[t], bench.queue_end[t],
                bench.queue_position[t], bench.queue_word[t], bench.near[t],
                events.n_events, events.buyer, events.default_day,
            )  # fmt: skip
            count = 0
            waiting = 0
    book_tile(first, n, first_quad, keys, drivers, factor, rules, sieve, book, rows, events, scratch)


@kernel
def lose_exposures(
    first_quad, keys, drivers, mixing, factor, default, rules, sieve, book, rows, events, scratch, bench
):  # fmt: skip
    """The classic credit portfolio model: every buyer owes its constant exposure until it fails.

    Arguments as in :func:`~simulator.losses.kernels.simulate_ledger`, and the sieve with its working rows; each buyer
    has one pseudo-invoice, money has no currency and no clock. Where a list of events is too short, the rows of its
    scenario are incomplete too, all but ``n_events``.
    """
    for t in prange(bench.word.shape[0]):
        lose_in_tile(
            np.int64(t), first_quad, keys, drivers, mixing, factor, default, rules, sieve, book, rows, events, scratch,
            bench,
        )  # fmt: skip
