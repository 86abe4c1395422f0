"""Kinds of buyers, value added tax, currencies of limits: columns that only policies read."""

from __future__ import annotations

from decimal import Decimal
from pathlib import Path

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from simulator.ledger.buyer_types import FLAGS, buyer_type, buyer_types
from simulator.ledger.headers import normal
from simulator.ledger.load import load_portfolio
from simulator.ledger.portfolio import Buyers, Invoices, Portfolio
from simulator.ledger.vat import vat_part
from simulator.study.load import load_study
from tests import small_books
from tests.ledger_files import ITEMS_HEAD, load, problems, study, write

ITEMS = "buyer_id,invoice_id,document_type,issue_date,due_date,currency,amount,amount_open,vat\n"


def buyers(columns: str, *cells: str) -> str:
    """A buyer file with one buyer per cell text."""
    rows = "".join(f"{chr(65 + at)},BB,30,1190,{text}\n" for at, text in enumerate(cells))
    return f"buyer_id,rating,payment_terms_days,annual_sales,{columns}\n{rows}"


def said(found: list) -> list[tuple]:
    return [(p.line, p.column, p.path, p.value, p.suggestion) for p in found]


# kinds of buyers


@pytest.mark.parametrize(
    ("text", "kind"),
    [
        ("", "company"), ("company", "company"), ("Related", "related"), ("Konzern", "related"),
        ("Related Party", "related"), ("verbundenes Unternehmen", "related"), ("关联方", "related"),
        ("Öffentliche Hand", "public"), ("government", "public"), ("政府", "public"), ("PRIVATE", "private"),
        ("Privatperson", "private"), ("个人", "private"), ("private company", ""), ("public company", ""), ("7", ""),
    ],
)  # fmt: skip
def test_words_for_kinds(text: str, kind: str) -> None:
    assert buyer_type(text) == kind


def test_every_word_means_one_kind() -> None:
    assert set(buyer_types().values()) == {"company", *FLAGS}
    for name in ("company", *FLAGS):
        assert buyer_types()[normal(name)] == name


def test_a_column_of_words(tmp_path: Path) -> None:
    book = buyers("Abnehmerart", "company", "Konzern", "public", "Privatperson", "")
    kinds = load(tmp_path, buyers=book, sales={"mode": "steady_state"}).buyers.buyer_type
    assert kinds == ["company", "related", "public", "private", "company"]


def test_columns_of_yes_and_no(tmp_path: Path) -> None:
    book = buyers("Related party,Government,Konzern", "ja,no,G1", "no,x,G1", ",,", "-,-,", "related,perhaps,")
    found = problems(tmp_path, buyers=book, sales={"mode": "steady_state"})
    assert said(found) == [(6, 22, "Government (public)", "perhaps", "")]
    assert "neither yes nor no" in found[0].message
    loaded = load(tmp_path, buyers=book.replace("perhaps", "no"), sales={"mode": "steady_state"}).buyers
    assert loaded.buyer_type == ["related", "public", "company", "company", "related"]
    assert loaded.group_id == ["G1", "G1", "", "", ""]  # Konzern over a column names the group


def test_a_buyer_is_of_one_kind(tmp_path: Path) -> None:
    book = buyers("buyer_type,related,public", "public,yes,no", ",yes,yes", "related,yes,", "company,,yes")
    found = problems(tmp_path, buyers=book, sales={"mode": "steady_state"})
    assert said(found) == [(2, 21, "related", "yes", ""), (3, 19, "public", "yes", "")]
    assert "this buyer is public already" in found[0].message
    assert "this buyer is related already" in found[1].message


def test_an_unknown_kind_and_an_unknown_default(tmp_path: Path) -> None:
    book = buyers("buyer_type", "relatd", "firm")
    found = problems(tmp_path, buyers=book, sales={"mode": "steady_state"})
    assert said(found) == [(2, 14, "buyer_type", "relatd", "related")]
    assert "must be company, related, public or private" in found[0].message
    found = problems(
        tmp_path, buyers=buyers("name", "", ""), sales={"mode": "steady_state"}, defaults={"buyer_type": "friend"}
    )
    assert [p.path for p in found] == ["portfolio.defaults.buyer_type"] * 2


def test_defaults_fill_kinds_rates_and_currencies(tmp_path: Path) -> None:
    portfolio = load(
        tmp_path,
        buyers=buyers("buyer_type,vat_rate,limit_currency,credit_limit", "public,7 %,,5", ",,GBP,6"),
        sales={"mode": "steady_state"},
        defaults={"buyer_type": "private", "vat_rate": "19 %", "limit_currency": "usd"},
    )
    assert portfolio.buyers.buyer_type == ["public", "private"]
    assert portfolio.buyers.limit_currency == ["USD", "GBP"]
    assert portfolio.currencies == ["EUR", "GBP", "USD"]
    invoices = portfolio.invoices
    share = invoices.vat / (invoices.amount - invoices.vat)
    np.testing.assert_allclose(share, np.where(invoices.buyer == 0, 0.07, 0.19))


def test_a_portfolio_made_by_hand_has_companies_without_tax() -> None:
    book = small_books.portfolio(["A", "B"], exposure=[3.0, np.nan])
    assert book.buyers.buyer_type == ["company", "company"]
    assert book.buyers.limit_currency == ["", ""]
    assert book.volume.tolist() == [3.0, 0.0]
    day, flag = np.array([1, 1, 2], dtype=np.int32), np.zeros(3, dtype=np.bool_)
    owners = np.array([0, 1, 1], dtype=np.int32)
    keys, amounts = np.arange(3, dtype=np.uint64), np.array([1.0, 2.0, 4.0])
    invoices = Invoices(["1", "2", "3"], keys, owners, day, day, day * 0, amounts, flag, flag)
    assert invoices.vat.tolist() == [0.0, 0.0, 0.0]
    assert Portfolio("EUR", ["EUR"], book.buyers, invoices).volume.tolist() == [1.0, 6.0]
    assert isinstance(book.buyers, Buyers)


# value added tax


@given(st.decimals("0.01", "1e9", places=2), st.sampled_from(["0", "0.07", "0.19", "0.25"]))
def test_tax_and_net_make_the_amount(net: Decimal, rate: str) -> None:
    gross = net * (1 + Decimal(rate))
    assert vat_part(float(gross), float(rate)) == pytest.approx(float(net * Decimal(rate)), rel=1e-12)


def test_119_at_19_percent_holds_19() -> None:
    assert vat_part(119.0, 0.19) == pytest.approx(19.0, rel=1e-15)
    assert vat_part(119.0, float("nan")) == 0.0


def test_tax_shrinks_with_what_is_open(tmp_path: Path) -> None:
    """119 with 19 of tax, half of it paid: 9.50 are left. A credit note of 11.90 takes a tenth of the next one."""
    items = (
        ITEMS
        + "A,1,RV,2026-09-01,2026-10-01,EUR,119.00,59.50,19.00\n"
        + "A,2,RV,2026-09-02,2026-10-02,EUR,119.00,,19.00\n"
        + "A,3,RV,2026-09-03,2026-10-03,EUR,107.00,,\n"
        + "B,4,RV,2026-09-03,2026-10-03,EUR,119.00,,\n"
        + "A,5,DG,2026-09-30,2026-09-30,EUR,-71.40,,-11.40\n"
        + "Total,,,,,,1,1,999999\n"
    )
    book = "buyer_id,rating,vat_rate,payment_terms_days\nA,BB,7%,30\nB,BB,,30\n"
    invoices = load(tmp_path, items, buyers=book).invoices
    assert invoices.invoice_id == ["2", "3", "4"]  # the credit has eaten the first one, and 11.90 of the second
    assert invoices.amount.tolist() == [107.1, 107.0, 119.0]
    assert invoices.vat.tolist() == [17.1, pytest.approx(7.0, rel=1e-15), 0.0]


def test_half_paid(tmp_path: Path) -> None:
    items = ITEMS + "A,1,RV,2026-09-01,2026-10-01,EUR,119.00,59.50,19.00\n"
    assert load(tmp_path, items).invoices.vat.tolist() == [9.5]
    only_open = ITEMS_HEAD.replace("disputed", "Steuerbetrag") + 'A,1,RV,2026-09-01,2026-10-01,EUR,"119,00","19,00"\n'
    assert load(tmp_path, only_open).invoices.vat.tolist() == [19.0]


def test_bad_tax(tmp_path: Path) -> None:
    items = (
        ITEMS
        + "A,1,RV,2026-09-01,2026-10-01,EUR,119.00,,120\n"
        + "A,2,RV,2026-09-01,2026-10-01,EUR,119.00,,-19\n"
        + "A,3,RV,2026-09-01,2026-10-01,EUR,119.00,,19 %\n"
        + "A,4,DG,2026-09-01,2026-10-01,EUR,-119.00,,19\n"
        + "A,5,RV,2026-09-01,2026-10-01,EUR,119.00,,119\n"
    )
    found = problems(tmp_path, items)
    assert [(p.line, p.value) for p in found] == [(2, "120"), (3, "-19"), (4, "19 %"), (5, "19")]
    assert "must lie between 0 and the amount it is part of (119.00)" in found[0].message
    found = problems(tmp_path, buyers=buyers("vat_rate", "19", "-1 %"), sales={"mode": "steady_state"})
    assert said(found) == [(2, 14, "vat_rate", "19", "19 %"), (3, 14, "vat_rate", "-1 %", "")]


def test_planned_sales_include_tax(tmp_path: Path) -> None:
    book = "buyer_id,rating,payment_terms_days,annual_sales,vat_rate\nA,BB,30,1428,19 %\nB,BB,30,1200,\n"
    loaded = study(tmp_path, buyers=book, sales={"mode": "steady_state"}, __study={"horizon": "365 days"})
    invoices = load_portfolio(loaded).invoices
    assert invoices.amount[invoices.buyer == 0].tolist() == pytest.approx([119.0] * 12)
    assert invoices.vat[invoices.buyer == 0].tolist() == pytest.approx([19.0] * 12)
    assert not invoices.vat[invoices.buyer == 1].any()
    assert load_portfolio(loaded, sales_multiplier=0.5).invoices.vat.sum() == pytest.approx(12 * 19 / 2)


def test_a_plan_may_name_tax(tmp_path: Path) -> None:
    plan = "buyer_id,issue_date,amount,vat\nA,2026-11-10,119,19\nA,2026-11-11,119,\n"
    plan += "A,2026-11-12,100,0\nB,2026-11-12,100,\n"
    book = "buyer_id,rating,payment_terms_days,vat_rate\nA,BB,30,19%\nB,BB,30,\n"
    sales = {"mode": "plan", "file": write(tmp_path, "plan.csv", plan)}
    loaded = study(tmp_path, buyers=book, sales=sales)
    assert load_portfolio(loaded).invoices.vat.tolist() == [19.0, pytest.approx(19.0), 0.0, 0.0]
    assert load_portfolio(loaded, sales_multiplier=2.0).invoices.vat.tolist() == [38.0, pytest.approx(38.0), 0.0, 0.0]
    write(tmp_path, "plan.csv", plan.replace("119,19", "119,-19").replace("100,0", "100,101"))
    assert [(p.line, p.path) for p in problems(tmp_path, buyers=book, sales=sales)] == [(2, "vat"), (4, "vat")]


# currencies


def test_currencies_of_policies_and_limits_follow_those_of_invoices(tmp_path: Path) -> None:
    items = ITEMS_HEAD + "A,1,RV,2026-09-01,2026-10-01,USD,40,\n"
    book = "buyer_id,rating,credit_limit,limit_currency,payment_terms_days\nA,BB,5,CHF,30\nB,BB,5,,30\n"
    programmes = [
        {"name": "Self-insurance", "type": "none"},
        {"name": "P", "type": "whole_turnover", "currency": "AUD"},
        {"name": "Q", "type": "whole_turnover", "currency": "EUR"},
    ]
    loaded = study(tmp_path, buyers=book, items=items)
    content = {**loaded.document.data, "programmes": programmes}
    portfolio = load_portfolio(load_study(content))
    assert portfolio.currencies == ["EUR", "USD", "AUD", "CHF"]
    assert [portfolio.currencies[c] for c in portfolio.invoices.currency] == ["USD"]


def test_unknown_limit_currency(tmp_path: Path) -> None:
    found = problems(tmp_path, buyers=buyers("limit_currency", "EUF", "euro", ""), sales={"mode": "steady_state"})
    assert said(found) == [(2, 14, "limit_currency", "EUF", "EUR")]


# volume


def test_volume_is_what_is_open_and_planned_before_any_stress(tmp_path: Path) -> None:
    """A: 40 dollars at 0.80 and 1,200 euros of sales a year; half the sales under stress rank no other."""
    items = ITEMS_HEAD + "A,1,RV,2026-09-01,2026-10-01,USD,40,\nB,2,RV,2026-09-01,2026-10-01,EUR,7,\n"
    book = (
        "buyer_id,currency,rating,payment_terms_days,annual_sales\nA,EUR,BB,30,1200\nB,EUR,BB,30,0\nC,EUR,BB,30,240\n"
    )
    loaded = study(tmp_path, buyers=book, items=items, sales={"mode": "steady_state"}, __study={"horizon": "365 days"})
    expected = pytest.approx([1232.0, 7.0, 240.0])
    assert load_portfolio(loaded).volume.tolist() == expected
    assert load_portfolio(loaded, sales_multiplier=0.5).volume.tolist() == expected
    assert load_portfolio(loaded, sales_multiplier=0.0).volume.tolist() == expected


def test_volume_with_constant_exposure_is_the_exposure(tmp_path: Path) -> None:
    book = "buyer_id,exposure,pd_annual\nA,5,1 %\nB,7,1 %\n"
    portfolio = load(tmp_path, buyers=book, exposure="constant", __credit={"pd": {"source": "column"}})
    assert portfolio.volume.tolist() == [5.0, 7.0]
