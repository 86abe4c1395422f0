"""Importance sampling is a defensive mixture: weights bounded by 2, truth kept at any shift, far tails sharpened."""

import numpy as np
import pytest
from scipy.special import ndtr, ndtri

from simulator.errors import InputError
from simulator.factors.drivers import check_drivers
from simulator.factors.plan import build_factors, draw_states
from simulator.measures.estimate import effective_size
from simulator.measures.estimates import mean
from simulator.measures.sample import Sample
from simulator.measures.tail import tail_value_at_risk
from tests.small_books import LIMIT, MANY, conditional, gaussian, mean_within, portfolio, study

NAN = np.nan
PD, RHO = 0.0293, 0.15
#: Quantile and tail mean of an infinitely large pool at 99.9 % (Vasicek).
QUANTILE, TAIL_MEAN, BEYOND = 0.2256895, 0.2632718, 0.001


def plan_of(shift, dependence=None, book=None):
    simulation = {"tail": "importance", "importance_shift": shift}
    asked = study({"dependence": dependence or gaussian(RHO)}, simulation)
    return build_factors(asked, book or portfolio(["A"]), {})[0]


def large_pool(shift, n=MANY, seed=4):
    """Default rate and weight of each scenario of an infinitely large pool."""
    states = draw_states(plan_of(shift), seed, 0, n)
    return conditional(ndtri(PD), RHO, np.sqrt(RHO) * states.drivers[:, 0], states.mixing), states.weight


def in_pairs(sample):
    """An untilted and a tilted scenario together: independent of all other pairs, and alike."""
    return np.asarray(sample, dtype=np.float64).reshape(-1, 2).mean(axis=1)


@pytest.mark.parametrize("shift", [1.0, 3.0, 5.0])
def test_weights_are_bounded_and_average_to_one(shift):
    states = draw_states(plan_of(shift, gaussian(RHO, 0.1), portfolio(["A"], country=["DE"])), 4, 0, MANY)
    weight, state = states.weight, states.drivers[:, 0]
    assert weight.min() >= 0.0
    assert weight.max() <= 2.0
    mean_within(in_pairs(weight), 1.0)
    mean_within(weight, 1.0)
    assert effective_size(weight) > 0.5 * MANY * weight.mean()
    for value, exact in ((state, 0.0), (state**2, 1.0), (state < -3.0, ndtr(-3.0)), (state > 2.0, ndtr(-2.0))):
        mean_within(in_pairs(weight * value), exact)
    mean_within(states.drivers[:, 1], 0.0)


@pytest.mark.parametrize("shift", [1.0, 3.0, 5.0])
def test_mean_and_tail_are_unbiased_at_any_shift(shift):
    rate, weight = large_pool(shift)
    mean_within(in_pairs(weight * rate), PD)
    mean_within(in_pairs(weight * (rate - PD) ** 2), 0.0293894**2)
    mean_within(in_pairs(weight * (rate > QUANTILE)), BEYOND)
    excess = np.maximum(rate - QUANTILE, 0.0) / BEYOND
    mean_within(in_pairs(weight * excess), TAIL_MEAN - QUANTILE)


@pytest.mark.parametrize("shift", [1.0, 3.0, 5.0])
def test_reported_estimates_are_honest_with_few_scenarios(shift):
    """A pure shift of 5 reported 0.088 ± 0.008 for the mean here, where 0.0293 is true."""
    rate, weight = large_pool(shift, 20_000)
    sample = Sample.weighted(rate, weight)
    for found, exact in ((mean(sample), PD), (tail_value_at_risk(sample, 1.0 - BEYOND), TAIL_MEAN)):
        assert abs(found.value - exact) < LIMIT * found.standard_error
    plain = Sample(
        conditional(ndtri(PD), RHO, np.sqrt(RHO) * np.random.default_rng(1).normal(size=20_000), np.ones(20_000))
    )
    assert mean(sample).standard_error < 1.3 * mean(plain).standard_error


def test_far_tail_is_sharpened_as_documented():
    """docs/MODEL.md §4: at shift 3 the variance of P(loss > its 99.9 % quantile) is divided by 90 or more."""
    rate, weight = large_pool(3.0)
    noise = weight * ((rate > QUANTILE) - BEYOND)
    plain = BEYOND * (1.0 - BEYOND)
    assert 80 < plain / np.mean(noise**2) < 104  # what is reported: 92
    assert 110 < plain / (2.0 * in_pairs(noise).var()) < 150  # what is true, as both halves have a fixed size: 131


def test_only_odd_scenarios_are_shifted_whatever_the_blocks():
    book = portfolio(["A", "B"], country=["DE", "FR"])
    dependence = gaussian(0.1, 0.1, correlation={"country:DE": {"global": 0.5}})
    plan = plan_of(2.5, dependence, book)
    plain = draw_states(plan._replace(tilt=np.zeros(3)), 7, 0, 400)
    whole = draw_states(plan, 7, 0, 400)
    assert whole.drivers[::2].tobytes() == plain.drivers[::2].tobytes()
    assert np.allclose(whole.drivers[1::2] - plain.drivers[1::2], [-2.5, -1.25, 0.0], atol=1e-12)
    parts = [draw_states(plan, 7, first, 100) for first in range(0, 400, 100)]
    for one, many in zip(whole, zip(*parts, strict=True), strict=True):
        assert one.tobytes() == np.concatenate(many).tobytes()


@pytest.mark.parametrize(
    ("dependence", "columns"),
    [
        (gaussian(0.0), {}),
        (gaussian(0.0, 0.2), {"country": ["DE", "FR"]}),
        (gaussian(0.2), {"loadings": {"oil": [0.5, 0.1]}}),
        (gaussian(0.2, correlation={"global": {"oil": 0.0}}), {"loadings": {"oil": [0.5, 0.1], "global": [NAN, 0.0]}}),
    ],
)
def test_a_book_that_the_global_driver_does_not_touch_is_refused(dependence, columns):
    book = portfolio(["A", "B"], **columns)
    asked = study({"dependence": dependence}, {"tail": "importance"})
    for use in (lambda: build_factors(asked, book, {}), lambda: check_drivers(asked, book)):
        with pytest.raises(InputError) as excinfo:
            use()
        (problem,) = excinfo.value.problems
        assert problem.path == "simulation.tail"
        assert problem.value == "importance"
        assert "no buyer depends on it" in problem.message
    build_factors(study({"dependence": dependence}), book, {})


def test_one_buyer_that_depends_on_the_world_is_enough():
    linked = gaussian(0.0, 0.2, correlation={"global": {"country:DE": 0.4}})
    assert plan_of(2.0, linked, portfolio(["A", "B"], country=["FR", "DE"])).tilt.tolist() == [-2.0, 0.0, 0.0]
    mixed = portfolio(["A", "B"], loadings={"oil": [0.5, NAN]})
    assert plan_of(2.0, gaussian(0.1), mixed).tilt.tolist() == [-2.0, 0.0]


def test_an_impossible_correlation_is_not_blamed_on_importance_sampling():
    book = portfolio(["A"], country=["DE"])
    asked = study(
        {"dependence": gaussian(0.0, 0.2, correlation={"global": {"country:DE": 1.4}})}, {"tail": "importance"}
    )
    with pytest.raises(InputError) as excinfo:
        build_factors(asked, book, {})
    assert [p.path for p in excinfo.value.problems] == ["credit.dependence.correlation.global.country:DE"]
