"""Histories of exchange rates: read from a CSV file or the ECB's reference rates, turned to study currency per unit.

Two layouts are told apart by their header, and nothing else is guessed:

* headers such as ``EUR per USD``: explicit, any order of dates;
* bare codes: ``date,USD,GBP`` with dates rising is in study currency per unit; ``Date,USD,JPY,…`` with dates
  falling and no EUR column is the ECB's published file, in foreign units per euro.

Anything else (bare codes under ``Date`` with rising dates, say) could be read upside down and is refused.
"""

from __future__ import annotations

import csv
import datetime as dt
import math
import re
from dataclasses import dataclass
from pathlib import Path

import numpy as np

from simulator.errors import InputError, Problem, Problems, display_path
from simulator.fx.ecb import read_ecb
from simulator.ledger.cells import cell_problem
from simulator.ledger.portfolio import Floats
from simulator.study.schema import Study

#: A currency whose last rate is older than this against the date asked for is treated as having none.
STALE_AFTER_DAYS = 31
_PATH = "fx.history"
_CODE = re.compile(r"[A-Z]{3}")
_PAIR = re.compile(r"([A-Z]{3}) per ([A-Z]{3})")
_MISSING = {"", "N/A", "NA", "-"}


@dataclass(frozen=True)
class History:
    """Exchange rates by date, rising.

    Attributes:
        dates: calendar dates up to ``as_of``.
        rates: study currency per unit by code, float64[n_dates]; a date without a rate keeps the last one before.
        age_days: by code, days from its last own rate to ``as_of``; infinite for a code without any.
    """

    dates: list[dt.date]
    rates: dict[str, Floats]
    age_days: dict[str, float]

    def spot(self, code: str) -> float:
        """Last rate of a code, NaN if there is none or it is stale."""
        if self.age_days.get(code, math.inf) > STALE_AFTER_DAYS:
            return math.nan
        return float(self.rates[code][-1])

    def weekly_returns(self, codes: list[str]) -> Floats:
        """Log returns over weeks counted back from the last date, float64[n_weeks, n_codes].

        The history begins where every code has a rate.
        """
        numbers = np.array([day.toordinal() for day in self.dates])
        known = np.array([self.rates[code] for code in codes])
        first = int(np.argmax(np.isfinite(known).all(axis=0)))
        days = np.arange(numbers[-1], numbers[first] - 1, -7)[::-1]
        at = np.searchsorted(numbers, days, side="right") - 1
        return np.asarray(np.diff(np.log(known[:, at]), axis=1).T, dtype=np.float64)


def load_history(study: Study, folder: Path, codes: list[str]) -> History | None:
    """The study's rate history up to its ``as_of``, or ``None`` where it names none.

    Args:
        study: ``fx.history`` is ``ecb`` or a CSV file (UTF-8, commas, decimal points, dates YYYY-MM-DD).
        folder: the study's folder, where the file is looked up.
        codes: currencies wanted (a file's other columns are read too).

    Raises:
        InputError: the file cannot be read or its quotation is not certain; the optional extra is missing.
    """
    source = study.fx.history
    if source is None:
        return None
    as_of = study.study.as_of
    if source == "ecb":
        dates, worth = read_ecb(sorted({study.study.currency, *codes}), as_of)
        shown = "ecb"
    else:
        path = folder / source
        shown = display_path(path)
        dates, worth = _read_file(path, shown, study.study.currency)
    return _restate(dates, worth, study.study.currency, as_of, shown)


def _restate(
    dates: list[dt.date], worth: dict[str, Floats], currency: str, as_of: dt.date, shown: str
) -> History | None:
    """From worth in any common currency to study currency per unit, filled forward, up to ``as_of``."""
    order = [i for i in np.argsort(np.array([d.toordinal() for d in dates])).tolist() if dates[i] <= as_of]
    if not order:
        raise InputError([Problem(f"the rate history has no date up to {as_of}", shown, path=_PATH)])
    if currency not in worth:
        text = f"the rate history says nothing about the study currency {currency}: no column turns its rates into it"
        raise InputError([Problem(text, shown, path=_PATH)])
    kept = [dates[i] for i in order]
    numbers = [day.toordinal() for day in kept]
    filled: dict[str, Floats] = {}
    age: dict[str, float] = {}
    for code, values in worth.items():
        known = np.isfinite(values[order])
        last = np.maximum.accumulate(np.where(known, np.arange(len(order)), -1))
        filled[code] = np.where(last >= 0, values[order][last], np.nan)
        age[code] = float(as_of.toordinal() - numbers[last[-1]]) if known.any() else math.inf
    rates = {code: values / filled[currency] for code, values in filled.items()}
    return History(kept, rates, {code: max(days, age[currency]) for code, days in age.items()})


def _read_file(path: Path, shown: str, currency: str) -> tuple[list[dt.date], dict[str, Floats]]:
    try:
        source = path.read_text(encoding="utf-8-sig").splitlines()
    except (OSError, UnicodeDecodeError) as error:
        reason = "not UTF-8 text" if isinstance(error, UnicodeDecodeError) else (error.strerror or "cannot be read")
        raise InputError([Problem(f"rate history cannot be read: {reason}", shown, path=_PATH)]) from error
    lines = list(csv.reader(source))
    header = [cell.strip() for cell in lines[0]] if lines else []
    columns = [i for i, name in enumerate(header) if i and name]
    if not columns or header[0].casefold() != "date":
        text = "a rate history begins with a header: date, then one currency per column"
        raise InputError([_at_header(text, shown, source, ",".join(header))])
    problems = Problems()
    dates, rows = _read_rows(lines, source, columns, shown, problems)
    if not dates and not problems:
        problems.add(Problem("the rate history has no rows", shown, path=_PATH))
    problems.raise_if_any()
    quoted = {header[i]: np.array([row[k] for row in rows]) for k, i in enumerate(columns)}
    return dates, _worth(quoted, header[0], dates, shown, currency, source)


def _at_header(message: str, shown: str, source: list[str], value: str) -> Problem:
    """A problem of the header as a whole."""
    first = source[0] if source else ""
    return Problem(message, shown, 1, 1 if first else 0, _PATH, value[:60], source=first, width=max(1, len(first)))


def _read_rows(
    lines: list[list[str]], source: list[str], columns: list[int], shown: str, problems: Problems
) -> tuple[list[dt.date], list[list[float]]]:
    header = [cell.strip() for cell in lines[0]]
    dates: list[dt.date] = []
    rows: list[list[float]] = []
    seen: set[dt.date] = set()
    for number, cells in enumerate(lines[1:], start=2):
        if not any(cell.strip() for cell in cells):
            continue
        text = source[number - 1] if len(source) == len(lines) else ""
        try:
            date = dt.date.fromisoformat(cells[0].strip())
        except ValueError:
            problems.add(cell_problem("must be a date written YYYY-MM-DD", shown, number, header[0], cells, 0, text))
            continue
        if date in seen:
            problems.add(cell_problem("this date stands in the file twice", shown, number, header[0], cells, 0, text))
        seen.add(date)
        row = []
        for i in columns:
            rate = _rate(cells[i].strip() if i < len(cells) else "")
            if rate is None:
                message = "must be a positive number, or N/A"
                problems.add(cell_problem(message, shown, number, header[i], cells, i, text))
            row.append(math.nan if rate is None else rate)
        dates.append(date)
        rows.append(row)
    return dates, rows


def _rate(text: str) -> float | None:
    """A rate, NaN where missing, ``None`` where it is not one."""
    if text in _MISSING:
        return math.nan
    try:
        value = float(text)
    except ValueError:
        return None
    return value if math.isfinite(value) and value > 0 else None


def _worth(
    quoted: dict[str, Floats], first: str, dates: list[dt.date], shown: str, currency: str, source: list[str]
) -> dict[str, Floats]:
    """Worth of one unit of each currency in one common currency."""
    pairs = [_PAIR.fullmatch(name) for name in quoted]
    if all(pairs):
        return _worth_of_pairs(quoted, shown, currency, source)
    wrong = [name for name in quoted if not _CODE.fullmatch(name)]
    if wrong:
        text = "a column is a currency code such as USD, or a quotation such as EUR per USD; all columns alike"
        raise InputError([_at_header(text, shown, source, wrong[0])])
    steps = np.diff([day.toordinal() for day in dates])
    ones = np.ones(len(dates))
    if first == "date" and np.all(steps > 0):
        own = quoted.get(currency, ones)
        if np.allclose(own[np.isfinite(own)], 1.0):
            return {**quoted, currency: ones}
    elif first == "Date" and np.all(steps < 0) and "EUR" not in quoted:
        return {"EUR": ones, **{code: 1.0 / values for code, values in quoted.items()}}
    text = (
        f"it is not certain what these rates are quoted in; write each header as a quotation, such as "
        f"{currency} per USD (bare codes: 'date' with rising dates means {currency} per unit, 'Date' with falling "
        f"dates and no EUR column means the ECB's file, units per EUR)"
    )
    raise InputError([_at_header(text, shown, source, ",".join([first, *quoted]))])


def _worth_of_pairs(quoted: dict[str, Floats], shown: str, currency: str, source: list[str]) -> dict[str, Floats]:
    """``A per B``: units of A for one B. One currency must stand in every column; worth is in that one."""
    named = {name: name.split(" per ") for name in quoted}
    shared = set.intersection(*(set(pair) for pair in named.values()))
    if not shared:
        text = "the quotations have no currency in common, so they cannot be compared"
        raise InputError([_at_header(text, shown, source, ", ".join(quoted))])
    base = currency if currency in shared else min(shared)
    worth = {base: np.ones(len(next(iter(quoted.values()))))}
    for name, (price, unit) in named.items():
        code = unit if price == base else price
        worth[code] = quoted[name] if price == base else 1.0 / quoted[name]
    return worth
