"""The scenario columns of a result as samples, each sorted at most once."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np
from numpy.typing import NDArray

from simulator.measures.cost_of_risk import TRADE_COSTS, capital_charge, capital_rate, has_fund_cost, reserve_cost
from simulator.measures.estimate import Functional
from simulator.measures.estimates import mean
from simulator.measures.sample import Floats, Sample, probabilities
from simulator.measures.tail import tail_part

if TYPE_CHECKING:
    from simulator.results.result import Result


#: Bytes of samples that are kept for further measures, and those of one that is sorted.
SAMPLE_BYTES, BYTES_PER_SCENARIO = 128 * 2**20, 24
#: Level of the tail that parts of a loss are looked at in.
WORST = 0.99
HALF_A_CENT = 0.005
#: Scenarios below which a share or a quantile of those alone is not worth saying.
FEWEST = 30


class Columns:
    """Samples by variable and programme, on the weights of one result.

    Attributes:
        result: the result they come from.
        p: scenario probabilities, ``None`` for equal ones.
        n_programmes: number of programmes.
    """

    def __init__(self, result: Result) -> None:
        self.result = result
        self.p = probabilities(result.scenarios["weight"].to_numpy())
        self.n_programmes = int(result.scenarios.sizes["programme"])
        self.n_scenarios = int(result.scenarios.sizes["scenario"])
        self._samples: dict[tuple[str, int], Sample] = {}
        self._most = max(1, SAMPLE_BYTES // (BYTES_PER_SCENARIO * max(1, self.n_scenarios)))
        self._takes: dict[str, bool] = {}

    def has(self, name: str) -> bool:
        """Whether the result holds a variable."""
        return name in self.result.scenarios

    def values(self, name: str, programme: int = -1) -> Floats:
        """Values of a variable over the scenarios; of one programme where it varies by programme."""
        variable = self.result.scenarios.variables[name]
        if "programme" in variable.dims:
            variable = variable.isel(programme=programme)
        return np.asarray(variable.to_numpy(), dtype=np.float64)

    def sample(self, name: str, programme: int = -1) -> Sample:
        """The sample of a variable; ``programme`` is left out for variables of the scenario alone."""
        key = (name, programme)
        found = self._samples.pop(key, None) or Sample(self.values(name, programme), self.p)
        self._samples[key] = found  # the one used last stands last
        if len(self._samples) > self._most:
            del self._samples[next(iter(self._samples))]
        return found

    def derived(self, values: Floats) -> Sample:
        """A sample of values computed from columns, on the same weights."""
        return Sample(values, self.p)

    def event(self, happened: NDArray[np.bool_]) -> Sample:
        """A sample of 0 and 1 from a boolean column."""
        return Sample(np.asarray(happened, dtype=np.float64), self.p)

    def financing(self, programme: int) -> Sample:
        """Financing cost; zero where cash was not simulated."""
        return self.sample_or_zero("financing_cost", programme)

    def sample_or_zero(self, name: str, programme: int) -> Sample:
        """The sample of a variable; zeros where the result does not hold it."""
        if self.has(name):
            return self.sample(name, programme)
        return Sample(np.broadcast_to(0.0, self.n_scenarios), self.p)

    def takes(self, name: str) -> bool:
        """Whether an amount is other than zero, rounding apart, in some scenario under some programme."""
        if name not in self._takes:
            values = self.result.scenarios[name].to_numpy() if self.has(name) else np.zeros(1)
            self._takes[name] = bool(max(values.max(), -values.min()) >= HALF_A_CENT)
        return self._takes[name]

    def tail_part(self, values: Floats) -> Functional:
        """Mean of a part over the worst 1 % of scenarios by gross loss."""
        return tail_part(self.sample("gross_loss"), values, WORST)

    def reserve(self, programme: int) -> float:
        """Reserve of a programme, money."""
        return self.result.study.reserve(programme)

    def reserve_cost(self, programme: int) -> Functional:
        """Cost of the reserve over the horizon: known, or that of a fund by what is in it."""
        if has_fund_cost(self.result.scenarios, self.result.study, programme):
            return mean(self.sample("reserve_cost", programme))
        value = reserve_cost(self.result.study, programme)
        return Functional(value, np.broadcast_to(0.0, self.n_scenarios), self.p)

    def capital_charge(self, programme: int) -> Functional:
        """Capital charge on retained loss."""
        return capital_charge(self.sample("retained_loss", programme), capital_rate(self.result.study, programme))

    def cost_of_risk(self, programme: int) -> Functional:
        """Expected cost of risk, the error of its capital charge included."""
        total = mean(self.sample("premium", programme))  # part by part: each has a number per scenario
        total += mean(self.sample("retained_loss", programme))
        total += mean(self.financing(programme))
        total += self.capital_charge(programme)
        for name in TRADE_COSTS:
            if self.has(name):
                total += mean(self.sample(name, programme))
        total += self.reserve_cost(programme)
        return total
