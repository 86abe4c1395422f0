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

from simulator.jit import scalar
from simulator.keys import STREAMS, entity_key, stream_key

__all__ = [
    "STREAMS",
    "TABLE_EDGE",
    "TABLE_PER_UNIT",
    "TABLE_SIZE",
    "entity_key",
    "interpolate",
    "inverse_normal",
    "normal",
    "philox4x32",
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
_TWO_M32 = 2.0**-32


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
def uniform(word):
    """Word → uniform on (2⁻³³, 1 − 2⁻³³), never 0 or 1. uniform(0) = 1.16e-10."""
    return (np.float64(word) + 0.5) * _TWO_M32


@scalar
def inverse_normal(p):
    """Standard normal quantile, Wichura AS 241 (PPND16), relative error 1e-15. inverse_normal(0.975) = 1.959964."""
    q = p - 0.5
    if abs(q) <= 0.425:
        r = 0.180625 - q * q
        num = ((((((2509.0809287301226727 * r + 33430.575583588128105) * r + 67265.770927008700853) * r
               + 45921.953931549871457) * r + 13731.693765509461125) * r + 1971.5909503065514427) * r
               + 133.14166789178437745) * r + 3.387132872796366608  # fmt: skip
        den = ((((((5226.495278852545925 * r + 28729.085735721942674) * r + 39307.89580009271061) * r
               + 21213.794301586595867) * r + 5394.1960214247511077) * r + 687.1870074920579083) * r
               + 42.313330701600911252) * r + 1.0  # fmt: skip
        return q * num / den
    tail = p if q < 0.0 else 1.0 - p
    r = np.sqrt(-np.log(tail))
    if r <= 5.0:
        r -= 1.6
        num = ((((((7.7454501427834140764e-4 * r + 0.0227238449892691845833) * r + 0.24178072517745061177) * r
               + 1.27045825245236838258) * r + 3.64784832476320460504) * r + 5.7694972214606914055) * r
               + 4.6303378461565452959) * r + 1.42343711074968357734  # fmt: skip
        den = ((((((1.05075007164441684324e-9 * r + 5.475938084995344946e-4) * r + 0.0151986665636164571966) * r
               + 0.14810397642748007459) * r + 0.68976733498510000455) * r + 1.6763848301838038494) * r
               + 2.05319162663775882187) * r + 1.0  # fmt: skip
    else:
        r -= 5.0
        num = ((((((2.01033439929228813265e-7 * r + 2.71155556874348757815e-5) * r + 0.0012426609473880784386) * r
               + 0.026532189526576123093) * r + 0.29656057182850489123) * r + 1.7848265399172913358) * r
               + 5.4637849111641143699) * r + 6.6579046435011037772  # fmt: skip
        den = ((((((2.04426310338993978564e-15 * r + 1.4215117583164458887e-7) * r + 1.8463183175100546818e-5) * r
               + 7.868691311456132591e-4) * r + 0.0148753612908506148525) * r + 0.13692988092273580531) * r
               + 0.59983220655588793769) * r + 1.0  # fmt: skip
    value = num / den
    return -value if q < 0.0 else value


@scalar
def normal(word):
    """Word → standard normal by inversion. normal(2**31) = 2.9e-10."""
    return inverse_normal(uniform(word))


@scalar
def interpolate(table, row, position):
    """Linear interpolation in ``table[row]`` at a fractional index, held constant outside the table."""
    last = table.shape[1] - 1
    if position <= 0.0:
        return table[row, 0]
    if position >= last:
        return table[row, last]
    i = int(position)
    return table[row, i] + (position - i) * (table[row, i + 1] - table[row, i])


#: Quantile functions are tabulated over a standard normal argument z: index = (z + TABLE_EDGE) · TABLE_PER_UNIT.
TABLE_EDGE = 6.5
TABLE_PER_UNIT = 256
TABLE_SIZE = int(2 * TABLE_EDGE * TABLE_PER_UNIT) + 1


def table_grid() -> np.ndarray:
    """The z values at which quantile functions are tabulated, float64[TABLE_SIZE]."""
    return np.arange(TABLE_SIZE) / TABLE_PER_UNIT - TABLE_EDGE


@scalar
def tabulated(table, row, z):
    """Value at z of a quantile function tabulated on :func:`table_grid`, linear between knots."""
    return interpolate(table, row, (z + TABLE_EDGE) * TABLE_PER_UNIT)
