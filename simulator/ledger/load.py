"""Files → :class:`~simulator.ledger.portfolio.Portfolio`: the one door of this room.

:func:`read_ledger` reads and checks the files and needs nothing compiled, so that ``simulator check`` is quick;
:func:`load_portfolio` goes on to planned sales, entity keys and arrays.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass, field

from simulator.errors import Problem, Problems, display_path
from simulator.ledger.arrays import buyer_arrays, invoice_arrays, no_invoices, volume_of, with_cover
from simulator.ledger.buyers import BuyerRows, Loaded, read_buyers, read_defaults
from simulator.ledger.derived import condensed
from simulator.ledger.headers import (
    ALL_FIELDS,
    BUYER_FIELDS,
    ITEM_FIELDS,
    LOADING,
    ColumnMap,
    map_headers,
    normal,
    recogniser,
    suggestion_for,
)
from simulator.ledger.item_columns import ItemContext
from simulator.ledger.items import TOTAL, Items
from simulator.ledger.open_items import read_items
from simulator.ledger.planned import plan_sales
from simulator.ledger.portfolio import Portfolio
from simulator.ledger.profile import build_profile
from simulator.ledger.reading import numbered, read_table
from simulator.ledger.text_table import Collector, Table
from simulator.study.files import resolve_file

#: Currencies → study currency per unit; may raise InputError.
SpotLookup = Callable[[list[str]], dict[str, float]]


@dataclass
class Ledger:
    """The files as read and checked, before planned sales.

    Attributes:
        as_of: ordinal of the ledger's day.
        currency: study currency.
        rates: study currency per unit, for the currencies the study names; the study currency is 1.
        buyers: buyers as read.
        items: open-item lines as read; empty in constant-exposure mode.
        item_table, item_columns: their file and mapping, ``None`` where there is none.
        files: the tables read and their mappings, for the profile.
        notes: what a reader of the profile should know.
    """

    as_of: int
    currency: str
    rates: dict[str, float]
    buyers: BuyerRows
    items: Items
    item_table: Table | None = None
    item_columns: ColumnMap | None = None
    files: list[tuple[str, Table, ColumnMap]] = field(default_factory=list)
    notes: list[str] = field(default_factory=list)

    def rate(self, currency: str) -> float:
        """Study currency per unit; NaN where the study names no rate."""
        return self.rates.get(currency, math.nan)


def read_ledger(loaded: Loaded, found: Collector | None = None) -> Ledger:
    """Read and check buyers and open items.

    Args:
        loaded: the study.
        found: where problems go; without it they are raised together.

    Raises:
        InputError: with every problem, unless ``found`` was given; always where a file cannot be read at all.
    """
    collector = found if found is not None else Collector(Problems())
    section, info = loaded.study.portfolio, loaded.study.study
    constant = section.exposure == "constant"
    defaults = read_defaults(loaded, collector)
    buyer_file, item_file = section.buyers, None if constant else section.open_items
    if buyer_file is None and (constant or item_file is None):
        collector.add("no ledger", loaded.problem("portfolio", _nothing_named(constant)))
    buyer_table = _open(loaded, "buyers", buyer_file, BUYER_FIELDS, collector)
    item_fields = ITEM_FIELDS if buyer_file is not None else tuple(dict.fromkeys(ITEM_FIELDS + BUYER_FIELDS))
    item_table = _open(loaded, "open_items", item_file, item_fields, collector)
    _check_columns(loaded, [t for t in (buyer_table, item_table) if t is not None], collector)
    files: list[tuple[str, Table, ColumnMap]] = []
    item_columns = None
    if item_table is not None:
        required = [("buyer_id",), ("amount_open", "amount"), ("due_date", "issue_date")]
        item_columns = map_headers(item_table, item_fields, required, section.columns, collector)
    derived = buyer_file is None
    source = buyer_table
    columns: ColumnMap | None = None
    if buyer_table is not None:
        wanted = [("buyer_id",), ("exposure",)] if constant else [("buyer_id",)]
        wanted = [names for names in wanted if not any(name in defaults for name in names)]
        columns = map_headers(buyer_table, BUYER_FIELDS, wanted, section.columns, collector)
        files.append(("buyers", buyer_table, columns))
    elif derived and item_table is not None and item_columns is not None and "buyer_id" in item_columns:
        source, columns = condensed(item_table, item_columns), item_columns
    if item_table is not None and item_columns is not None:
        files.append(("open_items", item_table, item_columns))
    if source is None or columns is None or "buyer_id" not in columns:
        collector.finish()
        collector.problems.raise_if_any()
        raise AssertionError("a ledger without buyers is a problem")  # pragma: no cover
    buyers = read_buyers(loaded, source, columns, defaults, collector, derived)
    rates = {info.currency: 1.0, **loaded.study.fx.rates}
    ledger = Ledger(info.as_of.toordinal(), info.currency, rates, buyers, Items(), item_table, item_columns, files)
    if item_table is not None and item_columns is not None and "buyer_id" in item_columns:
        context = ItemContext(
            ledger.as_of, info.currency, section.format, buyers, derived and "currency" in item_columns
        )
        ledger.items = read_items(item_table, item_columns, context, collector)
        ledger.notes += ledger.items.notes
    _check_ids(ledger, collector)
    if found is None:
        collector.finish()
        collector.problems.raise_if_any()
    return ledger


def load_portfolio(
    loaded: Loaded,
    sales_multiplier: float = 1.0,
    spot_lookup: SpotLookup | None = None,
    problems: Problems | None = None,
) -> Portfolio:
    """Read the ledger, plan the sales and lay both out as arrays.

    Args:
        loaded: the study (``study``, ``folder``, ``problem``).
        sales_multiplier: multiplies planned amounts (stress).
        spot_lookup: gives the rate of a currency that ``fx.rates`` does not name (from a history, say).
        problems: where problems go, instead of being raised; the portfolio then has the buyers and currencies that
            could be read, for further checks, and no invoices.

    Raises:
        InputError: with every problem of study and ledger files; always where no buyers can be read.
    """
    found = Collector(Problems() if problems is None else problems)
    before = len(found)
    ledger = read_ledger(loaded, found)
    constant = loaded.study.portfolio.exposure == "constant"
    planned = None
    if not constant and len(found) == before:
        planned = plan_sales(loaded, ledger, sales_multiplier, spot_lookup, found)
    if len(found) == before and not constant and not any(ledger.items.net) and not (planned and len(planned)):
        found.add("empty ledger", _empty(loaded, ledger))
    found.finish()
    if problems is None:
        found.problems.raise_if_any()
    buyers = buyer_arrays(loaded, ledger, found)
    if len(found) > before:
        owed = {ledger.items.currency[at] for at, net in enumerate(ledger.items.net) if net > 0}
        currencies = [ledger.currency, *sorted(owed - {ledger.currency})]
        return Portfolio(ledger.currency, with_cover(loaded, currencies, buyers), buyers, no_invoices())
    currencies, invoices = invoice_arrays(ledger, planned, buyers, found)
    if problems is None:
        found.problems.raise_if_any()
    currencies = with_cover(loaded, currencies, buyers)
    profile = build_profile(loaded, ledger, planned)
    return Portfolio(
        ledger.currency, currencies, buyers, invoices, profile, volume_of(ledger, planned, buyers, spot_lookup)
    )


def _nothing_named(constant: bool) -> str:
    if constant:
        return "exposure: constant needs portfolio.buyers, a file with buyer_id and exposure"
    return "name portfolio.buyers, portfolio.open_items, or both"


def _open(loaded: Loaded, key: str, name: str | None, fields: Sequence[str], found: Collector) -> Table | None:
    if name is None:
        return None
    section = loaded.study.portfolio
    path = resolve_file(loaded.folder, name)
    if not path.is_file():
        near = sorted(p.name for p in path.parent.glob("*.*")) if path.parent.is_dir() else []
        message = f"no such file: {display_path(path)}; the folder has {numbered(near) or 'no files'}"
        found.add("missing file", loaded.problem(f"portfolio.{key}", message, name))
        return None
    return read_table(path, display_path(path), section.format, recogniser(fields, section.columns), found)


def _check_columns(loaded: Loaded, tables: Iterable[Table], found: Collector) -> None:
    """Every key of ``portfolio.columns`` is a known field and every header named there exists in some file."""
    headers = [header for table in tables for header in table.header]
    plain = {normal(header) for header in headers}
    for key, header in loaded.study.portfolio.columns.items():
        path = f"portfolio.columns.{key}"
        if key not in ALL_FIELDS and not key.startswith(LOADING):
            near = suggestion_for(key)
            message = f"not a ledger column; known are {', '.join(ALL_FIELDS)}"
            found.add("columns", loaded.problem(path, message + (f"; did you mean {near}?" if near else ""), header))
        elif headers and normal(header) not in plain:
            message = f"no file has this header; the headers are {', '.join(dict.fromkeys(headers))}"
            found.add("columns", loaded.problem(path, message, header))


def _check_ids(ledger: Ledger, found: Collector) -> None:
    """Every item has its buyer; ``007`` and ``7`` are not both in use."""
    buyers, items, table, columns = ledger.buyers, ledger.items, ledger.item_table, ledger.item_columns
    by_number: dict[str, tuple[str, Problem | None]] = {}
    for at, buyer in enumerate(buyers.buyer_id):
        short = buyer.lstrip("0")
        if not short:
            continue
        other = by_number.setdefault(short, (buyer, None))[0]
        if other != buyer:
            message = f"{other!r} and {buyer!r} differ only in leading zeros; if they are one buyer, write it one way"
            found.add("leading zeros", buyers.problem(at, "buyer_id", message))
    if table is None or columns is None or buyers.derived or "buyer_id" not in columns:
        return
    column = columns.index["buyer_id"]
    missing: dict[str, list[int]] = {}
    for at, buyer in enumerate(items.buyer_id):
        if buyer not in buyers.index and items.excluded[at] != TOTAL:
            missing.setdefault(buyer, []).append(items.row[at])
    for buyer, rows in missing.items():
        near = by_number.get(buyer.lstrip("0"), ("", None))[0]
        message = f"this buyer is not in {buyers.table.file} ({len(rows)} lines)"
        if near:
            message += f"; {near!r} is there: leading zeros must agree"
        found.add("buyer not in the buyer file", table.problem(rows[0], column, message, "buyer_id"))


def _empty(loaded: Loaded, ledger: Ledger) -> Problem:
    counts: dict[str, int] = {}
    for reason in ledger.items.excluded:
        counts[reason or "open"] = counts.get(reason or "open", 0) + 1
    why = ", ".join(f"{count} {reason}" for reason, count in counts.items()) or "no lines"
    message = f"nothing is open on this day and no sales are planned: the ledger is empty ({why})"
    return loaded.problem("study.as_of", message, loaded.study.study.as_of.isoformat())
