"""Limits of the buyers under each policy: named, discretionary, blind or none at all, and the days they hold.

Blank is not zero: a buyer without a named limit is covered only under a discretionary or blind limit; a named limit of
zero is no cover, and no discretionary limit replaces it (a limit the insurer has issued, zero included, ends the
policyholder's discretion [S10]). "No limit" is infinity.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Mapping
from pathlib import Path
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from simulator.errors import Problems
from simulator.jit import NEVER
from simulator.ledger.portfolio import Flags, Floats, Portfolio
from simulator.policy.limit_file import NamedLimit, problem_of_rate, read_limits
from simulator.policy.records import SEGMENT, Records
from simulator.study.calendar import Calendar
from simulator.study.files import resolve_file
from simulator.study.schema import Policy, Study

Bounds = NDArray[np.int64]
#: First day of a limit that has always held.
ALWAYS = -NEVER


#: A limit in policy currency that a script sets: programme (None: every policy), buyer, first day, limit.
ScriptedLimit = tuple[int | None, int, int, float]


class Limit(NamedTuple):
    """A limit of a buyer from a day on, in policy currency; ``percentage`` NaN: that of the peril."""

    from_day: int
    limit: float
    percentage: float
    named: bool
    changes: bool


class BuyerLimits(NamedTuple):
    """Limits of all buyers under one policy.

    ``base`` float64[B] is the limit that always holds, ``named`` and ``changes`` bool[B] tell of what kind it is, and
    ``percentage`` float64[B] is the own percentage of its kind (NaN: none). ``dated`` are the limits of buyers with
    more than that one, in order of their days.
    """

    base: Floats
    named: Flags
    changes: Flags
    percentage: Floats
    dated: dict[int, list[Limit]]


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
    unit = rates[policy.currency or study.study.currency]
    base, percentage = np.full(n, np.nan), np.full(n, np.nan)
    dated: dict[int, list[Limit]] = {}
    if policy.limits == "unlimited":
        nowhere = np.zeros(n, np.bool_)
        found = BuyerLimits(np.full(n, np.inf), nowhere, nowhere.copy(), percentage, dated)
        _tell_script(found, p, scripted)
        return found
    if policy.limits == "column":
        worth = np.array([rates[code or study.study.currency] / unit for code in buyers.limit_currency])
        base = np.where(worth == 1.0, buyers.credit_limit, buyers.credit_limit * worth)
    else:
        where = f"programmes[{p}].limits"
        rows = read_limits(resolve_file(folder, policy.limits), portfolio, study.portfolio.format, problems)
        for code in sorted({row.currency for row in rows if row.currency} - set(rates)):
            problems.add(problem_of_rate(where, code))
        for b, lines in _by_buyer(rows).items():
            dated[b] = _in_order(lines, calendar, {**rates, "": unit}, unit)
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
    found = BuyerLimits(np.where(np.isnan(base), 0.0, base), named, changes, percentage, dated)
    _tell_script(found, p, scripted)
    return found


def _by_buyer(rows: list[NamedLimit]) -> dict[int, list[NamedLimit]]:
    found: dict[int, list[NamedLimit]] = defaultdict(list)
    for row in rows:
        found[row.buyer].append(row)
    return found


def _in_order(lines: list[NamedLimit], calendar: Calendar, rates: Mapping[str, float], unit: float) -> list[Limit]:
    """Limits of one buyer from its lines: each holds until the next begins, or lapses after its last day."""
    found: list[Limit] = []
    for at, line in enumerate(lines):
        day = ALWAYS if line.first is None else calendar.day(line.first)
        rate = rates.get(line.currency, np.nan)
        limit = line.limit if rate == unit else line.limit * rate / unit
        found.append(Limit(day, limit, line.percentage, True, line.cancellable))
        later = lines[at + 1].first if at + 1 < len(lines) else None
        if line.last is not None and (later is None or line.last < later):
            end = calendar.day(line.last) + 1
            if later is None or end < calendar.day(later):
                found.append(Limit(end, 0.0, line.percentage, True, line.cancellable))
    return found


def _tell_script(found: BuyerLimits, p: int, scripted: Iterable[ScriptedLimit]) -> None:
    for programme, b, day, limit in scripted:
        if programme not in (None, p):
            continue
        own = found.dated.setdefault(
            b, [Limit(ALWAYS, float(found.base[b]), np.nan, bool(found.named[b]), bool(found.changes[b]))]
        )
        own[:] = [one for one in own if one.from_day != day]
        own.append(Limit(day, limit, own[-1].percentage if own else np.nan, True, False))
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
        shared = _largest([_own(limits, b) for b in members])
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
    records["named"][plain], records["changes"][plain] = limits.named, limits.changes
    for b, own in dated.items():
        at = slice(int(start[b]), int(start[b + 1]))
        records[at] = [(one.from_day, one.limit, 0.0, one.percentage, one.named, one.changes) for one in own]
        records["highest"][at] = np.maximum.accumulate([one.limit for one in own])
    return records, start


def _own(limits: BuyerLimits, b: int) -> list[Limit]:
    usual = Limit(ALWAYS, float(limits.base[b]), np.nan, bool(limits.named[b]), bool(limits.changes[b]))
    return limits.dated.get(b, [usual])


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
