"""Defaults against closed forms: Vasicek's large pool, joint probabilities, Student-t pairs, default times.

PD 2.93 % and asset correlation 0.15 where nothing else is said; exact values by Vasicek (1987, 2002) and by
quadrature. Every comparison allows 4.5 standard errors at a fixed seed.
"""

import numpy as np
import pytest
from scipy.integrate import dblquad
from scipy.special import ndtr, ndtri, stdtrit
from scipy.stats import multivariate_normal

from simulator.defaults.plan import build_defaults
from simulator.factors.plan import build_factors, draw_states
from simulator.jit import NEVER
from simulator.study.calendar import Calendar
from tests.small_books import (
    MANY,
    conditional,
    default_days,
    gaussian,
    latents,
    mean_within,
    portfolio,
    study,
    within,
)

PD = 0.0293
RHO = 0.15
THRESHOLD = float(ndtri(PD))
JOINT = 0.0017222262
SEED = 20261030


def simulate(credit, book, n=MANY, simulation=None, **when):
    asked = study({"pd": {"source": "column"}, **credit}, simulation, **when)
    factors, _ = build_factors(asked, book, {})
    defaults = build_defaults(asked, book, Calendar.of(asked), 1.0)
    value, states = latents(factors, SEED, 0, n)
    return default_days(defaults, value), states, defaults


def both_normal(one, other, correlation):
    return float(multivariate_normal([0, 0], [[1, correlation], [correlation, 1]]).cdf([one, other]))


def large_pool(simulation=None, n=MANY):
    """Default rate of an infinitely large homogeneous pool: the conditional PD of each drawn state, and its weight."""
    factors, _ = build_factors(study({"dependence": gaussian(RHO)}, simulation), portfolio(["A"]), {})
    states = draw_states(factors, SEED, 0, n)
    return conditional(THRESHOLD, RHO, np.sqrt(RHO) * states.drivers[:, 0], states.mixing), states.weight


def test_joint_default_probability():
    day, _, _ = simulate({"dependence": gaussian(RHO)}, portfolio(["A", "B"], pd_annual=[PD, PD]))
    failed = day != NEVER
    mean_within(failed[:, 0], PD)
    mean_within(failed.all(axis=1), JOINT)
    assert both_normal(THRESHOLD, THRESHOLD, RHO) == pytest.approx(JOINT, abs=1e-9)
    rate, _ = large_pool()
    mean_within(rate**2, JOINT)


def test_joint_default_probability_by_country_and_sector():
    book = portfolio([*"ABC"], pd_annual=[0.05] * 3, country=["DE", "DE", "FR"], sector=["x", "y", "y"])
    credit = {"dependence": gaussian(0.1, 0.15, 0.05, correlation={"country:DE": {"country:FR": 0.5}})}
    day, _, _ = simulate(credit, book)
    failed = day != NEVER
    threshold = float(ndtri(0.05))
    for i, j, correlation in ((0, 1, 0.25), (1, 2, 0.1 + 0.5 * 0.15 + 0.05), (0, 2, 0.1 + 0.5 * 0.15)):
        mean_within(failed[:, i] & failed[:, j], both_normal(threshold, threshold, correlation))


def test_large_pool_moments_and_stop_loss():
    rate, _ = large_pool()
    mean_within(rate, PD)
    mean_within((rate - PD) ** 2, 0.0293894**2)
    for retention, exact in ((0.01, 0.0204154), (0.03, 0.0100950), (0.05, 0.0052371), (0.10, 0.0011626)):
        mean_within(np.maximum(rate - retention, 0.0), exact)


@pytest.mark.parametrize(
    ("level", "quantile", "tail_mean"),
    [
        (0.95, 0.0868677, 0.1209231),
        (0.99, 0.1414083, 0.1777527),
        (0.995, 0.1662200, 0.2031653),
        (0.999, 0.2256895, 0.2632718),
    ],
)
def test_large_pool_quantiles_and_tail_means(level, quantile, tail_mean):
    rate, _ = large_pool()
    mean_within(rate <= quantile, level)
    mean_within(quantile + np.maximum(rate - quantile, 0.0) / (1.0 - level), tail_mean)


def test_importance_sampling_estimates_the_same_tail_with_less_noise():
    plain, _ = large_pool()
    rate, weight = large_pool({"tail": "importance", "importance_shift": 2.5})
    mean_within(weight * rate, PD)
    for level, quantile in ((0.99, 0.1414083), (0.999, 0.2256895)):
        mean_within(weight * (rate > quantile), 1.0 - level)
        assert (weight * (rate > quantile)).std() < 0.4 * (plain > quantile).std()


def test_importance_sampling_of_single_defaults():
    book = portfolio(["A", "B"], pd_annual=[PD, PD])
    simulation = {"tail": "importance", "importance_shift": 2.0}
    day, states, _ = simulate({"dependence": gaussian(RHO)}, book, simulation=simulation)
    mean_within(states.weight * (day != NEVER).all(axis=1), JOINT)


def test_three_obligors():
    book = portfolio([*"ABC"], pd_annual=[0.0293, 0.0056, 0.0014])
    day, states, defaults = simulate({"dependence": gaussian(RHO)}, book)
    failed = day != NEVER
    mean_within(~failed.any(axis=1), 0.96422369)
    common = np.sqrt(RHO) * states.drivers[:, 0]
    a, b, c = (conditional(defaults.threshold[defaults.curve[k], -1], RHO, common, states.mixing) for k in range(3))
    for found, chance, exact in (
        (failed[:, 0] & failed[:, 1], a * b, 3.90329e-4),
        (failed[:, 0] & failed[:, 2], a * c, 1.09924e-4),
        (failed[:, 1] & failed[:, 2], b * c, 2.71046e-5),
    ):
        mean_within(found, exact)
        mean_within(chance, exact)
    mean_within(a * b * c, 3.6623e-6)
    mean_within((1 - a) * (1 - b) * (1 - c), 0.96422369)


def test_without_correlation_the_count_is_binomial():
    n_buyers, n = 100, 200_000
    book = portfolio([f"{i}" for i in range(n_buyers)], pd_annual=[PD] * n_buyers)
    day, _, _ = simulate({"dependence": gaussian(0.0)}, book, n)
    count = (day != NEVER).sum(axis=1)
    mean_within(count, n_buyers * PD)
    mean_within((count - n_buyers * PD) ** 2, n_buyers * PD * (1 - PD))
    mean_within(count == 0, (1 - PD) ** n_buyers)
    mean_within(count == 1, n_buyers * PD * (1 - PD) ** (n_buyers - 1))


def test_with_full_correlation_all_fail_or_none():
    book = portfolio([*"ABC"], pd_annual=[PD] * 3)
    day, states, _ = simulate({"dependence": gaussian(1.0)}, book)
    assert np.array_equal(day, np.repeat(day[:, :1], 3, axis=1))
    mean_within(day[:, 0] != NEVER, PD)
    chance = conditional(THRESHOLD, 1.0, states.drivers[:, 0], states.mixing)
    assert np.array_equal(chance == 1.0, day[:, 0] != NEVER)


def test_groups_fail_together():
    book = portfolio([*"ABCD"], pd_annual=[PD, PD, 0.1, PD], group_id=["G", "G", "G", ""])
    day, _, _ = simulate({"dependence": gaussian(RHO)}, book)
    assert np.array_equal(day[:, 0], day[:, 1])
    assert np.all(day[:, 2] <= day[:, 0]), "the weaker member never fails later"
    mean_within((day[:, 0] != NEVER) & (day[:, 3] != NEVER), JOINT)


def t_pair(nu, p, rho):
    """P(both default) by integrating the bivariate t density."""
    bound = float(stdtrit(nu, p))
    det = 1.0 - rho * rho

    def density(u, v):
        # x = bound − u/(1 − u): a finite square, so the heavy tail is covered
        x, y = bound - u / (1.0 - u), bound - v / (1.0 - v)
        form = (x * x - 2.0 * rho * x * y + y * y) / (nu * det)
        inner = (1.0 + form) ** (-(nu + 2.0) / 2.0) / (2.0 * np.pi * np.sqrt(det))
        return inner / ((1.0 - u) ** 2 * (1.0 - v) ** 2)

    value, _ = dblquad(density, 0.0, 1.0, 0.0, 1.0, epsabs=1e-9, epsrel=1e-7)
    return value


@pytest.mark.parametrize(("nu", "rho"), [(6.0, 0.15), (3.0, 0.15), (6.0, 0.0)])
def test_student_t_pair(nu, rho):
    exact = t_pair(nu, PD, rho)
    assert exact > 1.25 * both_normal(THRESHOLD, THRESHOLD, rho), "joint extremes are what the t copula adds"
    credit = {"dependence": {**gaussian(rho), "copula": "student_t", "degrees_of_freedom": nu}}
    day, states, defaults = simulate(credit, portfolio(["A", "B"], pd_annual=[PD, PD]))
    failed = day != NEVER
    mean_within(failed[:, 0], PD)
    mean_within(failed.all(axis=1), exact)
    chance = conditional(defaults.threshold[0, -1], rho, np.sqrt(rho) * states.drivers[:, 0], states.mixing)
    mean_within(chance, PD)
    mean_within(chance**2, exact)


@pytest.mark.parametrize("copula", ["gaussian", "student_t"])
def test_default_times_follow_their_curve(copula):
    book = portfolio(["A", "B"], rating=["B", "CCC/C"])
    credit = {"pd": {"source": "rating"}, "dependence": {**gaussian(RHO), "copula": copula}}
    day, _, _ = simulate(credit, book, horizon="1095 days")
    for buyer, curve in ((0, (0.0293, 0.0693, 0.1046)), (1, (0.2612, 0.3592, 0.4132))):
        for year, pd in enumerate(curve, start=1):
            mean_within(day[:, buyer] <= 365 * year, pd)
        for d in (1, 30, 91):
            mean_within(day[:, buyer] <= d, 1 - (1 - curve[0]) ** (d / 365))
        share = (547 - 365) / 365
        mean_within(day[:, buyer] <= 547, 1 - (1 - curve[0]) ** (1 - share) * (1 - curve[1]) ** share)
    assert day.min() >= 1
    assert np.all((day <= 1095) | (day == NEVER))


def test_weekly_and_monthly_grids_have_the_same_defaults():
    """One latent draw per buyer over the whole horizon: the grid only says where defaults are counted."""
    n_buyers, n = 40, 40_000
    book = portfolio([f"{i}" for i in range(n_buyers)], pd_annual=[PD] * n_buyers)
    days, counts = [], []
    for period in ("week", "month"):
        day, _, _ = simulate({"dependence": gaussian(RHO)}, book, n, period=period)
        calendar = Calendar.of(study(horizon="365 days", period=period))
        failed = day[day != NEVER]
        days.append(day)
        counts.append(np.bincount(calendar.period_of_day[failed], minlength=calendar.n_periods))
    assert np.array_equal(*days)
    assert counts[0].sum() == counts[1].sum() > 0
    assert (len(counts[0]), len(counts[1])) == (53, 13)


def test_a_fresh_factor_per_step_would_destroy_correlation():
    """The pitfall this design avoids: the same ρ with an independent factor each week has a fraction of the spread."""
    rate, _ = large_pool()
    annual_sd = rate.std()
    rng = np.random.default_rng(1)
    sd = {}
    for steps in (12, 52):
        threshold = ndtri(-np.expm1(np.log1p(-PD) / steps))
        survival = np.ones(100_000)
        for _ in range(steps):
            common = np.sqrt(RHO) * rng.standard_normal(len(survival))
            survival *= 1.0 - ndtr((threshold - common) / np.sqrt(1.0 - RHO))
        sd[steps] = (1.0 - survival).std()
    assert annual_sd == pytest.approx(0.02939, rel=0.02)
    assert sd[12] == pytest.approx(0.01347, rel=0.02)
    assert sd[52] == pytest.approx(0.00816, rel=0.02)


def test_defaults_do_not_depend_on_the_other_buyers_nor_on_their_order():
    ids, pds, countries = [*"ABCD"], [0.05, 0.2, 0.05, 0.4], ["DE", "FR", "", "DE"]
    order = [3, 1, 0, 2]
    credit = {"dependence": {"copula": "student_t", "shares": {"global": 0.1, "country": 0.1, "sector": 0.0}}}
    whole, _, _ = simulate(credit, portfolio(ids, pd_annual=pds, country=countries), 4000)
    sorted_, _, _ = simulate(
        credit,
        portfolio([ids[i] for i in order], pd_annual=[pds[i] for i in order], country=[countries[i] for i in order]),
        4000,
    )
    fewer, _, _ = simulate(credit, portfolio(ids[1:], pd_annual=pds[1:], country=countries[1:]), 4000)
    short, _, _ = simulate(credit, portfolio(ids, pd_annual=pds, country=countries), 400)
    assert np.array_equal(whole[:, order], sorted_)
    assert np.array_equal(whole[:, 1:], fewer)
    assert np.array_equal(whole[:400], short)


def test_a_stress_of_the_state_raises_the_conditional_default_rate():
    """A shift of the global driver by s moves the mean default rate to Φ(c − √ρ·s)."""
    book = portfolio(["A"])
    factors, _ = build_factors(study({"dependence": gaussian(RHO)}), book, {"global": -1.5})
    states = draw_states(factors, SEED, 0, MANY)
    rate = conditional(THRESHOLD, RHO, np.sqrt(RHO) * states.drivers[:, 0], states.mixing)
    mean_within(rate, float(ndtr(THRESHOLD + 1.5 * np.sqrt(RHO))))


def test_the_limit_is_sharp_enough_to_notice():
    """The tests above would see an asset correlation of 0.16 instead of 0.15."""
    rate, _ = large_pool()
    with pytest.raises(AssertionError):
        mean_within(rate**2, both_normal(THRESHOLD, THRESHOLD, RHO + 0.01))
    with pytest.raises(AssertionError):
        within(1.0, 2.0, 0.1)
