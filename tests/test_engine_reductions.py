"""The textbook (docs/MODEL.md §14) on the whole road: switch everything else off and reach a textbook model.

Limits are 4.5 standard errors of the simulation, at a fixed seed.
"""

import numpy as np
import pytest
from scipy.integrate import quad
from scipy.special import binom, ndtr, ndtri

import simulator
from simulator.engine.model import build_model
from simulator.engine.run import simulate
from tests.studies import random_study, write_csv
from tests.test_losses import constant_study

LIMIT = 4.5
N = 200_000
PD, RHO, BUYERS = 0.0293, 0.15, 60


def mean_is(sample, expected, what=""):
    error = sample.std(ddof=1) / np.sqrt(len(sample))
    assert abs(sample.mean() - expected) <= LIMIT * error, f"{what}: {sample.mean()} ± {error}, not {expected}"


def pool(folder, **changes):
    """A homogeneous pool of unit exposures, everything lost on default, one factor."""
    rows = [{"buyer_id": f"b{i}", "exposure": "1", "pd_annual": str(PD), "lgd": "1", "credit_limit": "unlimited"}
            for i in range(BUYERS)]  # fmt: skip
    write_csv(folder / "pool.csv", rows)
    study = constant_study(folder, 4) | {
        "portfolio": {"exposure": "constant", "buyers": str(folder / "pool.csv")},
        "credit": {
            "pd": {"source": "column"},
            "dependence": {"shares": {"global": RHO, "country": 0, "sector": 0}},
            "recovery": {"mean": 0, "sd": 0},
        },
    }
    return study | changes


def exact_pool():
    """P(N = k) of the pool: a binomial mixed over the common factor (Vasicek 1987)."""
    threshold = ndtri(PD)
    k = np.arange(BUYERS + 1)

    def given(z, j):
        p = ndtr((threshold - np.sqrt(RHO) * z) / np.sqrt(1 - RHO))
        return binom(BUYERS, j) * p**j * (1 - p) ** (BUYERS - j) * np.exp(-z * z / 2) / np.sqrt(2 * np.pi)

    return np.array([quad(given, -9, 9, args=(j,), epsabs=1e-12, limit=200)[0] for j in k])


@pytest.fixture(scope="module")
def probabilities():
    exact = exact_pool()
    assert exact.sum() == pytest.approx(1.0, abs=1e-8)
    return exact


@pytest.mark.parametrize(("tail", "shift"), [("plain", 1.0), ("importance", 1.0), ("importance", 5.0)])
def test_pool_has_its_exact_loss_distribution(tmp_path, probabilities, tail, shift):
    """Every probability P(N ≥ k), mean and sd of a finite pool, plain and importance sampled."""
    study = pool(tmp_path, simulation={"seed": 3, "tail": tail, "importance_shift": shift})
    rows = simulate(build_model(simulator.load_study(study)), N).rows
    loss, weight = rows["gross_loss"], rows["weight"]
    mean_is(weight, 1.0) if tail == "importance" else np.testing.assert_array_equal(weight, 1.0)
    for k in (1, 2, 4, 8, 12, 16):
        mean_is(weight * (loss >= k), probabilities[k:].sum(), f"P(N >= {k})")
    size = np.arange(BUYERS + 1)
    mean_is(weight * loss, (size * probabilities).sum(), "mean")
    mean_is(weight * loss**2, (size**2 * probabilities).sum(), "second moment")


def test_policy_on_a_pool_has_its_exact_expectation(tmp_path, probabilities):
    """Aggregate first loss 3, maximum liability 6, 80 %, both orders: E of a function of N alone."""
    terms = {"insured_percentage": 0.8, "aggregate_first_loss": 3, "maximum_liability": 6, "limits": "unlimited"}
    programmes = [
        {"name": "none", "type": "none"},
        {"name": "W1", "type": "whole_turnover", **terms},
        {"name": "W2", "type": "excess_of_loss", **terms},
    ]
    rows = simulate(build_model(simulator.load_study(pool(tmp_path, programmes=programmes))), N).rows
    k = np.arange(BUYERS + 1)
    percent_first = np.minimum(np.maximum(0.8 * k - 3, 0), 6)
    deductible_first = np.minimum(0.8 * np.maximum(k - 3, 0), 6)
    for p, paid in enumerate((0.0 * k, percent_first, deductible_first)):
        if p:
            mean_is(rows["indemnity"][:, p], (paid * probabilities).sum(), f"programme {p}")
        mean_is(rows["retained_loss"][:, p], ((k - paid) * probabilities).sum(), f"retained {p}")
    np.testing.assert_allclose(rows["indemnity"][:, 1], percent_first[rows["n_defaults"]], atol=1e-9)


def test_independent_buyers_are_binomial(tmp_path):
    study = pool(tmp_path)
    study["credit"] = study["credit"] | {"dependence": {"shares": {"global": 0, "country": 0, "sector": 0}}}
    rows = simulate(build_model(simulator.load_study(study)), N).rows
    for k in range(8):
        exact = binom(BUYERS, k) * PD**k * (1 - PD) ** (BUYERS - k)
        mean_is((rows["n_defaults"] == k).astype(float), exact, f"P(N = {k})")


def test_explicit_loadings_of_any_sign(tmp_path):
    """Two buyers on one driver with loadings 0.6 and -0.6: joint default probability of correlation -0.36."""
    rows = [{"buyer_id": n, "exposure": "1", "pd_annual": "0.2", "lgd": "1", "loading_oil": v}
            for n, v in (("a", "0.6"), ("b", "-0.6"))]  # fmt: skip
    write_csv(tmp_path / "two.csv", rows)
    study = pool(tmp_path) | {"portfolio": {"exposure": "constant", "buyers": str(tmp_path / "two.csv")}}
    found = simulate(build_model(simulator.load_study(study)), N).rows["n_defaults"]
    c = ndtri(0.2)

    def both(z):
        up, down = (ndtr((c - a * z) / np.sqrt(1 - 0.36)) for a in (0.6, -0.6))
        return up * down * np.exp(-z * z / 2) / np.sqrt(2 * np.pi)

    mean_is((found == 2).astype(float), quad(both, -9, 9)[0], "joint default")


@pytest.mark.parametrize("seed", [1, 4, 7])
def test_weekly_and_monthly_grids_lose_the_same(tmp_path, seed):
    """The grid only measures; the same days give the same losses, bit for bit, and the same payments.

    Payments are added up by spans of days in one period and at one rate, so their sums are rounded otherwise.
    """
    study = random_study(tmp_path, seed)
    found = []
    for period in ("week", "month"):
        info = study["study"] | {"period": period, "horizon": "52 weeks"}
        found.append(simulate(build_model(simulator.load_study(study | {"study": info})), 400).rows)
    for name in ("gross_loss", "n_defaults", "indemnity"):
        assert found[0][name].tobytes() == found[1][name].tobytes(), name
    rounding = 1e-13 * found[0]["collected"].max()
    for name in ("collected", "fx_result", "outstanding"):
        np.testing.assert_allclose(found[0][name], found[1][name], rtol=0, atol=rounding, err_msg=name)


def one_invoice(folder, **sections):
    """One open invoice of 100 USD due in 60 days at a spot of 0.9; the buyer never fails."""
    write_csv(folder / "buyers.csv", [{"buyer_id": "A", "country": "US", "sector": "x", "currency": "USD",
                                       "pd_annual": "0", "payment_terms_days": "60"}])  # fmt: skip
    write_csv(folder / "items.csv", [{"buyer_id": "A", "invoice_id": "1", "document_type": "invoice",
                                      "issue_date": "2026-10-29", "due_date": "2026-12-29", "currency": "USD",
                                      "amount_open": "100", "disputed": "no"}])  # fmt: skip
    study = {
        "schema": 1,
        "study": {"title": "One invoice", "as_of": "2026-10-30", "currency": "EUR", "horizon": "52 weeks"},
        "portfolio": {
            "buyers": str(folder / "buyers.csv"),
            "open_items": str(folder / "items.csv"),
            "sales": {"mode": "run_off"},
        },
        "credit": {"pd": {"source": "column"}},
        "payment": {"delay": {"model": "none"}, "protracted_default": {"after": "365 days"}},
        "fx": {"model": "gbm", "rates": {"USD": 0.9}, "volatility": {"USD": 0.12}},
        "programmes": [{"name": "none", "type": "none"}],
        "simulation": {"seed": 11},
    } | sections
    return simulate(build_model(simulator.load_study(study)), N).rows


def test_currency_alone_on_a_known_receivable(tmp_path):
    """Due on day 60, so at the rate of week 9: log-normal with mean 90 and variance of 63 days."""
    collected = one_invoice(tmp_path)["collected"]
    years = 63 / 365
    mean_is(collected, 90.0, "forward mean")
    log = np.log(collected / 90.0)
    mean_is(log, -0.5 * 0.12**2 * years, "log mean")
    mean_is((log - log.mean()) ** 2, 0.12**2 * years, "log variance")


def test_a_hedge_removes_the_currency(tmp_path):
    fx = {"model": "gbm", "rates": {"USD": 0.9}, "volatility": {"USD": 0.12}, "hedge": {"USD": 1.0}}
    rows = one_invoice(tmp_path, fx=fx)
    np.testing.assert_allclose(rows["fx_loss"], 0.0, atol=1e-9)


def test_a_single_invoice_with_a_given_delay_law(tmp_path):
    """Gamma delay with shape 2 and scale 30: P(paid by day d) is the law itself, given the item is unpaid today."""
    from scipy.special import gammainc

    payment = {
        "delay": {"model": "gamma", "shape": 2.0, "scale_days": 30.0},
        "protracted_default": {"after": "2000 days"},
        "shares": {"systemic": 0.2, "credit": 0.2, "buyer": 0.3},
    }
    rows = one_invoice(tmp_path, payment=payment, fx={"model": "none", "rates": {"USD": 0.9}})
    late = rows["delay_cost"] / (90.0 * 0.06 / 365.0)  # days late, cut off at the horizon (304 days)
    for day in (5, 20, 60, 120, 200):
        exact = gammainc(2.0, (day + 0.5) / 30.0)
        mean_is((late < day + 0.5).astype(float), exact, f"P(delay <= {day})")


def test_wrong_way_currency_given_default(tmp_path):
    """E[W | default] = -r·φ(c)/p for the standardised horizon return W, r = θ·√ρ."""
    p, theta, rho = 0.0293, 0.5, 0.15
    buyers = [{"buyer_id": "A", "country": "US", "sector": "x", "currency": "USD", "pd_annual": str(p),
               "payment_terms_days": "60"}]  # fmt: skip
    write_csv(tmp_path / "buyers.csv", buyers)
    write_csv(tmp_path / "plan.csv", [{"buyer_id": "A", "issue_date": "2027-10-29", "amount": "100",
                                       "due_date": "2027-10-29"}])  # fmt: skip
    study = {
        "schema": 1,
        "study": {"title": "Wrong way", "as_of": "2026-10-30", "currency": "EUR", "horizon": "52 weeks"},
        "portfolio": {
            "buyers": str(tmp_path / "buyers.csv"),
            "sales": {"mode": "plan", "file": str(tmp_path / "plan.csv")},
        },
        "credit": {
            "pd": {"source": "column"},
            "dependence": {"shares": {"global": rho, "country": 0, "sector": 0}},
        },
        "payment": {"delay": {"model": "none"}},
        "fx": {"model": "gbm", "rates": {"USD": 0.9}, "volatility": {"USD": 0.12}, "wrong_way": theta},
        "programmes": [{"name": "none", "type": "none"}],
        "simulation": {"seed": 11},
    }
    from simulator.factors.plan import draw_states
    from simulator.fx.plan import draw_rates

    model = build_model(simulator.load_study(study))
    n = 400_000
    states = draw_states(model.factor, model.seed, 0, n)
    rates = draw_rates(model.cash_side.fx, model.seed, 0, states.drivers, model.calendar.fx_steps)
    failed = simulate(model, n).rows["n_defaults"].astype(bool)
    usd = model.portfolio.currencies.index("USD")
    spread = 0.12 * np.sqrt(52 * 7 / 365)
    w = (np.log(rates[:, usd, 52] / 0.9) + spread**2 / 2) / spread
    horizon_pd = 1 - (1 - p) ** (364 / 365)
    c = ndtri(horizon_pd)
    expected = -theta * np.sqrt(rho) * np.exp(-c * c / 2) / np.sqrt(2 * np.pi) / horizon_pd
    mean_is(w[failed], expected, "E[W | default]")
