"""Realistic made-up ledgers with a fixed seed; ``python -m simulator.ledger.synthetic configs`` rewrites the shipped.

A book is run forward: every buyer invoices at its own rate for well over a year before ``as_of``, each invoice is
paid after a drawn delay (early, on the day, or late with a heavy tail, weaker buyers and some countries later), and
what is unpaid on the day is the ledger. So terms, overdue profile, concentration and limits hang together as they do
in real books. Nobody in it exists.

Draws use ``random.Random.random`` and an inverse normal only, both of which Python keeps stable.
"""

from __future__ import annotations

import datetime as dt
import math
import sys
from collections.abc import Sequence
from dataclasses import dataclass, field
from pathlib import Path
from random import Random
from statistics import NormalDist

_NORMAL = NormalDist()
#: How long before ``as_of`` invoicing starts; older debts are written off.
HISTORY_DAYS = 420


@dataclass(frozen=True)
class Place:
    """Where buyers are: a country or, for a domestic book, a province.

    Attributes:
        code: country code.
        weight: relative number of buyers.
        currencies: invoice currencies and their weights.
        terms: payment terms in days and their weights.
        lateness: multiplies the late part of payment delays.
        region: region or province, empty where the book does not show it.
    """

    code: str
    weight: float
    currencies: tuple[tuple[str, float], ...]
    terms: tuple[tuple[int, float], ...]
    lateness: float = 1.0
    region: str = ""


@dataclass(frozen=True)
class BookSpec:
    """What a synthetic book should look like.

    Attributes:
        seed: its seed.
        as_of: the ledger's date.
        currency: home currency.
        turnover: annual sales in home currency.
        n_buyers: number of buyers.
        top_10_share: share of sales with the ten largest buyers.
        places: countries or provinces.
        sectors: sector names and weights.
        ratings: ratings and weights, best first; larger buyers tend to be better.
        rates: home currency per unit.
        invoices_per_year: invoices a year of the smallest and of the largest buyer.
        blank_limits: share of buyers without a named limit (the smaller ones).
        refused_limits: share of buyers with a zero limit (the weaker ones).
        disputed: share of open items in dispute.
        credit_notes: share of invoices followed by a credit note that is still open.
        on_account: share of buyers with a payment on account.
        grouped: share of buyers that belong to a group of several.
        early, on_the_day: shares of invoices paid before and on the due date.
    """

    seed: int
    as_of: dt.date
    currency: str
    turnover: float
    n_buyers: int
    top_10_share: float
    places: tuple[Place, ...]
    sectors: tuple[tuple[str, float], ...]
    ratings: tuple[tuple[str, float], ...]
    rates: dict[str, float]
    invoices_per_year: tuple[int, int] = (6, 60)
    blank_limits: float = 0.15
    refused_limits: float = 0.04
    disputed: float = 0.012
    credit_notes: float = 0.02
    on_account: float = 0.02
    grouped: float = 0.05
    early: float = 0.40
    on_the_day: float = 0.21


@dataclass
class SyntheticBuyer:
    """One buyer; ``credit_limit`` is ``None`` where none is named."""

    number: int
    place: Place
    sector: str
    currency: str
    rating: str
    group: int
    terms: int
    annual_sales: int
    credit_limit: int | None
    per_year: int
    late: float


@dataclass
class SyntheticItem:
    """One line of the ledger; credits are negative."""

    buyer: int
    number: int
    kind: str
    issue: dt.date
    due: dt.date
    currency: str
    cents: int
    disputed: bool = False


@dataclass
class SyntheticLedger:
    """Buyers and open items, canonical and unformatted; :mod:`simulator.ledger.exports` writes them as ERPs do."""

    spec: BookSpec
    buyers: list[SyntheticBuyer] = field(default_factory=list)
    items: list[SyntheticItem] = field(default_factory=list)


class _Draw:
    """The few laws a book needs, from uniforms alone."""

    def __init__(self, seed: int) -> None:
        self.random = Random(seed).random

    def normal(self) -> float:
        return _NORMAL.inv_cdf(min(max(self.random(), 1e-12), 1 - 1e-12))

    def lognormal(self, sigma: float) -> float:
        """Mean one."""
        return math.exp(sigma * self.normal() - 0.5 * sigma * sigma)

    def choose(self, weighted: Sequence[tuple[object, float]]) -> object:
        total = math.fsum(weight for _, weight in weighted)
        at = self.random() * total
        for value, weight in weighted:
            at -= weight
            if at < 0:
                return value
        return weighted[-1][0]

    def delay(self, spec: BookSpec, late: float) -> float:
        """Days around the due date: some early, some on the day, the rest late with a tail like Student-t, df 2."""
        u = self.random()
        if u < spec.early:
            return -min(25.0, -5.0 * math.log(1.0 - self.random()))
        if u < spec.early + spec.on_the_day:
            return 0.0
        v = self.random()  # |t| with 2 degrees of freedom: quantile v·sqrt(2 / (1 − v²))
        return min(500.0, 9.0 * late * v * math.sqrt(2.0 / (1.0 - v * v)))


def synthetic_ledger(spec: BookSpec) -> SyntheticLedger:
    """Run a book forward to ``as_of`` and keep what is unpaid then.

    Args:
        spec: what it should look like.

    Returns:
        The same ledger for the same spec, always.
    """
    draw = _Draw(spec.seed)
    book = SyntheticLedger(spec)
    shares = _shares(spec, draw)
    groups = _groups(spec, draw)
    order = sorted(range(spec.n_buyers), key=lambda _: draw.random())  # ids do not follow size
    for rank, number in enumerate(order):
        book.buyers.append(_buyer(spec, draw, number, rank, shares[rank], groups[rank]))
    book.buyers.sort(key=lambda buyer: buyer.number)
    for buyer in book.buyers:
        _invoices(spec, draw, book, buyer)
    book.items.sort(key=lambda item: (item.issue, item.buyer, item.cents))
    for number, item in enumerate(book.items):
        item.number = number
    return book


def _shares(spec: BookSpec, draw: _Draw) -> list[float]:
    """Shares of sales by rank, (rank + 2)^-a with some noise; a by bisection so that the ten largest have theirs."""
    noise = [draw.lognormal(0.25) for _ in range(spec.n_buyers)]

    def shares(a: float) -> list[float]:
        raw = sorted((noise[r] * (r + 3.0) ** -a for r in range(spec.n_buyers)), reverse=True)
        total = math.fsum(raw)
        return [value / total for value in raw]

    low, high = 0.0, 4.0
    for _ in range(60):
        middle = 0.5 * (low + high)
        if math.fsum(shares(middle)[:10]) < spec.top_10_share:
            low = middle
        else:
            high = middle
    return shares(0.5 * (low + high))


def _groups(spec: BookSpec, draw: _Draw) -> list[int]:
    """Group number by rank, 0 for none; groups have two to four members."""
    groups = [0] * spec.n_buyers
    members = [rank for rank in range(spec.n_buyers) if draw.random() < spec.grouped]
    number = at = 0
    while at + 1 < len(members):
        number += 1
        size = 2 + int(draw.random() * 3)
        for rank in members[at : at + size]:
            groups[rank] = number
        at += size
    return groups


def _buyer(spec: BookSpec, draw: _Draw, number: int, rank: int, share: float, group: int) -> SyntheticBuyer:
    emphasis = 2.0 if rank < spec.n_buyers // 20 else 1.0  # the largest buyers are in the main markets
    place = draw.choose([(p, p.weight**emphasis) for p in spec.places])
    assert isinstance(place, Place)
    currency, terms = str(draw.choose(place.currencies)), draw.choose(place.terms)
    assert isinstance(terms, int)
    size = 1.0 - rank / spec.n_buyers  # 1 for the largest
    quality = _NORMAL.cdf(0.9 * (0.5 - size) + draw.normal())  # 0 is best; the law is uniform but for size
    total = math.fsum(weight for _, weight in spec.ratings)
    at, level = quality * total, 0
    while level < len(spec.ratings) - 1 and at > spec.ratings[level][1]:
        at -= spec.ratings[level][1]
        level += 1
    annual = round(share * spec.turnover, -2)
    fewest, most = spec.invoices_per_year
    relative = min(1.0, share * spec.n_buyers / 8.0)
    per_year = max(2, round((fewest + (most - fewest) * math.sqrt(relative)) * draw.lognormal(0.3)))
    weakness = level / max(1, len(spec.ratings) - 1)
    late = place.lateness * (0.6 + 0.9 * weakness) * draw.lognormal(0.5)
    peak = annual * (terms + 20) / 365.0
    limit: int | None = _round_limit(peak * (0.7 + 1.1 * draw.random()))
    if draw.random() < spec.refused_limits * 3.0 * weakness:
        limit = 0
    elif size < 0.6 and draw.random() < spec.blank_limits / 0.6:
        limit = None
    sector = str(draw.choose(spec.sectors))
    rating = spec.ratings[level][0]
    return SyntheticBuyer(number, place, sector, currency, rating, group, terms, int(annual), limit, per_year, late)


def _round_limit(value: float) -> int:
    """Limits are round: 5,000 steps of the leading digits."""
    digits = max(3, int(math.log10(max(value, 1.0))) - 1)
    step = 5 * int("1" + "0" * digits)
    return max(step, round(value / step) * step)


def _invoices(spec: BookSpec, draw: _Draw, book: SyntheticLedger, buyer: SyntheticBuyer) -> None:
    spacing = 365.0 / buyer.per_year
    digits = 1 if buyer.currency in ("JPY", "KRW") else 100
    mean = buyer.annual_sales / buyer.per_year / spec.rates.get(buyer.currency, 1.0) * digits
    buyer_effect = draw.lognormal(0.4)
    day = -float(HISTORY_DAYS) + draw.random() * spacing
    while day < 0:
        issued = math.floor(day)
        cents = max(digits, round(mean * draw.lognormal(0.45)))
        delay = draw.delay(spec, buyer.late * buyer_effect)
        paid = issued + max(1, buyer.terms + round(delay))
        credited, disputed = draw.random(), draw.random()
        if paid > 0:
            issue = spec.as_of + dt.timedelta(days=issued)
            due = issue + dt.timedelta(days=buyer.terms)
            overdue = due < spec.as_of
            flagged = disputed < spec.disputed * (3.0 if overdue else 0.5)
            book.items.append(
                SyntheticItem(buyer.number, 0, "invoice", issue, due, buyer.currency, cents * 100 // digits, flagged)
            )
            if credited < spec.credit_notes:
                later = min(spec.as_of, issue + dt.timedelta(days=2 + int(12 * draw.random())))
                part = round(cents * (0.03 + 0.3 * draw.random()))
                book.items.append(_credit(buyer, "credit note", later, part * 100 // digits))
        day += spacing * (0.5 + draw.random())
    if draw.random() < spec.on_account:
        when = spec.as_of - dt.timedelta(days=1 + int(25 * draw.random()))
        part = round(mean * (0.2 + 0.6 * draw.random()))
        book.items.append(_credit(buyer, "payment on account", when, part * 100 // digits))


def _credit(buyer: SyntheticBuyer, kind: str, day: dt.date, cents: int) -> SyntheticItem:
    whole = 100 if buyer.currency in ("JPY", "KRW") else 1
    return SyntheticItem(buyer.number, 0, kind, day, day, buyer.currency, -(cents // whole * whole))


def main(arguments: Sequence[str]) -> int:
    """``python -m simulator.ledger.synthetic FOLDER``: write the shipped ledgers into their folders below it."""
    from simulator.ledger.exports import write_shipped

    if len(arguments) != 1:
        print("usage: python -m simulator.ledger.synthetic FOLDER", file=sys.stderr)
        return 2
    for path in write_shipped(Path(arguments[0])):
        print(path)
    return 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
