"""Marking the random bytes with which a buyer can fail, and bringing them together in a queue.

The bytes of one buyer in a tile of scenarios are compared with the buyer's bound (see :mod:`simulator.losses.sieve`) in
plain loops over plain arrays, of short numbers where that does, which compilers turn into vector instructions.
"""

import numpy as np

from simulator.jit import row, scalar
from simulator.losses.sieve import SIX_BITS

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
