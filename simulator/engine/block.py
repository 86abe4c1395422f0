"""One block of scenarios through the rooms: state, rates, ledger, policies, cash."""

from __future__ import annotations

import math
from dataclasses import dataclass

import numpy as np

from simulator.engine.model import Model
from simulator.factors.plan import States, draw_states
from simulator.fx.hedge import settle_hedge
from simulator.fx.plan import draw_rates
from simulator.fx.transfer import draw_transfers
from simulator.ledger.portfolio import Floats, Ints
from simulator.losses.balances import BalanceRows, allocate_balances, balance_bytes
from simulator.losses.exposure_kernels import lose_exposures
from simulator.losses.kernels import simulate_ledger
from simulator.losses.regimes import complete_rows, if_several, rows_needed
from simulator.losses.rows import (
    Events,
    LedgerRows,
    Scratch,
    allocate_rows,
    allocate_scratch,
    bytes_per_scenario,
    constant_events,
    event_lists,
)
from simulator.losses.script_kernels import follow_script
from simulator.losses.sieve import FAILURE_BYTES, Bench, Failures, allocate_bench, allocate_failures
from simulator.losses.tiles import allocate_tiles, tile_bytes, tile_width
from simulator.policy.apply import PolicyRows, apply_policies, nothing_insured
from simulator.policy.apply import bytes_per_scenario as policy_bytes
from simulator.treasury.run import CashRows, run_treasury
from simulator.treasury.run import bytes_per_scenario as treasury_bytes


@dataclass(frozen=True)
class Block:
    """All rows of a block of scenarios, as the rooms left them.

    ``failures`` is who failed with what loss in constant-exposure mode, else None; ``capacity`` is the room of the
    lists that was enough.
    """

    first: int
    states: States
    ledger: LedgerRows
    events: Events
    policy: PolicyRows
    cash: CashRows | None
    hedge: Floats
    rates: Floats
    failures: Failures | None
    capacity: int


class TooLong(Exception):
    """A block whose lists, long enough for its worst scenario, would take too much memory; it is to be divided.

    Attributes:
        capacity: entries that its lists need.
    """

    def __init__(self, capacity: int) -> None:
        super().__init__(capacity)
        self.capacity = capacity


@dataclass
class Spare:
    """What the last block leaves to the next: lists and working rows that may be written over.

    In new memory much of the work would be the system's, page by page.
    """

    events: Events | None = None
    working: tuple[int, Scratch, Bench] | None = None

    def keep(self, events: Events) -> None:
        """Keep these lists, unless there are as long ones for more scenarios."""
        held = self.events
        if held is None or held.buyer.shape[1] != events.buyer.shape[1] or len(held.n_events) < len(events.n_events):
            self.events = events

    def for_exposures(self, model: Model, count: int) -> tuple[Scratch, Bench]:
        """Working rows of constant exposures."""
        if self.working is None or self.working[0] != count:
            self.working = count, allocate_scratch(count, 1, model.n_groups), allocate_bench(count, len(model.drivers))
        _, scratch, bench = self.working
        scratch.group_loss[:] = 0.0
        return scratch, bench


def run_block(
    model: Model,
    first: int,
    count: int,
    capacity: int,
    spare: Spare | None = None,
    *,
    brief: bool = False,
    budget: float = math.inf,
) -> Block:
    """Simulate scenarios ``first … first + count - 1``.

    Args:
        model: the study made ready.
        first: number of the first scenario, a multiple of four.
        count: number of scenarios, a multiple of four.
        capacity: entries of the event lists per scenario; a block that needs more is run again with enough.
        spare: of an earlier block of this model that is done with, and for the next.
        brief: leave out the events of constant exposures where no programme insures them.
        budget: bytes that the arrays of the block may take together when its lists have to be made longer.

    Raises:
        TooLong: they would take more, and the block can be divided.
    """
    if first % 4 or count % 4 or count <= 0:
        raise ValueError("blocks start and end at multiples of four scenarios")
    side = model.cash_side
    spare = spare or Spare()
    if side is None:
        return _constant_block(model, first, count, capacity, spare, brief, budget)
    states, rates, blocked = _world(model, first, count)
    while True:
        ledger = allocate_rows(count * rows_needed(model.regime), model.calendar.n_periods, model.balances)
        events = event_lists(count * model.regime.count, capacity, spare.events)
        width = tile_width(count) if model.script is None else 1
        balances = allocate_balances(model.counting, count, model.calendar.n_periods, width)
        _simulate(model, first // 4, states, rates, blocked, ledger, events, balances)
        needed = int(max(events.n_events.max(), events.stopped_count.max(), events.weak_count.max()))
        if needed <= capacity:
            break
        capacity = _longer(model, count, capacity, needed, budget)
    spare.keep(events)
    ledger = complete_rows(ledger, model.regime)
    policy = apply_policies(
        model.policy, model.book, model.clock, events, rates, first=first, drivers=states.drivers, ledger=ledger
    )
    hedge = settle_hedge(side.hedge_notional, side.hedge_forward, model.calendar, rates)
    cash = run_treasury(side.cash, ledger, hedge, policy, side.base, balances)
    return Block(first, states, ledger, events, policy, cash, hedge, rates, None, capacity)


def _longer(model: Model, count: int, capacity: int, needed: int, budget: float) -> int:
    """Entries of longer lists for a block: doubled, or a slowly growing maximum costs a second run every time."""
    capacity = max(needed, 2 * capacity)
    if count > 4 and count * memory_per_scenario(model, capacity) > budget:
        raise TooLong(capacity)
    return capacity


def _constant_block(
    model: Model, first: int, count: int, capacity: int, spare: Spare, brief: bool, budget: float
) -> Block:
    """A block of constant exposures: nothing but losses, and claims on them."""
    states = draw_states(model.factor, model.seed, first, count)
    insured = bool(model.policy.insured.any())
    # nothing moves from period to period, but a premium on balances looks at each
    n_periods = model.calendar.n_periods if insured else 0
    scratch, bench = spare.for_exposures(model, count)
    while True:
        ledger = allocate_rows(count, n_periods, model.balances)
        events = constant_events(count, 0 if brief and not insured else capacity, spare.events)
        failures = allocate_failures(bench, capacity)
        lose_exposures(
            first // 4, model.keys, states.drivers, states.mixing, model.factor, model.default, model.rules,
            model.sieve, model.book, ledger, None if brief and not insured else events, scratch, failures, bench,
        )  # fmt: skip
        spare.keep(events)
        needed = max(int(events.n_events.max()), -int(-failures.listed.max() // bench.line.shape[1]))
        if needed <= capacity:
            break
        capacity = _longer(model, count, capacity, needed, budget)
        scratch.group_loss[:] = 0.0
    rates = np.broadcast_to(1.0, (count, 1, 2))
    if insured or not brief:
        rates = np.ascontiguousarray(rates)
        policy = apply_policies(
            model.policy, model.book, model.clock, events, rates, first=first, drivers=states.drivers, ledger=ledger
        )
    else:
        policy = nothing_insured(count, model.n_programmes)
    return Block(first, states, ledger, events, policy, None, np.zeros((count, 0)), rates, failures, capacity)


def _world(model: Model, first: int, count: int) -> tuple[States, Floats, Ints]:
    """Common state, rates and days of transfer events of a block; in a script all is quiet but what it tells."""
    side = model.cash_side
    assert side is not None
    if model.script is not None:
        still = States(np.zeros((count, len(model.drivers))), np.ones(count), np.ones(count))
        return still, np.repeat(model.script.rates[None], count, axis=0), np.empty((count, 0), np.int32)
    states = draw_states(model.factor, model.seed, first, count)
    rates = draw_rates(side.fx, model.seed, first, states.drivers, model.calendar.fx_steps)
    blocked = draw_transfers(side.transfer, model.seed, first, states.drivers, rates, model.calendar.horizon_days)
    return states, rates, blocked


def _simulate(
    model: Model,
    first_quad: int,
    states: States,
    rates: Floats,
    blocked: np.ndarray,
    ledger: LedgerRows,
    events: Events,
    balances: BalanceRows,
) -> None:
    count = len(states.weight)
    side = model.cash_side
    # what a study does not use is handed over as None, and not compiled
    regimes = if_several(model.regime)
    counting, counted = (model.counting, balances) if len(model.counting.regime) else (None, None)
    scratch = allocate_scratch(count, model.longest, model.n_groups, model.regime.count)
    assert side is not None
    if model.script is not None:
        follow_script(
            model.script.plan, model.keys, rates, blocked, side.delay, side.transfer, model.rules, model.clock,
            model.book, regimes, ledger, events, scratch, counting, counted,
        )  # fmt: skip
    else:
        tiles = allocate_tiles(
            count, model.longest, len(model.drivers), blocked.shape[1], rates.shape[1], model.clock, model.balances
        )  # fmt: skip
        simulate_ledger(
            first_quad, model.keys, states.drivers, states.mixing, rates, blocked, model.factor, model.default,
            side.delay, side.transfer, model.rules, model.clock, model.book, model.limits, regimes,
            ledger, events, scratch, tiles, counting, counted,
        )  # fmt: skip


def memory_per_scenario(model: Model, capacity: int) -> int:
    """Bytes that one scenario of a block takes in all rooms together."""
    periods, programmes = model.calendar.n_periods, model.n_programmes
    if model.cash_side is None and not model.policy.insured.any():
        rows = bytes_per_scenario(0, 0, 1, model.n_groups) + policy_bytes(programmes, 0)
        return rows + capacity * FAILURE_BYTES + 8 * len(model.drivers)
    ledger = bytes_per_scenario(periods, capacity, model.longest, model.n_groups, model.balances, model.regime.count)
    policy = policy_bytes(programmes, periods)
    side = model.cash_side
    if side is None:
        return ledger + policy + capacity * FAILURE_BYTES + 8 * len(model.drivers)
    cash = treasury_bytes(side.cash, side.base) + balance_bytes(model.counting, periods)
    countries, currencies = len(side.transfer.probability), len(model.portfolio.currencies)
    rates = 8 * currencies * (model.calendar.fx_steps + 1)
    tiles = tile_bytes(model.longest, len(model.drivers), countries, currencies, model.clock, model.balances)
    return ledger + policy + cash + rates + tiles + 8 * len(model.drivers) + 4 * countries
