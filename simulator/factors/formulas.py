"""Formulas of the common state: what a buyer shares with others, and what that means for its default.

Latent variable of a buyer: X = M + √(1 − ρ)·ε with M = Σ a·Z, Var M = ρ; low is bad. A default means that
``mixing · X`` does not exceed the buyer's threshold; ``mixing`` is 1 for the Gaussian copula.
"""

import math

import numpy as np

from simulator.jit import scalar

_INVERSE_ROOT_TWO = 1.0 / math.sqrt(2.0)


@scalar
def normal_cdf(x):
    """Standard normal distribution function, by the complementary error function so that tails keep their digits.

    Worked number: normal_cdf(-1.8911824) = 0.0293.
    """
    return 0.5 * math.erfc(-x * _INVERSE_ROOT_TWO)


@scalar
def common_part(loading_start, loading_driver, loading, drivers, scenario, buyer):
    """M, the common part of a buyer's latent variable: its loadings times the drivers of this scenario.

    Args:
        loading_start: first loading of each buyer, int32[n_buyers + 1].
        loading_driver: driver of each loading, int32[n_loadings].
        loading: the loadings, float64[n_loadings].
        drivers: drivers of all scenarios, float64[n_scenarios, n_drivers].
        scenario: row of ``drivers``.
        buyer: the buyer.

    Worked number: loadings (0.3, 0.2) on drivers (-1, 0.5) give M = -0.2.
    """
    total = 0.0
    for i in range(loading_start[buyer], loading_start[buyer + 1]):
        total += loading[i] * drivers[scenario, loading_driver[i]]
    return total


@scalar
def latent(common, systematic_share, residual):
    """X = M + √(1 − ρ)·ε, the buyer's latent variable before mixing; N(0, 1), low is bad.

    Args:
        common: M, from :func:`common_part`.
        systematic_share: ρ, the variance of M, in [0, 1].
        residual: ε, the buyer's (or its group's) own standard normal draw.

    Worked number: latent(-0.2, 0.19, -1) = -0.2 - 0.9 = -1.1.
    """
    return common + np.sqrt(1.0 - systematic_share) * residual


@scalar
def mixture_weight(exponent):
    """Weight of a scenario drawn from half untilted, half tilted: f/(½f + ½g) = 1/(½ + ½·g/f), never above 2.

    f is the density of the independent draws ξ, g that of the tilted ones; g/f = exp(exponent). The balance heuristic
    of Veach and Guibas 1995, the defensive mixture of Owen and Zhou 2000.

    Args:
        exponent: log g/f = Σ θ·ξ − ½·Σ θ² for tilts θ, whichever half ξ was drawn from.

    Worked number: θ = −1.5, ξ = −3: exponent 4.5 − 1.125 = 3.375, weight 0.0661720; without tilt exactly 1.
    """
    return 1.0 / (0.5 + 0.5 * np.exp(exponent))


@scalar
def conditional_pd(threshold, common, systematic_share, mixing):
    """Probability of default given the state: Φ((threshold/mixing − M)/√(1 − ρ)).

    Vasicek 1987 for the Gaussian copula (mixing 1); for Student-t the threshold is the t quantile of the
    unconditional probability and ``mixing`` is √(ν/W). With ρ = 1 nothing is left to chance: 0 or 1.

    Worked number: PD 2.93 %, ρ = 0.15, M = √0.15·(−3.0902323) (the state of one year in a thousand) → 0.2256895.
    """
    own_variance = 1.0 - systematic_share
    if own_variance <= 0.0:
        return 1.0 if common <= threshold / mixing else 0.0
    return normal_cdf((threshold / mixing - common) / np.sqrt(own_variance))
