"""Numbers with the digits their error deserves: ``1.234 ± 0.012 M``, ``5.6 ± 0.4 %``, ``week 36 ± 1``.

The error is rounded to one significant digit, to two where it begins with 1 (rounding 0.14 to 0.1 would change it
by a third), and the value to the same decimal place.
"""

from __future__ import annotations

import math

from simulator.measures.estimate import Estimate

SCALES = ((1e9, "bn"), (1e6, "M"), (1e4, "k"))
DIVISORS = {"bn": 1e9, "M": 1e6, "k": 1e3, "": 1.0}
ABSENT = "–"
MINUS = "−"
SPACE = "\N{NO-BREAK SPACE}"
EXACT_DIGITS = 4
CENTS = 2
NOISE = 1e-12  # a relative error this small is rounding of equal numbers, not sampling
PERCENT_SUFFIXES = ("_probability", "_ratio", "_probability_difference")


def decimals(error: float) -> int:
    """Decimal places for a value with this error, negative for tens and hundreds. 0.012 → 3, 0.03 → 2, 140 → −1."""
    exponent = math.floor(math.log10(error))
    return -exponent + (1 if error / 10.0**exponent < 1.95 else 0)


def is_percentage(measure: str) -> bool:
    """Whether a measure of unit 1 reads as a percentage (probabilities and ratios do, counts do not)."""
    return measure.endswith(PERCENT_SUFFIXES)


def format_estimate(
    estimate: Estimate, *, percent: bool = False, signed: bool = False, unit: bool = True, currency: str = ""
) -> str:
    """An estimate as text, value ± standard error.

    Args:
        estimate: what is shown; its unit decides the form.
        percent: show a unit-1 number as percentage.
        signed: write a plus sign before positive values, for differences (of percentages: in points, pp).
        unit: whether the currency is written behind the amount.
        currency: study currency, for amounts.
    """
    return format_value(
        estimate.value, estimate.standard_error, estimate.unit,
        percent=percent, signed=signed, currency=currency if unit else "",
    )  # fmt: skip


def format_value(
    value: float, error: float, unit: str = "money", *, percent: bool = False, signed: bool = False, currency: str = ""
) -> str:
    """A value with its error as text; see :func:`format_estimate`. An error of zero or NaN is not written."""
    if not math.isfinite(value):
        return ABSENT
    if unit in ("week", "month", "period"):
        return f"{unit}{SPACE}" + _pair(value, error, 1.0, "", signed, at_most=0)
    if unit == "day":
        return _pair(value, error, 1.0, "days", signed)
    if unit == "1":
        if percent:
            return _pair(value, error, 0.01, "pp" if signed else "%", signed)
        return _pair(value, error, 1.0, "", signed)
    value, error = round(value, CENTS), round(error, CENTS)  # what lies below a cent is rounding noise
    scale = scale_of(max(abs(value), error if math.isfinite(error) else 0.0))
    return _pair(value, error, DIVISORS[scale], f"{scale} {currency}".strip(), signed)


def scale_of(size: float) -> str:
    """The abbreviation an amount of this size is written with: bn, M, k or none."""
    return next((name for least, name in SCALES if size >= least * 0.9995), "")


def _pair(value: float, error: float, divisor: float, suffix: str, signed: bool, at_most: int = 12) -> str:
    if error < NOISE * abs(value):
        error = 0.0
    value, error = value / divisor, error / divisor
    tail = suffix.replace(" ", SPACE)
    if math.isfinite(error) and error > 0.0:
        places = min(decimals(error), at_most)
        shown = max(0, places)
        text = f"{_number(value, places, signed)} ±{SPACE}{round(error, places):,.{shown}f}"
    else:
        places = EXACT_DIGITS - 1 - math.floor(math.log10(abs(value))) if value else 0
        text = _number(value, min(max(places, 0), at_most), signed)
        if "." in text:
            text = text.rstrip("0").rstrip(".")
    return f"{text}{SPACE}{tail}" if tail else text


def _number(value: float, places: int, signed: bool) -> str:
    rounded = round(value, places)
    text = f"{abs(rounded):,.{max(0, places)}f}"
    if rounded < 0:
        return MINUS + text
    return "+" + text if signed and rounded > 0 else text
