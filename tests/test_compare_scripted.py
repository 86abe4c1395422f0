"""A scripted run on the console: amounts are never cut, long lists are, and say so."""

from __future__ import annotations

import io
import re
from types import SimpleNamespace

import numpy as np
import pandas as pd
import pytest
from rich.console import Console

from simulator.compare.scripted import (
    MOST_CLAIMS,
    MOST_EVENTS,
    _print,
    abroad,
    claim_rows,
    event_rows,
    money,
    shown_claims,
    shown_events,
)
from simulator.policy.gaps import GAP_STEPS
from simulator.report.told import _claims, _events


def event(number=0, **changed):
    told = {
        "day": 70, "date": "2027-01-08", "period": 10, "buyer_id": "B", "buyer": "广东金德电子有限公司",
        "what": "lost: protracted default", "invoice_id": f"plan-{number:04d}", "amount": 103_080_912.36,
        "currency": "CNY", "value": 103_080_912.36,
    }  # fmt: skip
    return told | changed


def result(events=(), claims=None, **script):
    told = SimpleNamespace(**{"payments": (), "recoveries": ()} | script)
    study = SimpleNamespace(script=told, study=SimpleNamespace(period="week"))
    story = {"events": pd.DataFrame(events), "claims": claims}
    return SimpleNamespace(story=story, study=study, currency="CNY")


def printed(heads, rows, numbers, width):
    console = Console(file=io.StringIO(), width=width)
    _print(console, heads, rows, numbers)
    return console.file.getvalue()


@pytest.mark.parametrize("width", [40, 60, 80, 100])
@pytest.mark.parametrize("n_programmes", [1, 3, 7])
def test_amounts_are_never_cut(width, n_programmes):
    names = [f"Whole turnover {90 + k} with a long name" for k in range(n_programmes)]
    amounts = [[money(sign * 123_456_789.01 * (k + 1)) for k in range(n_programmes)] for sign in (1, -1)]
    rows = [["Claims less the insurer's share of recoveries", *amounts[0]], ["Lowest cash", *amounts[1]]]
    text = printed(["", *names], rows, n_programmes, width)
    assert "…" not in text
    assert max(len(line) for line in text.splitlines()) <= width
    for amount in [a for row in amounts for a in row]:
        assert len(re.findall(rf"(?<![\d−]){re.escape(amount)}(?!\d)", text)) == 1
    for word in ("recoveries", "Lowest", "Claims"):
        assert word in text


def test_events_keep_their_dates_amounts_and_values():
    events = pd.DataFrame([event(currency="USD"), event(1, value=np.nan)])
    assert abroad(events, "CNY")
    heads = ["week", "date", "buyer", "", "invoice", "amount", "CNY"]
    text = printed(heads, event_rows(events, "CNY"), 2, 92)
    assert "…" not in text
    for whole in ("2027-01-08", "plan-0000", "103,080,912.36 USD", "103,080,912.36 CNY"):
        assert whole in text
    home = pd.DataFrame([event(), event(1)])
    assert not abroad(home, "CNY")
    assert event_rows(home, "CNY")[0] == [
        "10", "2027-01-08", "广东金德电子有限公司", "lost: protracted default", "plan-0000", "103,080,912.36",
    ]  # fmt: skip
    text = printed([*heads[:5], "CNY"], event_rows(home, "CNY"), 1, 80)
    assert text.count("103,080,912.36") == 2
    assert "2027-01-08" in text


def test_long_lists_of_events_end_with_how_many_more():
    many = [event(k) for k in range(MOST_EVENTS["page"] + 12)]
    for place, most in MOST_EVENTS.items():
        shown, notes = shown_events(result(many), place)
        assert len(shown) == most
        assert notes == [f"… and {len(many) - most} more: story/events.csv in the run folder."]
        assert shown_events(result(many[:most]), place)[1] == []
    table = _events(result(many))
    assert len(table.rows) == MOST_EVENTS["page"]
    assert table.note == "… and 12 more: story/events.csv in the run folder."


def test_parts_of_invoices_are_explained():
    events = [event(), event(invoice_id="2026/17/2")]
    said = "Invoices that are paid or recovered in parts are numbered: 2026/17/2 is part 2 of 2026/17."
    assert shown_events(result(events, payments=(object(),)), "console")[1] == [said]
    assert shown_events(result(events), "console")[1] == [], "nothing of this script splits an invoice"
    assert shown_events(result(events[:1], recoveries=(object(),)), "console")[1] == []
    assert _events(result(events, payments=(object(),))).note == said


def test_many_claims_are_the_largest_and_the_others():
    n = MOST_CLAIMS + 5
    steps = {s: [float(k + 1) for k in range(n)] if s in ("debt", "indemnity") else [0.0] * n for s in GAP_STEPS}
    names = [f"Buyer {k}" for k in range(n)]
    claims = pd.DataFrame(
        {"programme": "P", "buyer_id": names, "buyer": names, "date_of_loss": "2027-01-08", "paid_on": "2027-02-07"}
        | steps
    )
    shown = shown_claims(claims)
    assert shown["buyer"].tolist() == [*names[-MOST_CLAIMS:], "5 others"]
    assert shown["debt"].tolist()[-1] == 1 + 2 + 3 + 4 + 5
    whole, few = claim_rows(claims), claim_rows(shown)
    assert [row[-1] for row in whole] == [row[-1] for row in few], "the totals are those of all"
    (table,) = _claims(result(claims=claims))
    assert [c.unit for c in table.columns[1:]] == ["paid 2027-02-07"] * MOST_CLAIMS + ["", ""]
    assert "The largest debts" in table.note
    assert shown_claims(claims.head(MOST_CLAIMS + 1)) is not None
    assert len(shown_claims(claims.head(MOST_CLAIMS + 1))) == MOST_CLAIMS + 1


def test_an_amount_has_its_cents_and_its_sign():
    assert [money(a) for a in (60_000, 2_333.333, -0.001, -12_000.5, np.nan)] == [
        "60,000", "2,333.33", "0", "−12,000.50", "",
    ]  # fmt: skip
