"""A column of scenario values with its weights, sorted once."""

from __future__ import annotations

import math
from functools import cached_property

import numpy as np
from numpy.typing import ArrayLike, NDArray

Floats = NDArray[np.float64]


def probabilities(weights: ArrayLike | None) -> Floats | None:
    """Scenario weights scaled to sum to one; ``None`` where all are equal, so that nothing is lost to rounding.

    Raises:
        ValueError: a weight is negative or not finite, or none is positive.
    """
    if weights is None:
        return None
    array = np.asarray(weights, dtype=np.float64)
    if array.size == 0 or not np.isfinite(array).all() or array.min() < 0.0 or array.max() <= 0.0:
        raise ValueError("scenario weights must be finite, not negative, and not all zero")
    if array.min() == array.max():
        return None
    return np.asarray(array / array.sum())


class Sample:
    """Values of one variable over the scenarios, with their probabilities.

    Attributes:
        values: float64[n].
        p: float64[n] probabilities summing to one, or ``None`` for 1/n each.
        n: number of scenarios.
    """

    def __init__(self, values: ArrayLike, p: Floats | None = None) -> None:
        self.values: Floats = np.asarray(values, dtype=np.float64)
        self.p = p
        self.n = len(self.values)
        if self.n == 0:
            raise ValueError("a sample needs at least one scenario")
        if p is not None and len(p) != self.n:
            raise ValueError(f"{self.n} values but {len(p)} weights")

    @classmethod
    def weighted(cls, values: ArrayLike, weights: ArrayLike | None = None) -> Sample:
        """A sample from raw scenario weights."""
        return cls(values, probabilities(weights))

    @cached_property
    def order(self) -> NDArray[np.int64]:
        """Positions of the values in ascending order, ties in scenario order."""
        return np.argsort(self.values, kind="stable")

    @cached_property
    def ordered(self) -> Floats:
        """Values in ascending order."""
        places_known = self.p is not None or "order" in self.__dict__
        return self.values[self.order] if places_known else np.sort(self.values, kind="stable")

    @cached_property
    def cumulative(self) -> Floats | None:
        """Probability at or below each ordered value; ``None`` where weights are equal."""
        return None if self.p is None else np.asarray(np.cumsum(self.p[self.order]))

    @property
    def kish(self) -> float:
        """Effective sample size of the weights alone, 1/Σp²; n where they are equal."""
        return float(self.n) if self.p is None else float(1.0 / np.sum(self.p * self.p))

    def average(self, values: Floats) -> float:
        """Weighted mean of values aligned with the scenarios."""
        return float(values.mean()) if self.p is None else float(np.sum(self.p * values))

    def position(self, probability: float) -> int:
        """Index of the smallest ordered value with at least this probability at or below it (docs/MODEL.md §13).

        The rounding of probability·n (0.07·100 = 7.000000000000001) is forgiven. Four equal weights at 0.5 give
        index 1, the second value.
        """
        if self.cumulative is None:
            rank = math.ceil(probability * self.n * (1.0 - 1e-14))
        else:
            rank = int(np.searchsorted(self.cumulative, probability * (1.0 - 1e-12), side="left")) + 1
        return min(max(rank - 1, 0), self.n - 1)

    def at_or_below(self, position: int) -> float:
        """Probability of the ordered values up to and including a position."""
        return (position + 1) / self.n if self.cumulative is None else float(self.cumulative[position])
