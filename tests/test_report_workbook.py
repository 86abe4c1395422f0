"""The workbook: every sheet, typed cells, and texts that stay texts."""

import math
import zipfile

import pytest
from python_calamine import CalamineWorkbook

from simulator.compare.table import comparison_table
from simulator.measures.summary import summarise
from simulator.report.assumptions import assumptions, in_words, programme_terms
from simulator.report.figures import claims_in_time, gap, share_paid
from simulator.report.workbook import flatten, sheets, write_workbook
from tests.fake_result import fake_constant_result, fake_result
from tests.report_cases import HOSTILE, hostile_result, single_result

SHEETS = [
    "comparison", "summary", "buyers", "countries", "currencies", "sectors", "waterfall", "share_paid",
    "claims_in_time", "paths", "assumptions", "provenance",
]  # fmt: skip


def book_of(result, folder):
    measured = result.with_summary(summarise(result))
    write_workbook(measured, measured.summary(), comparison_table(measured), folder / "report.xlsx")
    return CalamineWorkbook.from_path(str(folder / "report.xlsx"))


@pytest.fixture(scope="module")
def book(tmp_path_factory):
    return book_of(fake_result(400), tmp_path_factory.mktemp("book"))


def test_sheets(book):
    assert book.sheet_names == SHEETS


def test_numbers_come_back(book):
    result = fake_result(400)
    rows = book.get_sheet_by_name("buyers").to_python()
    assert rows[0] == ["name", "exposure", "mean_loss", "tail_loss", "share_of_tail", "n_defaults"]
    table = result.contributions["buyers"]
    for row, expected in zip(rows[1:], table.itertuples(index=False), strict=True):
        assert row[0] == expected.name
        assert row[1:] == pytest.approx(list(expected[1:]), rel=1e-12)


def test_summary_is_whole(book):
    rows = book.get_sheet_by_name("summary").to_python()
    summary = summarise(fake_result(400))
    assert rows[0] == list(summary.columns)
    assert len(rows) - 1 == len(summary)
    at = rows[0].index("value")
    values = [row[at] for row in rows[1:]]
    for shown, value in zip(values, summary["value"], strict=True):
        assert shown == "" if math.isnan(value) else shown == pytest.approx(value, rel=1e-12)


def test_paths_are_dated(book):
    rows = book.get_sheet_by_name("paths").to_python()
    assert rows[0] == ["variable", "programme", "quantile", "date", "value", "unit"]
    assert str(rows[1][3]).startswith("2026-11-06")
    assert len({row[0] for row in rows[1:]}) == 10


def test_cover_is_in_sheets(book):
    result = fake_result(400)
    for name, module in {"waterfall": gap, "share_paid": share_paid, "claims_in_time": claims_in_time}.items():
        rows, table = book.get_sheet_by_name(name).to_python(), module.data(result)
        assert rows[0] == list(table.columns)
        assert len(rows) - 1 == len(table)
    waterfall = book.get_sheet_by_name("waterfall").to_python()
    at = waterfall[0].index("amount_error")
    # 400 scenarios have four in the worst 1 %: too few for an error, so its cell is empty
    view = waterfall[0].index("view")
    assert {row[view] for row in waterfall[1:]} == {"average", "tail"}
    assert all(isinstance(row[at], float) if row[view] == "average" else row[at] == "" for row in waterfall[1:])
    assert sheets(*_measured(single_result(0))).keys().isdisjoint({"waterfall", "share_paid", "claims_in_time"})


def _measured(result):
    measured = result.with_summary(summarise(result))
    return measured, measured.summary(), comparison_table(measured)


def test_constant_exposure_has_no_paths(tmp_path):
    names = book_of(fake_constant_result(400), tmp_path).sheet_names
    assert names == [name for name in SHEETS if name not in {"paths", "claims_in_time"}]


def test_hostile_names_are_text(tmp_path):
    book = book_of(hostile_result(), tmp_path)
    names = [row[0] for row in book.get_sheet_by_name("buyers").to_python()[1 : len(HOSTILE) + 1]]
    assert names == list(HOSTILE)
    with zipfile.ZipFile(tmp_path / "report.xlsx") as parts:
        for part in parts.namelist():
            text = parts.read(part).decode("utf-8", errors="replace")
            assert "<f>" not in text, part
            assert "<hyperlink" not in text, part
            assert "externalLink" not in part


def test_flatten():
    nested = {"a": {"b": [1, 2], "c": [{"d": None}]}, "e": "=1"}
    assert list(flatten(nested)) == [("a.b", "1, 2"), ("a.c[0].d", ""), ("e", "=1")]


def test_sheet_order_follows_the_contributions():
    assert list(sheets(*_measured(fake_result(400)))) == SHEETS


def test_assumptions_say_everything_once():
    table = assumptions(fake_result(400).study)
    assert table["key"].is_unique
    assert (table["meaning"] != "").all()
    found = table.set_index("key")["value"]
    assert found["credit.dependence.shares.global"] == "8\u202f%"
    assert found["credit.recovery.lag"] == "52 weeks"
    assert found["liquidity.opening_cash"] == "EUR 4,000,000"
    assert found["simulation.seed"] == "20261030"
    assert found["payment.pay_runs.rule"] == "none"
    assert found["fx.history"] == "–"


def test_lists_of_sections_are_spelt_out():
    study = fake_result(4).study
    grid = {"limit": 1e6, "margin_grid": [{"used_above": 0.5, "rate": 0.07}, {"used_above": 0.9, "rate": 0.09}]}
    line = type(study.liquidity.credit_line).model_validate(grid)
    liquidity = study.liquidity.model_copy(update={"credit_line": line})
    found = assumptions(study.model_copy(update={"liquidity": liquidity})).set_index("key")["value"]
    words = "used_above 50\u202f%, rate 7\u202f%; used_above 90\u202f%, rate 9\u202f%"
    assert found["liquidity.credit_line.margin_grid"] == words


def test_programme_terms_side_by_side():
    table = programme_terms(fake_result(400).study).set_index("key")
    assert list(table.columns) == ["meaning", "0", "1", "2", "3", "4"]
    assert list(table.loc["insured_percentage"])[1:] == ["", "80\u202f%", "90\u202f%", "95\u202f%", "100\u202f%"]
    assert table.loc["reserve", "0"] == "EUR 1,500,000"
    assert "each_and_every_first_loss" not in table.index  # nobody has one
    assert "name" not in table.index


@pytest.mark.parametrize(
    ("value", "percent", "money", "words"),
    [
        (0.0018, True, False, "0.18\u202f%"),
        (250_000.0, False, True, "CNY 250,000"),
        (0.0, False, True, "0"),
        (True, False, False, "yes"),
        (None, False, True, "–"),
        ({"USD": -0.1}, True, False, "USD: −10\u202f%"),
        ((), False, False, "–"),
        (tuple(range(20)), False, False, "0, 1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11, and 8 more"),
        ("weekly", False, False, "weekly"),
    ],
)
def test_in_words(value, percent, money, words):
    assert in_words(value, percent, money, "CNY") == words
