"""A file of limits: several per buyer, each with the days it holds, its currency and its insured percentage.

Nothing here needs compiled code, so ``simulator check`` can use it.
"""

from __future__ import annotations

import datetime as dt
import math
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any, NamedTuple

from simulator.errors import Problem, Problems, closest, display_path
from simulator.ledger.codes import currency_code, likely_currency
from simulator.ledger.portfolio import Portfolio
from simulator.ledger.reading import read_table
from simulator.ledger.text_table import Collector, Table
from simulator.ledger.values import parse_flag
from simulator.study.amounts import parse_date, parse_fraction, parse_positive_money
from simulator.study.schema import FileFormat

COLUMNS = ("buyer_id", "limit", "from", "to", "currency", "insured_percentage", "cancellable")
NEEDED = ("buyer_id", "limit")


class NamedLimit(NamedTuple):
    """One line of the file.

    ``first`` and ``last`` day it holds are None where open, ``currency`` is empty and ``percentage`` NaN where blank.
    """

    buyer: int
    limit: float
    first: dt.date | None
    last: dt.date | None
    currency: str
    percentage: float
    cancellable: bool
    line: int


def read_limits(path: Path, portfolio: Portfolio, form: FileFormat, problems: Problems) -> list[NamedLimit]:
    """The limits of a file, by buyer and first day; what is wrong with it goes to the problems.

    The file is CSV or Excel with a header and at least the columns ``buyer_id`` and ``limit``: an amount such as
    250000 or 250 k, ``unlimited``, or 0 for no cover. ``from`` and ``to`` are the first and last day (YYYY-MM-DD);
    a later line of a buyer replaces an earlier one from its first day on.

    Args:
        path: the file.
        portfolio: its buyers.
        form: how the study's files are written.
        problems: where problems go.
    """
    found = Collector(problems)
    table = read_table(path, display_path(path), form, _recognised, found)
    rows: list[NamedLimit] = []
    if table is not None:
        column = {cell.strip().casefold(): at for at, cell in reversed(list(enumerate(table.header)))}
        if _complete(table, column, found):
            index = {buyer: at for at, buyer in enumerate(portfolio.buyers.buyer_id)}
            rows = [one for row in range(len(table)) if (one := _line(table, row, column, index, found)) is not None]
            rows.sort(key=lambda one: (one.buyer, one.first or dt.date.min))
            _check_days(table, column, rows, found)
    found.finish()
    return rows


def _recognised(row: Sequence[str]) -> int:
    return sum(cell.strip().casefold() in COLUMNS for cell in row)


def _complete(table: Table, column: dict[str, int], found: Collector) -> bool:
    missing = [name for name in NEEDED if name not in column]
    for name in missing:
        message = f"a file of limits needs the columns buyer_id and limit; {name} is missing"
        found.add("missing column", table.problem(-1, -1, message, name, closest(name, column)))
    for name, at in column.items():
        if name and name not in COLUMNS:
            message = f"not a column of a file of limits, which may have {', '.join(COLUMNS)}"
            found.add("unknown column", table.problem(-1, at, message, suggestion=closest(name, COLUMNS)))
    return not missing


def _line(table: Table, row: int, column: dict[str, int], index: dict[str, int], found: Collector) -> NamedLimit | None:
    before = len(found)

    def cell(name: str, parse: Callable[[str], Any], blank: Any) -> Any:
        """The value of a cell, ``blank`` where it is empty or (with a problem) unusable."""
        text = str(table.column(column[name])[row]) if name in column else ""
        if not text:
            return blank
        try:
            return parse(text)
        except ValueError as error:
            message = str(error)
            message = message if message.startswith(("must", "not ")) else f"must be {message}"
            found.add(name, table.problem(row, column[name], message, name))
            return blank

    buyer_id = str(table.column(column["buyer_id"])[row])
    buyer = index.get(buyer_id, -1)
    if buyer < 0:
        near = closest(buyer_id, index)
        found.add("buyer", table.problem(row, column["buyer_id"], "no buyer has this buyer_id", "buyer_id", near))
    if not str(table.column(column["limit"])[row]):
        message = "a limit is missing: give an amount, 0 for no cover, or unlimited"
        found.add("limit", table.problem(row, column["limit"], message, "limit"))
    first, last = cell("from", parse_date, None), cell("to", parse_date, None)
    if first is not None and last is not None and last < first:
        found.add("to", table.problem(row, column["to"], f"lies before the limit's first day, {first}", "to"))
    limit = NamedLimit(
        buyer,
        cell("limit", _limit, 0.0),
        first,
        last,
        cell("currency", _currency, ""),
        cell("insured_percentage", parse_fraction, math.nan),
        cell("cancellable", _flag, True),
        row,
    )
    return limit if len(found) == before else None


def _limit(text: str) -> float:
    return math.inf if text.casefold() == "unlimited" else parse_positive_money(text)


def _currency(text: str) -> str:
    code = currency_code(text)
    if not code:
        near = likely_currency(text)
        raise ValueError("not an ISO 4217 currency code" + (f"; did you mean {near}" if near else ""))
    return code


def _flag(text: str) -> bool:
    flag = parse_flag(text)
    if flag is None:
        raise ValueError("yes or no")
    return flag


def _check_days(table: Table, column: dict[str, int], rows: list[NamedLimit], found: Collector) -> None:
    """One buyer's limits begin on different days."""
    seen: dict[tuple[int, dt.date | None], NamedLimit] = {}
    for one in rows:
        key = one.buyer, one.first
        if key in seen:
            message = f"line {table.lines[seen[key].line]} has a limit of this buyer from the same day"
            at = column.get("from", column["buyer_id"])
            found.add("same day", table.problem(one.line, at, message, "from" if "from" in column else "buyer_id"))
        seen.setdefault(key, one)


def problem_of_rate(path: str, code: str) -> Problem:
    """A limit in a currency for which there is no rate."""
    message = f"has limits in {code}, for which there is no rate: give fx.rates.{code}"
    return Problem(message, path=path)
