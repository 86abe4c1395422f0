"""Planned sales: run_off, steady_state, plan; annual sales by column, by history, by Little's law."""

from __future__ import annotations

import math
from pathlib import Path

import numpy as np
import pytest

from simulator.errors import InputError
from simulator.ledger.load import load_portfolio
from simulator.ledger.portfolio import Portfolio
from simulator.streams import entity_key
from tests.ledger_files import ITEMS_HEAD, load, problems, study, write

BUYERS = "buyer_id,currency,rating,payment_terms_days,annual_sales\nA,EUR,BB,30,1200\nB,USD,B,60,2400\nC,EUR,B,30,\n"
STEADY = {"mode": "steady_state"}


def planned(portfolio: Portfolio, buyer: int) -> np.ndarray:
    return (portfolio.invoices.buyer == buyer) & ~portfolio.invoices.open_item


def test_run_off_plans_nothing(tmp_path: Path) -> None:
    portfolio = load(tmp_path, ITEMS_HEAD + "A,1,RV,2026-09-01,2026-10-01,EUR,40,\n", buyers=BUYERS)
    assert portfolio.invoices.open_item.all()
    assert portfolio.profile["planned"]["invoices"] == 0


def test_steady_state_spreads_annual_sales_evenly(tmp_path: Path) -> None:
    portfolio = load(tmp_path, buyers=BUYERS, sales=STEADY, __study={"horizon": "365 days"})
    mine = planned(portfolio, 0)
    days, invoices = portfolio.invoices.issue_day[mine], portfolio.invoices
    start = entity_key("buyer:A") / 2**64 * 365 / 12
    assert days.tolist() == [int(start + k * 365 / 12) + 1 for k in range(12)]
    assert invoices.amount[mine].tolist() == pytest.approx([100.0] * 12)
    assert (invoices.due_day[mine] - days == 30).all()
    assert [invoices.invoice_id[i] for i in np.flatnonzero(mine)] == [f"plan-{k:04d}" for k in range(1, 13)]
    theirs = planned(portfolio, 1)
    assert invoices.amount[theirs].tolist() == pytest.approx([200.0 / 0.8] * 12)  # dollars at 0.80
    assert {portfolio.currencies[c] for c in invoices.currency[theirs]} == {"USD"}
    assert not planned(portfolio, 2).any()
    assert portfolio.profile["planned"]["annual_sales_from"] == {"annual_sales column": 2, "none": 1}
    assert any("no sales planned for 1 buyers" in note for note in portfolio.profile["notes"])


def test_growth_frequency_and_stress_scale_amounts(tmp_path: Path) -> None:
    sales = {**STEADY, "growth": "10 %", "invoices_per_year": 4}
    loaded = study(tmp_path, buyers=BUYERS, sales=sales, __study={"horizon": "365 days"})
    portfolio = load_portfolio(loaded, sales_multiplier=0.5)
    assert portfolio.invoices.amount[planned(portfolio, 0)].tolist() == pytest.approx([300 * 1.1 * 0.5] * 4)
    one = ITEMS_HEAD + "A,1,RV,2026-09-01,2026-10-01,EUR,4,\n"
    nothing = load_portfolio(study(tmp_path, BUYERS, one, sales=sales), sales_multiplier=0.0)
    assert len(nothing.invoices) == 1


def test_a_longer_horizon_keeps_the_earlier_invoices(tmp_path: Path) -> None:
    short = load(tmp_path, buyers=BUYERS, sales=STEADY, __study={"horizon": "26 weeks"}).invoices
    long = load(tmp_path, buyers=BUYERS, sales=STEADY, __study={"horizon": "104 weeks"}).invoices
    entities = dict(zip(long.entity.tolist(), long.issue_day.tolist(), strict=True))
    assert all(entities[e] == d for e, d in zip(short.entity.tolist(), short.issue_day.tolist(), strict=True))
    assert long.issue_day.max() <= 728


def test_seasonality_has_mean_one(tmp_path: Path) -> None:
    weights = [2.0] * 6 + [4.0] * 6
    sales = {**STEADY, "seasonality": weights, "invoices_per_year": 365}
    portfolio = load(tmp_path, buyers=BUYERS, sales=sales, __study={"horizon": "365 days"})
    amounts = portfolio.invoices.amount[planned(portfolio, 0)]
    assert sorted(set(np.round(amounts / amounts.min(), 9))) == [1.0, 2.0]
    assert amounts.min() == pytest.approx(1200 / 365 * 2 / 3)
    assert amounts.sum() == pytest.approx(1200, rel=0.02)


def test_little_s_law_on_what_is_not_yet_due(tmp_path: Path) -> None:
    items = ITEMS_HEAD + (
        "C,1,RV,2026-10-10,2026-11-09,EUR,100,\nC,2,RV,2026-10-20,2026-11-19,USD,50,\n"
        "C,3,RV,2026-08-01,2026-08-31,EUR,999,\n"  # overdue: says nothing about the rate
    )
    portfolio = load(tmp_path, items, buyers=BUYERS, sales=STEADY, __study={"horizon": "365 days"})
    mine = planned(portfolio, 2)
    annual = (100 + 50 * 0.8) * 365 / 30
    assert mine.sum() == pytest.approx(round(2 * 365 / 30), abs=1)
    assert portfolio.invoices.amount[mine].sum() == pytest.approx(annual, rel=0.06)
    assert portfolio.profile["planned"]["annual_sales_from"]["balance not yet due"] == 1


def test_a_history_gives_the_last_years_sales(tmp_path: Path) -> None:
    lines = "".join(f"C,{n},2026-{m:02d}-15,2026-{m:02d}-25,100,2026-{m:02d}-26\n" for n, m in enumerate(range(1, 10)))
    items = "buyer_id,invoice_id,issue_date,due_date,amount,settled_date\n" + lines + "C,x,2026-10-20,2026-11-20,100,\n"
    portfolio = load(tmp_path, items, buyers=BUYERS, sales=STEADY, __study={"horizon": "365 days"})
    mine = planned(portfolio, 2)
    window = 289  # days from 15 January to 30 October, both counted
    assert portfolio.invoices.amount[mine].sum() == pytest.approx(1000 * 365 / window, rel=0.09)
    assert mine.sum() == pytest.approx(10 * 365 / window, abs=1)
    assert portfolio.profile["planned"]["annual_sales_from"]["invoice history"] == 1


def test_a_missing_rate_is_asked_for_or_a_problem(tmp_path: Path) -> None:
    buyers = BUYERS.replace("USD", "JPY")
    loaded = study(tmp_path, buyers=buyers, sales=STEADY)
    with pytest.raises(InputError, match=r"no rate for JPY: give fx\.rates"):
        load_portfolio(loaded)
    portfolio = load_portfolio(loaded, spot_lookup=lambda codes: dict.fromkeys(codes, 0.005))
    amounts = portfolio.invoices.amount[planned(portfolio, 1)]
    assert amounts.tolist() == pytest.approx([200 / 0.005] * len(amounts))


def test_sales_without_terms_are_a_problem(tmp_path: Path) -> None:
    text = "buyer_id,rating,annual_sales\nA,BB,1000\n"
    (problem,) = problems(tmp_path, buyers=text, sales=STEADY)
    assert problem.line == 2
    assert "payment_terms_days" in problem.message
    assert not problems(tmp_path, buyers=text, sales=STEADY, defaults={"payment_terms_days": 30})


def test_a_plan_file(tmp_path: Path) -> None:
    write(tmp_path, "plan.csv", (
        "buyer_id,issue_date,amount,currency,due_date\nA,2026-11-10,100,,\nB,2026-12-01,50,GBP,2027-01-31\n"
        "B,2026-12-01,50,GBP,2027-01-31\nA,2026-10-30,7,,\nA,2028-01-01,7,,\n"
    ))  # fmt: skip
    sales = {"mode": "plan", "file": str(tmp_path / "plan.csv")}
    portfolio = load_portfolio(study(tmp_path, buyers=BUYERS, sales=sales), sales_multiplier=2.0)
    invoices = portfolio.invoices
    assert invoices.issue_day.tolist() == [11, 32, 32]
    assert invoices.due_day.tolist() == [41, 93, 93]
    assert invoices.amount.tolist() == [200.0, 100.0, 100.0]
    assert len(set(invoices.entity.tolist())) == 3
    assert any("2 plan lines lie outside the horizon" in note for note in portfolio.profile["notes"])


def test_mistakes_in_a_plan_file(tmp_path: Path) -> None:
    write(tmp_path, "plan.csv", (
        "buyer_id,issue_date,amount,currency,due_date\nX,2026-11-10,100,,\nA,2026-11-10,-5,,\nA,2026-11-10,5,EUX,\n"
        "A,2026-11-10,5,,2026-11-01\nA,,5,,\n"
    ))  # fmt: skip
    sales = {"mode": "plan", "file": str(tmp_path / "plan.csv")}
    found = problems(tmp_path, buyers=BUYERS, sales=sales)
    assert [(p.line, p.column) for p in found] == [(2, 1), (3, 14), (4, 16), (5, 17), (6, 3)]


def test_arrays_are_sorted_and_keyed(tmp_path: Path) -> None:
    items = ITEMS_HEAD + (
        "B,9,RV,2026-10-10,2026-12-09,USD,1,\nA,2,RV,2026-10-20,2026-11-19,EUR,2,\nA,1,RV,2026-10-20,2026-11-19,EUR,3,\n"
    )
    portfolio = load(tmp_path, items, buyers=BUYERS, sales=STEADY)
    inv = portfolio.invoices
    keys = list(zip(inv.buyer.tolist(), inv.issue_day.tolist(), inv.invoice_id, strict=True))
    assert keys == sorted(keys)
    names = [f"invoice:{portfolio.buyers.buyer_id[b]}/{i}" for b, i in zip(inv.buyer, inv.invoice_id, strict=True)]
    assert inv.entity.tolist() == [entity_key(name) for name in names]
    assert portfolio.buyers.entity.tolist() == [entity_key(f"buyer:{b}") for b in "ABC"]
    assert portfolio.currencies[0] == "EUR"
    assert inv.amount.dtype == np.float64
    assert inv.buyer.dtype == inv.issue_day.dtype == inv.due_day.dtype == inv.currency.dtype == np.int32
    assert math.isnan(portfolio.buyers.annual_sales[2])
