"""Student-t copula: one scale √(ν/W), W ~ χ²_ν, multiplies all latent variables of a scenario.

Scenarios with a large scale bring joint extremes: the tail dependence a Gaussian copula lacks
(Demarta and McNeil, *The t Copula and Related Copulas*, 2005).
"""

from __future__ import annotations

import numpy as np
from scipy.special import gammainccinv, gammaincinv, ndtr, stdtrit

from simulator.errors import InputError, Problem
from simulator.ledger.portfolio import Floats
from simulator.streams import table_grid
from simulator.study.schema import Dependence

#: Below this, thresholds and scales leave the range of floating point numbers.
LEAST_DEGREES_OF_FREEDOM = 0.1


def _degrees_of_freedom(dependence: Dependence) -> float:
    value = dependence.degrees_of_freedom
    if value < LEAST_DEGREES_OF_FREEDOM:
        message = f"degrees of freedom must be at least {LEAST_DEGREES_OF_FREEDOM:g}: below, numbers overflow"
        path = "credit.dependence.degrees_of_freedom"
        raise InputError([Problem(message, path=path, value=f"{value:g}")])
    return value


def quantile(probability: Floats, dependence: Dependence) -> Floats:
    """Latent threshold of a probability of default: the Student-t quantile; −∞ for 0, ∞ for 1.

    Raises:
        InputError: if the degrees of freedom are below :data:`LEAST_DEGREES_OF_FREEDOM`.
    """
    p = np.asarray(probability, dtype=np.float64)
    inside = (p > 0.0) & (p < 1.0)
    # SciPy's inverse returns +∞ at p = 0, so both ends are set here
    value = stdtrit(_degrees_of_freedom(dependence), np.where(inside, p, 0.5))
    return np.where(inside, value, np.where(p > 0.0, np.inf, -np.inf))


def mixing_table(dependence: Dependence) -> Floats:
    """Logarithm of the mixing scale √(ν/W) by normal score z, float64[TABLE_SIZE].

    W is the χ²_ν quantile at Φ(−z), so the scale *rises* with z: high z means joint extremes. Linear in z between
    knots, the error of the logarithm is below 2e-6/min(1, ν) (second derivative at most about 1/ν, knots 1/256 apart).

    Raises:
        InputError: if the degrees of freedom are below :data:`LEAST_DEGREES_OF_FREEDOM`.
    """
    nu = _degrees_of_freedom(dependence)
    z = table_grid()
    # each half by the tail that keeps its digits
    chi_square = 2.0 * np.where(z > 0.0, gammaincinv(nu / 2.0, ndtr(-z)), gammainccinv(nu / 2.0, ndtr(z)))
    return np.asarray(0.5 * np.log(nu / chi_square), dtype=np.float64)
