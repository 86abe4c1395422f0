"""Real ledgers, read unedited. They are not part of the project: the tests skip where they are absent."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

from simulator.errors import InputError
from simulator.ledger.load import load_portfolio
from simulator.ledger.portfolio import Portfolio
from simulator.study.load import load_study

DATA = Path(__file__).parents[2] / "shared" / "data"
IBM, GAPS, SUPPLIERS = (
    DATA / name
    for name in (
        "ibm_accounts_receivable.csv", "ibm_accounts_receivable_with_gaps.csv", "supplier_invoices_2011_2017.csv",
    )
)  # fmt: skip
pytestmark = pytest.mark.skipif(not DATA.is_dir(), reason="the real ledgers are not here")


def load(path: Path, as_of: str, currency: str, **portfolio: Any) -> Portfolio:
    return load_portfolio(
        load_study(
            {
                "schema": 1,
                "study": {"title": path.stem, "as_of": as_of, "currency": currency},
                "portfolio": {"open_items": str(path), "defaults": {"rating": "BB"}, **portfolio},
                "programmes": [{"name": "Self-insurance", "type": "none"}],
            }
        )
    )


def test_ibm_at_a_day_in_its_history() -> None:
    portfolio = load(IBM, "2013-06-30", "USD")
    profile = portfolio.profile
    assert len(portfolio.buyers) == 100
    assert profile["open_items"] == 84
    assert profile["exposure"] == pytest.approx(5119.85)
    (row,) = profile["reconciliation"]
    assert row["invoices"] == 147703.18
    assert row["difference"] == 0.0
    assert {r["reason"]: r["lines"] for r in profile["excluded"]} == {
        "issued after as_of": 536,
        "settled by as_of": 1846,
    }
    assert all(" " not in buyer for buyer in portfolio.buyers.buyer_id)
    assert profile["planned"]["annual_sales_from"] == {"invoice history": 100}
    # steady state: planned sales of a year are about what the last year's history shows
    assert profile["planned"]["amount"] == pytest.approx(147703.18 / 2, rel=0.1)
    assert any(invoice.startswith("0") for invoice in portfolio.invoices.invoice_id)  # leading zeros kept


def test_ibm_with_gaps_reads_the_same_way() -> None:
    profile = load(GAPS, "2013-06-30", "USD").profile
    assert sum(row["lines"] for row in profile["files"]) == 2586
    assert profile["open_items"] == 86


def test_ibm_in_month_first_order_only() -> None:
    with pytest.raises(InputError, match=r"no such day in the calendar") as raised:
        load(IBM, "2013-06-30", "USD", format={"dates": "day_first"})
    assert all(problem.line for problem in raised.value.problems)


def test_supplier_invoices() -> None:
    portfolio = load(SUPPLIERS, "2016-06-30", "GBP", columns={"buyer_id": "Vendor_Name"})
    profile = portfolio.profile
    assert len(portfolio.buyers) == 3276
    (row,) = profile["reconciliation"]
    assert row["difference"] == 0.0
    assert row["invoices"] == pytest.approx(20_314_878.65)
    assert any("no invoice number" in note for note in profile["notes"])
    assert {r["reason"] for r in profile["excluded"]} == {
        "issued after as_of",
        "part settled by as_of",
        "settled by as_of",
    }
    assert profile["files"][0]["columns"]["amount_open"] == "Outstanding"


def test_supplier_invoices_without_the_mapping_say_what_is_missing() -> None:
    with pytest.raises(InputError, match="no column for buyer_id; the headers are Description, Vendor_Name") as raised:
        load(SUPPLIERS, "2016-06-30", "GBP")
    assert raised.value.problems[0].line == 1
