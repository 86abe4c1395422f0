"""How strongly currencies move: the laws of a study's rates, their correlation, and their tie to buyers' failures.

Nothing here needs compiled code, so ``simulator check`` can use it.
"""

from __future__ import annotations

import math
from typing import NamedTuple

import numpy as np

from simulator.errors import InputError, Problem
from simulator.fx.dynamics import FEWEST_WEEKS, STEPS_PER_YEAR, build_dynamics
from simulator.fx.history import History
from simulator.fx.matrices import TOLERANCE, largest_common_scale, smallest_eigenvalue
from simulator.ledger.portfolio import Floats
from simulator.study.schema import Study

#: Weekly decay of the bootstrap's variance filter (RiskMetrics' value for slow data).
DECAY = 0.97


class CurrencyLaws(NamedTuple):
    """What rates are drawn from; all zeros where rates stand still.

    Attributes:
        volatility: annual, of log rates, float64[n_currencies] (not for the bootstrap).
        correlation: of log rates, float64[n_currencies, n_currencies].
        residuals: standardised by week, float64[n_weeks, n_currencies] (bootstrap; else no weeks).
        variance: weekly, at day 0, float64[n_currencies] (bootstrap).
        weight: of the global driver on the standardised horizon return, float64[n_currencies].
    """

    volatility: Floats
    correlation: Floats
    residuals: Floats
    variance: Floats
    weight: Floats


def currency_laws(study: Study, codes: list[str], history: History | None) -> CurrencyLaws:
    """The laws of a study's currencies.

    Args:
        study: ``fx`` is read.
        codes: currencies, the study currency first.
        history: the rate history, if there is one.

    Raises:
        InputError: no volatility for a currency, an unusable history, correlations that cannot hold together, or
            wrong-way correlations stronger than the currencies' own correlations allow.
    """
    n = len(codes)
    volatility, correlation = np.zeros(n), np.eye(n)
    residuals, variance = np.zeros((0, n)), np.zeros(n)
    if study.fx.model == "none" or n == 1:
        return CurrencyLaws(volatility, correlation, residuals, variance, np.zeros(n))
    if study.fx.model == "bootstrap":
        residuals, variance, correlation = filtered(study, codes, history)
    else:
        volatility, correlation, _ = build_dynamics(study, codes, history)
    return CurrencyLaws(volatility, correlation, residuals, variance, _weights(study, codes, correlation))


def _weights(study: Study, codes: list[str], correlation: Floats) -> Floats:
    """Weight of the global driver that gives each horizon return its wrong-way correlation."""
    asked, nu = study.fx.wrong_way, study.fx.degrees_of_freedom
    weight = np.array([0.0] + [asked.get(c, 0.0) if isinstance(asked, dict) else asked for c in codes[1:]])
    if study.fx.model == "student_t":
        # the common scale g blurs the correlation by E[g] (with E[g²] = 1), so the weight makes up for it
        weight /= math.sqrt(0.5 * (nu - 2.0)) * math.exp(math.lgamma(0.5 * (nu - 1.0)) - math.lgamma(0.5 * nu))
    if not weight.any():
        return weight
    least = smallest_eigenvalue((correlation - np.outer(weight, weight))[1:, 1:])
    if least < -TOLERANCE:
        scale = largest_common_scale(correlation[1:, 1:], weight[1:])
        text = (
            f"stronger than the correlations of {', '.join(codes[1:])} among themselves allow (smallest eigenvalue "
            f"of what remains {least:.4g}): multiply the wrong-way correlations by at most {scale:.3f}, or raise "
            f"fx.correlation"
        )
        raise InputError([Problem(text, path="fx.wrong_way")])
    return weight


def filtered(study: Study, codes: list[str], history: History | None) -> tuple[Floats, Floats, Floats]:
    """Standardised weekly residuals, the variance they start from, and their correlation.

    Each weekly return is divided by the EWMA volatility known before it (begun at the sample variance); what
    remains is centred and scaled to variance 1, so a path's expected variance is the one it starts from: the last
    filtered value, or ``fx.volatility`` where given.
    """
    foreign = codes[1:]
    missing = [code for code in foreign if history is None or math.isnan(history.spot(code))]
    if missing or history is None:
        text = f"the bootstrap needs a rate history with {', '.join(missing)} up to the ledger's date"
        raise InputError([Problem(text, path="fx.history", value=study.fx.history)])
    returns = history.weekly_returns(foreign)
    if len(returns) < FEWEST_WEEKS:
        text = f"the bootstrap needs at least {FEWEST_WEEKS} weeks that all currencies share; there are {len(returns)}"
        raise InputError([Problem(text, path="fx.history", value=study.fx.history)])
    variance = np.maximum(returns.var(axis=0), 1e-12)
    residuals = np.zeros((len(returns), len(codes)))
    for week, move in enumerate(returns):
        residuals[week, 1:] = move / np.sqrt(variance)
        variance = DECAY * variance + (1.0 - DECAY) * move**2
    residuals -= residuals.mean(axis=0)
    residuals /= np.maximum(residuals.std(axis=0), 1e-12)
    first = np.concatenate([[0.0], variance])
    for c, code in enumerate(foreign, start=1):
        if code in study.fx.volatility:
            first[c] = study.fx.volatility[code] ** 2 / STEPS_PER_YEAR
    correlation = residuals.T @ residuals / len(residuals)
    correlation[0, 0] = 1.0
    return residuals, first, correlation
