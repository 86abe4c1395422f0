"""Measures of one scripted scenario: what it holds is certain, and what describes a law of many has no meaning."""

from __future__ import annotations

import math
from collections.abc import Iterable, Iterator
from typing import TYPE_CHECKING

from simulator.measures.cover import Row
from simulator.measures.estimate import Estimate

if TYPE_CHECKING:
    from simulator.results.result import Result

#: Measures without a level that one scenario has, beside means and ratios of means.
SINGLE = ("reserve_cost", "first_shortfall_median")
DIFFERENCE = "_difference"


def is_scripted(result: Result) -> bool:
    """Whether a result is one scenario as told, not a sample of drawn ones."""
    return result.study.script is not None


def is_certain(measure: str, level: float) -> bool:
    """Whether a single scenario has a measure: no spread, no probability, no level of confidence, no tail."""
    name = measure.removesuffix(DIFFERENCE)
    if not math.isnan(level) or "_tail_" in name:
        return False
    return name.endswith(("_mean", "_ratio")) or name in SINGLE


def certain_rows(rows: Iterable[Row]) -> Iterator[Row]:
    """The rows that one scenario has, each exact."""
    for measure, level, found in rows:
        if is_certain(measure, level) and math.isfinite(found.value):
            yield measure, level, Estimate(found.value, 0.0, found.value, found.value, 1.0, found.unit)


def rows_of(result: Result, rows: Iterable[Row]) -> Iterable[Row]:
    """The rows of a result as they are reported: all of a sample, the certain ones of a script."""
    return certain_rows(rows) if is_scripted(result) else rows
