"""The claims of one replayed scenario, one by one, as the policy room settles them.

The room adds up a programme's claims. They are settled in order of their date of loss, each after those before it; so
what a claim takes is what the sum grows by when its buyer's debts are added to those before.
"""

from __future__ import annotations

from typing import NamedTuple

import numpy as np

from simulator.engine.replay import Replay
from simulator.ledger.portfolio import Floats
from simulator.losses.rows import Events
from simulator.policy.apply import apply_policies, claims_in_order


class SettledClaim(NamedTuple):
    """One buyer's claim: what each step of the waterfall takes of its debt, study currency.

    Days are None where no claim holds the buyer's lost debts; ``payment_day`` too where nothing is paid.
    """

    buyer: int
    loss_day: int | None
    payment_day: int | None
    steps: Floats


def claims_of(replay: Replay, programme: int) -> list[SettledClaim]:
    """The claims of one programme in the order they are settled, and lost debts without a claim after them."""
    model, events = replay.model, replay.block.events
    n = len(replay.block.states.weight)
    row = int(model.policy.regime[programme]) * n + replay.row
    order = claims_in_order(model.policy, model.book, events, row, replay.block.first + replay.row, programme)
    settled: list[SettledClaim] = []
    before = np.zeros(0)
    for place in range(len(order) + 1):
        kept = [buyer for buyer, _ in order[:place]]
        after = _gap(replay, _only(events, row, kept), programme)
        if place:
            buyer, day = order[place - 1]
            paid = None if day is None else day + int(model.policy.terms["settlement_days"][programme])
            steps = after - before
            settled.append(SettledClaim(buyer, day, paid if steps[-1] > 0.0 else None, steps))
        before = after
    return settled


def _gap(replay: Replay, events: Events, programme: int) -> Floats:
    """Every step of a programme's waterfall on some of a scenario's events."""
    model, block = replay.model, replay.block
    rows = apply_policies(
        model.policy, model.book, model.clock, events, block.rates,
        first=block.first, drivers=block.states.drivers, ledger=block.ledger,
    )  # fmt: skip
    return np.asarray(rows.gap[replay.row, programme], dtype=np.float64)


def _only(events: Events, row: int, buyers: list[int]) -> Events:
    """The events with no other debts in one row than those of some buyers."""
    count = int(events.n_events[row])
    kept = np.flatnonzero(np.isin(events.buyer[row, :count], buyers))
    changed = {}
    for name, values in events._asdict().items():
        if name.startswith(("stopped_", "weak_")):
            continue
        values = values.copy()
        if name == "n_events":
            values[row] = len(kept)
        else:
            values[row, : len(kept)] = values[row, kept]
        changed[name] = values
    return events._replace(**changed)
