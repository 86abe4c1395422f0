"""The open-item file: which invoices are open at ``as_of``, which credits reduce them, what is left out and why.

A line is an invoice, a credit note or a payment on account, by its document type in the spellings of several ERP
systems; where there is none, by its sign. An item is open at ``as_of`` if it was issued by then and not settled by
then, so a history file with settlement dates works unedited at any date. What is left out is an *exclusion* with a
reason; what cannot be read is a problem.
"""

from __future__ import annotations

import datetime as dt
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from decimal import Decimal

from simulator.errors import closest
from simulator.ledger.buyers import BuyerRows
from simulator.ledger.codes import (
    BY_SIGN,
    CREDIT,
    INVOICE,
    PAYMENT,
    currency_code,
    document_kind,
    document_types,
    likely_currency,
)
from simulator.ledger.dates import parse_dates
from simulator.ledger.headers import ColumnMap
from simulator.ledger.items import (
    FUTURE,
    NOTHING,
    SETTLED,
    TOTAL,
    ZERO,
    Items,
    apply_credits,
    check_duplicates,
    iso,
)
from simulator.ledger.reading import Collector, Table
from simulator.ledger.values import (
    Style,
    decimal_style,
    number_message,
    parse_flag,
    parse_number,
    parse_terms,
)
from simulator.ledger.vat import tax_of_line
from simulator.study.schema import FileFormat

LONGEST_TERMS = 1825
TOTAL_WORDS = frozenset({
    "total", "totals", "subtotal", "sum", "summe", "gesamt", "gesamtsumme", "zwischensumme", "saldo",
    "合计", "总计", "小计",
})  # fmt: skip


@dataclass(frozen=True)
class ItemContext:
    """What reading a line depends on beside the file: the study's day and currency, the buyers and their terms."""

    as_of: int
    currency: str
    form: FileFormat
    buyers: BuyerRows
    derived: bool
    default_currency: bool = False


def plausible_days(as_of: int) -> tuple[int, int]:
    """First and last day that an issue or due date can have: from 1990 (or 30 years back) to ten years ahead."""
    day = dt.date.fromordinal(as_of)
    return dt.date(min(1990, day.year - 30), 1, 1).toordinal(), as_of + 3653


def read_items(table: Table, columns: ColumnMap, context: ItemContext, found: Collector) -> Items:
    """Interpret the open-item file; problems go to ``found``, exclusions into the result."""
    reader = _Reader(table, columns, context, found)
    items = reader.read()
    check_duplicates(table, columns, items, found)
    apply_credits(items)
    return items


class _Reader:
    """Reads columns first, then lines; keeps what both need."""

    def __init__(self, table: Table, columns: ColumnMap, context: ItemContext, found: Collector) -> None:
        self.table, self.columns, self.context, self.found = table, columns, context, found
        self.blank: Sequence[str] = [""] * len(table)
        numeric = [columns.index[n] for n in ("amount_open", "amount", "paid", "vat") if n in columns]
        self.style: Style = decimal_style(table, numeric, context.form.decimal, True, found)

    def cells(self, name: str) -> Sequence[str]:
        return self.table.column(self.columns.index[name]) if name in self.columns else self.blank

    def dates(self, name: str) -> Sequence[int | None]:
        if name not in self.columns:
            return [None] * len(self.table)
        return parse_dates(self.table, self.columns.index[name], name, self.context.form.dates, self.found)

    def at(self, row: int, name: str, message: str, kind: str, suggestion: str = "") -> None:
        problem = self.table.problem(row, self.columns.index.get(name, -1), message, name, suggestion)
        self.found.add(kind, problem)

    def numbers(self, name: str) -> tuple[list[Decimal | None], dict[int, str]]:
        """A number column and the currency signs written beside amounts (row → code)."""
        result: list[Decimal | None] = []
        signs: dict[int, str] = {}
        style = self.style
        for row, text in enumerate(self.cells(name)):
            if not text:
                result.append(None)
                continue
            value, currency = parse_number(text, style)
            if value is None:
                self.at(row, name, number_message(text, style), f"{name} is not a number")
            if currency:
                signs[row] = currency
            result.append(value)
        return result, signs

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

    def kinds(self, totals: set[int]) -> list[str]:
        cells = self.cells("document_type")
        known = {text: document_kind(text) for text in set(cells)}
        known[""] = BY_SIGN
        if "" in known.values():
            for row, text in enumerate(cells):
                if not known[text] and row not in totals:
                    message = "unknown document type; known are invoice, credit note, payment on account, "
                    message += "SAP's RV DR DG DZ, Rechnung, Gutschrift, Zahlung, 发票, 贷项 and the like"
                    self.at(row, "document_type", message, "unknown type", closest(text, sorted(document_types())))
        return [known[text] or BY_SIGN for text in cells]

    def amounts(self, totals: set[int]) -> tuple[list[Decimal | None], list[Decimal | None], dict[int, str]]:
        """Original amounts, what is left of them (``None``: the file does not say), currency signs."""
        original, signs = self.numbers("amount")
        rest, more = self.numbers("amount_open")
        signs.update(more)
        self.notes: list[str] = []
        paid = self.paid()
        for row in range(len(self.table)):
            if row in totals:
                continue
            whole, left = original[row], rest[row]
            if whole is None and left is None:
                name = "amount_open" if "amount_open" in self.columns else "amount"
                if not self.cells_text(row, name):
                    self.at(row, name, f"{name} is blank", f"{name} is blank")
                continue
            if left is None and paid is not None and paid[row] is not None and whole is not None:
                left = rest[row] = whole - _signed_like(paid[row], whole)
            if whole is not None and left is not None and abs(left) > abs(whole):
                name = "amount_open" if "amount_open" in self.columns else "paid"
                self.at(row, name, f"more is open ({left}) than the amount ({whole})", "open above amount")
        return original, rest, signs

    def cells_text(self, row: int, name: str) -> str:
        return self.table.rows[row][self.columns.index[name]].strip() if name in self.columns else ""

    def paid(self) -> Sequence[Decimal | None] | None:
        """The ``paid`` column as amounts; a column of yes and no becomes all or nothing."""
        if "paid" not in self.columns:
            return None
        cells = self.cells("paid")
        flags = {text: parse_flag(text) for text in set(cells)}
        if all(flag is not None for flag in flags.values()):
            original = self.numbers("amount")[0]
            return [whole if flags[text] else NOTHING for text, whole in zip(cells, original, strict=True)]
        return self.numbers("paid")[0]

    def days(self, totals: set[int], kinds: Sequence[str]) -> tuple[list[int | None], list[int | None]]:
        """Issue and due days; a missing one follows from the other and the payment terms."""
        issue, due = list(self.dates("issue_date")), list(self.dates("due_date"))
        terms = self.terms()
        buyers = self.cells("buyer_id")
        filled = 0
        first, last = plausible_days(self.context.as_of)
        for row in range(len(self.table)):
            start, end = issue[row], due[row]
            for name, day in (("issue_date", start), ("due_date", end)):
                if day is not None and not first <= day <= last and row not in totals:
                    message = f"{iso(day)} is hardly meant: dates lie between {iso(first)} and {iso(last)}"
                    self.at(row, name, message, "implausible date")
                    break
            if start is not None and end is not None:
                if end < start:
                    if kinds[row] in (CREDIT, PAYMENT):
                        due[row] = start
                    elif row not in totals:
                        message = f"due {iso(end)} before it was issued on {iso(start)}"
                        self.at(row, "due_date", message, "due before issue")
                continue
            if row in totals or any(self.cells_text(row, n) for n in self.unread(start, end)):
                continue  # not a date: a problem has been noted
            if kinds[row] in (CREDIT, PAYMENT):
                day = start if start is not None else end if end is not None else self.context.as_of
                issue[row] = due[row] = day
                continue
            if start is None and end is None:
                self.at(row, "due_date" if "due_date" in self.columns else "issue_date", "no date", "no date")
                continue
            days = terms(row, str(buyers[row]))
            if days is None:
                missing = "due_date" if end is None else "issue_date"
                message = f"{missing} is blank and no payment_terms_days is known (buyer file or portfolio.defaults)"
                self.at(row, missing, message, f"no {missing}")
                continue
            filled += 1
            if end is None and start is not None:
                due[row] = start + days
            elif end is not None:
                issue[row] = end - days
        if filled:
            self.notes.append(f"{filled} lines lack a date, filled in from the payment terms")
        return issue, due

    def unread(self, start: int | None, end: int | None) -> list[str]:
        return [name for name, day in (("issue_date", start), ("due_date", end)) if day is None]

    def terms(self) -> _Terms:
        own: dict[int, int] = {}
        for row, text in enumerate(self.cells("payment_terms_days")):
            if not text:
                continue
            days = parse_terms(text, self.style)
            if days is None or not 0 <= days <= LONGEST_TERMS:
                message = f"payment terms are days from 0 to {LONGEST_TERMS}, such as 30 or Net 30"
                self.at(row, "payment_terms_days", message, "payment terms")
            else:
                own[row] = int(days)
        buyers = self.context.buyers
        by_buyer = dict(zip(buyers.buyer_id, buyers.numbers["payment_terms_days"], strict=True))
        return _Terms(own, by_buyer)

    def settled_days(self, issue: Sequence[int | None]) -> Sequence[int | None]:
        if "settled_date" in self.columns:
            return self.dates("settled_date")
        days, _ = self.numbers("days_to_settle")
        return [None if d is None or s is None else s + int(d) for s, d in zip(issue, days, strict=True)]

    def currencies(self, signs: Mapping[int, str], totals: set[int]) -> list[str]:
        """Currency of each line: its own, else the sign beside the amount, else the buyer's, else the study's."""
        cells = self.cells("currency")
        codes = {text: currency_code(text) for text in set(cells) if text}
        home, buyers = self.context.currency, self.context.buyers
        by_buyer = {} if self.context.derived else dict(zip(buyers.buyer_id, buyers.texts["currency"], strict=True))
        result = []
        assumed = 0
        ids = self.cells("buyer_id")
        for row, text in enumerate(cells):
            code = codes[text] if text else signs.get(row) or by_buyer.get(ids[row], "")
            if text and not code and row not in totals:
                near = likely_currency(text, {home, *filter(None, codes.values())})
                self.at(row, "currency", "not an ISO 4217 currency code", "unknown currency", near)
            if text and code and signs.get(row, code) != code:
                message = f"the amount is written in {signs[row]}, the currency column says {code}"
                self.at(row, "currency", message, "two currencies")
            if not text and not code:
                assumed += 1
            result.append(code or home)
        if assumed:
            self.notes.append(f"{assumed} lines name no currency: taken as {home}")
        return result

    def flags(self, totals: set[int]) -> list[bool]:
        cells = self.cells("disputed")
        known = {text: parse_flag(text) for text in set(cells)}
        if None in known.values():
            for row, text in enumerate(cells):
                if known[text] is None and row not in totals:
                    self.at(row, "disputed", "neither yes nor no", "disputed is neither yes nor no")
        return [bool(known[text]) for text in cells]

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


@dataclass(frozen=True)
class _Terms:
    own: Mapping[int, int]
    by_buyer: Mapping[str, float]

    def __call__(self, row: int, buyer: str) -> int | None:
        if row in self.own:
            return self.own[row]
        days = self.by_buyer.get(buyer)
        return None if days is None or days != days else int(days)


def _signed_like(paid: Decimal | None, whole: Decimal) -> Decimal:
    value = abs(paid or NOTHING)
    return -value if whole < 0 else value
