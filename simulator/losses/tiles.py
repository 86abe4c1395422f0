"""Working arrays of a tile: consecutive scenarios that one thread takes through a buyer's invoices together.

What is drawn for a buyer in all scenarios of a tile lies side by side, so that plain loops over it become vector
instructions; a tile's arrays stay in the processor's caches.
"""

from __future__ import annotations

from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from simulator.jit import thread_info
from simulator.ledger.portfolio import Floats, Ints, Keys
from simulator.losses.plan import Clock
from simulator.study.calendar import FX_STEP_DAYS

Singles = NDArray[np.float32]

#: Scenarios of a tile at most: enough to hide what a buyer costs before its first scenario.
WIDTH = 128


class Tiles(NamedTuple):
    """One row per tile, its scenarios last; ``width`` is a multiple of four.

    Attributes:
        pair: uint64[n_tiles, width / 2] random words, two in each; ``word`` is the same memory.
        word: uint32[n_tiles, width].
        driver: float64[n_tiles, n_drivers, width] the common state.
        blocked_from: int32[n_tiles, n_countries, width] day of the transfer event, and ``is_blocked``
            bool[n_tiles, n_countries]: whether there is any.
        fixed_rate: float64[n_tiles, n_currencies] the one rate a currency has in all scenarios and weeks, or NaN.
        common, residual: float64[n_tiles, width] the buyer's common part and its own normal.
        shared: float32[n_tiles, width] what its invoices share of their delay scores.
        knot, place: int32 and float32[n_tiles, width] places in a table: the knot before, and part of the step on.
        line: uint64[n_tiles, width] lines of the table of delays; ``ends`` float32[n_tiles, 2·width] is the same
            memory.
        late: int32[n_tiles, width] most days that an invoice of the buyer is late.
        drawn, paid: int32[n_tiles, longest ledger of a buyer, width] payment days before and after transfer blocks.
        part: float64[n_tiles, width] 1 for scenarios in which the buyer pays all in good time, else 0; ``apart``
            int32[n_tiles, width] the day after next to the horizon for these others, else 0.
        delay_cost: float64[n_tiles, width] cost of delay of the buyer.
        amounts: float64[n_tiles, n_currencies, cells · width] what such buyers pay, in its currency. Cells are the
            spans of days that lie in one period and have one rate, in order; then one for what is paid past the
            horizon, and one for what is entered nowhere.
        cell_of_day: int32[horizon + 3] where the cell of a day begins; the next day after the horizon stands for all
            later ones, the one after it for nowhere.
        day_of_cell: int32[cells less nowhere] the last day of each cell, the horizon for what is paid past it.
        insurable_gone: float64[n_tiles, K, M, width] what of it premiums are charged on, by month end.
    """

    pair: Keys
    word: np.ndarray
    driver: Floats
    blocked_from: Ints
    is_blocked: np.ndarray
    fixed_rate: Floats
    common: Floats
    residual: Floats
    shared: Singles
    knot: Ints
    place: Singles
    line: Keys
    ends: Singles
    late: Ints
    drawn: Ints
    paid: Ints
    part: Floats
    apart: Ints
    delay_cost: Floats
    amounts: Floats
    cell_of_day: Ints
    day_of_cell: Ints
    insurable_gone: Floats


def tile_width(n: int) -> int:
    """Scenarios per tile for n scenarios: whole quads, at most :data:`WIDTH`, and a tile or more for every thread."""
    threads = int(thread_info()["threads"])
    return min(WIDTH, max(4, -(-n // (4 * threads)) * 4))


def cells(clock: Clock) -> tuple[Ints, Ints]:
    """Spans of days that lie in one period and have one rate: the cell of each day, and the last day of each cell."""
    days = np.arange(clock.horizon + 1)
    step = -(-days // FX_STEP_DAYS)
    new = (np.diff(step) != 0) | (np.diff(clock.period_of_day) != 0)
    of_day = np.concatenate([[0], np.cumsum(new)]).astype(np.int32)
    return of_day, np.append(np.flatnonzero(new), clock.horizon).astype(np.int32)


def allocate_tiles(
    n: int,
    longest: int,
    n_drivers: int,
    n_countries: int,
    n_currencies: int,
    clock: Clock,
    balances: tuple[int, int] = (0, 1),
    width: int | None = None,
) -> Tiles:
    """Working arrays for n scenarios, a multiple of four.

    ``longest`` is the longest ledger of a buyer; ``width``, a multiple of four, is chosen by :func:`tile_width`.
    """
    width = tile_width(n) if width is None else width
    n_tiles = -(-n // width)
    pair = np.empty((n_tiles, width // 2), np.uint64)
    line = np.empty((n_tiles, width), np.uint64)
    of_day, last_day = cells(clock)
    beyond = len(last_day)

    def reals(*shape: int) -> Floats:
        return np.empty((n_tiles, *shape), np.float64)

    def whole(*shape: int) -> Ints:
        return np.empty((n_tiles, *shape), np.int32)

    return Tiles(
        pair=pair,
        word=pair.view(np.uint32),
        driver=reals(n_drivers, width),
        blocked_from=whole(n_countries, width),
        is_blocked=np.empty((n_tiles, n_countries), np.bool_),
        fixed_rate=reals(n_currencies),
        common=reals(width),
        residual=reals(width),
        shared=np.empty((n_tiles, width), np.float32),
        knot=whole(width),
        place=np.empty((n_tiles, width), np.float32),
        line=line,
        ends=line.view(np.float32),
        late=whole(width),
        drawn=whole(longest, width),
        paid=whole(longest, width),
        part=reals(width),
        apart=whole(width),
        delay_cost=reals(width),
        amounts=reals(n_currencies, (beyond + 2) * width),
        cell_of_day=np.append(of_day, [beyond, beyond + 1]).astype(np.int32) * np.int32(width),
        day_of_cell=np.append(last_day, clock.horizon).astype(np.int32),
        insurable_gone=reals(*balances, width),
    )


def tile_bytes(
    longest: int, n_drivers: int, n_countries: int, n_currencies: int, clock: Clock, balances: tuple[int, int]
) -> int:
    """Memory one scenario takes in these arrays."""
    sums = n_currencies * (len(cells(clock)[1]) + 2) + balances[0] * balances[1]
    return 8 * (n_drivers + 6 + sums) + 4 * (n_countries + 2 * longest + 6)
