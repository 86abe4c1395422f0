"""Amounts of policies that are allowed and may well not be meant: what follows, and what was likely meant.

Money is judged beside the sizes of the study's own business, so that it may be in thousands, or in yen. Nothing here
needs compiled code, so ``simulator check`` can use it.
"""

from __future__ import annotations

from collections.abc import Iterator

import numpy as np

from simulator.engine.check_cover import Business, waiting_days
from simulator.ledger.portfolio import Portfolio
from simulator.ledger.selection import select
from simulator.policy.eligibility import country_terms, days_in_horizon
from simulator.study.amounts import Multiple
from simulator.study.calendar import Calendar
from simulator.study.load import LoadedStudy
from simulator.study.paths import KeyPath, at, show_path
from simulator.study.rules_trade import selections
from simulator.study.schema import Policy
from simulator.study.schema_cover import PERIL_NAMES

#: A note and the key of the policy that it is about, with dots; "" where it is about none.
Note = tuple[str, str]

#: A policy year as the minimum premium counts it.
_YEAR_DAYS = 364
#: Premium rates from here on are probably percentages without their sign.
_HIGH_RATE = 0.02
#: Claims ratios of a bonus from here on, too.
_HIGH_RATIO = 5.0
#: Maximum liabilities up to here, if they are small at all, are probably multiples of premium.
_MOST_MULTIPLE = 200.0
#: Amounts that are small beside a usual invoice, as share of it.
_SMALL = {
    "discretionary_limit": 0.1, "blind_limit": 0.1, "aggregate_first_loss": 0.1, "each_and_every_first_loss": 0.01,
    "minimum_retention": 0.01, "non_qualifying_loss": 0.01,
}  # fmt: skip
#: First losses of all claims and minimum premiums that are small beside a year's insured sales, as share of them.
_SMALL_FIRST_LOSS, _SMALL_MINIMUM = 1e-5, 5e-5


def amount_notes(
    loaded: LoadedStudy, path: KeyPath, policy: Policy, portfolio: Portfolio, calendar: Calendar, business: Business
) -> Iterator[Note]:
    """Notes on the amounts of one policy.

    Args:
        loaded: the study as written.
        path: of the policy.
        policy, portfolio, calendar: its terms, buyers and days.
        business: its buyers' business.
    """
    yield from _minimum(policy, calendar)
    yield from _rates(loaded, path, policy)
    yield from _small(policy, business)
    yield from _liability(policy, business)
    if policy.type == "excess_of_loss":
        if not policy.aggregate_first_loss and not policy.each_and_every_first_loss:
            text = "an excess of loss without aggregate_first_loss pays from the first claim on, like whole_turnover"
            yield "type", text
        if policy.limit_changes is not None:
            yield "limit_changes", "limit_changes: insurers can seldom take back limits of an excess of loss"
    yield from _full_cover(policy, portfolio)


def selection_notes(loaded: LoadedStudy, portfolio: Portfolio) -> Iterator[tuple[KeyPath, str]]:
    """Selections of more of the largest buyers than there are, with the path of each."""
    for path, selection in selections(loaded.study):
        if selection.top is not None:
            there = int(select(selection.model_copy(update={"top": None, "except_top": None}), portfolio).sum())
            if selection.top > there:
                name, said = _named(loaded, path)
                text = f"{name}{said}.top is {selection.top}: there are {there} to choose from, and all are taken"
                yield (*path, "top"), text


def _named(loaded: LoadedStudy, path: KeyPath) -> tuple[str, str]:
    """A path with its programme by name: the name with a colon, and the path below it."""
    if path[0] == "programmes" and isinstance(path[1], int):
        return f"{loaded.study.programmes[path[1]].name}: ", show_path(path[2:])
    return "", show_path(path)


def _minimum(policy: Policy, calendar: Calendar) -> Iterator[Note]:
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
    yield "premium.minimum", text


def _rates(loaded: LoadedStudy, path: KeyPath, policy: Policy) -> Iterator[Note]:
    for key in ("rate_on_turnover", "rate_on_balance"):
        rate = getattr(policy.premium, key)
        if rate >= _HIGH_RATE:
            text = f"premium.{key} is {100 * rate:g} %, unusually high"
            if not _in_percent(loaded, (*path, "premium", key)):
                text += f"; did you mean {rate:g} %?"
            yield f"premium.{key}", text
    for k, step in enumerate(policy.premium.bonus[:-1]):
        if step.claims_ratio >= _HIGH_RATIO:
            text = f"premium.bonus[{k}].claims_ratio is {100 * step.claims_ratio:,.0f} %, unusually high"
            if not _in_percent(loaded, (*path, "premium", "bonus", k, "claims_ratio")):
                text += f"; did you mean {step.claims_ratio:g} %?"
            yield "premium.bonus", text


def _in_percent(loaded: LoadedStudy, path: KeyPath) -> bool:
    """Whether a share was written with its sign."""
    return str(at(loaded.document.data, path)).rstrip().endswith("%")


def _small(policy: Policy, business: Business) -> Iterator[Note]:
    """Amounts that hardly count beside the business: thousands that were forgotten, most often."""
    usual, yearly, highest = business.usual, business.yearly, business.highest_limit
    for key, share in _SMALL.items():
        amount = getattr(policy, key) or 0.0
        bound = share * usual
        if key == "aggregate_first_loss":
            bound = max(bound, _SMALL_FIRST_LOSS * yearly)
        if 0.0 < amount < bound:
            yield key, f"{key} is {amount:,.10g}, little beside a usual invoice of {usual:,.0f}; forgotten k?"
    for key in ("non_qualifying_loss", "each_and_every_first_loss", "minimum_retention"):
        amount = getattr(policy, key)
        if amount > highest:
            yield key, f"{key} ({amount:,.0f}) is more than the highest limit ({highest:,.0f}): no claim is paid"
    minimum = policy.premium.minimum
    if 0.0 < minimum < _SMALL_MINIMUM * yearly:
        text = (
            f"premium.minimum is {minimum:,.10g}, little beside a year's insured sales of {yearly:,.0f}; forgotten k?"
        )
        yield "premium.minimum", text


def _liability(policy: Policy, business: Business) -> Iterator[Note]:
    most, key = policy.maximum_liability, "maximum_liability"
    if isinstance(most, Multiple):
        if most.base != "minimum premium":
            return
        most = most.factor * policy.premium.minimum
    if most is None:
        return
    if most == 0.0:
        yield key, "maximum_liability is 0: the policy never pays"
    elif most < business.usual:
        meant = f"did you mean {most:g} x premium?" if most <= _MOST_MULTIPLE else "forgotten k?"
        yield key, f"maximum_liability is {most:,.10g}, less than a usual invoice of {business.usual:,.0f}; {meant}"
    else:
        for first_loss in ("aggregate_first_loss", "each_and_every_first_loss"):
            borne = getattr(policy, first_loss)
            if most < borne:
                text = f"maximum_liability ({most:,.0f}) is less than {first_loss} ({borne:,.0f})"
                yield key, f"{text}, which is borne before it"


def _full_cover(policy: Policy, portfolio: Portfolio) -> Iterator[Note]:
    """Cover that looks whole: what is shipped after a date of loss is not covered all the same."""
    borne = (
        policy.non_qualifying_loss, policy.each_and_every_first_loss, policy.minimum_retention,
        policy.aggregate_first_loss,
    )  # fmt: skip
    chosen = np.flatnonzero(select(policy.buyers, portfolio)).tolist()
    schedule = country_terms(policy, portfolio)
    abroad = [terms for terms in (schedule[b] for b in chosen) if terms is not None]
    part = any(not t.covered or (t.insured_percentage or 1.0) < 1.0 for t in abroad)
    if part or any(borne) or any(policy.percentage(peril) < 1.0 for peril in PERIL_NAMES):
        return
    if bool(np.any(~portfolio.invoices.open_item)):
        days = waiting_days(policy, portfolio)[chosen]
        waiting = f"{days.min()} days" if days.min() == days.max() else f"{days.min()} to {days.max()} days by country"
        yield (
            "insured_percentage",
            f"covers 100 %, but nothing that is shipped after a buyer's date of loss ({waiting} past due, or its "
            "insolvency), even if it pays that debt in the end",
        )
