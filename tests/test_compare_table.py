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
from simulator.measures.columns import FEWEST, Columns
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
    for words in (
        "worst 1 % of scenarios",
        "cash runs short falls from",
        "net arrives within the 52 weeks",
        "of the debt claimed, or lost without a claim",
    ):
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
        assert ("a change within sampling noise" in text) == (moved == "hardly moves")
        assert words in text


def test_verdict_without_any_shortfall(result):
    calm = with_values(result, shortfall_amount=dict.fromkeys(range(5), 0.0))
    assert any("never runs short" in sentence for sentence in verdict(calm))


def timing(result):
    """The sentence on when claims are paid."""
    return next(s for s in verdict(result) if "of gross claims on average" in s).replace("\N{NO-BREAK SPACE}", " ")


def test_late_claims_show(result):
    late = with_values(result, indemnity_in_horizon={k: 0.2 * result.scenarios["indemnity"][k] for k in range(5)})
    sentence = timing(late)
    assert "(20 %) net arrives within the 52 weeks. Where cash still runs short, " in sentence
    assert re.search(r" of net claims by the end of the first week of shortfall, 20 % within the 52 weeks\.$", sentence)


def test_what_is_handed_back_is_not_late(result):
    """Everything is paid at once; two thirds go back when buyers pay after their claims."""
    gross = result.scenarios["indemnity_gross"].to_numpy()
    prompt = with_values(
        result,
        indemnity={k: gross[k] / 3 for k in range(5)},
        indemnity_in_horizon={k: gross[k] / 3 for k in range(5)},
        claims_before_shortfall={
            k: gross[k] / 3 * (result.scenarios["shortfall_amount"].to_numpy()[k] > 0) for k in range(5)
        },
    )
    sentence = timing(prompt)
    assert "goes back to the insurer from recoveries and later payments, which leaves" in sentence
    assert "(100 %) net arrives within the 52 weeks" in sentence
    assert "short, 100 % of net claims by the end of the first week of shortfall, 100 % within the 52" in sentence
    kept = with_values(result, indemnity={k: gross[k] for k in range(5)})
    assert "goes back" not in timing(kept)
    owed = with_values(result, indemnity_in_horizon={k: gross[k] for k in range(5)})  # handed back after the horizon
    more = r"\d k EUR net arrives within the 52 weeks, more than stays in the end: further shares go back later\. Where"
    assert re.search(more, timing(owed))
    assert timing(owed).endswith(" of shortfall, more than 100 % within the 52 weeks.")


def test_few_shortfalls_have_no_percentage(result):
    few = np.zeros(2000)
    few[: FEWEST - 1] = 1e5
    sentence = timing(with_values(result, shortfall_amount=dict.fromkeys(range(1, 5), few)))
    assert sentence.endswith(" Too few scenarios (29) still run short of cash to say what part comes in time.")
    few[FEWEST - 1] = 1e5
    assert "Where cash still runs short" in timing(
        with_values(result, shortfall_amount=dict.fromkeys(range(1, 5), few))
    )


def test_claims_by_the_first_shortfall(result):
    sentence = timing(result)
    said = r"still runs short, (\d+|more than 100) % of net claims by the end of the first week of shortfall, "
    found = re.search(said, sentence)
    best = cheapest(Columns(result))
    subject = result.programmes[best]
    rows = result.scenarios.sel(programme=subject)
    short = rows["shortfall_amount"] > 0
    share = float((rows["claims_before_shortfall"] * short).sum() / (rows["indemnity"] * short).sum())
    assert found[1] == (f"{100 * share:.0f}" if share <= 1 else "more than 100")


def test_what_takes_cover_away_is_told_where_it_does(result):
    written = fake_result(2000, written=True)
    text = " ".join(verdict(written)).replace("\N{NO-BREAK SPACE}", " ")
    assert "Limits that the insurer takes back leave unpaid" in text
    for name in PROGRAMMES[1:]:  # every programme concerned
        assert re.search(rf"under {name} \(\d+ % of the debt claimed, \d+ % in the worst 1 % of scenarios\)", text)
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


def with_programmes(result, **changes):
    """The result with some programmes of its study changed: {"p<index>": {key: value}}."""
    programmes = list(result.study.programmes)
    for name, update in changes.items():
        programmes[int(name[1:])] = programmes[int(name[1:])].model_copy(update=update)
    return replace(result, study=result.study.model_copy(update={"programmes": tuple(programmes)}))


def test_a_seller_who_stops_loses_sales_not_cover():
    """No debt is left above a cancelled limit; the sales not made are the insurer's doing, in every programme."""
    written = fake_result(2000, written=True)
    sales = np.full(2000, 3e6)
    stopping = with_values(
        written,
        gap_limit_cancelled=dict.fromkeys(range(5), 0.0),
        lost_sales={0: 0.0, 1: sales, 2: 2 * sales},
        lost_margin={0: 0.0, 1: 0.4 * sales, 2: 0.8 * sales},
        trade_cost={0: 0.0},
    )
    text = " ".join(verdict(stopping)).replace("\N{NO-BREAK SPACE}", " ")
    assert (
        "Because the insurer takes limits back, the firm does not make 3 M EUR of sales, with a margin of 1.2 M EUR, "
        "under Whole turnover 80 % and 6 M EUR of sales, with a margin of 2.4 M EUR, under Whole turnover 90 %."
    ) in text
    assert "has the firm trade" not in text
    mixed = with_programmes(stopping, p2={"prepayment": written.study.programmes[0].prepayment})
    text = " ".join(verdict(mixed))
    assert "; under Whole turnover 90 % its terms of trade are part of the reason." in text
    assert "The way Whole turnover 90 % has the firm trade costs" in text
    changes = written.study.programmes[1].limit_changes
    ships = {f"p{k}": {"limit_changes": changes.model_copy(update={"seller": "continues"})} for k in (1, 2)}
    assert "does not make" not in " ".join(verdict(with_programmes(stopping, **ships)))


def test_the_next_best_policy_is_a_policy(result):
    """Costs 0, 1, 2 … M; each kind of runner-up by its name."""
    costs = dict.fromkeys(("retained_loss", "financing_cost"), dict.fromkeys(range(5), 0.0))
    bare = with_programmes(result, p0={"reserve": 0.0})
    none = bare.study.programmes[0].model_copy(update={"name": PROGRAMMES[3]})
    programmes = tuple(none if k == 3 else p for k, p in enumerate(bare.study.programmes))
    bare = replace(bare, study=bare.study.model_copy(update={"programmes": programmes}))

    def second(*millions):
        premiums = {k: 1e6 * m for k, m in enumerate(millions)}
        return verdict(with_values(bare, **costs, premium=premiums))[1].replace("\N{NO-BREAK SPACE}", " ")

    assert second(5, 0, 1, 2, 3) == "The next best policy, Whole turnover 90 %, costs 1 M EUR more."
    policy = "; the next best policy, Whole turnover 90 %, 3 M EUR more."
    assert second(5, 0, 3, 2, 4) == "The next best programme, Whole turnover 95 %, costs 2 M EUR more" + policy
    assert second(1, 0, 3, 2, 4) == "After Self-insurance comes Whole turnover 95 %, which costs 2 M EUR more" + policy
    policy = "; the cheapest policy, Whole turnover 80 %, 3 M EUR more."
    assert second(0, 3, 4, 2, 5) == "The next best programme, Whole turnover 95 %, costs 2 M EUR more" + policy
    assert second(0, 1, 2, 5, 3) == "The cheapest policy, Whole turnover 80 %, costs 1 M EUR more."


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
