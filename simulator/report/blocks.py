"""What a page is made of: sections of text, tables and figures. The template decides how they look."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from typing import Any

import pandas as pd
from markupsafe import Markup


@dataclass(frozen=True)
class Cell:
    """One value of a table.

    Attributes:
        text: the value as read.
        kind: ``n`` number (right-aligned), ``text`` free text, ``code`` an identifier, empty for plain.
        error: its standard error, as text, shown after ±.
        difference: the paired difference to the baseline, with its own error.
        noise: whether that difference cannot be told from noise.
        sub: a second, smaller line.
    """

    text: str
    kind: str = "n"
    error: str = ""
    difference: str = ""
    noise: bool = False
    sub: str = ""


@dataclass(frozen=True)
class Row:
    """A row with its heading; ``group`` instead makes it a heading across the table."""

    head: str = ""
    cells: Sequence[Cell] = ()
    sub: str = ""
    group: str = ""


@dataclass(frozen=True)
class Column:
    """Heading of a column, its unit below it, right-aligned when it holds numbers."""

    label: str
    number: bool = True
    unit: str = ""


@dataclass(frozen=True)
class Table:
    """A table with its caption; on a phone ``pinned`` keeps the first column in view, ``stacked`` makes rows cards."""

    caption: str
    columns: Sequence[Column]
    rows: Sequence[Row]
    note: str = ""
    full: bool = False
    pinned: bool = False
    stacked: bool = False


@dataclass(frozen=True)
class Panel:
    """One drawing of a figure that consists of several."""

    title: str
    svg: Markup


@dataclass(frozen=True)
class Drawing:
    """A figure ready for the page: one drawing for wide and one for narrow screens, or panels."""

    name: str
    title: str
    caption: str
    wide: Markup = field(default_factory=Markup)
    narrow: Markup = field(default_factory=Markup)
    panels: Sequence[Panel] = ()
    columns: int = 3


@dataclass(frozen=True)
class Block:
    """A piece of a section: answer, text, note, list, figure, table, tables or terms."""

    kind: str
    content: Any


@dataclass(frozen=True)
class Section:
    """A numbered part of the page."""

    id: str
    title: str
    lead: str = ""
    blocks: Sequence[Block] = ()


def records(table: pd.DataFrame) -> Iterator[Any]:
    """Rows of a table with their columns as attributes."""
    yield from table.itertuples(index=False)
