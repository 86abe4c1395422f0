"""The buyer file: one line per buyer, or buyers derived from the open items where there is no such file.

Blank is not zero: a blank credit limit is *no named limit* (NaN), a zero limit is *no cover*, ``unlimited`` is
infinite. A blank is filled from ``portfolio.defaults`` where that has the column.
"""

from __future__ import annotations

import math
from collections import Counter
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from decimal import Decimal
from pathlib import Path
from typing import Protocol

from simulator.errors import Problem, closest
from simulator.ledger.buyer_types import FLAGS, buyer_type, buyer_types, flagged
from simulator.ledger.codes import countries, country_code, currency_code, likely_country, likely_currency
from simulator.ledger.headers import BUYER_FIELDS, LOADING, ColumnMap, suggestion_for
from simulator.ledger.reading import numbered
from simulator.ledger.text_table import Collector, Table
from simulator.ledger.values import (
    Style,
    decimal_style,
    number_message,
    parse_limit,
    parse_number,
    parse_share_text,
    parse_terms,
)
from simulator.study.schema import Study

TEXTS = ("name", "country", "sector", "currency", "rating", "group_id", "limit_currency", "buyer_type", *FLAGS)
Bound = Callable[[float], bool]
Parser = Callable[[str, Style], Decimal | None]


class Loaded(Protocol):
    """A study with its place on disk: what :func:`simulator.study.load.load_study` returns."""

    @property
    def study(self) -> Study:
        """The study."""

    @property
    def folder(self) -> Path:
        """The folder that file names in the study are relative to."""

    def problem(self, path: str, message: str, value: object = None, suggestion: str = "") -> Problem:
        """A problem at a key of the study file."""


@dataclass(frozen=True)
class _Rule:
    parser: Parser
    allowed: Bound
    says: str


def _number(text: str, style: Style) -> Decimal | None:
    return parse_number(text, style)[0]


RULES = {
    "pd_annual": _Rule(parse_share_text, lambda v: 0 <= v < 1, "a fraction from 0 to below 1, or a percentage: 2.5 %"),
    "vat_rate": _Rule(parse_share_text, lambda v: 0 <= v < 1, "a share of the net amount from 0 to below 1, as 19 %"),
    "lgd": _Rule(parse_share_text, lambda v: 0 <= v <= 1, "a fraction from 0 to 1, or a percentage: 60 %"),
    "credit_limit": _Rule(parse_limit, lambda v: v >= 0, "zero (no cover) or more, blank (no limit named), unlimited"),
    "annual_sales": _Rule(_number, lambda v: v >= 0, "zero or more"),
    "payment_terms_days": _Rule(parse_terms, lambda v: 0 <= v <= 1825, "days from 0 to 1825, such as 30 or Net 30"),
    "exposure": _Rule(_number, lambda v: v >= 0, "zero or more"),
    "delay_location_days": _Rule(_number, lambda v: abs(v) <= 3650, "days, negative is early"),
    "delay_scale": _Rule(_number, lambda v: 0 < v <= 1000, "a number above 0"),
}
LOADING_RULE = _Rule(_number, lambda v: abs(v) <= 1, "a number from -1 to 1")


@dataclass
class BuyerRows:
    """Buyers as read.

    Attributes:
        buyer_id: ids, leading zeros kept.
        texts: the text columns by buyer; empty where blank.
        numbers: the numeric columns by buyer; NaN where blank.
        loadings: explicit loadings by driver; NaN where blank.
        table: the file they come from (a condensed open-item file where there is no buyer file).
        columns: its mapping.
        derived: whether they are derived from the open items.
    """

    table: Table
    columns: ColumnMap
    buyer_id: list[str]
    texts: dict[str, list[str]]
    numbers: dict[str, list[float]]
    loadings: dict[str, list[float]]
    rows: list[int]
    derived: bool = False
    index: dict[str, int] = field(default_factory=dict)

    def __len__(self) -> int:
        return len(self.buyer_id)

    def problem(self, buyer: int, name: str, message: str, suggestion: str = "") -> Problem:
        """A problem at a buyer's cell, or at its line where the file has no such column."""
        column = self.columns.index.get(name, -1)
        return self.table.problem(self.rows[buyer], column, message, name, suggestion)

    def written(self, buyer: int, name: str) -> bool:
        """Whether the file itself has something in a buyer's cell."""
        return name in self.columns and bool(self.table.rows[self.rows[buyer]][self.columns.index[name]].strip())

    def blame(self, loaded: Loaded, buyer: int, name: str, message: str, suggestion: str = "") -> Problem:
        """A problem at a buyer's cell, or at the default that stands for a blank one."""
        if not self.written(buyer, name) and name in loaded.study.portfolio.defaults:
            return loaded.problem(f"portfolio.defaults.{name}", message, suggestion=suggestion)
        return self.problem(buyer, name, message, suggestion)


def read_defaults(loaded: Loaded, found: Collector) -> dict[str, str]:
    """``portfolio.defaults`` as texts, its keys checked."""
    given = loaded.study.portfolio.defaults
    allowed = set(BUYER_FIELDS) - {"buyer_id", "name"}
    for key in given:
        if key not in allowed and not key.startswith(LOADING):
            near = suggestion_for(key)
            message = f"not a buyer column; known are {', '.join(sorted(allowed))}, loading_<driver>"
            problem = loaded.problem(f"portfolio.defaults.{key}", message + (f"; did you mean {near}?" if near else ""))
            found.add("defaults", problem)
    return {key: str(value) for key, value in given.items()}


def read_buyers(
    loaded: Loaded, table: Table, columns: ColumnMap, defaults: Mapping[str, str], found: Collector, derived: bool
) -> BuyerRows:
    """Interpret the buyer file's cells, fill blanks from the defaults and check every value.

    Args:
        loaded: the study.
        table: the file.
        columns: which column is which.
        defaults: :func:`read_defaults`.
        found: where problems go.
        derived: whether the table is a condensed open-item file.
    """
    ids, rows = _ids(table, columns, found)
    numeric = [name for name in (*RULES, *_loading_names(columns)) if name in columns]
    style = decimal_style(table, [columns.index[n] for n in numeric], _given_style(loaded), True, found)
    drivers = list(
        dict.fromkeys([*columns.loadings, *(k.removeprefix(LOADING) for k in defaults if k in _of(defaults))])
    )
    buyers = BuyerRows(
        table=table,
        columns=columns,
        buyer_id=ids,
        texts={name: _texts(table, columns, rows, name, defaults) for name in TEXTS},
        numbers={n: _numbers(loaded, table, columns, rows, n, RULES[n], style, defaults, found) for n in RULES},
        loadings={
            d: _numbers(loaded, table, columns, rows, LOADING + d, LOADING_RULE, style, defaults, found)
            for d in drivers
        },
        rows=rows,
        derived=derived,
        index={buyer: at for at, buyer in enumerate(ids)},
    )
    buyers.texts["country"] = [country_code(text) for text in buyers.texts["country"]]
    _check_countries(loaded, buyers, found)
    _check_currencies(loaded, buyers, found)
    _check_types(loaded, buyers, found)
    _check_loadings(buyers, found)
    _check_required(loaded, buyers, found)
    return buyers


def _of(defaults: Mapping[str, str]) -> list[str]:
    return [key for key in defaults if key.startswith(LOADING)]


def _loading_names(columns: ColumnMap) -> list[str]:
    return [LOADING + driver for driver in columns.loadings]


def _given_style(loaded: Loaded) -> Style | None:
    return loaded.study.portfolio.format.decimal


def _ids(table: Table, columns: ColumnMap, found: Collector) -> tuple[list[str], list[int]]:
    if "buyer_id" not in columns:
        return [], []
    at = columns.index["buyer_id"]
    first: dict[str, int] = {}
    for row, text in enumerate(table.column(at)):
        buyer = str(text)
        if not buyer:
            found.add("blank buyer_id", table.problem(row, at, "buyer_id is blank", "buyer_id"))
        elif buyer in first:
            message = f"this buyer is already on line {table.lines[first[buyer]]}; a buyer has one line"
            found.add("duplicate buyer", table.problem(row, at, message, "buyer_id"))
        else:
            first[buyer] = row
    return list(first), list(first.values())


def _texts(table: Table, columns: ColumnMap, rows: list[int], name: str, defaults: Mapping[str, str]) -> list[str]:
    fill = defaults.get(name, "").strip()
    if name not in columns:
        return [fill] * len(rows)
    cells = table.column(columns.index[name])
    return [str(cells[row]) or fill for row in rows]


def _numbers(
    loaded: Loaded,
    table: Table,
    columns: ColumnMap,
    rows: list[int],
    name: str,
    rule: _Rule,
    style: Style,
    defaults: Mapping[str, str],
    found: Collector,
) -> list[float]:
    fill = math.nan
    if name in defaults:
        value = rule.parser(defaults[name], "point")
        if value is None or value.is_nan() or not rule.allowed(float(value)):
            found.add("defaults", loaded.problem(f"portfolio.defaults.{name}", f"must be {rule.says}", defaults[name]))
        else:
            fill = float(value)
    if name not in columns:
        return [fill] * len(rows)
    column = columns.index[name]
    cells = table.column(column)
    result = []
    for row in rows:
        text = cells[row]
        if not text:
            result.append(fill)
            continue
        value = rule.parser(text, style)
        if value is None:
            message = f"{number_message(text, style)}; {name} must be {rule.says}"
            found.add(f"{name} is not a number", table.problem(row, column, message, name))
        elif not rule.allowed(float(value)):
            suggestion = f"{text} %" if name in ("pd_annual", "lgd", "vat_rate") and 1 <= value <= 100 else ""
            found.add(
                f"{name} out of range", table.problem(row, column, f"{name} must be {rule.says}", name, suggestion)
            )
        result.append(fill if value is None else float(value))
    return result


def _check_countries(loaded: Loaded, buyers: BuyerRows, found: Collector) -> None:
    """Two letters are meant as an ISO 3166 code, and then have to be one; any other text is a label of its own."""
    texts = buyers.texts["country"]
    used = [code for code, _ in Counter(text for text in texts if text in countries()).most_common()]
    told: set[str] = set()
    for at, text in enumerate(texts):
        if len(text) != 2 or not text.isascii() or not text.isalpha() or text in countries():
            continue
        if not buyers.written(at, "country"):  # a default is wrong once, not once for each buyer
            if text in told:
                continue
            told.add(text)
        message = "two letters, but not an ISO 3166 country code; leave it blank where the country is not known"
        near = likely_country(text, used)
        found.add("unknown country", buyers.blame(loaded, at, "country", message, near))


def _check_currencies(loaded: Loaded, buyers: BuyerRows, found: Collector) -> None:
    """Codes of the currency a buyer is invoiced in, the study's where blank, and of its limit, empty where blank."""
    home = loaded.study.study.currency
    constant = loaded.study.portfolio.exposure == "constant"
    used = {home} | {code for code in map(currency_code, set(buyers.texts["currency"])) if code}
    for name, what in (("currency", "exposures"), ("limit_currency", "limits")):
        codes = buyers.texts[name]
        for at, text in enumerate(codes):
            code = currency_code(text) if text else home
            if not code:
                message, near = "not an ISO 4217 currency code", likely_currency(text, used)
                found.add(f"unknown {name}", buyers.blame(loaded, at, name, message, near))
            elif constant and code != home:
                message = f"with exposure: constant, {what} are in study currency ({home}): convert this buyer's"
                found.add(f"{name} of {what}", buyers.blame(loaded, at, name, message))
            codes[at] = (code or home) if text or name == "currency" else ""


def _check_types(loaded: Loaded, buyers: BuyerRows, found: Collector) -> None:
    """What kind of buyer each is, from one column of words or from columns of yes and no."""
    types = buyers.texts["buyer_type"]
    flags = {name: buyers.texts.pop(name) for name in FLAGS}
    for at, text in enumerate(types):
        kind = buyer_type(text)
        if not kind:
            message = "not a kind of buyer; it must be company, related, public or private"
            near = closest(text, buyer_types())
            found.add("unknown buyer_type", buyers.blame(loaded, at, "buyer_type", message, near))
        for name in FLAGS:
            flag = flagged(flags[name][at], name)
            if flag is None:
                message = f"neither yes nor no; it says whether the buyer is {name}"
                found.add(f"{name} is neither yes nor no", buyers.blame(loaded, at, name, message))
            elif flag and kind not in ("", "company", name):
                message = f"this buyer is {kind} already; a buyer is of one kind"
                found.add("two kinds of buyer", buyers.blame(loaded, at, name, message))
            elif flag:
                kind = name
        types[at] = kind or "company"


def _check_loadings(buyers: BuyerRows, found: Collector) -> None:
    for at in range(len(buyers)):
        squares = math.fsum(v[at] ** 2 for v in buyers.loadings.values() if not math.isnan(v[at]))
        if squares > 1.0 + 1e-12:
            first = next(iter(buyers.loadings))
            message = f"the squares of this buyer's loadings sum to {squares:.6g}; at most 1 is possible"
            found.add("loadings above 1", buyers.problem(at, LOADING + first, message))


def _check_required(loaded: Loaded, buyers: BuyerRows, found: Collector) -> None:
    study = loaded.study
    wanted: list[tuple[str, str]] = []
    if study.portfolio.exposure == "constant":
        wanted.append(("exposure", "exposure is blank; constant exposure needs one for every buyer"))
    if study.credit.pd.source == "column":
        wanted.append(("pd_annual", "pd_annual is blank and credit.pd.source is column; give it here or as a default"))
    if study.credit.pd.source == "rating":
        without = [
            math.isnan(pd) and not rating
            for pd, rating in zip(buyers.numbers["pd_annual"], buyers.texts["rating"], strict=True)
        ]
        name = "rating"
        message = "no rating, and credit.pd.source is rating; give one here or in portfolio.defaults.rating"
        _report_blank(loaded, buyers, name, message, without, found)
    for name, message in wanted:
        _report_blank(loaded, buyers, name, message, [math.isnan(v) for v in buyers.numbers[name]], found)


def _report_blank(
    loaded: Loaded, buyers: BuyerRows, name: str, message: str, blank: list[bool], found: Collector
) -> None:
    """One problem per blank cell; a single one where the file has no such column at all."""
    if name in buyers.columns:
        for at, missing in enumerate(blank):
            if missing:
                found.add(f"{name} is blank", buyers.problem(at, name, message))
    elif any(blank):
        ids = numbered(buyer for buyer, missing in zip(buyers.buyer_id, blank, strict=True) if missing)
        text = f"no {name} for {sum(blank)} of {len(blank)} buyers ({ids}); add a column {name} or give a default"
        found.add(f"no {name}", buyers.table.problem(-1, -1, text, f"portfolio.defaults.{name}"))
