"""One exception family, and the list of problems that is collected before anything is raised.

A *user error* (study, ledger, command line) is a :class:`SimulatorError`: the command prints its text,
never a traceback, and exits with status 2. Problems are collected in a :class:`Problems` list so that a
user sees all of them at once, each with its place in the file.
"""

from __future__ import annotations

import difflib
import unicodedata
from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field
from pathlib import Path


class SimulatorError(Exception):
    """A mistake the user can mend: shown as text, exit status 2."""


class InputError(SimulatorError):
    """One or more problems in the study file or the ledger.

    Attributes:
        problems: every problem found, in file order.
    """

    def __init__(self, problems: Iterable[Problem]) -> None:
        self.problems: tuple[Problem, ...] = tuple(problems)
        super().__init__(render(self.problems))


@dataclass(frozen=True)
class Problem:
    """One mistake, with everything needed to find and mend it.

    Attributes:
        message: what is wrong and what is allowed, in plain words.
        file: the file it stands in, as the user named it; empty when none.
        line: 1-based line, 0 when unknown.
        column: 1-based column, 0 when unknown.
        path: the dotted key (``programmes[1].insured_percentage``) or the ledger column.
        value: the offending value as written, ``None`` when there is none to show.
        suggestion: "did you mean" text, empty when nothing is close.
        source: the source line itself, for the caret display.
        width: how many characters the caret underlines.
    """

    message: str
    file: str = ""
    line: int = 0
    column: int = 0
    path: str = ""
    value: str | None = None
    suggestion: str = ""
    source: str = ""
    width: int = 1

    def __str__(self) -> str:
        place = self.file
        if self.line:
            place += f":{self.line}" + (f":{self.column}" if self.column else "")
        head = self.path + (f" = {_clean(self.value, _VALUE_WIDTH)}" if self.value is not None else "")
        lines = [part for part in ("  ".join(x for x in (_clean(place), head) if x),) if part]
        if self.source and self.line:
            lines += _excerpt(self.source, self.line, self.column, self.width)
        text = self.message + (f"; did you mean {self.suggestion}?" if self.suggestion else "")
        lines += [f"      {part}" for part in text.splitlines()]
        return "\n".join(lines)


_VALUE_WIDTH = 60
_SOURCE_WIDTH = 110


def _clean(text: str, limit: int = 0) -> str:
    """Text that cannot disturb a terminal: no control characters, cut at ``limit`` characters."""
    shown = "".join(c if c.isprintable() or c == "\t" else f"\\x{ord(c):02x}" for c in text)
    return shown if not limit or len(shown) <= limit else shown[: limit - 1] + "…"


def _cells(text: str) -> str:
    """Blanks as wide as a text is on screen: tabs stay tabs, East Asian wide characters take two."""
    return "".join("\t" if c == "\t" else "  " if unicodedata.east_asian_width(c) in "WF" else " " for c in text)


def _excerpt(source: str, line: int, column: int, width: int) -> list[str]:
    """The source line and its caret; of a very long line only the part around the caret."""
    text = source.rstrip("\r\n")
    text = "".join(c if c.isprintable() or c == "\t" else "�" for c in text)
    start = max(0, column - 1)
    if len(text) > _SOURCE_WIDTH:
        first = max(0, min(start - 20, len(text) - _SOURCE_WIDTH))
        cut = text[first : first + _SOURCE_WIDTH]
        text = ("…" if first else "") + cut + ("…" if first + _SOURCE_WIDTH < len(source.rstrip()) else "")
        start += (1 if first else 0) - first
    gutter = f"{line:>5} | "
    lines = [gutter + text]
    if column:
        marked = text[start : start + max(1, width)]
        carets = "^" * max(1, len(_cells(marked)))
        lines.append(" " * (len(gutter) - 2) + "| " + _cells(text[:start]) + carets)
    return lines


@dataclass
class Problems:
    """A growing list of problems, raised together once."""

    items: list[Problem] = field(default_factory=list)

    def add(self, problem: Problem) -> None:
        """Remember one problem."""
        self.items.append(problem)

    def __iter__(self) -> Iterator[Problem]:
        return iter(self.items)

    def __len__(self) -> int:
        return len(self.items)

    def raise_if_any(self) -> None:
        """Raise :class:`InputError` with every problem, in file and line order, if there is any."""
        if self.items:
            raise InputError(sorted(self.items, key=lambda p: (p.file, p.line, p.column)))


def render(problems: Iterable[Problem]) -> str:
    """The whole message: a head line, then each problem with its place, source line and caret."""
    listed = tuple(problems)
    count = f"{len(listed)} problem" + ("" if len(listed) == 1 else "s")
    return f"{count}, nothing was run\n\n" + "\n\n".join(str(p) for p in listed)


def closest(word: str, known: Iterable[str]) -> str:
    """The known word nearest to a misspelt one, or an empty string."""
    folded = {k.casefold(): k for k in known}
    found = difflib.get_close_matches(word.casefold(), list(folded), n=1, cutoff=0.6)
    return folded[found[0]] if found else ""


def display_path(path: Path) -> str:
    """A path as a user would type it: relative to the working folder where that is shorter."""
    try:
        return str(path.resolve().relative_to(Path.cwd()))
    except ValueError:
        return str(path)
