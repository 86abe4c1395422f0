"""Value added tax in the amounts of ledgers and plans: part of what a buyer owes, but rarely insured."""

from __future__ import annotations

import math
from decimal import Decimal

from simulator.ledger.text_table import Collector, Table
from simulator.ledger.values import Style, number_message, parse_number


def vat_part(amount: float, rate: float) -> float:
    """Value added tax in an amount that includes it, from its rate on the net amount; 119 at 19 % holds 19.

    No rate (NaN): no tax.
    """
    return 0.0 if math.isnan(rate) else amount * rate / (1.0 + rate)


def tax_of_line(
    table: Table, column: int, row: int, amount: Decimal | None, style: Style, found: Collector
) -> Decimal | None:
    """The tax a line names, without its sign; ``None`` where it names none or its amount is not known.

    Args:
        table: the file.
        column: its tax column, -1 where it has none.
        row: the line.
        amount: of the line, tax included, with its sign; ``None`` where it does not count.
        style: the file's decimal sign.
        found: where problems go.
    """
    text = table.column(column)[row] if column >= 0 else ""
    if not text or amount is None:
        return None
    tax, _ = parse_number(text, style)
    if tax is None:
        found.add("vat is not a number", table.problem(row, column, number_message(text, style), "vat"))
        return None
    if tax * amount < 0 or abs(tax) > abs(amount):
        found.add(
            "vat", table.problem(row, column, f"must lie between 0 and the amount it is part of ({amount})", "vat")
        )
    return abs(tax)
