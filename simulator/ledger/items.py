"""Lines of an open-item file: what each one is, duplicates, and credits set against invoices."""

from __future__ import annotations

import datetime as dt
from dataclasses import dataclass, field
from decimal import Decimal

from simulator.ledger.codes import INVOICE
from simulator.ledger.headers import ColumnMap
from simulator.ledger.text_table import Collector, Table

FUTURE = "issued after as_of"
SETTLED = "settled by as_of"
PART_SETTLED = "part settled by as_of"
ZERO = "amount is zero"
TOTAL = "total line"
NOTHING = Decimal(0)


@dataclass
class Items:
    """Lines of the open-item file, one entry per line in file order.

    Attributes:
        row: index into the table's rows.
        buyer_id, invoice_id, currency, kind, issue, due: the line; days are ordinals.
        amount: the line's amount, ≥ 0 whatever its kind and the file's sign convention.
        open_: what is open at ``as_of`` before credits.
        vat: value added tax in ``amount``; ``None`` where the file does not say.
        net: what is open after credits and payments on account (invoices).
        applied: how much of a credit was used (credits).
        excluded: why the line does not count, empty where it does.
        disputed: whether it is disputed.
        history: whether the file shows settled items too.
        notes: what a reader of the profile should know.
    """

    row: list[int] = field(default_factory=list)
    buyer_id: list[str] = field(default_factory=list)
    invoice_id: list[str] = field(default_factory=list)
    currency: list[str] = field(default_factory=list)
    kind: list[str] = field(default_factory=list)
    issue: list[int] = field(default_factory=list)
    due: list[int] = field(default_factory=list)
    amount: list[Decimal] = field(default_factory=list)
    open_: list[Decimal] = field(default_factory=list)
    vat: list[Decimal | None] = field(default_factory=list)
    net: list[Decimal] = field(default_factory=list)
    applied: list[Decimal] = field(default_factory=list)
    excluded: list[str] = field(default_factory=list)
    disputed: list[bool] = field(default_factory=list)
    history: bool = False
    notes: list[str] = field(default_factory=list)

    def __len__(self) -> int:
        return len(self.row)


def iso(ordinal: int) -> str:
    """A day as YYYY-MM-DD."""
    return dt.date.fromordinal(ordinal).isoformat()


def check_duplicates(table: Table, columns: ColumnMap, items: Items, found: Collector) -> None:
    """Refuse the same document twice; give every invoice a name of its own.

    Lines of one invoice number with different due dates are instalments and are named ``<number>/<due date>``.
    Where the file has no number, the name is made of issue date, due date, currency and amount, so that it does not
    depend on the order of lines.
    """
    seen: dict[tuple[object, ...], int] = {}
    names: dict[tuple[str, str], int] = {}
    several: dict[tuple[str, str], list[int]] = {}
    at_column = columns.index.get("invoice_id", -1)
    unnamed: set[str] = set()
    lacking = 0
    lines = zip(
        items.buyer_id,
        items.invoice_id,
        items.kind,
        items.due,
        items.currency,
        items.amount,
        items.excluded,
        strict=True,
    )
    for at, (buyer, number, kind, due, currency, amount, excluded) in enumerate(lines):
        if excluded == TOTAL:
            continue
        if number:
            first = seen.setdefault((buyer, number, kind, due, currency, 0 if kind == INVOICE else amount), at)
            if first != at:
                message = f"the same {kind} of this buyer is already on line {table.lines[items.row[first]]}"
                found.add("duplicate item", table.problem(items.row[at], at_column, message, "invoice_id"))
        else:
            lacking += 1
            number = f"{iso(items.issue[at])}/{iso(due)}/{currency}/{format(amount.normalize(), 'f')}"
            items.invoice_id[at] = number
            unnamed.add(number)
        if kind == INVOICE:
            first = names.setdefault((buyer, number), at)
            if first != at:
                several.setdefault((buyer, number), [first]).append(at)
    split = 0
    for (_, number), places in several.items():
        split += number not in unnamed
        taken: dict[str, int] = {}
        for at in places:
            name = number if number in unnamed else f"{number}/{iso(items.due[at])}/{items.currency[at]}"
            taken[name] = taken.get(name, 0) + 1
            items.invoice_id[at] = name if taken[name] == 1 else f"{name}/{taken[name]}"
    if lacking:
        items.notes.append(f"{lacking} lines have no invoice number: duplicates among them cannot be found")
    if split:
        items.notes.append(f"{split} invoice numbers stand on several lines and are taken as instalments")


def apply_credits(items: Items) -> None:
    """Set credit notes and payments on account against the same buyer's invoices in the same currency, oldest first.

    Oldest by due date, then issue date, then number. What is left of a credit stays unused and is reported; it never
    makes an exposure negative.
    """
    items.net = list(items.open_)
    items.applied = [NOTHING] * len(items)
    credits: dict[tuple[str, str], list[int]] = {}
    for at, kind in enumerate(items.kind):
        if kind != INVOICE and not items.excluded[at]:
            credits.setdefault((items.buyer_id[at], items.currency[at]), []).append(at)
    if not credits:
        return
    invoices: dict[tuple[str, str], list[int]] = {key: [] for key in credits}
    for at, kind in enumerate(items.kind):
        if kind == INVOICE and not items.excluded[at]:
            key = (items.buyer_id[at], items.currency[at])
            if key in invoices:
                invoices[key].append(at)
    for key, given in credits.items():
        order = sorted(invoices[key], key=lambda at: (items.due[at], items.issue[at], items.invoice_id[at]))
        place = 0
        for credit in sorted(given, key=lambda at: (items.issue[at], items.invoice_id[at])):
            left = items.open_[credit]
            while left and place < len(order):
                used = min(left, items.net[order[place]])
                items.net[order[place]] -= used
                items.applied[credit] += used
                left -= used
                if not items.net[order[place]]:
                    place += 1
        for credit in given:
            items.net[credit] = NOTHING
