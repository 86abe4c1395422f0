"""Rules for a script: one scenario as told, each event once.

Whether its buyers, invoices and days exist is checked with the ledger (:mod:`simulator.engine.script`).
"""

from __future__ import annotations

import datetime as dt
from collections.abc import Callable, Hashable, Iterable

from simulator.study.amounts import Duration
from simulator.study.breaches import Breaches
from simulator.study.names import check_currency
from simulator.study.paths import show_path
from simulator.study.schema import Study


def _script(study: Study, found: Breaches) -> None:
    script = study.script
    if script is None:
        return
    payments = [(p.buyer, _day(study, p.on), p.invoice, p.currency, p.amount) for p in script.payments]
    _once(found, "payments", payments, "this payment")
    _once(found, "recoveries", [(r.buyer, _day(study, r.on)) for r in script.recoveries], "a recovery of this day")
    _once(found, "rates", [(r.currency, _day(study, r.on)) for r in script.rates], "a rate of this day")
    limits = [(c.buyer, _day(study, c.on), c.programmes) for c in script.limits]
    _once(found, "limits", limits, "a limit of this day")
    for at, rate in enumerate(script.rates):
        check_currency(found, ("script", "rates", at, "currency"), rate.currency, study.study.currency, at_key=False)


def _day(study: Study, moment: dt.date | Duration) -> int:
    as_of = study.study.as_of
    return moment.days_from(as_of) if isinstance(moment, Duration) else (moment - as_of).days


def _once(found: Breaches, key: str, entries: Iterable[Hashable], what: str) -> None:
    """Breaches each entry that says the same as an earlier one."""
    first: dict[Hashable, int] = {}
    for at, entry in enumerate(entries):
        if entry in first:
            earlier = show_path(("script", key, first[entry]))
            found.add(("script", key, at), f"{what} is told already in {earlier}", at_key=True)
        first.setdefault(entry, at)


SCRIPT_RULES: list[Callable[[Study, Breaches], None]] = [_script]
