"""One exception family, and the list of problems that is collected before anything is raised.

A *user error* (study, ledger, command line) is a :class:`SimulatorError`: the command prints its text,
never a traceback, and exits with status 2. Problems are collected in a :class:`Problems` list so that a
user sees all of them at once, each with its place in the file.
"""

from __future__ import annotations

import difflib
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
        head = self.path + (f" = {self.value}" if self.value is not None else "")
        lines = [part for part in ("  ".join(x for x in (place, head) if x),) if part]
        if self.source and self.line:
            gutter = f"{self.line:>5} | "
            lines.append(gutter + self.source.rstrip("\n"))
            if self.column:
                pad = "".join("\t" if c == "\t" else " " for c in self.source[: self.column - 1])
                lines.append(" " * (len(gutter) - 2) + "| " + pad + "^" * max(1, self.width))
        text = self.message + (f"; did you mean {self.suggestion}?" if self.suggestion else "")
        lines.append(f"      {text}")
        return "\n".join(lines)


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
