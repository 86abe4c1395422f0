"""Rules on the number of scenarios and the precision asked for."""

from __future__ import annotations

from simulator.errors import closest
from simulator.study.breaches import Breaches
from simulator.study.paths import KeyPath
from simulator.study.schema import Study
from simulator.study.schema_simulation import LEVELLED, OF_CASH

MAX_SCENARIOS = 1_000_000_000


def _counts(study: Study, found: Breaches) -> None:
    simulation, asked = study.simulation, study.simulation.precision
    counts: list[tuple[KeyPath, int | None]] = [
        (("simulation", "scenarios"), simulation.scenarios),
        (("simulation", "stress_scenarios"), simulation.stress_scenarios),
        (("simulation", "precision", "max_scenarios"), None if asked is None else asked.max_scenarios),
    ]
    for path, count in counts:
        if count is not None and not 1 <= count <= MAX_SCENARIOS:
            found.add(path, "must be from 1 to 1 bn scenarios")


def _precision(study: Study, found: Breaches) -> None:
    asked, path = study.simulation.precision, ("simulation", "precision")
    if asked is None:
        return
    if asked.relative_error <= 0.0:
        found.add((*path, "relative_error"), "must be above 0: no number of scenarios makes an estimate exact")
    if asked.level is not None:
        if asked.measure not in LEVELLED:
            message = f"{asked.measure} has no level: leave it out"
            found.add((*path, "level"), message, at_key=True, reads=[(*path, "measure")])
        elif not 0.0 < asked.level < 1.0:
            found.add((*path, "level"), "must lie between 0 and 1, both excluded")
    if asked.measure in OF_CASH and study.portfolio.exposure == "constant":
        message = "needs cash, which `exposure: constant` does not have"
        found.add((*path, "measure"), message, reads=[("portfolio", "exposure")])
    names = [programme.name for programme in study.programmes]
    if asked.programme is not None and asked.programme not in names:
        message = f"no programme has this name; there are {', '.join(names)}"
        found.add((*path, "programme"), message, closest(asked.programme, names))
    if asked.max_scenarios < study.simulation.scenarios:
        found.add(
            (*path, "max_scenarios"),
            f"must not be below simulation.scenarios, {study.simulation.scenarios:,}, which are run in any case",
            reads=[("simulation", "scenarios")],
        )


SIMULATION_RULES = [_counts, _precision]
