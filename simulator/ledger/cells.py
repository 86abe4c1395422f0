"""A problem at a cell of a small CSV file that is read line by line (rate histories, observed delays)."""

from __future__ import annotations

from collections.abc import Sequence

from simulator.errors import Problem


def cell_problem(
    message: str, file: str, line: int, name: str, cells: Sequence[str], column: int, source: str
) -> Problem:
    """A problem at one cell, with its place in the line (the whole line where cells are quoted).

    Args:
        message: what is wrong and what is allowed.
        file: the file as shown to the user.
        line: 1-based line.
        name: name of the column.
        cells: the line's cells as read.
        column: index of the cell; one beyond the last is a cell that is missing.
        source: the line.
    """
    cell = cells[column] if column < len(cells) else ""
    value = cell.strip()
    if '"' in source:
        return Problem(message, file, line, 0, name, value, source=source)
    before = sum(len(text) + 1 for text in cells[:column])
    start = min(before + len(cell) - len(cell.lstrip()), len(source)) + 1
    return Problem(message, file, line, start, name, value, source=source, width=max(1, len(value)))
