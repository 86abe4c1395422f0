"""Keyed random numbers: a draw is a function of (seed, stream, scenario, entity, draw) and nothing else.

Philox4x32-10 (Salmon et al., *Parallel Random Numbers: As Easy as 1, 2, 3*, SC11) turns a 128-bit counter and
a 64-bit key into four 32-bit words. Here

* the key is a hash of the study's seed and the stream's name (:func:`stream_key`),
* the counter is (quad, draw, entity low, entity high), and
* the four words serve the four scenarios ``4·quad … 4·quad + 3`` of that same entity and draw.

So nothing depends on threads, blocks, row order or how many numbers were drawn before, and no word is wasted.
Names of streams and entities, and their hashes, are in :mod:`simulator.keys`.
"""

from __future__ import annotations

import numpy as np

from simulator.constants import TABLE_EDGE, TABLE_PER_UNIT, TABLE_SIZE, table_grid
from simulator.jit import fused, row, scalar
from simulator.keys import STREAMS, entity_key, stream_key

__all__ = [
    "STREAMS",
    "TABLE_EDGE",
    "TABLE_PER_UNIT",
    "TABLE_SIZE",
    "draw_each",
    "draw_words",
    "entity_key",
    "inverse_normal",
    "masked_round",
    "normal",
    "normal_tail",
    "philox4x32",
    "place",
    "stream_key",
    "table_grid",
    "tabulated",
    "uniform",
    "words",
]

_M0 = np.uint64(0xD2511F53)
_M1 = np.uint64(0xCD9E8D57)
_W0 = np.uint32(0x9E3779B9)
_W1 = np.uint32(0xBB67AE85)
_LOW = np.uint64(0xFFFFFFFF)
_32 = np.uint64(32)
_0 = np.uint64(0)
_1 = np.uint64(1)
_2 = np.uint64(2)
_TWO_M32 = 2.0**-32
_W0_64 = np.uint64(0x9E3779B9)
_W1_64 = np.uint64(0xBB67AE85)
_FRACTION = np.int64((1 << 52) - 1)
_EXPONENT_OF_ONE = np.int64(1023 << 52)
_SMALLEST_TAIL = 2.0**-64


@scalar
def philox4x32(c0, c1, c2, c3, k0, k1):
    """Philox4x32-10: four uint32 words from a counter (c0…c3) and a key (k0, k1), all uint32.

    Worked value (Random123 known-answer test): all zero → 6627e8d5 e169c58d bc57ac4c 9b00dbd8.
    """
    for _ in range(10):
        p0 = _M0 * np.uint64(c0)
        p1 = _M1 * np.uint64(c2)
        n0 = np.uint32(np.uint32(p1 >> _32) ^ c1 ^ k0)
        n2 = np.uint32(np.uint32(p0 >> _32) ^ c3 ^ k1)
        c1 = np.uint32(p1 & _LOW)
        c3 = np.uint32(p0 & _LOW)
        c0 = n0
        c2 = n2
        k0 = np.uint32(k0 + _W0)
        k1 = np.uint32(k1 + _W1)
    return c0, c1, c2, c3


@scalar
def words(key, quad, entity, draw):
    """Four random words of (entity, draw), one for each scenario ``4·quad + lane``.

    Args:
        key: uint32[2] from :func:`stream_key`.
        quad: scenario number divided by four.
        entity: uint64 entity key.
        draw: which draw of this entity, from 0.
    """
    entity = np.uint64(entity)
    return philox4x32(
        np.uint32(quad), np.uint32(draw), np.uint32(entity & _LOW), np.uint32(entity >> _32), key[0], key[1]
    )


@scalar
def masked_round(c0, c1, c2, c3, k0, k1):
    """A round of Philox in 64-bit lanes: what is above the lowest 32 bits is noise, cut off before each product.

    Worked number: counter (1, 2, 3, 4) and key (5, 6), all uint64 → 2 ^ 5 ^ (3·CD9E8D57h >> 32) = 5, …
    """
    p0 = _M0 * (c0 & _LOW)
    p1 = _M1 * (c2 & _LOW)
    return (p1 >> _32) ^ c1 ^ k0, p1, (p0 >> _32) ^ c3 ^ k1, p0


@row
def draw_words(first_quad, n_quads, key, entity, draw, pair):
    """Words of (entity, draw) in consecutive quads, the same as :func:`words`, by a loop that is vectorised.

    What the first two rounds do to the entity alone stands outside the loop.

    Args:
        first_quad, n_quads: the quads.
        key, entity, draw: as for :func:`words`.
        pair: uint64[2·n_quads or more], filled with two words each; as uint32 in memory they are the words of
            scenarios ``4·first_quad``, ``4·first_quad + 1``, …
    """
    entity = np.uint64(entity)
    k0 = np.uint64(key[0]) | (np.uint64(key[1]) << _32)
    k1 = (k0 >> _32) | (k0 << _32)
    from_entity = _M1 * (entity & _LOW)
    high = (entity >> _32) ^ (entity << _32) ^ k1
    again = _M0 * (((from_entity >> _32) ^ np.uint64(draw) ^ k0) & _LOW)
    k0 += _W0_64
    k1 += _W1_64
    low_and_key = from_entity ^ k0
    high_and_key = (again >> _32) ^ k1
    k0 += _W0_64
    k1 += _W1_64
    quad = np.uint64(first_quad)
    for q in range(n_quads):
        p0 = _M0 * ((quad + np.uint64(q)) & _LOW)
        p1 = _M1 * (((p0 >> _32) ^ high) & _LOW)
        c0 = (p1 >> _32) ^ low_and_key
        c1 = p1
        c2 = high_and_key ^ p0
        c3 = again
        x0 = k0
        x1 = k1
        for _ in range(7):
            c0, c1, c2, c3 = masked_round(c0, c1, c2, c3, x0, x1)
            x0 = x0 + _W0_64
            x1 = x1 + _W1_64
        c0, c1, c2, c3 = masked_round(c0, c1, c2, c3, x0, x1)
        pair[2 * q] = (c0 & _LOW) | (c1 << _32)
        pair[2 * q + 1] = (c2 & _LOW) | (c3 << _32)


@row
def draw_each(count, quad, key, entity, draw, position, word):
    """One word for each of many pairs of a scenario and an entity, by a loop that is vectorised.

    Args:
        count: number of pairs.
        quad: first quad.
        key, draw: as for :func:`words`.
        entity: entity key of each pair, uint64[count or more].
        position: scenario less ``4·quad`` of each pair, int32[count or more].
        word: uint32[count or more], filled.
    """
    k0 = np.uint64(key[0])
    k1 = np.uint64(key[1])
    first = np.uint64(quad)
    number = np.uint64(draw)
    for k in range(count):
        p = np.uint64(position[k])
        c0 = first + (p >> _2)
        c1 = number
        c2 = entity[k]
        c3 = c2 >> _32
        x0 = k0
        x1 = k1
        for _ in range(10):
            c0, c1, c2, c3 = masked_round(c0, c1, c2, c3, x0, x1)
            x0 = x0 + _W0_64
            x1 = x1 + _W1_64
        low = c0 if p & _1 == _0 else c1
        high = c2 if p & _1 == _0 else c3
        word[k] = np.uint32(low if p & _2 == _0 else high)


@scalar
def uniform(word):
    """Word → uniform on (2⁻³³, 1 − 2⁻³³), never 0 or 1. uniform(0) = 1.16e-10."""
    return (np.float64(word) + 0.5) * _TWO_M32


@scalar
def inverse_normal(p):
    """Standard normal quantile to an absolute error of 1e-10 for p from 2⁻⁶⁴; no branch and no library function.

    With m·2^e the smaller of p and 1 − p, e + log₂ m by a polynomial in m − 3/2 are its bits (error 3e-11), and a
    rational function of their root is the quantile (error 3e-11; least-squares fits over the whole range). A loop over
    it is vectorised.

    Worked numbers: inverse_normal(0.975) = 1.959964; p below 2⁻⁶⁴ counts as 2⁻⁶⁴, −9.12.
    """
    tail = min(p, 1.0 - p)
    tail = max(tail, _SMALLEST_TAIL)
    bits = np.float64(tail).view(np.int64)
    x = np.int64((bits & _FRACTION) | _EXPONENT_OF_ONE).view(np.float64) - 1.5
    x2 = x * x
    log = fused(-0.001312491245760373, x2, fused(0.0020862995105488573, x, -0.002359589043534651))
    log = fused(log, x2, fused(0.003979561421588437, x, -0.007061576847665097))
    log = fused(log, x2, fused(0.012091989055073882, x, -0.021107148215545546))
    log = fused(log, x2, fused(0.037994713984507066, x, -0.07124429439460801))
    log = fused(log, x2, fused(0.14248846852929786, x, -0.32059889647821826))
    log = fused(log, x2, fused(0.9617966933001322, x, 0.5849625007173075))
    t = np.sqrt(np.float64(np.int64(1023) - (bits >> np.int64(52))) - log)
    t2 = t * t
    num = fused(0.4436197939515696, t2, fused(12.353223646135428, t, 67.14763334429317))
    num = fused(num, t2, fused(56.85704460027694, t, -78.4353741533502))
    num = fused(num, t2, fused(-54.47814244492987, t, -3.888004791033644))
    den = fused(0.37675785947187357, t, 10.495784146118899)
    den = fused(den, t2, fused(58.5055274908493, t, 75.12197980084076))
    den = fused(den, t2, fused(22.699634339966313, t, 1.0))
    value = num / den
    return value if p > 0.5 else -value


@scalar
def normal_tail(x):
    """Φ(−x), the probability above x, to a relative error of 1e-10 for |x| ≤ 9.5; no branch and no library function.

    exp(−x²/2) by bits and a polynomial, times a rational function of |x| (least-squares fit).

    Worked number: normal_tail(1.8911824) = 0.0293; farther out than 9.5 it stays what it is there.
    """
    distance = min(abs(x), 9.5)
    power = -0.7213475204444817 * distance * distance
    whole = np.floor(power)
    f = power - whole
    f2 = f * f
    exp = fused(1.443517575654012e-07, f, 1.2256187474823716e-06)
    exp = fused(exp, f2, fused(1.536888499035484e-05, f, 0.00015395132467231864))
    exp = fused(exp, f2, fused(0.0013333931649364501, f, 0.009618119032339311))
    exp = fused(exp, f2, fused(0.05550411022170327, f, 0.24022650683721666))
    exp = fused(exp, f2, fused(0.6931471805636356, f, 0.9999999999999819))
    scale = np.int64((np.int64(whole) + np.int64(1023)) << np.int64(52)).view(np.float64)
    square = distance * distance
    num = fused(0.0007922326426297708, distance, 0.01069325908708902)
    num = fused(num, square, fused(0.06704399117666984, distance, 0.24040037419564242))
    num = fused(num, square, fused(0.49595017156113214, distance, 0.4999999999820219))
    den = fused(0.0019858391489448665, square, fused(0.02680366264049494, distance, 0.17004958650114319))
    den = fused(den, square, fused(0.6292503968531084, distance, 1.4088425462127045))
    den = fused(den, square, fused(1.7897849002953337, distance, 1.0))
    tail = scale * exp * (num / den)
    return tail if x > 0.0 else 1.0 - tail


@scalar
def normal(word):
    """Word → standard normal by inversion. normal(2**31) = 3e-10."""
    return inverse_normal(uniform(word))


#: The last place of a table, just below its last knot.
_LAST_PLACE = float(np.nextafter(TABLE_SIZE - 1.0, 0.0))


@scalar
def place(z):
    """Where z lies in a table, a fractional index; held at both ends. place(0) = 1664."""
    return min(max((z + TABLE_EDGE) * TABLE_PER_UNIT, 0.0), _LAST_PLACE)


@scalar
def tabulated(table, row, z):
    """Value at z of a quantile function tabulated on :func:`table_grid`, linear between knots, constant outside."""
    position = place(z)
    i = int(position)
    return table[row, i] + (position - i) * (table[row, i + 1] - table[row, i])
