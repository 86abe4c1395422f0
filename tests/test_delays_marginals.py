"""Laws of the delay: quantile functions against independent distribution functions, and their tables' error."""

import math

import numpy as np
import pytest
from scipy import stats
from scipy.special import ndtr

from simulator.delays.formulas import LONGEST_DELAY
from simulator.delays.marginals import quantile, quantile_table
from simulator.errors import InputError
from simulator.streams import TABLE_PER_UNIT, table_grid
from simulator.study import schema

SMOOTH = {
    "lognormal": (schema.LognormalDelay(model="lognormal", median_days=20, sigma=0.8, shift_days=-5),
                  stats.lognorm(s=0.8, scale=20, loc=-5)),
    "gamma": (schema.GammaDelay(model="gamma", shape=1.885, scale_days=35.3), stats.gamma(1.885, scale=35.3)),
    "gamma_steep": (schema.GammaDelay(model="gamma", shape=0.4, scale_days=60), stats.gamma(0.4, scale=60)),
    "weibull": (schema.WeibullDelay(model="weibull", shape=1.475, scale_days=72.1, shift_days=3),
                stats.weibull_min(1.475, scale=72.1, loc=3)),
    "student_t": (schema.StudentTDelay(model="student_t", location_days=2, scale_days=6, degrees_of_freedom=1.5),
                  stats.t(1.5, loc=2, scale=6)),
}  # fmt: skip
MIXTURE = schema.MixtureDelay(model="mixture")


@pytest.mark.parametrize("name", SMOOTH)
def test_quantiles_agree_with_scipy_in_body_and_tails(name):
    model, law = SMOOTH[name]
    p = np.concatenate([10.0 ** np.arange(-8, -1), np.linspace(0.02, 0.98, 49), 1 - 10.0 ** np.arange(-2.0, -9, -1)])
    assert np.allclose(quantile(model, p), law.ppf(p), rtol=1e-7, atol=1e-9)


@pytest.mark.parametrize("name", SMOOTH)
def test_table_of_a_smooth_law_keeps_its_stated_error(name):
    """Linear between knots: within 1e-4 of the delay's distance from its shift, plus a hundredth of an hour."""
    model, law = SMOOTH[name]
    table = quantile_table(model)[0]
    centre = law.ppf(0.5) if name == "student_t" else law.support()[0]
    middle = table_grid()[:-1] + 0.5 / TABLE_PER_UNIT
    between = 0.5 * (table[:-1] + table[1:])
    low = middle < 0
    truth = np.where(low, law.ppf(ndtr(middle)), law.isf(ndtr(-middle)))
    inside = np.abs(truth) < 0.9 * LONGEST_DELAY
    error = np.where(inside, np.abs(between - truth), 0.0)
    assert np.all(error <= 1e-4 * np.abs(truth - centre) + 0.01 / 24)


def test_table_is_monotone_and_none_is_zero():
    assert not quantile_table(schema.NoDelay(model="none")).any()
    for model in [MIXTURE, *(model for model, _ in SMOOTH.values())]:
        assert np.all(np.diff(quantile_table(model)[0]) >= 0)


def test_mixture_shares_hold_for_whole_days():
    p = (np.arange(1_000_000) + 0.5) / 1_000_000
    days = np.floor(quantile(MIXTURE, p) + 0.5)
    assert np.mean(days < 0) == pytest.approx(0.40, abs=1e-6)
    assert np.mean(days == 0) == pytest.approx(0.21, abs=1e-6)
    assert -days[days < 0].mean() == pytest.approx(6.0, rel=1e-3)
    late = quantile(MIXTURE, p)[days > 0]
    for days_late in (1, 10, 60, 300):
        expected = 2 * stats.t.sf((days_late - 0.5) / 9, 2)
        assert np.mean(late > days_late) == pytest.approx(expected, abs=1e-5)


def test_mixture_of_one_part_only():
    p = np.linspace(0.001, 0.999, 999)
    always = schema.MixtureDelay(model="mixture", early_share=0, on_due_date_share=1)
    assert not quantile(always, p).any()
    early = schema.MixtureDelay(model="mixture", early_share=1, on_due_date_share=0, early_mean_days=0.5)
    assert np.all(np.floor(quantile(early, p) + 0.5) == 0) or np.all(quantile(early, p) == -0.5)
    late = schema.MixtureDelay(model="mixture", early_share=0, on_due_date_share=0, late_scale_days=3)
    assert np.all(quantile(late, p) > 0.5)


def test_mixture_shares_above_one_are_a_problem():
    model = schema.MixtureDelay(model="mixture", early_share=0.7, on_due_date_share=0.4)
    with pytest.raises(InputError, match="together at most 1"):
        quantile_table(model)


def test_empirical_is_the_inverted_distribution_function():
    model = schema.EmpiricalDelay(model="empirical", values=(3.0, -2.0, 10.0, 3.0))
    p = np.array([0.01, 0.25, 0.2500001, 0.5, 0.75, 0.76, 0.99])
    assert quantile(model, p).tolist() == [-2, -2, 3, 3, 3, 10, 10]


def test_empirical_table_turns_each_step_into_a_ramp_inside_one_cell():
    model = schema.EmpiricalDelay(model="empirical", values=tuple(float(v) for v in range(10)))
    table = quantile_table(model)[0]
    assert set(table.tolist()) == set(range(10))
    ramps = np.flatnonzero(np.diff(table))
    assert len(ramps) == 9
    edges = table_grid()
    ramp_probability = ndtr(edges[ramps + 1]) - ndtr(edges[ramps])
    assert ramp_probability.max() <= 1 / (math.sqrt(2 * math.pi) * TABLE_PER_UNIT)


def test_empirical_files(tmp_path):
    (tmp_path / "days.csv").write_text("customer,delay_days\nA,3\nB,-1.5\n\nC,0\n")
    (tmp_path / "dates.csv").write_text("\ufeffDue_Date,Paid_Date\n2026-01-10,2026-01-31\n2026-02-28,2026-02-27\n")
    p = np.array([0.1, 0.5, 0.9])
    days = schema.EmpiricalDelay(model="empirical", file="days.csv")
    assert quantile(days, p, tmp_path).tolist() == [-1.5, 0, 3]
    dates = schema.EmpiricalDelay(model="empirical", file="dates.csv")
    assert quantile(dates, p, tmp_path).tolist() == [-1, -1, 21]


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("delay_days\n3\nsoon\nnan\n", r":3[\s\S]*soon[\s\S]*:4[\s\S]*nan"),
        ("due_date,paid_date\n2026-01-10,10.01.2026\n", r":2[\s\S]*YYYY-MM-DD"),
        ("days\n3\n", "needs a column delay_days"),
        ("", "needs a column delay_days"),
        ("delay_days\n", "no rows"),
    ],
)
def test_bad_delay_files_are_problems_with_their_line(tmp_path, text, message):
    (tmp_path / "d.csv").write_text(text)
    with pytest.raises(InputError, match=message):
        quantile_table(schema.EmpiricalDelay(model="empirical", file="d.csv"), tmp_path)


def test_missing_and_unreadable_delay_files(tmp_path):
    (tmp_path / "latin.csv").write_bytes("delay_days\n3\n# für\n".encode("cp1252"))
    for file, message in (("none.csv", "No such file"), ("latin.csv", "not UTF-8")):
        with pytest.raises(InputError, match=message):
            quantile_table(schema.EmpiricalDelay(model="empirical", file=file), tmp_path)
    for values, file in ((None, None), ((1.0,), "latin.csv")):
        with pytest.raises(InputError, match="either values or file"):
            quantile_table(schema.EmpiricalDelay(model="empirical", values=values, file=file), tmp_path)
    with pytest.raises(InputError, match="at least one"):
        quantile_table(schema.EmpiricalDelay(model="empirical", values=()))
