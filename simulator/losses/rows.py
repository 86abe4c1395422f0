"""What the losses room produces for a block of scenarios, and the arrays it works in."""

from __future__ import annotations

from typing import NamedTuple

import numpy as np

from simulator.ledger.portfolio import Floats, Ints


class LedgerRows(NamedTuple):
    """Rows of a block of n scenarios; money in study currency, one row per scenario.

    By period (float64[n, n_periods]): ``collections`` at the day's rate; ``recoveries`` received on lost debts;
    ``settled`` book value that left the ledger, paid or lost; ``stopped`` book value not shipped, by issue period;
    ``purchases_saved`` because of it.
    Per scenario (float64[n]): ``gross_loss`` (debt lost at the day's rate less recoveries), ``fx_result`` (value at
    the day's rate less book value), ``delay_cost``, ``billed`` (book value shipped, opening ledger included),
    ``collected``, ``recovered``, ``outstanding``, ``largest_loss`` (largest buyer group); int32[n]: ``n_defaults``,
    ``n_protracted``.
    """

    collections: Floats
    recoveries: Floats
    settled: Floats
    stopped: Floats
    purchases_saved: Floats
    gross_loss: Floats
    fx_result: Floats
    delay_cost: Floats
    billed: Floats
    collected: Floats
    recovered: Floats
    outstanding: Floats
    largest_loss: Floats
    n_defaults: Ints
    n_protracted: Ints


class Events(NamedTuple):
    """Sparse list of the debts that went wrong: per scenario up to ``capacity`` entries, grouped by buyer.

    One entry per unpaid invoice of a troubled buyer (insolvent, or with a protracted default): arrays [n, capacity]
    of ``buyer``, ``invoice``, ``default_day`` (the buyer's insolvency, or NEVER), ``paid_day`` (NEVER if never paid),
    ``loss_day`` (NEVER if paid in the end), ``recovery`` (rate on a lost debt), ``loss`` (study currency, net of
    recovery), ``protracted`` (this invoice is a protracted default). ``n_events`` int32[n] may exceed the capacity: the
    block is then run again with more.

    ``stopped_buyer``, ``stopped_value`` [n, capacity] and ``stopped_count`` list, per buyer, the book value of planned
    invoices that were not shipped.
    """

    n_events: Ints
    buyer: Ints
    invoice: Ints
    default_day: Ints
    paid_day: Ints
    loss_day: Ints
    recovery: Floats
    loss: Floats
    protracted: np.ndarray
    stopped_count: Ints
    stopped_buyer: Ints
    stopped_value: Floats


class Scratch(NamedTuple):
    """Working rows, owned by a scenario: payment days of one buyer's invoices, and losses by buyer group.

    ``drawn`` and ``paid`` int32[n, longest ledger of a buyer], ``group_loss`` float64[n, n_groups].
    """

    drawn: Ints
    paid: Ints
    group_loss: Floats


def allocate_rows(n: int, n_periods: int) -> LedgerRows:
    """Fresh, zeroed rows for n scenarios."""
    shape = dict.fromkeys(("collections", "recoveries", "settled", "stopped", "purchases_saved"), (n, n_periods))
    counts = ("n_defaults", "n_protracted")
    rows = {f: np.zeros(shape.get(f, (n,)), np.int32 if f in counts else np.float64) for f in LedgerRows._fields}
    return LedgerRows(**rows)


def allocate_events(n: int, capacity: int) -> Events:
    """Event lists for n scenarios of ``capacity`` entries each; contents beyond the counts are undefined."""

    def whole() -> Ints:
        return np.empty((n, capacity), np.int32)

    def real() -> Floats:
        return np.empty((n, capacity), np.float64)

    return Events(
        np.zeros(n, np.int32), whole(), whole(), whole(), whole(), whole(), real(), real(),
        np.empty((n, capacity), np.bool_), np.zeros(n, np.int32), whole(), real(),
    )  # fmt: skip


def allocate_scratch(n: int, longest: int, n_groups: int) -> Scratch:
    """Working rows for n scenarios."""
    return Scratch(np.empty((n, longest), np.int32), np.empty((n, longest), np.int32), np.zeros((n, max(1, n_groups))))


def bytes_per_scenario(n_periods: int, capacity: int, longest: int, n_groups: int) -> int:
    """Memory one scenario takes in these arrays, for planning blocks."""
    return 8 * (5 * n_periods + 10) + capacity * (5 * 4 + 2 * 8 + 1 + 4 + 8) + 8 * longest + 8 * max(1, n_groups)
