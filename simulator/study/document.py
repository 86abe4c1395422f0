"""A study's plain content, and where each of its elements was written."""

from __future__ import annotations

from dataclasses import dataclass, field, replace
from typing import Any

from simulator.errors import Problem
from simulator.study.paths import KeyPath, at, show_path


@dataclass(frozen=True)
class Span:
    """Where something stands: 1-based line and column, width in characters, and the line itself."""

    line: int
    column: int
    width: int
    source: str


@dataclass(frozen=True)
class Place:
    """Where an element of the study was written.

    Attributes:
        file: the file, or the override (``--set …``) it came from.
        key: its key, ``None`` for list items and overrides.
        value: its value, ``None`` for empty values and overrides.
        text: a scalar as written.
    """

    file: str
    key: Span | None = None
    value: Span | None = None
    text: str | None = None


@dataclass
class Document:
    """A study's plain content and the place of each of its elements.

    Attributes:
        data: dictionaries, lists, texts, numbers, booleans and ``None``.
        places: by key path.
        file: name of the file as shown to the user; empty for a study given as a dictionary.
        problems: what was wrong but could be read past (duplicate keys, tags).
    """

    data: Any
    places: dict[KeyPath, Place] = field(default_factory=dict)
    file: str = ""
    problems: list[Problem] = field(default_factory=list)

    def problem(
        self, path: KeyPath, message: str, *, value: str | None = None, suggestion: str = "", at_key: bool = False
    ) -> Problem:
        """A problem at a path; where the path itself was not written, at its nearest written ancestor."""
        known = path
        while known and known not in self.places:
            known = known[:-1]
        place = self.places.get(known, Place(self.file))
        exact = known == path
        span = (place.key or place.value) if at_key or not exact else (place.value or place.key)
        if exact and not at_key and isinstance(at(self.data, path), dict | list):
            span = place.key or place.value
        shown = value
        if shown is None and not at_key:
            content = at(self.data, path)
            plain = None if content is None or isinstance(content, dict | list) else str(content)
            shown = place.text if exact and place.text is not None else plain
        problem = Problem(message, place.file, path=show_path(path), value=shown, suggestion=suggestion)
        if span is None:
            return problem
        return replace(problem, line=span.line, column=span.column, width=span.width, source=span.source)

    def move(self, source: KeyPath, target: KeyPath) -> None:
        """Give the elements below ``target`` that have no place of their own the places of those below ``source``."""
        for path, place in list(self.places.items()):
            if path[: len(source)] == source:
                self.places.setdefault(target + path[len(source) :], place)

    def forget(self, path: KeyPath) -> None:
        """Drop the places at and below a path."""
        for known in [p for p in self.places if p[: len(path)] == path]:
            del self.places[known]
