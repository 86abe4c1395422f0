"""Working arrays of a tile: consecutive scenarios that one thread takes through a buyer's invoices together.

What is drawn for a buyer in all scenarios of a tile lies side by side, so that plain loops over it become vector
instructions; a tile's arrays stay in the processor's caches.
"""

from __future__ import annotations

from typing import NamedTuple

import numpy as np

from simulator.jit import thread_info
from simulator.ledger.portfolio import Floats, Ints, Keys

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
        common, residual, shared, score: float64[n_tiles, width] the buyer's common part, its own normal, what its
            invoices share, and the score of the invoice at hand.
        knot: int32[n_tiles, width] places in a table.
        late: int32[n_tiles, width] most days that an invoice of the buyer is late.
        drawn, paid: int32[n_tiles, longest ledger of a buyer, width] payment days before and after transfer blocks.
        sums: float64[n_tiles, 5, width] collected, outstanding, currency result, cost of delay and billed of the buyer.
        part: float64[n_tiles, width] 1 for scenarios in which the invoice at hand is paid and collected with the rest,
            else 0.
        collections: float64[n_tiles, n_periods + 1, width] what is collected so, the last row past the horizon; and
            ``settled`` float64[n_tiles, n_periods + 1, width] their book value.
        insurable_gone: float64[n_tiles, K, M, width] what of it premiums are charged on, by month end.
        in_trouble: uint32[n_tiles, width] scenarios in which the buyer is in trouble; and by their number in this list:
        failed_on, frustrated, recovery, cured: int32, bool, float64 and bool [n_tiles, width] what it draws there; the
            day is NEVER where it survives.
        blocked_until: int32[n_tiles, width] day until which shipments are stopped.
        its_drawn, its_paid, final: int32[n_tiles, longest ledger of a buyer, width] payment days before and after
            transfer blocks, and in the end: NEVER if lost and -1 if withheld.
        odd: bool[n_tiles, longest ledger of a buyer, width] whether it is withheld, lost or a protracted default; and
            ``listed`` uint32[n_tiles, longest ledger of a buyer] such invoices in one scenario.
    """

    pair: Keys
    word: np.ndarray
    driver: Floats
    blocked_from: Ints
    is_blocked: np.ndarray
    fixed_rate: Floats
    common: Floats
    residual: Floats
    shared: Floats
    score: Floats
    knot: Ints
    late: Ints
    drawn: Ints
    paid: Ints
    sums: Floats
    part: Floats
    collections: Floats
    settled: Floats
    insurable_gone: Floats
    in_trouble: np.ndarray
    failed_on: Ints
    frustrated: np.ndarray
    recovery: Floats
    cured: np.ndarray
    blocked_until: Ints
    its_drawn: Ints
    its_paid: Ints
    final: Ints
    odd: np.ndarray
    listed: np.ndarray


def tile_width(n: int) -> int:
    """Scenarios per tile for n scenarios: whole quads, at most :data:`WIDTH`, and a tile or more for every thread."""
    threads = int(thread_info()["threads"])
    return min(WIDTH, max(4, -(-n // (4 * threads)) * 4))


def allocate_tiles(
    n: int,
    longest: int,
    n_drivers: int,
    n_countries: int,
    n_currencies: int,
    n_periods: int,
    balances: tuple[int, int] = (0, 1),
    width: int | None = None,
) -> Tiles:
    """Working arrays for n scenarios, a multiple of four.

    ``longest`` is the longest ledger of a buyer; ``width``, a multiple of four, is chosen by :func:`tile_width`.
    """
    width = tile_width(n) if width is None else width
    n_tiles = -(-n // width)
    pair = np.empty((n_tiles, width // 2), np.uint64)

    def reals(*shape: int) -> Floats:
        return np.empty((n_tiles, *shape), np.float64)

    def whole(*shape: int) -> Ints:
        return np.empty((n_tiles, *shape), np.int32)

    return Tiles(
        pair,
        pair.view(np.uint32),
        reals(n_drivers, width),
        whole(n_countries, width),
        np.empty((n_tiles, n_countries), np.bool_),
        reals(n_currencies),
        reals(width),
        reals(width),
        reals(width),
        reals(width),
        whole(width),
        whole(width),
        whole(longest, width),
        whole(longest, width),
        reals(5, width),
        reals(width),
        reals(n_periods + 1, width),
        reals(n_periods + 1, width),
        reals(*balances, width),
        np.empty((n_tiles, width), np.uint32),
        whole(width),
        np.empty((n_tiles, width), np.bool_),
        reals(width),
        np.empty((n_tiles, width), np.bool_),
        whole(width),
        whole(longest, width),
        whole(longest, width),
        whole(longest, width),
        np.empty((n_tiles, longest, width), np.bool_),
        np.empty((n_tiles, longest), np.uint32),
    )


def tile_bytes(longest: int, n_drivers: int, n_countries: int, n_periods: int, balances: tuple[int, int]) -> int:
    """Memory one scenario takes in these arrays."""
    sums = 2 * (n_periods + 1) + balances[0] * balances[1]
    return 8 * (n_drivers + 12 + sums) + 4 * (n_countries + 5 * longest + 7) + longest + 2
