"""Limits of the buyers under each policy: named, discretionary, blind or none at all, and the days they hold.

Blank is not zero: a buyer without a named limit is covered only under a discretionary or blind limit; a named limit of
zero is no cover, and no discretionary limit replaces it (a limit the insurer has issued, zero included, ends the
policyholder's discretion [S10]). "No limit" is infinity. Limits are in policy currency at the rates of day 0; one in
another currency keeps that currency, so that a claim can take it at the rate that converts the debt.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Mapping, Sequence
from pathlib import Path
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from simulator.constants import NEVER
from simulator.errors import Problems
from simulator.ledger.portfolio import Flags, Floats, Portfolio
from simulator.policy.codes import STUDY_CURRENCY
from simulator.policy.eligibility import country_terms
from simulator.policy.limit_file import NamedLimit, problem_of_rate, read_limits
from simulator.policy.records import SEGMENT
from simulator.policy.work import Records
from simulator.study.calendar import Calendar
from simulator.study.files import resolve_file
from simulator.study.schema import Policy, Study

Bounds = NDArray[np.int64]
#: First day of a limit that has always held.
ALWAYS = -NEVER


#: A limit in policy currency that a script sets: programme (None: every policy), buyer, first day, limit.
ScriptedLimit = tuple[int | None, int, int, float]


class Money(NamedTuple):
    """The currency of a limit: its number as kernels know it, and policy currency per unit on day 0."""

    currency: int
    rate_of_day_0: float


class Limit(NamedTuple):
    """A limit of a buyer from a day on, in policy currency; ``percentage`` NaN: that of the peril."""

    from_day: int
    limit: float
    percentage: float
    named: bool
    changes: bool
    money: Money


class BuyerLimits(NamedTuple):
    """Limits of all buyers under one policy.

    ``base`` float64[B] is the limit that always holds, ``named`` and ``changes`` bool[B] tell of what kind it is, and
    ``percentage`` float64[B] is the own percentage of its kind (NaN: none), ``money`` [B] its currency. ``dated`` are
    the limits of buyers with more than that one, in order of their days.
    """

    base: Floats
    named: Flags
    changes: Flags
    percentage: Floats
    money: list[Money]
    dated: dict[int, list[Limit]]

    def usual(self, b: int) -> Limit:
        """The limit that a buyer always has."""
        return Limit(ALWAYS, float(self.base[b]), np.nan, bool(self.named[b]), bool(self.changes[b]), self.money[b])


class _Monies:
    """The currencies that limits of a policy are in.

    One that has no rate in the scenarios keeps its worth in policy currency on day 0.
    """

    def __init__(self, study: Study, policy: Policy, portfolio: Portfolio, rates: Mapping[str, float]) -> None:
        home = study.study.currency
        self.rates, self.own = rates, policy.currency or home
        self.number = {code: at for at, code in enumerate(portfolio.currencies)} | {home: STUDY_CURRENCY}
        self.number[self.own] = STUDY_CURRENCY if self.own == home else self.number[self.own]

    def of(self, code: str) -> Money:
        """That of a currency."""
        unit = 1.0 if code == self.own else self.rates.get(code, np.nan) / self.rates[self.own]
        return Money(self.number.get(code, self.number[self.own]), unit)


def spot_rates(study: Study, portfolio: Portfolio, spot: Floats) -> dict[str, float]:
    """Study currency per unit on day 0 of every currency that a limit may be in."""
    rates = {study.study.currency: 1.0, **study.fx.rates}
    return rates | {code: float(spot[at]) for at, code in enumerate(portfolio.currencies)}


def buyer_limits(
    study: Study,
    p: int,
    portfolio: Portfolio,
    calendar: Calendar,
    rates: Mapping[str, float],
    folder: Path,
    problems: Problems,
    scripted: Iterable[ScriptedLimit] = (),
) -> BuyerLimits:
    """Limits of a policy.

    Args:
        study: the study.
        p: the programme, a policy.
        portfolio: its buyers.
        calendar: the study's days.
        rates: of :func:`spot_rates`.
        folder: the study's folder, where a file of limits is looked up.
        problems: where problems of the file go.
        scripted: limits that a script changes.
    """
    policy = study.programmes[p]
    assert isinstance(policy, Policy)
    buyers, n = portfolio.buyers, len(portfolio.buyers)
    monies = _Monies(study, policy, portfolio, rates)
    base, percentage = np.full(n, np.nan), np.full(n, np.nan)
    money = [monies.of(monies.own)] * n
    dated: dict[int, list[Limit]] = {}
    abroad = [None if terms is None else terms.insured_percentage for terms in country_terms(policy, portfolio)]
    if policy.limits == "unlimited":
        nowhere = np.zeros(n, np.bool_)
        found = BuyerLimits(np.full(n, np.inf), nowhere, nowhere.copy(), percentage, money, dated)
        _tell_script(found, p, scripted, abroad, monies.of(monies.own))
        return found
    if policy.limits == "column":
        column = [monies.of(code or study.study.currency) for code in buyers.limit_currency]
        worth = np.array([one.rate_of_day_0 for one in column])
        base = np.where(worth == 1.0, buyers.credit_limit, buyers.credit_limit * worth)
        money = [own if np.isnan(limit) else one for one, limit, own in zip(column, base, money, strict=True)]
    else:
        where = f"programmes[{p}].limits"
        rows = read_limits(resolve_file(folder, policy.limits), portfolio, study.portfolio.format, problems)
        for code in sorted({row.currency for row in rows if row.currency} - set(rates)):
            problems.add(problem_of_rate(where, code))
        for b, lines in _by_buyer(rows).items():
            dated[b] = _in_order(lines, calendar, monies)
            base[b] = 0.0
    named = ~np.isnan(base)
    changes = named.copy()
    for kind, limit, own in (
        ("discretionary", policy.discretionary_limit, policy.discretionary_percentage),
        ("blind", policy.blind_limit, policy.blind_percentage),
    ):
        if limit is None:
            continue
        free = np.isnan(base)
        if kind == "discretionary" and policy.discretionary_needs == "rating":
            free &= np.array([rating != "" for rating in buyers.rating], np.bool_)
        base[free] = limit
        percentage[free] = np.nan if own is None else own
    found = BuyerLimits(np.where(np.isnan(base), 0.0, base), named, changes, percentage, money, dated)
    _tell_script(found, p, scripted, abroad, monies.of(monies.own))
    return found


def _by_buyer(rows: list[NamedLimit]) -> dict[int, list[NamedLimit]]:
    found: dict[int, list[NamedLimit]] = defaultdict(list)
    for row in rows:
        found[row.buyer].append(row)
    return found


def _in_order(lines: list[NamedLimit], calendar: Calendar, monies: _Monies) -> list[Limit]:
    """Limits of one buyer from its lines: each holds until the next begins, or lapses after its last day."""
    found: list[Limit] = []
    for at, line in enumerate(lines):
        day = ALWAYS if line.first is None else calendar.day(line.first)
        money = monies.of(line.currency or monies.own)
        limit = line.limit if money.rate_of_day_0 == 1.0 else line.limit * money.rate_of_day_0
        found.append(Limit(day, limit, line.percentage, True, line.cancellable, money))
        later = lines[at + 1].first if at + 1 < len(lines) else None
        if line.last is not None and (later is None or line.last < later):
            end = calendar.day(line.last) + 1
            if later is None or end < calendar.day(later):
                found.append(Limit(end, 0.0, line.percentage, True, line.cancellable, money))
    return found


def _tell_script(
    found: BuyerLimits, p: int, scripted: Iterable[ScriptedLimit], abroad: Sequence[float | None], money: Money
) -> None:
    """Add the limits a script names, in policy currency and with the percentage of a named limit.

    That is the own one of the named limit it takes the place of, if it has one, else that of the peril or the country:
    a discretionary or blind limit's ends with it.
    """
    for programme, b, day, limit in scripted:
        if programme not in (None, p):
            continue
        if b not in found.dated:
            share, country = float(found.percentage[b]), abroad[b]
            if country is not None and country < share:
                share = country
            found.dated[b] = [found.usual(b)._replace(percentage=share)]
            found.percentage[b] = np.nan
        own = found.dated[b]
        held = [one for one in own if one.from_day <= day][-1:]
        share = held[0].percentage if held and held[0].named else np.nan
        own[:] = [one for one in own if one.from_day != day]
        own.append(Limit(day, limit, share, True, False, money))
        own.sort(key=lambda one: one.from_day)


def segments(limits: BuyerLimits, pools: list[list[int]]) -> tuple[Records, Bounds]:
    """Limits as records by buyer, and where each buyer's begin.

    Args:
        limits: of one policy.
        pools: groups of buyers who share the largest limit among them; each gets the limits of all.

    Returns:
        the records, and int64[B + 1] bounds.
    """
    dated = dict(limits.dated)
    for members in pools:
        shared = _largest([limits.dated.get(b, [limits.usual(b)]) for b in members])
        dated.update(dict.fromkeys(members, shared))
    n = len(limits.base)
    count = np.ones(n, np.int64)
    for b, own in dated.items():
        count[b] = len(own)
    start = np.concatenate([[0], np.cumsum(count)])
    records = np.zeros(int(start[-1]), SEGMENT).view(np.recarray)
    plain = start[:-1]
    records["from_day"][plain] = ALWAYS
    records["limit"][plain] = records["highest"][plain] = limits.base
    records["percentage"] = np.nan
    records["currency"][plain] = [money.currency for money in limits.money]
    records["rate_of_day_0"][plain] = [money.rate_of_day_0 for money in limits.money]
    records["named"][plain], records["changes"][plain] = limits.named, limits.changes
    for b, own in dated.items():
        at = slice(int(start[b]), int(start[b + 1]))
        records[at] = [
            (one.from_day, one.limit, 0.0, *one.money, one.percentage, one.named, one.changes) for one in own
        ]
        records["highest"][at] = np.maximum.accumulate([one.limit for one in own])
    return records, start


def _largest(members: list[list[Limit]]) -> list[Limit]:
    """The largest limit among several buyers, day by day."""
    found: list[Limit] = []
    for day in sorted({one.from_day for own in members for one in own}):
        holding = [[one for one in own if one.from_day <= day][-1:] for own in members]
        best = max((one for own in holding for one in own), key=lambda one: one.limit)
        if not found or best[1:] != found[-1][1:]:
            found.append(best._replace(from_day=day))
    return found


def check_limits(study: Study, portfolio: Portfolio, calendar: Calendar, spot: Floats, folder: Path = Path()) -> None:
    """Check every file of limits that a policy names.

    Raises:
        InputError: with every problem in the files.
    """
    problems = Problems()
    rates = spot_rates(study, portfolio, spot)
    known: set[tuple[str, int, int, str]] = set()
    for p, policy in enumerate(study.programmes):
        if isinstance(policy, Policy) and policy.limits not in ("column", "unlimited"):
            found = Problems()
            buyer_limits(study, p, portfolio, calendar, rates, folder, found)
            for problem in found:
                if (key := (problem.file, problem.line, problem.column, problem.message)) not in known:
                    known.add(key)
                    problems.add(problem)
    problems.raise_if_any()
