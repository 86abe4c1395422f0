"""Rules between the terms of a policy, and between them and the rest of the study."""

from __future__ import annotations

import datetime as dt
from collections.abc import Callable, Iterator

from simulator.study.amounts import Duration, Multiple
from simulator.study.breaches import Breaches
from simulator.study.codes import currencies, likely_currency
from simulator.study.names import check_country
from simulator.study.paths import KeyPath, show_path
from simulator.study.schema import Policy, Study
from simulator.study.schema_terms import WaitingByPeril

#: Longest horizon.
MAX_YEARS = 10
#: A policy period is one year at most: 53 weeks, or twelve months; and long enough for a month end.
MAX_POLICY_DAYS = 371
MIN_POLICY_DAYS = 28
#: Steps of an order of terms and the key that gives their amount.
_DEDUCTIONS = (
    "non_qualifying_loss",
    "each_and_every_first_loss",
    "minimum_retention",
    "aggregate_first_loss",
)


def policies(study: Study) -> Iterator[tuple[KeyPath, Policy]]:
    """Every policy of a study with its key path."""
    for index, programme in enumerate(study.programmes):
        if isinstance(programme, Policy):
            yield ("programmes", index), programme


def n_periods(study: Study) -> int:
    """Number of periods of a study, as :class:`simulator.study.calendar.Calendar` counts them."""
    as_of = study.study.as_of
    horizon = study.study.horizon.days_from(as_of)
    if study.study.period == "week":
        return -(-horizon // 7)
    end = as_of + dt.timedelta(days=horizon)
    ends_a_month = (as_of + dt.timedelta(days=1)).day == 1
    return (end.year - as_of.year) * 12 + end.month - as_of.month + (0 if ends_a_month else 1)


def _dates_are_sound(study: Study) -> bool:
    return 1970 <= study.study.as_of.year <= 2100


def longest_horizon(as_of: dt.date) -> int:
    """Days of the longest horizon from a day on."""
    end = as_of.replace(year=as_of.year + MAX_YEARS, day=min(as_of.day, 28))
    return (end - as_of).days + 3


def _long_horizon(study: Study, found: Breaches) -> None:
    as_of = study.study.as_of
    if not _dates_are_sound(study):
        return
    if not MAX_POLICY_DAYS < study.study.horizon.days_from(as_of) <= longest_horizon(as_of):
        return
    unsaid = [(path, policy.name) for path, policy in policies(study) if policy.period is None]
    if unsaid:
        message = (
            "must be at most 53 weeks where a policy does not say its `period`: minimum premium, fees, first losses "
            "and maximum liability are those of one policy period; give `period: 1 year` to "
            f"{', '.join(name for _, name in unsaid)}, shorten the horizon, or keep programmes of type none only"
        )
        found.add(("study", "horizon"), message, reads=[(*path, "period") for path, _ in unsaid])


def _period(study: Study, found: Breaches) -> None:
    if not _dates_are_sound(study):
        return
    as_of = study.study.as_of
    end = as_of + dt.timedelta(days=study.study.horizon.days_from(as_of))
    for path, policy in policies(study):
        first = policy.starts or as_of + dt.timedelta(days=1)
        if first < as_of:
            message = f"must not lie before the ledger's date, {as_of}: what was paid and claimed since is not known"
            found.add((*path, "starts"), message, reads=[("study", "as_of")])
        elif first > end:
            message = f"lies after the horizon, which ends on {end}: nothing would be insured"
            found.add((*path, "starts"), message, reads=[("study", "as_of"), ("study", "horizon")])
        if policy.period is not None:
            days = policy.period.days_from(min(first, dt.date(2200, 1, 1)))
            if not MIN_POLICY_DAYS <= days <= MAX_POLICY_DAYS:
                found.add((*path, "period"), "must be from 4 weeks to 53 weeks, one policy year")


def _waiting(study: Study, found: Breaches) -> None:
    """No date of loss lies before the day on which a late debt counts as lost at all."""
    for path, policy in policies(study):
        if policy.waiting_clock == "notice" and policy.notification is None:
            message = "counts from the notification of overdue debts: give `notification`, such as {after: 30 days}"
            found.add((*path, "waiting_clock"), message, reads=[(*path, "notification")])
        for peril in ("protracted_default", "transfer"):
            if policy.percentage(peril) > 0:
                by_peril = isinstance(policy.waiting_period, WaitingByPeril)
                where = (*path, "waiting_period", *([peril] if by_peril else []))
                _long_enough(study, policy, where, policy.waiting(peril), found)
                if not by_peril:
                    break
        for country, terms in policy.countries.items():
            if terms.covered and terms.waiting_period is not None:
                _long_enough(
                    study, policy, (*path, "countries", country, "waiting_period"), terms.waiting_period, found
                )


def waiting_clock(policy: Policy) -> tuple[int, str]:
    """Days from the due date to the start of the waiting clock, and how that is said."""
    if policy.waiting_clock == "notice" and policy.notification is not None:
        return policy.notification.after.days, f" after the {policy.notification.after} until notification"
    if policy.waiting_clock == "collection":
        return policy.collection_after.days, f" after the {policy.collection_after} until collection"
    return 0, ""


def _long_enough(study: Study, policy: Policy, where: KeyPath, waiting: Duration, found: Breaches) -> None:
    protracted: KeyPath = ("payment", "protracted_default", "after")
    after = study.payment.protracted_default.after
    start, said = waiting_clock(policy)
    if start + waiting.days >= after.days:
        return
    if found.written(where) or not found.written(protracted):
        counted = f"; it counts{said}" if said else ""
        message = (
            f"must not be shorter than payment.protracted_default.after ({after}), "
            f"the day a late debt counts as lost{counted}"
        )
        found.add(where, message, reads=[protracted])
    else:
        message = f"must not be longer than the waiting period of {show_path(where[:2])} ({waiting}{said})"
        found.add(protracted, message, reads=[where])


def _order(study: Study, found: Breaches) -> None:
    """An order applies every term that has an amount, each once."""
    for path, policy in policies(study):
        where, order = (*path, "order"), policy.resolved_order
        if isinstance(order, str):
            if policy.minimum_retention > 0 and order != "minimum_retention":
                message = f"is not applied by the wording {order}: choose `order: minimum_retention`"
                found.add((*path, "minimum_retention"), message, reads=[where])
            continue
        for at, step in enumerate(order):
            if step in order[:at]:
                found.add((*where, at), f"{step} is named already; each step is applied once")
            elif step == "maximum_liability" and at != len(order) - 1:
                found.add((*where, at), "maximum_liability is what is left at most: it comes last")
        if "insured_percentage" not in order:
            message = "does not apply insured_percentage; name it where the insured share is taken"
            found.add(where, message, at_key=True)
        elif "minimum_retention" in order and order.index("minimum_retention") < order.index("insured_percentage"):
            message = "minimum_retention comes after insured_percentage: it adds to what the policyholder bears by then"
            found.add((*where, order.index("minimum_retention")), message)
        for key in _DEDUCTIONS:
            if getattr(policy, key) > 0 and key not in order:
                message = f"is not applied by the order of {show_path(path)}: name it there, or leave it out here"
                found.add((*path, key), message, reads=[where])


def _limits(study: Study, found: Breaches) -> None:
    for path, policy in policies(study):
        for kind in ("discretionary", "blind"):
            share, limit = f"{kind}_percentage", f"{kind}_limit"
            if getattr(policy, share) is not None and getattr(policy, limit) is None:
                found.add((*path, share), f"has no meaning without a {limit}", reads=[(*path, limit)])
        if policy.discretionary_needs != "nothing" and policy.discretionary_limit is None:
            where = (*path, "discretionary_needs")
            found.add(where, "has no meaning without a discretionary_limit", reads=[(*path, "discretionary_limit")])
        if policy.limit_changes is not None and policy.limit_changes.to >= 1:
            found.add((*path, "limit_changes", "to"), "must be below 100 %: it is what remains of the limit")
        if policy.limits == "unlimited":
            for key in ("limit_changes", "top_up", "discretionary_limit", "blind_limit"):
                if getattr(policy, key) is not None:
                    message = "has no meaning with `limits: unlimited`, under which every buyer is covered in full"
                    found.add((*path, key), message, at_key=True, reads=[(*path, "limits")])
        if policy.type == "single_buyer" and not found.written((*path, "buyers")):
            message = "a single_buyer policy says who is insured: `buyers: {ids: [...]}` or `buyers: {top: 1}`"
            found.add((*path, "buyers"), message)
        for country in policy.countries:
            check_country(found, (*path, "countries", country), country)
        if policy.currency is not None and policy.currency not in currencies():
            message = "not an ISO 4217 currency code"
            found.add((*path, "currency"), message, likely_currency(policy.currency, {study.study.currency}))


def _premium(study: Study, found: Breaches) -> None:
    periods = n_periods(study) if _dates_are_sound(study) else 52
    for path, policy in policies(study):
        premium, where = policy.premium, (*path, "premium")
        if premium.instalments > max(1, periods) and found.written((*where, "instalments")):
            message = f"must be at most {periods}, one in each {study.study.period} of this study"
            found.add((*where, "instalments"), message, reads=[("study", "horizon"), ("study", "period")])
        other = "rate_on_balance" if premium.base == "turnover" else "rate_on_turnover"
        if getattr(premium, other) > 0:
            message = f"is not charged with `base: {premium.base}`; give rate_on_{premium.base}, or change the base"
            found.add((*where, other), message, reads=[(*where, "base")])
        ratios = [step.claims_ratio for step in premium.bonus]
        for at, step in enumerate(premium.bonus):
            if step.claims_ratio < 0:
                found.add((*where, "bonus", at, "claims_ratio"), "must not be negative")
            elif at and step.claims_ratio <= ratios[at - 1]:
                message = f"claims ratios must ascend; {ratios[at - 1]:g} stands before it"
                found.add((*where, "bonus", at, "claims_ratio"), message)
            if step.change < -1:
                found.add(
                    (*where, "bonus", at, "change"), "must be at least -100 %: a bonus is no more than the premium"
                )
        _liability(policy, path, found)


def _liability(policy: Policy, path: KeyPath, found: Breaches) -> None:
    """A multiple of premium needs that premium, and an amount is more than it."""
    liability, premium = policy.maximum_liability, policy.premium
    if liability is None:
        return
    if not isinstance(liability, Multiple):
        if liability < premium.minimum:
            message = f"is less than the minimum premium, {premium.minimum:,.0f}: cover would cost more than it can pay"
            likely = f"{liability:g} x premium" if 0 < liability <= 200 else ""
            found.add((*path, "maximum_liability"), message, likely, reads=[(*path, "premium")])
        return
    if liability.base == "minimum premium":
        if premium.minimum == 0:
            message = "is a multiple of the minimum premium, but this programme has none: give premium.minimum"
            found.add((*path, "maximum_liability"), message, reads=[(*path, "premium")])
    elif premium.rate_on_turnover == 0 and premium.rate_on_balance == 0 and premium.minimum == 0:
        message = "is a multiple of a premium, but this programme has none: give premium.rate_on_turnover or .minimum"
        found.add((*path, "maximum_liability"), message, reads=[(*path, "premium")])


COVER_RULES: list[Callable[[Study, Breaches], None]] = [_long_horizon, _period, _waiting, _order, _limits, _premium]
