"""Buyers where there is no buyer file: what the open items say of them."""

from __future__ import annotations

from simulator.ledger.headers import BUYER_FIELDS, LOADING, ColumnMap
from simulator.ledger.text_table import Table


def condensed(table: Table, columns: ColumnMap) -> Table:
    """An open-item file reduced to one line per buyer: the first non-blank cell of every buyer column.

    Used where there is no buyer file. A buyer's currency is the one most of its lines have.
    """
    at = columns.index["buyer_id"]
    fields = [column for name, column in columns.index.items() if name in BUYER_FIELDS or name.startswith(LOADING)]
    first: dict[str, int] = {}
    rows: list[list[str]] = []
    lines: list[int] = []
    counts: list[dict[str, int]] = []
    currency = columns.index.get("currency")
    for line, row in zip(table.lines, table.rows, strict=True):
        buyer = row[at].strip()
        if not buyer:
            continue
        position = first.setdefault(buyer, len(rows))
        if position == len(rows):
            rows.append(list(row))
            lines.append(line)
            counts.append({})
        kept = rows[position]
        for column in fields:
            if row[column] and not kept[column].strip():
                kept[column] = row[column]
        if currency is not None:
            count = counts[position]
            count[row[currency].strip()] = count.get(row[currency].strip(), 0) + 1
    if currency is not None:
        for kept, count in zip(rows, counts, strict=True):
            kept[currency] = max((code for code in count if code), key=lambda code: (count[code], code), default="")
    return Table(
        table.file, table.header, table.header_line, rows, lines, table.source, table.delimiter, table.encoding
    )
