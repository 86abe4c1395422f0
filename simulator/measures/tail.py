"""Quantiles and tail means: value at risk, tail value at risk, with order-statistic and influence-function errors."""

from __future__ import annotations

import math
from dataclasses import dataclass
from functools import lru_cache

import numpy as np
from numpy.typing import ArrayLike

from simulator.measures.estimate import Estimate, Functional
from simulator.measures.sample import Floats, Sample

TAIL_EACH_SIDE = 0.025
WINDOW_SD = 8.0
#: Fewest effective scenarios beyond a level for an error: with under ln(40) = 3.7 nothing bounds the quantile above,
#: and with five an error is itself known to a third (1/√(2·4) = 35 %).
FEWEST_BEYOND = 5.0
ROUNDING = 1e-6  # 1,000 scenarios have 4.9999999 beyond 99.5 %


@dataclass(frozen=True)
class Quantile:
    """A quantile, its interval, and what its influence needs.

    Attributes:
        value: inverted-cdf quantile.
        position: its index in the ordered sample.
        ci_low, ci_high: order-statistic interval.
        effective_sample_size: number of equal scenarios behind it.
        sparsity: 1/density at the quantile, from the width of the interval; NaN with too few scenarios on one side.
    """

    value: float
    position: int
    ci_low: float
    ci_high: float
    effective_sample_size: float
    sparsity: float


@lru_cache(maxsize=4096)
def interval_ranks(n: int, level: float) -> tuple[int, int]:
    """Ranks l and u (1-based) of the 95 % interval [X₍l₎, X₍u₎] of a quantile, by exact binomial tails.

    With B ~ Bin(n, level) values at or below the true quantile: l is the largest rank with P(B < l) ≤ 2.5 %, 0 where
    there is none (no lower bound); u is the smallest with P(B ≥ u) ≤ 2.5 %, n + 1 where there is none.
    For n = 100 at 0.5: 40 and 61.
    """
    from scipy.special import bdtr  # slow to load, and not needed to draw a figure

    spread = WINDOW_SD * math.sqrt(n * level * (1.0 - level)) + WINDOW_SD
    first, last = max(0, math.floor(n * level - spread)), min(n, math.ceil(n * level + spread))
    ranks = np.arange(first, last + 1)
    below = bdtr(ranks.astype(np.float64), n, level)  # P(B ≤ rank)
    low = first + int(np.searchsorted(below, TAIL_EACH_SIDE, side="right"))
    high = first + int(np.searchsorted(below, 1.0 - TAIL_EACH_SIDE, side="left")) + 1
    return low, min(high, n + 1)


def quantile(sample: Sample, level: float) -> Quantile:
    """Quantile by inverted cdf with its interval.

    Weighted samples use the binomial ranks of n_eff = level(1 − level)/Var(F̂(q)), read off at the same
    probabilities (Var(F̂) = Σp²·(1{x ≤ q} − level)², ties broken by order).

    Raises:
        ValueError: the level is not strictly between 0 and 1.
    """
    if not 0.0 < level < 1.0:
        raise ValueError(f"a level lies strictly between 0 and 1, not {level}")
    position = sample.position(level)
    ordered = sample.ordered
    size = float(sample.n) if sample.p is None else _effective_size(sample, position, level)
    n = max(1, math.floor(size + 1e-9))
    low, high = interval_ranks(n, level)

    def value_at(rank: int) -> float:
        return float(ordered[sample.position(min(max(rank, 1), n) / n)])

    clipped_low, clipped_high = max(low, 1), min(high, n)
    width = value_at(clipped_high) - value_at(clipped_low)
    share = (clipped_high - clipped_low) / n
    return Quantile(
        value=float(ordered[position]),
        position=position,
        ci_low=-math.inf if low < 1 else value_at(low),
        ci_high=math.inf if high > n else value_at(high),
        effective_sample_size=size,
        sparsity=math.nan if share <= 0.0 or too_few(size * min(level, 1.0 - level)) else width / share,
    )


def tail_size(sample: Sample, level: float) -> float:
    """Effective number of scenarios beyond a level, (Σu)²/Σu² of their probabilities u, the boundary by its fraction.

    Of 1,000 equal ones at 0.995: 5. Of (1, 2, 3, 4) at 0.625 (u = ⅛ and ¼): (⅜)²/(5/64) = 1.8.
    """
    position = sample.position(level)
    boundary = max(sample.at_or_below(position) - level, 0.0)
    if sample.p is None:
        each, number = 1.0 / sample.n, sample.n - position - 1
        total, squares = number * each, number * each * each
    else:
        beyond = sample.p[sample.order[position + 1 :]]
        total, squares = float(beyond.sum()), float(np.sum(beyond * beyond))
    squares += boundary * boundary
    return (total + boundary) ** 2 / squares if squares > 0.0 else 0.0


def too_few(beyond: float) -> bool:
    """Whether this effective number of scenarios beyond a level says nothing about an error."""
    return beyond < FEWEST_BEYOND * (1.0 - ROUNDING)


def _not_known(value: float, sample: Sample) -> Functional:
    """A value whose error is not known: nor is that of whatever it is added to."""
    return Functional(value, np.full(sample.n, math.nan), sample.p)


def _effective_size(sample: Sample, position: int, level: float) -> float:
    assert sample.p is not None
    squares = sample.p[sample.order] ** 2
    below = float(np.sum(squares[: position + 1]))
    above = float(np.sum(squares[position + 1 :]))
    return level * (1.0 - level) / (below * (1.0 - level) ** 2 + above * level**2)


def value_at_risk(sample: Sample, level: float, unit: str = "money") -> Estimate:
    """Value at risk: the smallest value with at least ``level`` of the probability at or below it.

    The interval is the order-statistic one; the standard error is √(level(1 − level)/n_eff) times the sparsity read
    off that interval, NaN with too few scenarios beyond the level. Of 1 … 100 at 0.95: 95.
    """
    found = quantile(sample, level)
    error = found.sparsity * math.sqrt(level * (1.0 - level) / found.effective_sample_size)
    return Estimate(found.value, error, found.ci_low, found.ci_high, found.effective_sample_size, unit)


def value_at_risk_functional(sample: Sample, level: float) -> Functional:
    """Value at risk with its influence (level − 1{x ≤ q})·sparsity, for differences on the same scenarios.

    Ties with q are split in scenario order, so that the influence averages to zero on lumpy losses too.
    """
    found = quantile(sample, level)
    below = np.zeros(sample.n)
    below[sample.order[: found.position + 1]] = 1.0
    return Functional(found.value, (sample.average(below) - below) * found.sparsity, sample.p)


def tail_value_at_risk(sample: Sample, level: float) -> Functional:
    """Tail value at risk: (1/(1 − level))·∫ VaR above the level, the boundary value by its fractional weight.

    Influence q + (x − q)⁺/(1 − level) − TVaR; its variance is that of Manistre and Hancock (2005),
    (Var(x | x > q) + level·(TVaR − q)²)/(n(1 − level)). Of (1, 2, 3, 4) at 0.625: (4 + 0.5·3)/1.5 = 3.667. With too
    few scenarios beyond the level the influence is NaN: one alone would be its own mean, with an error of zero.

    Raises:
        ValueError: the level is not in [0, 1).
    """
    if not 0.0 <= level < 1.0:
        raise ValueError(f"a level lies between 0 and 1, not {level}")
    boundary = float(sample.ordered[sample.position(level)])
    excess = sample.values - boundary
    np.maximum(excess, 0.0, out=excess)
    value = boundary + sample.average(excess) / (1.0 - level)
    if too_few(tail_size(sample, level)):
        return _not_known(value, sample)
    excess /= 1.0 - level
    excess -= value - boundary
    return Functional(value, excess, sample.p)


def tail_weights(values: ArrayLike, weights: ArrayLike | None, level: float) -> Floats:
    """Weight of each scenario in the tail mean, float64[n], summing to one: TVaR = Σ weight·value.

    Applied to a part of the loss (a buyer, a policy term) they give that part's share of the tail (Euler
    allocation). The boundary scenario carries its fractional weight. Of (1, 2, 3, 4) at 0.625: (0, 0, ⅓, ⅔).
    """
    return tail_weights_of(Sample.weighted(values, weights), level)


def tail_weights_of(sample: Sample, level: float) -> Floats:
    """Weights of the scenarios in the tail of a sample; see :func:`tail_weights`."""
    position = sample.position(level)
    share = np.zeros(sample.n)
    beyond = sample.order[position + 1 :]
    share[beyond] = 1.0 / sample.n if sample.p is None else sample.p[beyond]
    share[sample.order[position]] = max(sample.at_or_below(position) - level, 0.0)
    share /= share.sum()
    return share


def tail_part(sample: Sample, part: Floats, level: float) -> Functional:
    """Mean of a part over the scenarios in the tail of a sample, such as what a policy term takes in the worst 1 %.

    The influence is u·(y − b) + b − mean, with u the scenario's share of the tail over its probability and b the part
    at the boundary, read off its nearest √(tail) scenarios on either side: a moving boundary lets scenarios like these
    in or out. A part that is the sample itself gives its tail value at risk. Of y = (8, 6, 4, 2) on (1, 2, 3, 4) at
    0.5: 3.

    Args:
        sample: decides which scenarios are in the tail.
        part: values of the same scenarios.
        level: of the tail, in (0, 1).
    """
    share = tail_weights_of(sample, level)
    value = float(np.sum(share * part))
    if too_few(tail_size(sample, level)):
        return _not_known(value, sample)
    probability = np.broadcast_to(1.0 / sample.n, sample.n) if sample.p is None else sample.p
    place, reach = sample.position(level), math.isqrt(math.ceil(sample.n * (1.0 - level)))
    near = sample.order[max(0, place - reach) : place + reach + 1]
    weight = probability[near]
    boundary = float(np.sum(weight * part[near]) / weight.sum()) if weight.sum() > 0.0 else value
    possible = probability > 0.0
    times = np.divide(share, probability, out=share, where=possible)  # in place: there is a number per scenario
    times[~possible] = 0.0
    influence = part - boundary
    influence *= times
    influence += boundary
    influence -= value
    return Functional(value, influence, sample.p)
