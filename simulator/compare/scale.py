"""One unit for numbers that are read side by side: nobody compares 3.10 M with 980 k at a glance."""

from __future__ import annotations

import math
from collections.abc import Iterable

from simulator.measures.digits import CENTS, DIVISORS, SPACE, format_value, scale_of

_FINER = {"bn": "M", "M": "k"}
_LEADING = 10.0  # up to this many of the coarser unit, the finer one still reads well: 9,999 k


def common_scale(amounts: Iterable[float], errors: Iterable[float] = ()) -> str:
    """The abbreviation (bn, M, k or none) that all these amounts are written with.

    The largest decides (where all are zero, the largest error); where it is below 10 M and another would begin with
    a zero (0.05 M), all are in thousands. 3.1e6 and 9.8e5 → M; 3.1e6 and 5e4 → k.
    """
    sizes = _sizes(amounts) or _sizes(errors)
    if not sizes:
        return ""
    scale = scale_of(max(sizes))
    divisor = DIVISORS[scale]
    if scale in _FINER and max(sizes) < _LEADING * divisor and min(sizes) < 0.1 * divisor:
        return _FINER[scale]
    return scale


def _sizes(amounts: Iterable[float]) -> list[float]:
    return [size for a in amounts if math.isfinite(a) and (size := round(abs(a), CENTS)) > 0.0]


def scaled(value: float, error: float, scale: str, *, signed: bool = False) -> str:
    """An amount ± its error in a given unit, the unit left out: 980000 ± 30000 in M → ``0.98 ± 0.03``."""
    value, error = round(value, CENTS), round(error, CENTS) if math.isfinite(error) else error
    return format_value(value / DIVISORS[scale], error / DIVISORS[scale], "1", signed=signed)


def with_unit(text: str, scale: str) -> str:
    """A number with its unit behind it."""
    return f"{text}{SPACE}{scale}" if scale else text
