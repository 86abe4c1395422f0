"""How many scenarios are run, from which seed, and how precise the answer is to be."""

from __future__ import annotations

from typing import Literal

from pydantic import Field

from simulator.study.amounts import Count, Fraction
from simulator.study.section import Section

#: Measures of a tail, which have a level.
LEVELLED = ("value_at_risk", "tail_value_at_risk", "liquidity_at_risk")
#: Measures that need cash.
OF_CASH = ("shortfall_probability", "liquidity_at_risk")
#: Level of a measure of the tail where none is given.
USUAL_LEVEL = 0.99


class Precision(Section):
    """Run until one measure is known well enough: scenarios are added in whole chunks of 4,096."""

    measure: Literal[
        "expected_loss", "value_at_risk", "tail_value_at_risk", "shortfall_probability", "liquidity_at_risk"
    ] = "tail_value_at_risk"
    """The measure: of gross loss, or of a programme's retained loss, or of its cash."""
    level: Fraction | None = None
    """Level of a measure of the tail; 99 % by default."""
    relative_error: Fraction
    """Standard error to reach, as share of the measure's value."""
    programme: str | None = None
    """Programme it is measured for; by default gross loss is looked at, or the cash of the first programme."""
    max_scenarios: Count = 1_000_000
    """Most scenarios, whether the error is reached or not."""

    def at(self) -> float | None:
        """The level it is measured at; None for a measure that has none."""
        if self.measure not in LEVELLED:
            return None
        return USUAL_LEVEL if self.level is None else self.level


class Simulation(Section):
    """How many scenarios, and from which seed."""

    scenarios: Count = 10_000
    """Number of scenarios; where a precision is asked for, the number to start with."""
    stress_scenarios: Count | None = None
    """Scenarios of each stress; as many as the study, at most 10,000, by default."""
    seed: int = Field(default=1, ge=0, lt=2**63)
    """Seed of every random stream."""
    tail: Literal["plain", "importance"] = "plain"
    """importance: every second scenario has the global driver shifted towards bad states; all are weighted."""
    importance_shift: float = Field(default=1.5, gt=0, le=5)
    """Size of that shift in standard deviations."""
    paths: Literal["summarised", "exact"] = "summarised"
    """Quantiles of paths by period: from summaries, with a known error of rank, or exact, from all paths."""
    precision: Precision | None = None
    """Add scenarios until a measure is known well enough."""
