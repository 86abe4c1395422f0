"""Cost of risk: what a programme costs in all, its parts kept apart (docs/MODEL.md §12).

Per scenario: premium + retained loss + financing cost + trade cost + lost margin + capital charge + reserve cost. The
last two are constants of the programme: capital charge = cost of capital · years · (TVaR₉₉ − mean) of retained loss,
reserve cost = reserve · cost of capital · years, unless the reserve is a fund: then its cost is the scenario's.
"""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np

from simulator.engine.spill import room
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
#: What trading under safer terms costs a programme; a result has them where some programme trades so.
TRADE_COSTS = ("trade_cost", "lost_margin")


def capital_rate(study: Study, programme: int) -> float:
    """Cost of capital of a programme over the whole horizon, as a share of the capital."""
    return study.programmes[programme].cost_of_capital * Calendar.of(study).horizon_years


def reserve_cost(study: Study, programme: int) -> float:
    """Opportunity cost of the programme's reserve over the horizon, money."""
    return study.reserve(programme) * capital_rate(study, programme)


def reserve_in_cash(study: Study, programme: int) -> float:
    """The programme's reserve where it is part of its cash, money; a fund apart is not."""
    return 0.0 if study.programmes[programme].reserve_fund is not None else study.reserve(programme)


def has_fund_cost(scenarios: xr.Dataset, study: Study, programme: int) -> bool:
    """Whether the programme's reserve is a fund whose cost the result holds by scenario."""
    by_scenario = "reserve_cost" in scenarios and "scenario" in scenarios["reserve_cost"].dims
    return by_scenario and study.programmes[programme].reserve_fund is not None


def capital_charge(retained: Sample, rate: float) -> Functional:
    """rate · (TVaR₉₉ − mean) of retained loss, with its influence."""
    tail, average = tail_value_at_risk(retained, CAPITAL_LEVEL), mean(retained)
    if rate == 0.0:  # exactly nothing, even where the error of the tail is not known
        return Functional(0.0, np.zeros(retained.n), retained.p)
    influence = tail.influence  # as rate * (tail - average), in place: there is a number per scenario
    influence -= average.influence
    influence *= rate
    return Functional(rate * (tail.value - average.value), influence, retained.p)


def with_cost_of_risk(
    scenarios: xr.Dataset, study: Study, in_files: bool = False, folder: Path | None = None
) -> xr.Dataset:
    """The scenarios with ``capital_charge`` and ``reserve_cost`` (programme) and ``cost_of_risk`` added.

    ``financing_cost`` and the costs of trade count as zero where the result does not hold them. Where the scenarios are
    kept in files, these are too: in a folder, that of temporary files when None.
    """
    retained = _by_programme(scenarios, "retained_loss")
    p = probabilities(scenarios["weight"].to_numpy())
    charges = np.array([capital_charge(Sample(row, p), capital_rate(study, k)).value for k, row in enumerate(retained)])
    reserves = np.array([reserve_cost(study, k) for k in range(len(retained))])
    held: tuple[object, object] = ("programme", reserves)
    funded = [has_fund_cost(scenarios, study, k) for k in range(len(retained))]
    by_scenario = None
    if any(funded):
        by_scenario = room(retained.shape, np.float64, in_files, folder)
        of_funds = _by_programme(scenarios, "reserve_cost")
        for k, has_fund in enumerate(funded):
            by_scenario[k] = of_funds[k] if has_fund else reserves[k]
        held = (("programme", "scenario"), by_scenario)
    total = room(retained.shape, np.float64, in_files, folder)
    added = [_by_programme(scenarios, n) for n in ("retained_loss", "financing_cost", *TRADE_COSTS) if n in scenarios]
    for k, premium in enumerate(_by_programme(scenarios, "premium")):
        total[k] = premium
        for values in added:
            total[k] += values[k]
        if by_scenario is not None:
            total[k] += charges[k]
            total[k] += by_scenario[k]
        else:
            total[k] += charges[k] + reserves[k]
    with_costs = scenarios.assign(
        capital_charge=("programme", charges), reserve_cost=held, cost_of_risk=(("programme", "scenario"), total)
    )
    return stamp(with_costs, study.study.currency)


def _by_programme(scenarios: xr.Dataset, name: str) -> Floats:
    return np.asarray(scenarios[name].transpose("programme", "scenario").to_numpy())
