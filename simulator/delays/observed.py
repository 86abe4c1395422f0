"""Observed payment delays: from the study's own list, or from a CSV file of paid invoices."""

from __future__ import annotations

import csv
import datetime as dt
import math
from pathlib import Path

import numpy as np

from simulator.errors import InputError, Problem, Problems, display_path
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
        with path.open(encoding="utf-8-sig", newline="") as stream:
            rows = list(csv.reader(stream))
    except (OSError, UnicodeDecodeError) as error:
        reason = "not UTF-8 text" if isinstance(error, UnicodeDecodeError) else (error.strerror or "cannot be read")
        problem = Problem(f"delay file cannot be read: {reason}", shown, path="payment.delay.file", value=model.file)
        raise InputError([problem]) from error
    header = [cell.strip().casefold() for cell in rows[0]] if rows else []
    wanted = ["delay_days"] if "delay_days" in header else ["due_date", "paid_date"]
    if not set(wanted) <= set(header):
        text = "a delay file needs a column delay_days, or the columns due_date and paid_date"
        raise InputError([Problem(text, shown, 1, path="payment.delay.file", value=",".join(header))])
    places = [header.index(name) for name in wanted]
    problems = Problems()
    delays: list[float] = []
    for number, cells in enumerate(rows[1:], start=2):
        if not any(cell.strip() for cell in cells):
            continue
        texts = [cells[i].strip() if i < len(cells) else "" for i in places]
        try:
            delays.append(_delay(texts))
        except ValueError:
            allowed = "a finite number of days" if len(texts) == 1 else "two dates written YYYY-MM-DD"
            problems.add(Problem(f"must be {allowed}", shown, number, path=" ".join(wanted), value=" ".join(texts)))
    if not delays and not problems:
        problems.add(Problem("the delay file has no rows", shown, path="payment.delay.file"))
    problems.raise_if_any()
    return np.array(delays)


def _checked_values(values: tuple[float, ...]) -> Floats:
    if not values or not all(math.isfinite(v) for v in values):
        text = "must be a list of finite numbers of days, at least one"
        raise InputError([Problem(text, path="payment.delay.values", value=str(list(values)))])
    return np.array(values, dtype=np.float64)


def _delay(texts: list[str]) -> float:
    if len(texts) == 1:
        days = float(texts[0])
        if not math.isfinite(days):
            raise ValueError(texts[0])
        return days
    due, paid = (dt.date.fromisoformat(text) for text in texts)
    return float((paid - due).days)
