"""Estimators of mean, standard deviation, probability and ratios."""

from __future__ import annotations

import math

import numpy as np

from simulator.measures.estimate import Z95, Estimate, Functional
from simulator.measures.sample import Floats, Sample


def mean(sample: Sample) -> Functional:
    """Weighted mean; influence x − μ. Of (1, 2, 6): 3 ± √(14/3/2) = 3 ± 1.53."""
    value = sample.average(sample.values)
    if sample.values.strides == (0,):  # the same in all scenarios, and kept as one number
        return Functional(value, np.broadcast_to(sample.values[0] - value, sample.n), sample.p)
    return Functional(value, sample.values - value, sample.p)


def standard_deviation(sample: Sample) -> Functional:
    """Standard deviation σ (divisor n); influence ((x − μ)² − σ²)/2σ. Of (1, 3): 1."""
    away = sample.values - sample.average(sample.values)
    squares = away * away
    variance = sample.average(squares)
    value = math.sqrt(variance)
    influence = (squares - variance) / (2.0 * value) if value > 0.0 else np.zeros(sample.n)
    return Functional(value, influence, sample.p)


def ratio(top: Functional, bottom: Functional) -> Functional:
    """Quotient of two functionals by the delta method; NaN where the denominator is zero."""
    if bottom.value == 0.0:
        return Functional(math.nan, np.full_like(top.influence, math.nan), top.p)
    value = top.value / bottom.value
    return Functional(value, (top.influence - value * bottom.influence) / bottom.value, top.p)


def conditional_mean(sample: Sample, where: Floats) -> Functional:
    """Mean of the values over the scenarios with ``where`` = 1 (0 elsewhere); NaN where there is none."""
    inside = Sample(sample.values * where, sample.p)
    return ratio(mean(inside), mean(Sample(where, sample.p)))


def probability(sample: Sample) -> Estimate:
    """Probability of an event (values 0 or 1) with its Wilson interval.

    Weighted scenarios enter by their effective sample size. Where the event never (or always) happened, the
    standard error is half the Wilson interval over 1.96 rather than a false zero. 0 of 100: 0, interval 0 to 3.7 %.
    """
    event = mean(sample)
    size = event.effective_sample_size
    low, high = wilson(event.value, size)
    certain = event.value in (0.0, 1.0)
    error = 0.5 * (high - low) / Z95 if certain else event.standard_error
    return Estimate(event.value, error, low, high, size, "1")


def wilson(share: float, size: float) -> tuple[float, float]:
    """Wilson's 95 % interval of a proportion (Wilson 1927). 50 of 100: 0.404 to 0.596."""
    square = Z95 * Z95 / size
    centre = (share + 0.5 * square) / (1.0 + square)
    reach = Z95 / (1.0 + square) * math.sqrt(max(share * (1.0 - share), 0.0) / size + 0.25 * square / size)
    low = 0.0 if share <= 0.0 else max(0.0, centre - reach)
    high = 1.0 if share >= 1.0 else min(1.0, centre + reach)
    return low, high
