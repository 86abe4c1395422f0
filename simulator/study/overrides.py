"""``--set key.path=value``: single values of a study replaced from the command line or from Python."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from simulator.errors import InputError, Problem, closest
from simulator.study.document import Document, Place
from simulator.study.paths import KeyPath, Segment, child, parse_path, show_path, split_assignment
from simulator.study.plain import plain
from simulator.study.yaml import parse_value

Overrides = Mapping[str, object] | Sequence[str] | None


def apply_overrides(document: Document, overrides: Overrides) -> list[Problem]:
    """Write each override into the document, in order; a later one wins.

    Texts of the form ``key.path=value`` have their value read as YAML; values of a mapping are taken as they are.
    Elements of a list are addressed by position or, where they have one, by name.

    Returns:
        A problem for each override that cannot be applied.
    """
    problems: list[Problem] = []
    for key, value, shown in _each(overrides, problems):
        try:
            path = _locate(document.data, parse_path(key))
        except ValueError as error:
            problems.append(Problem(str(error), shown))
            continue
        except _Nowhere as error:
            problems.append(Problem(error.message, shown, suggestion=error.suggestion))
            continue
        _write(document.data, path, value)
        document.forget(path)
        text = None if isinstance(value, dict | list) or value is None else str(value)
        document.places[path] = Place(shown, text=text)
    return problems


def _each(overrides: Overrides, problems: list[Problem]) -> list[tuple[str, Any, str]]:
    """Key, plain value and the way to show each override."""
    if overrides is None:
        return []
    found: list[tuple[str, Any, str]] = []
    if isinstance(overrides, Mapping):
        for key, value in overrides.items():
            shown = f"override {key}"
            try:
                found.append((str(key), plain(value), shown))
            except TypeError as error:
                problems.append(Problem(str(error), shown))
        return found
    for item in [overrides] if isinstance(overrides, str) else overrides:
        shown = f"--set '{item}'"
        try:
            key, text = split_assignment(item)
            found.append((key, parse_value(text, shown), shown))
        except ValueError as error:
            problems.append(Problem(str(error), shown))
        except InputError as error:
            problems += [Problem(p.message, shown) for p in error.problems]
    return found


class _Nowhere(Exception):
    """An override whose place does not exist."""

    def __init__(self, message: str, suggestion: str = "") -> None:
        super().__init__(message)
        self.message = message
        self.suggestion = suggestion


def _locate(data: Any, segments: list[Segment]) -> KeyPath:
    """The path an override means.

    Raises:
        _Nowhere: when a list has no such element, or the way leads through a plain value.
    """
    path: list[str | int] = []
    here = data
    for segment in segments:
        if isinstance(here, list):
            step: str | int = _element(here, segment, tuple(path))
        elif isinstance(here, dict) or here is None:
            step = segment.text
        else:
            raise _Nowhere(f"{show_path(path)} is a plain value; nothing lies below it")
        path.append(step)
        here = child(here, step)
    return tuple(path)


def _element(items: list[Any], segment: Segment, path: KeyPath) -> int:
    names = [item.get("name") if isinstance(item, dict) else None for item in items]
    if segment.text in names:
        return names.index(segment.text)
    known = [name for name in names if isinstance(name, str)]
    if segment.text.isdecimal():
        if int(segment.text) < len(items):
            return int(segment.text)
        last = f"{show_path((*path, 0))} to [{len(items) - 1}]" if len(items) > 1 else show_path((*path, 0))
        raise _Nowhere(f"there is no {show_path((*path, int(segment.text)))}; there is {last if items else 'none'}")
    by = f" or by name ({', '.join(known)})" if known else ""
    message = f"{show_path(path)} has no element {segment.text!r}; they are addressed by position, from [0]{by}"
    raise _Nowhere(message, closest(segment.text, known))


def _write(data: Any, path: KeyPath, value: Any) -> None:
    for step in path[:-1]:
        below = child(data, step)
        if below is None:
            below = {}
            data[step] = below
        data = below
    data[path[-1]] = value
