"""What premium is charged on if everybody pays: insurable turnover, month-end balances, deposits and their days."""

from __future__ import annotations

import datetime as dt
import math
from typing import NamedTuple

import numpy as np

from simulator.ledger.portfolio import Flags, Floats, Ints, Invoices, Portfolio
from simulator.policy.eligibility import days_in_horizon, insured_buyers, policy_period
from simulator.policy.limits import Bounds, BuyerLimits
from simulator.policy.work import Records
from simulator.study.calendar import DAYS_PER_YEAR, Calendar
from simulator.study.schema import Policy


class Sales(NamedTuple):
    """Insurable business of a policy within the horizon, study currency.

    ``value`` float64[I] is the insurable turnover of each planned invoice, ``insurable`` bool[B] whether any sale to a
    buyer may be insured, ``whole`` bool[B] whether all that is planned to be shipped to it counts in full, ``base``
    what a premium is a rate on: turnover, or the sum of month-end balances.
    """

    value: Floats
    insurable: Flags
    whole: Flags
    base: float


def insurable_sales(
    policy: Policy, portfolio: Portfolio, calendar: Calendar, spot: Floats, limits: BuyerLimits, eligible: Flags
) -> Sales:
    """Insurable business as planned.

    Planned sales at the spot of day 0, net of value added tax unless it is covered. Without any invoice (constant
    exposure) a buyer's ``annual_sales``, where given.

    Args:
        policy: the policy.
        portfolio: buyers and planned sales.
        calendar: days and periods.
        spot: study currency per unit of each of the portfolio's currencies on day 0.
        limits: its limits.
        eligible: which invoices it insures, bool[I].
    """
    invoices, n = portfolio.invoices, len(portfolio.buyers)
    some = limits.base > 0.0
    for b, own in limits.dated.items():
        some[b] = any(one.limit > 0.0 for one in own)
    insurable = some & insured_buyers(policy, portfolio)
    if len(invoices) == 0:
        years = days_in_horizon(policy, calendar) / DAYS_PER_YEAR
        yearly = np.nan_to_num(np.asarray(portfolio.buyers.annual_sales, dtype=np.float64)) * years
        base = math.fsum(yearly[insurable]) if policy.premium.base == "turnover" else 0.0
        return Sales(np.zeros(n), insurable, np.ones(n, np.bool_), base)
    net = invoices.amount if policy.vat_covered else invoices.amount - invoices.vat
    worth = net * spot[invoices.currency]
    covered = eligible & limited_at_issue(limits, insurable, invoices.buyer, invoices.issue_day)
    first, last = policy_period(policy, calendar)
    planned = ~invoices.open_item & (invoices.issue_day >= 1) & (invoices.issue_day <= calendar.horizon_days)
    # what is shipped on the ledger's date is an open item; it attaches to a policy that starts on that day
    today = invoices.open_item & (invoices.issue_day == 0) & (first == 0)
    sold = (planned | today) & covered & (invoices.issue_day >= first) & (invoices.issue_day <= last)
    value = np.where(sold, worth, 0.0)
    partly = planned & (value != invoices.amount * spot[invoices.currency])
    whole = np.bincount(invoices.buyer, weights=partly, minlength=n) == 0.0
    if policy.premium.base == "balance":
        owed = np.where(covered, worth, 0.0)
        base = math.fsum(
            float(owed[(invoices.issue_day <= day) & (invoices.due_day > day)].sum())
            for day in month_end_days(policy, calendar)
        )
    else:
        # fsum is exact, so the sum does not depend on the order of buyers in the ledger
        base = math.fsum(np.bincount(invoices.buyer, weights=value, minlength=n))
    return Sales(value, insurable, whole, base)


def insurable_value(
    terms: Records, bounds: Ints | Bounds, segment: Records, eligible: Flags, invoices: Invoices, value: Floats
) -> Floats:
    """What of each invoice's book value is insurable: eligible, under a limit when shipped, net of value added tax.

    The tax is in it where the policy covers it.

    Args:
        terms: of the policy.
        bounds: first of each buyer's limits and one beyond its last, int[B, 2].
        segment: the limits.
        eligible: which invoices it insures, bool[I].
        invoices: their buyers, days and amounts.
        value: their book values.
    """
    begin, end = np.asarray(bounds)[invoices.buyer].T
    held = np.full(len(value), -1)
    for k in range(int((end - begin).max(initial=0))):
        last = np.maximum(np.minimum(begin + k, end - 1), 0)
        held = np.where((begin + k < end) & (segment["from_day"][last] <= invoices.issue_day), last, held)
    limited = (held >= 0) & (segment["limit"][held] > 0.0) if len(segment) else np.zeros(len(value), np.bool_)
    if not terms["vat_covered"]:
        taxed = invoices.vat > 0.0
        value = value.copy()
        value[taxed] -= value[taxed] * (invoices.vat[taxed] / invoices.amount[taxed])
    return np.where(limited & eligible, value, 0.0)


def sales_in_period(terms: Records, invoices: Invoices, value: Floats) -> Floats:
    """Insurable turnover of each planned invoice as the premium of a scenario counts it, 0 outside the policy period.

    Args:
        terms: of the policy.
        invoices: their days.
        value: insurable book values.
    """
    issue = invoices.issue_day
    sold = ~invoices.open_item & (issue >= terms["first_day"]) & (issue <= terms["last_day"])
    return np.where(sold, value, 0.0)


def sums_from(value: Floats, start: Bounds) -> Floats:
    """Sum of each value and the later ones of its buyer, the last one first, and a 0 behind each buyer's last.

    Args:
        value: by invoice, float64[I], buyer by buyer.
        start: bounds of each buyer's invoices, int[B + 1].

    Returns:
        float64[I + B]; invoice i of buyer b is at i + b.
    """
    n = len(start) - 1
    found, total = np.zeros(len(value) + n), np.zeros(n)
    for k in range(int(np.diff(start).max(initial=0))):
        at = start[1:] - 1 - k
        b = np.flatnonzero(at >= start[:-1])
        total[b] += value[at[b]]
        found[at[b] + b] = total[b]
    return found


def limited_at_issue(limits: BuyerLimits, insurable: Flags, buyer: Ints, issue_day: Ints) -> Flags:
    """Whether a limit above zero holds when an invoice is issued, bool[I]."""
    held = insurable[buyer]
    for b, own in limits.dated.items():
        if insurable[b]:
            mine = np.flatnonzero(buyer == b)
            at = np.searchsorted([one.from_day for one in own], issue_day[mine], side="right") - 1
            limit = np.array([one.limit for one in own])
            held[mine] = (at >= 0) & (limit[np.maximum(at, 0)] > 0.0)
    return np.asarray(held, dtype=np.bool_)


def month_end_days(policy: Policy, calendar: Calendar) -> list[int]:
    """Last days of calendar months within the policy period and the horizon."""
    first, last = policy_period(policy, calendar)
    days = range(max(first, 1), min(last, calendar.horizon_days) + 1)
    return [day for day in days if (calendar.date(day) + dt.timedelta(days=1)).day == 1]


def month_ends(policy: Policy, calendar: Calendar) -> Floats:
    """How many of those month ends lie in each period, float64[n_periods]."""
    periods = calendar.period_of_day[month_end_days(policy, calendar)]
    return np.bincount(periods, minlength=calendar.n_periods).astype(np.float64)


def first_days(calendar: Calendar) -> Ints:
    """First day of each period, day 0 for the first one, int32[n_periods]."""
    return np.concatenate([[0], calendar.period_end[:-1] + 1]).astype(np.int32)


def instalments(minimum: float, count: int, calendar: Calendar, first_day: int = 1, days: int = 0) -> Floats:
    """Deposits by period, before tax: equal parts of the minimum premium, paid in advance.

    Deposit k of N is paid on the eve of its part of the policy period, day first - 1 + ⌊k·days/N⌋; the first, on day
    0, is booked in the first period. Where the period goes on beyond the horizon, what is due within it is paid with
    the deposits that fall into it.

    Args:
        minimum: what is due within the horizon.
        count: number of deposits over the policy period.
        calendar: days and periods.
        first_day, days: the policy period; the horizon by default.

    Returns:
        float64[n_periods].
    """
    days = days or calendar.horizon_days
    paid = [max(0, first_day - 1 + k * days // count) for k in range(count)]
    paid = [day for day in paid if day < calendar.horizon_days]
    deposit = np.zeros(calendar.n_periods)
    for day in paid:
        deposit[calendar.period_of_day[day]] += minimum / len(paid)
    return deposit
