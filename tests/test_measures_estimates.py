"""Means, probabilities, quantiles and tail means: definitions by hand, closed forms, errors that mean what they say."""

import math
from itertools import pairwise

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy.special import bdtr, erf, ndtri

from simulator.measures.estimate import Functional, effective_size, weight_deviation
from simulator.measures.estimates import conditional_mean, mean, probability, ratio, standard_deviation, wilson
from simulator.measures.sample import Sample, probabilities
from simulator.measures.tail import (
    interval_ranks,
    quantile,
    tail_part,
    tail_size,
    tail_value_at_risk,
    tail_weights,
    value_at_risk,
    value_at_risk_functional,
)

LIMIT = 4.5
LEVELS = (0.95, 0.99, 0.995)


def normal_tvar(level):
    z = ndtri(level)
    return math.exp(-z * z / 2) / math.sqrt(2 * math.pi) / (1 - level)


def lognormal_tvar(level, sigma):
    z = ndtri(level)
    return math.exp(sigma**2 / 2) * 0.5 * (1 + erf((sigma - z) / math.sqrt(2))) / (1 - level)


LAWS = {
    "normal": (lambda rng, n: rng.standard_normal(n), ndtri, normal_tvar),
    "exponential": (lambda rng, n: rng.exponential(size=n), lambda a: -math.log1p(-a), lambda a: 1 - math.log1p(-a)),
    "lognormal": (
        lambda rng, n: rng.lognormal(sigma=0.8, size=n),
        lambda a: math.exp(0.8 * ndtri(a)),
        lambda a: lognormal_tvar(a, 0.8),
    ),
}


def test_inverted_cdf_by_hand():
    sample = Sample([4.0, 1.0, 3.0, 2.0])
    expected = {0.01: 1, 0.25: 1, 0.2501: 2, 0.5: 2, 0.5001: 3, 0.75: 3, 0.76: 4, 0.999: 4}
    for level, value in expected.items():
        assert value_at_risk(sample, level).value == value, level


def test_rounding_of_level_times_n_is_forgiven():
    assert 0.07 * 100 > 7  # in floating point
    assert value_at_risk(Sample(np.arange(1.0, 101)), 0.07).value == 7
    for n in (10, 100, 1000, 4000, 100_000):
        for level in (0.95, 0.99, 0.995, 0.9):
            if round(level * n, 9) == int(round(level * n, 9)):
                assert Sample(np.arange(n, dtype=float)).position(level) == round(level * n) - 1


def test_weighted_quantile_by_hand():
    sample = Sample.weighted([10.0, 20.0, 30.0], [1.0, 2.0, 1.0])
    assert [value_at_risk(sample, a).value for a in (0.25, 0.26, 0.75, 0.76)] == [10, 20, 20, 30]


def test_weight_zero_is_as_good_as_absent():
    sample = Sample.weighted([1.0, 2.0, 99.0, 3.0], [1.0, 1.0, 0.0, 1.0])
    assert value_at_risk(sample, 0.9).value == 3.0
    assert tail_value_at_risk(sample, 0.5).value == pytest.approx((3 / 3 + 2 * (2 / 3 - 0.5)) / 0.5)
    assert mean(sample).value == pytest.approx(2.0)


def test_tail_value_at_risk_takes_the_boundary_by_its_fraction():
    sample = Sample([1.0, 2.0, 3.0, 4.0])
    assert tail_value_at_risk(sample, 0.625).value == pytest.approx((4 + 0.5 * 3) / 1.5)
    assert tail_value_at_risk(sample, 0.75).value == 4.0
    assert tail_value_at_risk(sample, 0.0).value == pytest.approx(2.5)


@given(st.lists(st.floats(-1e6, 1e6), min_size=1, max_size=40), st.floats(0.01, 0.99))
def test_tail_value_at_risk_is_the_integral_of_value_at_risk(values, level):
    ordered, n = sorted(values), len(values)
    edges = [level, *(k / n for k in range(n + 1) if k / n > level)]
    integral = 0.0
    for low, high in pairwise(edges):
        integral += (high - low) * ordered[min(n - 1, math.ceil((low + high) / 2 * n) - 1)]
    found = tail_value_at_risk(Sample(values), level).value
    assert found == pytest.approx(integral / (1 - level), rel=1e-9, abs=1e-4)


def test_tail_weights_give_the_tail_mean_and_sum_to_one():
    rng = np.random.default_rng(1)
    values, weights = rng.normal(size=1001), rng.exponential(size=1001)
    for w in (None, weights):
        share = tail_weights(values, w, 0.97)
        assert share.sum() == pytest.approx(1.0)
        assert share.min() >= 0.0
        assert np.dot(share, values) == pytest.approx(tail_value_at_risk(Sample.weighted(values, w), 0.97).value)
    assert tail_weights([1, 2, 3, 4], None, 0.625) == pytest.approx([0, 0, 1 / 3, 2 / 3])


@pytest.mark.parametrize("law", LAWS)
@pytest.mark.parametrize("level", LEVELS)
def test_closed_forms(law, level):
    draw, true_quantile, true_tail = LAWS[law]
    sample = Sample(draw(np.random.default_rng(20261030), 200_000))
    found, tail = value_at_risk(sample, level), tail_value_at_risk(sample, level)
    assert abs(found.value - true_quantile(level)) < LIMIT * found.standard_error
    assert abs(tail.value - true_tail(level)) < LIMIT * tail.standard_error
    assert found.standard_error < 0.05 * found.value


@pytest.mark.parametrize("law", LAWS)
def test_standard_errors_and_intervals_over_replications(law):
    """The mean reported error is the true one, and 95 % intervals cover 95 % (400 replications)."""
    draw, true_quantile, true_tail = LAWS[law]
    rng, level, times = np.random.default_rng(99), 0.95, 400
    samples = [Sample(draw(rng, 3000)) for _ in range(times)]
    for measure, truth in ((value_at_risk, true_quantile(level)), (tail_value_at_risk, true_tail(level))):
        found = [measure(s, level) for s in samples]
        found = [f.estimate() if isinstance(f, Functional) else f for f in found]
        values = np.array([f.value for f in found])
        errors = np.array([f.standard_error for f in found])
        # relative error of a standard deviation from 400 values is 3.5 %
        assert np.sqrt((errors**2).mean()) / values.std() == pytest.approx(1.0, abs=0.16)
        covered = np.mean([f.ci_low <= truth <= f.ci_high for f in found])
        assert covered > 0.95 - LIMIT * math.sqrt(0.95 * 0.05 / times)


@pytest.mark.parametrize("n", [20, 250, 1000])
def test_interval_ranks_are_the_exact_binomial_ones(n):
    for level in (0.05, 0.5, 0.95, 0.99):
        low, high = interval_ranks(n, level)
        below = [bdtr(float(k), n, level) for k in range(n + 1)]
        assert low == 0 or below[low - 1] <= 0.025
        assert below[low] > 0.025
        assert high == n + 1 or 1 - below[high - 1] <= 0.025 + 1e-12
        assert 1 - below[high - 2] > 0.025


def test_unbounded_where_the_sample_cannot_say():
    found = value_at_risk(Sample(np.arange(100.0)), 0.995)
    assert found.ci_high == math.inf
    assert found.ci_low == 97.0
    assert value_at_risk(Sample(np.arange(5.0)), 0.5).ci_low == -math.inf


def test_effective_number_beyond_a_level_by_hand():
    assert tail_size(Sample(np.arange(1000.0)), 0.995) == pytest.approx(5.0)
    assert tail_size(Sample([1.0, 2.0, 3.0, 4.0]), 0.625) == pytest.approx((3 / 8) ** 2 / (1 / 64 + 1 / 16))
    # weights 1, 1, 4, 2 of 8 beyond 0.2: ¼ − 0.2 of the boundary 2, then 4/8 and 2/8
    weighted = Sample.weighted([1.0, 2.0, 3.0, 4.0], [1.0, 1.0, 4.0, 2.0])
    assert tail_size(weighted, 0.2) == pytest.approx(0.8**2 / (0.05**2 + 0.5**2 + 0.25**2))
    assert tail_size(Sample.weighted([1.0, 2.0], [1.0, 0.0]), 0.5) == pytest.approx(1.0)


@pytest.mark.parametrize("n", [1, 2, 100, 900, 999, 1000, 1001, 2000])
def test_too_few_beyond_a_level_have_no_error(n):
    """Fewer than five beyond 99.5 % give NaN, never zero; the value stays, and so does an open interval."""
    sample, level = Sample(np.random.default_rng(n).lognormal(size=n)), 0.995
    known = n >= 1000
    tail, part = tail_value_at_risk(sample, level).estimate(), tail_part(sample, sample.values, level).estimate()
    at = value_at_risk(sample, level)
    for found in (tail, part, at, (mean(sample) + value_at_risk_functional(sample, level)).estimate()):
        assert math.isfinite(found.value)
        assert (found.standard_error > 0.0) if known else math.isnan(found.standard_error)
    for found in (tail, part):
        assert (found.ci_low < found.value < found.ci_high) if known else math.isnan(found.ci_low)
    if not known:
        assert at.ci_high == math.inf or at.ci_low < at.ci_high
    assert math.isnan(value_at_risk(Sample(sample.values), 1.0 - level).standard_error) != known


def test_few_effective_scenarios_are_few_however_many_there_are():
    values = np.arange(10_000.0)
    weights = np.ones(10_000)
    assert tail_value_at_risk(Sample.weighted(values, weights), 0.99).standard_error > 0.0
    weights[-3:] = 100.0  # three of them are the worst 1 % and more
    heavy = Sample.weighted(values, weights)
    assert tail_size(heavy, 0.99) < 3.0
    assert math.isnan(tail_value_at_risk(heavy, 0.99).standard_error)
    assert math.isnan(value_at_risk(heavy, 0.99).standard_error)


def test_scenarios_behind_an_error():
    event = mean(Sample((np.arange(10_000) < 100).astype(float)))
    # shares (0.99²) hundred times and (0.01²) 9,900 times: (98.01 + 0.99)²/(100·0.99⁴ + 9,900·0.01⁴)
    assert event.scenarios_behind == pytest.approx(99.0**2 / (100 * 0.99**4 + 9900 * 0.01**4))
    assert mean(Sample(np.full(7, 3.0))).scenarios_behind == 7.0
    assert mean(Sample.weighted([3.0, 3.0], [1.0, 3.0])).scenarios_behind == pytest.approx(1 / (1 / 16 + 9 / 16))
    normal = mean(Sample(np.random.default_rng(6).normal(size=100_000)))
    assert normal.scenarios_behind == pytest.approx(100_000 / 3, rel=0.05)  # a kurtosis of 3


def test_equal_weights_give_what_no_weights_give():
    values = np.random.default_rng(4).lognormal(size=2000)
    plain, equal = Sample(values), Sample.weighted(values, np.full(2000, 0.37))
    for level in LEVELS:
        assert value_at_risk(plain, level) == value_at_risk(equal, level)
        assert tail_value_at_risk(plain, level).estimate() == tail_value_at_risk(equal, level).estimate()
    assert mean(plain).estimate() == mean(equal).estimate()
    nearly = Sample.weighted(values, 1.0 + 1e-9 * np.random.default_rng(5).normal(size=2000))
    assert nearly.p is not None
    for level in LEVELS:
        one, two = value_at_risk(plain, level), value_at_risk(nearly, level)
        assert one.value == pytest.approx(two.value, rel=1e-6)
        assert one.standard_error == pytest.approx(two.standard_error, rel=0.2)
        tails = [tail_value_at_risk(s, level).estimate() for s in (plain, nearly)]
        assert tails[0].standard_error == pytest.approx(tails[1].standard_error, rel=1e-6)
    assert mean(plain).standard_error == pytest.approx(mean(nearly).standard_error, rel=1e-6)
    assert standard_deviation(plain).standard_error == pytest.approx(
        standard_deviation(nearly).standard_error, rel=1e-6
    )


def test_importance_sampling_hits_the_same_truth_with_smaller_tail_errors():
    n, shift, level = 100_000, 1.5, 0.995
    z = np.random.default_rng(8).standard_normal(n)
    plain = Sample(z)
    tilted = Sample.weighted(z + shift, np.exp(-shift * z - 0.5 * shift**2))
    for sample in (plain, tilted):
        found, tail = value_at_risk(sample, level), tail_value_at_risk(sample, level)
        assert abs(found.value - ndtri(level)) < LIMIT * found.standard_error
        assert abs(tail.value - normal_tvar(level)) < LIMIT * tail.standard_error
        assert abs(mean(sample).value) < LIMIT * mean(sample).standard_error
    assert value_at_risk(tilted, level).standard_error < 0.5 * value_at_risk(plain, level).standard_error
    assert value_at_risk(tilted, level).effective_sample_size > 4 * n
    assert tail_value_at_risk(tilted, level).standard_error < 0.5 * tail_value_at_risk(plain, level).standard_error


def test_weighted_intervals_cover():
    rng, truth, times = np.random.default_rng(12), ndtri(0.99), 400
    covered = 0
    for _ in range(times):
        z = rng.standard_normal(1000)
        found = value_at_risk(Sample.weighted(z + 1.0, np.exp(-z - 0.5)), 0.99)
        covered += found.ci_low <= truth <= found.ci_high
    assert covered / times > 0.95 - LIMIT * math.sqrt(0.95 * 0.05 / times)


def test_standard_deviation_and_its_error():
    sample = Sample(np.random.default_rng(3).standard_normal(100_000) * 7)
    found = standard_deviation(sample)
    assert abs(found.value - 7) < LIMIT * found.standard_error
    assert found.standard_error == pytest.approx(7 / math.sqrt(2 * 100_000), rel=0.02)
    assert standard_deviation(Sample([5.0, 5.0])).value == 0.0


def test_probability_with_wilson_interval():
    found = probability(Sample([1.0] * 50 + [0.0] * 50))
    assert found.value == 0.5
    assert (found.ci_low, found.ci_high) == pytest.approx((0.40383, 0.59617), abs=1e-5)
    never, always = probability(Sample(np.zeros(100))), probability(Sample(np.ones(100)))
    assert never.ci_low == 0.0
    assert always.ci_high == 1.0
    assert never.ci_high == pytest.approx(1 - always.ci_low) == pytest.approx(0.036993, abs=1e-6)
    assert never.standard_error > 0
    assert wilson(0.0, 1e9)[1] < 1e-8


def test_wilson_intervals_cover_a_rare_event():
    rng = np.random.default_rng(21)
    counts = rng.binomial(2000, 0.004, 400)
    covered = np.mean([wilson(c / 2000, 2000)[0] <= 0.004 <= wilson(c / 2000, 2000)[1] for c in counts])
    assert covered > 0.95 - LIMIT * math.sqrt(0.95 * 0.05 / 400)


def test_ratio_and_conditional_mean():
    rng = np.random.default_rng(31)
    truth, found = 2.0, []
    for _ in range(300):
        x = rng.exponential(size=500)
        top = Sample(2 * x + rng.normal(size=500) * 0.3)
        found.append(ratio(mean(top), mean(Sample(x))).estimate())
    values = np.array([f.value for f in found])
    assert values.mean() == pytest.approx(truth, abs=LIMIT * values.std() / math.sqrt(300))
    assert np.mean([f.standard_error for f in found]) == pytest.approx(values.std(), rel=0.2)
    depth = Sample([0.0, 3.0, 5.0, 0.0])
    assert conditional_mean(depth, np.array([0.0, 1.0, 1.0, 0.0])).value == 4.0
    assert math.isnan(conditional_mean(depth, np.zeros(4)).value)


def test_functionals_add_up():
    rng = np.random.default_rng(2)
    x, y = rng.normal(size=300), rng.normal(size=300)
    both = mean(Sample(x)) - 2.0 * mean(Sample(y))
    direct = mean(Sample(x - 2 * y))
    assert both.value == pytest.approx(direct.value)
    assert both.standard_error == pytest.approx(direct.standard_error)
    assert both.shifted(5.0).value == pytest.approx(direct.value + 5)
    assert math.isnan(mean(Sample([1.0])).standard_error)


def test_effective_size():
    assert effective_size([1, 1, 2]) == pytest.approx(16 / 6)
    assert effective_size(np.ones(7)) == 7.0


def test_weight_deviation():
    assert weight_deviation([0.5, 1.0, 1.2]) == pytest.approx(-0.4803845)
    assert weight_deviation(np.ones(7)) == 0.0
    assert weight_deviation([0.9, 0.9]) == -math.inf
    assert weight_deviation([2.0]) == math.inf


@pytest.mark.parametrize("weights", [[], [-1.0, 2.0], [0.0, 0.0], [math.nan, 1.0], [math.inf, 1.0]])
def test_impossible_weights(weights):
    with pytest.raises(ValueError, match="weights"):
        probabilities(weights)


def test_misuse():
    with pytest.raises(ValueError, match="level"):
        value_at_risk(Sample([1.0]), 1.0)
    with pytest.raises(ValueError, match="level"):
        tail_value_at_risk(Sample([1.0]), 1.0)
    with pytest.raises(ValueError, match="at least one"):
        Sample([])
    with pytest.raises(ValueError, match="2 values but 3 weights"):
        Sample([1.0, 2.0], np.ones(3) / 3)


numbers = st.lists(st.integers(-1000, 1000).map(float), min_size=2, max_size=60)
levels = st.sampled_from([0.5, 0.9, 0.95, 0.99])


@settings(deadline=None)
@given(numbers, levels, st.data())
def test_laws_of_the_tail(values, level, data):
    weights = data.draw(st.none() | st.lists(st.integers(1, 9), min_size=len(values), max_size=len(values)))
    x = np.array(values)
    sample = Sample.weighted(x, weights)
    var, tail = value_at_risk(sample, level).value, tail_value_at_risk(sample, level).value
    assert tail >= var
    assert tail <= x.max() + 1e-9
    assert value_at_risk(Sample.weighted(x + 64, weights), level).value == var + 64
    assert value_at_risk(Sample.weighted(4 * x, weights), level).value == 4 * var
    assert tail_value_at_risk(Sample.weighted(x + 64, weights), level).value == pytest.approx(tail + 64, abs=1e-8)
    assert tail_value_at_risk(Sample.weighted(4 * x, weights), level).value == pytest.approx(4 * tail, abs=1e-7)
    more = x + np.abs(np.sin(np.arange(len(x))))
    assert value_at_risk(Sample.weighted(more, weights), level).value >= var
    assert tail_value_at_risk(Sample.weighted(more, weights), level).value >= tail - 1e-9
    higher = tail_value_at_risk(sample, 0.5 + level / 2).value
    assert higher >= tail - 1e-9
    other = np.cos(np.arange(len(x))) * 500
    together = tail_value_at_risk(Sample.weighted(x + other, weights), level).value
    assert together <= tail + tail_value_at_risk(Sample.weighted(other, weights), level).value + 1e-7  # subadditive
    found = quantile(sample, level)
    assert found.ci_low <= var <= found.ci_high
    influence = value_at_risk_functional(sample, level)
    if np.isfinite(influence.influence).all():
        assert sample.average(influence.influence) == pytest.approx(0.0, abs=1e-6)


def test_part_of_the_tail_by_hand():
    sample = Sample([1.0, 2.0, 3.0, 4.0])
    assert tail_part(sample, np.array([8.0, 6.0, 4.0, 2.0]), 0.5).value == 3.0
    assert tail_part(sample, np.array([0.0, 0.0, 6.0, 3.0]), 0.625).value == pytest.approx((3 + 0.5 * 6) / 1.5)
    weighted = Sample.weighted([1.0, 2.0, 3.0, 4.0], [1.0, 1.0, 1.0, 5.0])
    assert tail_part(weighted, np.array([0.0, 0.0, 6.0, 3.0]), 0.25).value == pytest.approx((5 * 3 + 6) / 6)


def test_parts_of_the_tail_add_up_to_it():
    rng = np.random.default_rng(3)
    first, second = rng.exponential(size=(2, 5000))
    for sample in (Sample(first + second), Sample.weighted(first + second, rng.random(5000))):
        whole = tail_value_at_risk(sample, 0.99)
        parts = tail_part(sample, first, 0.99) + tail_part(sample, second, 0.99)
        assert parts.value == pytest.approx(whole.value)
        assert parts.standard_error == pytest.approx(whole.standard_error, rel=0.05)
        assert abs(sample.average(parts.influence)) < 1e-9


def test_error_of_a_part_of_the_tail_is_its_spread_over_replications():
    """Of the normal pair with correlation ρ: E[Y | X in the worst 1 %] = ρ·TVaR."""
    rng, rho, found = np.random.default_rng(20), 0.6, []
    for _ in range(200):
        x = rng.standard_normal(4000)
        found.append(tail_part(Sample(x), rho * x + 0.8 * rng.standard_normal(4000), 0.99))
    values, errors = np.array([f.value for f in found]), np.array([f.standard_error for f in found])
    truth = rho * normal_tvar(0.99)
    assert values.mean() == pytest.approx(truth, abs=LIMIT * values.std() / math.sqrt(200))
    assert np.sqrt((errors**2).mean()) == pytest.approx(values.std(), rel=LIMIT / math.sqrt(2 * 200))
    assert np.mean(np.abs(values - truth) < 1.96 * errors) > 0.95 - LIMIT * math.sqrt(0.95 * 0.05 / 200)
