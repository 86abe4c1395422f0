"""Which column is which: header synonyms of ERP systems, the user's own mapping, and what was not used.

The synonyms are data (``tables/headers.csv``: field, rank, header, where it is seen). A header of rank 2, such as
*posting date* for the issue date, counts only where no header of rank 1 is there. Two headers of one rank that mean
the same field are a problem, not a choice.
"""

from __future__ import annotations

import csv
import difflib
import unicodedata
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from functools import cache
from importlib import resources

from simulator.errors import closest
from simulator.ledger.text_table import Collector, Table

LOADING = "loading_"
#: Columns that say something about a buyer; an open-item file may carry them too.
BUYER_FIELDS = (
    "buyer_id", "name", "country", "sector", "currency", "rating", "group_id", "pd_annual", "lgd", "credit_limit",
    "limit_currency", "annual_sales", "payment_terms_days", "exposure", "delay_location_days", "delay_scale",
    "buyer_type", "related", "public", "private", "vat_rate",
)  # fmt: skip
ITEM_FIELDS = (
    "buyer_id", "invoice_id", "item", "document_type", "issue_date", "due_date", "currency", "amount_open", "amount",
    "paid", "settled_date", "days_to_settle", "disputed", "payment_terms_days", "vat",
)  # fmt: skip
PLAN_FIELDS = ("buyer_id", "invoice_id", "issue_date", "due_date", "currency", "amount", "vat")
ALL_FIELDS = tuple(dict.fromkeys(BUYER_FIELDS + ITEM_FIELDS))


@cache
def normal(header: str) -> str:
    """A header without case, accents, spaces and punctuation: ``Rechnungs-Nr.`` → ``rechnungsnr``."""
    text = unicodedata.normalize("NFKD", header.casefold())
    return "".join(char for char in text if char.isalnum())


@cache
def synonyms() -> dict[str, dict[str, int]]:
    """Field → normalised header → rank. German headers are known with umlauts, without, and as ae, oe, ue."""
    known: dict[str, dict[str, int]] = {}
    text = (resources.files("simulator.ledger") / "tables" / "headers.csv").read_text(encoding="utf-8")
    for row in csv.DictReader(text.splitlines()):
        ranks = known.setdefault(row["field"], {})
        spelt = row["header"].casefold()
        for form in (spelt, spelt.replace("ä", "ae").replace("ö", "oe").replace("ü", "ue")):
            ranks.setdefault(normal(form), int(row["rank"]))
    return known


@dataclass
class ColumnMap:
    """Which column of one file holds which field.

    Attributes:
        index: field → column index, fields absent where the file does not have them.
        headers: field → header as written.
        unused: headers that mean nothing here.
    """

    index: dict[str, int] = field(default_factory=dict)
    headers: dict[str, str] = field(default_factory=dict)
    unused: list[str] = field(default_factory=list)

    def __contains__(self, name: str) -> bool:
        return name in self.index

    @property
    def loadings(self) -> dict[str, int]:
        """Driver → column index of the ``loading_<driver>`` columns."""
        return {name.removeprefix(LOADING): at for name, at in self.index.items() if name.startswith(LOADING)}


def recogniser(fields: Sequence[str], columns: Mapping[str, str]) -> _Recogniser:
    """Counts how many cells of a line are headers of the given fields, user-mapped ones included."""
    known = {header for name in fields for header in synonyms().get(name, {})}
    return _Recogniser(known | {normal(header) for header in columns.values()})


@dataclass(frozen=True)
class _Recogniser:
    known: set[str]

    def __call__(self, row: Sequence[str]) -> int:
        return sum(normal(cell) in self.known for cell in row if len(cell) < 60)


def map_headers(
    table: Table,
    fields: Sequence[str],
    required: Iterable[tuple[str, ...]],
    columns: Mapping[str, str],
    found: Collector,
) -> ColumnMap:
    """Decide which column holds which field.

    Args:
        table: the file.
        fields: fields that mean something in this kind of file.
        required: fields without which the file is useless; of each tuple one is enough.
        columns: the study's ``portfolio.columns`` (field → header), which comes before any synonym.
        found: where problems go.
    """
    headers = [normal(header) for header in table.header]
    mapping = ColumnMap()
    used: set[int] = set()
    for name in (*fields, *(f for f in columns if f.startswith(LOADING))):
        if name in columns and name not in mapping:
            places = _places(headers, table.header, columns[name])
            if len(places) > 1:
                message = f"the header {columns[name]!r} stands over {len(places)} columns; which one is {name}?"
                found.add("ambiguous column", table.problem(-1, places[1], message, name))
            if places:
                mapping.index[name] = places[0]
                used.add(places[0])
    for at, header in enumerate(table.header):
        if header.casefold().startswith(LOADING) and at not in used:
            mapping.index[LOADING + header[len(LOADING) :].strip()] = at
            used.add(at)
    for name in fields:
        if name not in mapping.index:
            _by_synonym(table, name, headers, used, mapping, found)
    for choices in required:
        if not any(name in mapping for name in choices):
            _missing(table, choices, used, found)
    _near_misses(table, fields, used, mapping, found)
    mapping.headers = {name: table.header[at] for name, at in mapping.index.items()}
    mapping.unused = [header for at, header in enumerate(table.header) if at not in used and header]
    return mapping


def _places(headers: list[str], written: list[str], wanted: str) -> list[int]:
    exact = [at for at, header in enumerate(written) if header == wanted.strip()]
    return exact or [at for at, header in enumerate(headers) if header == normal(wanted)]


def _by_synonym(
    table: Table, name: str, headers: list[str], used: set[int], mapping: ColumnMap, found: Collector
) -> None:
    ranks = synonyms().get(name, {})
    matches = [(ranks[header], at) for at, header in enumerate(headers) if header in ranks and at not in used]
    if not matches:
        return
    best = min(rank for rank, _ in matches)
    places = [at for rank, at in matches if rank == best]
    own = [at for at in places if table.header[at] == name]
    if len(own) == 1:
        places = own
    if len(places) > 1:
        others = " and ".join(repr(table.header[at]) for at in places)
        message = f"{others} could each be {name}; say which in portfolio.columns: {{{name}: …}}"
        found.add("ambiguous column", table.problem(-1, places[1], message, name))
    mapping.index[name] = places[0]
    used.update(places)


def _missing(table: Table, choices: tuple[str, ...], used: set[int], found: Collector) -> None:
    free = {normal(header): header for at, header in enumerate(table.header) if at not in used and header}
    known = [header for name in choices for header in synonyms()[name]]
    score, match = max(((_alike(one, other), other) for one in known for other in free), default=(0.0, ""))
    name = choices[0]
    message = f"no column for {' or '.join(choices)}; the headers are {', '.join(h for h in table.header if h)}; "
    message += f"name it in portfolio.columns: {{{name}: <header>}}"
    found.add("missing column", table.problem(-1, -1, message, name, free[match] if score >= 0.7 else ""))


def _near_misses(table: Table, fields: Sequence[str], used: set[int], mapping: ColumnMap, found: Collector) -> None:
    """An unused header that is one slip away from a field would silently be left out: say so."""
    absent = {normal(name): name for name in fields if name not in mapping and len(name) >= 4}
    for at, header in enumerate(table.header):
        if at in used or not header:
            continue
        near = [name for plain, name in absent.items() if _alike(plain, normal(header)) >= 0.9]
        if near:
            message = "unknown column, very close to a known one; rename it, or map it in portfolio.columns"
            found.add("unknown column", table.problem(-1, at, message, suggestion=near[0]))


def _alike(one: str, other: str) -> float:
    return difflib.SequenceMatcher(None, one, other).ratio()


def suggestion_for(name: str) -> str:
    """The known field nearest to a misspelt one."""
    return closest(name, ALL_FIELDS)
