"""What of an invoice decides about cover before anything happens: its buyer, its dates and terms, the policy period.

An invoice that is eligible may still find no limit, be disputed, or be shipped while its buyer is overdue too long:
that depends on the scenario.
"""

from __future__ import annotations

from typing import NamedTuple

import numpy as np

from simulator.constants import NEVER
from simulator.ledger.codes import country_code
from simulator.ledger.portfolio import Flags, Ints, Keys, Portfolio
from simulator.ledger.selection import select
from simulator.study.amounts import Duration
from simulator.study.calendar import Calendar
from simulator.study.schema import Policy
from simulator.study.schema_terms import CountryTerms

#: A policy period that is not given is the horizon up to this length, else one year.
LONGEST_PERIOD = 371


class Shipments(NamedTuple):
    """Invoices as eligibility sees them, one entry each in the order of the ledger's book."""

    buyer: Ints
    issue_day: Ints
    due_day: Ints
    open_item: Flags
    entity: Keys


def shipments_of(portfolio: Portfolio) -> Shipments:
    """Invoices of a portfolio; without any (constant exposure) one per buyer, issued before the period, never due."""
    invoices, n = portfolio.invoices, len(portfolio.buyers)
    if len(invoices) > 0:
        return Shipments(invoices.buyer, invoices.issue_day, invoices.due_day, invoices.open_item, invoices.entity)
    return Shipments(
        np.arange(n, dtype=np.int32),
        np.full(n, -1, np.int32),
        np.full(n, NEVER, np.int32),
        np.ones(n, np.bool_),
        portfolio.buyers.entity,
    )


def policy_period(policy: Policy, calendar: Calendar) -> tuple[int, int]:
    """First and last day of the policy period."""
    start = calendar.date(1) if policy.starts is None else policy.starts
    first = calendar.day(start)
    if policy.period is not None:
        days = policy.period.days_from(start)
    elif calendar.horizon_days <= LONGEST_PERIOD:
        days = calendar.horizon_days
    else:
        days = Duration(1, "year").days_from(start)
    return first, first + days - 1


def days_in_horizon(policy: Policy, calendar: Calendar) -> int:
    """Days of the policy period within the horizon; the ledger's date is one for a policy that starts on it."""
    first, last = policy_period(policy, calendar)
    return max(0, min(last, calendar.horizon_days) - (first if first == 0 else max(first, 1)) + 1)


def country_terms(policy: Policy, portfolio: Portfolio) -> list[CountryTerms | None]:
    """The country schedule's terms of each buyer."""
    schedule = {country_code(code).casefold(): terms for code, terms in policy.countries.items()}
    return [schedule.get(country.casefold()) for country in portfolio.buyers.country]


def insured_buyers(policy: Policy, portfolio: Portfolio) -> Flags:
    """Buyers a policy may insure: selected, of a kind it does not exclude, in a country that is open; bool[B]."""
    chosen = select(policy.buyers, portfolio)
    kind = np.array([kind not in policy.excludes for kind in portfolio.buyers.buyer_type], np.bool_)
    country = np.array([terms is None or terms.covered for terms in country_terms(policy, portfolio)], np.bool_)
    return np.asarray(chosen & kind & country)


def is_known_loss(due_day: Ints, expiry_days: Ints, first_day: int) -> Flags:
    """Whether an invoice's waiting period is over before the policy's first day while it is unpaid.

    Its date of loss is before cover begins, and insurers exclude what is long overdue at inception (MSIG: buyers
    overdue by more than 90 days on the policy's first day [S130]). A debt shipped later never is one.

    Worked number: waiting 180 days, first day 1: due on day -180 → True; due on day -179 → False, its loss is on day 1.
    """
    return np.asarray(due_day.astype(np.int64) + expiry_days < first_day)


def within_period(shipments: Shipments, first_day: int, last_day: int, covers_open_items: bool, by_loss: bool) -> Flags:
    """Whether an invoice is shipped in the policy period, or before it where the policy covers that too.

    A risk-attaching policy covers shipments of its period [S40]; one that covers losses occurring covers later
    shipments too, as long as the date of loss lies in the period.

    Worked number: period of days 1 to 365: shipped on day 0 → only with open items; on day 366 → only losses occurring.
    """
    before = shipments.open_item | (shipments.issue_day < first_day)
    return np.asarray((covers_open_items | ~before) & (by_loss | (shipments.issue_day <= last_day)))


def within_terms(shipments: Shipments, maximum: int) -> Flags:
    """Whether the payment terms are no longer than the policy allows; a debt that is never due has none.

    Worked number: at most 90 days: issued day 10 and due on day 100 → True; due on day 101 → False.
    """
    due = shipments.due_day.astype(np.int64)
    return np.asarray((due == NEVER) | (due - shipments.issue_day <= maximum))


def eligible_invoices(policy: Policy, portfolio: Portfolio, calendar: Calendar, expiry_days: Ints) -> Flags:
    """Which invoices a policy insures as far as is known before anything happens, bool[I].

    Args:
        policy: its terms.
        portfolio: buyers and invoices.
        calendar: the study's days.
        expiry_days: days from due date to the date of loss of a protracted default, by buyer.
    """
    shipments = shipments_of(portfolio)
    first, last = policy_period(policy, calendar)
    eligible = within_period(shipments, first, last, policy.covers_open_items, policy.basis == "losses_occurring")
    eligible &= ~is_known_loss(shipments.due_day, expiry_days[shipments.buyer], first)
    if policy.maximum_terms is not None:
        eligible &= within_terms(shipments, policy.maximum_terms.days)
    return np.asarray(eligible & insured_buyers(policy, portfolio)[shipments.buyer])


def month_ends_of(issue_day: Ints, calendar: Calendar) -> Ints:
    """Last day of the calendar month in which each invoice is issued, int32."""
    day_0 = np.datetime64(calendar.as_of, "D").astype(np.int64)
    month = (day_0 + issue_day).astype("datetime64[D]").astype("datetime64[M]")
    next_month = (month + 1).astype("datetime64[D]").astype(np.int64)
    return np.asarray(next_month - 1 - day_0, dtype=np.int32)
