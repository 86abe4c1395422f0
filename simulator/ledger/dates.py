"""Date columns: ISO, dotted, slashed, dashed, named months, SAP's YYYYMMDD, Excel serials, with or without a time.

Dots mean day first. Slashes and dashes with a two-digit start are decided by the column itself (a 26 in the first
place cannot be a month) or by ``portfolio.format.dates``; otherwise that is a problem. Two-digit years 00–68 are
20xx, 69–99 are 19xx.
"""

from __future__ import annotations

import datetime as dt
import re
from dataclasses import dataclass

from simulator.ledger.text_table import Collector, Number, Table
from simulator.ledger.values import clean

#: Excel serials between 1982 and 2063; smaller or larger whole numbers are not dates.
SERIALS = range(30_000, 60_000)
_EXCEL_EPOCH = dt.date(1899, 12, 30)
_TIME = re.compile(r"[T ]+\d{1,2}[:.]\d{2}(?:[:.]\d{2}(?:[.,]\d+)?)?\s*(?:[ap]\.?m\.?|Z|[+-]\d{2}:?\d{2})?$", re.I)
_YEAR_FIRST = re.compile(r"(\d{4})[-/.年](\d{1,2})[-/.月](\d{1,2})日?")
_COMPACT = re.compile(r"(19|20)(\d{2})(\d{2})(\d{2})")
_DOTTED = re.compile(r"(\d{1,2})\.\s?(\d{1,2})\.\s?(\d{4}|\d{2})")
_NUMERIC = re.compile(r"(\d{1,2})([/-])(\d{1,2})\2(\d{4}|\d{2})")
_NAMED = re.compile(r"(\d{1,2})(?:st|nd|rd|th)?\.?[\s/-]*([^\W\d_]{3,10})\.?,?[\s/-]*(\d{4}|\d{2})")
_NAMED_FIRST = re.compile(r"([^\W\d_]{3,10})\.?[\s/-]*(\d{1,2})(?:st|nd|rd|th)?,?[\s/-]+(\d{4}|\d{2})")
_MONTH_NAMES = (
    "jan january januar jän jänner", "feb february februar", "mar march mär märz mrz maerz", "apr april",
    "may mai", "jun june juni", "jul july juli", "aug august", "sep sept september", "oct october okt oktober",
    "nov november", "dec december dez dezember",
)  # fmt: skip
_MONTHS = {name: number for number, names in enumerate(_MONTH_NAMES, 1) for name in names.split()}


@dataclass(frozen=True)
class _Parts:
    first: int
    second: int
    year: int


def parse_dates(table: Table, column: int, name: str, order: str | None, found: Collector) -> list[int | None]:
    """A date column as proleptic day numbers (``date.toordinal``); ``None`` where blank or wrong.

    Args:
        table: the file.
        column: which column.
        name: the field, for messages.
        order: ``portfolio.format.dates``: iso, day_first, month_first or ``None``.
        found: where problems go.
    """
    texts = table.column(column)
    parsed: dict[str, dt.date | _Parts | None] = {text: _parse(text) for text in set(texts) if text}
    day_first = _order(table, column, name, order, texts, parsed, found)
    days = {text: _day(value, day_first) for text, value in parsed.items()}
    result: list[int | None] = [days.get(text) for text in texts]
    if None in days.values():
        bad = {text for text, day in days.items() if day is None}
        for at, text in enumerate(texts):
            if text in bad and not (day_first is None and isinstance(parsed[text], _Parts)):
                found.add(f"{name} is not a date", table.problem(at, column, _why(parsed[text], order), name))
    return result


def _parse(text: str) -> dt.date | _Parts | None:
    """A date, parts whose order is open, or ``None``."""
    plain = _TIME.sub("", clean(text)).strip()
    if match := _YEAR_FIRST.fullmatch(plain):
        return _date(int(match[1]), int(match[2]), int(match[3]))
    if match := _DOTTED.fullmatch(plain):
        return _date(_year(match[3]), int(match[2]), int(match[1]))
    if match := _NUMERIC.fullmatch(plain):
        return _Parts(int(match[1]), int(match[3]), _year(match[4]))
    if match := _COMPACT.fullmatch(plain):
        return _date(int(match[1] + match[2]), int(match[3]), int(match[4]))
    if match := _NAMED.fullmatch(plain):
        month = _MONTHS.get(match[2].casefold())
        return _date(_year(match[3]), month, int(match[1])) if month else None
    if match := _NAMED_FIRST.fullmatch(plain):
        month = _MONTHS.get(match[1].casefold())
        return _date(_year(match[3]), month, int(match[2])) if month else None
    serial = plain.partition(".")[0] if type(text) is Number else plain
    if serial.isascii() and serial.isdigit() and int(serial) in SERIALS:
        return _EXCEL_EPOCH + dt.timedelta(days=int(serial))
    return None


def _year(text: str) -> int:
    return int(text) if len(text) == 4 else int(text) + (2000 if int(text) <= 68 else 1900)


def _date(year: int, month: int, day: int) -> dt.date | None:
    try:
        return dt.date(year, month, day)
    except ValueError:
        return None


def _order(
    table: Table,
    column: int,
    name: str,
    order: str | None,
    texts: list[str],
    parsed: dict[str, dt.date | _Parts | None],
    found: Collector,
) -> bool | None:
    """Whether the day comes first; ``None`` when unknown (a problem has been added) or when nothing depends on it."""
    parts = {text: value for text, value in parsed.items() if isinstance(value, _Parts)}
    if not parts or order in ("day_first", "month_first"):
        return order != "month_first"
    if order == "iso":
        bad = set(parts)
        for at, text in enumerate(texts):
            if text in bad:
                message = "not written YYYY-MM-DD as portfolio.format.dates: iso says"
                found.add(f"{name} is not iso", table.problem(at, column, message, name))
        return None
    day_first = {text for text, value in parts.items() if value.first > 12}
    month_first = {text for text, value in parts.items() if value.second > 12}
    if day_first and month_first:
        one, other = (next(at for at, text in enumerate(texts) if text in some) for some in (day_first, month_first))
        message = f"here the {{}} comes first, in line {{}} the {{}}; one column cannot have both, for {name}"
        late, early = max(one, other), min(one, other)
        words = ("day", "month") if late == one else ("month", "day")
        text = message.format(words[0], table.lines[early], words[1])
        found.add("order of day and month", table.problem(late, column, text, name))
        return None
    if not day_first and not month_first:
        at = next(at for at, text in enumerate(texts) if text in parts)
        message = "day or month first? The column does not tell; set portfolio.format.dates: day_first or month_first"
        found.add("order of day and month", table.problem(at, column, message, name))
        return None
    return bool(day_first)


def _day(value: dt.date | _Parts | None, day_first: bool | None) -> int | None:
    if isinstance(value, _Parts):
        if day_first is None:
            return None
        day, month = (value.first, value.second) if day_first else (value.second, value.first)
        date = _date(value.year, month, day)
    else:
        date = value
    return None if date is None else date.toordinal()


def _why(value: dt.date | _Parts | None, order: str | None) -> str:
    if isinstance(value, _Parts):
        said = f" (portfolio.format.dates: {order})" if order else ""
        return f"no such day in the calendar, read in the order of this column{said}"
    return "not a date; known are 2026-10-30, 30.10.2026, 30/10/2026, 10/30/2026, 30-Oct-26, 20261030, Excel serials"
