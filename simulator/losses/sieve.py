"""The sieve of constant exposures: per buyer, a quick bound on the random bytes with which it can fail at all.

Given the state, a buyer fails ⇔ its own normal draw ≤ x = (threshold/mixing − M)/√(1 − ρ), so only if the first byte of
its uniform number is at most 256·Φ(x). The fourth root of Φ is nearly a straight line, and below a line that touches it
where it bends down: wherever Φ(x) ≥ 1/256, so that more than byte 0 can fail, Φ(x) ≤ max(line(x), 0)⁴. The line is
linear in the drivers and in 1/mixing: a product and a sum of 16-bit numbers for each of them. Who passes the sieve is
looked at exactly.
"""

from __future__ import annotations

from functools import cache
from typing import NamedTuple

import numpy as np
from scipy.special import ndtr

from simulator.defaults.plan import DefaultPlan
from simulator.factors.plan import FactorPlan
from simulator.jit import thread_info
from simulator.ledger.portfolio import Floats, Ints, Keys
from simulator.losses.plan import LossRules

#: Where the line touches Φ^¼: as far out as it can without crossing it again before Φ falls below 1/256.
TOUCH = -0.76
#: Beyond this, short numbers are not trusted and every byte passes.
LARGEST = 1e15
#: Scenarios that a thread works on at once: their drivers, bytes and marks stay in its first-level cache.
TILE = 2048
#: Draws that pass the sieve wait until there are as many, and are decided together.
QUEUE = 1024
#: Knots of the table that a default day is guessed from.
KNOTS = 32
#: In each six bits that follow one another here is another number (a de Bruijn sequence).
SIX_BITS = 0x03F79D71B4CB0A89
#: Bytes of an entry of :class:`Failures`.
FAILURE_BYTES = 16


class Sieve(NamedTuple):
    """Arrays of the sieve.

    Attributes:
        level: constant of the line, float64[n_buyers]; −∞ where nothing can fail, +∞ where all is looked at.
        threshold: factor of 1/mixing, float64[n_buyers].
        loading: factors of the drivers, float64[n_loadings], in the order of the buyers' loadings.
        own: √(1 − ρ), float64[n_buyers].
        last: latent variable up to which a buyer fails within the horizon, float64[n_buyers].
        certain: whether a buyer's recovery is a fixed number, bool[n_buyers].
        recovery: that number, float64[n_buyers].
        range: first knot of each curve's days and knots per unit, float64[n_curves, 2].
        day: index of the day on which the threshold reaches a place between two knots, about: three coefficients of a
            parabola, float32[n_curves, KNOTS, 3].
    """

    level: Floats
    threshold: Floats
    loading: Floats
    own: Floats
    last: Floats
    certain: np.ndarray
    recovery: Floats
    range: Floats
    day: np.ndarray


class Bench(NamedTuple):
    """Working rows of :func:`~simulator.losses.exposure_kernels.lose_exposures`, one per tile of scenarios.

    Attributes:
        driver: int16[n_tiles, n_drivers + 1, tile or more] drivers and 1/mixing.
        largest: float64[n_tiles, n_drivers + 1] largest absolute value of each of them.
        line: int16[n_tiles, tile] line of the buyer at hand.
        steps: int16[2] the numbers 0 and 1.
        pair: uint64[n_tiles, tile / 8 + 8] bytes of the buyer at hand, eight in each; ``byte`` is the same memory.
        byte: uint8[n_tiles, tile + 64].
        mark: uint8[n_tiles, tile + 64] bytes that pass; ``marks`` is the same memory, eight at a time.
        marks: uint64[n_tiles, tile / 8 + 8].
        eight: uint8[n_tiles, tile / 8 + 8] marks as single bits; ``sets`` is the same memory, 64 bits at a time.
        sets: uint64[n_tiles, tile / 64 + 1].
        place: int32[n_tiles, tile / 64 + 1] first byte of the sets that are not empty.
        bit: uint8[64] number of the lowest bit of a set, by the start of six bits that it gives.
        queue_position, queue_buyer: int32[n_tiles, tile + QUEUE + 16] bytes that passed, to be decided.
        queue_byte: uint8[n_tiles, tile + QUEUE + 16].
        queue_entity: uint64[n_tiles, tile + QUEUE + 16].
        queue_word: uint32[n_tiles, tile + QUEUE].
        residual, loss, recovery: float64[n_tiles, tile + QUEUE].
    """

    driver: np.ndarray
    largest: Floats
    line: np.ndarray
    steps: np.ndarray
    pair: Keys
    byte: np.ndarray
    mark: np.ndarray
    marks: Keys
    eight: np.ndarray
    sets: Keys
    place: Ints
    bit: np.ndarray
    queue_position: Ints
    queue_buyer: Ints
    queue_byte: np.ndarray
    queue_entity: Keys
    queue_word: np.ndarray
    residual: Floats
    loss: Floats
    recovery: Floats


class Failures(NamedTuple):
    """Who failed, one entry after the other, tile by tile of scenarios and in order of buyers within a tile.

    Attributes:
        listed: int64[n_tiles] entries, more than there is room where a block has to be run again.
        scenario: int32[n_tiles, room] row of the scenario in its block; rising for each buyer.
        buyer: int32[n_tiles, room].
        loss: float64[n_tiles, room] net of recovery.
    """

    listed: Ints
    scenario: Ints
    buyer: Ints
    loss: Floats


def line_at(touch: float) -> tuple[float, float]:
    """Constant and slope of the line that touches Φ^¼ at a point.

    Worked number: Φ(−1) = 0.15866, its fourth root 0.63112, the slope there 0.24064: the line 0.87176 + 0.24064·x.
    """
    p = float(ndtr(touch))
    slope = 0.25 * p**-0.75 * float(np.exp(-0.5 * touch * touch) / np.sqrt(2.0 * np.pi))
    return p**0.25 - slope * touch, slope


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
    constant, slope = line_at(TOUCH)
    inverse = np.where(trusted, slope / np.where(own > 0.0, own, 1.0), 0.0)
    level = np.where(trusted, constant, np.where(np.isneginf(last), -np.inf, np.inf))
    threshold = np.where(trusted, last, 0.0) * inverse
    loading = -factor.loading * np.repeat(inverse, np.diff(factor.loading_start))
    certain = (np.ptp(rules.recovery, axis=1) == 0.0)[rules.recovery_class]
    recovery = rules.recovery[rules.recovery_class, 0]
    return Sieve(level, threshold, loading, own, last, certain, recovery, *guess_days(default.threshold))


def guess_days(threshold: Floats) -> tuple[Floats, np.ndarray]:
    """Tables to guess a default day from, by curve: between two knots a parabola through the days at both and midway.

    Returns:
        ``range`` and ``day`` of :class:`Sieve`; the first day throughout for curves without a table.
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
    table = np.stack([left, right - left - bend, bend], axis=2) * usable[:, None, None]
    return np.stack([low, scale], axis=1), table.astype(np.float32)


def allocate_bench(n: int, n_drivers: int) -> Bench:
    """Working rows for n scenarios, a multiple of four, in tiles that keep all threads busy."""
    threads = int(thread_info()["threads"])
    tile = min(TILE, max(64, -(-n // (64 * threads)) * 64))
    n_tiles = -(-n // tile)
    # rows a power of two apart would drive each other out of the cache
    row = tile + 96
    pair, marks = aligned(n_tiles, tile // 8 + 8, np.uint64), aligned(n_tiles, tile // 8 + 8, np.uint64)
    sets = aligned(n_tiles, tile // 64 + 1, np.uint64)
    return Bench(
        aligned(n_tiles * (n_drivers + 1), row, np.int16).reshape(n_tiles, n_drivers + 1, row),
        np.empty((n_tiles, n_drivers + 1)),
        aligned(n_tiles, tile, np.int16),
        np.array([0, 1], np.int16),
        pair,
        pair.view(np.uint8),
        marks.view(np.uint8),
        marks,
        sets.view(np.uint8),
        sets,
        np.empty((n_tiles, tile // 64 + 1), np.int32),
        bit_numbers(),
        np.empty((n_tiles, tile + QUEUE + 16), np.int32),
        np.empty((n_tiles, tile + QUEUE + 16), np.int32),
        np.empty((n_tiles, tile + QUEUE + 16), np.uint8),
        np.empty((n_tiles, tile + QUEUE + 16), np.uint64),
        np.empty((n_tiles, tile + QUEUE), np.uint32),
        np.empty((n_tiles, tile + QUEUE)),
        np.empty((n_tiles, tile + QUEUE)),
        np.empty((n_tiles, tile + QUEUE)),
    )


@cache
def bit_numbers() -> np.ndarray:
    """Number of a bit, uint8[64], by the highest six bits of its product with a de Bruijn sequence."""
    numbers = np.zeros(64, np.uint8)
    for number in range(64):
        numbers[(SIX_BITS << number) % 2**64 >> 58] = number
    return numbers


def aligned(rows: int, width: int, kind: type[np.generic]) -> np.ndarray:
    """Unfilled rows whose first begins at a multiple of 64 bytes, as vectors and cache lines do."""
    size = rows * width * np.dtype(kind).itemsize
    raw = np.empty(size + 64, np.uint8)
    start = -raw.ctypes.data % 64
    return raw[start : start + size].view(kind).reshape(rows, width)


def allocate_failures(bench: Bench, capacity: int) -> Failures:
    """Empty lists with room for ``capacity`` failures per scenario on average over a tile."""
    n_tiles, tile = bench.line.shape
    room = capacity * tile
    return Failures(
        np.zeros(n_tiles, np.int64),
        np.empty((n_tiles, room), np.int32),
        np.empty((n_tiles, room), np.int32),
        np.empty((n_tiles, room)),
    )
