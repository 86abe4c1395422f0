"""What happens in a scripted scenario: who fails, what arrives, what is lost, what changes, and what is claimed."""

from __future__ import annotations

import datetime as dt
from collections.abc import Iterator
from typing import TYPE_CHECKING

import numpy as np

from simulator.constants import NEVER
from simulator.engine.claims import claims_of
from simulator.engine.model import Model
from simulator.engine.replay import Replay
from simulator.engine.script_parts import WITHHELD
from simulator.fx.formulas import rate_on
from simulator.jit import plain
from simulator.policy.gaps import GAP_STEPS
from simulator.study.amounts import Duration
from simulator.study.schema import Policy, Script

if TYPE_CHECKING:
    import pandas as pd

#: Columns of the table of events; amounts in their own currency, values in study currency on the day.
COLUMNS = ("day", "date", "period", "buyer_id", "buyer", "what", "invoice_id", "amount", "currency", "value")
#: Order of what happens on one day.
ORDER = ("rate", "limit", "pays", "fails", "lost", "not shipped", "recovered")
Event = tuple[int, str, int, str, float, str, float]


def story_tables(replay: Replay) -> dict[str, pd.DataFrame]:
    """The story of a scripted scenario as tables, to be kept with the result.

    Returns:
        ``events``: what happens, by day (see :func:`event_table`); ``claims``: one row per
        programme and claim, in the order they are settled: programme, buyer_id, buyer, date_of_loss, paid_on (blank
        where no claim holds the debts) and every step of the waterfall, study currency.
    """
    return {"events": event_table(replay), "claims": claim_table(replay)}


def claim_table(replay: Replay) -> pd.DataFrame:
    """The claims of every policy, with every step from the debt to the indemnity."""
    import pandas as pd

    model = replay.model
    buyers, calendar = model.portfolio.buyers, model.calendar
    rows = [
        {
            "programme": programme.name,
            "buyer_id": buyers.buyer_id[claim.buyer],
            "buyer": buyers.name[claim.buyer] or buyers.buyer_id[claim.buyer],
            "date_of_loss": "" if claim.loss_day is None else calendar.date(claim.loss_day).isoformat(),
            "paid_on": "" if claim.payment_day is None else calendar.date(claim.payment_day).isoformat(),
            **dict(zip(GAP_STEPS, claim.steps.tolist(), strict=True)),
        }
        for p, programme in enumerate(model.study.programmes)
        if isinstance(programme, Policy)
        for claim in claims_of(replay, p)
    ]
    return pd.DataFrame(rows, columns=["programme", "buyer_id", "buyer", "date_of_loss", "paid_on", *GAP_STEPS])


def event_table(replay: Replay) -> pd.DataFrame:
    """Every event of a scripted scenario that the script tells or that follows from it, by day.

    Payments of invoices that the script does not mention are left out, and so is what lies beyond the horizon.
    """
    import pandas as pd

    model = replay.model
    calendar, buyers = model.calendar, model.portfolio.buyers
    events = [e for e in _events(replay) if e[0] <= calendar.horizon_days]
    events.sort(key=lambda e: (e[0], ORDER.index(e[1].split(":")[0]), e[2]))
    rows = [
        {
            "day": day,
            "date": calendar.date(day).isoformat(),
            "period": int(calendar.period_of_day[day]) + 1,
            "buyer_id": buyers.buyer_id[b] if b >= 0 else "",
            "buyer": (buyers.name[b] or buyers.buyer_id[b]) if b >= 0 else "",
            "what": what,
            "invoice_id": invoice,
            "amount": amount,
            "currency": currency,
            "value": value,
        }
        for day, what, b, invoice, amount, currency, value in events
    ]
    return pd.DataFrame(rows, columns=list(COLUMNS))


def _events(replay: Replay) -> Iterator[Event]:
    """Events as (day, what, buyer or -1, invoice, amount, currency, value), in no order."""
    model, told = replay.model, replay.model.study.script
    assert told is not None
    assert model.script is not None
    for b, day in enumerate(model.script.plan.default_day.tolist()):
        if day != NEVER:
            yield day, "fails", b, "", np.nan, "", np.nan
    yield from _told(model, told)
    yield from _losses(replay)


def _told(model: Model, script: Script) -> Iterator[Event]:
    """Payments, limits and rates, as the script has them."""
    buyers, codes, invoices = model.portfolio.buyers, model.portfolio.currencies, model.portfolio.invoices
    for payment in script.payments:
        b, day = buyers.buyer_id.index(payment.buyer), _day(model, payment.on)
        own = invoices.currency[invoices.buyer == b]
        currency = codes.index(payment.currency) if payment.currency else int(own[0])
        value = payment.amount * _rate(model, currency, day)
        yield day, "pays", b, payment.invoice or "", payment.amount, codes[currency], value
    for change in script.limits:
        what = "limit: cancelled" if change.limit == 0 else "limit: changed"
        where = f"{what} ({', '.join(change.programmes)})" if change.programmes else what
        amount = np.nan if change.limit == 0 else change.limit
        yield _day(model, change.on), where, buyers.buyer_id.index(change.buyer), "", amount, "", np.nan
    for rate in script.rates:
        yield _day(model, rate.on), f"rate: 1 {rate.currency}", -1, "", rate.rate, model.portfolio.currency, np.nan


def _losses(replay: Replay) -> Iterator[Event]:
    """Debts lost, money recovered on them, and goods not shipped, as the rooms have booked them."""
    model, events, row = replay.model, replay.block.events, replay.row
    book, invoices, codes = model.book, model.portfolio.invoices, model.portfolio.currencies
    back: dict[tuple[int, int, int], float] = {}
    for j in range(int(events.n_events[row])):
        b, i, day = (int(a[row, j]) for a in (events.buyer, events.invoice, events.loss_day))
        if day == NEVER:
            continue
        currency, amount = int(book.currency[i]), float(book.amount[i])
        why = "insolvency" if day == int(events.default_day[row, j]) else "protracted default"
        value = amount * _rate(model, currency, day)
        yield day, f"lost: {why}", b, invoices.invoice_id[i], amount, codes[currency], value
        if (received := int(events.receipt_day[row, j])) != NEVER:
            key = (received, b, currency)
            back[key] = back.get(key, 0.0) + amount * float(events.recovery[row, j])
    for (day, b, currency), amount in back.items():
        value = amount * _rate(model, currency, min(day, model.calendar.horizon_days))
        yield day, "recovered", b, "", amount, codes[currency], value
    yield from _withheld(model)


def _withheld(model: Model) -> Iterator[Event]:
    """Goods not shipped, one event by buyer and currency on the day the first of them would have been."""
    assert model.script is not None
    book, invoices, codes = model.book, model.portfolio.invoices, model.portfolio.currencies
    found: dict[tuple[int, int], list[int]] = {}
    for i in np.flatnonzero(model.script.fate == WITHHELD).tolist():
        found.setdefault((int(invoices.buyer[i]), int(book.currency[i])), []).append(i)
    for (b, currency), withheld in found.items():
        amounts, days = book.amount[withheld], book.issue_day[withheld]
        worth = sum(a * _rate(model, currency, int(d)) for a, d in zip(amounts, days, strict=True))
        what = f"not shipped: {len(withheld)} invoices" if len(withheld) > 1 else "not shipped"
        name = invoices.invoice_id[withheld[0]] if len(withheld) == 1 else ""
        yield int(days.min()), what, b, name, float(amounts.sum()), codes[currency], float(worth)


def _day(model: Model, moment: dt.date | Duration) -> int:
    calendar = model.calendar
    return moment.days_from(calendar.as_of) if isinstance(moment, Duration) else calendar.day(moment)


def _rate(model: Model, currency: int, day: int) -> float:
    assert model.script is not None
    return float(plain(rate_on)(model.script.rates[None], 0, currency, day))
