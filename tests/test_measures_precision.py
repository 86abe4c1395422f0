"""Runs that go on until a measure is known well enough: how many scenarios, the same bytes, and what is said."""

import json
import math

import numpy as np
import pytest

import simulator
from simulator.engine.checkpoint import Checkpoint
from simulator.engine.model import build_model
from simulator.engine.rows import RunRows
from simulator.engine.run import simulate
from simulator.measures.estimate import Estimate
from simulator.measures.precision import (
    Round,
    Search,
    estimate_of,
    next_count,
    precision_search,
    precision_sentence,
    relative_error,
)
from simulator.measures.sample import Sample
from simulator.measures.tail import tail_value_at_risk
from simulator.study.schema import Precision
from tests.studies import write_csv
from tests.test_cli import call
from tests.test_engine_repeatable import study_file


def book(folder, **simulation):
    """Forty buyers of equal exposure, no ledger: quick, and of a known kind."""
    rows = [{"buyer_id": f"B{k}", "exposure": "1000", "pd_annual": "3 %", "lgd": "0.6"} for k in range(40)]
    write_csv(folder / "buyers.csv", rows)
    return {
        "schema": 1,
        "study": {"title": "Precise", "as_of": "2026-10-30", "currency": "EUR", "horizon": "365 days"},
        "portfolio": {"exposure": "constant", "buyers": str(folder / "buyers.csv")},
        "credit": {"pd": {"source": "column"}, "recovery": {"mean": 0.4, "sd": 0}},
        "programmes": [{"name": "Reserve", "type": "none"}],
        "simulation": {"scenarios": 5000, "seed": 11} | simulation,
    }


def asked(**terms):
    return Precision(**({"measure": "expected_loss", "relative_error": 0.01} | terms))


def test_the_number_of_scenarios_follows_the_square_of_the_error():
    # 1.1 · 4,096 · (4 %/2 %)² = 18,022.4 scenarios, in whole chunks 5 · 4,096
    assert next_count(Round(4096, 1.0, 0.04, 0.04, 1e3), 0.02, 10**6) == 20_480
    assert next_count(Round(4096, 1.0, 0.04, 0.04, 1e3), 0.02, 10_000) == 10_000
    assert next_count(Round(4096, 1.0, 0.02, 0.02, 1e3), 0.02, 10**6) == 4096
    # a hair above the target: one chunk more at least
    assert next_count(Round(81_920, 1.0, 0.01, 0.010001, 1e3), 0.01, 10**6) == 94_208
    # nothing seen yet: eight times as many, not infinitely many
    assert next_count(Round(4096, 0.0, 0.0, math.inf, 0.0), 0.01, 10**9) == 8 * 4096
    assert next_count(Round(10_000, 1.0, 0.5, 0.5, 1e3), 0.01, 10_000) == 10_000


def test_a_small_error_of_few_scenarios_is_not_believed():
    few = Round(4096, 1.0, 0.001, 0.001, 41.0)
    assert not few.meets(0.05)
    assert Round(4096, 1.0, 0.001, 0.001, 100.0).meets(0.05)
    assert not Round(4096, 1.0, 0.06, 0.06, 100.0).meets(0.05)
    # 1.1 · 4,096 · 100/41 = 10,989 scenarios, in whole chunks 3 · 4,096
    assert next_count(few, 0.05, 10**6) == 12_288
    # an error that is not known yet asks for scenarios beyond the level: 1.1 · 100/20 = 5.5 times as many
    unknown = Round(4096, 1.0, math.nan, math.inf, 20.0)
    assert next_count(unknown, 0.05, 10**6) == 6 * 4096
    assert next_count(Round(4096, 1.0, math.nan, math.inf, 1.0), 0.05, 10**6) == 8 * 4096


def test_a_run_starts_with_whole_chunks():
    assert Search(asked(), 0).first(10_000) == 12_288
    assert Search(asked(max_scenarios=10_000), 0).first(10_000) == 10_000
    assert Search(asked(), 0).first(4096) == 4096


def test_the_relative_error_is_the_standard_error_over_the_value():
    assert relative_error(Estimate(-50.0, 2.0, 0, 0, 1)) == 0.04
    assert relative_error(Estimate(0.0, 0.0, 0, 0, 1)) == math.inf
    assert relative_error(Estimate(1.0, math.nan, 0, 0, 1)) == math.inf


def test_estimates_by_hand():
    values, ones = np.array([1.0, 2.0, 3.0, 6.0, 0.0, 0.0, 0.0, 0.0]), np.ones(8)
    assert estimate_of(asked(), values, ones)[0].value == 1.5
    assert estimate_of(asked(measure="shortfall_probability"), values, ones)[0].value == 0.5
    assert estimate_of(asked(measure="value_at_risk", level=0.75), values, ones)[0].value == 2.0
    assert estimate_of(asked(measure="liquidity_at_risk", level=0.75), values, ones)[0].value == 2.0
    assert estimate_of(asked(measure="tail_value_at_risk", level=0.75), values, ones)[0].value == 4.5
    # twice the weight on the 6: (1 + 2 + 3 + 12)/9
    assert estimate_of(asked(), values, np.where(values == 6.0, 2.0, 1.0))[0].value == pytest.approx(2.0, rel=1e-14)


def behind(values, weights=None, **terms):
    return estimate_of(asked(**terms), values, np.ones(len(values)) if weights is None else weights)[1]


def test_how_many_scenarios_say_so_by_hand():
    rare = np.where(np.arange(10_000) < 60, 5.0, 0.0)
    heavy = np.where(np.arange(10_000) < 60, 2.0, 1.0)
    assert behind(rare, measure="shortfall_probability") == pytest.approx(60.0)
    assert behind(rare) == pytest.approx(60.0)
    # halves of weight 2 and 1: (30·2 + 30·1)²/(30·4 + 30·1) = 54
    half = np.where(np.arange(10_000) % 2, 2.0, 1.0)
    assert behind(rare, half, measure="shortfall_probability") == pytest.approx(54.0)
    assert behind(0.0 * rare, measure="shortfall_probability") == 0.0
    assert behind(0.0 * rare) == 0.0
    # one scenario of 1,000,000 is nearly all of the variance: 4 · 1, though all 10,000 contribute
    spike = heavy.copy()
    spike[7] = 500.0
    assert behind(spike) == pytest.approx(4.0, rel=0.01)
    every = np.arange(10_000.0)
    assert behind(every, measure="value_at_risk", level=0.99) == pytest.approx(100.0)
    assert behind(every, measure="value_at_risk", level=0.01) == pytest.approx(100.0)
    assert behind(every, measure="tail_value_at_risk", level=0.99) == pytest.approx(100.0)
    assert behind(every, measure="tail_value_at_risk", level=0.9999) == pytest.approx(1.0)
    # what never varies: all scenarios agree
    assert behind(np.full(5000, 3.0)) == 5000.0
    assert behind(np.full(50_000, 3.0), measure="tail_value_at_risk", level=0.99) == pytest.approx(500.0)


def test_what_is_looked_at():
    run = RunRows(4096)
    loss = np.arange(4096.0)
    run.rows = {
        "gross_loss": loss, "weight": np.ones(4096),
        "retained_loss": np.stack([loss, 2.0 * loss], axis=1), "shortfall_amount": np.stack([loss, 0.0 * loss], axis=1),
    }  # fmt: skip
    found = {}
    for name, programme, terms in (
        ("gross", 0, {}),
        ("retained", 1, {"programme": "b"}),
        ("cash", 0, {"measure": "shortfall_probability"}),
        ("never", 1, {"measure": "shortfall_probability", "programme": "b"}),
    ):
        search = Search(asked(**terms), programme)
        found[name] = (search.enough(run), search.rounds[0].value, search.met)
    assert found["gross"][1] == 2047.5
    assert found["retained"][1] == 4095.0
    assert found["cash"] == (4096, 4095 / 4096, True)
    assert found["never"] == (8 * 4096, 0.0, False)


def test_a_precise_run_is_a_run_of_as_many_scenarios(tmp_path):
    wanted = {"measure": "tail_value_at_risk", "level": 0.95, "relative_error": 0.012, "max_scenarios": 200_000}
    precise = simulator.run(book(tmp_path, precision=wanted))
    told = precise.manifest["precision"]
    counts = [known["scenarios"] for known in told["rounds"]]
    assert counts[0] == 8192
    assert len(counts) > 1
    assert counts == sorted(counts)
    assert told["met"]
    assert all(known["relative_error"] > 0.012 for known in told["rounds"][:-1])
    assert told["rounds"][-1]["relative_error"] <= 0.012
    plain = simulator.run(book(tmp_path, scenarios=counts[-1]))
    assert plain.scenarios.identical(precise.scenarios)
    for name, table in plain.contributions.items():
        assert table.equals(precise.contributions[name])
    extra = precise.summary()["measure"].isin(["precision_reached", "scenarios_run"])
    assert extra.sum() == 2
    rest = precise.summary()[~extra].reset_index(drop=True)
    assert rest.equals(plain.summary().reset_index(drop=True))
    reached = precise.summary()[extra].set_index("measure")["value"]
    assert reached["scenarios_run"] == counts[-1]
    assert reached["precision_reached"] == told["rounds"][-1]["relative_error"]
    # what is asked for is the error of the number that is reported
    row = rest[(rest["measure"] == "gross_loss_tail_value_at_risk") & (rest["level"] == 0.95)].iloc[0]
    assert row["standard_error"] / row["value"] == told["rounds"][-1]["relative_error"]


def test_one_scenario_in_the_tail_is_no_precision(tmp_path, capsys):
    """4,096 scenarios have 0.4 beyond 99.99 %: their error was zero, and so "reached"."""
    wanted = {"measure": "tail_value_at_risk", "level": 0.9999, "relative_error": 0.05, "max_scenarios": 4096}
    path = study_file(
        book(tmp_path, scenarios=4096, precision=wanted) | {"report": {"levels": [0.99, 0.9999]}}, tmp_path
    )
    assert call("run", path, "--out", tmp_path / "run") == 0
    out = " ".join(capsys.readouterr().out.split())
    assert (
        "to 5 % was asked for and not reached: no bound with 4,096 scenarios, the most allowed; "
        "1 of them say so, and 100 are needed." in out
    )
    assert "No error is given where fewer than 5 scenarios lie beyond a level." in out
    rows = json.loads((tmp_path / "run" / "summary.json").read_text(encoding="utf-8"))
    for row in rows:
        if row["measure"].startswith(("gross_loss_", "retained_loss_")) and row["level"] is not None:
            known = row["level"] == 0.99
            assert (row["standard_error"] is not None) == known, row
            assert not known or row["standard_error"] > 0.0
            assert row["value"] > 0.0
    assert (tmp_path / "run" / "report.html").stat().st_size > 10_000


def uneven_book(folder, **simulation):
    """The forty buyers with four large ones that hardly ever fail, one of them very large: a skew loss."""
    study = book(folder, **simulation)
    sizes = [60_000 if k == 39 else 9_000 if k % 10 == 9 else 1_000 for k in range(40)]
    rows = [
        {"buyer_id": f"B{k}", "exposure": str(size), "pd_annual": "3 %" if size == 1_000 else "0.1 %", "lgd": "0.6"}
        for k, size in enumerate(sizes)
    ]
    write_csv(folder / "buyers.csv", rows)
    return study


FAR = {"tail": "importance", "importance_shift": 2.5}


@pytest.mark.slow
@pytest.mark.parametrize("way", [{}, FAR], ids=["plain", "importance"])
def test_intervals_hold_when_a_run_stops(tmp_path, way):
    """TVaR 99.8 % to 15 % from 60 seeds: 95 % intervals hold the value of 2,000,000 other scenarios often enough.

    Eight scenarios lie in the tail at the start. Where any error of them was believed, 49 of 60 intervals held the
    value, and 47 with importance sampling; gaps in standard errors had a standard deviation of 11 and 10, not 1.
    """
    big = simulator.run(uneven_book(tmp_path, scenarios=2_000_000, seed=998, **FAR)).scenarios
    sample = Sample.weighted(big["gross_loss"].to_numpy(), big["weight"].to_numpy())
    truth = tail_value_at_risk(sample, 0.998).estimate()
    assert truth.standard_error < 0.02 * truth.value
    wanted = {"measure": "tail_value_at_risk", "level": 0.998, "relative_error": 0.15}
    gaps = []
    for seed in range(1, 61):
        study = uneven_book(tmp_path, scenarios=4096, seed=seed, precision=wanted, **way)
        told = simulator.run(study).manifest["precision"]
        last = told["rounds"][-1]
        assert told["met"]
        assert last["scenarios_behind"] >= 99.99
        gaps.append((last["value"] - truth.value) / last["standard_error"])
    held = np.mean(np.abs(gaps) <= 1.959964)
    assert held > 0.95 - 4.5 * math.sqrt(0.95 * 0.05 / len(gaps))
    assert held >= 0.88  # the sharper of the two
    assert np.std(gaps) < 1.0 + 4.5 / math.sqrt(2 * len(gaps))
    assert abs(np.mean(gaps)) < 4.5 / math.sqrt(len(gaps))


def test_a_precise_run_goes_on_where_it_was_stopped(tmp_path):
    study = book(tmp_path, precision={"relative_error": "1.2 %", "level": 0.95})
    loaded = simulator.load_study(study)
    model = build_model(loaded)

    def run(**more):
        search = precision_search(loaded.study)
        return simulate(model, search.first(5000), enough=search.enough, **more)

    straight = run()
    assert straight.n_scenarios > 8192

    def stop(done, total):
        if done > 8192:
            raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        run(checkpoint=Checkpoint(tmp_path / "c", "x"), progress=stop)
    again = run(checkpoint=Checkpoint(tmp_path / "c", "x"))
    assert again.resumed == 8192
    assert again.n_scenarios == straight.n_scenarios
    for name, values in straight.rows.items():
        assert values.tobytes() == again.rows[name].tobytes(), name


def test_the_most_scenarios_are_not_exceeded_and_it_is_said(tmp_path, capsys):
    wanted = {"measure": "expected_loss", "relative_error": "0.1 %", "max_scenarios": 9000}
    path = study_file(book(tmp_path, precision=wanted), tmp_path)
    assert call("run", path, "--out", tmp_path / "run") == 0
    out = " ".join(capsys.readouterr().out.split())
    assert "9,000 scenarios; amounts in EUR" in out
    assert "Precision: expected loss of gross loss to 0.1 % was asked for and not reached:" in out
    assert "with 8,192, then 9,000 scenarios, the most allowed." in out
    rows = json.loads((tmp_path / "run" / "summary.json").read_text(encoding="utf-8"))
    assert [row["value"] for row in rows if row["measure"] == "scenarios_run"] == [9000.0]
    assert "was asked for and not reached" in (tmp_path / "run" / "report.html").read_text(encoding="utf-8")
    manifest = json.loads((tmp_path / "run" / "manifest.json").read_text(encoding="utf-8"))
    assert manifest["scenarios"] == 9000
    assert manifest["precision"]["met"] is False
    # a saved run says the same
    assert call("compare", tmp_path / "run") == 0
    assert "with 8,192, then 9,000 scenarios" in " ".join(capsys.readouterr().out.split())
    assert call("replay", path, "--scenario", "8999") == 0


def test_a_measure_that_is_zero_has_no_relative_error():
    told = Search(
        asked(measure="shortfall_probability", programme="b"), 1, [Round(4096, 0.0, 0.1, math.inf, 0.0)]
    ).told()
    sentence = "shortfall probability of b to 1 % was asked for and not reached: no bound with 4,096 scenarios"
    assert sentence in precision_sentence(told)
    told["rounds"][0]["relative_error"] = None  # as it comes back from a file
    assert sentence in precision_sentence(told)


@pytest.mark.parametrize(
    ("terms", "message"),
    [
        ({"relative_error": 0}, "must be above 0"),
        ({"relative_error": "1 %", "measure": "expected_loss", "level": 0.99}, "expected_loss has no level"),
        ({"relative_error": "1 %", "level": 1}, "must lie between 0 and 1, both excluded"),
        ({"relative_error": "1 %", "measure": "liquidity_at_risk"}, "needs cash, which `exposure: constant`"),
        ({"relative_error": "1 %", "programme": "Reserv"}, "did you mean Reserve?"),
        ({"relative_error": "1 %", "max_scenarios": 4999}, "must not be below simulation.scenarios, 5,000"),
        ({"relative_error": "1 %", "max_scenarios": "2000 M"}, "must be from 1 to 1 bn scenarios"),
        ({"measure": "tail_value_at_risk"}, "relative_error"),
        ({"relative_error": "1 %", "measure": "tvar"}, "tail_value_at_risk"),
    ],
)
def test_mistakes_in_what_is_asked_for(tmp_path, terms, message):
    with pytest.raises(simulator.InputError) as caught:
        simulator.load_study(book(tmp_path, precision=terms))
    assert len(caught.value.problems) == 1
    assert message in str(caught.value)
