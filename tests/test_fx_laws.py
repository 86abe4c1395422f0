"""Statistical laws of currency paths: forward means, volatilities, correlations, wrong-way risk, the bootstrap."""

import math

import numpy as np
import pytest
from scipy.special import ndtri
from scipy.stats import t as student

from simulator.errors import InputError
from simulator.fx.hedge import build_hedge, settle_hedge
from simulator.fx.plan import FxPlan, build_fx, describe_fx, draw_rates, mixing_table
from simulator.streams import table_grid
from simulator.study.calendar import Calendar
from tests.small_ledger import make_portfolio, make_study
from tests.test_fx_history import weekly, write

LIMIT = 4.5
N = 200_000
RATES = {"USD": 0.92, "GBP": 1.17, "JPY": 0.0061}
CODES = ("EUR", "USD", "GBP", "JPY")


def plan_of(codes=CODES, shock=None, folder=None, horizon="52 weeks", **fx) -> FxPlan:
    study = make_study(study={"horizon": horizon}, fx={"rates": RATES, **fx})
    portfolio = make_portfolio([{}], currencies=codes)
    extra = () if folder is None else (folder,)
    return build_fx(study, portfolio, Calendar.of(study), shock, *extra)


def states(n=N, seed=1):
    return np.random.default_rng(seed).normal(size=(n, 1))


def log_paths(plan, n=N, steps=4, seed=1, drivers=None):
    drivers = states(n) if drivers is None else drivers
    rates = draw_rates(plan, seed, 0, drivers, steps)
    return np.log(rates / rates[:, :, :1])


def close(sample, expected, variance_of_one, n=N):
    assert abs(sample - expected) < LIMIT * math.sqrt(variance_of_one / n), (sample, expected)


@pytest.mark.parametrize("wrong_way", [0.0, 0.4])
def test_mean_of_the_rate_is_the_forward_and_its_log_has_the_horizon_volatility(wrong_way):
    plan = plan_of(drift={"USD": 0.05}, volatility={"USD": 0.3}, wrong_way={"USD": wrong_way})
    steps, years = 26, 26 * 7 / 365
    drivers = states()
    rates = draw_rates(plan, 3, 0, drivers, steps)
    assert np.all(rates[:, 0] == 1.0)
    assert np.all(rates[:, :, 0] == plan.spot)
    for c, (drift, sigma) in enumerate(
        ((0.05, 0.3), (0.0, float(plan.step_volatility[2]) * math.sqrt(365 / 7))), start=1
    ):
        for step in (1, 9, steps):
            t = step * 7 / 365
            relative = rates[:, c, step] / (plan.spot[c] * (1.0 + drift) ** t)
            close(relative.mean(), 1.0, math.expm1(sigma**2 * t))
        total = np.log(rates[:, c, -1] / plan.spot[c])
        close(total.var(), sigma**2 * years, 2 * (sigma**2 * years) ** 2)


def test_cross_correlations_are_those_of_the_plan():
    plan = plan_of(correlation={"USD": {"GBP": 0.7, "JPY": -0.2}, "GBP": {"JPY": 0.1}})
    moves = log_paths(plan, steps=4)[:, 1:, -1]
    sample = np.corrcoef(moves.T)
    for (i, j), rho in {(0, 1): 0.7, (0, 2): -0.2, (1, 2): 0.1}.items():
        assert abs(sample[i, j] - rho) < LIMIT * (1 - rho**2) / math.sqrt(N)


@pytest.mark.parametrize("wrong_way", [0.0, 0.5, 0.9])
def test_bridge_leaves_the_law_of_every_increment_unchanged(wrong_way):
    plan = plan_of(("EUR", "USD"), wrong_way=wrong_way, volatility={"USD": 0.12})
    path = log_paths(plan, steps=4)[:, 1]
    steps = np.diff(path, axis=1) - plan.step_drift[1]
    variance = plan.step_volatility[1] ** 2
    for s in range(4):
        close(steps[:, s].mean(), 0.0, variance)
        close(steps[:, s].var(), variance, 2 * variance**2)
        close(np.mean((steps[:, s] ** 2 / variance) ** 2), 3.0, 96)
        for r in range(s):
            close(np.corrcoef(steps[:, r], steps[:, s])[0, 1], 0.0, 1.0)
    close(path[:, -1].var(), 4 * variance, 2 * (4 * variance) ** 2)


@pytest.mark.parametrize("model", ["gbm", "student_t"])
def test_horizon_return_has_the_wrong_way_correlation_with_the_global_driver(model):
    plan = plan_of(model=model, wrong_way={"USD": 0.5, "GBP": 0.2}, degrees_of_freedom=5)
    drivers = states()
    total = log_paths(plan, steps=6, drivers=drivers)[:, 1:, -1]
    for c, w in enumerate((0.5, 0.2, 0.0)):
        # the variance of a sample correlation is larger for heavy tails; doubling it is ample at ν = 5
        heavy = 1.0 if model == "gbm" else 2.0
        assert abs(np.corrcoef(total[:, c], drivers[:, 0])[0, 1] - w) < LIMIT * heavy / math.sqrt(N)


def test_wrong_way_does_not_change_correlations_between_currencies():
    plan = plan_of(wrong_way={"USD": 0.5, "GBP": 0.3, "JPY": 0.1}, correlation={"USD": {"GBP": 0.4, "JPY": 0.0}})
    moves = log_paths(plan, steps=3)
    for between in (moves[:, 1:, -1], moves[:, 1:, 1]):
        sample = np.corrcoef(between.T)
        assert abs(sample[0, 1] - 0.4) < LIMIT / math.sqrt(N)
        assert abs(sample[0, 2]) < LIMIT / math.sqrt(N)


def test_currency_given_default_has_the_closed_form_mean():
    """r = θ·√ρ, E[W | default] = −r·φ(c)/p; θ = 0.5, ρ = 0.15, p = 2.93 % → −0.440977."""
    p, rho, theta, sigma, steps = 0.0293, 0.15, 0.5, 0.12, 52
    plan = plan_of(("EUR", "USD"), wrong_way=theta, volatility={"USD": sigma})
    n = 400_000
    random = np.random.default_rng(5)
    drivers = random.normal(size=(n, 1))
    latent = math.sqrt(rho) * drivers[:, 0] + math.sqrt(1 - rho) * random.normal(size=n)
    final = np.concatenate([
        draw_rates(plan, 1, first, drivers[first : first + 50_000], steps)[:, 1, -1] for first in range(0, n, 50_000)
    ])  # fmt: skip
    w = (np.log(final / plan.spot[1]) - steps * plan.step_drift[1]) / (plan.step_volatility[1] * math.sqrt(steps))
    c = ndtri(p)
    expected = -theta * math.sqrt(rho) * math.exp(-c * c / 2) / math.sqrt(2 * math.pi) / p
    assert expected == pytest.approx(-0.440977, abs=1e-6)
    failed = latent <= c
    assert abs(w[failed].mean() - expected) < LIMIT / math.sqrt(failed.sum())


def test_student_t_paths_have_student_t_quantiles_and_unchanged_variance():
    nu = 5.0
    plan = plan_of(("EUR", "USD"), model="student_t", degrees_of_freedom=nu, volatility={"USD": 0.1})
    path = log_paths(plan, steps=4)[:, 1]
    for step in (1, 4):
        scaled = (path[:, step] - step * plan.step_drift[1]) / (plan.step_volatility[1] * math.sqrt(step))
        scaled *= math.sqrt(nu / (nu - 2))
        for p in (0.001, 0.01, 0.1, 0.5, 0.95, 0.999):
            q = student.ppf(p, nu)
            assert abs(np.mean(scaled <= q) - p) < LIMIT * math.sqrt(p * (1 - p) / N)
    # one scale per scenario: both halves of the path are large together
    half = np.abs(np.diff(path[:, ::2], axis=1))
    assert np.corrcoef(half.T)[0, 1] > 0.15


def test_mixing_table_has_unit_mean_square_and_rises():
    z = np.linspace(-6.5, 6.5, 400_001)
    for nu in (3.0, 5.0, 30.0):
        scale = np.exp(2 * np.interp(z, table_grid(), mixing_table(nu)[0]))
        density = np.exp(-0.5 * z * z) / math.sqrt(2 * math.pi)
        assert np.trapezoid(scale * density, z) == pytest.approx(1.0, abs=2e-3 if nu < 4 else 1e-4)
        assert np.all(np.diff(mixing_table(nu)[0]) > 0)


def test_zero_volatility_is_deterministic():
    plan = plan_of(volatility=dict.fromkeys(CODES[1:], 0.0), drift={"USD": 0.1}, wrong_way=0.0)
    rates = draw_rates(plan, 1, 0, states(8), 52)
    assert np.all(rates[:, 2] == plan.spot[2])
    expected = plan.spot[1] * 1.1 ** (np.arange(53) * 7 / 365)
    assert np.allclose(rates[:, 1], expected, rtol=1e-14)


@pytest.mark.parametrize("drift", [0.1, -0.5, 10.0])
def test_drift_is_the_expected_change_of_the_rate_over_a_year(drift):
    """10 % means a tenth more after 365 days in the mean, not e^0.1; forwards and paths agree."""
    plan = plan_of(("EUR", "USD"), drift={"USD": drift}, volatility={"USD": 0.2})
    weeks_a_year = 365 / 7
    assert plan.step_growth[1] ** weeks_a_year == pytest.approx(1.0 + drift, rel=1e-12)
    mean_log = (plan.step_drift[1] + 0.5 * plan.step_volatility[1] ** 2) * weeks_a_year
    assert math.exp(mean_log) == pytest.approx(1.0 + drift, rel=1e-12)
    final = draw_rates(plan, 2, 0, states(), 52)[:, 1, -1] / plan.spot[1]
    close(final.mean() / (1.0 + drift) ** (364 / 365), 1.0, math.expm1(0.2**2 * 364 / 365))


def test_model_none_keeps_the_spot_and_needs_no_volatility():
    plan = plan_of(("EUR", "USD", "TRY"), rates={"USD": 0.92, "TRY": 0.02}, model="none", drift={"USD": 0.1})
    rates = draw_rates(plan, 1, 0, states(4), 10)
    assert np.all(rates == plan.spot[:, None])
    only_home = draw_rates(plan_of(("EUR",)), 1, 0, states(4), 10)
    assert np.all(only_home == 1.0)


@pytest.mark.parametrize("model", ["none", "gbm", "student_t"])
def test_shock_is_felt_from_the_first_step_and_not_in_the_spot(model):
    calm, shocked = plan_of(model=model), plan_of(model=model, shock={"USD": -0.1, "XXX": 0.5})
    before, after = (draw_rates(plan, 1, 0, states(8), 10) for plan in (calm, shocked))
    assert np.all(after[:, :, 0] == before[:, :, 0])
    assert np.allclose(after[:, 1, 1:], 0.9 * before[:, 1, 1:], rtol=1e-14)
    assert np.all(after[:, 2:] == before[:, 2:])


def test_first_scenarios_do_not_change_with_their_number_or_block():
    plan = plan_of(model="student_t", wrong_way=0.3)
    drivers = states(400)
    whole = draw_rates(plan, 9, 0, drivers, 12)
    assert draw_rates(plan, 9, 0, drivers[:100], 12).tobytes() == whole[:100].tobytes()
    assert draw_rates(plan, 9, 200, drivers[200:], 12).tobytes() == whole[200:].tobytes()
    assert len(np.unique(whole[:, 1, -1])) == 400
    with pytest.raises(ValueError, match="multiples of 4"):
        draw_rates(plan, 9, 2, drivers, 12)


def test_adding_a_currency_leaves_those_before_it_in_the_alphabet_unchanged():
    correlation = {"GBP": {"USD": 0.4, "JPY": 0.3}}
    few = draw_rates(plan_of(("EUR", "GBP", "JPY"), correlation=correlation), 1, 0, states(40), 8)
    more = draw_rates(plan_of(("EUR", "USD", "GBP", "JPY"), correlation=correlation), 1, 0, states(40), 8)
    assert more[:, 2:].tobytes() == few[:, 1:].tobytes()
    # and where correlations are zero, those after it too
    zero = {a: {b: 0.0 for b in CODES[1:] if b != a} for a in CODES[1:]}
    few = draw_rates(plan_of(("EUR", "USD", "JPY"), correlation=zero), 1, 0, states(40), 8)
    more = draw_rates(plan_of(("EUR", "USD", "GBP", "JPY"), correlation=zero), 1, 0, states(40), 8)
    assert more[:, [1, 3]].tobytes() == few[:, 1:].tobytes()


def test_wrong_way_stronger_than_the_correlations_allow_is_a_problem_with_advice():
    with pytest.raises(InputError, match=r"smallest eigenvalue[\s\S]*by at most 0\.\d+") as caught:
        plan_of(wrong_way=0.9, correlation={a: {b: 0.0 for b in CODES[1:] if b != a} for a in CODES[1:]})
    assert caught.value.problems[0].path == "fx.wrong_way"
    # the advice is exact: 1/√(w'C⁻¹w) = 1/(0.9·√3)
    assert f"{1 / (0.9 * math.sqrt(3)):.3f}" in str(caught.value)


def test_full_wrong_way_correlation_is_possible_for_one_currency():
    drivers = states(2000)
    path = log_paths(plan_of(("EUR", "USD"), wrong_way=1.0), n=2000, drivers=drivers, steps=5)[:, 1, -1]
    assert np.corrcoef(path, drivers[:, 0])[0, 1] == pytest.approx(1.0, abs=1e-12)


def history_plan(tmp_path, codes=("EUR", "USD", "GBP"), n=1500, **fx):
    dates, rates, _ = weekly(n=n, seed=4)
    rows = [f"{d},{a:.10f},{b:.10f}" for d, (a, b) in zip(dates, rates, strict=True)]
    write(tmp_path, "h.csv", "date,USD,GBP", rows)
    return plan_of(codes, folder=tmp_path, rates={}, model="bootstrap", history="h.csv", **fx), rates


def test_bootstrap_replays_the_history_s_covariance(tmp_path):
    plan, rates = history_plan(tmp_path)
    returns = np.diff(np.log(rates), axis=0)
    moves = log_paths(plan, steps=1, n=N)[:, 1:, 0:2]
    step = moves[:, :, 1] + 0.5 * plan.variance0[1:]
    # at the current filtered variance, with the correlation of the residuals
    for c in range(2):
        close(step[:, c].var(), plan.variance0[c + 1], 2 * plan.variance0[c + 1] ** 2)
    rho = plan.history[:, 1] @ plan.history[:, 2] / len(plan.history)
    assert abs(np.corrcoef(step.T)[0, 1] - rho) < LIMIT / math.sqrt(N)
    # and that is the history's own covariance within the error of 1500 weeks and of the filter's memory
    assert rho == pytest.approx(np.corrcoef(returns.T)[0, 1], abs=LIMIT / math.sqrt(len(returns)))
    memory = (1 - 0.97) / (1 + 0.97)
    assert plan.variance0[1:] == pytest.approx(returns.var(axis=0), rel=LIMIT * math.sqrt(2 * memory))


def test_bootstrap_horizon_variance_is_the_starting_variance_times_weeks(tmp_path):
    plan, _ = history_plan(tmp_path)
    moves = log_paths(plan, steps=13, n=100_000)[:, 1, -1]
    centred = moves + 13 * 0.5 * plan.variance0[1]
    # fatter than normal, and the history's weeks are themselves a sample: 5 % is the error of both together
    assert centred.var() == pytest.approx(13 * plan.variance0[1], rel=0.05)


def test_bootstrap_with_wrong_way_keeps_covariance_and_reaches_the_correlation(tmp_path):
    free, _ = history_plan(tmp_path)
    plan, _ = history_plan(tmp_path, wrong_way={"USD": 0.5, "GBP": 0.3})
    drivers = states(100_000)
    steps = np.diff(log_paths(plan, steps=8, drivers=drivers), axis=2)[:, 1:]
    rho = free.history[:, 1] @ free.history[:, 2] / len(free.history)
    assert abs(np.corrcoef(steps[:, :, 0].T)[0, 1] - rho) < LIMIT / math.sqrt(100_000)
    total = steps.sum(axis=2)
    assert np.corrcoef(total[:, 0], drivers[:, 0])[0, 1] == pytest.approx(0.5, abs=0.03)
    assert np.corrcoef(total[:, 1], drivers[:, 0])[0, 1] == pytest.approx(0.3, abs=0.03)


def test_bootstrap_takes_a_given_volatility_and_first_scenarios_do_not_change(tmp_path):
    plan, _ = history_plan(tmp_path, volatility={"USD": 0.2})
    assert plan.variance0[1] == pytest.approx(0.2**2 * 7 / 365)
    drivers = states(40)
    whole = draw_rates(plan, 9, 0, drivers, 12)
    assert draw_rates(plan, 9, 20, drivers[20:], 12).tobytes() == whole[20:].tobytes()
    assert np.all(whole[:, 0] == 1)


def test_bootstrap_needs_a_history_with_every_currency_and_a_year(tmp_path):
    with pytest.raises(InputError, match="with USD, GBP"):
        plan_of(("EUR", "USD", "GBP"), model="bootstrap")
    with pytest.raises(InputError, match="at least 52 weeks"):
        history_plan(tmp_path, n=30)


def test_description_names_sources(tmp_path):
    study = make_study(fx={"rates": RATES, "volatility": {"GBP": 0.1}})
    notes = describe_fx(study, make_portfolio([{}], currencies=("EUR", "USD", "GBP")))
    assert notes[0] == "USD: volatility 8.8% a year against EUR, from the table fed_h10_2005_2025"
    assert notes[1].endswith("given")
    assert describe_fx(study, make_portfolio([{}])) == []


def test_hedge_sells_the_share_by_due_period_and_removes_the_variance_of_a_certain_collection():
    study = make_study(fx={"rates": RATES, "hedge": {"USD": 1.0, "GBP": 0.5}, "drift": {"USD": 0.03}})
    calendar = Calendar.of(study)
    end = int(calendar.period_end[9])
    invoices = [(0, -20, -5, 1, 50.0, True), (0, 0, end, 1, 1000.0, False), (0, 0, end - 3, 2, 400.0, False),
                (0, 300, 400, 1, 9.0, False), (0, 0, end, 0, 77.0, False)]  # fmt: skip
    portfolio = make_portfolio([{}], invoices, ("EUR", "USD", "GBP"))
    plan = build_fx(study, portfolio, calendar)
    notional, forward = build_hedge(study, portfolio, calendar, plan)
    assert notional[1, 0] == 50.0
    assert notional[1, 9] == 1000.0
    assert notional[2, 9] == 200.0
    assert notional.sum() == 1250.0
    assert forward[2] == pytest.approx(plan.spot[2])
    assert forward[1, 9] == pytest.approx(plan.spot[1] * 1.03 ** (10 * 7 / 365))
    rates = draw_rates(plan, 1, 0, states(1000), calendar.fx_steps)
    cash = settle_hedge(notional, forward, calendar, rates)
    collected = 1000.0 * rates[:, 1, 10] + cash[:, 9] - notional[2, 9] * (forward[2, 9] - rates[:, 2, 10])
    assert collected.std() < 1e-9
    assert collected.mean() == pytest.approx(1000.0 * forward[1, 9])
    unhedged = 1000.0 * rates[:, 1, 10]
    assert unhedged.std() > 10


def test_a_hedge_settles_even_though_nobody_pays():
    study = make_study(fx={"rates": RATES, "hedge": {"USD": 1.0}})
    calendar = Calendar.of(study)
    portfolio = make_portfolio([{}], [(0, 0, 30, 1, 1000.0, False)], ("EUR", "USD"))
    plan = build_fx(study, portfolio, calendar)
    cash = settle_hedge(
        *build_hedge(study, portfolio, calendar, plan), calendar, draw_rates(plan, 1, 0, states(400), 52)
    )
    assert np.count_nonzero(cash.any(axis=0)) == 1
    assert (cash > 0).any()
    assert (cash < 0).any()
