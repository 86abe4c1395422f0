"""A ledger file's cells as text, each of which knows its file, line and column, and the problems found among them."""

from __future__ import annotations

from collections import Counter
from dataclasses import dataclass, field, replace

from simulator.errors import Problem, Problems

#: Problems of one kind and file that are listed one by one; the rest are counted.
LISTED = 20


class Number(str):
    """Text of a cell that Excel holds as a number: its decimal sign is a point, whatever the file says."""

    __slots__ = ()


@dataclass
class Collector:
    """Collects problems, lists the first of each kind and counts the rest."""

    problems: Problems
    counts: Counter[tuple[str, str]] = field(default_factory=Counter)
    last: dict[tuple[str, str], Problem] = field(default_factory=dict)

    def add(self, kind: str, problem: Problem) -> None:
        """Remember a problem of a kind; beyond :data:`LISTED` of one kind and file it is only counted."""
        key = (problem.file, kind)
        self.counts[key] += 1
        if self.counts[key] <= LISTED:
            self.problems.add(problem)
            self.last[key] = problem

    def finish(self) -> None:
        """Say with the last listed problem of each kind how many more there are."""
        for key, count in self.counts.items():
            if count > LISTED:
                last = self.last[key]
                at = next(i for i, problem in enumerate(self.problems.items) if problem is last)
                self.problems.items[at] = replace(
                    last, message=f"{last.message} (and {count - LISTED:,} more like this)"
                )
        self.counts.clear()

    def __len__(self) -> int:
        return len(self.problems)


@dataclass(frozen=True)
class Table:
    """A file's cells as text.

    Attributes:
        file: the file as the user would type it; with the worksheet for Excel.
        header: the header's cells; texts are stripped.
        header_line: 1-based line of the header.
        rows: the cells of each line below the header, as wide as the header.
        lines: 1-based line on which each row starts.
        source: the file's text lines (CSV); empty for Excel.
        delimiter: column separator (CSV).
        encoding: text encoding (CSV), or ``excel``.
    """

    file: str
    header: list[str]
    header_line: int
    rows: list[list[str]]
    lines: list[int]
    source: list[str] = field(default_factory=list, repr=False)
    delimiter: str = ""
    encoding: str = "excel"
    _columns: dict[int, list[str]] = field(default_factory=dict, repr=False)

    def __len__(self) -> int:
        return len(self.rows)

    def column(self, index: int) -> list[str]:
        """All cells of a column, stripped. The list is kept: do not change it."""
        cells = self._columns.get(index)
        if cells is None:
            if self.source:
                cells = [row[index].strip() for row in self.rows]
            else:  # numbers of Excel stay what they are
                cells = [row[index].strip() if type(row[index]) is str else row[index] for row in self.rows]
            self._columns[index] = cells
        return cells

    def problem(
        self, row: int, column: int, message: str, name: str = "", suggestion: str = "", value: str | None = None
    ) -> Problem:
        """A problem at a cell.

        Args:
            row: index into ``rows``; -1 is the header itself.
            column: index of the column, -1 when the whole line is meant.
            message: what is wrong and what is allowed.
            name: name of the field, shown beside the header where they differ.
            suggestion: "did you mean".
            value: shown instead of the cell's own text.
        """
        line = self.header_line if row < 0 else self.lines[row]
        cells = self.header if row < 0 else self.rows[row]
        if column < 0:
            return Problem(
                message,
                file=self.file,
                line=line,
                path=name,
                value=value,
                suggestion=suggestion,
                source=self._source(line),
            )
        head = self.header[column] if column < len(self.header) else ""
        path = f"{head} ({name})" if name and head and head != name else head or name
        shown = cells[column] if value is None else value
        if not self.source:
            return Problem(message, self.file, line, column + 1, path, shown, suggestion)
        at, start, width = self._locate(line, column)
        return Problem(message, self.file, at, start, path, shown, suggestion, self._source(at), width)

    def _source(self, line: int) -> str:
        return self.source[line - 1].rstrip("\r\n") if 0 < line <= len(self.source) else ""

    def _locate(self, line: int, column: int) -> tuple[int, int, int]:
        """Line, 1-based character column and width of a cell, found by reading the line again."""
        at, start, cell, quoted = line, 0, 0, False
        while at <= len(self.source):
            text = self.source[at - 1].rstrip("\r\n")
            for i, char in enumerate(text):
                if char == '"':
                    quoted = not quoted
                elif char == self.delimiter and not quoted:
                    if cell == column:
                        return at, start + 1, max(1, i - start)
                    cell, start = cell + 1, i + 1
            if not quoted:
                return at, start + 1, max(1, len(text) - start)
            at, start = at + 1, 0
        return line, 1, 1
