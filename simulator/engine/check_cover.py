"""What policies insure of the business there is, and amounts that are small beside it.

Nothing here needs compiled code, so ``simulator check`` can use it.
"""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import NamedTuple

import numpy as np

from simulator.errors import Problems
from simulator.ledger.portfolio import Flags, Floats, Ints, Portfolio
from simulator.ledger.selection import select
from simulator.policy.eligibility import (
    Shipments,
    country_terms,
    is_known_loss,
    policy_period,
    shipments_of,
    within_period,
    within_terms,
)
from simulator.policy.limits import BuyerLimits, buyer_limits, spot_rates
from simulator.study.calendar import DAYS_PER_YEAR, Calendar
from simulator.study.rules_cover import waiting_clock
from simulator.study.schema import Policy, Study
from simulator.study.schema_cover import PERIL_NAMES

#: A policy that insures a smaller share than this of its buyers' business is probably not meant.
LEAST_SHARE = 0.05


class Business(NamedTuple):
    """Planned sales and open items with the buyers that a policy is meant for, in policy currency.

    Arrays with one entry per invoice (``buyer``, ``worth``), but for ``limit`` float64[B], the highest of each buyer;
    ``reasons`` are why an invoice is not insured, in the order they are looked for, ``insured`` float64[I] which part
    of it is. ``years`` is the length of the horizon.
    """

    buyer: Ints
    worth: Floats
    planned: Flags
    limit: Floats
    reasons: dict[str, Flags]
    insured: Floats
    years: float

    @property
    def usual(self) -> float:
        """The median invoice of those that are insured, else of all; 0 without any."""
        worth = self.worth[(self.insured > 0.0) & (self.worth > 0.0)]
        worth = worth if len(worth) else self.worth[self.worth > 0.0]
        return float(np.median(worth)) if len(worth) else 0.0

    @property
    def yearly(self) -> float:
        """Planned sales of a year to buyers that are insured."""
        return float(self.worth[(self.insured > 0.0) & self.planned].sum()) / self.years

    @property
    def highest_limit(self) -> float:
        """The highest limit of a buyer that is insured; infinite if nobody is."""
        insured = self.buyer[self.insured > 0.0]
        return float(self.limit[insured].max()) if len(insured) else np.inf


#: Reasons that hold for a buyer as a whole, for one and for several; the others are counted by invoice.
_OF_BUYERS = {
    "kind": ("is excluded by its kind", "are excluded by their kind"),
    "country": ("is in a closed country", "are in closed countries"),
    "limit": ("has no limit", "have no limit"),
}
_OF_INVOICES = {
    "terms": ("has longer terms than maximum_terms", "have longer terms than maximum_terms"),
    "period": ("is not of the policy period", "are not of the policy period"),
    "known": ("is a known loss", "are known losses"),
}


def business_of(
    study: Study, p: int, policy: Policy, portfolio: Portfolio, calendar: Calendar, spot: Floats, folder: Path
) -> Business:
    """The business of a policy's buyers, and what of it is insured as far as is known before anything happens.

    A limit counts as far as it goes beyond a single invoice, no further.
    """
    rates = spot_rates(study, portfolio, spot)
    unit = rates.get(policy.currency or study.study.currency, 1.0)
    limits = buyer_limits(study, p, portfolio, calendar, rates, folder, Problems())
    limit = limits.base.copy()
    for b, own in limits.dated.items():
        limit[b] = max(one.limit for one in own)
    shipments, invoices = shipments_of(portfolio), portfolio.invoices
    worth = np.asarray(portfolio.buyers.exposure, np.float64)
    if len(invoices) > 0:
        worth = invoices.amount * spot[invoices.currency]
    worth = np.maximum(worth, 0.0) / unit
    chosen = select(policy.buyers, portfolio)[shipments.buyer]
    reasons = _reasons(policy, portfolio, calendar, shipments, limit)
    covered = np.ones(len(worth), np.bool_)
    for holds in reasons.values():
        covered &= ~holds
    held = limit[shipments.buyer]
    within = np.divide(held, worth, out=np.ones(len(worth)), where=worth > held)
    share = _percentages(policy, portfolio, limits)[shipments.buyer]
    insured = np.where(covered, share * within, 0.0)
    return Business(
        shipments.buyer[chosen],
        worth[chosen],
        ~shipments.open_item[chosen],
        limit,
        {name: holds[chosen] for name, holds in reasons.items()},
        insured[chosen],
        calendar.horizon_days / DAYS_PER_YEAR,
    )


def _reasons(
    policy: Policy, portfolio: Portfolio, calendar: Calendar, shipments: Shipments, limit: Floats
) -> dict[str, Flags]:
    schedule, at = country_terms(policy, portfolio), shipments.buyer
    kind = np.array([kind in policy.excludes for kind in portfolio.buyers.buyer_type], np.bool_)
    closed = np.array([terms is not None and not terms.covered for terms in schedule], np.bool_)
    first, last = policy_period(policy, calendar)
    by_loss = policy.basis == "losses_occurring"
    longest = 2**31 if policy.maximum_terms is None else policy.maximum_terms.days
    wait = waiting_days(policy, portfolio)
    return {
        "kind": kind[at],
        "country": closed[at],
        "limit": limit[at] <= 0.0,
        "terms": ~within_terms(shipments, longest),
        "period": ~within_period(shipments, first, last, policy.covers_open_items, by_loss),
        "known": is_known_loss(shipments.due_day, wait[at], first),
    }


def waiting_days(policy: Policy, portfolio: Portfolio) -> Ints:
    """Days from a due date to the date of loss of a debt that is merely unpaid, by buyer."""
    own = policy.waiting("protracted_default")
    terms = country_terms(policy, portfolio)
    days = [own.days if one is None or one.waiting_period is None else one.waiting_period.days for one in terms]
    return np.array(days, np.int32) + waiting_clock(policy)[0]


def _percentages(policy: Policy, portfolio: Portfolio, limits: BuyerLimits) -> Floats:
    """Highest insured percentage of each buyer."""
    best = max(policy.percentage(peril) for peril in PERIL_NAMES)
    schedule = country_terms(policy, portfolio)
    country = np.array(
        [np.nan if t is None or t.insured_percentage is None else t.insured_percentage for t in schedule]
    )
    share = np.fmin(country, limits.percentage)
    found = np.where(np.isnan(share) | (best == 0.0), best, share)
    for b, own in limits.dated.items():
        found[b] = np.nanmax([found[b], *(one.percentage for one in own)])
    return np.asarray(found)


def share_note(study: Study, policy: Policy, business: Business) -> Iterator[str]:
    """Says so where next to nothing of the business with a policy's buyers is insured, and why."""
    total = float(business.worth.sum())
    if total <= 0.0:
        return
    share = float((business.worth * business.insured).sum()) / total
    if share >= LEAST_SHARE:
        return
    told = []
    left = business.worth > 0.0
    for name, holds in business.reasons.items():
        here = left & holds
        left &= ~holds
        if not here.any():
            continue
        one, several = (_OF_BUYERS | _OF_INVOICES)[name]
        what, count = ("buyer", len(set(business.buyer[here].tolist())))
        if name in _OF_INVOICES:
            what, count = "invoice", int(here.sum())
        told.append(f"{count:,} {what} {one}" if count == 1 else f"{count:,} {what}s {several}")
    if left.any():
        paid = max(policy.percentage(peril) for peril in PERIL_NAMES)
        if paid < LEAST_SHARE:
            told.append(f"the insured percentage is {100 * paid:g} %")
        else:
            told.append("limits or percentages are small")
    how_much = "nothing" if share == 0.0 else f"{100 * share:.2g} %"
    currency = policy.currency or study.study.currency
    what = "exposures" if study.portfolio.exposure == "constant" else "planned sales and open items"
    yield f"insures {how_much} of {currency} {total:,.0f} {what}: {', '.join(told)}"
