"""Normal scores of invoices in numbers of 32 bits: sixteen at a time, exact enough for days.

An invoice's own noise only decides on which day it is paid. An error of 2e-6 in a score moves one payment day in some
hundred thousand or fewer; what decides about defaults, limits and recoveries is drawn to 1e-10
(:func:`simulator.streams.normal`).
"""

import numpy as np

from simulator.constants import TABLE_EDGE, TABLE_PER_UNIT
from simulator.jit import fused, scalar

_0 = np.float32(0.0)
_HALF = np.float32(0.5)
_1 = np.float32(1.0)
_MIDDLE = np.float32(1.5)
_TWO_M32 = np.float32(2.0**-32)
_FRACTION = np.int32((1 << 23) - 1)
_EXPONENT_OF_ONE = np.int32(127 << 23)
_EXPONENT = np.float32(127.0)
#: log₂ m about m = 3/2, exact at both ends of an octave; fits to the whole range, as all below.
_LOG = tuple(
    np.float32(c)
    for c in (
        0.5849628119643573, 0.9617952093925093, -0.32063671959958295, 0.14255045163498872, -0.0705323403590559,
        0.03727257057003729, -0.025303090689313325, 0.01520909043943378,
    )
)  # fmt: skip
#: The quantile by u = √(−log₂ p) − 1: u·numerator/denominator.
_ABOVE = tuple(map(np.float32, (1.737460452066596, 2.200284189432533, 0.7607574363061721, 0.06908638760561464)))
_BELOW = tuple(map(np.float32, (1.0, 1.459509660702336, 0.5895509388385156, 0.05864071240599775)))
#: 2^f for f in [0, 1), and Φ(−x)/exp(−x²/2).
_POWER = tuple(
    np.float32(c)
    for c in (
        1.0, 0.6931517388310195, 0.24015927147714772, 0.0558186758743511, 0.008990995241653118, 0.0018793185758285735,
    )
)  # fmt: skip
_MILLS_ABOVE = tuple(map(np.float32, (0.5, 0.3373082501287029, 0.10588145679611133, 0.013929600913080152)))
_MILLS_BELOW = tuple(
    map(np.float32, (1.0, 1.472497897834533, 0.886681657226123, 0.2649025035909888, 0.03493433487609237))
)
_HALF_LOG2_E = np.float32(-0.7213475204444817)
_FARTHEST = np.float32(9.0)
_PER_UNIT = np.float32(TABLE_PER_UNIT)
_FIRST_PLACE = np.float32(-TABLE_EDGE * TABLE_PER_UNIT)
_LAST_PLACE = np.nextafter(-_FIRST_PLACE, _0)


@scalar
def near_quantile(tail):
    """−Φ⁻¹(tail) for a probability of at most ½, float32 to an absolute error of 2e-6; no branch, no library function.

    As :func:`simulator.streams.inverse_normal`: −log₂ tail is its bits and a polynomial, and a rational function of its
    root is the quantile. Terms are added in pairs, so that fewer of them wait for each other.

    Worked number: near_quantile(0.025) = 1.959964; 0 at ½.
    """
    bits = np.float32(tail).view(np.int32)
    x = np.int32((bits & _FRACTION) | _EXPONENT_OF_ONE).view(np.float32) - _MIDDLE
    x2 = x * x
    log = fused(_LOG[7], x, _LOG[6])
    log = fused(log, x2, fused(_LOG[5], x, _LOG[4]))
    log = fused(log, x2, fused(_LOG[3], x, _LOG[2]))
    log = fused(log, x2, fused(_LOG[1], x, _LOG[0]))
    u = np.sqrt((_EXPONENT - np.float32(np.int32(bits >> np.int32(23)))) - log) - _1
    u2 = u * u
    above = fused(fused(_ABOVE[3], u, _ABOVE[2]), u2, fused(_ABOVE[1], u, _ABOVE[0])) * u
    return above / fused(fused(_BELOW[3], u, _BELOW[2]), u2, fused(_BELOW[1], u, _BELOW[0]))


@scalar
def near_normal(word):
    """Word → standard normal by inversion, float32 to an absolute error of 2e-6 (1.1e-6 within ±3).

    The same uniform as that of :func:`simulator.streams.normal`, taken from the nearer end, so that both tails keep
    their digits.

    Worked numbers: near_normal(4187593114), of 0.975, is 1.959964; near_normal(2**31) = 0.
    """
    signed = np.uint32(word).view(np.int32)
    distance = np.int32(signed ^ np.int32(signed >> np.int32(31)))
    value = near_quantile((np.float32(distance) + _HALF) * _TWO_M32)
    return value if signed < np.int32(0) else -value


@scalar
def near_tail(x):
    """Φ(−|x|), float32 to a relative error of 7e-6 up to 6.5 (1e-6 up to 4); no branch, no library function.

    exp(−x²/2) by bits and a polynomial, times a rational function of |x|. Farther out than 9 it stays what it is there.

    Worked number: near_tail(-1.8911824) = 0.0293.
    """
    distance = min(abs(x), _FARTHEST)
    power = _HALF_LOG2_E * distance * distance
    whole = np.floor(power)
    f = power - whole
    f2 = f * f
    exp = fused(_POWER[5], f, _POWER[4])
    exp = fused(exp, f2, fused(_POWER[3], f, _POWER[2]))
    exp = fused(exp, f2, fused(_POWER[1], f, _POWER[0]))
    scale = np.int32((np.int32(whole) + np.int32(127)) << np.int32(23)).view(np.float32)
    square = distance * distance
    above = fused(_MILLS_ABOVE[3], distance, _MILLS_ABOVE[2])
    above = fused(above, square, fused(_MILLS_ABOVE[1], distance, _MILLS_ABOVE[0]))
    below = fused(_MILLS_BELOW[4], square, fused(_MILLS_BELOW[3], distance, _MILLS_BELOW[2]))
    below = fused(below, square, fused(_MILLS_BELOW[1], distance, _MILLS_BELOW[0]))
    return scale * exp * (above / below)


@scalar
def near_place(z):
    """Where z lies in a table, in steps from its middle, float32; held at both ends. near_place(1) = 256.

    Counted from the middle, the part of a step keeps the digits of a small z.
    """
    return min(max(z * _PER_UNIT, _FIRST_PLACE), _LAST_PLACE)
