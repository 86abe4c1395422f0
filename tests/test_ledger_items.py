"""Open items: kinds, signs, settlement history, credits oldest first, exclusions, exact reconciliation."""

from __future__ import annotations

from decimal import Decimal
from pathlib import Path

import numpy as np
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from simulator.ledger.load import read_ledger
from simulator.ledger.profile import ledger_profile, reconcile
from tests.ledger_files import BUYERS, ITEMS_HEAD, load, problems, study

HEAD = ITEMS_HEAD


def open_amounts(folder: Path, items: str, **more: object) -> dict[str, float]:
    invoices = load(folder, items, **more).invoices
    return dict(zip(invoices.invoice_id, invoices.amount.tolist(), strict=True))


def test_credits_and_payments_reduce_the_oldest_first_in_the_same_currency(tmp_path: Path) -> None:
    items = HEAD + (
        "A,new,invoice,2026-09-01,2026-10-01,EUR,100,no\n"
        "A,old,invoice,2026-08-01,2026-09-01,EUR,80,no\n"
        "A,usd,invoice,2026-01-01,2026-02-01,USD,50,no\n"
        "B,other,invoice,2026-01-01,2026-02-01,EUR,70,no\n"
        "A,c,credit note,2026-09-15,2026-09-15,EUR,-60,no\n"
        "A,p,payment on account,2026-10-15,,EUR,-30,no\n"
    )
    assert open_amounts(tmp_path, items) == {"new": 90.0, "usd": 50.0, "other": 70.0}


def test_a_credit_larger_than_the_debt_is_reported_not_lent(tmp_path: Path) -> None:
    items = (
        HEAD
        + "A,1,RV,2026-09-01,2026-10-01,EUR,40,\nA,2,DG,2026-09-02,2026-09-02,EUR,100.25,\n"
        + "B,3,RV,2026-09-01,2026-10-01,EUR,1,\n"
    )
    portfolio = load(tmp_path, items)
    assert portfolio.invoices.amount.tolist() == [1.0]
    (row,) = portfolio.profile["reconciliation"]
    assert (row["invoices"], row["credits"], row["applied"], row["unused_credits"]) == (41.0, 100.25, 40.0, 60.25)
    assert row["difference"] == 0.0


@pytest.mark.parametrize("sign", ["-", ""])
def test_credits_may_be_negative_or_positive(tmp_path: Path, sign: str) -> None:
    items = HEAD + "A,1,Rechnung,2026-09-01,2026-10-01,EUR,40,\n"
    items += f"A,2,Gutschrift,2026-09-02,2026-09-02,EUR,{sign}15,\n"
    assert open_amounts(tmp_path, items) == {"1": 25.0}


def test_without_a_document_type_the_sign_decides(tmp_path: Path) -> None:
    items = (
        "buyer_id,invoice_id,issue_date,due_date,amount\nA,1,2026-09-01,2026-10-01,40\nA,2,2026-09-02,2026-09-02,(15)\n"
    )
    assert open_amounts(tmp_path, items) == {"1": 25.0}


HISTORY = (
    "buyer_id,invoice_id,issue_date,due_date,amount,settled_date\n"
    "A,1,2026-01-01,2026-02-01,10,2026-02-03\n"
    "A,2,2026-09-01,2026-10-01,20,\n"
    "A,3,2026-09-01,2026-10-01,40,2026-10-30\n"
    "A,4,2026-09-01,2026-10-01,80,2026-10-31\n"
    "A,5,2026-11-01,2026-12-01,160,2026-12-01\n"
    "A,6,2026-10-30,2026-11-30,0,\n"
)


def test_a_history_file_is_cut_at_as_of(tmp_path: Path) -> None:
    portfolio = load(tmp_path, HISTORY)
    assert dict(zip(portfolio.invoices.invoice_id, portfolio.invoices.amount.tolist(), strict=True)) == {
        "2": 20.0,
        "4": 80.0,
    }
    reasons = {row["reason"]: (row["lines"], row["own"], row["first_line"]) for row in portfolio.profile["excluded"]}
    assert reasons == {
        "settled by as_of": (2, 50.0, 2),
        "issued after as_of": (1, 160.0, 6),
        "amount is zero": (1, 0.0, 7),
    }


def test_the_same_history_at_another_day(tmp_path: Path) -> None:
    assert open_amounts(tmp_path, HISTORY, __study={"as_of": "2026-01-15"}) == {"1": 10.0}


def test_part_payments_and_days_to_settle(tmp_path: Path) -> None:
    items = (
        "buyer_id,invoice_id,issue_date,due_date,amount,outstanding,days until payment\n"
        "A,1,2026-01-01,2026-02-01,10,4,20\n"  # part paid by then: 4 left
        "A,2,2026-10-01,2026-11-01,10,0,60\n"  # paid after as_of: all open
        "A,3,2026-10-01,2026-11-01,10,7,\n"  # no day: the file's open amount
    )
    portfolio = load(tmp_path, items)
    assert dict(zip(portfolio.invoices.invoice_id, portfolio.invoices.amount.tolist(), strict=True)) == {
        "1": 4.0, "2": 10.0, "3": 7.0,
    }  # fmt: skip
    assert {r["reason"]: r["own"] for r in portfolio.profile["excluded"]} == {"part settled by as_of": 9.0}


@pytest.mark.parametrize(
    ("cells", "expected"),
    [(("yes", "no"), {"2": 10.0}), (("2.5", ""), {"1": 7.5, "2": 10.0}), (("10", "3"), {"2": 7.0})],
)
def test_a_paid_column_holds_amounts_or_yes_and_no(
    tmp_path: Path, cells: tuple[str, str], expected: dict[str, float]
) -> None:
    head = "buyer_id,invoice_id,issue_date,due_date,amount,paid\n"
    items = head + "".join(f"A,{n},2026-09-01,2026-10-01,10,{c}\n" for n, c in enumerate(cells, 1))
    assert open_amounts(tmp_path, items) == expected


def test_missing_dates_follow_from_terms(tmp_path: Path) -> None:
    items = "buyer_id,invoice_id,issue_date,due_date,amount\nA,1,2026-10-01,,5\nB,2,,2026-12-29,5\n"
    portfolio = load(tmp_path, items)
    assert portfolio.invoices.issue_day.tolist() == [-29, 0]
    assert portfolio.invoices.due_day.tolist() == [1, 60]
    assert any("filled in from the payment terms" in note for note in portfolio.profile["notes"])


def test_total_lines_and_blank_lines_are_left_out(tmp_path: Path) -> None:
    items = HEAD + "A,1,RV,2026-09-01,2026-10-01,EUR,40,\n\n,,,,,EUR,40,\nTotal,,,,,,40,\nSumme:,,,,,EUR,40,\n"
    found = problems(tmp_path, items)
    assert {p.line for p in found} == {4}  # a line without a buyer that says nothing of a total
    items = items.replace(",,,,,EUR,40,\n", "", 1)
    portfolio = load(tmp_path, items)
    assert [(r["reason"], r["lines"], r["own"]) for r in portfolio.profile["excluded"]] == [("total line", 2, 80.0)]


def test_instalments_and_unnamed_items_get_stable_names(tmp_path: Path) -> None:
    items = HEAD + (
        "A,1,RV,2026-09-01,2026-10-01,EUR,40,\nA,1,RV,2026-09-01,2026-11-01,EUR,40,\n"
        "A,,RV,2026-09-01,2026-10-01,EUR,7,\nA,,RV,2026-09-01,2026-10-01,EUR,7.00,\n"
    )
    names = open_amounts(tmp_path, items)
    assert set(names) == {
        "1/2026-10-01/EUR", "1/2026-11-01/EUR", "2026-09-01/2026-10-01/EUR/7", "2026-09-01/2026-10-01/EUR/7/2",
    }  # fmt: skip
    lines = items.splitlines()
    turned = "\n".join([lines[0], *lines[:0:-1]]) + "\n"
    assert set(open_amounts(tmp_path, turned)) == set(names)


def test_item_numbers_are_joined_to_the_document(tmp_path: Path) -> None:
    head = "buyer_id,invoice_id,item,issue_date,due_date,amount\n"
    items = head + "A,1,001,2026-09-01,2026-10-01,5\nA,1,002,2026-09-01,2026-10-01,6\n"
    assert open_amounts(tmp_path, items) == {"1/001": 5.0, "1/002": 6.0}


def test_disputes_and_currencies_reach_the_arrays(tmp_path: Path) -> None:
    items = HEAD + "B,1,RV,2026-09-01,2026-10-01,,40,X\nA,2,RV,2026-09-01,2026-10-01,,£5,nein\n"
    portfolio = load(tmp_path, items)
    assert portfolio.currencies == ["EUR", "GBP", "USD"]
    assert [portfolio.currencies[c] for c in portfolio.invoices.currency] == ["GBP", "USD"]
    assert portfolio.invoices.disputed.tolist() == [False, True]


def test_buyers_are_derived_where_there_is_no_buyer_file(tmp_path: Path) -> None:
    items = (
        "customer,invoice,invoice date,due date,amount,country,rating,currency\n"
        "X,1,2026-09-01,2026-10-01,5,,BB,USD\nX,2,2026-09-02,2026-10-02,6,NA,,USD\nY,3,2026-09-02,2026-10-02,6,DE,B,\n"
    )
    portfolio = load(tmp_path, items, buyers=None, defaults={"payment_terms_days": 45, "credit_limit": "unlimited"})
    buyers = portfolio.buyers
    assert (buyers.buyer_id, buyers.country, buyers.rating, buyers.currency) == (
        ["X", "Y"], ["NA", "DE"], ["BB", "B"], ["USD", "EUR"],
    )  # fmt: skip
    assert buyers.payment_terms_days.tolist() == [45.0, 45.0]
    assert buyers.credit_limit.tolist() == [np.inf, np.inf]


amounts = st.decimals(min_value="0.01", max_value="99999.99", places=2)


@settings(deadline=None, max_examples=40, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(
    lines=st.lists(
        st.tuples(
            st.sampled_from(["A", "B"]), st.sampled_from(["invoice", "credit note", "payment"]), amounts,
            st.integers(1, 120), st.sampled_from(["EUR", "USD"]), st.booleans(),
        ),
        min_size=1, max_size=25,
    )
)  # fmt: skip
def test_the_profile_reconciles_to_the_file_exactly(
    tmp_path: Path, lines: list[tuple[str, str, Decimal, int, str, bool]]
) -> None:
    head = "buyer_id,invoice_id,document_type,issue_date,due_date,currency,amount,settled_date\n"
    text = head
    for n, (buyer, kind, amount, day, currency, settled) in enumerate(lines):
        date = f"2026-{1 + day % 12:02d}-{1 + day % 28:02d}"
        sign = "" if kind == "invoice" else "-"
        text += f"{buyer},{n},{kind},{date},{date},{currency},{sign}{amount},{'2026-10-01' if settled else ''}\n"
    loaded = study(tmp_path, items=text)
    items = read_ledger(loaded).items
    for row in reconcile(items):
        mine = [line for line in lines if line[4] == row["currency"]]
        assert row["invoices"] == sum(line[2] for line in mine if line[1] == "invoice")
        assert row["credits"] == sum(line[2] for line in mine if line[1] != "invoice")
        assert row["difference"] == 0
        assert row["invoices"] == row["open"] + row["applied"] + row["excluded_invoices"]
        assert row["credits"] == row["applied"] + row["unused_credits"] + row["excluded_credits"]
        assert row["open"] >= 0
    assert all(net >= 0 for net in items.net)


def test_a_profile_of_the_ledger_alone(tmp_path: Path) -> None:
    items = HEAD + (
        "A,1,RV,2026-08-01,2026-10-30,EUR,300,\nA,2,RV,2026-08-01,2026-10-29,EUR,100,x\n"
        "B,3,RV,2026-08-01,2026-08-31,USD,250,\nB,4,RV,2026-01-01,2026-02-01,USD,500,\n"
    )
    profile = ledger_profile(study(tmp_path, items=items))
    assert [(r["bucket"], r["items"], r["amount"]) for r in profile["ageing"]] == [
        ("not due", 1, 300.0), ("1-30", 1, 100.0), ("31-60", 1, 200.0), ("61-90", 0, 0.0), ("91-180", 0, 0.0),
        ("> 180", 1, 400.0),
    ]  # fmt: skip
    assert profile["exposure"] == 1000.0
    assert profile["concentration"]["hhi"] == pytest.approx(0.4**2 + 0.6**2)
    assert profile["concentration"]["top_10_share"] == 1.0
    assert [(r["currency"], r["own"], r["amount"]) for r in profile["by_currency"]] == [
        ("USD", 750, 600),
        ("EUR", 400, 400),
    ]
    assert [(r["buyer_id"], r["overdue"]) for r in profile["top_buyers"]] == [("B", 1.0), ("A", 0.25)]
    assert [r["country"] for r in profile["by_country"]] == ["NA", "DE"]
    assert profile["disputed"] == 100.0
    assert BUYERS.startswith("buyer_id")


def test_terms_of_a_line_come_before_the_buyers(tmp_path: Path) -> None:
    items = "buyer_id,invoice_id,issue_date,terms,amount\nA,1,2026-10-01,Net 60,5\nA,2,2026-10-01,,5\n"
    assert load(tmp_path, items).invoices.due_day.tolist() == [31, 1]
    (problem,) = problems(tmp_path, items.replace("Net 60", "9999"))[:1]
    assert (problem.line, problem.column) == (2, 16)
