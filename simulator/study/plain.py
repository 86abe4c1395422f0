"""Plain content from Python values: what a study given as a dictionary may hold."""

from __future__ import annotations

import datetime as dt
from collections.abc import Mapping, Sequence
from pathlib import PurePath
from typing import Any

from pydantic import BaseModel

from simulator.study.amounts import Duration, Multiple

_MAX_DEPTH = 40


def plain(value: Any, depth: int = 0) -> Any:
    """A deep copy of plain dictionaries, lists, texts and numbers.

    Numbers of array libraries become Python's, file names and dates become texts, sections of a study become
    dictionaries.

    Raises:
        TypeError: with a plain sentence, when something cannot stand in a study.
    """
    if depth > _MAX_DEPTH:
        raise TypeError("not a study: nested too deeply")
    if value is None or (isinstance(value, str | bool | int | float) and type(value).__module__ == "builtins"):
        return value
    if isinstance(value, dt.datetime):
        return value.date().isoformat()
    if isinstance(value, dt.date):
        return value.isoformat()
    if isinstance(value, PurePath | Duration | Multiple):
        return str(value)
    if isinstance(value, BaseModel):
        return plain(value.model_dump(by_alias=True), depth + 1)
    if isinstance(value, Mapping):
        return {str(key): plain(item, depth + 1) for key, item in value.items()}
    if isinstance(value, Sequence) and not isinstance(value, str | bytes):
        return [plain(item, depth + 1) for item in value]
    if callable(getattr(value, "tolist", None)):  # arrays and their numbers
        return plain(value.tolist(), depth + 1)
    if isinstance(value, str | int | float):  # subclasses, such as enumerations
        return str(value) if isinstance(value, str) else value + 0
    raise TypeError(f"a {type(value).__name__} cannot stand in a study")
