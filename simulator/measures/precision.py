"""How well one measure is known, and how many scenarios it takes to know it well enough."""

from __future__ import annotations

import math
from collections.abc import Mapping
from dataclasses import asdict, dataclass, field
from typing import Any

import numpy as np

from simulator.engine.chunk import CHUNK
from simulator.engine.rows import RunRows
from simulator.measures.estimate import Estimate
from simulator.measures.estimates import mean, probability
from simulator.measures.sample import Floats, Sample
from simulator.measures.tail import ROUNDING, tail_size, tail_value_at_risk, too_few, value_at_risk
from simulator.study.schema import Study
from simulator.study.schema_simulation import OF_CASH, Precision

#: Fewest effective scenarios a measure rests on before its error is believed: fewer often look better than they are,
#: and a run that stops when the error looks small stops just then.
FEWEST_BEHIND = 100.0
#: A quarter of them will do behind the error itself: 25 tell it to 1/(2·√25) = 10 %.
OF_ERROR = 4.0
#: What is added beyond the expected need, because the error itself is an estimate.
MARGIN = 1.1
#: Most times as many scenarios in the next round: a first look at a rare event says little.
MOST_AT_ONCE = 8


def variable_of(asked: Precision) -> str:
    """The result variable that is looked at."""
    if asked.measure in OF_CASH:
        return "shortfall_amount"
    return "gross_loss" if asked.programme is None else "retained_loss"


def programme_of(asked: Precision, study: Study) -> int:
    """Number of the programme whose cash or loss is looked at; the first where none is named."""
    return [p.name for p in study.programmes].index(asked.programme) if asked.programme is not None else 0


def estimate_of(asked: Precision, values: Floats, weights: Floats) -> tuple[Estimate, float]:
    """The measure with its standard error, and how many effective scenarios say so.

    That is how many lie beyond the level of a measure of the tail, have the event of a probability, or contribute to a
    mean; and of a mean or a tail mean no more than four times those that its error rests on.
    """
    sample, level = Sample.weighted(values, weights), asked.at()
    if asked.measure == "expected_loss":
        average = mean(sample)
        return average.estimate(), min(contributing(weights * values), OF_ERROR * average.scenarios_behind)
    if asked.measure == "shortfall_probability":
        struck = (values > 0.0).astype(np.float64)
        return probability(Sample(struck, sample.p)), contributing(weights * struck)
    assert level is not None
    if asked.measure == "tail_value_at_risk":
        tail = tail_value_at_risk(sample, level)
        beyond = tail_size(sample, level)
        return tail.estimate(), beyond if too_few(beyond) else min(beyond, OF_ERROR * tail.scenarios_behind)
    at_level = value_at_risk(sample, level)
    return at_level, at_level.effective_sample_size * min(level, 1.0 - level)


def contributing(parts: Floats) -> float:
    """Effective number of scenarios that a sum comes from, (Σy)²/Σy²; 0 of nothing. Of (0, 0, 2, 2): 2."""
    squares = float(np.sum(parts * parts))
    return float(parts.sum()) ** 2 / squares if squares > 0.0 else 0.0


def relative_error(found: Estimate) -> float:
    """Standard error over the value. Of 50 ± 2: 0.04. Of a value that is zero nothing is known: infinity."""
    error = found.standard_error / abs(found.value) if found.value != 0.0 else math.inf
    return error if not math.isnan(error) else math.inf


@dataclass(frozen=True)
class Round:
    """What was known after so many scenarios."""

    scenarios: int
    value: float
    standard_error: float
    relative_error: float
    scenarios_behind: float

    def meets(self, target: float) -> bool:
        """Whether the error is small enough, and rests on enough scenarios to be believed."""
        return self.relative_error <= target and self.scenarios_behind >= FEWEST_BEHIND * (1.0 - ROUNDING)


@dataclass
class Search:
    """Asks for more scenarios until a measure is known well enough.

    What it asks for depends on the scenarios alone, so that the run ends with the same number of them whoever
    simulates, and whether or not it was stopped in between.

    Attributes:
        asked: measure, error and most scenarios.
        programme: number of the programme that is looked at.
        rounds: what was known after each round.
    """

    asked: Precision
    programme: int
    rounds: list[Round] = field(default_factory=list)

    def first(self, scenarios: int) -> int:
        """How many scenarios to start with: whole chunks, if not all that are allowed."""
        return min(-(-scenarios // CHUNK) * CHUNK, self.asked.max_scenarios)

    def enough(self, run: RunRows) -> int:
        """How many scenarios there should be, going by those there are; as many where that will do."""
        values = run.rows[variable_of(self.asked)]
        looked_at = values if values.ndim == 1 else values[:, self.programme]
        found, behind = estimate_of(self.asked, looked_at, run.rows["weight"])
        known = Round(run.n_scenarios, found.value, found.standard_error, relative_error(found), behind)
        self.rounds.append(known)
        return next_count(known, self.asked.relative_error, self.asked.max_scenarios)

    @property
    def met(self) -> bool:
        """Whether the error asked for was reached."""
        return bool(self.rounds) and self.rounds[-1].meets(self.asked.relative_error)

    def told(self) -> dict[str, Any]:
        """What was asked and what was done, for the provenance record."""
        return {
            **self.asked.model_dump(exclude={"level"}),
            "level": self.asked.at(),
            "met": self.met,
            "rounds": [asdict(known) for known in self.rounds],
        }


def precision_search(study: Study) -> Search | None:
    """The search for the precision a study asks for; None where it asks for none, or tells a script."""
    asked = study.simulation.precision
    return None if asked is None or study.script is not None else Search(asked, programme_of(asked, study))


def next_count(known: Round, target: float, most: int) -> int:
    """How many scenarios the next round should end with.

    The error falls with the square root of the number: after 4,096 scenarios with 4 % of error, 2 % take four times as
    many and a margin, 18,023, in whole chunks 20,480. With 41 scenarios beyond the level, 100 take 10,990, or 12,288.
    """
    n = known.scenarios
    if known.meets(target) or n >= most:
        return n
    fewer = FEWEST_BEHIND / known.scenarios_behind if known.scenarios_behind > 0.0 else math.inf
    smaller = (known.relative_error / target) ** 2
    wanted = fewer if math.isinf(smaller) and fewer > 1.0 else max(smaller, fewer)
    times = min(MARGIN * wanted, float(MOST_AT_ONCE))
    chunks = max(math.ceil(times * n / CHUNK), n // CHUNK + 1)
    return min(chunks * CHUNK, most)


def precision_sentence(told: Mapping[str, Any]) -> str:
    """What was asked for and what was done, in words; ``told`` as in the provenance record."""
    last = told["rounds"][-1]
    level = "" if told["level"] is None else f" at {100 * told['level']:g} %"
    of = "gross loss" if told["programme"] is None else told["programme"]
    if told["measure"] in OF_CASH and told["programme"] is None:
        of = "the first programme"
    steps = ", then ".join(f"{known['scenarios']:,}" for known in told["rounds"])
    error = math.inf if last["relative_error"] is None else last["relative_error"]  # a file holds no infinity
    reached = f"{100 * error:.2g} %" if math.isfinite(error) else "no bound"
    head = f"Precision: {told['measure'].replace('_', ' ')}{level} of {of} to {100 * told['relative_error']:g} %"
    if told["met"]:
        return f"{head} was asked for; {reached} was reached with {steps} scenarios."
    behind = last.get("scenarios_behind", math.inf)  # a run that was saved before this was asked holds none
    few = f"; {behind:,.0f} of them say so, and {FEWEST_BEHIND:,.0f} are needed" if behind < FEWEST_BEHIND else ""
    return f"{head} was asked for and not reached: {reached} with {steps} scenarios, the most allowed{few}."
