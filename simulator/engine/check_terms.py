"""Terms of programmes held against the ledger: whom they name, what they cannot do, what has nothing to act on.

Nothing here needs compiled code, so ``simulator check`` can use it.
"""

from __future__ import annotations

import contextlib
import datetime as dt
from collections import Counter
from collections.abc import Iterator
from itertools import combinations
from pathlib import Path

import numpy as np

from simulator.defaults.curves import known_ratings
from simulator.engine.check_amounts import amount_notes, selection_notes
from simulator.errors import InputError, Problem, Problems
from simulator.fx.spot import resolve_spot
from simulator.ledger.portfolio import Floats, Portfolio
from simulator.ledger.reading import numbered
from simulator.ledger.selection import check_selection, select
from simulator.study.amounts import Duration
from simulator.study.calendar import Calendar
from simulator.study.files import LIMIT_WORDS
from simulator.study.paths import show_path
from simulator.study.rules_cover import policies
from simulator.study.rules_trade import selections
from simulator.study.schema import Policy, Study
from simulator.study.schema_risk import LimitChangeShares

#: Ways to trade that exclude each other.
_EXCLUSIVE = ("factoring", "letter_of_credit", "prepayment")


def check_selections(study: Study, portfolio: Portfolio, folder: Path) -> None:
    """Check that every selection names buyers of the ledger, and that no buyer trades in two ways.

    Raises:
        InputError: with every mistake.
    """
    problems, ratings = Problems(), set[str]()
    with contextlib.suppress(InputError):  # told where the buyers' ratings are checked
        ratings = known_ratings(study, folder)
    for path, selection in selections(study):
        check_selection(selection, portfolio, show_path(path), problems, ratings)
    problems.raise_if_any()
    for index, programme in enumerate(study.programmes):
        ways = {key: getattr(programme, key) for key in _EXCLUSIVE if getattr(programme, key) is not None}
        for one, other in combinations(ways, 2):
            both = select(ways[one].buyers, portfolio) & select(ways[other].buyers, portfolio)
            if both.any():
                names = numbered(portfolio.buyers.buyer_id[b] for b in np.flatnonzero(both).tolist())
                message = f"selects buyers that {one} selects too ({names}); a buyer trades one way only"
                problems.add(Problem(message, path=show_path(("programmes", index, other, "buyers"))))
    problems.raise_if_any()


def check_limit_files(study: Study, portfolio: Portfolio, calendar: Calendar, folder: Path) -> None:
    """Check the files of limits that policies name.

    Raises:
        InputError: with every problem in them.
    """
    if all(policy.limits in LIMIT_WORDS for _, policy in policies(study)):
        return
    from simulator.policy.limits import check_limits  # slow to load

    check_limits(study, portfolio, calendar, _spot(study, portfolio, folder), folder)


def check_told_limits(study: Study, portfolio: Portfolio, calendar: Calendar, folder: Path) -> None:
    """Check that a script takes back no limit that a policy's file calls not cancellable.

    Raises:
        InputError: with every such limit.
    """
    told = study.script.limits if study.script is not None else ()
    if not told or all(policy.limits in LIMIT_WORDS for _, policy in policies(study)):
        return
    from simulator.policy.limits import buyer_limits, spot_rates  # slow to load

    problems, known = Problems(), list(portfolio.buyers.buyer_id)
    rates = spot_rates(study, portfolio, _spot(study, portfolio, folder))
    for path, policy in policies(study):
        if policy.limits in LIMIT_WORDS:
            continue
        limits = buyer_limits(study, int(path[1]), portfolio, calendar, rates, folder, Problems())
        for number, change in enumerate(told):
            if change.buyer not in known or policy.name not in (change.programmes or [policy.name]):
                continue
            on = change.on
            day = on.days_from(calendar.as_of) if isinstance(on, Duration) else calendar.day(on)
            held = [one for one in limits.dated.get(known.index(change.buyer), ()) if one.from_day <= day][-1:]
            if held and not held[0].changes and change.limit < held[0].limit:
                message = (
                    f"is less than the limit of {policy.name}, which its file says is not cancellable: leave this out, "
                    "name other `programmes`, or change `cancellable` in the file"
                )
                where = show_path(("script", "limits", number, "limit"))
                problems.add(Problem(message, path=where, value=f"{change.limit:,.0f}"))
    problems.raise_if_any()


def _spot(study: Study, portfolio: Portfolio, folder: Path) -> Floats:
    """Rates of day 0, 1 where there is none: that is told where all rates are checked."""
    spot = dict.fromkeys(portfolio.currencies, 1.0)
    if study.portfolio.exposure == "ledger":
        with contextlib.suppress(InputError):
            spot |= resolve_spot(study, folder, portfolio.currencies)
    return np.array([spot[code] for code in portfolio.currencies])


def term_notes(study: Study, portfolio: Portfolio, calendar: Calendar) -> list[str]:
    """What programmes say that has nothing to act on here, and who or what they leave out."""
    return [*_of_policies(study, portfolio, calendar), *selection_notes(study, portfolio), *_of_the_study(study)]


def _of_policies(study: Study, portfolio: Portfolio, calendar: Calendar) -> list[str]:
    """One note for all policies of which the same is to be said, in order."""
    who: dict[str, list[str]] = {}
    for _, policy in policies(study):
        for note in _of_policy(study, policy, portfolio, calendar):
            who.setdefault(note, []).append(policy.name)
    return [f"{', '.join(names)}: {note}" for note, names in who.items()]


def _of_policy(study: Study, policy: Policy, portfolio: Portfolio, calendar: Calendar) -> Iterator[str]:
    buyers = portfolio.buyers
    chosen = select(policy.buyers, portfolio)
    kinds = Counter(kind for kind, taken in zip(buyers.buyer_type, chosen, strict=True) if taken)
    left_out = Counter({kind: kinds[kind] for kind in policy.excludes if kinds[kind]})
    if left_out:
        listed = ", ".join(f"{count} {kind}" for kind, count in left_out.items())
        whom = "1 buyer by its kind" if left_out.total() == 1 else f"{left_out.total()} buyers by their kind"
        yield f"does not insure {whom} ({listed})"
    yield from _dates(policy, calendar)
    if policy.shared_limits and not any(buyers.group_id):
        yield "shared_limits has no effect: no buyer has a group_id"
    idle = [code for code in policy.countries if code not in set(buyers.country)]
    if idle:
        yield f"countries names {', '.join(idle)}, where no buyer is: without effect"
    unnamed = chosen & np.isnan(buyers.credit_limit)
    if policy.limits == "column" and not unnamed.any():
        for key in ("discretionary_limit", "blind_limit"):
            if getattr(policy, key) is not None:
                yield f"{key} has no effect: every buyer has a named limit"
    if policy.blind_limit is not None and policy.discretionary_limit and policy.discretionary_needs == "nothing":
        yield "blind_limit has no effect: buyers without a named limit have the discretionary one"
    if policy.order == "minimum_retention" and policy.minimum_retention == 0:
        yield "minimum_retention is 0: the wording of that name works as percent_first"
    if policy.notification is not None and policy.waiting_clock != "notice" and policy.notification.missed == 0:
        yield "notification has no effect: none is missed, and the waiting clock starts elsewhere"
    unsettled = portfolio.invoices.disputed.any() or study.payment.disputes.probability > 0
    if policy.disputes == "suspended" and not unsettled:
        yield "disputes has no effect: nothing is disputed"
    line = study.liquidity.credit_line
    if policy.loss_payee and line.borrowing_base is None and line.insured_rate is None:
        yield "loss_payee has no effect: the line has neither a borrowing base nor an insured_rate"
    yield from amount_notes(study, policy, portfolio, calendar)


def _dates(policy: Policy, calendar: Calendar) -> Iterator[str]:
    """A policy period that begins later or ends earlier than the horizon."""
    tomorrow = calendar.date(1)
    first = policy.starts or tomorrow
    what = "shipments" if policy.basis == "risk_attaching" else "losses"
    if first > tomorrow:
        yield f"starts on {first}: {what} before it are not insured"
    if policy.period is not None:
        last = first + dt.timedelta(days=policy.period.days_from(first) - 1)
        if last < calendar.date(calendar.horizon_days):
            yield f"ends on {last}: {what} after it are not insured"


def _of_the_study(study: Study) -> Iterator[str]:
    line, insured = study.liquidity.credit_line, [policy for _, policy in policies(study)]
    if line.borrowing_base is not None and line.limit == 0:
        yield "liquidity.credit_line.borrowing_base has no effect: the line's limit is 0"
    if line.insured_rate is not None and not any(policy.loss_payee for policy in insured):
        yield "liquidity.credit_line.insured_rate has no effect: no policy has the bank as loss payee"
    shares = study.credit.dependence.limit_changes
    if shares != LimitChangeShares() and not any(policy.limit_changes for policy in insured):
        yield "credit.dependence.limit_changes has no effect: no policy has limit_changes"
    if study.transfer.frustration > 0 and study.transfer.table == "none" and not study.transfer.annual_probability:
        yield "transfer.frustration has no effect: there are no transfer events"
