"""Spans: the canonical chunks of a run, by their place in it."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

from simulator.engine.chunk import CHUNK


@dataclass(frozen=True)
class Span:
    """A canonical chunk: its number, its first scenario and how many it has."""

    index: int
    first: int
    count: int


#: Told how many scenarios of a chunk are done.
OnBlock = Callable[[Span, int], None]


def spans(start: int, stop: int) -> list[Span]:
    """The chunks of scenarios ``start … stop − 1``; ``start`` is the first scenario of a chunk."""
    return [Span(first // CHUNK, first, min(CHUNK, stop - first)) for first in range(start, stop, CHUNK)]
