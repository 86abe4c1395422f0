"""Cost of risk: what a programme costs in all, its parts kept apart (docs/MODEL.md §12).

Per scenario: premium + retained loss + financing cost + capital charge + reserve cost. The last two are constants of
the programme: capital charge = cost of capital · years · (TVaR₉₉ − mean) of retained loss, reserve cost = reserve ·
cost of capital · years.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from simulator.measures.estimate import Functional
from simulator.measures.estimates import mean
from simulator.measures.sample import Floats, Sample, probabilities
from simulator.measures.tail import tail_value_at_risk
from simulator.results.dataset import stamp
from simulator.study.calendar import Calendar

if TYPE_CHECKING:
    import xarray as xr

    from simulator.study.schema import Study

CAPITAL_LEVEL = 0.99


def capital_rate(study: Study, programme: int) -> float:
    """Cost of capital of a programme over the whole horizon, as a share of the capital."""
    return study.programmes[programme].cost_of_capital * Calendar.of(study).horizon_years


def reserve_cost(study: Study, programme: int) -> float:
    """Opportunity cost of the programme's reserve over the horizon, money."""
    return study.reserve(programme) * capital_rate(study, programme)


def capital_charge(retained: Sample, rate: float) -> Functional:
    """rate · (TVaR₉₉ − mean) of retained loss, with its influence."""
    return rate * (tail_value_at_risk(retained, CAPITAL_LEVEL) - mean(retained))


def expected_cost(premium: Sample, retained: Sample, financing: Sample, rate: float, reserve: float) -> Functional:
    """Expected cost of risk; its error includes that of the estimated capital charge."""
    parts = mean(premium) + mean(retained) + mean(financing) + capital_charge(retained, rate)
    return parts.shifted(reserve)


def with_cost_of_risk(scenarios: xr.Dataset, study: Study) -> xr.Dataset:
    """The scenarios with ``capital_charge`` and ``reserve_cost`` (programme) and ``cost_of_risk`` added.

    ``financing_cost`` counts as zero where cash was not simulated.
    """
    retained = scenarios["retained_loss"].transpose("programme", "scenario").to_numpy()
    p = probabilities(scenarios["weight"].to_numpy())
    charges = np.array([capital_charge(Sample(row, p), capital_rate(study, k)).value for k, row in enumerate(retained)])
    reserves = np.array([reserve_cost(study, k) for k in range(len(retained))])
    total: Floats = scenarios["premium"].transpose("programme", "scenario").to_numpy() + retained
    if "financing_cost" in scenarios:
        total = total + scenarios["financing_cost"].transpose("programme", "scenario").to_numpy()
    total = total + (charges + reserves)[:, None]
    added = scenarios.assign(
        capital_charge=("programme", charges),
        reserve_cost=("programme", reserves),
        cost_of_risk=(("programme", "scenario"), total),
    )
    return stamp(added, study.study.currency)
