"""Numbers, dates and flags as ERPs write them, and what is refused instead of guessed."""

from __future__ import annotations

import datetime as dt
from decimal import Decimal
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from simulator.errors import Problems
from simulator.ledger.codes import country_code, currency_code, document_kind
from simulator.ledger.dates import parse_dates
from simulator.ledger.text_table import Collector, Number, Table
from simulator.ledger.values import (
    decimal_style,
    parse_flag,
    parse_limit,
    parse_number,
    parse_share_text,
    parse_terms,
    proves,
)
from tests.ledger_files import ITEMS_HEAD, load, problems


def table(*cells: str) -> Table:
    return Table("f.csv", ["x"], 1, [[cell] for cell in cells], list(range(2, len(cells) + 2)), [], ",", "utf-8")


def collector() -> Collector:
    return Collector(Problems())


@pytest.mark.parametrize(
    ("text", "style", "value", "currency"),
    [
        ("1234.5", "point", "1234.5", ""),
        ("1,234.50", "point", "1234.50", ""),
        ("12,34,567.89", "point", "1234567.89", ""),
        ("1.234,56", "comma", "1234.56", ""),
        ("1.234.567", "comma", "1234567", ""),
        ("1'234.50", "point", "1234.50", ""),
        ("1’234’567", "point", "1234567", ""),
        ("1 234,5", "comma", "1234.5", ""),
        ("1\u00a0234,5", "comma", "1234.5", ""),
        ("1\u202f234,56", "comma", "1234.56", ""),
        ("1\u2009234.56", "point", "1234.56", ""),
        ("(500,00)", "comma", "-500.00", ""),
        ("(1,500.00)", "point", "-1500.00", ""),
        ("500,00-", "comma", "-500.00", ""),
        ("1.234,56-", "comma", "-1234.56", ""),
        ("-500", "point", "-500", ""),
        ("−500.5", "point", "-500.5", ""),
        ("+500.5", "point", "500.5", ""),
        ("€ 1.234,56", "comma", "1234.56", "EUR"),
        ("1.234,56 €", "comma", "1234.56", "EUR"),
        ("-€500", "point", "-500", "EUR"),
        ("($500.00)", "point", "-500.00", ""),
        ("USD 1,000", "point", "1000", "USD"),
        ("1,000.00 CHF", "point", "1000.00", "CHF"),
        ("500.00 CR", "point", "-500.00", ""),
        ("500.00 DR", "point", "500.00", ""),
        ("￥１，２３４．５０", "point", "1234.50", ""),
        (".5", "point", "0.5", ""),
        (",5", "comma", "0.5", ""),
        ("12.", "point", "12", ""),
        ("1e-6", "point", "0.000001", ""),
        ("1.5E+03", "point", "1500", ""),
        ("1,5E+03", "comma", "1500", ""),
        ("1e5", "comma", "100000", ""),
        ("2.E2", "point", "200", ""),
        (".5e1", "point", "5", ""),
        ("-2e-1", "point", "-0.2", ""),
        ("(1.5E+03 €)", "point", "-1500", "EUR"),
        ("USD 1e3", "point", "1000", "USD"),
        ("1E3-", "point", "-1000", ""),
        ("9.99999999999999e14", "point", "999999999999999", ""),
        ("0e999", "point", "0", ""),
    ],
)
def test_numbers(text: str, style: str, value: str, currency: str) -> None:
    assert parse_number(text, style) == (Decimal(value), currency)


@pytest.mark.parametrize(
    "text",
    [
        "nan",
        "NaN",
        "inf",
        "-Infinity",
        "#REF!",
        "#N/A",
        "abc",
        "1,23",
        "1.2.3",
        "12 34",
        "1e",
        "1e-",
        "e5",
        ".e5",
        "1e5.5",
        "1 e5",
        "1e 5",
        "1d5",
        "1,5e3",
        "1.234,5e3",
        "1,234.5e3",
        "1e1000",
        "1e15",
        "1e5²",
        "0x10",
        "1_000",
        "-",
        "",
        "XQX 5",
        "--",
        "()",
        "5²",
        "٣",
        "9" * 16,
        "9,999,999,999,999,999.00 €",
    ],
)
def test_not_numbers_in_point_style(text: str) -> None:
    assert parse_number(text, "point")[0] is None


def test_a_double_sign_cancels_and_an_excel_number_is_read_with_a_point() -> None:
    assert parse_number("(500-)", "point")[0] == 500
    assert parse_number(Number("1.234"), "comma")[0] == Decimal("1.234")


@pytest.mark.parametrize(
    ("text", "style"),
    [
        ("1.234,56", "comma"), ("1,234.56", "point"), ("12,5", "comma"), ("12.5", "point"), ("1234.567", "point"),
        ("0.125", "point"), ("0,125", "comma"), ("1.234.567", "comma"), ("1,234,567", "point"), ("1.234", None),
        ("1,234", None), ("999", None), ("12,5 %", "comma"), ("(12,50) €", "comma"), ("abc.de", None),
        ("1.500e3", "point"), ("1,500E+03", "comma"), ("1.5e-3 %", "point"), ("1e5", None), ("1,5e", None),
    ],
)  # fmt: skip
def test_what_a_number_proves(text: str, style: str | None) -> None:
    assert proves(text) == style


def test_the_decimal_sign_is_proved_by_any_cell_of_the_file() -> None:
    found = collector()
    assert decimal_style(table("1.234", "12,50"), [0], None, True, found) == "comma"
    assert decimal_style(table("1.234", "12.50"), [0], None, True, found) == "point"
    assert decimal_style(table("1", "2"), [0], None, True, found) == "point"
    assert decimal_style(table("1.234"), [0], "comma", True, found) == "comma"
    assert not len(found)


def test_an_unproved_decimal_sign_is_a_problem() -> None:
    found = collector()
    decimal_style(table("5", "1.234"), [0], None, True, found)
    (problem,) = found.problems
    assert (problem.line, problem.value) == (3, "1.234")
    assert "portfolio.format.decimal" in problem.message


@given(st.decimals(min_value=-(10**12), max_value=10**12, places=2, allow_nan=False))
def test_every_spelling_of_an_amount_gives_it_back(value: Decimal) -> None:
    english = f"{value:,.2f}"
    german = english.translate(str.maketrans(",.", ".,"))
    swiss = english.replace(",", "’")
    assert parse_number(english, "point")[0] == value
    assert parse_number(german, "comma")[0] == value
    assert parse_number(swiss, "point")[0] == value
    assert parse_number(german.lstrip("-") + "-", "comma")[0] == -abs(value)


@given(st.floats(-1e14, 1e14), st.sampled_from(["point", "comma"]))
def test_numbers_as_programs_write_them(value: float, style: str) -> None:
    for text in (f"{value:e}", f"{value:.16E}", f"{value:.3e}"):
        written = text if style == "point" else text.replace(".", ",")
        assert parse_number(written, style) == (Decimal(text), "")
        assert proves(written) == style


def test_an_exponent_in_files_and_defaults(tmp_path: Path) -> None:
    """A decimal comma of the file holds for it too, and what is told of it has no exponent."""
    buyers = "buyer_id,pd_annual,lgd,credit_limit\nA,1e-5,6E-1,2.5E+05\nB,,,1e6\n"
    items = ITEMS_HEAD + "A,1,,2026-10-01,2026-11-01,EUR,1.5E+03,\nB,2,,2026-10-01,2026-11-01,EUR,2e2,\n"
    # what YAML reads as a small number is written with an exponent as a default
    book = {"buyers": buyers, "defaults": {"pd_annual": 0.00002}}
    ledger = load(tmp_path, items, **book)
    assert ledger.buyers.pd_annual.tolist() == [0.00001, 0.00002]
    assert ledger.buyers.lgd[0] == 0.6
    assert ledger.buyers.credit_limit.tolist() == [250_000, 1_000_000]
    assert ledger.invoices.amount.tolist() == [1500, 200]
    head = "buyer_id;invoice_id;issue_date;due_date;amount;amount_open\n"
    comma = head + "A;1;2026-10-01;2026-11-01;12,5;2,25e1\nB;2;2026-10-01;2026-11-01;1,5;1.5e0\n"
    more, other = problems(tmp_path, comma, **book)
    assert (more.line, more.message) == (2, "more is open (22.5) than the amount (12.5)")
    assert (other.line, other.message) == (3, "has a decimal point, the rest of the file a decimal comma")
    (large,) = problems(tmp_path, items.replace("2e2", "2e20"), **book)
    assert large.message == "too large: at most 15 digits before the decimal point"


@pytest.mark.parametrize(
    ("text", "value"),
    [
        ("2.5 %", "0.025"),
        ("1e-6", "0.000001"),
        ("2.5E-1 %", "0.0025"),
        ("0.025", "0.025"),
        ("25‰", "0.025"),
        ("100%", "1"),
        ("x", None),
    ],
)
def test_shares(text: str, value: str | None) -> None:
    assert parse_share_text(text, "point") == (None if value is None else Decimal(value))


@pytest.mark.parametrize(
    "text", ["30", "Net 30", "N30", "30 days", "30 Tage", "30 Tage netto", "30天", "30.0", "netto 30"]
)
def test_terms(text: str) -> None:
    assert parse_terms(text, "point") == 30


def test_limits_and_flags() -> None:
    assert parse_limit("unlimited", "point") == Decimal("Infinity")
    assert parse_limit("无限", "point") == Decimal("Infinity")
    assert parse_limit("0", "point") == 0
    assert [parse_flag(t) for t in ("Yes", "ja", "X", "是", "1")] == [True] * 5
    assert [parse_flag(t) for t in ("No", "nein", "", "否", "0")] == [False] * 5
    assert parse_flag("perhaps") is None


def day(*parts: int) -> int:
    return dt.date(*parts).toordinal()


@pytest.mark.parametrize(
    "text",
    [
        "2026-10-30", "2026/10/30", "2026.10.30", "30.10.2026", "30.10.26", "30. 10. 2026", "20261030", "30/10/2026",
        "30-10-2026 11:50", "2026-10-30T08:00:00Z", "2026-10-30 08:00", "30-Oct-26", "30 October 2026", "30. Okt 2026",
        "Oct 30, 2026", "2026年10月30日", "46325", "30/10/26", "10/30/2026", "30-OCT-2026", "30th Oct 2026",
    ],
)  # fmt: skip
def test_dates(text: str) -> None:
    found = collector()
    assert parse_dates(table(text), 0, "due_date", None, found) == [day(2026, 10, 30)]
    assert not len(found)


def test_one_cell_proves_the_order_of_its_column() -> None:
    found = collector()
    assert parse_dates(table("03/04/2011", "26/04/2011", ""), 0, "d", None, found) == [
        day(2011, 4, 3),
        day(2011, 4, 26),
        None,
    ]
    assert parse_dates(table("03/04/2011", "04/26/2011"), 0, "d", None, found) == [day(2011, 3, 4), day(2011, 4, 26)]
    assert parse_dates(table("03/04/2011"), 0, "d", "day_first", found) == [day(2011, 4, 3)]
    assert parse_dates(table("03/04/2011"), 0, "d", "month_first", found) == [day(2011, 3, 4)]
    assert not len(found)


@pytest.mark.parametrize(
    ("cells", "order", "line", "says"),
    [
        (("2011-01-01", "03/04/2011"), None, 3, "portfolio.format.dates"),
        (("26/04/2011", "04/26/2011"), None, 3, "month comes first, in line 2 the day"),
        (("2011-02-30",), None, 2, "not a date"),
        (("31/04/2011", "01/05/2011"), None, 2, "no such day"),
        (("26/04/2011",), "month_first", 2, "month_first"),
        (("30/10/2026",), "iso", 2, "YYYY-MM-DD"),
        (("soon",), None, 2, "not a date"),
        (("12",), None, 2, "not a date"),
        (("30-Foo-26",), None, 2, "not a date"),
    ],
)
def test_dates_that_are_problems(cells: tuple[str, ...], order: str | None, line: int, says: str) -> None:
    found = collector()
    parse_dates(table(*cells), 0, "due_date", order, found)
    (problem,) = found.problems
    assert problem.line == line
    assert says in problem.message


def test_two_digit_years() -> None:
    found = collector()
    assert parse_dates(table("01-Jan-68", "01-Jan-69"), 0, "d", None, found) == [day(2068, 1, 1), day(1969, 1, 1)]


def test_codes() -> None:
    assert [currency_code(c) for c in ("eur", "RMB", "人民币", "€", "XYZ", "")] == ["EUR", "CNY", "CNY", "EUR", "", ""]
    assert [country_code(c) for c in ("NA", "na", "NAM", "deu", "UK", "391")] == ["NA", "NA", "NA", "DE", "GB", "391"]
    kinds = {"RV": "invoice", "DG": "credit note", "Credit Memo": "credit note", "DZ": "payment on account",
             "Zahlung": "payment on account", "On-Account": "payment on account", "红字发票": "credit note",
             "AB": "by sign", "Rechnung": "invoice", "xyz": ""}  # fmt: skip
    assert {text: document_kind(text) for text in kinds} == kinds
