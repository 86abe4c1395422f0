"""Every figure's data first, then that it draws: shares add up, curves agree with the tables, paths with the study."""

import csv
import datetime as dt
from dataclasses import replace
from importlib import resources
from xml.etree import ElementTree

import numpy as np
import pandas as pd
import pytest

from simulator.measures.columns import FEWEST
from simulator.measures.sample import Sample
from simulator.measures.summary import summarise
from simulator.measures.tail import tail_value_at_risk, tail_weights
from simulator.policy.gaps import GAP_STEPS
from simulator.report.figures import (
    availability_fan,
    cash_fan,
    claim_timing,
    claims_in_time,
    contributions,
    cost,
    exceedance,
    first_shortfall,
    gap,
    headroom_fan,
    largest_loss,
    share_paid,
    shortfall,
    stresses,
    style,
)  # fmt: skip
from simulator.report.figures.catalogue import FIGURES, draw, tables
from simulator.report.figures.said import SAID
from tests.fake_result import fake_constant_result, fake_result
from tests.report_cases import HOSTILE, lossless_result, renamed, single_result

CASH = {"cash_fan", "headroom_fan", "shortfall", "first_shortfall", "claim_timing", "claims_in_time"}
BASE = {"availability_fan"}
SCRIPT = {"cash_path"}


@pytest.fixture(scope="module")
def result():
    made = fake_result(2000, stresses=("pessimistic",))
    return made.with_summary(summarise(made))


@pytest.fixture(scope="module")
def written():
    made = fake_result(1000, written=True, stresses=("pessimistic",))
    return made.with_summary(summarise(made))


@pytest.fixture(scope="module")
def weighted():
    return fake_result(2000, weighted=True)


def test_catalogue_is_complete(result, written):
    assert [f.name for f in FIGURES] == list(SAID)
    drawn = {f.name for f in FIGURES} - SCRIPT
    assert set(tables(written)) == drawn
    assert set(tables(result)) == drawn - BASE
    assert set(tables(fake_constant_result(400))) == drawn - CASH - BASE - {"stresses"}
    assert "gap" not in tables(single_result(0))


def test_axes_are_in_the_dictionary():
    text = resources.files("simulator").joinpath("terms.csv").read_text(encoding="utf-8")
    known = {row["name"] for row in csv.DictReader(text.splitlines()) if row["kind"] == "axis"}
    assert {axis for figure in FIGURES for axis in (figure.x, figure.y)} <= known


def test_exceedance_is_the_value_at_risk_of_the_tables(result):
    data = exceedance.data(result)
    assert list(data["curve"].unique()) == result.programmes
    for name, rows in data.groupby("curve"):
        sample = Sample(result.scenarios["retained_loss"].sel(programme=name).to_numpy())
        for row in rows.itertuples():
            assert row.loss == sample.ordered[sample.position(1 - row.probability)]
        assert rows["loss"].is_monotonic_increasing
        assert rows["probability"].is_monotonic_decreasing
        assert (rows["ci_low"] <= rows["loss"]).all()
        assert (rows["loss"] <= rows["ci_high"]).all()
        assert rows["probability"].min() == pytest.approx(10 / 2000)


def test_one_buyer_never_loses_more_than_all(result, weighted):
    for case in (result, weighted):
        data = largest_loss.data(case).pivot_table(index="probability", columns="curve", values="loss")
        assert (data["largest buyer group"] <= data["all buyers"]).all()


def test_cash_fan_is_the_paths(result):
    data = cash_fan.data(result)
    first = data[data["programme"] == result.programmes[1]].reset_index(drop=True)
    assert len(first) == 53
    assert first.loc[0, "date"] == dt.date(2026, 10, 30)
    assert first.loc[0, ["low", "median", "high"]].tolist() == [4e6, 4e6, 4e6]
    path = result.paths["cash"].sel(programme=result.programmes[1])
    for column, level in {"low": 0.05, "lower": 0.25, "median": 0.5, "upper": 0.75, "high": 0.95}.items():
        np.testing.assert_array_equal(first[column][1:], path.sel(quantile=level))
    np.testing.assert_array_equal(first["mean"][1:], result.paths["mean_cash"].sel(programme=result.programmes[1]))
    assert (data["level"] == 2e6).all()
    low, high = data.attrs["limits"]
    assert low < data["low"].min()
    assert high > data["high"].max()


def test_headroom_starts_with_the_line(result):
    data = headroom_fan.data(result)
    assert data.loc[0, "median"] == 4e6 + 5e6 - 2e6
    assert (data["level"] == 0).all()


def test_shortfall_by_week(result):
    data = shortfall.data(result)
    paths = result.paths["shortfall_probability"]
    np.testing.assert_array_equal(data["probability"], paths.transpose("programme", "period").to_numpy().ravel())
    assert ((data["ci_low"] <= data["probability"]) & (data["probability"] <= data["ci_high"])).all()


def test_first_shortfall_ends_at_the_probability_of_any(result, weighted):
    for case in (result, weighted):
        data = first_shortfall.data(case)
        weight = case.scenarios["weight"].to_numpy()
        for name, rows in data.groupby("programme"):
            struck = case.scenarios["shortfall_amount"].sel(programme=name).to_numpy() > 0
            assert rows["probability"].iloc[-1] == pytest.approx(weight[struck].sum() / weight.sum(), rel=1e-12)
            assert rows["probability"].is_monotonic_increasing


def test_gap_adds_up(result, weighted, written):
    for case in (result, weighted, written):
        data = gap.data(case)
        assert list(data["programme"].unique()) == case.programmes[1:]
        for (_, _), rows in data.groupby(["programme", "view"]):
            amounts = rows.set_index("step")["amount"]
            assert amounts.drop("debt").sum() == pytest.approx(amounts["debt"], rel=1e-12)
            down = rows["start"] >= rows["end"] - 1e-12
            assert down.all() or list(rows.loc[~down, "step"]) == ["conversion"]
            inner = rows[~rows["step"].isin(["debt", "indemnity"])]
            np.testing.assert_allclose(inner["start"].to_numpy()[1:], inner["end"].to_numpy()[:-1], atol=1e-12)
            assert inner["end"].iloc[-1] == pytest.approx(rows["start"].iloc[-1])
        weight = case.scenarios["weight"].to_numpy()
        paid = np.average(case.scenarios["indemnity_gross"].to_numpy(), axis=1, weights=weight)
        shown = data[(data["view"] == "average") & (data["step"] == "indemnity")]["amount"]
        np.testing.assert_allclose(shown, paid[1:], rtol=1e-9)


def test_gap_has_the_steps_that_take_something(result, written):
    data = gap.data(result)
    assert "each_and_every" not in set(data["step"])  # nobody has one
    assert "coinsurance" in set(data["step"])
    assert set(gap.data(written)["step"]) == set(gap.STEPS) == set(GAP_STEPS)
    assert gap.height(data) < gap.height(gap.data(written))
    assert (gap.data(written).query("step == 'conversion'")["amount"] < 0).all()


def test_gap_has_the_errors_of_the_summary(written):
    data, rows = gap.data(written), written.summary()
    rows = rows[rows["stress"] == ""].set_index(["measure", "programme"])
    for row in data.itertuples():
        stem = "indemnity_gross" if row.step == "indemnity" else f"gap_{row.step}"
        found = rows.loc[(f"{stem}_{'mean' if row.view == 'average' else 'tail_mean'}", row.programme)]
        assert row.amount == pytest.approx(found["value"], abs=1e-6)
        assert row.amount_error == pytest.approx(found["standard_error"])


@pytest.mark.parametrize("level", [0.99, 0.95, 0.9987])
def test_tail_weights_give_the_tail_value_at_risk(weighted, level):
    gross, weight = (weighted.scenarios[v].to_numpy() for v in ("gross_loss", "weight"))
    for sample, own in ((Sample.weighted(gross, weight), weight), (Sample(gross), None)):
        weights = tail_weights(gross, own, level)
        assert weights.sum() == pytest.approx(1.0)
        assert float(weights @ gross) == pytest.approx(tail_value_at_risk(sample, level).value, rel=1e-9)


def test_share_paid_is_the_summary(result, weighted):
    for case in (result, weighted):
        rows = summarise(case)
        rows = rows[rows["stress"] == ""]
        found = dict(
            zip(zip(rows["measure"], rows["programme"], rows["level"], strict=True), rows["value"], strict=True)
        )
        means = {programme: value for (m, programme, _), value in found.items() if m == "indemnity_ratio"}
        data = share_paid.data(case)
        assert list(data["programme"]) == case.programmes[1:]
        assert list(data["headline"]) == [0.8, 0.9, 0.95, 1.0]
        for row in data.itertuples():
            assert row.mean == pytest.approx(means[row.programme])
            for name, level in {"low": 0.05, "median": 0.5, "high": 0.95}.items():
                assert getattr(row, name) == found["effective_indemnity_ratio", row.programme, level]
        assert (data["mean"] < data["headline"]).all()
        debt = case.scenarios["gap_debt"].sel(programme=case.programmes[1]).to_numpy() > 0
        weight = case.scenarios["weight"].to_numpy()
        assert data["scenarios"].iloc[0] == pytest.approx(weight[debt].sum() / weight.sum())


def test_claims_in_time(result, weighted):
    for case in (result, weighted):
        data = claims_in_time.data(case)
        assert list(data["programme"].unique()) == case.programmes[1:]
        weight = case.scenarios["weight"].to_numpy()
        for name, rows in data.groupby("programme"):
            flow = case.paths["mean_claim_cash"].sel(programme=name).to_numpy()
            due = np.average(case.scenarios["indemnity"].sel(programme=name).to_numpy(), weights=weight)
            assert rows["claims_come"].iloc[0] == 0.0
            assert rows["claims_come"].iloc[-1] == pytest.approx(flow.sum() / due)
            np.testing.assert_array_equal(rows["claim_cash"][1:], flow)
            struck = case.scenarios["shortfall_amount"].sel(programme=name).to_numpy() > 0
            assert rows["first_shortfalls"].iloc[-1] == pytest.approx(weight[struck].sum() / weight.sum())
            assert rows["shortfalls_come"].iloc[-1] == 1.0
            assert rows["shortfalls_come"].is_monotonic_increasing


def test_claims_in_time_without_shortfalls_or_claims():
    data = claims_in_time.data(lossless_result())
    assert data.empty
    calm = fake_result(400)
    scenarios = calm.scenarios.copy(deep=True)
    scenarios["first_shortfall_period"][:] = -1
    data = claims_in_time.data(replace(calm, scenarios=scenarios))
    assert data["shortfalls_come"].isna().all()
    assert (data["first_shortfalls"] == 0).all()
    assert "cash never runs short" in SAID["claims_in_time"](data)
    scenarios["first_shortfall_period"][:, : FEWEST - 1] = 7
    few = claims_in_time.data(replace(calm, scenarios=scenarios))
    assert few["shortfalls_come"].isna().all()
    assert few["first_shortfalls"].iloc[-1] == pytest.approx((FEWEST - 1) / 400)
    assert "too few scenarios run short of cash to say when" in SAID["claims_in_time"](few)
    scenarios["first_shortfall_period"][:, FEWEST - 1] = 7
    assert claims_in_time.data(replace(calm, scenarios=scenarios))["shortfalls_come"].notna().all()


def test_what_the_bank_lends(written):
    data = availability_fan.data(written)
    assert len(data) == 5 * 52
    assert data["date"].iloc[0] == dt.date(2026, 11, 6)
    assert (data["level"] == 5e6).all()
    path = written.paths["borrowing_base"].sel(programme=written.programmes[0], quantile=0.05)
    np.testing.assert_array_equal(data["low"][:52], path)


def test_claim_timing(result):
    data = claim_timing.data(result).set_index("programme")
    assert list(data.index) == result.programmes[1:]
    np.testing.assert_allclose(data["share"], data["in_horizon"] / data["indemnity"])
    np.testing.assert_allclose(data["gross"] - data["handed_back"], data["indemnity"])
    mean = result.scenarios["indemnity_in_horizon"].mean("scenario").to_numpy()[1:]
    np.testing.assert_allclose(data["in_horizon"], mean)


def test_cost_adds_up_to_the_cost_of_risk(result, weighted, written):
    assert {"trade_cost", "lost_margin"} <= set(cost.data(written)["component"])
    for case in (result, weighted, written):
        total = cost.data(case).groupby("programme", sort=False)["amount"].sum()
        weight = case.scenarios["weight"].to_numpy()
        expected = np.average(case.scenarios["cost_of_risk"].to_numpy(), axis=1, weights=weight)
        np.testing.assert_allclose(total, expected, rtol=1e-9)


def test_contributions_are_shares_of_the_whole_table(result):
    data = contributions.data(result)
    assert data.groupby("table").size().to_dict() == {"buyers": 10, "countries": 7, "currencies": 4, "sectors": 4}
    for _, rows in data[data["table"] != "buyers"].groupby("table"):
        assert rows["mean_share"].sum() == pytest.approx(1.0)
        assert rows["tail_share"].sum() == pytest.approx(1.0)
        assert rows["tail_share"].is_monotonic_decreasing
    buyers = data[data["table"] == "buyers"]
    np.testing.assert_allclose(buyers["tail_share"], result.contributions["buyers"]["share_of_tail"].head(10))


def test_stresses_are_the_summary(result):
    data = stresses.data(result)
    assert list(data["stress"].unique()) == [stresses.BASE, "pessimistic"]
    assert list(data["measure"].unique()) == list(stresses.MEASURES)
    rows = result.summary()
    for row in data.sample(12, random_state=1).itertuples():
        stress = "" if row.stress == stresses.BASE else row.stress
        found = rows[
            (rows["measure"] == row.measure) & (rows["programme"] == row.programme) & (rows["stress"] == stress)
        ]
        assert row.value in found["value"].tolist()


def test_drawings_are_small_svg_with_words(written):
    drawings, files = draw(tables(written))
    assert set(drawings) == {f.name for f in FIGURES} - SCRIPT
    for name, text in files.items():
        assert len(text) < 60_000, name
        root = ElementTree.fromstring(text)
        assert root.get("role") == "img"
        texts = [e.text for e in root if e.tag.endswith(("title", "desc"))]
        assert len(texts) == 2
        assert all(texts)
        assert "font-family" in root.get("style")
        assert "DejaVu" not in text


def test_lines_can_be_told_apart_without_colour():
    lines = [style.line_of(i) for i in range(16)]
    assert len({line.linestyle for line in lines[:8]}) == 8
    assert len(set(lines)) == 16
    assert lines[0].dashes == ()


def test_hostile_and_long_names_draw(result):
    case = renamed(result, [HOSTILE[5], HOSTILE[6], HOSTILE[7], HOSTILE[10], HOSTILE[9]])
    drawings, files = draw(tables(case.with_summary(summarise(case))))
    assert drawings
    for text in files.values():
        ElementTree.fromstring(text)
        assert "<script" not in text


def test_labels_are_spread_in_order():
    places = style.spread([10.0, 10.0, 11.0, 50.0], 15, 0, 100)
    assert places == [10.0, 25.0, 40.0, 55.0]
    assert style.spread([99.0, 98.0], 15, 0, 100) == [100.0, 85.0]
    crowded = style.spread([5.0] * 11, 15, 0, 100)
    assert crowded == pytest.approx(list(np.linspace(0, 100, 11)))
    assert style.spread([], 15, 0, 100) == []


def test_names_are_shortened_by_their_width():
    assert style.shorten("Whole turnover 90 %", 26) == "Whole turnover 90 %"
    assert style.shorten("公司" * 20, 11) == "公司公司公…"
    assert style.shorten("a\nb", 5) == "a b"
    assert style.display_width(style.shorten("x" * 100, 18)) == 18


def test_data_survive_the_csv(result, tmp_path):
    from simulator.results.files import write_table

    for name, table in tables(result).items():
        write_table(tmp_path / f"{name}.csv", table)
        back = pd.read_csv(tmp_path / f"{name}.csv")
        assert list(back.columns) == list(table.columns)
        assert len(back) == len(table)
