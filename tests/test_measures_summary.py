"""The tidy summary: complete, in the dictionary, and equal to what the definitions say."""

import math
from dataclasses import replace

import numpy as np
import pytest

from simulator.measures.columns import Columns
from simulator.measures.cost_of_risk import capital_rate, with_cost_of_risk
from simulator.measures.cover import share_paid
from simulator.measures.curves import exceedance_curve, first_shortfall_distribution, first_shortfall_median
from simulator.measures.sample import Sample
from simulator.measures.summary import COLUMNS, summarise
from simulator.terms import load_terms
from tests.fake_result import PROGRAMMES, fake_constant_result, fake_result
from tests.report_cases import lossless_result

MEASURES = {term.name: term for term in load_terms() if term.kind == "measure"}


@pytest.fixture(scope="module")
def result():
    return fake_result(2000, stresses=("pessimistic",))


@pytest.fixture(scope="module")
def written():
    result = fake_result(2000, written=True)
    return result, summarise(result)


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


def test_every_measure_of_the_dictionary_is_made_somewhere(summary, written):
    of_precision = {"precision_reached", "scenarios_run"}  # tests/test_measures_precision.py
    made = {m for m in MEASURES if not m.endswith("_difference")} - of_precision
    assert made == set(written[1]["measure"])
    assert set(summary["measure"]) < set(written[1]["measure"])


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


def test_parts_of_the_cost_of_risk_add_up(result, summary, written):
    for name in PROGRAMMES:
        parts = ("premium_mean", "retained_loss_mean", "financing_cost_mean", "capital_charge", "reserve_cost")
        whole = pick(summary, "cost_of_risk_mean", name)["value"]
        assert sum(pick(summary, part, name)["value"] for part in parts) == pytest.approx(whole)
        assert result.scenarios["cost_of_risk"].sel(programme=name).mean().item() == pytest.approx(whole)
        parts += ("trade_cost_mean", "lost_margin_mean")
        whole = pick(written[1], "cost_of_risk_mean", name)["value"]
        assert sum(pick(written[1], part, name)["value"] for part in parts) == pytest.approx(whole)
        assert written[0].scenarios["cost_of_risk"].sel(programme=name).mean().item() == pytest.approx(whole)


@pytest.mark.parametrize("where", ["mean", "tail_mean"])
def test_gap_steps_add_up(summary, written, where):
    for table in (summary, written[1]):
        for name in PROGRAMMES[1:]:
            rows = table[(table["programme"] == name) & (table["stress"] == "")]
            at = rows["measure"].str.fullmatch(rf"gap_(?!debt).*?(?<!tail)_{where}")
            steps, debt = rows[at]["value"].sum(), pick(table, f"gap_debt_{where}", name)["value"]
            assert steps + pick(table, f"indemnity_gross_{where}", name)["value"] == pytest.approx(debt)


def test_steps_that_take_nothing_have_no_rows(summary, written):
    assert "gap_insurer_default_mean" not in set(summary["measure"])
    assert "gap_each_and_every_mean" in set(summary["measure"])  # every policy has one, and here it is zero
    assert "gap_each_and_every_tail_mean" not in set(summary["measure"])
    assert pick(written[1], "gap_conversion_mean", PROGRAMMES[2])["value"] < 0.0
    assert "trade_cost_mean" not in set(summary["measure"])


def test_share_of_the_debt_that_is_paid(result, summary):
    scenarios = result.scenarios.sel(programme=PROGRAMMES[2])
    debt, paid = (scenarios[name].to_numpy() for name in ("gap_debt", "indemnity_gross"))
    shares = np.sort(paid[debt > 0] / debt[debt > 0])
    for level in (0.05, 0.5, 0.95):
        found = pick(summary, "effective_indemnity_ratio", PROGRAMMES[2], level)
        assert found["value"] == shares[math.ceil(level * len(shares)) - 1]
        assert found["effective_sample_size"] == len(shares)
        assert found["ci_low"] <= found["value"] <= found["ci_high"]
    assert pick(summary, "indemnity_ratio", PROGRAMMES[2])["value"] == pytest.approx(paid.mean() / debt.mean())
    rows = summary[summary["measure"] == "effective_indemnity_ratio"]
    assert set(rows["programme"]) == set(PROGRAMMES[1:])


def test_share_paid_leaves_out_what_has_no_debt_or_no_weight():
    result = fake_result(6)
    scenarios = result.scenarios.copy(deep=True)
    scenarios["gap_debt"][2] = [0.0, 10.0, 10.0, 20.0, 40.0, 0.0]
    scenarios["indemnity_gross"][2] = [0.0, 9.0, 1.0, 10.0, 0.0, 0.0]
    scenarios["weight"][:] = [5.0, 1.0, 1.0, 2.0, 0.0, 5.0]

    def shares():
        return share_paid(Columns(replace(result, scenarios=scenarios)), 2)

    assert shares().values.tolist() == [0.9, 0.1, 0.5, 0.0]
    assert shares().p.tolist() == [0.25, 0.25, 0.5, 0.0]
    scenarios["weight"][:] = [1.0, 0.0, 0.0, 0.0, 0.0, 1.0]
    assert shares() is None
    scenarios["gap_debt"][2] = 0.0
    assert shares() is None


def test_claims_money_around_the_first_shortfall(result, summary):
    name = PROGRAMMES[2]
    scenarios = result.scenarios.sel(programme=name)
    short = scenarios["shortfall_amount"].to_numpy() > 0
    before, after, due = (
        scenarios[v].to_numpy() for v in ("claims_before_shortfall", "claims_after_shortfall", "indemnity")
    )
    assert pick(summary, "claims_before_shortfall_mean", name)["value"] == pytest.approx(before[short].mean())
    assert pick(summary, "claims_after_shortfall_mean", name)["value"] == pytest.approx(after[short].mean())
    in_time = pick(summary, "claims_in_time_ratio", name)
    assert in_time["value"] == pytest.approx(before[short].sum() / due[short].sum())
    assert 0.0 < in_time["standard_error"] < 0.2
    assert "claims_in_time_ratio" not in set(summarise(lossless_result())["measure"])


def test_cash_to_hold_on_the_first_day():
    """Held 4 M and a headroom of 0.5 M left at the level: 3.5 M would do, 8.75 months of 0.4 M. A fund is no cash."""
    result = fake_result(100, written=True)
    scenarios = result.scenarios.copy(deep=True)
    scenarios["minimum_headroom"][0] = np.arange(100) * 1e5
    scenarios["minimum_headroom"][1] = np.arange(100) * 1e5 - 3e5
    table = summarise(replace(result, scenarios=scenarios))
    for name, held in ((PROGRAMMES[0], 4e6), (PROGRAMMES[1], 4e6 + 3e5)):
        needed = pick(table, "required_buffer", name, 0.95)["value"]
        assert needed == pytest.approx(held - 5e5)  # at or below it: 95 of 100
        assert pick(table, "required_buffer_months", name, 0.95)["value"] == pytest.approx(needed / 4e5)
    scenarios["minimum_headroom"][1] = 9e6
    assert pick(summarise(replace(result, scenarios=scenarios)), "required_buffer", PROGRAMMES[1], 0.99)["value"] == 0.0
    in_cash = fake_result(100)
    lowest = np.sort(in_cash.scenarios["minimum_headroom"][0])
    needed = pick(summarise(in_cash), "required_buffer", PROGRAMMES[0], 0.95)["value"]
    assert needed == pytest.approx(max(0.0, 4e6 + 1.5e6 - lowest[5]))
    assert "required_buffer_months" not in set(summarise(in_cash)["measure"])  # no operating costs


def test_what_becomes_of_a_fund(written):
    result, table = written
    lowest = result.scenarios["minimum_fund"][0].to_numpy()
    found = pick(table, "fund_exhausted_probability", PROGRAMMES[0])
    assert found["value"] == pytest.approx((lowest == 0.0).mean())
    assert 0.0 < found["value"] < 1.0
    assert pick(table, "minimum_fund_mean", PROGRAMMES[0])["value"] == pytest.approx(lowest.mean())
    below = result.scenarios["periods_below_reserve"][0].to_numpy()
    assert pick(table, "periods_below_reserve_mean", PROGRAMMES[0])["value"] == pytest.approx(below.mean())
    assert set(table[table["measure"] == "minimum_fund_mean"]["programme"]) == {PROGRAMMES[0]}


def test_cost_of_a_fund_is_that_of_the_scenario(written):
    result, table = written
    rows = result.scenarios["reserve_cost"]
    assert pick(table, "reserve_cost", PROGRAMMES[0])["value"] == pytest.approx(float(rows[0].mean()))
    assert pick(table, "reserve_cost", PROGRAMMES[0])["standard_error"] > 0.0
    assert pick(table, "reserve_cost", PROGRAMMES[1])["value"] == 0.0
    bare = result.scenarios.drop_vars(["capital_charge", "cost_of_risk"])
    bare["reserve_cost"][2] = 7.0  # no fund: its cost is the known one, whatever the treasury says
    made = with_cost_of_risk(bare, result.study)
    np.testing.assert_allclose(made["cost_of_risk"].to_numpy(), result.scenarios["cost_of_risk"].to_numpy(), rtol=1e-9)
    assert made["reserve_cost"].dims == ("programme", "scenario")
    assert (made["reserve_cost"][2] == 0.0).all()


@pytest.mark.slow
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
        "gap_aggregate_first_loss_tail_mean", "effective_indemnity_ratio",
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
