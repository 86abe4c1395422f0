"""From a script to plans: one scenario as a user tells it, made into the arrays that would otherwise be drawn.

A part-payment splits its invoice into a paid and an unpaid piece, and several recoveries split what is lost, so that
every piece has one payment day, one recovery day and goes through the rooms like any invoice. Pieces keep the issue and
due day of their invoice and their part of its VAT. Nothing here needs compiled code, so ``simulator check`` can use it.
"""

from __future__ import annotations

import datetime as dt
from collections import defaultdict
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field, replace
from typing import NamedTuple

import numpy as np

from simulator.constants import NEVER
from simulator.engine.script_parts import CENT, WITHHELD, Part, fates, received, split_invoices
from simulator.errors import Problem, Problems, closest
from simulator.ledger.portfolio import Floats, Ints, Portfolio
from simulator.ledger.reading import numbered
from simulator.study.amounts import Duration
from simulator.study.calendar import FX_STEP_DAYS, Calendar
from simulator.study.paths import KeyPath, show_path
from simulator.study.schema import Policy, Script, Study
from simulator.study.schema_script import ScriptedPayment


class ScriptPlan(NamedTuple):
    """The script by buyer and invoice: ``default_day`` int32[n_buyers] (NEVER: it does not fail); ``paid_day``
    int32[n_invoices] (NEVER: never paid); ``recovery`` float64[n_invoices] and ``receipt_day`` int32[n_invoices], the
    share of the debt that is recovered once it is lost and when it arrives (NEVER: nothing does)."""

    default_day: Ints
    paid_day: Ints
    recovery: Floats
    receipt_day: Ints


class Told(NamedTuple):
    """A script as the engine runs it: days by buyer and invoice, weekly rates [n_currencies, n_steps + 1], and
    ``fate``, what becomes of each invoice: day of loss, NEVER (paid or unpaid at the end), WITHHELD (not shipped)."""

    plan: ScriptPlan
    rates: Floats
    fate: Ints


class LimitEvent(NamedTuple):
    """A limit changed by the script: from a day on, in policy currency; ``programme`` None: under every policy."""

    programme: int | None
    buyer: int
    day: int
    limit: float


@dataclass(frozen=True)
class Scripted:
    """A script made ready: the portfolio in pieces, their days and fates (see :class:`Told`), limits that change."""

    portfolio: Portfolio
    plan: ScriptPlan
    fate: Ints
    limits: list[LimitEvent]


@dataclass
class _Reader:
    """What reading a script needs everywhere, and the problems found so far."""

    study: Study
    script: Script
    portfolio: Portfolio
    calendar: Calendar
    found: Problems = field(default_factory=Problems)

    def problem(self, path: KeyPath, message: str, value: object, suggestion: str = "") -> None:
        """Remember a problem at a key of the script."""
        self.found.add(Problem(message, path=show_path(("script", *path)), value=str(value), suggestion=suggestion))

    def buyer(self, name: str, path: KeyPath) -> int | None:
        """A buyer's place in the ledger."""
        ids = self.portfolio.buyers.buyer_id
        if name in ids:
            return ids.index(name)
        self.problem(path, "no buyer of the ledger has this buyer_id", name, closest(name, ids))
        return None

    def day(self, moment: dt.date | Duration, path: KeyPath, *, endless: bool = False) -> int | None:
        """The day of a moment, which lies after the ledger's date and, unless endless, within the horizon."""
        as_of, horizon = self.calendar.as_of, self.calendar.horizon_days
        day = moment.days_from(as_of) if isinstance(moment, Duration) else self.calendar.day(moment)
        if day < 1:
            self.problem(path, f"must lie after the ledger's date, {as_of}", moment)
            return None
        if day > horizon and not endless:
            end = self.calendar.date(horizon)
            self.problem(path, f"lies after the horizon, which ends on {end} (day {horizon})", moment)
            return None
        return day


def build_script(study: Study, portfolio: Portfolio, calendar: Calendar) -> Scripted | None:
    """The study's script as arrays; None where the study has none.

    Args:
        study: the study.
        portfolio: the ledger as read.
        calendar: days and periods.

    Raises:
        InputError: with every event that cannot happen: an unknown buyer or invoice, a day outside the horizon, more
            money than is owed.
    """
    if study.script is None:
        return None
    reader = _Reader(study, study.script, portfolio, calendar)
    failures = _failures(reader)
    parts = _paid_parts(reader, failures)
    limits = list(_limits(reader))
    _check_rates(reader)
    if not len(reader.found):
        parts = _recovered_parts(reader, failures, parts)
    reader.found.raise_if_any()
    plan = ScriptPlan(
        failures,
        np.array([part.paid_day for part in parts], dtype=np.int32),
        np.array([part.recovery for part in parts], dtype=np.float64),
        np.array([part.receipt_day for part in parts], dtype=np.int32),
    )
    fate = np.array([part.fate for part in parts], dtype=np.int32)
    return Scripted(replace(portfolio, invoices=split_invoices(portfolio, parts)), plan, fate, limits)


def scripted_rates(study: Study, currencies: Sequence[str], spot: Floats, calendar: Calendar) -> Floats:
    """Rates by week as the script tells them: the spot until an entry's week, then its rate until the next one's.

    Returns:
        Study currency per unit, float64[n_currencies, fx_steps + 1].
    """
    rates = np.repeat(np.asarray(spot, dtype=np.float64)[:, None], calendar.fx_steps + 1, axis=1)
    entries = study.script.rates if study.script is not None else ()
    days = [e.on.days_from(calendar.as_of) if isinstance(e.on, Duration) else calendar.day(e.on) for e in entries]
    for day, entry in sorted(zip(days, entries, strict=True), key=lambda pair: pair[0]):
        rates[currencies.index(entry.currency), -(-day // FX_STEP_DAYS) :] = entry.rate
    return rates


def _failures(reader: _Reader) -> Ints:
    """Day of insolvency of each buyer, int32[n_buyers]."""
    days = np.full(len(reader.portfolio.buyers), NEVER, np.int32)
    for name, moment in reader.script.failures.items():
        path: KeyPath = ("failures", name)
        buyer, day = reader.buyer(name, path), reader.day(moment, path)
        if buyer is not None and day is not None:
            days[buyer] = day
    return days


def _paid_parts(reader: _Reader, failures: Ints) -> list[Part]:
    """Every invoice in the parts that the script's payments make of it, with the day each is paid."""
    invoices = reader.portfolio.invoices
    left = [float(amount) for amount in invoices.amount]
    paid: dict[int, list[Part]] = defaultdict(list)
    for number, payment, buyer, day in _payments(reader, failures):
        path: KeyPath = ("payments", number)
        rest = payment.amount
        for i in _payable(reader, payment, path, buyer, day, left):
            amount = left[i] if rest > left[i] - CENT else rest
            if amount > 0.0:
                paid[i].append(Part(i, amount, day, source=number))
                left[i] -= amount
                rest -= amount
        if rest > CENT and not any(p.path.startswith(show_path(("script", *path))) for p in reader.found):
            message = f"{rest:,.2f} more than is unpaid by then"
            reader.problem((*path, "amount"), message, f"{payment.amount:,.2f}")
    return [part for i in range(len(invoices)) for part in _parts_of(reader, failures, i, paid.get(i, []), left[i])]


def _payments(reader: _Reader, failures: Ints) -> list[tuple[int, ScriptedPayment, int, int]]:
    """Number, payment, buyer and day of every possible payment.

    Those that name their invoice come first, so that the others find what they leave; each kind in order of days.
    """
    possible = []
    for number, payment in enumerate(reader.script.payments):
        path: KeyPath = ("payments", number)
        buyer = reader.buyer(payment.buyer, (*path, "buyer"))
        day = reader.day(payment.on, (*path, "on"), endless=True)
        if buyer is None or day is None:
            continue
        if day > failures[buyer]:
            message = "the buyer has failed by then: what arrives later is a recovery"
            reader.problem((*path, "on"), message, payment.on)
            continue
        possible.append((number, payment, buyer, day))
    return sorted(possible, key=lambda found: (found[1].invoice is None, found[3]))


def _payable(
    reader: _Reader, payment: ScriptedPayment, path: KeyPath, buyer: int, day: int, left: list[float]
) -> list[int]:
    """The invoices a payment pays, in order: the one it names, or the buyer's, oldest due date first."""
    invoices, codes = reader.portfolio.invoices, reader.portfolio.currencies
    own = np.flatnonzero(invoices.buyer == buyer).tolist()
    if payment.invoice is not None:
        own = [i for i in own if invoices.invoice_id[i] == payment.invoice]
        if not own:
            names = [invoices.invoice_id[i] for i in np.flatnonzero(invoices.buyer == buyer)]
            message = f"this buyer has no invoice of this number; its invoices are {numbered(names) or 'none'}"
            reader.problem((*path, "invoice"), message, payment.invoice)
            return []
    used = sorted({codes[invoices.currency[i]] for i in own})
    if payment.currency is None and len(used) > 1:
        message = f"its invoices are in {' and '.join(used)}: say with `currency` which of them are paid"
        reader.problem((*path, "amount"), message, f"{payment.amount:,.2f}")
        return []
    if payment.currency is not None and payment.currency not in used:
        message = f"what it pays is in {' and '.join(used) or 'no currency: there are no invoices'}"
        reader.problem((*path, "currency"), message, payment.currency)
        return []
    code = payment.currency or (used[0] if used else "")
    open_then = [i for i in own if invoices.issue_day[i] <= day and codes[invoices.currency[i]] == code]
    if payment.invoice is not None and not open_then:
        message = f"the invoice is issued later, on {reader.calendar.date(int(invoices.issue_day[own[0]]))}"
        reader.problem((*path, "on"), message, payment.on)
    return sorted((i for i in open_then if left[i] > CENT), key=lambda i: (invoices.due_day[i], i))


def _parts_of(reader: _Reader, failures: Ints, i: int, paid: list[Part], left: float) -> Iterator[Part]:
    """The parts of one invoice: what the script has paid, day by day, and the rest."""
    invoices = reader.portfolio.invoices
    yield from sorted(paid, key=lambda part: part.paid_day)
    if left <= CENT:
        return
    day = NEVER
    if not paid and reader.script.otherwise == "pays_when_due":
        day = max(int(invoices.due_day[i]), int(invoices.issue_day[i]), 1)
        if day > failures[invoices.buyer[i]] - reader.script.stops_paying.days:
            day = NEVER
    yield Part(i, left, day)


def _recovered_parts(reader: _Reader, failures: Ints, parts: list[Part]) -> list[Part]:
    """The parts split once more so that each lost one has one recovery."""
    payment, invoices = reader.study.payment, reader.portfolio.invoices
    stop = payment.stop_shipment_after
    lost = fates(
        parts, invoices, failures, payment.protracted_default.after.days, NEVER if stop is None else stop.days,
        reader.calendar.horizon_days,
    )  # fmt: skip
    for part, fate in zip(parts, lost, strict=True):
        if fate == WITHHELD and part.source is not None:
            message = f"{invoices.invoice_id[part.invoice]} is never shipped: the buyer is too late with older debts"
            reader.problem(("payments", part.source, "amount"), message, f"{part.amount:,.2f}")
    shares: dict[int, list[tuple[int, float]]] = defaultdict(list)
    for number, recovery in enumerate(reader.script.recoveries):
        path: KeyPath = ("recoveries", number)
        buyer = reader.buyer(recovery.buyer, (*path, "buyer"))
        day = reader.day(recovery.on, (*path, "on"), endless=True)
        if (recovery.amount is None) == (recovery.share is None):
            reader.problem((*path, "buyer"), "needs either an `amount` or a `share` of the lost debts", recovery.buyer)
        elif buyer is not None and day is not None:
            at = [k for k, part in enumerate(parts) if invoices.buyer[part.invoice] == buyer and 0 < lost[k] <= day]
            for k, share in _spread(reader, number, parts, at).items():
                shares[k].append((day, share))
                if sum(share for _, share in shares[k]) > 1.0 + 1e-9:
                    message = "together the recoveries are more than the debts they are for"
                    reader.problem((*path, "buyer"), message, recovery.buyer)
                    break
    found = enumerate(zip(parts, lost, strict=True))
    return [piece for k, (part, fate) in found for piece in received(part._replace(fate=fate), shares.get(k, []))]


def _spread(reader: _Reader, number: int, parts: list[Part], at: list[int]) -> dict[int, float]:
    """What share of each lost part a recovery is."""
    recovery, invoices = reader.script.recoveries[number], reader.portfolio.invoices
    path: KeyPath = ("recoveries", number)
    if not at:
        reader.problem((*path, "on"), "no debt of this buyer is lost by then", recovery.on)
        return {}
    if recovery.share is not None:
        return dict.fromkeys(at, recovery.share)
    assert recovery.amount is not None
    codes = sorted({reader.portfolio.currencies[invoices.currency[parts[k].invoice]] for k in at})
    if len(codes) > 1:
        message = f"debts in {' and '.join(codes)} are lost: give a `share` of them instead"
        reader.problem((*path, "amount"), message, f"{recovery.amount:,.2f}")
        return {}
    total = sum(parts[k].amount for k in at)
    if recovery.amount > total + CENT:
        message = f"only {total:,.2f} {codes[0]} of this buyer's debts is lost by then"
        reader.problem((*path, "amount"), message, f"{recovery.amount:,.2f}")
        return {}
    return dict.fromkeys(at, recovery.amount / total)


def _limits(reader: _Reader) -> Iterator[LimitEvent]:
    """The limits that change, in the order told."""
    programmes = reader.study.programmes
    policies = {p.name: index for index, p in enumerate(programmes) if isinstance(p, Policy)}
    for number, change in enumerate(reader.script.limits):
        path: KeyPath = ("limits", number)
        buyer, day = reader.buyer(change.buyer, (*path, "buyer")), reader.day(change.on, (*path, "on"))
        for at, name in enumerate(change.programmes or ()):
            if name not in policies:
                message = "no policy of this study has this name"
                reader.problem((*path, "programmes", at), message, name, closest(name, policies))
        if buyer is not None and day is not None:
            named = change.programmes
            for index in [None] if named is None else [policies[name] for name in named if name in policies]:
                yield LimitEvent(index, buyer, day, change.limit)


def _check_rates(reader: _Reader) -> None:
    own, codes = reader.portfolio.currency, reader.portfolio.currencies
    for number, entry in enumerate(reader.script.rates):
        path: KeyPath = ("rates", number)
        if entry.currency == own or entry.currency not in codes:
            message = f"must be one of the ledger's currencies other than {own}: {', '.join(codes[1:]) or 'none'}"
            reader.problem((*path, "currency"), message, entry.currency)
        reader.day(entry.on, (*path, "on"))
