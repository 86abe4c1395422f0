"""Numbers as the report writes them: short, with a unit, never more digits than they deserve."""

from __future__ import annotations

import datetime as dt
import math
from collections.abc import Iterable
from dataclasses import dataclass
from unicodedata import category

from simulator.compare.scale import scaled, with_unit
from simulator.measures.columns import HALF_A_CENT
from simulator.measures.digits import ABSENT, DIVISORS, MINUS, SPACE, format_value, scale_of

NONE = ABSENT
THIN = "\N{NARROW NO-BREAK SPACE}"


def short_money(value: float, digits: int = 3) -> str:
    """An amount for an axis or a label, thousands abbreviated, no trailing zeros: 1200000 → ``1.2 M``."""
    if not math.isfinite(value):
        return NONE
    size = abs(value)
    for scale, suffix in ((1e9, "bn"), (1e6, "M"), (1e3, "k")):
        if size >= scale * 0.9995:
            return _signed(_significant(size / scale, digits), value) + THIN + suffix
    return _signed(_significant(size, digits), value)


@dataclass(frozen=True)
class Unit:
    """How the amounts of a table are written: all in one unit (bn, M, k or none), to the same decimal place."""

    scale: str
    places: int

    def write(self, amount: float) -> str:
        """The amount, without the unit: 1200000 in k → ``1,200``."""
        if not math.isfinite(amount):
            return NONE
        size = abs(amount) / DIVISORS[self.scale]
        return "0" if size == 0 else _signed(f"{size:,.{self.places}f}", amount)

    def label(self, amount: float) -> str:
        """The amount with the unit: 1200000 in k → ``1,200 k``."""
        text = self.write(amount)
        return text + THIN + self.scale if self.scale and text.strip("0.") else text

    def named(self, currency: str) -> str:
        """The unit with its currency: ``EUR k``."""
        return f"{currency} {self.scale}".strip()

    def of(self, amounts: Iterable[float]) -> Unit:
        """The same unit, to the decimal place that these amounts deserve."""
        largest = max((abs(a) for a in amounts if math.isfinite(a)), default=0.0) / DIVISORS[self.scale]
        return Unit(self.scale, min(4, max(0, 3 - math.floor(math.log10(largest)))) if largest > 0 else 0)


def unit_for(amounts: Iterable[float]) -> Unit:
    """The unit in which the largest of these amounts has four digits: 4010000 → ``4,010`` k, 42300000 → ``42.30`` M."""
    found = list(amounts)
    largest = max((abs(a) for a in found if math.isfinite(a)), default=0.0)
    scale = scale_of(largest / 10)
    return Unit(scale, 0).of(found)


def full_money(value: float) -> str:
    """An amount in whole units: 1234567.8 → ``1,234,568``."""
    if not math.isfinite(value):
        return NONE
    return _signed(f"{abs(value):,.0f}", value)


def short_percent(value: float, digits: int = 2) -> str:
    """A share as percentage: 0.0125 → ``1.2 %``; at least ``digits`` significant digits, whole numbers from 10 on."""
    if not math.isfinite(value):
        return NONE
    size = abs(value) * 100
    if size == 0:
        return "0" + THIN + "%"
    places = max(0, digits - 1 - math.floor(math.log10(size))) if size < 10 ** (digits - 1) else 0
    text = f"{size:.{min(places, 6)}f}"
    return _signed(text.rstrip("0").rstrip(".") if "." in text else text, value) + THIN + "%"


def least_percent(value: float) -> str:
    """A share in a crowded place: what is below a tenth of a percent says so and no more."""
    return "<0.1" + THIN + "%" if 0 < value < 0.001 else short_percent(value)


def _significant(value: float, digits: int) -> str:
    if value == 0:
        return "0"
    places = max(0, digits - 1 - math.floor(math.log10(value)))
    text = f"{value:.{min(places, 6)}f}"
    return text.rstrip("0").rstrip(".") if "." in text else text


def _signed(text: str, value: float) -> str:
    return MINUS + text if value < 0 and text.strip("0.") else text


_MONTHS = ("Jan", "Feb", "Mar", "Apr", "May", "Jun", "Jul", "Aug", "Sep", "Oct", "Nov", "Dec")


_BIDIRECTIONAL = frozenset("\u202a\u202b\u202c\u202d\u202e\u2066\u2067\u2068\u2069")


def clean(text: str) -> str:
    """The text without characters that have no place in a page: controls, lone surrogates, direction overrides.

    Line breaks and tabs stay.
    """
    if text.isprintable() and _BIDIRECTIONAL.isdisjoint(text):
        return text
    return "".join(c for c in text if c in "\n\t" or (category(c) not in {"Cc", "Cs"} and c not in _BIDIRECTIONAL))


def short_date(date: dt.date) -> str:
    """A date for an axis, the same in every locale: ``6 Nov 26``."""
    return f"{date.day} {_MONTHS[date.month - 1]} {date.year % 100:02d}"


def long_date(date: dt.date) -> str:
    """A date for a sentence: ``6 November`` is spelt ``6 Nov 2026``."""
    return f"{date.day} {_MONTHS[date.month - 1]} {date.year}"


def with_error(
    value: float, error: float, unit: str, *, percent: bool = False, signed: bool = False, scale: str = ""
) -> tuple[str, str]:
    """A value with its unit, and its standard error, to the digits the error deserves: ``("1.23 M", "0.05")``.

    Args:
        value: the estimate.
        error: its standard error; 0 or NaN where it has none.
        unit: ``money``, ``1``, ``day``, ``week`` or ``month``.
        percent: show a unit-1 number as percentage.
        signed: write a plus sign before positive values.
        scale: what an amount is written in: bn, M, k or nothing.
    """
    if unit == "money" and math.isfinite(value):
        text, _, spread = scaled(value, error, scale, signed=signed).partition("±")
        if abs(value) < HALF_A_CENT:  # nothing has no decimal places, whatever its error
            return with_unit("0", scale) if spread else "0", spread.strip()
        return with_unit(text.strip(), scale), spread.strip()
    text, _, spread = format_value(value, error, unit, percent=percent, signed=signed).partition("±")
    spread, _, name = spread.strip().partition(SPACE)
    return with_unit(text.strip(), name), spread
