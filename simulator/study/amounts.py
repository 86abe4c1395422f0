"""Human amounts: ``250 k``, ``2.5 M``, ``90 %``, ``180 days``, ``52 weeks``, ``30 x premium``.

Each parser takes what YAML gave (a number or a text) and returns a plain value, or raises ``ValueError``
whose text reads on from "must be" (or starts with "must" itself) and says what is allowed. Where what was meant
is plain, the text ends in "; did you mean …". Nothing is guessed: a comma may be a decimal sign or a thousands
sign, so it is refused.
"""

from __future__ import annotations

import calendar
import datetime as dt
import math
import re
from dataclasses import dataclass
from typing import Annotated, Any

from pydantic import BeforeValidator, GetCoreSchemaHandler, PlainSerializer, WithJsonSchema
from pydantic_core import CoreSchema, core_schema

from simulator.errors import closest

_NUMBER = r"([+-]?\d+(?:[ _]?\d{3})*(?:\.\d+)?(?:[eE][+-]?\d+)?)"
_MULTIPLES = {"": 1.0, "k": 1e3, "m": 1e6, "mn": 1e6, "bn": 1e9, "b": 1e9}
_UNIT_DAYS = {"day": 1, "week": 7}
_UNITS = ("day", "week", "month", "year")


_MONEY = "an amount of money, such as 250 k, 2.5 M or 250000"
_SHARE = "a number or a percentage, such as 0.9 or 90 %"
_FRACTION = "a fraction from 0 to 1, or a percentage with its sign"
_LENGTH = "a length of time in whole days, weeks, months or years, such as 180 days or 26 weeks"
_COUNT = "a whole number, such as 100000 or 100 k"
_MAX_DAYS = 36_500
_MAX_MONEY = 1e15  # beyond it a float64 no longer holds every cent


def _plain(text: str) -> float:
    return float(text.replace(" ", "").replace("_", ""))


def _commas(value: Any) -> str:
    """What to add when a number was written with a comma."""
    text = str(value)
    return "; without commas, which could mark thousands or decimals" if re.search(r"\d,\d", text) else ""


def _finite(value: float) -> float:
    if not math.isfinite(value):
        raise ValueError("must be a finite number")
    return value


def _affordable(value: float) -> float:
    if _MAX_MONEY <= abs(value) < math.inf:
        raise ValueError("must have at most 15 digits before the decimal point")
    return _finite(float(value))


def parse_money(value: Any) -> float:
    """An amount in study currency: a number, or text such as ``250 k``, ``2.5 M``, ``1.2 bn``; below 1e15."""
    if isinstance(value, bool):
        raise ValueError(_MONEY)
    if isinstance(value, int | float):
        return _affordable(value)
    match = re.fullmatch(_NUMBER + r"\s*([a-zA-Z]*)", str(value).strip())
    if not match or match[2].casefold() not in _MULTIPLES:
        raise ValueError(_MONEY + _commas(value))
    return _affordable(_plain(match[1]) * _MULTIPLES[match[2].casefold()])


def parse_positive_money(value: Any) -> float:
    """An amount that may not be negative."""
    amount = parse_money(value)
    if amount < 0:
        raise ValueError("must not be negative")
    return amount


def parse_share(value: Any) -> float:
    """A number, or a percentage with its sign: ``0.9`` or ``90 %`` → 0.9. Any sign, any size."""
    if isinstance(value, bool):
        raise ValueError(_SHARE)
    if isinstance(value, int | float):
        return _finite(float(value))
    match = re.fullmatch(_NUMBER + r"\s*(%|‰)?", str(value).strip())
    if not match:
        raise ValueError(_SHARE + _commas(value))
    return _finite(_plain(match[1]) / {"%": 100.0, "‰": 1000.0, None: 1.0}[match[2]])


def parse_fraction(value: Any) -> float:
    """A share between 0 and 1: ``0.9`` or ``90 %``. A bare 90 is refused, not guessed."""
    try:
        share = parse_share(value)
    except ValueError as error:
        text = str(error)
        raise ValueError(text if text.startswith("must") else text.replace(_SHARE, _FRACTION)) from error
    if not 0.0 <= share <= 1.0:
        # from 2 on a sign is missing; 1.2 may be 120 % as well, which is too much
        hint = f"; did you mean {share:g} %" if 2.0 <= share <= 100.0 and not re.search("[%‰]", str(value)) else ""
        raise ValueError(_FRACTION + hint)
    return share


@dataclass(frozen=True)
class Duration:
    """A length of time as the user wrote it; months and years follow the calendar."""

    count: int
    unit: str

    @property
    def days(self) -> int:
        """Length in days; a month counts 30 and a year 365 days where no start date is known."""
        return self.count * {"day": 1, "week": 7, "month": 30, "year": 365}[self.unit]

    def days_from(self, start: dt.date) -> int:
        """Exact length in days when it starts at a given date."""
        if self.unit in _UNIT_DAYS:
            return self.count * _UNIT_DAYS[self.unit]
        months = self.count * (12 if self.unit == "year" else 1)
        year, month = divmod(start.year * 12 + start.month - 1 + months, 12)
        day = min(start.day, calendar.monthrange(year, month + 1)[1])
        return (dt.date(year, month + 1, day) - start).days

    def __str__(self) -> str:
        return f"{self.count} {self.unit}{'' if self.count == 1 else 's'}"


def parse_duration(value: Any) -> Duration:
    """``180 days``, ``26 weeks``, ``6 months``, ``1 year``; a bare whole number means days."""
    if isinstance(value, Duration):
        return value
    if isinstance(value, float) and value.is_integer():
        value = int(value)
    if isinstance(value, int) and not isinstance(value, bool):
        return _bounded(Duration(value, "day"))
    match = re.fullmatch(r"([+-]?\d{1,9})\s*([a-z]+)", str(value).strip().casefold())
    unit = match[2].removesuffix("s") if match else ""
    if not match or unit not in _UNITS:
        near = re.fullmatch(r"(\d{1,9})\s*(d|w|m|mo|y|yr)s?", str(value).strip().casefold())
        meant = {"d": "day", "w": "week", "m": "month", "mo": "month", "y": "year", "yr": "year"}
        raise ValueError(_LENGTH + (f"; did you mean {Duration(int(near[1]), meant[near[2]])}" if near else ""))
    return _bounded(Duration(int(match[1]), unit))


def _bounded(length: Duration) -> Duration:
    if length.count < 0:
        raise ValueError("must not be negative")
    if length.days > _MAX_DAYS:
        raise ValueError("must not be longer than 100 years")
    return length


def parse_signed_days(value: Any) -> int:
    """A number of days, earlier if negative: ``15 days``, ``-3 days``, ``2 weeks``."""
    if isinstance(value, bool):
        raise ValueError("a number of days, such as 15 days or -3 days")
    text = str(value).strip()
    sign = -1 if text.startswith("-") else 1
    text = re.sub(r"^[+-]\s*(?=\d)", "", text)
    try:
        length = parse_duration(int(float(text)) if re.fullmatch(r"\d{1,9}(\.0*)?", text) else text)
    except ValueError as error:
        text = str(error).replace(_LENGTH, "a whole number of days, such as 15 days, -3 days or 2 weeks")
        raise ValueError(text) from error
    return sign * length.days


@dataclass(frozen=True)
class Multiple:
    """A multiple of what the study knows: ``30 x premium``, ``40 x minimum premium``, ``1.5 x operating costs``."""

    factor: float
    base: str = "premium"

    def __str__(self) -> str:
        short = f"{self.factor:g}"
        return f"{short if float(short) == self.factor else repr(self.factor)} x {self.base}"


#: What a maximum liability may be a multiple of: the expected premium of the year, its minimum, what is really paid.
PREMIUM_BASES = ("premium", "minimum premium", "premium paid")
#: What a reserve may be a multiple of: a month's operating costs.
RESERVE_BASES = ("operating costs",)


def parse_liability(value: Any) -> float | Multiple:
    """An amount of money, or a multiple of premium: ``5 M``, ``30 x premium``, ``40 x minimum premium``.

    ``30 x paid premium`` says what ``30 x premium paid`` does.
    """
    if isinstance(value, str):
        value = re.sub(r"\bpaid\s+premium\s*$", "premium paid", value)
    return _multiple(value, PREMIUM_BASES, "30 x premium", r"(?:the\s*)?premiums?")


def parse_reserve(value: Any) -> float | Multiple:
    """An amount of money, or a multiple of a month's operating costs: ``500 k``, ``1.5 x operating costs``."""
    return _multiple(value, RESERVE_BASES, "1.5 x operating costs", r"(?:monthly\s*)?(?:operating\s*)?costs?")


def _multiple(value: Any, bases: tuple[str, ...], example: str, nearly: str) -> float | Multiple:
    if isinstance(value, Multiple):
        return value
    match = re.fullmatch(_NUMBER + rf"\s*[x×]\s*({'|'.join(bases)})", " ".join(str(value).split()))
    if match:
        factor = _finite(_plain(match[1]))
        if factor <= 0:
            raise ValueError("must be a multiple above 0")
        return Multiple(factor, match[2])
    try:
        return parse_positive_money(value)
    except ValueError as error:
        text = str(error)
        if text.startswith("must"):
            raise
        near = re.fullmatch(_NUMBER + r"\s*(?:[x×*]|times)?\s*(.*)", " ".join(str(value).split()).casefold())
        base = closest(near[2], bases) or (bases[0] if re.fullmatch(f"({nearly})?", near[2]) else "") if near else ""
        hint = f"; did you mean {near[1]} x {base}" if near and base else ""
        raise ValueError(f"an amount of money, or a multiple such as {example}{hint}") from error


def parse_count(value: Any) -> int:
    """A whole number: ``100000``, ``100 k``, ``1 M``."""
    try:
        number = parse_money(value)
    except ValueError as error:
        text = str(error)
        raise ValueError(text.replace(_MONEY, _COUNT)) from error
    if number != int(number) or number < 0:
        raise ValueError(_COUNT)
    return int(number)


def parse_date(value: Any) -> dt.date:
    """A calendar date written ``YYYY-MM-DD``."""
    if isinstance(value, dt.datetime):
        return value.date()
    if isinstance(value, dt.date):
        return value
    try:
        text = str(value).strip()
        if not re.fullmatch(r"\d{4}-\d{2}-\d{2}", text):
            raise ValueError("another form")
        return dt.date.fromisoformat(text)
    except ValueError as error:
        exists = "" if str(error) == "another form" else f"; {text} does not exist"
        raise ValueError(f"a date written YYYY-MM-DD, such as 2026-10-30{exists}") from error


def parse_moment(value: Any) -> dt.date | Duration:
    """A day: a date, or a length of time from the ledger's date, such as ``10 weeks`` or ``70 days``."""
    if isinstance(value, Duration):
        return value
    text = str(value).strip()
    if isinstance(value, dt.date) or re.fullmatch(r"\d{4}-\d{2}-\d{2}", text):
        return parse_date(value)
    try:
        return parse_duration(value)
    except ValueError:
        near = re.fullmatch(r"(day|week|month|year)s?\s*(\d{1,9})", text.casefold())
        hint = f"; did you mean {Duration(int(near[2]), near[1])}" if near else ""
        message = f"a date such as 2027-01-08, or a time from the ledger's date such as 10 weeks{hint}"
        raise ValueError(message) from None


def _text(schema_title: str) -> WithJsonSchema:
    return WithJsonSchema({"type": ["string", "number"], "title": schema_title})


class _Made:
    """Marks what a parser makes: nothing in it is left to check, and its source need not be read for every field."""

    @staticmethod
    def __get_pydantic_core_schema__(source: Any, _handler: GetCoreSchemaHandler) -> CoreSchema:
        return core_schema.is_instance_schema(source)


_Duration = Annotated[Duration, _Made]
_Multiple = Annotated[Multiple, _Made]

Money = Annotated[float, BeforeValidator(parse_money), _text("amount of money, such as 250 k")]
PositiveMoney = Annotated[float, BeforeValidator(parse_positive_money), _text("amount of money ≥ 0, such as 250 k")]
Share = Annotated[float, BeforeValidator(parse_share), _text("number or percentage, such as 12 %")]
Fraction = Annotated[float, BeforeValidator(parse_fraction), _text("fraction in [0, 1], such as 90 %")]
Length = Annotated[
    _Duration, BeforeValidator(parse_duration), PlainSerializer(str), _text("length of time, such as 180 days")
]
Days = Annotated[int, BeforeValidator(parse_signed_days), _text("days, may be negative, such as 15 days")]
Liability = Annotated[
    float | _Multiple,
    BeforeValidator(parse_liability),
    PlainSerializer(lambda v: str(v) if isinstance(v, Multiple) else v),
    _text("amount of money, or a multiple such as 30 x premium"),
]
Reserve = Annotated[
    float | _Multiple,
    BeforeValidator(parse_reserve),
    PlainSerializer(lambda v: str(v) if isinstance(v, Multiple) else v),
    _text("amount of money, or a multiple such as 1.5 x operating costs"),
]
Moment = Annotated[
    dt.date | _Duration,
    BeforeValidator(parse_moment),
    PlainSerializer(str),
    _text("date, or time from the ledger's date such as 10 weeks"),
]
Count = Annotated[int, BeforeValidator(parse_count), _text("whole number, such as 100 k")]
Day = Annotated[dt.date, BeforeValidator(parse_date), WithJsonSchema({"type": "string", "format": "date"})]
