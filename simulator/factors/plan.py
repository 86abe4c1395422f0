"""From study and ledger to the arrays of the common state, and the state itself.

``build_factors`` prepares once; ``draw_states`` draws any block of scenarios, each number keyed by scenario and
driver, so that blocks, their order and the other drivers never matter.
"""

from __future__ import annotations

from typing import NamedTuple

import numpy as np

from simulator.errors import Problems
from simulator.factors.copulas import COPULAS
from simulator.factors.drivers import common_parts, lower_factor, shift_vector, tilt_vector
from simulator.factors.kernels import draw_state
from simulator.ledger.portfolio import Floats, Ints, Keys, Portfolio
from simulator.streams import entity_key, stream_key
from simulator.study.schema import Study

#: Entity of draws that a scenario has only one of.
SCENARIO_ENTITY = entity_key("scenario")
#: Scenarios whose state is drawn at once.
PART = 256


class FactorPlan(NamedTuple):
    """Arrays of the common state.

    Attributes:
        driver_entity: entity of each driver, uint64[n_drivers]; the global driver is index 0.
        cholesky: Z = cholesky·ξ, float64[n_drivers, n_drivers], lower triangular.
        shift: added to Z (stress), standard deviations, float64[n_drivers].
        tilt: added to ξ in every second scenario and weighted away (importance sampling), float64[n_drivers]; it is
            0 but for the global driver, whose draw is ξ₀ = Z₀ before any stress.
        mixing_table: log of the mixing scale by normal score, float64[1, TABLE_SIZE].
        loading_start: first loading of each buyer, int32[n_buyers + 1].
        loading_driver: driver of each loading, int32[n_loadings].
        loading: loadings, float64[n_loadings].
        systematic_share: variance of the buyer's common part, float64[n_buyers], in [0, 1].
        residual_entity: entity of the buyer's own draw ε, uint64[n_buyers]: its group, or itself.
    """

    driver_entity: Keys
    cholesky: Floats
    shift: Floats
    tilt: Floats
    mixing_table: Floats
    loading_start: Ints
    loading_driver: Ints
    loading: Floats
    systematic_share: Floats
    residual_entity: Keys


class States(NamedTuple):
    """Common state of a block of scenarios.

    Attributes:
        drivers: Z, float64[n_scenarios, n_drivers].
        mixing: scale of all latent variables, float64[n_scenarios]; exactly 1 for the Gaussian copula.
        weight: importance weight, float64[n_scenarios], at most 2; exactly 1 without importance sampling.
    """

    drivers: Floats
    mixing: Floats
    weight: Floats


def build_factors(study: Study, portfolio: Portfolio, state_shift: dict[str, float]) -> tuple[FactorPlan, list[str]]:
    """Prepare the common state.

    Args:
        study: ``credit.dependence`` and ``simulation`` are read.
        portfolio: countries, sectors, groups and loadings of the buyers are read.
        state_shift: stress shift by driver name, standard deviations.

    Returns:
        The plan, and the driver names (the global one first).

    Raises:
        InputError: unknown driver, impossible correlation, a buyer whose common variance exceeds 1, or importance
            sampling where no buyer depends on the global driver.
    """
    problems = Problems()
    common = common_parts(study, portfolio, problems)
    names, correlation, pairs, variance = common
    tilt = tilt_vector(study, common, problems)
    shift = shift_vector(state_shift, names, "state_shift", problems)
    problems.raise_if_any()

    dependence, buyers = study.credit.dependence, portfolio.buyers
    counts = [len(drivers) for drivers, _ in pairs]
    residual = [
        entity_key(f"group:{group}") if group else int(entity)
        for group, entity in zip(buyers.group_id, buyers.entity, strict=True)
    ]
    plan = FactorPlan(
        driver_entity=np.array([entity_key(f"driver:{name}") for name in names], dtype=np.uint64),
        cholesky=lower_factor(correlation),
        shift=shift,
        tilt=tilt,
        mixing_table=COPULAS[dependence.copula].mixing_table(dependence).reshape(1, -1),
        loading_start=np.concatenate([[0], np.cumsum(counts)]).astype(np.int32),
        loading_driver=np.array([j for drivers, _ in pairs for j in drivers], dtype=np.int32),
        loading=np.array([a for _, loadings in pairs for a in loadings], dtype=np.float64),
        systematic_share=variance,
        residual_entity=np.array(residual, dtype=np.uint64),
    )
    return plan, names


def draw_states(plan: FactorPlan, seed: int, first_scenario: int, count: int) -> States:
    """The common state of scenarios ``first_scenario`` … ``first_scenario + count - 1``.

    Args:
        plan: from :func:`build_factors`.
        seed: the study's seed.
        first_scenario: first scenario, a multiple of 4.
        count: number of scenarios, a multiple of 4.

    Raises:
        ValueError: if ``first_scenario`` or ``count`` is not a multiple of 4.
    """
    if first_scenario % 4 or count % 4:
        raise ValueError("scenarios are drawn in fours: first_scenario and count must be multiples of 4")
    drivers = np.empty((count, len(plan.driver_entity)))
    mixing = np.empty(count)
    weight = np.empty(count)
    pair = np.empty((-(-count // PART), PART // 2), np.uint64)
    cholesky_start = (plan.cholesky != 0.0).argmax(axis=1).astype(np.int32)
    draw_state(
        stream_key(seed, "driver"), stream_key(seed, "mixing"), first_scenario // 4, plan.driver_entity,
        np.uint64(SCENARIO_ENTITY), plan.cholesky, cholesky_start, plan.shift, plan.tilt, plan.mixing_table,
        drivers, mixing, weight, pair, pair.view(np.uint32), np.empty((len(pair), PART)),
    )  # fmt: skip
    return States(drivers, mixing, weight)
