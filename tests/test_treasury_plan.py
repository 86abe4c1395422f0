"""The liquidity section as arrays: operating costs, the outflows file and its mistakes, purchases."""

import dataclasses

import numpy as np
import pytest

from simulator.errors import InputError
from simulator.ledger.portfolio import Invoices
from simulator.study.calendar import Calendar
from simulator.treasury.plan import build_cash, operating_costs, planned_outflows
from tests import small_books

# as_of of the small studies is 2026-10-30


def calendar(horizon="52 weeks", period="week"):
    return Calendar.of(small_books.study(horizon=horizon, period=period))


def test_operating_costs_follow_the_calendar_month():
    weekly = operating_costs(31_000.0, calendar("4 weeks"))
    # week 1: 31 October, then six days of November
    np.testing.assert_allclose(weekly, [1_000 + 6 * 31_000 / 30, *[7 * 31_000 / 30] * 3])
    monthly = operating_costs(31_000.0, calendar("12 months", "month"))
    np.testing.assert_allclose(monthly[1:-1], 31_000)
    assert monthly.sum() == pytest.approx(12 * 31_000)


def outflows(tmp_path, text, horizon="52 weeks"):
    path = tmp_path / "outflows.csv"
    path.write_text(text, encoding="utf-8")
    return planned_outflows(path, calendar(horizon))


def test_outflows_file(tmp_path):
    text = (
        "Date,What,Amount\n2026-10-31,VAT,250 k\n2026-11-06,dividend,1000.5\n\n2026-11-07,refund,-40\n2030-01-01,,9\n"
    )
    flow = outflows(tmp_path, text)
    assert flow[:2].tolist() == [251_000.5, -40]
    assert flow.sum() == 250_960.5
    assert outflows(tmp_path, "date;amount\r\n2026-11-06;5\r\n")[0] == 5
    assert outflows(tmp_path, "\ufeffdate,amount\n").sum() == 0


def test_every_mistake_of_an_outflows_file_is_reported_at_its_place(tmp_path):
    text = (
        "date,amount\n2026-11-06,12,50\n06.11.2026,1\n2026-10-30,5\n2026-11-06,\n2026-11-07, 1.000,5\n2026-11-07,nan\n"
    )
    with pytest.raises(InputError) as caught:
        outflows(tmp_path, text)
    found = {(p.line, p.column, p.path, p.value) for p in caught.value.problems}
    assert found == {
        (2, 0, "", None),
        (3, 1, "date", "06.11.2026"),
        (4, 1, "date", "2026-10-30"),
        (5, 12, "amount", ""),
        (6, 0, "", None),
        (7, 12, "amount", "nan"),
    }
    text = str(caught.value)
    assert "2026-11-06,12,50" in text
    assert "a decimal sign is a point" in text
    assert "a date written YYYY-MM-DD" in text
    assert "that money is in the opening cash already" in text


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("", "date is missing"),
        ("when,amount\n", "date is missing"),
        ("date,amounts\n", "amount is missing"),
    ],
)
def test_columns_of_an_outflows_file(tmp_path, text, said):
    with pytest.raises(InputError, match=said):
        outflows(tmp_path, text)


def test_missing_or_foreign_outflows_file(tmp_path):
    with pytest.raises(InputError, match="outflows file cannot be read: No such file"):
        planned_outflows(tmp_path / "nowhere.csv", calendar())
    (tmp_path / "latin.csv").write_bytes("date,amount\n2026-11-06,5 \xa3".encode("latin-1"))
    with pytest.raises(InputError, match="not UTF-8 text"):
        planned_outflows(tmp_path / "latin.csv", calendar())


def test_build_cash(tmp_path):
    (tmp_path / "known.csv").write_text("date,amount\n2026-11-06,7\n", encoding="utf-8")
    asked = small_books.study(
        horizon="4 weeks",
        liquidity={
            "opening_cash": "100 k", "minimum_cash": "10 k", "credit_line": {"limit": "50 k", "rate": "7 %"},
            "operating_costs": 3_000, "outflows": "known.csv", "variable_cost_rate": "60 %", "supplier_terms_days": 14,
            "interest_on_cash": "2 %",
        },
        programmes=[
            {"name": "None", "type": "none", "reserve": "20 k", "cost_of_capital": "9 %"},
            {"name": "Cover", "type": "whole_turnover"},
        ],
    )  # fmt: skip
    issue = np.array([-20, -10, 1, 8, 15, 28], dtype=np.int32)
    n = len(issue)
    invoices = Invoices(
        [str(i) for i in range(n)], np.arange(n, dtype=np.uint64), np.zeros(n, np.int32), issue, issue + 30,
        np.array([0, 1, 0, 0, 0, 0], np.int32), np.full(n, 100.0), issue < 1, np.zeros(n, np.bool_),
    )  # fmt: skip
    portfolio = dataclasses.replace(small_books.portfolio(["A"]), invoices=invoices, currencies=["EUR", "USD"])
    when = Calendar.of(asked)
    cash = build_cash(asked, portfolio, when, np.array([1.0, 0.5]), tmp_path)
    assert cash[:5] == (100_000, 10_000, 50_000, 0.07, 0.02)
    np.testing.assert_allclose(cash.outflow, operating_costs(3_000.0, when) + np.array([7, 0, 0, 0]))
    # paid on days -6 (done), 4 (half a euro to the dollar), 15, 22, 29 (beyond), 42 (beyond)
    np.testing.assert_allclose(cash.purchases, [30, 0, 60, 60])
    assert cash.reserve.tolist() == [20_000, 0]
    assert cash.cost_of_capital.tolist() == [0.09, 0.08]
    np.testing.assert_allclose(cash.period_years, 7 / 365)
