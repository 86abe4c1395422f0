"""Plain-Python twins of simulator.streams, written from the papers: Python integers with masks, floats, math."""

import math
from fractions import Fraction

import numpy as np

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


def masked_round(c0, c1, c2, c3, k0, k1):
    product0, product1 = 0xD2511F53 * (int(c0) & MASK), 0xCD9E8D57 * (int(c2) & MASK)
    return (product1 >> 32) ^ int(c1) ^ int(k0), product1, (product0 >> 32) ^ int(c3) ^ int(k1), product0


def words(key, quad, entity, draw):
    return philox4x32(int(quad) & MASK, int(draw) & MASK, int(entity) & MASK, int(entity) >> 32, key[0], key[1])


def uniform(word):
    return (int(word) + 0.5) * 2.0**-32


#: log₂ m about m = 3/2; the quantile by the root of bits; 2^f; and Φ(−x)/exp(−x²/2). Constants come first.
LOG = (
    0.5849625007173075, 0.9617966933001322, -0.32059889647821826, 0.14248846852929786, -0.07124429439460801,
    0.037994713984507066, -0.021107148215545546, 0.012091989055073882, -0.007061576847665097, 0.003979561421588437,
    -0.002359589043534651, 0.0020862995105488573, -0.001312491245760373,
)  # fmt: skip
ROOT = (
    (-3.888004791033644, -54.47814244492987, -78.4353741533502, 56.85704460027694, 67.14763334429317,
     12.353223646135428, 0.4436197939515696),
    (1.0, 22.699634339966313, 75.12197980084076, 58.5055274908493, 10.495784146118899, 0.37675785947187357),
)  # fmt: skip
POWER = (
    0.9999999999999819, 0.6931471805636356, 0.24022650683721666, 0.05550411022170327, 0.009618119032339311,
    0.0013333931649364501, 0.00015395132467231864, 1.536888499035484e-05, 1.2256187474823716e-06,
    1.443517575654012e-07,
)  # fmt: skip
MILLS = (
    (0.4999999999820219, 0.49595017156113214, 0.24040037419564242, 0.06704399117666984, 0.01069325908708902,
     0.0007922326426297708),
    (1.0, 1.7897849002953337, 1.4088425462127045, 0.6292503968531084, 0.17004958650114319, 0.02680366264049494,
     0.0019858391489448665),
)  # fmt: skip


def fused(a, b, c):
    """a·b + c, rounded once, in the type of a."""
    if not isinstance(a, np.float32):
        return float(Fraction(a) * Fraction(b) + Fraction(c))
    # the product is exact in 64 bits, so only a sum halfway between two numbers of 32 bits may be rounded the wrong way
    near = float(a) * float(b) + float(c)
    found = np.float32(near)
    if int(np.float64(near).view(np.int64)) % 2**29 == 2**28:
        exact = Fraction(float(a)) * Fraction(float(b)) + Fraction(float(c))
        sides = [np.nextafter(found, np.float32(side)) for side in (-np.inf, np.inf)]
        found = min([found, *sides], key=lambda x: abs(Fraction(float(x)) - exact))
    return found


def by_pairs(coefficients, x):
    """A polynomial in x² whose coefficients are lines in x; an odd one out comes last."""
    pairs = list(zip(coefficients[::2], coefficients[1::2], strict=False))
    lines = [fused(b, x, a) for a, b in pairs] + list(coefficients[2 * len(pairs) :])
    value = lines.pop()
    while lines:
        value = fused(value, x * x, lines.pop())
    return value


def inverse_normal(p):
    mantissa, exponent = math.frexp(max(min(p, 1.0 - p), 2.0**-64))  # in [½, 1)
    root = math.sqrt(1 - exponent - by_pairs(LOG, 2 * mantissa - 1.5))
    value = by_pairs(ROOT[0], root) / by_pairs(ROOT[1], root)
    return value if p > 0.5 else -value


def normal_tail(x):
    distance = min(abs(x), 9.5)
    power = -0.7213475204444817 * distance * distance
    whole = math.floor(power)
    tail = 2.0**whole * by_pairs(POWER, power - whole) * (by_pairs(MILLS[0], distance) / by_pairs(MILLS[1], distance))
    return tail if x > 0 else 1.0 - tail


def normal(word):
    return inverse_normal(uniform(word))


def place(z):
    return min(max((z + TABLE_EDGE) * TABLE_PER_UNIT, 0.0), math.nextafter(2 * TABLE_EDGE * TABLE_PER_UNIT, 0.0))


def tabulated(table, row, z):
    left = math.floor(place(z))
    return table[row][left] + (place(z) - left) * (table[row][left + 1] - table[row][left])
