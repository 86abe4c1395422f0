"""Formulas and kernel of the common state against their twins, worked numbers and SciPy."""

import numpy as np
import pytest
from scipy.special import ndtr

from simulator.factors import formulas
from simulator.factors.kernels import draw_state
from simulator.streams import TABLE_SIZE, entity_key, stream_key
from tests.twins import factors as twins


def test_normal_cdf():
    for x in (-38.0, -8.0, -1.8911824, 0.0, 0.3, 5.0, 9.0, np.inf, -np.inf, *np.random.default_rng(1).normal(size=500)):
        assert formulas.normal_cdf(x) == twins.normal_cdf(x)
        assert formulas.normal_cdf(x) == pytest.approx(ndtr(x), rel=1e-13)
    assert formulas.normal_cdf(-1.8911824) == pytest.approx(0.0293, abs=1e-8)


def test_common_part_and_latent():
    rng = np.random.default_rng(2)
    start = np.array([0, 2, 2, 5], dtype=np.int32)
    driver = np.array([0, 1, 0, 2, 3], dtype=np.int32)
    loading = rng.normal(size=5)
    drivers = rng.normal(size=(20, 4))
    for scenario in range(20):
        for buyer in range(3):
            found = formulas.common_part(start, driver, loading, drivers, scenario, buyer)
            assert found == twins.common_part(start, driver, loading, drivers, scenario, buyer)
        assert formulas.common_part(start, driver, loading, drivers, scenario, 1) == 0.0
        share, residual = rng.uniform(), rng.normal()
        assert formulas.latent(found, share, residual) == twins.latent(found, share, residual)
    two = np.array([0, 2], dtype=np.int32)
    state = np.array([[-1.0, 0.5]])
    common = formulas.common_part(two, np.array([0, 1], dtype=np.int32), np.array([0.3, 0.2]), state, 0, 0)
    assert common == pytest.approx(-0.2)
    assert formulas.latent(-0.2, 0.19, -1.0) == pytest.approx(-1.1)


def test_conditional_pd():
    rng = np.random.default_rng(3)
    for _ in range(500):
        threshold, common, share, mixing = rng.normal(-2), rng.normal(), rng.uniform(), rng.uniform(0.5, 3)
        found = formulas.conditional_pd(threshold, common, share, mixing)
        assert found == twins.conditional_pd(threshold, common, share, mixing)
    worked = formulas.conditional_pd(-1.8911824, -3.0902323 * np.sqrt(0.15), 0.15, 1.0)
    assert worked == pytest.approx(0.2256895, abs=2e-7)


def test_mixture_weight():
    for exponent in (-800.0, -57.0, -1.0, 1e-9, 3.375, 57.0, 700.0, *np.random.default_rng(5).normal(size=200) * 5):
        found = formulas.mixture_weight(exponent)
        assert found == twins.mixture_weight(exponent)
        assert 0.0 < found <= 2.0
    assert formulas.mixture_weight(0.0) == 1.0
    assert formulas.mixture_weight(3.375) == pytest.approx(0.0661720, abs=1e-7)


@pytest.mark.parametrize("share", [0.0, 0.15, 1.0])
def test_conditional_pd_at_the_edges(share):
    assert formulas.conditional_pd(-np.inf, -3.0, share, 1.7) == 0.0
    assert formulas.conditional_pd(np.inf, 3.0, share, 1.7) == 1.0


def test_nothing_is_left_to_chance_when_all_is_systematic():
    for common, expected in ((-2.0, 1.0), (-1.0, 1.0), (-0.999, 0.0)):
        assert formulas.conditional_pd(-2.0, common, 1.0, 2.0) == expected
        assert twins.conditional_pd(-2.0, common, 1.0, 2.0) == expected


@pytest.mark.parametrize("correlated", [False, True])
@pytest.mark.parametrize("tilted", [False, True])
def test_draw_state_equals_its_twin(tilted, correlated):
    rng = np.random.default_rng(4)
    n, n_drivers = 24, 4
    correlation = np.corrcoef(rng.normal(size=(n_drivers, 50))) if correlated else np.eye(n_drivers)
    start = np.array([0, 0, 0, 0] if correlated else [0, 1, 2, 3], dtype=np.int32)
    entity = np.array([entity_key(f"driver:{j}") for j in range(n_drivers)], dtype=np.uint64)
    tilt = np.array([-1.5, 0.0, 0.25, 0.0]) * tilted
    shift = rng.normal(size=n_drivers)
    table = np.sort(rng.normal(scale=0.3, size=(1, TABLE_SIZE)))
    arguments = (
        stream_key(9, "driver"), stream_key(9, "mixing"), 17, entity, np.uint64(entity_key("scenario")),
        np.linalg.cholesky(correlation), start, shift, tilt, table,
    )  # fmt: skip
    pair = np.empty((3, 4), np.uint64)  # parts of eight scenarios
    working = pair, pair.view(np.uint32), np.empty((3, 8))
    found = [np.empty((n, n_drivers)), np.empty(n), np.empty(n)]
    expected = [np.empty((n, n_drivers)), np.empty(n), np.empty(n)]
    draw_state(*arguments, *found, *working)
    twins.draw_state(*arguments, *expected, *working)
    for one, other in zip(found, expected, strict=True):
        assert one.tobytes() == other.tobytes()
    assert np.all(found[2] == 1.0) != tilted
