"""An estimate with its Monte-Carlo error, and the functional it comes from.

Every estimator is a *functional* of the scenario distribution: a value and an influence number per scenario
(what one more scenario like it would move). The standard error follows from the influence alone,
√Σ(pᵢψᵢ)², weights included; sums and differences of functionals on the same scenarios are again functionals,
which makes paired differences and composed figures (cost of risk) come out with their right errors.
"""

from __future__ import annotations

import math
from dataclasses import dataclass

import numpy as np
from numpy.typing import ArrayLike

from simulator.measures.sample import Floats, probabilities

Z95 = 1.959963984540054


def effective_size(weights: ArrayLike) -> float:
    """Kish's effective number of scenarios, (Σw)²/Σw². Of (1, 1, 2): 16/6 = 2.67."""
    p = probabilities(weights)
    return float(np.size(weights)) if p is None else float(1.0 / np.sum(p * p))


def weight_deviation(weights: ArrayLike) -> float:
    """How many standard errors the mean weight lies from 1, which it should be; 0 where all weights are 1.

    Equal weights other than 1 are infinitely far from it. Of (0.5, 1, 1.2): −0.1/(0.2944/√2) = −0.48.
    """
    array = np.asarray(weights, dtype=np.float64)
    gap = float(array.mean()) - 1.0
    if gap == 0.0:
        return 0.0
    error = float(array.std()) / math.sqrt(max(len(array) - 1, 1))
    return gap / error if error > 0.0 else math.copysign(math.inf, gap)


@dataclass(frozen=True)
class Estimate:
    """A reported number.

    Attributes:
        value: the estimate.
        standard_error: its Monte-Carlo standard error (not the model's).
        ci_low, ci_high: 95 % confidence interval; infinite where the sample cannot bound it.
        effective_sample_size: number of equally weighted scenarios that would give this standard error.
        unit: ``money``, ``1``, ``day`` or ``period``.
    """

    value: float
    standard_error: float
    ci_low: float
    ci_high: float
    effective_sample_size: float
    unit: str = "money"


@dataclass(frozen=True)
class Functional:
    """A value with its influence per scenario (mean zero), on a sample's probabilities.

    Attributes:
        value: the estimate.
        influence: float64[n].
        p: probabilities of the scenarios, ``None`` for 1/n each.
    """

    value: float
    influence: Floats
    p: Floats | None = None

    def __add__(self, other: Functional) -> Functional:
        return Functional(self.value + other.value, self.influence + other.influence, self.p)

    def __sub__(self, other: Functional) -> Functional:
        return Functional(self.value - other.value, self.influence - other.influence, self.p)

    def __rmul__(self, factor: float) -> Functional:
        return Functional(factor * self.value, factor * self.influence, self.p)

    def shifted(self, amount: float) -> Functional:
        """The same estimate plus a known amount."""
        return Functional(self.value + amount, self.influence, self.p)

    @property
    def standard_error(self) -> float:
        """√Σ(pψ)² with the small-sample factor n/(n−1); NaN for a single scenario."""
        n = len(self.influence)
        if n < 2:
            return math.nan
        if self.p is None:
            return math.sqrt(float(np.mean(self.influence * self.influence)) / (n - 1))
        kish = 1.0 / float(np.sum(self.p * self.p))
        scaled = self.p * self.influence
        return math.sqrt(float(np.sum(scaled * scaled)) * kish / max(kish - 1.0, 1e-12))

    @property
    def effective_sample_size(self) -> float:
        """Σpψ²/Σ(pψ)²: n for equal weights, more than n where weights favour what matters."""
        if self.p is None:
            return float(len(self.influence))
        scaled = self.p * self.influence
        bottom = float(np.sum(scaled * scaled))
        if bottom == 0.0:
            return 1.0 / float(np.sum(self.p * self.p))
        return float(np.sum(scaled * self.influence)) / bottom

    @property
    def scenarios_behind(self) -> float:
        """Effective number of scenarios that the error rests on, (Σs)²/Σs² of their shares s = (pψ)² of the variance.

        The error is itself known to about 1/(2·√number). Of an event in 1 % of 10,000: 101. Where nothing varies all
        scenarios agree, and count.
        """
        scaled = self.influence if self.p is None else self.p * self.influence
        most = float(np.abs(scaled).max())
        if most == 0.0:
            return float(len(scaled)) if self.p is None else float(1.0 / np.sum(self.p * self.p))
        shares = (scaled / most) ** 2
        return float(shares.sum()) ** 2 / float(np.sum(shares * shares))

    def estimate(self, unit: str = "money") -> Estimate:
        """The estimate with a normal interval."""
        error = self.standard_error
        reach = Z95 * error
        return Estimate(self.value, error, self.value - reach, self.value + reach, self.effective_sample_size, unit)
