"""The open-item file: which invoices are open at ``as_of``, which credits reduce them, what is left out and why.

A line is an invoice, a credit note or a payment on account, by its document type in the spellings of several ERP
systems; where there is none, by its sign. An item is open at ``as_of`` if it was issued by then and not settled by
then, so a history file with settlement dates works unedited at any date. What is left out is an *exclusion* with a
reason; what cannot be read is a problem.
"""

from __future__ import annotations

from decimal import Decimal

from simulator.ledger.codes import CREDIT, INVOICE, PAYMENT
from simulator.ledger.headers import ColumnMap
from simulator.ledger.item_columns import ItemColumns, ItemContext
from simulator.ledger.items import (
    FUTURE,
    NOTHING,
    SETTLED,
    TOTAL,
    ZERO,
    Items,
    apply_credits,
    check_duplicates,
)
from simulator.ledger.text_table import Collector, Table
from simulator.ledger.vat import tax_of_line

TOTAL_WORDS = frozenset({
    "total", "totals", "subtotal", "sum", "summe", "gesamt", "gesamtsumme", "zwischensumme", "saldo",
    "合计", "总计", "小计",
})  # fmt: skip


def read_items(table: Table, columns: ColumnMap, context: ItemContext, found: Collector) -> Items:
    """Interpret the open-item file; problems go to ``found``, exclusions into the result."""
    reader = _Reader(table, columns, context, found)
    items = reader.read()
    check_duplicates(table, columns, items, found)
    apply_credits(items)
    return items


class _Reader(ItemColumns):
    """Reads columns first, then lines; keeps what both need."""

    def read(self) -> Items:
        table, context = self.table, self.context
        totals = self.total_lines()
        kinds = self.kinds(totals)
        originals, rests, signs = self.amounts(totals)
        issue, due = self.days(totals, kinds)
        settled = self.settled_days(issue)
        currencies = self.currencies(signs, totals)
        disputed = self.flags(totals)
        wholes = [None if row in totals else rests[row] if x is None else x for row, x in enumerate(originals)]
        tax = self.columns.index.get("vat", -1)
        vat = [tax_of_line(table, tax, row, whole, self.style, self.found) for row, whole in enumerate(wholes)]
        buyers, ids = self.cells("buyer_id"), self.cells("invoice_id")
        parts = self.cells("item")
        items = Items(history="settled_date" in self.columns or "days_to_settle" in self.columns)
        items.notes += self.notes
        for row in range(len(table)):
            original, rest = originals[row], rests[row]
            buyer = str(buyers[row])
            if row in totals:
                self.total(items, row, original if original is not None else rest, currencies[row])
                continue
            if not buyer:
                self.at(row, "buyer_id", "buyer_id is blank", "blank buyer_id")
            start, end = issue[row], due[row]
            if (original is None and rest is None) or start is None or end is None or not buyer:
                continue  # a problem has been noted
            value = original if original is not None else rest
            assert value is not None
            kind = kinds[row] if kinds[row] in (INVOICE, CREDIT, PAYMENT) else (CREDIT if value < 0 else INVOICE)
            day = settled[row]
            left = value if rest is None or (day is not None and day > context.as_of) else rest
            if rest is None and day is not None and day <= context.as_of:
                left = NOTHING
            reason = ""
            if value == 0:
                reason = ZERO
            elif start > context.as_of:
                reason = FUTURE
            elif left == 0:
                reason = SETTLED
            items.row.append(row)
            items.buyer_id.append(buyer)
            items.invoice_id.append(f"{ids[row]}/{parts[row]}" if parts[row] else str(ids[row]))
            items.currency.append(currencies[row])
            items.kind.append(kind)
            items.issue.append(start)
            items.due.append(end)
            items.amount.append(value)
            items.open_.append(NOTHING if reason else left)
            items.vat.append(vat[row])
            items.excluded.append(reason)
            items.disputed.append(disputed[row])
        self.check_signs(items)
        return items

    def total(self, items: Items, row: int, value: Decimal | None, currency: str) -> None:
        """A total line: kept with its amount, so that the reconciliation shows it, and left out."""
        items.row.append(row)
        items.buyer_id.append("")
        items.invoice_id.append("")
        items.currency.append(currency)
        items.kind.append(INVOICE)
        items.issue.append(self.context.as_of)
        items.due.append(self.context.as_of)
        items.amount.append(value or NOTHING)
        items.open_.append(NOTHING)
        items.vat.append(None)
        items.excluded.append(TOTAL)
        items.disputed.append(False)

    def total_lines(self) -> set[int]:
        """Lines without an id that say they are a total."""
        buyers, ids = self.cells("buyer_id"), self.cells("invoice_id")
        totals = set()
        for row, buyer in enumerate(buyers):
            if (buyer and buyer.casefold().strip(" :*") not in TOTAL_WORDS) or (
                ids[row] and ids[row].casefold().strip(" :*") not in TOTAL_WORDS
            ):
                continue
            if any(cell.strip(" :*").casefold() in TOTAL_WORDS for cell in self.table.rows[row]):
                totals.add(row)
        return totals

    def check_signs(self, items: Items) -> None:
        """Make amounts positive; a negative invoice, or credits of both signs in one file, is a problem."""
        given = self.cells("document_type")
        negative = sum(v < 0 for v, k in zip(items.amount, items.kind, strict=True) if k != INVOICE)
        positive = sum(v > 0 for v, k in zip(items.amount, items.kind, strict=True) if k != INVOICE)
        odd = 1 if negative >= positive else -1
        name = "amount" if "amount" in self.columns else "amount_open"
        for at, (value, kind) in enumerate(zip(items.amount, items.kind, strict=True)):
            row = items.row[at]
            if kind == INVOICE and value < 0 and items.excluded[at] != TOTAL:
                message = f"negative, but the document type says {given[row] or 'nothing'}: an invoice is positive"
                self.at(row, name, message, "negative invoice")
            elif kind != INVOICE and negative and positive and value * odd > 0:
                here, other = ("positive", "negative") if odd > 0 else ("negative", "positive")
                message = f"this {kind} is {here}, the file's other credits are {other}; a reversal is an invoice"
                self.at(row, name, message, "credits of both signs")
            if value < 0 and items.excluded[at] != TOTAL:
                items.amount[at] = -value
            if items.open_[at] < 0:
                items.open_[at] = -items.open_[at]
