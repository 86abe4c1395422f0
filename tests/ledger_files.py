"""Small ledger studies on disk, for the ledger tests."""

from __future__ import annotations

from pathlib import Path
from typing import Any

from simulator.errors import InputError
from simulator.ledger.load import load_portfolio
from simulator.ledger.portfolio import Portfolio
from simulator.study.load import LoadedStudy, load_study

BUYERS = (
    "buyer_id,name,country,currency,rating,payment_terms_days,annual_sales\n"
    "A,Alpha,DE,EUR,BB,30,0\nB,Beta,NA,USD,B,60,0\n"
)
ITEMS_HEAD = "buyer_id,invoice_id,document_type,issue_date,due_date,currency,amount_open,disputed\n"


def write(folder: Path, name: str, text: str | bytes, encoding: str = "utf-8") -> str:
    """Write a file and return its absolute name."""
    path = folder / name
    path.write_bytes(text if isinstance(text, bytes) else text.encode(encoding))
    return str(path)


def study(
    folder: Path, buyers: str | bytes | None = BUYERS, items: str | bytes | None = None, **more: Any
) -> LoadedStudy:
    """A loaded study around ledger files; keyword arguments go to ``portfolio``, ``__`` starts another section."""
    portfolio: dict[str, Any] = {"sales": {"mode": "run_off"}}
    if buyers is not None:
        portfolio["buyers"] = write(folder, "buyers.csv", buyers)
    if items is not None:
        portfolio["open_items"] = write(folder, "open_items.csv", items)
    content: dict[str, Any] = {
        "schema": 1,
        "study": {"title": "t", "as_of": "2026-10-30", "currency": "EUR"},
        "portfolio": portfolio,
        "fx": {"rates": {"USD": 0.8, "GBP": 1.2}},
        "programmes": [{"name": "Self-insurance", "type": "none"}],
    }
    for key, value in more.items():
        if key.startswith("__"):
            content[key[2:]] = {**content.get(key[2:], {}), **value}
        else:
            portfolio[key] = value
    return load_study(content)


def load(folder: Path, items: str | bytes | None = None, **more: Any) -> Portfolio:
    """The portfolio of such a study."""
    return load_portfolio(study(folder, items=items, **more))


def problems(folder: Path, items: str | bytes | None = None, **more: Any) -> list[Any]:
    """Every problem of such a study's ledger, in the order shown."""
    try:
        load(folder, items, **more)
    except InputError as error:
        return list(error.problems)
    return []
