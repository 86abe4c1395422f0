"""Small studies and portfolios built in memory, and a plain loop that draws latent variables from a plan."""

import numpy as np

from simulator.defaults.formulas import default_day
from simulator.defaults.plan import DefaultPlan
from simulator.factors.formulas import common_part, conditional_pd, latent
from simulator.factors.plan import FactorPlan, States, draw_states
from simulator.jit import kernel, prange
from simulator.ledger.portfolio import Buyers, Invoices, Portfolio
from simulator.streams import entity_key, normal, stream_key, words
from simulator.study.schema import Study

#: Scenarios of the statistical tests, and the number of standard errors they may be off.
MANY = 400_000
LIMIT = 4.5


def study(credit=None, simulation=None, horizon="365 days", period="week", **sections):
    return Study.model_validate(
        {
            "study": {
                "title": "t", "as_of": "2026-10-30", "currency": "EUR", "horizon": horizon, "period": period,
            },
            "portfolio": {"exposure": "constant", "buyers": "buyers.csv"},
            "credit": credit or {},
            "simulation": simulation or {},
            "programmes": [{"name": "Self-insurance", "type": "none"}],
            **sections,
        }
    )  # fmt: skip


def portfolio(buyer_id, loadings=None, **columns):
    n = len(buyer_id)
    texts = {name: columns.pop(name, [""] * n) for name in ("country", "sector", "rating", "group_id")}
    numbers = ("pd_annual", "lgd", "credit_limit", "annual_sales", "payment_terms_days", "exposure")
    values = {
        name: np.array(columns.pop(name, [np.nan] * n), dtype=np.float64)
        for name in (*numbers, "delay_location_days", "delay_scale")
    }
    assert not columns
    buyers = Buyers(
        buyer_id=list(buyer_id),
        name=list(buyer_id),
        entity=np.array([entity_key(f"buyer:{b}") for b in buyer_id], dtype=np.uint64),
        currency=["EUR"] * n,
        loadings={name: np.array(column, dtype=np.float64) for name, column in (loadings or {}).items()},
        **texts,
        **values,
    )
    day = np.zeros(0, dtype=np.int32)
    flag = np.zeros(0, dtype=np.bool_)
    none = Invoices([], np.zeros(0, dtype=np.uint64), day, day, day, day, np.zeros(0), flag, flag)
    return Portfolio("EUR", ["EUR"], buyers, none)


def gaussian(global_=0.15, country=0.0, sector=0.0, **more):
    return {"copula": "gaussian", "shares": {"global": global_, "country": country, "sector": sector}, **more}


@kernel
def _latents(
    key, first_quad, residual_entity, loading_start, loading_driver, loading, systematic_share, drivers, mixing, value
):
    for q in prange(mixing.shape[0] // 4):
        for buyer in range(residual_entity.shape[0]):
            drawn = words(key, first_quad + q, residual_entity[buyer], 0)
            for lane in range(4):
                s = 4 * q + lane
                common = common_part(loading_start, loading_driver, loading, drivers, s, buyer)
                value[s, buyer] = latent(common, systematic_share[buyer], normal(drawn[lane])) * mixing[s]


@kernel
def _default_days(threshold, curve, value, day):
    for s in prange(value.shape[0]):
        for buyer in range(value.shape[1]):
            day[s, buyer] = default_day(threshold, curve[buyer], value[s, buyer])


@kernel
def _conditional(threshold, common, systematic_share, mixing, out):
    for s in prange(out.shape[0]):
        out[s] = conditional_pd(threshold, common[s], systematic_share, mixing[s])


def latents(plan: FactorPlan, seed: int, first_scenario: int, count: int) -> tuple[np.ndarray, States]:
    """Latent variable times mixing scale of every scenario and buyer, float64[n_scenarios, n_buyers]."""
    states = draw_states(plan, seed, first_scenario, count)
    value = np.empty((count, len(plan.residual_entity)))
    _latents(
        stream_key(seed, "default"), first_scenario // 4, plan.residual_entity, plan.loading_start,
        plan.loading_driver, plan.loading, plan.systematic_share, states.drivers, states.mixing, value,
    )  # fmt: skip
    return value, states


def default_days(plan: DefaultPlan, value: np.ndarray) -> np.ndarray:
    """Day of default of every scenario and buyer, int32[n_scenarios, n_buyers]."""
    day = np.empty(value.shape, dtype=np.int32)
    _default_days(plan.threshold, plan.curve, value, day)
    return day


def conditional(threshold: float, systematic_share: float, common: np.ndarray, mixing: np.ndarray) -> np.ndarray:
    """Conditional PD of every scenario."""
    out = np.empty(len(common))
    _conditional(threshold, common, systematic_share, mixing, out)
    return out


def within(estimate, exact, standard_error):
    """Assert that an estimate lies within the limit of its exact value."""
    assert standard_error > 0
    assert abs(estimate - exact) <= LIMIT * standard_error, (
        f"{estimate:.8g} is {(estimate - exact) / standard_error:+.1f} standard errors from {exact:.8g}"
    )


def mean_within(sample, exact):
    """Assert that the mean of a sample lies within the limit of its exact value."""
    sample = np.asarray(sample, dtype=np.float64)
    within(sample.mean(), exact, sample.std() / np.sqrt(len(sample)))
