"""Copulas: thresholds, the tabulated mixing scale, and that conditional and unconditional PD agree."""

import numpy as np
import pytest
from scipy.special import chdtr, chdtri, gammaincinv, ndtr, ndtri, stdtr

from simulator.errors import InputError
from simulator.factors import student_t
from simulator.factors.copulas import COPULAS
from simulator.factors.plan import build_factors, draw_states
from simulator.streams import TABLE_SIZE, table_grid
from simulator.study.schema import Dependence
from tests.small_books import MANY, mean_within, portfolio, study


def dependence(nu):
    return Dependence(copula="student_t", degrees_of_freedom=nu)


@pytest.mark.parametrize("copula", ["gaussian", "student_t"])
@pytest.mark.parametrize("nu", [0.5, 1.0, 6.0, 1000.0])
def test_certain_and_impossible_defaults_have_infinite_thresholds(copula, nu):
    quantile = COPULAS[copula].quantile(np.array([[0.0, 1e-12, 0.5, 1.0]]), dependence(nu))
    assert quantile.shape == (1, 4)
    assert quantile[0, 0] == -np.inf
    assert quantile[0, 3] == np.inf
    assert quantile[0, 2] == pytest.approx(0.0, abs=1e-15)
    assert np.isfinite(quantile[0, 1])


@pytest.mark.parametrize("nu", [0.3, 1.0, 2.5, 6.0, 50.0])
def test_student_t_threshold_is_the_t_quantile(nu):
    p = np.geomspace(1e-8, 0.9, 200)
    assert stdtr(nu, student_t.quantile(p, dependence(nu))) == pytest.approx(p, rel=1e-9)


def test_gaussian_mixing_is_exactly_one():
    assert np.array_equal(COPULAS["gaussian"].mixing_table(Dependence()), np.zeros(TABLE_SIZE))


@pytest.mark.parametrize("nu", [0.1, 0.5, 1.0, 2.5, 6.0, 30.0, 1000.0])
def test_mixing_table_is_exact_at_knots_and_within_the_stated_error_between(nu):
    table = student_t.mixing_table(dependence(nu))
    assert np.all(np.isfinite(table))
    assert np.all(np.diff(table) > 0), "the scale rises with the score"
    z = table_grid()
    # scores a 32-bit word can reach lie within ±6.34
    middle = (z[:-1] + z[1:])[np.abs(z[1:]) < 6.4] / 2.0
    linear = ((table[:-1] + table[1:]) / 2.0)[np.abs(z[1:]) < 6.4]
    p = ndtr(-middle)
    chi_square = 2.0 * np.where(p < 0.5, gammaincinv(nu / 2.0, p), 0.0) + np.where(
        p < 0.5, 0.0, chdtri(nu, ndtr(middle))
    )
    exact = 0.5 * np.log(nu / chi_square)
    assert np.max(np.abs(linear - exact)) < 2e-6 / min(1.0, nu)
    knots = np.abs(z) < 5.0
    assert chdtr(nu, nu * np.exp(-2.0 * table[knots])) == pytest.approx(ndtr(-z[knots]), rel=1e-7)


@pytest.mark.parametrize("nu", [1.0, 2.5, 6.0, 40.0])
@pytest.mark.parametrize("p", [1e-4, 0.0056, 0.0293, 0.3])
def test_conditional_pds_average_to_the_unconditional_one(nu, p):
    """E[Φ(t/g)] over the tabulated g is p: threshold and mixing belong to the same Student-t law."""
    table = student_t.mixing_table(dependence(nu))
    threshold = float(student_t.quantile(np.array(p), dependence(nu)))
    z = np.linspace(-6.5, 6.5, 20 * (TABLE_SIZE - 1) + 1)
    density = np.exp(-0.5 * z * z) / np.sqrt(2.0 * np.pi)
    scale = np.exp(np.interp(z, table_grid(), table))
    assert np.trapezoid(ndtr(threshold / scale) * density, z) == pytest.approx(p, rel=2e-6)


def test_drawn_scales_follow_the_chi_square_law():
    credit = {"dependence": {"copula": "student_t", "degrees_of_freedom": 6.0}}
    plan, _ = build_factors(study(credit), portfolio(["A"]), {})
    states = draw_states(plan, 8, 0, MANY)
    w = 6.0 / states.mixing**2
    mean_within(w, 6.0)
    mean_within((w - 6.0) ** 2, 12.0)
    for level in (0.001, 0.01, 0.5, 0.99):
        mean_within(w <= chdtri(6.0, 1.0 - level), level)
    mean_within(states.mixing * states.drivers[:, 0] <= float(ndtri(0.02)), stdtr(6.0, ndtri(0.02)))


def test_tiny_degrees_of_freedom_are_refused():
    for use in (lambda d: student_t.quantile(np.array([0.5]), d), student_t.mixing_table):
        with pytest.raises(InputError, match=r"at least 0\.1"):
            use(Dependence.model_construct(degrees_of_freedom=0.05))
