"""Streaming path quantiles: exact where small, within the stated rank error otherwise, the same for any grouping."""

import time

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from hypothesis.extra import numpy as hnp

from simulator.engine import sketch_kernels
from simulator.engine.sketch import FAN_IN, GRID, MASSES, POINTS, RANK_ERROR, PathQuantiles, summarise
from simulator.errors import SimulatorError
from tests.twins import engine as twin

ASKED = (0.005, 0.01, 0.05, 0.25, 0.5, 0.75, 0.95, 0.99, 0.995)


def rank_gap(values, weights, found, q):
    """How far the inverted cdf at q is from what was found: 0 where F(x−) < q ≤ F(x)."""
    total = weights.sum()
    at, below = weights[values <= found].sum() / total, weights[values < found].sum() / total
    return max(0.0, q - at, below - q)


def test_grid_covers_everything_once():
    assert GRID[0] == 0.0
    assert GRID[-1] == 1.0
    assert (np.diff(GRID) > 0).all()
    assert MASSES.sum() == pytest.approx(1.0, abs=1e-15)
    assert pytest.approx(np.diff(GRID).max() / 2) == RANK_ERROR
    assert RANK_ERROR < 0.0024


def awkward_series(n):
    """Ties, one value only, heavy tails on one side and both, and a law of several humps."""
    rng = np.random.default_rng(n)
    normal = rng.normal(size=n)
    return np.stack([
        normal, np.where(rng.random(n) < 0.7, 1.0, normal), np.ones(n), rng.standard_cauchy(n), np.exp(5.0 * normal),
        -np.exp(5.0 * normal), np.sort(normal), normal + 1e9 * rng.integers(0, 3, n), np.round(normal, 1) + 0.0,
        np.where(np.arange(n) == n // 2, 1e300, normal), np.where(normal < 0.0, 0.0, 5e-324), 1e-310 * normal,
        np.where(normal < 0.0, -1.7e308, 1.7e308), 8e307 * np.sin(normal) * np.sign(normal),
    ])  # fmt: skip


@pytest.mark.parametrize("n", [1, 2, 7, 63, 64, 65, 300, 4096])
def test_order_statistics_equal_their_twin(n):
    columns = awkward_series(n)
    positions = np.unique(np.random.default_rng(1).integers(0, n, 257))
    fast, slow = (np.full((len(positions), len(columns)), np.nan) for _ in range(2))
    buckets = n + -n % sketch_kernels.PARTS
    sketch_kernels.order_statistics(
        columns, positions, np.empty((3, n)), np.empty((3, 2, sketch_kernels.PARTS + 1)), np.empty((3, n), np.int32),
        np.empty((3, buckets + 1), np.int32), fast,
    )  # fmt: skip
    twin.order_statistics(columns, positions, None, None, None, None, slow)
    assert fast.tobytes() == slow.tobytes()


@pytest.mark.parametrize("n", [1, 4, 100, 256])
def test_small_chunk_is_exact(n):
    rows = np.random.default_rng(n).normal(size=(n, 3))
    sketch = PathQuantiles(3)
    sketch.add(rows)
    expected = np.quantile(rows, ASKED, axis=0, method="inverted_cdf")
    assert np.array_equal(sketch.quantile(ASKED), expected)
    assert sketch.rank_error == 0.0


def test_several_small_chunks_are_exact_too():
    rng = np.random.default_rng(2)
    parts = [rng.normal(size=(200, 2)) for _ in range(5)]
    sketch = PathQuantiles(2)
    for part in parts:
        sketch.add(part)
    expected = np.quantile(np.concatenate(parts), ASKED, axis=0, method="inverted_cdf")
    assert np.array_equal(sketch.quantile(ASKED), expected)


@pytest.mark.parametrize("law", ["normal", "lognormal", "lumpy", "drifting"])
@pytest.mark.parametrize("weighted", [False, True])
def test_rank_error_stays_within_its_bound(law, weighted):
    rng = np.random.default_rng(7)
    draw = {
        "normal": lambda k: rng.normal(size=(4096, 4)),
        "lognormal": lambda k: rng.lognormal(sigma=3, size=(4096, 4)),
        "lumpy": lambda k: np.maximum(rng.integers(-20, 20, (4096, 4)), 0).astype(float),
        "drifting": lambda k: rng.normal(size=(4096, 4)) + 5.0 * k,
    }[law]
    rows = [draw(k) for k in range(6)]
    rows[-1] = rows[-1][:1000]
    weights = [rng.exponential(size=len(r)) if weighted else np.ones(len(r)) for r in rows]
    sketch = PathQuantiles(4)
    for part, weight in zip(rows, weights, strict=True):
        sketch.add(part, weight if weighted else None)
    everything, all_weights = np.concatenate(rows), np.concatenate(weights)
    found = sketch.quantile(ASKED)
    gaps = [rank_gap(everything[:, s], all_weights, found[k, s], q) for k, q in enumerate(ASKED) for s in range(4)]
    assert max(gaps) <= sketch.rank_error == RANK_ERROR


def test_tails_of_one_law_are_closer_than_the_bound():
    rng = np.random.default_rng(3)
    rows = [rng.normal(size=(4096, 8)) for _ in range(10)]
    sketch = PathQuantiles(8)
    for part in rows:
        sketch.add(part)
    everything, ones = np.concatenate(rows), np.ones(40960)
    for q in (0.005, 0.01, 0.99, 0.995):
        found = sketch.quantile(q)[0]
        assert max(rank_gap(everything[:, s], ones, found[s], q) for s in range(8)) < 0.0011


def test_many_chunks_fold_with_a_growing_bound_and_bounded_memory():
    rng = np.random.default_rng(11)
    rows = [rng.normal(size=(300, 2)) for _ in range(FAN_IN * 2 + 5)]
    sketch = PathQuantiles(2)
    for part in rows:
        sketch.add(part)
    held = sum(len(level) for level in sketch._levels)
    assert held == 2 + 5
    assert sketch.rank_error == 2 * RANK_ERROR
    everything, ones = np.concatenate(rows), np.ones(300 * len(rows))
    found = sketch.quantile(ASKED)
    gaps = [rank_gap(everything[:, s], ones, found[k, s], q) for k, q in enumerate(ASKED) for s in range(2)]
    assert max(gaps) <= sketch.rank_error


def test_summaries_can_be_stored_and_added_later():
    rng = np.random.default_rng(5)
    chunks = [rng.normal(size=(n, 5)) for n in (4096, 4096, 77)]
    straight, resumed = PathQuantiles(5), PathQuantiles(5)
    for chunk in chunks:
        straight.add(chunk)
        values, total = summarise(chunk.T)
        assert values.shape == (POINTS, 5)
        resumed.add_summary(values.copy(), total)
    assert straight.quantile(ASKED).tobytes() == resumed.quantile(ASKED).tobytes()
    assert straight.total == resumed.total == 8269.0


def test_equal_weights_change_nothing_that_matters():
    rows = np.random.default_rng(6).normal(size=(1000, 3))
    plain, weighted = summarise(rows.T)[0], summarise(rows.T, np.full(1000, 0.25))[0]
    assert np.array_equal(plain, weighted)


def test_weight_zero_leaves_a_scenario_out():
    rows = np.arange(1000.0)[:, None]
    weights = (rows[:, 0] < 500).astype(float)
    sketch = PathQuantiles(1)
    sketch.add(rows, weights)
    assert sketch.quantile(1.0)[0, 0] == 499.0
    assert sketch.quantile(0.5)[0, 0] == pytest.approx(250, abs=5)


def test_misuse_is_named():
    with pytest.raises(SimulatorError, match="no path quantiles"):
        PathQuantiles(1).quantile(0.5)
    with pytest.raises(ValueError, match="at least one series"):
        PathQuantiles(0)
    with pytest.raises(ValueError, match="shape"):
        PathQuantiles(2).add_summary(np.zeros((POINTS, 3)), 1.0)
    with pytest.raises(ValueError, match="at least one scenario"):
        summarise(np.zeros((2, 0)))


@settings(max_examples=40, deadline=None)
@given(
    hnp.arrays(np.float64, st.tuples(st.integers(257, 900), st.just(1)), elements=st.floats(-1e6, 1e6)),
    st.floats(0.001, 0.999),
)
def test_bound_holds_for_any_data(rows, q):
    sketch = PathQuantiles(1)
    sketch.add(rows)
    found = sketch.quantile(q)[0, 0]
    assert rank_gap(rows[:, 0], np.ones(len(rows)), found, q) <= RANK_ERROR + 1e-12


def test_a_chunk_is_reduced_fast_enough():
    rows = np.random.default_rng(1).normal(size=(600, 4096))
    best = np.inf
    for _ in range(5):
        start = time.perf_counter()
        summarise(rows)
        best = min(best, time.perf_counter() - start)
    assert best < 0.5  # measured 0.03 s; the wide margin is for a shared machine
