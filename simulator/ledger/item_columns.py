"""The columns of the open-item file: amounts, days, currencies and flags of its lines, one column after the other.

What is blank in one column may follow from others: what is open from the amount and what was paid, a day from the
payment terms, the currency from the sign beside an amount or from the buyer.
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
    PAYMENT,
    currency_code,
    document_kind,
    document_types,
    likely_currency,
)
from simulator.ledger.dates import parse_dates
from simulator.ledger.headers import ColumnMap
from simulator.ledger.items import NOTHING, iso
from simulator.ledger.text_table import Collector, Table
from simulator.ledger.values import (
    Style,
    decimal_style,
    number_message,
    parse_flag,
    parse_number,
    parse_terms,
)
from simulator.study.schema import FileFormat

LONGEST_TERMS = 1825


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


class ItemColumns:
    """Reads the columns of one file."""

    def __init__(self, table: Table, columns: ColumnMap, context: ItemContext, found: Collector) -> None:
        self.table, self.columns, self.context, self.found = table, columns, context, found
        self.blank: Sequence[str] = [""] * len(table)
        numeric = [columns.index[n] for n in ("amount_open", "amount", "paid", "vat") if n in columns]
        self.style: Style = decimal_style(table, numeric, context.form.decimal, True, found)

    def cells(self, name: str) -> Sequence[str]:
        """The cells of a column; blanks where the file has none of this name."""
        return self.table.column(self.columns.index[name]) if name in self.columns else self.blank

    def cells_text(self, row: int, name: str) -> str:
        """One cell as it was written."""
        return self.table.rows[row][self.columns.index[name]].strip() if name in self.columns else ""

    def dates(self, name: str) -> Sequence[int | None]:
        """A column of days."""
        if name not in self.columns:
            return [None] * len(self.table)
        return parse_dates(self.table, self.columns.index[name], name, self.context.form.dates, self.found)

    def at(self, row: int, name: str, message: str, kind: str, suggestion: str = "") -> None:
        """Note a problem at a cell."""
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

    def kinds(self, totals: set[int]) -> list[str]:
        """Document types."""
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
        """Which of the two days is not known."""
        return [name for name, day in (("issue_date", start), ("due_date", end)) if day is None]

    def terms(self) -> _Terms:
        """Payment terms by line, else by buyer."""
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
        """Days on which items were settled."""
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
        """Which items are disputed."""
        cells = self.cells("disputed")
        known = {text: parse_flag(text) for text in set(cells)}
        if None in known.values():
            for row, text in enumerate(cells):
                if known[text] is None and row not in totals:
                    self.at(row, "disputed", "neither yes nor no", "disputed is neither yes nor no")
        return [bool(known[text]) for text in cells]


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
