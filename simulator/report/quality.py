"""What reading the ledger found, as tables: the profile is shown whole, whatever entries it has."""

from __future__ import annotations

import datetime as dt
import math
from collections.abc import Mapping, Sequence
from dataclasses import replace
from typing import Any

import pandas as pd

from simulator.report.blocks import Block, Cell, Column, Row, Table
from simulator.report.numbers import NONE, full_money, long_date, short_percent

_SHARES = ("share", "percent", "overdue")
_LONGEST = 40
_NARROW = 5  # columns of a table that may stand beside another
_TITLES = {
    "as_of": "Ledger's date",
    "mode": "Exposure taken from",
    "open_items": "Open items",
    "files": "Files, and the headers recognised",
    "by_currency": "Open items by currency",
    "ageing": "Ageing: days past the due date",
    "concentration": "Concentration",
    "hhi": "Herfindahl-Hirschman index",
    "top_buyers": "Largest buyers",
    "missing": "Blank fields",
    "limits": "Credit limits",
    "excluded": "Left out, and why",
    "reconciliation": "Reconciliation to the file",
    "buyers_without_items": "Buyers without open items",
    "planned": "Planned sales",
    "own": "Own currency",
    "buyer_id": "Buyer",
}


def quality(profile: Mapping[str, Any], currency: str) -> list[Block]:
    """Blocks of the data-quality section: notes first, then single numbers, then every table of the profile."""
    notes, singles, tables = [], [], []
    for name, value in profile.items():
        title = label(str(name))
        if isinstance(value, pd.DataFrame):
            tables.append(frame_table(value, title, currency))
        elif isinstance(value, Mapping):
            tables.append(_mapping_table(value, title, currency))
        elif isinstance(value, Sequence) and not isinstance(value, str):
            if value and all(isinstance(entry, Mapping) for entry in value):
                tables.append(frame_table(pd.DataFrame(list(value)), title, currency))
            elif value:
                notes += [str(entry) for entry in value]
        else:
            singles.append(Row(title, (cell(value, name, "n"),)))
    blocks = [Block("list", notes)] if notes else []
    if singles:
        tables.insert(0, Table("The ledger in numbers", (Column("Item", number=False), Column("Value")), singles))
    shown = [t for t in tables if t.rows]
    beside = [t for t in shown if len(t.columns) <= _NARROW]
    below = [Block("table", replace(t, full=True, pinned=True)) for t in shown if len(t.columns) > _NARROW]
    return [*blocks, *([Block("tables", beside)] if beside else []), *below]


def frame_table(frame: pd.DataFrame, caption: str, currency: str, note: str = "") -> Table:
    """Any table, numbers formatted by the name of their column; at most 40 rows are shown."""
    if frame.empty or not len(frame.columns):
        return Table(caption, (), ())
    first, *others = [str(c) for c in frame.columns]
    columns = [Column(label(first), number=False)]
    columns += [Column(label(c), pd.api.types.is_numeric_dtype(frame[c])) for c in others]
    rows = [
        Row(_text(values[0], first), tuple(cell(v, c) for v, c in zip(values[1:], others, strict=True)))
        for values in frame.head(_LONGEST).itertuples(index=False, name=None)
    ]
    if len(frame) > _LONGEST:
        note = f"{note} The first {_LONGEST} of {len(frame)} rows.".strip()
    return Table(caption, columns, rows, note=note)


def _mapping_table(value: Mapping[str, Any], caption: str, currency: str) -> Table:
    rows = []
    for key, entry in value.items():
        if isinstance(entry, Mapping):
            rows.append(Row(label(str(key)), (Cell(_text(entry, str(key)), "text"),)))
        else:
            rows.append(Row(label(str(key)), (cell(entry, f"{caption} {key}".casefold(), "text"),)))
    return Table(caption, (Column("Item", number=False), Column("Value", number=False)), rows)


def cell(value: Any, name: str, text_kind: str = "text") -> Cell:
    """A value as a cell: numbers to the right, words to the left."""
    number = isinstance(value, int | float) and not isinstance(value, bool)
    return Cell(_text(value, name), "n" if number else text_kind)


def label(name: str) -> str:
    """A key as words: ``by_country`` → ``By country``."""
    if name in _TITLES:
        return _TITLES[name]
    words = name.replace("_", " ").strip()
    return words[:1].upper() + words[1:]


def _text(value: Any, name: str) -> str:
    if value is None or value is pd.NaT:
        return NONE
    if isinstance(value, bool):
        return "yes" if value else "no"
    if isinstance(value, dt.date):
        return long_date(value)
    if hasattr(value, "item"):
        value = value.item()
    if isinstance(value, int | float):
        if not math.isfinite(value):
            return NONE
        if any(word in name.casefold() for word in _SHARES) and abs(value) <= 1:
            return short_percent(float(value), 3)
        if isinstance(value, int) or abs(value) >= 100:
            return full_money(float(value))
        return f"{value:.4g}"
    if isinstance(value, Mapping):  # the mapping of headers, for one: what it is here, what it is called there
        return ", ".join(f"{k} ← {v}" if isinstance(v, str) else f"{k}: {_text(v, str(k))}" for k, v in value.items())
    if isinstance(value, Sequence) and not isinstance(value, str):
        return ", ".join(str(v) for v in value) or NONE
    return str(value)
