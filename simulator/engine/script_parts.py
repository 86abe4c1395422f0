"""Parts of invoices that a script pays or leaves unpaid, and what becomes of each: shipped, paid, lost, recovered.

It follows the rules of the losses room (docs/MODEL.md) in plain Python, because a recovery is a share of debts that are
lost, and what is lost follows from the script.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator, Sequence
from dataclasses import fields
from typing import NamedTuple

import numpy as np

from simulator.constants import NEVER
from simulator.keys import entity_key
from simulator.ledger.portfolio import Ints, Invoices, Portfolio

#: Fate of a planned invoice that is not shipped.
WITHHELD = -1
#: Amounts closer than half a cent are equal.
CENT = 0.005


class Part(NamedTuple):
    """A part of an invoice: its amount, when it is paid, by which payment of the script (None: none of them), and what
    becomes of it (see :func:`fates`)."""

    invoice: int
    amount: float
    paid_day: int
    recovery: float = 0.0
    receipt_day: int = NEVER
    source: int | None = None
    fate: int = NEVER


def fates(parts: Sequence[Part], invoices: Invoices, failures: Ints, after: int, stop: int, horizon: int) -> list[int]:
    """Day on which each part is lost: NEVER if it is not, WITHHELD if its invoice is never shipped.

    Args:
        parts: parts of invoices, in the order of the invoices.
        invoices: the invoices.
        failures: day of each buyer's insolvency.
        after: days past due at which an unpaid debt counts as a protracted default.
        stop: days past due of the oldest debt beyond which nothing more is shipped; NEVER without such a rule.
        horizon: last day.
    """
    lost: list[int] = []
    begin = 0
    for at, part in enumerate(parts):
        i = part.invoice
        if at and invoices.buyer[i] != invoices.buyer[parts[at - 1].invoice]:
            begin = at
        issue, failed = int(invoices.issue_day[i]), int(failures[invoices.buyer[i]])
        earlier = zip(parts[begin:at], lost[begin:at], strict=True)
        held_up = any(_holds_up(e, f, invoices, issue, stop) for e, f in earlier)
        if not invoices.open_item[i] and (issue >= failed or held_up):
            lost.append(WITHHELD)
            continue
        due = int(invoices.due_day[i])
        first = max(due + after, 1)
        if part.paid_day == NEVER and first <= horizon and first < failed:
            lost.append(first)
        else:
            lost.append(failed if part.paid_day > failed else NEVER)
    return lost


def _holds_up(part: Part, fate: int, invoices: Invoices, day: int, stop: int) -> bool:
    """Whether an earlier debt is unpaid and overdue beyond the stop-shipment rule on a day."""
    if fate == WITHHELD or stop == NEVER or int(invoices.due_day[part.invoice]) + stop >= day:
        return False
    return fate != NEVER or part.paid_day > day


def received(part: Part, shares: list[tuple[int, float]]) -> Iterator[Part]:
    """A lost part split in proportion to its recoveries, (day, share) each; whole where there is at most one.

    All pieces have the same recovery rate, the sum of the shares, so that each brings the money of its own day.
    """
    rate = sum(share for _, share in shares)
    left = part.amount
    for number, (day, share) in enumerate(sorted(shares)):
        amount = left if number == len(shares) - 1 else part.amount * share / rate
        left -= amount
        yield part._replace(amount=amount, recovery=min(rate, 1.0), receipt_day=day)
    if not shares:
        yield part


def split_invoices(portfolio: Portfolio, parts: Sequence[Part]) -> Invoices:
    """The invoices in parts, in the order of the ledger; parts of one invoice are numbered ``B1/1``, ``B1/2``, …"""
    invoices, buyers = portfolio.invoices, portfolio.buyers
    origin = np.array([part.invoice for part in parts], dtype=np.intp)
    amount = np.array([part.amount for part in parts], dtype=np.float64)
    pieces, seen = Counter(part.invoice for part in parts), Counter[int]()
    names, entities = [], invoices.entity[origin]
    for at, part in enumerate(parts):
        name = invoices.invoice_id[part.invoice]
        if pieces[part.invoice] > 1:
            seen[part.invoice] += 1
            name = f"{name}/{seen[part.invoice]}"
            entities[at] = entity_key(f"invoice:{buyers.buyer_id[invoices.buyer[part.invoice]]}/{name}")
        names.append(name)
    changed = {"invoice_id": names, "entity": entities, "amount": amount}
    for column in fields(invoices):
        if column.name not in changed:
            changed[column.name] = getattr(invoices, column.name)[origin]
    changed["vat"] = invoices.vat[origin] * amount / invoices.amount[origin]
    return Invoices(**changed)  # type: ignore[arg-type]
