"""Small studies with a script on disk, and random scripts for a ledger."""

from __future__ import annotations

import re

import numpy as np

import simulator
from simulator.engine.check import check_study
from simulator.errors import InputError
from tests.studies import random_study

BUYERS = """\
buyer_id,name,country,currency,rating,payment_terms_days,credit_limit
A,Ash,DE,EUR,BB,30,50000
B,Birch,US,USD,BB,30,50000
C,Cedar,DE,EUR,BB,30,
"""
#: The ledger's date is 2026-10-30; days of issue and due: A1 -20/10, A2 -5/25, A3 -5/25, B1 -10/20, C1 -40/-10.
ITEMS = """\
buyer_id,invoice_id,issue_date,due_date,currency,amount_open,vat
A,A1,2026-10-10,2026-11-09,EUR,1000.00,160.00
A,A2,2026-10-25,2026-11-24,EUR,2000.00,320.00
A,A3,2026-10-25,2026-11-24,EUR,500.00,0.00
B,B1,2026-10-20,2026-11-19,USD,3000.00,0.00
C,C1,2026-09-20,2026-10-20,EUR,400.00,0.00
"""
#: A4 is issued on day 30, due on day 60; B2 on day 40, due on day 70.
PLAN = """\
buyer_id,invoice_id,issue_date,due_date,amount
A,A4,2026-11-29,2026-12-29,4000
B,B2,2026-12-09,2027-01-08,700
"""


def small(folder, script=None, **sections):
    """A loaded study of three buyers with a script."""
    for name, text in (("buyers.csv", BUYERS), ("items.csv", ITEMS), ("plan.csv", PLAN)):
        (folder / name).write_text(text, encoding="utf-8")
    study = {
        "study": {"title": "Small", "as_of": "2026-10-30", "currency": "EUR", "horizon": "364 days"},
        "portfolio": {
            "buyers": str(folder / "buyers.csv"),
            "open_items": str(folder / "items.csv"),
            "sales": {"mode": "plan", "file": str(folder / "plan.csv")},
        },
        "payment": {"protracted_default": {"after": "180 days"}},
        "fx": {"model": "none", "rates": {"USD": 0.9}},
        "programmes": [{"name": "None", "type": "none"}, {"name": "Policy", "type": "whole_turnover"}],
        **sections,
    }
    return simulator.load_study(study | ({"script": script} if script is not None else {}))


def scripted(folder, seed, **changes):
    """A random study with a random script that is possible in its ledger."""
    rng = np.random.default_rng(seed + 77)
    study = random_study(folder, seed, **changes)
    study["payment"] = {k: v for k, v in study["payment"].items() if k != "pay_runs"}
    study["programmes"][1]["payment_allocation"] = ("as_paid", "oldest_first")[seed % 2]
    portfolio = check_study(simulator.load_study(study))
    buyers, invoices = portfolio.buyers, portfolio.invoices
    horizon = 180
    failures = {b: f"{int(rng.integers(1, horizon))} days" for b in buyers.buyer_id if rng.random() < 0.3}
    payments = []
    left = invoices.amount.copy()
    for i in rng.permutation(len(invoices))[: len(invoices) // 4]:
        buyer = buyers.buyer_id[invoices.buyer[i]]
        last = int(failures[buyer].split()[0]) if buyer in failures else horizon + 100
        first = max(1, int(invoices.issue_day[i]))
        if first > last or (buyer in failures and invoices.issue_day[i] >= last):
            continue
        for _ in range(rng.integers(1, 4)):
            amount = left[i] * rng.choice([0.3, 0.5, 1.0])
            if amount < 1.0:
                break
            left[i] -= amount
            payments.append(
                {
                    "buyer": buyer,
                    "invoice": invoices.invoice_id[i],
                    "on": f"{int(rng.integers(first, last + 1))} days",
                    "amount": float(amount),
                }
            )
    script = {
        "otherwise": str(rng.choice(["pays_when_due", "never_pays"])),
        "failures": failures,
        "payments": payments,
        "rates": [
            {"currency": c, "on": f"{int(rng.integers(1, horizon))} days", "rate": float(rng.uniform(0.1, 2))}
            for c in portfolio.currencies[1:]
            for _ in range(2)
        ],
        "recoveries": [
            {"buyer": b, "on": f"{int(day)} days", "share": float(rng.uniform(0.01, 0.3))}
            for b in failures
            for day in rng.integers(200, 500, size=rng.integers(0, 4))
        ],
    }
    while wrong := impossible(study | {"script": script}):
        for key in ("payments", "recoveries"):
            script[key] = [event for k, event in enumerate(script[key]) if (key, k) not in wrong]
    return study | {"script": script}


def impossible(study):
    """Events of a script that cannot happen: goods not shipped by then, or nothing lost that could be recovered."""
    try:
        check_study(simulator.load_study(study))
    except InputError as error:
        found = [re.match(r"script\.(\w+)\[(\d+)\]", problem.path) for problem in error.problems]
        return {(event[1], int(event[2])) for event in found}
    return set()
