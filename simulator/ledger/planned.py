"""Planned sales: what will be shipped after the ledger's date, without any randomness.

``run_off``: nothing. ``steady_state``: each buyer keeps invoicing at its annual sales, terms and seasonality, on evenly
spaced days that start at a place given by a hash of the buyer (so that a book does not invoice on one day). ``plan``:
from a file.

Annual sales come from the buyer file. Where that is silent they are inferred from the ledger:

* from a *history* (a file with settlement dates): what was invoiced in the last year, scaled up where the history is
  shorter than a year but at least 90 days;
* from *open items alone* by Little's law, balance = rate x time: what is not yet due has been invoiced within the
  terms and is practically all unpaid, so annual sales = balance not yet due x 365 / payment terms. Overdue items say
  nothing about the rate and are left out.
"""

from __future__ import annotations

import datetime as dt
import math
import statistics
from collections import defaultdict
from dataclasses import dataclass, field
from decimal import Decimal
from typing import TYPE_CHECKING

from simulator.errors import InputError, closest, display_path
from simulator.keys import entity_key
from simulator.ledger.buyers import Loaded
from simulator.ledger.codes import INVOICE, currency_code, likely_currency
from simulator.ledger.dates import parse_dates
from simulator.ledger.headers import PLAN_FIELDS, map_headers, recogniser
from simulator.ledger.items import TOTAL
from simulator.ledger.reading import numbered, read_table
from simulator.ledger.text_table import Collector
from simulator.ledger.values import decimal_style, number_message, parse_number
from simulator.ledger.vat import tax_of_line, vat_part
from simulator.study.files import resolve_file

if TYPE_CHECKING:
    from simulator.ledger.load import Ledger, SpotLookup

DAYS_PER_YEAR = 365
DEFAULT_INVOICES_PER_YEAR = 12
SHORTEST_HISTORY_DAYS = 90
FROM_COLUMN, FROM_HISTORY, FROM_BALANCE, NOTHING = (
    "annual_sales column",
    "invoice history",
    "balance not yet due",
    "none",
)


@dataclass
class Planned:
    """Planned invoices (parallel lists) and where each buyer's annual sales come from.

    ``amount`` and the ``vat`` in it are in the invoice's currency, ``value`` in study currency at spot. ``volume`` is
    the value by buyer before any stress of sales.
    """

    invoice_id: list[str] = field(default_factory=list)
    buyer: list[int] = field(default_factory=list)
    issue_day: list[int] = field(default_factory=list)
    due_day: list[int] = field(default_factory=list)
    currency: list[str] = field(default_factory=list)
    amount: list[float] = field(default_factory=list)
    value: list[float] = field(default_factory=list)
    vat: list[float] = field(default_factory=list)
    volume: dict[int, float] = field(default_factory=dict)
    sources: list[str] = field(default_factory=list)
    notes: list[str] = field(default_factory=list)

    def __len__(self) -> int:
        return len(self.invoice_id)

    def add(
        self, name: str, buyer: int, issue: int, due: int, currency: str, amount: float, value: float, vat: float
    ) -> None:
        """One planned invoice."""
        self.invoice_id.append(name)
        self.buyer.append(buyer)
        self.issue_day.append(issue)
        self.due_day.append(due)
        self.currency.append(currency)
        self.amount.append(amount)
        self.value.append(value)
        self.vat.append(vat)

    def count(self, buyer: int, value: float) -> None:
        """Add to a buyer's volume."""
        self.volume[buyer] = self.volume.get(buyer, 0.0) + value


class _Spot:
    """Rates of the study, then of the caller; each missing one is a problem once."""

    def __init__(self, loaded: Loaded, ledger: Ledger, lookup: SpotLookup | None, found: Collector) -> None:
        self.loaded, self.rates, self.lookup, self.found = loaded, ledger.rates, lookup, found

    def __call__(self, currency: str) -> float:
        if currency not in self.rates:
            self.rates[currency] = self._ask(currency)
        return self.rates[currency]

    def _ask(self, currency: str) -> float:
        if self.lookup is not None:
            try:
                return float(self.lookup([currency])[currency])
            except InputError as error:
                for problem in error.problems:
                    self.found.add("missing rate", problem)
                return math.nan
        home = self.loaded.study.study.currency
        message = f"no rate for {currency}: give fx.rates: {{{currency}: <{home} per 1 {currency}>}}"
        self.found.add("missing rate", self.loaded.problem("fx.rates", message))
        return math.nan


def plan_sales(
    loaded: Loaded, ledger: Ledger, sales_multiplier: float, spot_lookup: SpotLookup | None, found: Collector
) -> Planned:
    """Planned invoices of the horizon, days 1 … horizon.

    Args:
        loaded: the study.
        ledger: files as read.
        sales_multiplier: multiplies every planned amount.
        spot_lookup: rate of a currency that ``fx.rates`` does not name; without it that is a problem.
        found: where problems go.
    """
    sales, info = loaded.study.portfolio.sales, loaded.study.study
    spot = _Spot(loaded, ledger, spot_lookup, found)
    horizon = info.horizon.days_from(info.as_of)
    if sales.mode == "run_off":
        return Planned()
    if sales.mode == "plan":
        return _plan_file(loaded, ledger, sales_multiplier, horizon, spot, found)
    return _steady_state(loaded, ledger, sales_multiplier, horizon, spot, found)


@dataclass(frozen=True)
class _Habit:
    """What the ledger shows of one buyer: terms, invoices a year, annual sales in study currency (NaN: silent)."""

    terms: float
    invoices_per_year: float
    annual_sales: float
    source: str


def habits(ledger: Ledger, spot: _Spot) -> list[_Habit]:
    """Terms, invoicing frequency and annual sales of each buyer, from its columns or else from its items."""
    items, buyers, as_of = ledger.items, ledger.buyers, ledger.as_of
    by_buyer: dict[int, list[int]] = defaultdict(list)
    first = as_of
    for at, kind in enumerate(items.kind):
        if kind == INVOICE and items.excluded[at] != TOTAL and items.issue[at] <= as_of:
            by_buyer[buyers.index[items.buyer_id[at]]].append(at)
            first = min(first, items.issue[at])
    window = min(DAYS_PER_YEAR, as_of - first + 1)
    history = items.history and window >= SHORTEST_HISTORY_DAYS
    result = []
    for buyer in range(len(buyers)):
        places = by_buyer[buyer]
        terms = buyers.numbers["payment_terms_days"][buyer]
        if math.isnan(terms) and places:
            terms = float(statistics.median(items.due[at] - items.issue[at] for at in places))
        if history:
            seen, days, source = [at for at in places if items.issue[at] > as_of - window], float(window), FROM_HISTORY
        else:
            seen = [at for at in places if items.due[at] > as_of and not items.excluded[at]]
            days, source = terms, FROM_BALANCE
        frequency = len(seen) * DAYS_PER_YEAR / days if seen and days > 0 else math.nan
        annual = buyers.numbers["annual_sales"][buyer]
        if not math.isnan(annual):
            source = FROM_COLUMN
        elif seen and days > 0:
            totals: dict[str, Decimal] = defaultdict(Decimal)
            for at in seen:
                totals[items.currency[at]] += items.amount[at]
            annual = math.fsum(float(v) * spot(c) for c, v in totals.items()) * DAYS_PER_YEAR / days
        else:
            source = NOTHING
        result.append(_Habit(terms, frequency, annual, source))
    return result


def _steady_state(
    loaded: Loaded, ledger: Ledger, sales_multiplier: float, horizon: int, spot: _Spot, found: Collector
) -> Planned:
    sales, as_of = loaded.study.portfolio.sales, loaded.study.study.as_of
    weights = _seasonality(loaded, found)
    months = [(as_of + dt.timedelta(days=day)).month for day in range(horizon + 1)]
    factor = (1.0 + sales.growth) * sales_multiplier
    vat_rate = ledger.buyers.numbers["vat_rate"]
    planned = Planned()
    buyers = ledger.buyers
    silent: list[str] = []
    for buyer, habit in enumerate(habits(ledger, spot)):
        planned.sources.append(habit.source)
        before, annual = habit.annual_sales * (1.0 + sales.growth), habit.annual_sales * factor
        if habit.source == NOTHING:
            silent.append(buyers.buyer_id[buyer])
        if math.isnan(before) or before <= 0.0:
            continue
        if math.isnan(habit.terms):
            message = "annual sales but no payment terms: give payment_terms_days here or in portfolio.defaults"
            found.add("no payment terms", buyers.problem(buyer, "payment_terms_days", message))
            continue
        count = sales.invoices_per_year or _per_year(habit.invoices_per_year)
        currency = buyers.texts["currency"][buyer]
        rate = spot(currency)
        spacing = DAYS_PER_YEAR / count
        start = entity_key(f"buyer:{buyers.buyer_id[buyer]}") / 2.0**64 * spacing
        for k in range(int((horizon - start) / spacing) + 2):
            day = int(start + k * spacing) + 1
            if day > horizon:
                break
            planned.count(buyer, before / count * weights[months[day] - 1])
            value = annual / count * weights[months[day] - 1]
            if value > 0.0:
                due = day + round(habit.terms)
                vat = vat_part(value / rate, vat_rate[buyer])
                planned.add(f"plan-{k + 1:04d}", buyer, day, due, currency, value / rate, value, vat)
    if silent:
        planned.notes.append(
            f"no sales planned for {len(silent)} buyers without annual_sales and without recent invoices "
            f"({numbered(silent)})"
        )
    return planned


def _per_year(frequency: float) -> int:
    if math.isnan(frequency):
        return DEFAULT_INVOICES_PER_YEAR
    return min(366, max(1, round(frequency)))


def _seasonality(loaded: Loaded, found: Collector) -> list[float]:
    """Twelve weights with mean 1."""
    given = loaded.study.portfolio.sales.seasonality
    if given is None:
        return [1.0] * 12
    total = math.fsum(given)
    if len(given) != 12 or any(w < 0 or not math.isfinite(w) for w in given) or total <= 0:
        message = "twelve weights, January first, none negative, not all zero"
        found.add("seasonality", loaded.problem("portfolio.sales.seasonality", message))
        return [1.0] * 12
    return [12.0 * weight / total for weight in given]


def _plan_file(
    loaded: Loaded, ledger: Ledger, sales_multiplier: float, horizon: int, spot: _Spot, found: Collector
) -> Planned:
    section = loaded.study.portfolio
    planned = Planned()
    name = section.sales.file
    if name is None or not (resolve_file(loaded.folder, name)).is_file():
        message = (
            "mode: plan needs a file"
            if name is None
            else f"no such file: {display_path(resolve_file(loaded.folder, name))}"
        )
        found.add("missing file", loaded.problem("portfolio.sales.file", message, name))
        return planned
    path = resolve_file(loaded.folder, name)
    shown = display_path(path)
    table = read_table(path, shown, section.format, recogniser(PLAN_FIELDS, section.columns), found)
    if table is None:
        return planned
    columns = map_headers(table, PLAN_FIELDS, [("buyer_id",), ("issue_date",), ("amount",)], section.columns, found)
    if not all(name in columns for name in ("buyer_id", "issue_date", "amount")):
        return planned
    at = columns.index
    order = section.format.dates
    numeric = [at[name] for name in ("amount", "vat") if name in at]
    style = decimal_style(table, numeric, section.format.decimal, True, found)
    issue = parse_dates(table, at["issue_date"], "issue_date", order, found)
    blank: list[int | None] = [None] * len(table)
    due = parse_dates(table, at["due_date"], "due_date", order, found) if "due_date" in columns else blank
    ids = table.column(at["invoice_id"]) if "invoice_id" in columns else [""] * len(table)
    known, outside = habits(ledger, spot), 0
    vat_rate = ledger.buyers.numbers["vat_rate"]
    counter: dict[str, int] = defaultdict(int)
    for row, buyer_id in enumerate(table.column(at["buyer_id"])):
        text = table.rows[row][at["amount"]].strip()
        value, _ = parse_number(text, style)
        buyer = ledger.buyers.index.get(str(buyer_id), -1)
        if buyer < 0:
            near = closest(str(buyer_id), ledger.buyers.buyer_id)
            message = f"this buyer is not in {ledger.buyers.table.file}"
            found.add("unknown buyer", table.problem(row, at["buyer_id"], message, "buyer_id", near))
        if value is None or value < 0:
            message = "amount is blank" if not text else number_message(text, style) if value is None else "negative"
            found.add("plan amount", table.problem(row, at["amount"], message, "amount"))
        tax = tax_of_line(table, at.get("vat", -1), row, value, style, found)
        start, end = issue[row], due[row]
        if start is None:
            if not table.rows[row][at["issue_date"]].strip():
                found.add("no issue_date", table.problem(row, at["issue_date"], "issue_date is blank", "issue_date"))
            continue
        if buyer < 0 or value is None or value <= 0:
            continue
        code = ledger.buyers.texts["currency"][buyer]
        if "currency" in columns and (written := table.rows[row][at["currency"]].strip()):
            code = currency_code(written)
            if not code:
                message, near = "not an ISO 4217 currency code", likely_currency(written, ledger.rates)
                found.add("unknown currency", table.problem(row, at["currency"], message, "currency", near))
                continue
        if end is None and math.isnan(known[buyer].terms):
            message = "no due_date here and no payment_terms_days in the buyer file or portfolio.defaults"
            found.add("no payment terms", table.problem(row, at["buyer_id"], message, "due_date"))
            continue
        day = start - ledger.as_of
        last = (end - ledger.as_of) if end is not None else day + round(known[buyer].terms)
        if last < day:
            found.add("due before issue", table.problem(row, at["due_date"], "due before it is issued", "due_date"))
        if not 1 <= day <= horizon:
            outside += 1
            continue
        base = str(ids[row]) or f"plan-{start}-{code}-{format(value.normalize(), 'f')}"
        counter[f"{buyer}/{base}"] += 1
        number = base if counter[f"{buyer}/{base}"] == 1 else f"{base}/{counter[f'{buyer}/{base}']}"
        amount = float(value) * sales_multiplier
        planned.count(buyer, float(value) * spot(code))
        if amount > 0.0:
            vat = vat_part(amount, vat_rate[buyer]) if tax is None else float(tax) * sales_multiplier
            planned.add(number, buyer, day, last, code, amount, amount * spot(code), vat)
    if outside:
        planned.notes.append(f"{outside} plan lines lie outside the horizon and are left out")
    return planned
