"""Parts of the ledger's kernel, each alone on one tile of the exporter study: CPU-ns per invoice-scenario.

Chains of loops are run up to each of their steps; a step costs what the chain takes longer with it.
"""

import time
from collections.abc import Callable
from typing import Any

import numpy as np

from simulator.engine import block
from simulator.engine.model import Model
from simulator.jit import NEVER, row
from simulator.losses import tile_kernels as kernels
from simulator.losses.rows import allocate_rows, allocate_scratch
from simulator.losses.tiles import WIDTH, allocate_tiles
from simulator.streams import draw_words, normal_tail

#: Steps of :func:`pay_days` and what else a tile does for quiet buyers.
PARTS = (
    "random words", "normals and scores", "table of delays", "payment days", "pay runs", "most days late",
    "buyers' own draws", "collecting", "state of the tile, sums by period",
)  # fmt: skip
DAYS_STEPS = 5


@row
def pay_days(step, n, keys, delay, book, tiles):
    """The steps of :func:`simulator.losses.tile_kernels.draw_payment_days`, up to one of them."""
    word, shared = tiles.word[0], tiles.shared[0]
    for b in range(book.group.shape[0]):
        begin = book.start[b]
        for i in range(begin, book.start[b + 1]):
            due, issue = book.due_day[i], book.issue_day[i]
            day = tiles.drawn[0, i - begin]
            knot, part, lower = tiles.knot[0], tiles.place[0], delay.lower_score[i]
            own, location, scale = np.float32(delay.own[b]), np.float32(delay.location[b]), np.float32(delay.scale[b])
            draw_words(0, n >> 2, keys.invoice_delay, delay.draw_entity[i], delay.draw_index[i], tiles.pair[0])
            if step >= 2 and lower == -np.inf:
                kernels.free_places(n, word, shared, own, knot, part)
            if step >= 2 and lower > -np.inf:
                unpaid, paid = np.float32(normal_tail(lower)), np.float32(normal_tail(-lower))
                kernels.unpaid_places(n, word, shared, own, unpaid, paid, knot, part)
            if step >= 3:
                kernels.fetch_lines(n, delay.lines, knot, tiles.line[0])
            if step >= 4:
                first_day = np.int32(1) if book.open_item[i] else issue
                offset, last = np.int32(delay.run_offset), np.int32(delay.run_day.shape[1] - 1)
                kernels.days_of(n, tiles.ends[0], part, location, scale, due, issue, first_day, offset, last, day, knot)
            if step >= 5 and delay.run_rule[b] > 0:
                kernels.wait_for_runs(n, delay.run_day[delay.run_rule[b]], knot, day)


@row
def all_days(n, keys, delay, transfer, book, tiles):
    """Payment days of all buyers."""
    for b in range(book.group.shape[0]):
        kernels.draw_payment_days(0, n, 0, b, keys, delay, transfer, book, tiles)


@row
def all_buyers(n, keys, mixing, factor, delay, book, limits, scratch, tiles):
    """Own draws of all buyers."""
    for b in range(book.group.shape[0]):
        kernels.draw_buyer(0, 0, n, 0, b, keys, mixing, factor, delay, book, limits, scratch, tiles)


@row
def all_collections(n, rules, clock, book, rows, tiles):
    """Collections from all buyers, all of them quiet; the days are those drawn for the last buyers."""
    for b in range(book.group.shape[0]):
        kernels.collect_quiet(0, 0, n, b, False, rules, clock, book, rows, tiles, None, None)


@row
def around(n, drivers, rates, blocked, clock, rows, tiles):
    """Begin and end of a tile."""
    kernels.prepare_tile(0, 0, n, drivers, rates, blocked, tiles)
    kernels.hand_over(0, 0, 0, n, rates, clock, rows, tiles)


def time_parts(model: Model, n: int = WIDTH, rounds: int = 15) -> dict[str, float]:
    """CPU-ns per invoice-scenario of each of :data:`PARTS`."""
    states, rates, blocked = block._world(model, 0, n)
    side, book = model.cash_side, model.book
    assert side is not None
    tiles = allocate_tiles(
        n, model.longest, len(model.drivers), blocked.shape[1], rates.shape[1], model.clock, model.balances, width=n
    )  # fmt: skip
    rows = allocate_rows(n, model.calendar.n_periods, model.balances)
    scratch = allocate_scratch(n, model.longest, model.n_groups)
    kernels.prepare_tile(0, 0, n, states.drivers, rates, np.full_like(blocked, NEVER), tiles)
    tiles.part[:] = 1.0
    tiles.shared[:] = np.random.default_rng(1).normal(0.0, 0.7, tiles.shared.shape)
    cells = n * len(book.amount)

    def cost(function: Callable[..., Any], *args: Any) -> float:
        function(*args)
        best = np.inf
        for _ in range(rounds):
            begin = time.thread_time_ns()
            function(*args)
            best = min(best, time.thread_time_ns() - begin)
        return float(best) / cells

    steps = [cost(pay_days, step, n, model.keys, side.delay, book, tiles) for step in range(1, DAYS_STEPS + 1)]
    steps.append(cost(all_days, n, model.keys, side.delay, side.transfer, book, tiles))
    found = list(np.diff(steps, prepend=0.0))
    found.append(
        cost(all_buyers, n, model.keys, states.mixing, model.factor, side.delay, book, model.limits, scratch, tiles)
    )
    found.append(cost(all_collections, n, model.rules, model.clock, book, rows, tiles))
    found.append(cost(around, n, states.drivers, rates, blocked, model.clock, rows, tiles))
    return {name: float(value) for name, value in zip(PARTS, found, strict=True)}
