"""The sieve of constant exposures: per buyer, a quick bound on the random words with which it can fail at all.

Given the state, a buyer fails ⇔ its own normal draw ≤ x = (threshold/mixing − M)/√(1 − ρ), so only if its word is at
most 2³²·Φ(x). With s(x) = √(−log₂ Φ(x)), a convex function that is nearly a straight line, any tangent lies below it:
−log₂(word/2³²) ≥ tangent(x)² holds for every word that fails, and for few others. The tangent is linear in the drivers
and in 1/mixing, so that it costs a product and a sum for each of them. Who passes the sieve is looked at exactly.
"""

from __future__ import annotations

from typing import NamedTuple

import numpy as np
from scipy.special import log_ndtr

from simulator.defaults.plan import DefaultPlan
from simulator.factors.plan import FactorPlan
from simulator.jit import thread_info
from simulator.ledger.portfolio import Floats, Ints, Keys
from simulator.losses.plan import LossRules

#: Log₂ of a word in units of the last place of a 32-bit float's logarithm: the bits of a float count 2²³ per octave.
OCTAVE = 2.0**23
#: The tangent is lowered by this much, for the rounding of 32-bit arithmetic on words.
MARGIN = 1e-3
#: Beyond this, 32-bit arithmetic is not trusted and every word is looked at.
LARGEST = 1e15
#: Scenarios that a thread works on at once: their drivers, words and marks stay in its first-level cache.
TILE = 2048
#: Words that pass the sieve wait until there are as many, and are decided together.
QUEUE = 1024
#: Knots of the table that a default day is guessed from.
KNOTS = 32
#: Largest error of a nearly exact latent variable, mixing included, and the largest mixing for which it holds.
SLACK = 4e-6
WILDEST = 20.0
#: Tangents touch where the mixing scale of a typical default leaves the threshold: fat tails fail in wild scenarios.
_TYPICAL_INVERSE_MIXING = 0.7


class Sieve(NamedTuple):
    """Arrays of the sieve, in units of √OCTAVE.

    Attributes:
        level: constant of the tangent, float64[n_buyers]; +∞ where nothing can fail, −∞ where all is looked at.
        threshold: factor of 1/mixing, float64[n_buyers].
        loading: factors of the drivers, float64[n_loadings], in the order of the buyers' loadings.
        own: √(1 − ρ), float64[n_buyers].
        range: last threshold of each curve, first knot of its days, knots per unit (NaN without), float64[n_curves, 3].
        day: day less one on which the threshold reaches a place between two knots: three coefficients of a parabola,
            and its doubt, float32[n_curves, KNOTS, 4].
        certain: whether a class of recovery is a fixed number, bool[n_classes].
    """

    level: Floats
    threshold: Floats
    loading: Floats
    own: Floats
    range: Floats
    day: np.ndarray
    certain: np.ndarray


class Bench(NamedTuple):
    """Working rows of :func:`~simulator.losses.exposure_kernels.lose_exposures`, one per tile of scenarios.

    Attributes:
        driver: float32[n_tiles, n_drivers + 1, tile] drivers and 1/mixing in the order of the words.
        largest: float64[n_tiles, n_drivers + 1] largest absolute value of each of them.
        tangent: float32[n_tiles, tile] tangents of the buyer at hand.
        pair: uint64[n_tiles, tile / 2] words of the buyer at hand, two in each; ``word`` is the same memory.
        word: uint32[n_tiles, tile].
        mark: uint8[n_tiles, tile] words that pass; ``marks`` is the same memory, eight at a time.
        marks: uint64[n_tiles, tile / 8].
        group: int32[n_tiles, tile / 8 + 1] eights with a mark.
        quad_product: uint64[n_tiles, tile / 4] what the first round of Philox makes of the quads.
        waiting, queue_end: int32[n_tiles, QUEUE] buyers in the queue, and where the words of each end.
        queue_position: int32[n_tiles, tile + QUEUE + 8] where the words that passed are, to be decided.
        queue_word: uint32[n_tiles, tile + QUEUE + 8].
        near: float64[n_tiles, tile + QUEUE] nearly their normals.
    """

    driver: np.ndarray
    largest: Floats
    tangent: np.ndarray
    pair: Keys
    word: np.ndarray
    mark: np.ndarray
    marks: Keys
    group: Ints
    quad_product: Keys
    waiting: Ints
    queue_end: Ints
    queue_position: Ints
    queue_word: np.ndarray
    near: Floats


def tangent_at(t: Floats) -> tuple[Floats, Floats]:
    """Value and slope in t of s = √(−log₂ Φ(−t)), the root of the bits that a buyer at distance t is away from failing.

    Worked number: Φ(−2) = 0.02275 is 5.458 bits, so s(2) = 2.336.
    """
    bits = -log_ndtr(-t) / np.log(2.0)
    density = np.exp(-0.5 * t * t - log_ndtr(-t)) / np.sqrt(2.0 * np.pi)
    value = np.sqrt(bits)
    return value, density / np.log(2.0) / (2.0 * value)


def build_sieve(factor: FactorPlan, default: DefaultPlan, rules: LossRules) -> Sieve:
    """Prepare the sieve.

    Args:
        factor: loadings of the buyers.
        default: their thresholds; what counts is the last day's.
        rules: their recoveries.
    """
    last = default.threshold[default.curve, -1]
    own = np.sqrt(1.0 - factor.systematic_share)
    with np.errstate(all="ignore"):
        x = last / own
        trusted = np.isfinite(x) & (np.abs(x) < LARGEST) & (own > 0.0)
    x = np.where(trusted, x, 0.0)
    inverse = np.where(trusted, 1.0 / np.where(own > 0.0, own, 1.0), 0.0)
    mixed = 1.0 if not factor.mixing_table.any() else _TYPICAL_INVERSE_MIXING
    touch = np.clip(-mixed * last_or_zero(last) * own, 0.0, 5.5)
    value, slope = tangent_at(touch)
    slope *= np.sqrt(OCTAVE)
    level = (value - MARGIN) * np.sqrt(OCTAVE) - slope * touch
    level = np.where(trusted, level, np.where(np.isneginf(last), np.inf, -np.inf))
    per_loading = np.repeat(slope * inverse, np.diff(factor.loading_start))
    certain = np.ptp(rules.recovery, axis=1) == 0.0
    return Sieve(level, -slope * x, factor.loading * per_loading, own, *guess_days(default.threshold), certain)


def guess_days(threshold: Floats) -> tuple[Floats, Floats]:
    """Tables to guess a default day from, by curve: between two knots a parabola through the days at both and midway.

    Returns:
        ``range`` and ``day`` of :class:`Sieve`. A parabola's doubt is the largest distance from the day before a
        threshold to the parabola at that threshold and within :data:`SLACK` of it; a guess further than this from whole
        days is right, since a rising function that is on the right side at both its thresholds is so between them.
    """
    n_curves, n_days = threshold.shape
    finite = np.isfinite(threshold)
    begin = np.where(finite.any(axis=1), finite.argmax(axis=1), 0)
    low, last = threshold[np.arange(n_curves), begin], threshold[:, -1]
    with np.errstate(all="ignore"):
        scale = KNOTS / (last - low)
        usable = np.isfinite(scale) & np.isfinite(low)
    low, scale = np.where(usable, low, 0.0), np.where(usable, scale, 0.0)
    # knots of all curves one after the other, each curve in its own range, so that one search finds all days
    place = np.where(finite & usable[:, None], (np.where(finite, threshold, 0.0) - low[:, None]) * scale[:, None], 0.0)
    place = np.clip(place, 0.0, KNOTS)
    offset = (KNOTS + 1.0) * np.arange(n_curves)[:, None]
    day_of = np.arange(n_days, dtype=np.float64) + np.zeros((n_curves, 1))
    half_knots = np.arange(2 * KNOTS + 1) / 2.0 + offset
    at = np.interp(half_knots.ravel(), (place + offset).ravel(), day_of.ravel()).reshape(n_curves, -1)
    left, middle, right = at[:, :-1:2], at[:, 1::2], at[:, 2::2]
    bend = 2.0 * (left - 2.0 * middle + right)
    slope = right - left - bend
    table = np.stack([left, slope, bend, np.zeros_like(left)], axis=2)
    doubt = np.full((n_curves, KNOTS), 1e-3)
    curve = np.arange(n_curves)[:, None] + np.zeros((1, n_days), np.int64)
    for shift in (-SLACK, 0.0, SLACK):
        there = place + shift * scale[:, None]
        for side in (-SLACK, SLACK):
            knot = np.clip(there + side * scale[:, None], 0, KNOTS - 1).astype(np.int64)
            part = there - knot
            error = np.abs(left[curve, knot] + part * (slope[curve, knot] + part * bend[curve, knot]) - day_of)
            np.maximum.at(doubt, (curve, knot), error + 1e-3)
    falling = (slope < 0.0) | (slope + 2.0 * bend < 0.0) | ~usable[:, None]
    table[:, :, 3] = np.where(falling, 1.0, doubt)
    return np.stack([last, low, np.where(usable, scale, np.nan)], axis=1), table.astype(np.float32)


def last_or_zero(last: Floats) -> Floats:
    """Finite thresholds, 0 for the others."""
    return np.where(np.isfinite(last), last, 0.0)


def allocate_bench(n: int, n_drivers: int) -> Bench:
    """Working rows for n scenarios, a multiple of four, in tiles that keep all threads busy."""
    threads = int(thread_info()["threads"])
    tile = min(TILE, max(64, -(-n // (8 * threads)) * 8))
    n_tiles = -(-n // tile)
    pair = np.empty((n_tiles, tile // 2), np.uint64)
    marks = np.zeros((n_tiles, tile // 8 + 1), np.uint64)
    return Bench(
        np.empty((n_tiles, n_drivers + 1, tile), np.float32),
        np.empty((n_tiles, n_drivers + 1)),
        np.empty((n_tiles, tile), np.float32),
        pair,
        pair.view(np.uint32),
        marks.view(np.uint8),
        marks,
        np.empty((n_tiles, tile // 8 + 1), np.int32),
        np.empty((n_tiles, tile // 4), np.uint64),
        np.empty((n_tiles, QUEUE), np.int32),
        np.empty((n_tiles, QUEUE), np.int32),
        np.empty((n_tiles, tile + QUEUE + 8), np.int32),
        np.empty((n_tiles, tile + QUEUE + 8), np.uint32),
        np.empty((n_tiles, tile + QUEUE)),
    )
