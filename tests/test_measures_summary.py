"""The tidy summary: complete, in the dictionary, and equal to what the definitions say."""

import math

import numpy as np
import pytest

from simulator.measures.cost_of_risk import capital_rate, with_cost_of_risk
from simulator.measures.curves import exceedance_curve, first_shortfall_distribution, first_shortfall_median
from simulator.measures.sample import Sample
from simulator.measures.summary import COLUMNS, summarise
from simulator.terms import load_terms
from tests.fake_result import PROGRAMMES, fake_constant_result, fake_result

MEASURES = {term.name: term for term in load_terms() if term.kind == "measure"}


@pytest.fixture(scope="module")
def result():
    return fake_result(2000, stresses=("pessimistic",))


@pytest.fixture(scope="module")
def summary(result):
    return summarise(result)


def pick(summary, measure, programme="", level=None, stress=""):
    rows = summary[
        (summary["stress"] == stress) & (summary["measure"] == measure) & (summary["programme"] == programme)
    ]
    rows = rows if level is None else rows[rows["level"] == level]
    assert len(rows) == 1
    return rows.iloc[0]


def test_shape_and_words(summary):
    assert tuple(summary.columns) == COLUMNS
    assert set(summary["measure"]) <= set(MEASURES)
    assert set(summary["unit"]) == {"EUR", "1", "day", "week"}
    assert set(summary["programme"]) == {"", *PROGRAMMES}
    assert set(summary["stress"]) == {"", "pessimistic"}
    assert not summary.duplicated(["stress", "measure", "programme", "level"]).any()
    for row in summary.itertuples():
        assert math.isnan(row.level) == (MEASURES[row.measure].dims != "level"), row.measure
        term = MEASURES[row.measure].unit
        assert row.unit == {"money": "EUR", "period": "week"}.get(term, term), row.measure


def test_every_measure_of_the_dictionary_is_made_somewhere(summary):
    assert {m for m in MEASURES if not m.endswith("_difference")} == set(summary["measure"])


def test_values_are_the_definitions(result, summary):
    scenarios = result.scenarios.sel(programme="Whole turnover 90 %")
    retained = np.sort(scenarios["retained_loss"].to_numpy())
    name = "Whole turnover 90 %"
    assert pick(summary, "retained_loss_mean", name)["value"] == pytest.approx(retained.mean())
    assert pick(summary, "retained_loss_sd", name)["value"] == pytest.approx(retained.std())
    assert pick(summary, "retained_loss_value_at_risk", name, 0.99)["value"] == retained[1979]
    tail = pick(summary, "retained_loss_tail_value_at_risk", name, 0.99)["value"]
    assert tail == pytest.approx(retained[1980:].mean())
    depth = scenarios["shortfall_amount"].to_numpy()
    short = depth > 0
    assert pick(summary, "shortfall_probability", name)["value"] == pytest.approx(short.mean())
    assert pick(summary, "shortfall_depth_mean", name)["value"] == pytest.approx(depth[short].mean())
    needed = pick(summary, "liquidity_at_risk", name, 0.99)["value"]
    assert (depth > needed).mean() <= 0.01 < (depth > np.nextafter(needed, 0)).mean() + 1 / 2000
    first = np.sort(scenarios["first_shortfall_period"].to_numpy()[short])
    middle = pick(summary, "first_shortfall_median", name)
    assert middle["value"] == first[math.ceil(len(first) / 2) - 1] + 1
    assert middle["effective_sample_size"] == short.sum()
    ending = np.sort((scenarios["ending_cash"] - scenarios["ending_line"]).to_numpy())
    assert pick(summary, "cash_flow_at_risk", name, 0.95)["value"] == pytest.approx(ending.mean() - ending[100])


def test_parts_of_the_cost_of_risk_add_up(result, summary):
    for name in PROGRAMMES:
        parts = ("premium_mean", "retained_loss_mean", "financing_cost_mean", "capital_charge", "reserve_cost")
        whole = pick(summary, "cost_of_risk_mean", name)["value"]
        assert sum(pick(summary, part, name)["value"] for part in parts) == pytest.approx(whole)
        assert result.scenarios["cost_of_risk"].sel(programme=name).mean().item() == pytest.approx(whole)


def test_gap_steps_add_up(summary):
    for name in PROGRAMMES:
        rows = summary[(summary["programme"] == name) & (summary["stress"] == "")]
        steps = rows[rows["measure"].str.startswith("gap_") & (rows["measure"] != "gap_debt_mean")]["value"].sum()
        paid = pick(summary, "indemnity_gross_mean", name)["value"]
        assert steps + paid == pytest.approx(pick(summary, "gap_debt_mean", name)["value"])


def test_error_of_the_cost_of_risk_includes_the_capital_charge():
    """Over replications, the reported error is the spread of the reported value."""
    found = [pick(summarise(fake_result(500, seed)), "cost_of_risk_mean", "Whole turnover 80 %") for seed in range(60)]
    values, errors = np.array([f["value"] for f in found]), np.array([f["standard_error"] for f in found])
    plain = fake_result(500, 1).scenarios["cost_of_risk"].sel(programme="Whole turnover 80 %").std().item() / 500**0.5
    assert np.sqrt((errors**2).mean()) == pytest.approx(values.std(), rel=0.4)
    assert errors.mean() > 1.5 * plain


def test_cost_of_risk_variables_agree_with_the_fake(result):
    made = with_cost_of_risk(
        result.scenarios.drop_vars(["capital_charge", "reserve_cost", "cost_of_risk"]), result.study
    )
    for name in ("capital_charge", "reserve_cost", "cost_of_risk"):
        np.testing.assert_allclose(made[name].to_numpy(), result.scenarios[name].to_numpy(), rtol=1e-9)
    assert made["cost_of_risk"].attrs["units"] == "EUR"
    assert capital_rate(result.study, 0) == pytest.approx(0.09 * 364 / 365)


def test_constant_exposure_has_no_cash_measures():
    result = fake_constant_result(500)
    summary = summarise(result)
    absent = ("shortfall", "liquidity", "cash", "fx", "delay", "dso", "minimum", "ending", "n_protracted", "collected")
    assert not [m for m in summary["measure"] if m.startswith(absent)]
    assert {"gross_loss_value_at_risk", "retained_loss_mean", "cost_of_risk_mean"} <= set(summary["measure"])
    assert np.isfinite(summary["value"]).all()
    bare = result.scenarios.drop_vars(["financing_cost", "cost_of_risk", "capital_charge", "reserve_cost"])
    assert "cost_of_risk" in with_cost_of_risk(bare, result.study)


def test_weights_are_used_everywhere():
    plain, weighted = summarise(fake_result(2000)), summarise(fake_result(2000, weighted=True))
    moved = weighted["value"].ne(plain["value"]) & ~weighted["measure"].isin(["premium_mean", "reserve_cost"])
    still = weighted[~moved & weighted["value"].ne(0.0)]
    assert set(still["measure"]) <= {
        "premium_mean", "reserve_cost", "dso_ending_mean", "first_shortfall_median", "fx_loss_value_at_risk",
    }  # fmt: skip
    assert (weighted["effective_sample_size"] != 2000).mean() > 0.7


def test_exceedance_curve_against_the_exponential():
    losses = Sample(np.random.default_rng(1).exponential(size=50_000))
    curve = exceedance_curve(losses)
    truth = -np.log(curve["probability"])
    inside = (curve["ci_low"] <= truth) & (truth <= curve["ci_high"])
    assert inside.mean() > 0.8
    assert (np.diff(curve["loss"]) >= 0).all()
    assert curve["return_period"].to_numpy() == pytest.approx(1 / curve["probability"].to_numpy())
    assert curve["probability"].iloc[-1] == pytest.approx(1e-4)
    assert exceedance_curve(losses, np.array([0.01]))["loss"].iloc[0] == losses.ordered[49_499]


def test_first_shortfall_distribution():
    first = Sample([-1, 0, 2, 2, -1, 51, -1, -1])
    table = first_shortfall_distribution(first, 52)
    assert list(table["period"]) == list(range(1, 53))
    assert table["probability"].iloc[[0, 1, 2, 50, 51]].tolist() == [1 / 8, 1 / 8, 3 / 8, 3 / 8, 4 / 8]
    assert (table["ci_low"] <= table["probability"]).all()
    assert first_shortfall_median(first).value == 3
    assert math.isnan(first_shortfall_median(Sample([-1.0, -1.0])).value)
    assert first_shortfall_median(Sample.weighted([-1.0, 4.0, 9.0], [1.0, 1.0, 5.0])).value == 10
    assert math.isnan(first_shortfall_median(Sample.weighted([-1.0, -1.0, 9.0], [1.0, 2.0, 0.0])).value)
