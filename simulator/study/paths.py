"""Key paths: ``programmes[1].premium.rate_on_turnover``, ``stresses["2008 again"].pd_multiplier``.

A path is a tuple of mapping keys (text) and list positions (whole numbers). Users may also address an element
of ``programmes`` by its name, ``programmes[Whole turnover 90].insured_percentage``.
"""

from __future__ import annotations

import json
import re
from collections.abc import Iterable, Sequence
from typing import Any, NamedTuple

KeyPath = tuple[str | int, ...]

_PLAIN = re.compile(r"[^\s.\[\]\"=]+")
_TOKEN = re.compile(
    r"""\[\s*(?P<quoted>"(?:[^"\\]|\\.)*")\s*\]|\[(?P<bracket>[^\]]*)\]|(?P<plain>[^.\[\]]+)|(?P<dot>\.)"""
)


class Segment(NamedTuple):
    """One step of a path as written: its text, and whether it stood in brackets."""

    text: str
    bracket: bool


def show_path(path: Iterable[str | int]) -> str:
    """A path as users write it."""
    shown = ""
    for step in path:
        if isinstance(step, int):
            shown += f"[{step}]"
        elif _PLAIN.fullmatch(step):
            shown += f".{step}" if shown else step
        else:
            shown += f"[{json.dumps(step, ensure_ascii=False)}]"
    return shown


def parse_path(text: str) -> list[Segment]:
    """Split a written path into its steps.

    Raises:
        ValueError: with a plain sentence, when it is not a path.
    """
    segments: list[Segment] = []
    position, expect_key = 0, True
    while position < len(text):
        match = _TOKEN.match(text, position)
        if match is None:
            raise ValueError(f"not a key path at {text[position:]!r}: brackets come in pairs, as in programmes[1].name")
        if match["dot"] is not None:
            if expect_key:
                raise ValueError("a key is missing before or between dots")
            expect_key = True
        elif match["plain"] is not None:
            if not expect_key:
                raise ValueError(f"a dot is missing before {match['plain']!r}")
            segments.append(Segment(match["plain"].strip(), False))
            expect_key = False
        else:
            if expect_key and segments:
                raise ValueError("no dot goes before a bracket")
            written = json.loads(match["quoted"]) if match["quoted"] is not None else match["bracket"].strip()
            segments.append(Segment(written, True))
            expect_key = False
        position = match.end()
    if not segments or expect_key:
        raise ValueError("a key is missing")
    return segments


def split_assignment(text: str) -> tuple[str, str]:
    """Split ``key.path[name]=value`` at the first equals sign outside brackets.

    Raises:
        ValueError: when there is no such sign.
    """
    depth = 0
    for position, character in enumerate(text):
        depth += (character == "[") - (character == "]")
        if character == "=" and depth <= 0:
            return text[:position].strip(), text[position + 1 :].strip()
    raise ValueError("expected key=value, such as simulation.scenarios=100 k")


def locate(data: Any, segments: Sequence[Segment]) -> KeyPath:
    """Turn written steps into a path through ``data``: positions in lists by number or by the element's name.

    Steps that leave the data are taken as written, so that a path to something missing stays usable.
    """
    path: list[str | int] = []
    here = data
    for segment in segments:
        step: str | int = segment.text
        if isinstance(here, list):
            named = [i for i, item in enumerate(here) if isinstance(item, dict) and item.get("name") == segment.text]
            if segment.text.isdecimal():
                step = int(segment.text)
            elif named:
                step = named[0]
        elif segment.bracket and segment.text.isdecimal() and not isinstance(here, dict):
            step = int(segment.text)
        path.append(step)
        here = child(here, step)
    return tuple(path)


def child(data: Any, step: str | int) -> Any:
    """The element below ``data``, or ``None``."""
    if isinstance(data, dict):
        return data.get(step)
    if isinstance(data, list) and isinstance(step, int) and 0 <= step < len(data):
        return data[step]
    return None


def at(data: Any, path: Iterable[str | int]) -> Any:
    """The element at a path, or ``None``."""
    for step in path:
        data = child(data, step)
    return data
