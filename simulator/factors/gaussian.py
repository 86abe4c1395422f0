"""Gaussian copula: no mixing, so joint extremes fade (no tail dependence)."""

from __future__ import annotations

import numpy as np
from scipy.special import ndtri

from simulator.ledger.portfolio import Floats
from simulator.streams import TABLE_SIZE
from simulator.study.schema import Dependence


def quantile(probability: Floats, dependence: Dependence) -> Floats:
    """Latent threshold of a probability of default: Φ⁻¹(p); −∞ for 0, ∞ for 1."""
    return np.asarray(ndtri(probability), dtype=np.float64)


def mixing_table(dependence: Dependence) -> Floats:
    """Logarithm of the mixing scale, which is 1: float64[TABLE_SIZE] of zeros."""
    return np.zeros(TABLE_SIZE)
