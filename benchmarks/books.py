"""Ledger studies of any size: the exporter study on a larger or smaller book, or with more or fewer invoices."""

from __future__ import annotations

import atexit
import csv
import os
import shutil
import tempfile
from collections.abc import Mapping
from dataclasses import replace
from functools import cache
from pathlib import Path
from typing import Any

import simulator
from benchmarks.measure import EXPORTER
from simulator.ledger.books import EXPORTER as EXPORTER_BOOK
from simulator.ledger.synthetic import synthetic_ledger
from simulator.study.load import LoadedStudy

#: Task S2: 5,000 buyers; with what is open and what is planned at this rate there are 250,000 invoices.
S2_BUYERS, S2_INVOICES_PER_YEAR = 5_000, 49
BUYER_FIELDS = "buyer_id country sector currency rating group_id payment_terms_days credit_limit annual_sales"
ITEM_FIELDS = "buyer_id invoice_id document_type issue_date due_date currency amount_open disputed"


@cache
def work_folder() -> Path:
    """Where made-up ledgers lie: the run's folder, shared with its child processes, or one of this process."""
    given = os.environ.get("BENCHMARK_FOLDER")
    if given:
        return Path(given)
    folder = Path(tempfile.mkdtemp(prefix="benchmarks-"))
    atexit.register(shutil.rmtree, folder, ignore_errors=True)
    return folder


def ledger_study(n_buyers: int, invoices_per_year: int, overrides: Mapping[str, Any] | None = None) -> LoadedStudy:
    """The exporter study on a synthetic book.

    Args:
        n_buyers: how many buyers; sales grow with them.
        invoices_per_year: planned invoices of each buyer.
        overrides: more keys of the study to set.
    """
    files = _write_book(work_folder(), n_buyers)
    keys: dict[str, Any] = {"portfolio.sales.invoices_per_year": invoices_per_year, **files, **(overrides or {})}
    return simulator.load_study(EXPORTER, keys)


def _write_book(folder: Path, n_buyers: int) -> dict[str, str]:
    """Write buyers and open items as plain files, once; the keys of a study that name them."""
    buyers, items = (folder / f"{what}_{n_buyers}.csv" for what in ("buyers", "items"))
    if not items.is_file():
        turnover = EXPORTER_BOOK.turnover * n_buyers / EXPORTER_BOOK.n_buyers
        book = synthetic_ledger(replace(EXPORTER_BOOK, n_buyers=n_buyers, turnover=turnover))
        _write(buyers, BUYER_FIELDS, [
            (f"C{b.number:05d}", b.place.code, b.sector, b.currency, b.rating, f"G{b.group}" if b.group else "",
             b.terms, "" if b.credit_limit is None else b.credit_limit, b.annual_sales) for b in book.buyers
        ])  # fmt: skip
        _write(items, ITEM_FIELDS, [
            (f"C{i.buyer:05d}", f"I{i.number:07d}", i.kind, i.issue.isoformat(), i.due.isoformat(), i.currency,
             f"{i.cents / 100:.2f}", "yes" if i.disputed else "no") for i in book.items
        ])  # fmt: skip
    return {"portfolio.buyers": str(buyers), "portfolio.open_items": str(items)}


def _write(path: Path, header: str, rows: list[tuple[Any, ...]]) -> None:
    with path.open("w", newline="", encoding="utf-8") as file:
        writer = csv.writer(file)
        writer.writerow(header.split())
        writer.writerows(rows)
