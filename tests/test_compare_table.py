"""The headline table and the verdict: complete, readable in 100 columns, and true to the numbers."""

import io
import re
from dataclasses import replace

import numpy as np
import pytest
from rich.console import Console

from simulator.compare.paired import full_summary
from simulator.compare.scale import common_scale, scaled
from simulator.compare.table import ROWS, comparison_table, render, stress_table, weight_warnings
from simulator.compare.verdict import cheapest, verdict
from simulator.measures.columns import Columns
from simulator.terms import load_terms
from tests.fake_result import PROGRAMMES, fake_constant_result, fake_result


@pytest.fixture(scope="module")
def result():
    return fake_result(2000)


def printed(result, width=100):
    console = Console(file=io.StringIO(), width=width, force_terminal=False)
    render(result, console)
    return console.file.getvalue().replace("\N{NO-BREAK SPACE}", " ")


def with_values(result, **changes):
    """The result with a programme's columns replaced: {variable: {programme index: values}}."""
    scenarios = result.scenarios.copy(deep=True)
    for name, columns in changes.items():
        for index, values in columns.items():
            scenarios[name][index] = values
    return replace(result, scenarios=scenarios)


def test_table_has_every_headline_number(result):
    table = comparison_table(result)
    trade = {"trade_cost_mean", "lost_margin_mean"}  # shown where some programme trades on safer terms
    assert list(table["measure"].unique()) == list(dict.fromkeys(m for _, m, _ in ROWS if m not in trade))
    written = comparison_table(fake_result(400, written=True))
    assert list(written["measure"].unique()) == list(dict.fromkeys(m for _, m, _ in ROWS))
    assert {term.name for term in load_terms() if term.kind == "measure"} >= set(table["measure"])
    for measure in ("retained_loss_value_at_risk", "retained_loss_tail_value_at_risk", "liquidity_at_risk"):
        rows = table[table["measure"] == measure]
        assert sorted(rows["level"].unique()) == [0.95, 0.99, 0.995]
        assert len(rows) == 15
    changes = table[table["section"] == "Against the baseline"]
    assert set(changes["programme"]) == set(PROGRAMMES[1:])
    assert table["text"].str.contains("±").mean() > 0.8


def test_table_is_the_same_from_a_stored_summary(result):
    stored = result.with_summary(full_summary(result))
    assert comparison_table(stored).equals(comparison_table(result))


def test_printed_within_a_hundred_columns(result):
    lines = printed(result).splitlines()
    assert max(len(line) for line in lines) <= 100
    body = "\n".join(lines)
    for word in ("Self-insurance", "Excess of loss", "VaR 99.5 %", "P(shortfall)", "= cost of risk", "week", "pp"):
        assert word in body
    rows = [line for line in lines if line.startswith("  ")]
    assert [line for line in rows if line.strip().startswith("±")] == []  # no cell breaks over two lines


def test_one_unit_per_row(result):
    large = with_values(result, retained_loss={0: 4e7 * np.linspace(0, 1, 2000), 1: 1e5 * np.linspace(0, 1, 2000)})
    for case in (result, large):
        table = comparison_table(case)
        money = table[table["unit"] == "EUR"]
        for (measure, _), rows in money.groupby(
            [money["measure"].str.removesuffix("_difference"), "level"], dropna=False
        ):
            sections = rows.groupby(rows["section"] == "Cost of risk")["scale"]
            assert (sections.nunique() == 1).all(), measure
        assert table.loc[table["section"] == "Cost of risk", "scale"].nunique() == 1
        assert (table.loc[table["measure"] == "shortfall_probability", "scale"] == "%").all()
        for row in table.itertuples():
            assert row.text.endswith(row.scale)
        for width in (80, 100):
            for line in printed(case, width).splitlines():
                if line.startswith("  ") and " ± " in line:
                    assert not any(cell in {"k", "M", "bn", "%", "pp"} for cell in line[24:].split()), line


def test_units_fit_what_is_compared():
    assert common_scale([3.1e6, 9.8e5]) == "M"
    assert common_scale([3.1e6, 5e4, 0.0]) == "k"
    assert common_scale([31e6, 5e4]) == "M"
    assert common_scale([0.0, 0.0], [3e4, 0.0]) == "k"
    assert common_scale([float("nan"), 0.001]) == ""
    assert scaled(9.8e5, 3e4, "M") == "0.98 ±\N{NO-BREAK SPACE}0.03"
    assert scaled(-2.82e6, 170e3, "k", signed=True) == "−2,820 ±\N{NO-BREAK SPACE}170"
    assert scaled(44_880.0, 0.0, "k") == "44.88"


def test_parts_of_the_cost_of_risk_are_shown_where_they_are(result):
    assert "+ lost margin" not in printed(result)
    written = fake_result(400, written=True)
    table = comparison_table(written)
    assert "+ lost margin" in printed(written)
    parts = table[(table["section"] == "Cost of risk") & (table["programme"] == PROGRAMMES[0])].set_index("measure")
    total = parts.loc["cost_of_risk_mean", "value"]
    assert parts["value"].drop("cost_of_risk_mean").sum() == pytest.approx(total)
    assert parts.loc["trade_cost_mean", "value"] == 25_000.0


def test_many_programmes_go_into_several_tables(result):
    narrow = printed(result, width=70)
    assert narrow.count("= cost of risk") == 2
    assert max(len(line) for line in narrow.splitlines()) <= 70


def test_constant_exposure_prints_without_cash():
    text = printed(fake_constant_result(500))
    assert "Liquidity" not in text
    assert "cash runs short" not in text
    assert "= cost of risk" in text


def test_one_programme_alone(result):
    alone = replace(result, scenarios=result.scenarios.isel(programme=[0]), paths=result.paths.isel(programme=[0]))
    text = printed(alone)
    assert "Against the baseline" not in text
    assert "in all." in text


def test_names_are_not_markup(result):
    names = ["[red]A[/red]", *PROGRAMMES[1:]]
    odd = replace(result, scenarios=result.scenarios.assign_coords(programme=np.array(names, dtype=object)))
    assert "[red]A[/red]" in printed(odd)


def test_verdict_answers_first(result):
    first, *rest = verdict(result)
    best = result.programmes[cheapest(Columns(result))]
    assert first.startswith(f"{best} has the lowest cost of risk")
    assert "more than sampling noise can explain" in first
    text = " ".join(rest).replace("\N{NO-BREAK SPACE}", " ")
    for words in ("worst 1 % of scenarios", "cash runs short falls from", "arrives within the 52 weeks", "of the debt"):
        assert words in text


def test_verdict_says_when_noise_decides(result):
    scenarios = result.scenarios
    noise = np.random.default_rng(1).normal(0, 2e5, 2000)
    same = scenarios["retained_loss"].to_numpy()[0]
    twin = with_values(
        result,
        retained_loss={k: same + (noise if k == 1 else 1e6) for k in range(1, 5)},
        premium={1: 0.0},
        financing_cost={1: scenarios["financing_cost"].to_numpy()[0]},
    )
    study = result.study.model_copy(
        update={"programmes": tuple(p.model_copy(update={"reserve": 0.0}) for p in result.study.programmes)}
    )
    sentences = " ".join(verdict(replace(twin, study=study)))
    assert "within sampling noise" in sentences


def test_verdict_when_the_baseline_is_cheapest(result):
    dear = with_values(result, premium=dict.fromkeys(range(1, 5), 5000000.0))
    first = verdict(dear)[0]
    assert first.startswith("Self-insurance has the lowest cost of risk")
    assert "no other programme is cheaper" in first
    assert any("Whole turnover 95 %" in sentence for sentence in verdict(dear)[1:])


def test_reserves_are_named_beside_shortfalls(result):
    words = "A reserve counts as cash from the first day: 1.5 M EUR under Self-insurance, none under"
    alike = with_values(result, shortfall_amount=dict.fromkeys(range(1, 5), result.scenarios["shortfall_amount"][0]))
    for case, moved in ((result, "falls"), (alike, "hardly moves")):
        text = " ".join(verdict(case)).replace("\N{NO-BREAK SPACE}", " ")
        assert moved in text
        assert words in text


def test_verdict_without_any_shortfall(result):
    calm = with_values(result, shortfall_amount=dict.fromkeys(range(5), 0.0))
    assert any("never runs short" in sentence for sentence in verdict(calm))


def test_late_claims_show(result):
    late = with_values(result, indemnity_in_horizon={k: 0.2 * result.scenarios["indemnity_gross"][k] for k in range(5)})
    sentence = next(s for s in verdict(late) if "gross claims" in s).replace("\N{NO-BREAK SPACE}", " ")
    assert "(20 %) arrives within the 52 weeks" in sentence
    assert "it is 20 %" in sentence


def test_claims_by_the_first_shortfall(result):
    sentence = next(s for s in verdict(result) if "gross claims" in s).replace("\N{NO-BREAK SPACE}", " ")
    assert re.search(r"still runs short it is \d+ %, \d+ % by the end of the first week of shortfall\.", sentence)
    best = cheapest(Columns(result))
    subject = result.programmes[best]
    rows = result.scenarios.sel(programme=subject)
    short = rows["shortfall_amount"] > 0
    share = float((rows["claims_before_shortfall"] * short).sum() / (rows["indemnity_gross"] * short).sum())
    assert f", {100 * share:.0f} % by the end" in sentence


def test_what_takes_cover_away_is_told_where_it_does(result):
    written = fake_result(2000, written=True)
    text = " ".join(verdict(written)).replace("\N{NO-BREAK SPACE}", " ")
    assert "limits that the insurer takes back leave" in text
    assert "of it in the worst 1 % of scenarios." in text
    assert "The reserve fund of Self-insurance is exhausted with a probability of" in text
    assert "counts as cash" not in text  # a fund apart does not
    plain = " ".join(verdict(result))
    for words in ("takes back", "own default", "reserve fund", "has the firm trade"):
        assert words not in plain
    full = with_values(written, minimum_fund={0: 1.0})
    assert "The reserve fund of Self-insurance is never exhausted in any scenario." in verdict(full)
    calm = with_values(written, gap_limit_cancelled=dict.fromkeys(range(5), 0.0))
    assert "takes back" not in " ".join(verdict(calm))
    noisy = np.zeros(2000)
    noisy[7] = 1e5
    assert "takes back" not in " ".join(
        verdict(with_values(written, gap_limit_cancelled=dict.fromkeys(range(5), noisy)))
    )


def test_safer_terms_are_told_with_what_they_cost():
    written = fake_result(2000, written=True)
    sentence = next(s for s in verdict(written) if s.startswith("The way Self-insurance has the firm trade"))
    sentence = sentence.replace("\N{NO-BREAK SPACE}", " ")
    rows = written.scenarios
    saved = float((rows["gross_loss"] - rows["credit_loss"][0]).mean())
    assert saved > 0
    assert "costs 25 k EUR in fees, interest and discounts and 1.5998 ± 0.0009 M EUR of margin" in sentence
    assert re.search(r"the credit loss is \d+ ± \d+ k EUR less than under the study's own terms\.$", sentence)
    only = with_values(written, trade_cost={0: 0.0}, lost_margin={0: np.linspace(0.0, 1e4, 2000)})
    assert any("has the firm trade costs 5,000 ± " in s.replace("\N{NO-BREAK SPACE}", " ") for s in verdict(only))
    worse = with_values(written, credit_loss={0: 1.1 * rows["gross_loss"].to_numpy()})
    assert any("EUR more than under the study's own terms." in s for s in verdict(worse))


def test_stresses_are_shown_and_told():
    result = fake_result(1000, stresses=("pessimistic", "calm"))
    calm = fake_result(1000)
    result = replace(result, stresses={**result.stresses, "calm": calm})
    table = stress_table(result)
    assert list(table["section"].unique()) == ["pessimistic", "calm"]
    assert len(table) == 2 * 4 * 5
    text = printed(result)
    assert "\npessimistic" in text
    base, bad = (cheapest(Columns(r)) for r in (result, result.stresses["pessimistic"]))
    told = " ".join(verdict(result))
    assert f"{PROGRAMMES[base]} has the lowest cost of risk under" in told
    assert base == bad or f"Under pessimistic conditions it is {PROGRAMMES[bad]}" in told
    assert len(stress_table(calm)) == 0


def test_unbounded_quantiles_are_admitted():
    assert "nothing bounds them" in printed(fake_result(200))
    assert "nothing bounds them" not in printed(fake_result(4000))


def test_weighted_scenarios_say_what_they_are_worth():
    assert "weighted" not in printed(fake_result(2000))
    text = " ".join(printed(fake_result(2000, weighted=True)).split())
    assert re.search(r"Scenarios are weighted: on the whole they are worth 1,[4-6]\d\d unweighted ones \(7\d %\)", text)
    assert "Warning" not in text


def test_bad_weights_are_warned_of():
    result = fake_result(2000, weighted=True)

    def told(weight):
        return weight_warnings(replace(result, scenarios=result.scenarios.assign(weight=("scenario", weight))))

    rare = np.where(np.arange(2000) < 150, 2000 / 150, 1e-9)  # worth 150, mean 1
    (sentence,) = told(rare)
    assert "the worth of 150 of 2,000 scenarios" in sentence
    assert "importance_shift" in sentence
    assert told(np.where(np.arange(2000) < 201, 2000 / 201, 1e-9)) == []
    (sentence,) = told(0.8 + 0.3 * np.random.default_rng(1).random(2000))
    assert re.search(r"mean weight of the scenarios is 0\.9\d*, \d+\.\d standard errors from 1", sentence)
    worthless = fake_result(2000)
    worthless = replace(worthless, scenarios=worthless.scenarios.assign(weight=("scenario", rare)))
    assert "Warning: the weights leave the worth of 150" in " ".join(printed(worthless).split())
