"""Plain-Python twins of simulator.streams, written from the papers: Python integers with masks, floats, math."""

import math

MASK = 0xFFFFFFFF
TABLE_EDGE = 6.5
TABLE_PER_UNIT = 256


def philox4x32(c0, c1, c2, c3, k0, k1):
    counter = [int(c0), int(c1), int(c2), int(c3)]
    key = [int(k0), int(k1)]
    for _ in range(10):
        product0 = 0xD2511F53 * counter[0]
        product1 = 0xCD9E8D57 * counter[2]
        counter = [
            (product1 >> 32) ^ counter[1] ^ key[0],
            product1 & MASK,
            (product0 >> 32) ^ counter[3] ^ key[1],
            product0 & MASK,
        ]
        key = [(key[0] + 0x9E3779B9) & MASK, (key[1] + 0xBB67AE85) & MASK]
    return tuple(counter)


def words(key, quad, entity, draw):
    return philox4x32(int(quad) & MASK, int(draw) & MASK, int(entity) & MASK, int(entity) >> 32, key[0], key[1])


def uniform(word):
    return (int(word) + 0.5) * 2.0**-32


CENTRE = (
    (3.387132872796366608, 133.14166789178437745, 1971.5909503065514427, 13731.693765509461125,
     45921.953931549871457, 67265.770927008700853, 33430.575583588128105, 2509.0809287301226727),
    (1.0, 42.313330701600911252, 687.1870074920579083, 5394.1960214247511077, 21213.794301586595867,
     39307.89580009271061, 28729.085735721942674, 5226.495278852545925),
)  # fmt: skip
MIDDLE = (
    (1.42343711074968357734, 4.6303378461565452959, 5.7694972214606914055, 3.64784832476320460504,
     1.27045825245236838258, 0.24178072517745061177, 0.0227238449892691845833, 7.7454501427834140764e-4),
    (1.0, 2.05319162663775882187, 1.6763848301838038494, 0.68976733498510000455, 0.14810397642748007459,
     0.0151986665636164571966, 5.475938084995344946e-4, 1.05075007164441684324e-9),
)  # fmt: skip
FAR = (
    (6.6579046435011037772, 5.4637849111641143699, 1.7848265399172913358, 0.29656057182850489123,
     0.026532189526576123093, 0.0012426609473880784386, 2.71155556874348757815e-5, 2.01033439929228813265e-7),
    (1.0, 0.59983220655588793769, 0.13692988092273580531, 0.0148753612908506148525, 7.868691311456132591e-4,
     1.8463183175100546818e-5, 1.4215117583164458887e-7, 2.04426310338993978564e-15),
)  # fmt: skip


def horner(coefficients, r):
    value = coefficients[-1]
    for c in reversed(coefficients[:-1]):
        value = value * r + c
    return value


def inverse_normal(p):
    q = p - 0.5
    if abs(q) <= 0.425:
        r = 0.180625 - q * q
        return q * horner(CENTRE[0], r) / horner(CENTRE[1], r)
    r = math.sqrt(-math.log(p if q < 0 else 1.0 - p))
    numerator, denominator = MIDDLE if r <= 5 else FAR
    r = r - 1.6 if r <= 5 else r - 5.0
    value = horner(numerator, r) / horner(denominator, r)
    return -value if q < 0 else value


def normal(word):
    return inverse_normal(uniform(word))


def interpolate(table, row, position):
    last = len(table[row]) - 1
    if position <= 0:
        return table[row][0]
    if position >= last:
        return table[row][last]
    left = math.floor(position)
    return table[row][left] + (position - left) * (table[row][left + 1] - table[row][left])


def tabulated(table, row, z):
    return interpolate(table, row, (z + TABLE_EDGE) * TABLE_PER_UNIT)
