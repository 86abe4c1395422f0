"""The page: complete in every mode, harmless whatever names it holds, the same bytes for the same result."""

import math
import re
from dataclasses import replace
from xml.etree import ElementTree

import numpy as np
import pytest

from simulator.compare.paired import full_summary
from simulator.errors import SimulatorError
from simulator.measures.estimate import effective_size
from simulator.report import arrangements, coverage, remarks
from simulator.report.comparison import Summary, comparison_table
from simulator.report.figures import gap
from simulator.report.numbers import Unit, short_percent, unit_for, with_error
from simulator.report.ratios import NET_LOSS_RATIO, NET_RATIO, ratios
from simulator.report.write import with_differences, write_report
from tests.fake_result import PROGRAMMES, fake_constant_result, fake_result
from tests.report_cases import HOSTILE, Page, hostile_result, lossless_result, single_result

ALWAYS = ["The answer", "How much can be lost", "What each programme costs", "Who drives the loss",
          "What the ledger looks like", "What was assumed", "Definitions and provenance"]  # fmt: skip
CASH = ["What happens to cash", "When cash runs short, and by how much"]


@pytest.fixture(scope="module")
def full(tmp_path_factory):
    folder = tmp_path_factory.mktemp("full")
    result = fake_result(1200, stresses=("pessimistic",))
    return folder, write_report(result, folder), result


@pytest.fixture(scope="module")
def page(full):
    return Page(full[1]["html"].read_text(encoding="utf-8"))


def page_of(result, folder):
    return Page(write_report(result, folder, formats=("html",))["html"].read_text(encoding="utf-8"))


def test_files(full):
    folder, written, _ = full
    assert {kind: path.name for kind, path in written.items()} == {
        "html": "report.html", "xlsx": "report.xlsx", "json": "summary.json",
    }  # fmt: skip
    names = {p.name for p in (folder / "figures").iterdir()}
    assert {"exceedance.svg", "exceedance.csv", "cash_fan.csv", "cash_fan-1.svg", "cash_fan-5.svg"} <= names
    assert not [p for p in folder.rglob("*") if p.suffix == ".tmp"]
    assert {p.stem.split("-")[0] for p in (folder / "figures").glob("*.svg")} == {
        p.stem for p in (folder / "figures").glob("*.csv")
    }


def test_html_is_balanced_and_ids_are_unique(page):
    assert page.faults == []
    assert len(page.ids) == len(set(page.ids))


def test_every_link_has_its_place(page):
    targets = [value[1:] for tag, key, value in page.attributes if key == "href" and value.startswith("#")]
    assert targets
    assert set(targets) <= set(page.ids)
    clips = [value for _, key, value in page.attributes if key == "clip-path"]
    assert {re.fullmatch(r"url\(#(.*)\)", clip)[1] for clip in clips} <= set(page.ids)


def test_nothing_is_fetched(full, page):
    text = full[1]["html"].read_text(encoding="utf-8")
    links = [m[0] for m in re.finditer(r"(https?:)?//[\w.]+[^\s\"'<]*", re.sub(r'xmlns(:\w+)?="[^"]*"', "", text))]
    assert links == []
    assert not {"script", "img", "link", "iframe", "object", "embed", "base", "form"} & set(page.tags)
    assert not re.search(r"@import|url\((?!#)", text)


def test_sections_in_order(page):
    assert page.headings == [
        "The answer", "How much can be lost", "What happens to cash", "When cash runs short, and by how much",
        "What the cover really covers", "What each programme costs", "Who drives the loss",
        "What if times are worse, or better", "What the ledger looks like", "What was assumed",
        "Definitions and provenance",
    ]  # fmt: skip


def test_constant_exposure_has_no_cash(tmp_path):
    page = page_of(fake_constant_result(400), tmp_path)
    assert not set(CASH) & set(page.headings)
    assert set(ALWAYS) <= set(page.headings)
    assert not any("shortfall" in p.name or "cash" in p.name for p in (tmp_path / "figures").iterdir())
    text = " ".join(page.texts)
    assert "liquidity.opening_cash" not in text
    assert "Liquidity at risk" not in text


@pytest.mark.parametrize("position", [0, 2])
def test_one_programme(tmp_path, position):
    page = page_of(single_result(position), tmp_path)
    assert page.faults == []
    assert set(ALWAYS + CASH) <= set(page.headings)
    assert ("What the cover really covers" in page.headings) == (position == 2)
    assert "baseline" not in [text.strip() for text in page.texts]


def test_nothing_lost(tmp_path):
    page = page_of(lossless_result(), tmp_path)
    assert page.faults == []
    assert any("run short of cash" in text for text in page.texts)
    assert not any("nan" in text.casefold().split() for text in page.texts)


def test_weighted_with_a_single_period(tmp_path):
    assert page_of(fake_result(400, periods=1, weighted=True), tmp_path).faults == []


def test_figures_speak(page):
    roles = [value for tag, key, value in page.attributes if tag == "svg" and key == "role"]
    labels = [value for tag, key, value in page.attributes if tag == "svg" and key == "aria-labelledby"]
    assert roles
    assert set(roles) == {"img"}
    assert len(labels) == len(roles)
    assert all(set(label.split()) <= set(page.ids) for label in labels)
    assert page.tags.count("caption") == page.tags.count("table")
    assert [v for t, k, v in page.attributes if t == "html" and k == "lang"] == ["en"]


def test_numbers_have_errors(page):
    text = " ".join(" ".join(page.texts).split())
    assert "The programmes compared" in text
    assert re.search(r"Probability of a shortfall .{0,60}\d\.\d\s% ± 0\.\d ", text)
    assert "the same scenarios" in text


def test_every_parameter_is_listed(full, page):
    _, _, result = full
    text = set(page.texts)
    assert {
        "credit.dependence.copula", "payment.delay.early_share", "fx.wrong_way", "simulation.seed",
        "liquidity.credit_line.limit", "stresses.pessimistic.pd_multiplier", "portfolio.sales.mode",
    } <= text  # fmt: skip
    assert str(result.study.simulation.seed) in text


def test_hostile_names_are_text(tmp_path):
    written = write_report(hostile_result(), tmp_path)
    text = written["html"].read_text(encoding="utf-8")
    page = Page(text)
    assert page.faults == []
    assert "script" not in page.tags
    assert "img" not in page.tags
    assert not [key for _, key, _ in page.attributes if key.startswith("on")]
    assert "<script" not in text
    joined = "".join(page.texts)
    for name in HOSTILE[:6]:
        assert name in joined
    assert "49 }}" not in joined
    for figure in (tmp_path / "figures").glob("*.svg"):
        tags = {element.tag.rpartition("}")[2] for element in ElementTree.parse(figure).iter()}
        assert tags <= {"svg", "title", "desc", "g", "path", "defs", "use", "text", "tspan", "clipPath", "rect"}
    drawn = (tmp_path / "figures" / "contributions.csv").read_text(encoding="utf-8")
    assert not re.search(r"(^|,)\"?[=+@]", drawn, flags=re.MULTILINE)


def test_same_result_same_bytes(tmp_path):
    first, second = (write_report(fake_result(400), tmp_path / name) for name in ("a", "b"))
    for kind in ("html", "xlsx", "json"):
        assert first[kind].read_bytes() == second[kind].read_bytes(), kind
    for figure in (tmp_path / "a" / "figures").iterdir():
        assert figure.read_bytes() == (tmp_path / "b" / "figures" / figure.name).read_bytes(), figure.name


def test_only_what_was_asked_for(tmp_path):
    written = write_report(fake_result(400), tmp_path, formats=("json",))
    assert list(written) == ["json"]
    assert [p.name for p in tmp_path.iterdir()] == ["summary.json"]


def spoken(page):
    return " ".join(" ".join(page.texts).replace("\N{NO-BREAK SPACE}", " ").split())


def test_one_unit_per_row(tmp_path):
    base = fake_result(400)
    rows = with_differences(base, full_summary(base))
    summary = Summary(rows, (), ratios(base))
    table = comparison_table(base.with_summary(rows), summary)
    units = {"bn", "M", "k", "%"}
    seen, group = {}, ""
    for row in table.rows:
        group = row.group or group
        numbers = [c.text.replace("\N{NO-BREAK SPACE}", " ").split() for c in row.cells if c.text not in {"0", "–"}]
        numbers += [c.difference.split("±")[0].split() for c in row.cells if c.difference not in {"", "0"}]
        found = {n[-1] if n[-1] in units else "" for n in numbers} if "shortfall" not in row.head else {""}
        assert len(found) <= 1, (row.head, found)
        seen.setdefault(group, set()).update(found)
        assert not any(unit in cell.error for cell in row.cells for unit in units)
    assert len(seen["Cost"]) == 1


def test_amounts_of_a_table_share_a_unit():
    unit = unit_for([4_010_000.0, 1_234.0, math.nan])
    assert [unit.write(a) for a in (4_010_000.0, 1_234.0, 0.0, -129_200.0, math.nan)] == [
        "4,010",
        "1",
        "0",
        "−129",
        "–",
    ]
    assert unit.named("EUR") == "EUR k"
    assert unit.of([39_910.0]).write(8_270.0) == "8.27"
    assert unit_for([42.3e6]).label(0.5e6) == "0.50\N{NARROW NO-BREAK SPACE}M"
    assert unit_for([]).write(0.0) == "0"
    assert with_error(3.1e6, 7e4, "money", scale="M") == ("3.10\N{NO-BREAK SPACE}M", "0.07")
    assert with_error(0.042, 0.003, "1", percent=True) == ("4.2\N{NO-BREAK SPACE}%", "0.3")
    assert with_error(0.0, 0.0, "money", scale="k") == ("0", "")
    assert with_error(0.0, 1800.0, "money", scale="M") == ("0\N{NO-BREAK SPACE}M", "0.0018"), "not 0.0000 M"
    assert Unit("k", 0).label(300.0) == "0", "never 0 k"
    assert Unit("k", 0).label(-1.2e6) == "−1,200\N{NARROW NO-BREAK SPACE}k"


def test_claims_are_gross_or_net(page):
    text = spoken(page)
    for words in (
        "Gross claims ÷ debt claimed",
        "Net claims ÷ debt claimed",
        "net claims ÷ premium with tax and fees",
        "net claims ÷ premium without tax and fees",
        "Net interest",
        "negative: earned",
    ):
        assert words in text
    for words in ("Financing", "Effective indemnity ratio"):
        assert words not in text


@pytest.mark.parametrize("weighted", [False, True])
def test_ratios_are_what_their_words_say(weighted):
    result = fake_result(400, weighted=weighted)
    terms = result.study.programmes[2]
    premium = terms.premium.model_copy(update={"tax": 0.19, "fees": 20_000.0})
    programmes = [*result.study.programmes]
    programmes[2] = terms.model_copy(update={"premium": premium})
    result = replace(result, study=result.study.model_copy(update={"programmes": tuple(programmes)}))
    found = {(measure, name): (value, error) for measure, name, value, error in ratios(result)}
    rows, weight = result.scenarios.isel(programme=2), result.scenarios["weight"]
    net, debt, paid = (float((rows[v] * weight).sum() / weight.sum()) for v in ("indemnity", "gap_debt", "premium"))
    assert found[NET_RATIO, terms.name][0] == pytest.approx(net / debt)
    assert found[NET_LOSS_RATIO, terms.name][0] == pytest.approx(net / (paid / 1.19 - 20_000))
    assert all(0 <= error < 1 for _, error in found.values())
    assert (NET_LOSS_RATIO, result.programmes[0]) not in found


def test_reserves_are_noted_where_they_differ(page):
    note = remarks.reserves(fake_result(40))
    assert "EUR 1,500,000 under Self-insurance; none under Whole turnover 80 %, Whole turnover 90 %" in note
    assert spoken(page).count("reserve counts as cash from the first day: EUR") == 2
    assert remarks.reserves(single_result()) == ""
    assert remarks.reserves(fake_result(40, written=True)) == ""  # a fund apart
    assert remarks.reserves(fake_constant_result(40)) == ""


def test_a_step_of_known_outflows_is_named():
    base = fake_result(400)
    assert remarks.steepest_rise(base) == ""
    paths = base.paths.copy(deep=True)
    paths["shortfall_probability"][:] = 0.02
    paths["shortfall_probability"][:, 30:] = 0.09
    paths["headroom"][:] = 6e6
    paths["headroom"][:, :, 30:] = 5.5e6
    paths["mean_collections"] = ("period", np.full(52, 3.28e6))
    said = remarks.steepest_rise(replace(base, paths=paths)).replace("\N{NO-BREAK SPACE}", " ")
    assert "week to 4 Jun 2027, from 2" in said
    assert "about EUR 3.78 M leaves the bank in that week, EUR 3.28 M is collected" in said
    paths["headroom"][:, :, 30:] = 6.5e6
    assert remarks.steepest_rise(replace(base, paths=paths)) == ""


def test_weighted_scenarios_say_what_they_are_worth(tmp_path):
    result = fake_result(400, weighted=True)
    size = effective_size(result.scenarios["weight"].to_numpy())
    assert size < 390
    assert spoken(page_of(result, tmp_path)).count(f"400, weighted: worth {size:.0f} equal ones") == 2
    assert remarks.worth(fake_result(400)) == "400"


def test_comparison_becomes_cards(page):
    labels = {value for tag, key, value in page.attributes if tag == "td" and key == "data-label"}
    assert set(PROGRAMMES) <= labels
    assert "columnheader" in {value for tag, key, value in page.attributes if tag == "th" and key == "role"}


def test_figures_of_an_earlier_report_go(tmp_path):
    write_report(fake_result(400), tmp_path, formats=("html",))
    folder = tmp_path / "figures"
    for name in ("mine.svg", "cash_fan-notes.svg", "cash_fan-1.svg.bak", "gap.xlsx"):
        (folder / name).write_text("kept")
    write_report(single_result(), tmp_path, formats=("html",))
    names = {p.name for p in folder.iterdir()}
    assert {"cash_fan-1.svg", "mine.svg", "cash_fan-notes.svg", "cash_fan-1.svg.bak", "gap.xlsx"} <= names
    assert not {"cash_fan-2.svg", "cash_fan-5.svg", "gap.csv", "gap-1.svg", "claim_timing.svg"} & names


def test_folder_that_cannot_be_made(tmp_path):
    (tmp_path / "file").write_text("")
    with pytest.raises(SimulatorError, match="cannot write"):
        write_report(fake_result(400), tmp_path / "file" / "below")


@pytest.fixture(scope="module")
def written(tmp_path_factory):
    result = fake_result(1200, written=True)
    return result, page_of(result, tmp_path_factory.mktemp("written"))


def test_terms_as_written_have_their_tables(written, page):
    text = spoken(written[1])
    for words in (
        "Cover lost to limits taken back and the insurer’s own default",
        "Claims money where cash runs short",
        "Terms of trade and what they cost",
        "Reserve funds",
        "Cash buffer in months of operating costs",
        "A rule of thumb is 1.5 to 2 months",
        "What the bank lends",
        "Lost to limits taken back",
        "Lost margin",
        "Notified too late",
    ):
        assert words in text, words
        if words != "Claims money where cash runs short":
            assert words not in spoken(page), words
    assert written[1].faults == []


def test_cover_lost_is_the_waterfall(written):
    result = written[0]
    table = coverage.lost_cover_table(result, gap.data(result))
    assert [c.label for c in table.columns][1:] == ["Mean", "Share of the debt", "Worst 1 %", "Share of its debt"]
    first = table.rows[0]
    assert (first.head, first.sub) == (PROGRAMMES[1], "limits taken back")
    steps = result.scenarios.sel(programme=PROGRAMMES[1])
    lost, debt = float(steps["gap_limit_cancelled"].mean()), float(steps["gap_debt"].mean())
    assert first.cells[1].text == short_percent(lost / debt, 3)
    amount = first.cells[0]
    assert float(amount.text.replace(",", "")) == pytest.approx(lost / 1e3, abs=float(amount.error))
    assert coverage.lost_cover_table(fake_result(40), gap.data(fake_result(40))) is None


def test_claims_where_cash_runs_short(written):
    result = fake_result(800)
    table = coverage.late_claims_table(result)
    assert [row.head for row in table.rows] == list(PROGRAMMES[1:])
    rows = result.scenarios.sel(programme=PROGRAMMES[2])
    short = rows["shortfall_amount"].to_numpy() > 0
    before, due = (rows[v].to_numpy()[short] for v in ("claims_before_shortfall", "indemnity"))
    assert table.rows[1].cells[4].text == short_percent(before.sum() / due.sum())
    in_time = table.rows[1].cells[2]
    assert float(in_time.text.replace(",", "")) == pytest.approx(before.mean() / 1e3, abs=float(in_time.error))
    few = result.scenarios.copy(deep=True)
    depth = few["shortfall_amount"].transpose("programme", "scenario").to_numpy()
    few["shortfall_amount"] = (("programme", "scenario"), np.where((depth > 0).cumsum(axis=1) <= 10, depth, 0.0))
    shares = [row.cells[4].text for row in coverage.late_claims_table(replace(result, scenarios=few)).rows]
    assert shares == ["–"] * 4, "ten scenarios have no share"
    assert coverage.late_claims_table(lossless_result()) is None
    assert coverage.late_claims_table(fake_constant_result(40)) is None


def test_buffer_beside_the_rule_of_thumb(written):
    result = written[0]
    summary = Summary(with_differences(result, full_summary(result)))
    table = arrangements.buffer_table(result, summary)
    assert table.rows[0].cells[0].text == "10.0"  # 4 M at 0.4 M a month; the fund is apart
    lowest = np.sort(result.scenarios["minimum_headroom"][1].to_numpy())
    needed = (4e6 - lowest[len(lowest) - 1 - (math.ceil(0.95 * 1200) - 1)]) / 4e5
    assert float(table.rows[1].cells[1].text) == pytest.approx(max(0.0, needed), abs=0.1)
    calm = result.scenarios.copy(deep=True)
    calm["minimum_headroom"][:] = 9e6
    rows = full_summary(replace(result, scenarios=calm))
    assert arrangements.buffer_table(result, Summary(rows)) is None  # nothing but zeros
    assert arrangements.trade_table(result, summary).rows[0].cells[2].text == "25\N{NO-BREAK SPACE}k"
    fund = arrangements.fund_table(result, summary)
    assert [row.head for row in fund.rows] == [PROGRAMMES[0]]
    assert fund.rows[0].cells[0].text == "1,500,000"
    plain = fake_result(40)
    nothing = Summary(full_summary(plain))
    assert arrangements.buffer_table(plain, nothing) is None
    assert arrangements.trade_table(plain, nothing) is None
    assert arrangements.fund_table(plain, nothing) is None
