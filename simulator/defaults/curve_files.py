"""Cumulative PD curves: read from CSV, checked, and turned into cumulative hazards by day.

A curve is a list of knots (time, cumulative PD). Between knots the *logarithm of survival* is linear in days, that
is, the hazard is constant from knot to knot; before the first knot it starts at 0 on day 0; beyond the last knot
the hazard of the last stretch goes on. A year has 365 days here, a month a twelfth of that.
"""

from __future__ import annotations

import csv
import io
import re
from itertools import pairwise
from pathlib import Path
from typing import NamedTuple

import numpy as np

from simulator.errors import Problem, Problems, closest
from simulator.ledger.portfolio import Floats
from simulator.study.amounts import parse_fraction
from simulator.study.calendar import DAYS_PER_YEAR

#: A number as spreadsheets write it, .4 and 4E-03 included; all else is read as the study file would be.
_PLAIN_NUMBER = re.compile(r"[+-]?(?:\d+\.?\d*|\.\d+)(?:[eE][+-]?\d+)?", re.ASCII)
TABLE_FOLDER = Path(__file__).parent / "tables"

#: Cumulative hazard that stands for a PD of 1: the survival exp(-40) vanishes beside 1 in double precision.
CERTAIN_HAZARD = 40.0


class Curve(NamedTuple):
    """Cumulative hazard by day.

    Attributes:
        day: knots in ascending order, the first is 0.
        hazard: cumulative hazard −log(1 − PD) at the knots, the first is 0.
    """

    day: Floats
    hazard: Floats


class _Field(NamedTuple):
    """One cell of a CSV file and where it stands."""

    text: str
    line: int
    column: int
    source: str


def cumulative_hazard(pd: Floats) -> Floats:
    """−log(1 − PD), :data:`CERTAIN_HAZARD` for a PD of 1.

    Worked number: cumulative_hazard(0.0293) = 0.029738.
    """
    with np.errstate(divide="ignore"):
        return np.minimum(-np.log1p(-np.asarray(pd, dtype=np.float64)), CERTAIN_HAZARD)


def hazard_on(curve: Curve, days: Floats) -> Floats:
    """Cumulative hazard on each day: linear between knots, the last slope beyond the last knot."""
    inside = np.interp(days, curve.day, curve.hazard)
    slope = (curve.hazard[-1] - curve.hazard[-2]) / (curve.day[-1] - curve.day[-2])
    beyond = np.maximum(np.asarray(days, dtype=np.float64) - curve.day[-1], 0.0)
    return np.asarray(inside + slope * beyond, dtype=np.float64)


def rating_curves(table: str, folder: Path, problems: Problems) -> dict[str, Curve]:
    """Curves of a rating table: a shipped one by name, or a CSV file with rating, year, cumulative_pd.

    Args:
        table: ``credit.pd.table``.
        folder: the study's folder, which a file name is relative to.
        problems: where mistakes are added.
    """
    shipped = {path.stem: path for path in sorted(TABLE_FOLDER.glob("*.csv"))}
    file = shipped.get(table, folder / table)
    if not file.is_file():
        text = f"neither a shipped rating table ({', '.join(shipped)}) nor a file in the study's folder"
        problems.add(Problem(text, path="credit.pd.table", value=table, suggestion=closest(table, shipped)))
        return {}
    return _read(file, table, ("rating",), "year", DAYS_PER_YEAR, problems)[1]


def file_curves(name: str | None, folder: Path, problems: Problems) -> tuple[str, dict[str, Curve]]:
    """Curves of a file with buyer_id or grade, month, cumulative_pd.

    Returns:
        The key column found (``buyer_id`` or ``grade``), and the curves by its values.
    """
    if name is None or not (folder / name).is_file():
        wrong = "give a curve file with buyer_id or grade, month, cumulative_pd" if name is None else "no such file"
        problems.add(Problem(wrong, path="credit.pd.file", value=name))
        return "grade", {}
    return _read(folder / name, name, ("buyer_id", "grade"), "month", DAYS_PER_YEAR / 12.0, problems)


def find(key: str, curves: dict[str, Curve]) -> str | None:
    """The curve a rating or grade means: the same spelling, or else the only one that differs in case alone."""
    key = key.strip()
    if key in curves:
        return key
    same = [known for known in curves if known.casefold() == key.casefold()]
    return same[0] if len(same) == 1 else None


def _read(
    file: Path, shown: str, keys: tuple[str, ...], time: str, days_per_unit: float, problems: Problems
) -> tuple[str, dict[str, Curve]]:
    rows = _rows(file, shown, problems)
    if not rows:
        return keys[0], {}
    header = {field.text.casefold(): i for i, field in enumerate(rows[0])}
    present = [key for key in keys if key in header]
    missing = [column for column in (time, "cumulative_pd") if column not in header]
    if len(present) != 1:
        missing.insert(0, " or ".join(keys))
    if missing:
        found = ", ".join(field.text for field in rows[0])
        text = f"needs the columns {', '.join(missing)}; it has {found}"
        if len(present) > 1:
            text = f"needs one of the columns {' and '.join(keys)}, not both"
        first = rows[0][0]
        problems.add(Problem(text, file=shown, line=first.line, column=1, source=first.source))
        return keys[0], {}
    key = present[0]
    knots: dict[str, list[tuple[float, float, _Field]]] = {}
    before = len(problems)
    for row in rows[1:]:
        if len(row) < len(rows[0]):
            problems.add(_at(row[-1], f"{len(row)} columns where the header has {len(rows[0])}", shown, ""))
            continue
        name, when, pd = row[header[key]], row[header[time]], row[header["cumulative_pd"]]
        if not name.text:
            problems.add(_at(name, f"{key} is blank", shown, key))
            continue
        months = _number(when, time, shown, problems)
        value = _fraction(pd, shown, problems)
        if months is not None and value is not None:
            knots.setdefault(name.text, []).append((months * days_per_unit, value, pd))
    for name_text, listed in knots.items():
        _check_order(name_text, listed, shown, problems)
    if len(problems) > before:
        return key, {}
    return key, {name_text: _curve(listed) for name_text, listed in knots.items()}


def _rows(file: Path, shown: str, problems: Problems) -> list[list[_Field]]:
    """All non-empty lines as fields with their places; the delimiter is the one the header uses most."""
    try:
        text = file.read_text(encoding="utf-8-sig")
    except (OSError, UnicodeDecodeError) as error:
        reason = "it is not UTF-8 text" if isinstance(error, UnicodeDecodeError) else str(error.strerror)
        problems.add(Problem(f"cannot be read: {reason}", file=shown))
        return []
    lines = text.splitlines()
    delimiter = max(",;\t", key=(lines[0] if lines else "").count)
    rows: list[list[_Field]] = []
    for number, line in enumerate(lines, start=1):
        if not line.strip():
            continue
        cells = next(csv.reader(io.StringIO(line), delimiter=delimiter))
        plain = '"' not in line
        column, row = 1, []
        for cell in cells:
            lead = len(cell) - len(cell.lstrip())
            row.append(_Field(cell.strip(), number, column + lead if plain else 0, line))
            column += len(cell) + 1
        rows.append(row)
    if len(rows) < 2:
        problems.add(Problem("has no rows below its header" if rows else "is empty", file=shown))
        return []
    return rows


def _at(field: _Field, message: str, shown: str, path: str) -> Problem:
    return Problem(
        message, file=shown, line=field.line, column=field.column, path=path, value=field.text or None,
        source=field.source, width=max(1, len(field.text)),
    )  # fmt: skip


def _number(field: _Field, column: str, shown: str, problems: Problems) -> float | None:
    try:
        value = float(field.text)
    except ValueError:
        value = np.nan
    if not 0.0 < value < np.inf:
        problems.add(_at(field, f"{column} is a number above 0", shown, column))
        return None
    return value


def _fraction(field: _Field, shown: str, problems: Problems) -> float | None:
    try:
        return parse_fraction(float(field.text) if _PLAIN_NUMBER.fullmatch(field.text) else field.text)
    except ValueError as error:
        problems.add(_at(field, f"cumulative_pd is {error}", shown, "cumulative_pd"))
        return None


def _check_order(name: str, listed: list[tuple[float, float, _Field]], shown: str, problems: Problems) -> None:
    """Sort the knots of one curve by time; the same time twice and a falling PD are problems."""
    listed.sort(key=lambda knot: knot[0])
    for (day, pd, _), (next_day, next_pd, field) in pairwise(listed):
        if next_day == day:
            problems.add(_at(field, f"this time stands twice for {name!r}", shown, "cumulative_pd"))
        elif next_pd < pd:
            text = f"a cumulative PD cannot fall: {name!r} had {pd:g} before"
            problems.add(_at(field, text, shown, "cumulative_pd"))


def _curve(listed: list[tuple[float, float, _Field]]) -> Curve:
    day = np.array([0.0, *(day for day, _, _ in listed)])
    return Curve(day, cumulative_hazard(np.array([0.0, *(pd for _, pd, _ in listed)])))
