"""Paired differences: right value, right error, much smaller than unpaired ones."""

import math
from dataclasses import replace

import numpy as np
import pytest

from simulator.compare.paired import difference, differences, full_summary, measures
from simulator.measures.columns import Columns
from simulator.measures.summary import summarise
from simulator.terms import load_terms
from tests.fake_result import PROGRAMMES, fake_constant_result, fake_result


@pytest.fixture(scope="module")
def result():
    return fake_result(2000, stresses=("pessimistic",))


@pytest.fixture(scope="module")
def replications():
    return [Columns(fake_result(600, seed)) for seed in range(80)]


def test_differences_are_differences_of_the_summary(result):
    summary, found = summarise(result), differences(result)
    keys = ["stress", "measure", "programme", "level"]
    values = summary.set_index(keys)["value"]
    assert len(found) == 2 * 4 * (1 + 3 + 3 + 5 + 2 + 3)
    for row in found.itertuples():
        measure = row.measure.removesuffix("_difference")
        ours = values.loc[(row.stress, measure, row.programme, row.level)]
        base = values.loc[(row.stress, measure, PROGRAMMES[0], row.level)]
        assert row.value == pytest.approx(ours - base, abs=1e-6), row.measure
        assert row.ci_low <= row.value <= row.ci_high


def test_costs_of_trade_are_compared_where_they_are(result):
    assert not differences(result)["measure"].str.startswith(("trade_cost", "lost_margin")).any()
    written = fake_result(400, written=True)
    found = differences(written)
    lost = written.scenarios["lost_margin"].mean("scenario").to_numpy()
    rows = found[found["measure"] == "lost_margin_mean_difference"]
    np.testing.assert_allclose(rows["value"], lost[1:] - lost[0])
    assert (rows["standard_error"] > 0).all()
    assert set(found["measure"]) <= {term.name for term in load_terms() if term.kind == "measure"}


def test_pairing_removes_the_common_noise(result):
    summary, found = summarise(result), differences(result)
    for measure in ("retained_loss_mean", "cost_of_risk_mean", "shortfall_probability"):
        rows = found[(found["measure"] == measure + "_difference") & (found["stress"] == "")]
        alone = summary[(summary["measure"] == measure) & (summary["stress"] == "")].set_index("programme")
        base = alone["standard_error"][PROGRAMMES[0]]
        for row in rows.itertuples():
            unpaired = math.hypot(base, alone["standard_error"][row.programme])
            assert row.standard_error < 0.75 * unpaired


@pytest.mark.parametrize(
    ("measure", "level"),
    [
        ("retained_loss_mean", math.nan),
        ("retained_loss_value_at_risk", 0.95),
        ("retained_loss_tail_value_at_risk", 0.95),
        ("cost_of_risk_mean", math.nan),
        ("shortfall_probability", math.nan),
    ],
)
def test_reported_errors_are_the_spread_over_replications(measure, level, replications):
    found = [difference(columns, measure, 2, 0, level) for columns in replications]
    values = np.array([f.value for f in found])
    reported = math.sqrt(np.mean([f.standard_error**2 for f in found]))
    assert reported / values.std() == pytest.approx(1.0, abs=0.36)  # 4.5 × 8 % of a spread from 80 values
    middle = values.mean()
    covered = np.mean([f.ci_low <= middle <= f.ci_high for f in found])
    assert covered > 0.95 - 4.5 * math.sqrt(0.95 * 0.05 / 80)


def test_weighted_differences_use_the_weights():
    result = fake_result(1000, weighted=True)
    scenarios = result.scenarios
    change = (scenarios["retained_loss"][2] - scenarios["retained_loss"][0]).to_numpy()
    weight = scenarios["weight"].to_numpy()
    found = difference(Columns(result), "retained_loss_mean", 2, 0)
    assert found.value == pytest.approx(np.average(change, weights=weight))
    assert found.effective_sample_size < 1000


def test_programmes_that_never_differ_keep_an_honest_error(result):
    scenarios = result.scenarios.copy(deep=True)
    scenarios["shortfall_amount"][1] = scenarios["shortfall_amount"][0]
    columns = Columns(replace(result, scenarios=scenarios, stresses={}))
    found = difference(columns, "shortfall_probability", 1, 0)
    assert found.value == 0.0
    assert 0.0 < found.standard_error < 0.002
    assert found.ci_low == -found.ci_high < 0.0
    known = difference(columns, "reserve_cost", 1, 0)
    assert known.standard_error == 0.0


def test_constant_exposure_has_no_cash_differences():
    result = fake_constant_result(300)
    assert not differences(result)["measure"].str.startswith(("shortfall", "liquidity")).any()
    assert ("cost_of_risk_mean", pytest.approx(math.nan, nan_ok=True)) in measures(Columns(result))


def test_full_summary_holds_both(result):
    whole = full_summary(result)
    assert len(whole) == len(summarise(result)) + len(differences(result))
    one = replace(result, scenarios=result.scenarios.isel(programme=[0]), stresses={})
    alone = full_summary(replace(one, paths=result.paths.isel(programme=[0])))
    assert not alone["measure"].str.endswith("_difference").any()
