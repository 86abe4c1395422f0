"""From study and ledger to the arrays that currency paths are drawn with, and the paths themselves."""

from __future__ import annotations

from pathlib import Path
from typing import NamedTuple

import numpy as np
from scipy.special import gammainccinv, gammaincinv, ndtr

from simulator.fx.dynamics import STEPS_PER_YEAR, build_dynamics
from simulator.fx.history import load_history
from simulator.fx.kernels import draw_bootstrap, draw_diffusion
from simulator.fx.laws import DECAY, currency_laws, filtered
from simulator.fx.matrices import ordered_root
from simulator.fx.spot import rates_of
from simulator.ledger.portfolio import Floats, Keys, Portfolio
from simulator.streams import TABLE_SIZE, entity_key, stream_key, table_grid
from simulator.study.calendar import Calendar
from simulator.study.schema import Study

MODELS = ("none", "gbm", "student_t", "bootstrap")
#: Scenarios that are drawn together at most.
TILE = 64
#: Mean length of a bootstrap block, weeks.
MEAN_BLOCK = 4


class FxPlan(NamedTuple):
    """Arrays of the fx room; index 0 of every currency axis is the study currency.

    Attributes:
        model: index into :data:`MODELS`.
        spot: study currency per unit on day 0, before any shock, float64[n_currencies].
        jump: factor of an immediate shock, felt from the first step, float64[n_currencies].
        step_drift: added to the log rate each week, float64[n_currencies].
        step_growth: factor of the expected rate each week, float64[n_currencies].
        step_volatility: of the weekly log rate, float64[n_currencies].
        currency_entity: uint64[n_currencies].
        horizon_weight: weight w of the global driver on the standardised horizon return, float64[n_currencies];
            positive: the currency falls when the driver is low.
        residual_root: root of C − w·wᵀ, float64[n_currencies, n_currencies].
        mixing_table: log of the scenario's scale by normal score, float64[1, TABLE_SIZE]; zeros but for student_t.
        history: standardised residuals by week, float64[n_weeks, n_currencies] (bootstrap; else no weeks).
        variance0: weekly variance at day 0, float64[n_currencies] (bootstrap).
        decay: EWMA decay of the variance, per week.
        mean_block: mean length of a bootstrap block, weeks.
    """

    model: int
    spot: Floats
    jump: Floats
    step_drift: Floats
    step_growth: Floats
    step_volatility: Floats
    currency_entity: Keys
    horizon_weight: Floats
    residual_root: Floats
    mixing_table: Floats
    history: Floats
    variance0: Floats
    decay: float
    mean_block: int


def build_fx(
    study: Study,
    portfolio: Portfolio,
    calendar: Calendar,
    fx_shock: dict[str, float] | None = None,
    folder: Path = Path(),
) -> FxPlan:
    """Prepare currency paths.

    Args:
        study: ``fx`` is read.
        portfolio: its currencies, the study currency first.
        calendar: the study's days (paths are always weekly, whatever its period).
        fx_shock: immediate change by currency, such as −0.1, felt from the first step; other codes are ignored.
        folder: the study's folder, where a history file is looked up.

    Raises:
        InputError: no rate or no volatility for a currency, an unusable history, correlations that cannot hold
            together, or wrong-way correlations stronger than the currencies' own correlations allow.
    """
    fx, codes = study.fx, portfolio.currencies
    history = load_history(study, folder, codes)
    spot = rates_of(study, history, codes)
    n = len(codes)
    active = fx.model != "none" and n > 1
    # of the logarithm, so that the expected rate after a year is spot·(1 + drift)
    drift = np.log1p(np.array([fx.drift.get(code, 0.0) if active else 0.0 for code in codes]))
    volatility, correlation, residuals, variance, weight = currency_laws(study, codes, history)
    root = ordered_root(correlation - np.outer(weight, weight), codes)
    if weight.any() and len(residuals):
        # linear mix of the residuals that leaves room for the common part: covariance C becomes C − w·wᵀ
        residuals = residuals @ np.linalg.pinv(ordered_root(correlation, codes)).T @ root.T
    return FxPlan(
        model=MODELS.index(fx.model) if active else 0,
        spot=np.array([spot[code] for code in codes]),
        jump=np.array([1.0 + (fx_shock or {}).get(code, 0.0) for code in codes]),
        step_drift=(drift - 0.5 * volatility**2) / STEPS_PER_YEAR,
        step_growth=np.exp(drift / STEPS_PER_YEAR),
        step_volatility=volatility / np.sqrt(STEPS_PER_YEAR),
        currency_entity=np.array([entity_key(f"currency:{code}") for code in codes], dtype=np.uint64),
        horizon_weight=weight,
        residual_root=root,
        mixing_table=mixing_table(fx.degrees_of_freedom) if fx.model == "student_t" else np.zeros((1, TABLE_SIZE)),
        history=residuals,
        variance0=variance,
        decay=DECAY,
        mean_block=MEAN_BLOCK,
    )


def describe_fx(study: Study, portfolio: Portfolio, folder: Path = Path()) -> list[str]:
    """Where each volatility comes from and which correlations nobody gave, in sentences for the report.

    Raises:
        InputError: as :func:`build_fx`.
    """
    codes = portfolio.currencies
    if study.fx.model == "none" or len(codes) < 2:
        return []
    history = load_history(study, folder, codes)
    if study.fx.model == "bootstrap":
        residuals, _, _ = filtered(study, codes, history)
        return [f"{', '.join(codes[1:])}: {len(residuals)} weeks of history, replayed in blocks at current volatility"]
    return build_dynamics(study, codes, history).notes


def draw_rates(plan: FxPlan, seed: int, first_scenario: int, drivers: Floats, n_steps: int) -> Floats:
    """Weekly rates of a block of scenarios.

    Args:
        plan: from :func:`build_fx`.
        seed: the study's seed.
        first_scenario: first scenario, a multiple of 4.
        drivers: common state, float64[n_scenarios, n_drivers], n_scenarios a multiple of 4; column 0 is global.
        n_steps: weekly steps, at least 1.

    Returns:
        Study currency per unit, float64[n_scenarios, n_currencies, n_steps + 1]; index 0 is the spot.

    Raises:
        ValueError: if ``first_scenario`` or the number of scenarios is not a multiple of 4.
    """
    if first_scenario % 4 or len(drivers) % 4:
        raise ValueError("scenarios are drawn in fours: first scenario and count must be multiples of 4")
    rates = np.empty((len(drivers), len(plan.spot), n_steps + 1))
    quad, scenario = first_scenario // 4, np.uint64(entity_key("scenario"))
    if MODELS[plan.model] == "none":
        rates[:] = (plan.spot * plan.jump)[:, None]
        rates[:, :, 0] = plan.spot
    elif MODELS[plan.model] == "bootstrap":
        draw_bootstrap(
            stream_key(seed, "fx"), stream_key(seed, "fx_bootstrap"), quad, scenario, plan.spot, plan.jump,
            plan.step_drift, plan.horizon_weight, plan.history, plan.variance0, plan.decay, plan.mean_block,
            drivers, np.empty((len(drivers), len(plan.spot))), rates,
        )  # fmt: skip
    else:
        draw_diffusion(
            stream_key(seed, "fx"), stream_key(seed, "fx_mixing"), quad, scenario, plan.currency_entity, plan.spot,
            plan.jump, plan.step_drift, plan.step_volatility, plan.horizon_weight, plan.residual_root,
            plan.mixing_table, drivers, *allocate_tiles(len(drivers), len(plan.spot), n_steps), rates,
        )  # fmt: skip
    return rates


def allocate_tiles(n: int, n_currencies: int, n_steps: int) -> tuple[Keys, np.ndarray, Floats, Floats]:
    """Working space of :func:`~simulator.fx.kernels.draw_diffusion` for n scenarios, a multiple of four: random words,
    the same memory in halves, numbers by scenario, and steps."""
    width = min(TILE, -(-n // 8) * 4)
    n_tiles = -(-n // width)
    pair = np.empty((n_tiles, width // 2), np.uint64)
    steps = np.empty((n_tiles, n_currencies + 1, n_steps, width))
    return pair, pair.view(np.uint32), np.empty((n_tiles, 3, width)), steps


def mixing_table(degrees_of_freedom: float) -> Floats:
    """Log of the Student-t scale √((ν − 2)/W), W ~ χ²_ν, by normal score; rising, of unit mean square.

    Returns:
        float64[1, TABLE_SIZE].
    """
    z, half = table_grid(), 0.5 * degrees_of_freedom
    chi_square = 2.0 * np.where(z > 0.0, gammaincinv(half, ndtr(-z)), gammainccinv(half, ndtr(z)))
    log_scale = 0.5 * np.log((degrees_of_freedom - 2.0) / chi_square)
    return np.asarray(log_scale, dtype=np.float64).reshape(1, -1)
