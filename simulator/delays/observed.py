"""Observed payment delays: from the study's own list, or from a CSV file of paid invoices."""

from __future__ import annotations

import csv
import datetime as dt
import math
from pathlib import Path

import numpy as np

from simulator.errors import InputError, Problem, Problems, display_path
from simulator.ledger.cells import cell_problem
from simulator.ledger.portfolio import Floats
from simulator.study.schema import EmpiricalDelay


def observed_delays(model: EmpiricalDelay, folder: Path) -> Floats:
    """Delays in days, in the order given.

    Args:
        model: names either ``values`` or a ``file``.
        folder: the study's folder, where ``file`` is looked up. The file is comma-separated UTF-8 with a header:
            a column ``delay_days``, or columns ``due_date`` and ``paid_date`` (YYYY-MM-DD).

    Raises:
        InputError: neither or both are given, the file is missing, has no such columns, or a row is not usable;
            every bad row is reported.
    """
    if (model.values is None) == (model.file is None):
        raise InputError([Problem("give either values or file, the observed delays in days", path="payment.delay")])
    if model.values is not None:
        return _checked_values(model.values)
    path = folder / str(model.file)
    shown = display_path(path)
    try:
        source = path.read_text(encoding="utf-8-sig").splitlines()
    except (OSError, UnicodeDecodeError) as error:
        reason = "not UTF-8 text" if isinstance(error, UnicodeDecodeError) else (error.strerror or "cannot be read")
        problem = Problem(f"delay file cannot be read: {reason}", shown, path="payment.delay.file", value=model.file)
        raise InputError([problem]) from error
    rows = list(csv.reader(source))
    header = [cell.strip().casefold() for cell in rows[0]] if rows else []
    wanted = ["delay_days"] if "delay_days" in header else ["due_date", "paid_date"]
    if not set(wanted) <= set(header):
        text = "a delay file needs a column delay_days, or the columns due_date and paid_date"
        first = source[0] if source else ""
        value, width = ",".join(header), max(1, len(first))
        problem = Problem(text, shown, 1, 1 if first else 0, "payment.delay.file", value, source=first, width=width)
        raise InputError([problem])
    places = [header.index(name) for name in wanted]
    problems = Problems()
    delays: list[float] = []
    for number, cells in enumerate(rows[1:], start=2):
        if not any(cell.strip() for cell in cells):
            continue
        texts = [cells[i].strip() if i < len(cells) else "" for i in places]
        line = source[number - 1] if len(source) == len(rows) else ""
        for name, at, text in zip(wanted, places, texts, strict=True):
            if not _usable(name, text):
                allowed = "a finite number of days" if name == "delay_days" else "a date written YYYY-MM-DD"
                problems.add(cell_problem(f"must be {allowed}", shown, number, name, cells, at, line))
        if not problems:
            delays.append(_delay(texts))
    if not delays and not problems:
        problems.add(Problem("the delay file has no rows", shown, path="payment.delay.file"))
    problems.raise_if_any()
    return np.array(delays)


def _checked_values(values: tuple[float, ...]) -> Floats:
    if not values or not all(math.isfinite(v) for v in values):
        text = "must be a list of finite numbers of days, at least one"
        raise InputError([Problem(text, path="payment.delay.values", value=str(list(values)))])
    return np.array(values, dtype=np.float64)


def _usable(name: str, text: str) -> bool:
    try:
        return math.isfinite(float(text)) if name == "delay_days" else bool(dt.date.fromisoformat(text))
    except ValueError:
        return False


def _delay(texts: list[str]) -> float:
    if len(texts) == 1:
        return float(texts[0])
    due, paid = (dt.date.fromisoformat(text) for text in texts)
    return float((paid - due).days)
