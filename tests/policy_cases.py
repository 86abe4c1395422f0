"""Claims built by hand: a list of debts per scenario becomes the arrays the policy room works on."""

from typing import NamedTuple

import numpy as np

from simulator.jit import NEVER
from simulator.losses.plan import Book, Clock
from simulator.losses.rows import allocate_events
from simulator.policy.apply import allocate_rows, apply_policies
from simulator.policy.gaps import GAP_STEPS
from simulator.policy.plan import empty_plan

WEEK = 7


class Debt(NamedTuple):
    """One unpaid invoice of a buyer in one scenario; days count from the ledger's date."""

    buyer: int
    amount: float
    issue: int = 0
    due: int = 1
    paid: int = NEVER
    lost: int = NEVER
    recovery: float = 0.0
    insolvent: int = NEVER
    protracted: bool = False
    currency: int = 0
    open_item: bool = False
    disputed: bool = False


class Stopped(NamedTuple):
    """Book value of planned invoices that were not shipped to a buyer."""

    buyer: int
    value: float


def arrays(scenarios, stopped=None, capacity=None):
    """Book and events of a block; every debt is an invoice of its own."""
    scenarios = [sorted(debts, key=lambda d: d.buyer) for debts in scenarios]
    stopped = stopped or [[] for _ in scenarios]
    every = [debt for debts in scenarios for debt in debts]
    room = capacity or max(1, *(len(d) for d in scenarios), *(len(d) for d in stopped))

    def column(name, dtype):
        return np.array([getattr(d, name) for d in every], dtype=dtype)

    n = len(every)
    amount = column("amount", np.float64)
    book = Book(
        start=np.zeros(1, np.int32),
        by_due=np.arange(n, dtype=np.int32),
        issue_day=column("issue", np.int32),
        due_day=column("due", np.int32),
        currency=column("currency", np.int32),
        amount=amount,
        book_value=amount,
        open_item=column("open_item", np.bool_),
        disputed=column("disputed", np.bool_),
        buyer_entity=np.zeros(1, np.uint64),
        group=np.full(1, -1, np.int32),
        vat=np.zeros(n),
        receivable_class=np.zeros(1, np.int32),
    )
    events = allocate_events(len(scenarios), room)
    for values in events:
        values[:] = -1
    first = 0
    for s, debts in enumerate(scenarios):
        events.n_events[s] = len(debts)
        events.stopped_count[s] = len(stopped[s])
        for k, (buyer, value) in enumerate(stopped[s][:room]):
            events.stopped_buyer[s, k], events.stopped_value[s, k] = buyer, value
        for e, debt in enumerate(debts[:room]):
            events.buyer[s, e], events.invoice[s, e] = debt.buyer, first + e
            events.default_day[s, e], events.paid_day[s, e] = debt.insolvent, debt.paid
            events.loss_day[s, e], events.recovery[s, e] = debt.lost, debt.recovery
            events.protracted[s, e] = debt.protracted
        first += len(debts)
    return book, events


def clock(horizon=364, period=WEEK):
    """Equal periods of some days."""
    days = np.arange(horizon + 1)
    return Clock(horizon, (np.maximum(days - 1, 0) // period).astype(np.int32))


def plan(programmes, n_buyers, n_periods=52):
    """A policy plan from one mapping of terms per programme; what is left out does not exist."""
    built = empty_plan(len(programmes), n_buyers, n_periods)
    for p, terms in enumerate(programmes):
        built.insured[p] = True
        for name, value in terms.items():
            getattr(built, name)[p] = value
        built.insurable[p] = built.limit[p] > 0
    return built


def terms(percentage=0.9, **more):
    """Terms with one percentage for both perils."""
    return {"percentage_insolvency": percentage, "percentage_protracted": percentage, **more}


def constant_rates(n, values=(1.0,), steps=60):
    """Rates that never move."""
    return np.ascontiguousarray(np.broadcast_to(np.array(values)[None, :, None], (n, len(values), steps + 1)))


def settle(programmes, scenarios, n_buyers=None, rates=None, recovery_lag=0, when=None, stopped=None):
    """Run the policy room on hand-made debts."""
    n_buyers = n_buyers or 1 + max((d.buyer for debts in scenarios for d in debts), default=0)
    when = when or clock()
    built = plan(programmes, n_buyers, int(when.period_of_day[-1]) + 1)
    book, events = arrays(scenarios, stopped)
    if rates is None:
        rates = constant_rates(len(scenarios))
    return apply_policies(built, book, when, events, rates, recovery_lag)


def gaps(rows, s=0, p=0):
    """The waterfall of one scenario and programme by name."""
    return dict(zip(GAP_STEPS, rows.gap[s, p].tolist(), strict=True))


def empty_rows(n, n_programmes, n_periods):
    """Rows full of rubbish, so that a forgotten write shows."""
    rows = allocate_rows(n, n_programmes, n_periods)
    for values in rows:
        values[:] = -1e99
    return rows
