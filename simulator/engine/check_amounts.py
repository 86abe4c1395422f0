"""Amounts of policies that are allowed and may well not be meant: what follows, and what was likely meant.

Nothing here needs compiled code, so ``simulator check`` can use it.
"""

from __future__ import annotations

from collections.abc import Iterator

import numpy as np

from simulator.ledger.portfolio import Portfolio
from simulator.ledger.selection import select
from simulator.policy.eligibility import days_in_horizon
from simulator.study.amounts import Multiple
from simulator.study.calendar import Calendar
from simulator.study.paths import show_path
from simulator.study.rules_cover import waiting_clock
from simulator.study.rules_trade import selections
from simulator.study.schema import Policy, Study
from simulator.study.schema_cover import PERIL_NAMES

#: A policy year as the minimum premium counts it.
_YEAR_DAYS = 364
#: Premium rates from here on are probably percentages without their sign.
_HIGH_RATE = 0.02
#: Maximum liabilities up to here are probably multiples of premium.
_LOW_LIABILITY = 200.0


def amount_notes(study: Study, policy: Policy, portfolio: Portfolio, calendar: Calendar) -> Iterator[str]:
    """Notes on the amounts of one policy."""
    yield from _minimum(policy, calendar)
    yield from _rates(policy)
    yield from _liability(policy)
    if policy.type == "excess_of_loss" and not policy.aggregate_first_loss and not policy.each_and_every_first_loss:
        yield "an excess of loss without aggregate_first_loss pays from the first claim on, like whole_turnover"
    yield from _full_cover(study, policy, portfolio)


def selection_notes(study: Study, portfolio: Portfolio) -> Iterator[str]:
    """Selections of more of the largest buyers than there are."""
    for path, selection in selections(study):
        if selection.top is not None:
            there = int(select(selection.model_copy(update={"top": None, "except_top": None}), portfolio).sum())
            if selection.top > there:
                yield f"{show_path(path)}.top is {selection.top}: there are {there} to choose from, and all are taken"


def _minimum(policy: Policy, calendar: Calendar) -> Iterator[str]:
    days, premium = days_in_horizon(policy, calendar), policy.premium
    if premium.minimum == 0 or not 0 < days < _YEAR_DAYS:
        return
    due = premium.minimum * days / _YEAR_DAYS
    text = (
        f"premium.minimum is a year's: of {premium.minimum:,.0f} are due {due:,.0f} for the {days} days of the policy "
        "that lie within the horizon"
    )
    if policy.period is None and premium.instalments > 1:
        text += f", in {premium.instalments} instalments; with `period: 1 year` these are spread over the year"
    yield text


def _rates(policy: Policy) -> Iterator[str]:
    for key in ("rate_on_turnover", "rate_on_balance"):
        rate = getattr(policy.premium, key)
        if rate >= _HIGH_RATE:
            yield f"premium.{key} is {100 * rate:g} %, unusually high; did you mean {rate:g} %?"


def _liability(policy: Policy) -> Iterator[str]:
    most = policy.maximum_liability
    if isinstance(most, Multiple):
        if most.base != "minimum premium":
            return
        most = most.factor * policy.premium.minimum
    if most is None:
        return
    if most == 0.0:
        yield "maximum_liability is 0: the policy never pays"
    elif most <= _LOW_LIABILITY:
        yield f"maximum_liability is {most:g}, an amount of money; did you mean {most:g} x premium?"
    else:
        for key in ("aggregate_first_loss", "each_and_every_first_loss"):
            borne = getattr(policy, key)
            if most < borne:
                yield f"maximum_liability ({most:,.0f}) is less than {key} ({borne:,.0f}), which is borne before it"


def _full_cover(study: Study, policy: Policy, portfolio: Portfolio) -> Iterator[str]:
    """Cover that looks whole: what is shipped after a date of loss is not covered all the same."""
    borne = (
        policy.non_qualifying_loss, policy.each_and_every_first_loss, policy.minimum_retention,
        policy.aggregate_first_loss,
    )  # fmt: skip
    if any(borne) or any(policy.percentage(peril) < 1.0 for peril in PERIL_NAMES):
        return
    waiting = policy.waiting("protracted_default").days + waiting_clock(policy)[0]
    stop = study.payment.stop_shipment_after
    if (stop is None or stop.days > waiting) and bool(np.any(~portfolio.invoices.open_item)):
        yield (
            "covers 100 %, but nothing that is shipped after a buyer's date of loss: with "
            f"payment.stop_shipment_after of {waiting} days or less nothing is"
        )
