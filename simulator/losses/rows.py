"""What the losses room produces for a block of scenarios, and the arrays it works in.

Rows are numbered ``regime · n + scenario``; a regime is one way the seller trades (prepayment, factoring, …).
"""

from __future__ import annotations

from typing import NamedTuple

import numpy as np

from simulator.constants import NEVER, NO_SCORE
from simulator.ledger.portfolio import Floats, Ints


class LedgerRows(NamedTuple):
    """Rows of a block; money in study currency, one row per scenario and regime.

    By period (float64[rows, n_periods]): ``collections`` at the day's rate; ``recoveries`` received on lost debts;
    ``purchases_saved`` because of shipments withheld; ``losses`` net of recovery, in the period of the day of loss
    (zero without a ledger); ``trade_cost`` fees and interest paid for factoring, letters of credit and collection;
    ``settled`` book value that left the ledger, paid or lost; ``stopped`` book value not shipped, by issue period.
    By premium on balances and month end (float64[rows, K, M]): ``insurable_gone``, what of the insurable book value is
    paid, lost or (by issue day) not shipped by that month end and after the one before; the last is for later days.
    Per row (float64[rows]): ``gross_loss`` (debt lost at the day's rate less recoveries), ``fx_result`` (value at
    the day's rate less book value), ``delay_cost``, ``billed`` (book value shipped, opening ledger included),
    ``collected``, ``recovered``, ``outstanding``, ``largest_loss`` (largest buyer group), ``conceded`` (discounts given
    for early payment); int32[rows]: ``n_defaults`` (insolvencies), ``n_protracted``.
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
    losses: Floats
    trade_cost: Floats
    conceded: Floats
    insurable_gone: Floats


class Events(NamedTuple):
    """Sparse list of the debts that went wrong: per row up to ``capacity`` entries, grouped by buyer.

    One entry per unpaid invoice of a troubled buyer (insolvent, or with a protracted default), in issue order: arrays
    [rows, capacity] of ``buyer``, ``invoice``, ``default_day`` (the buyer's insolvency or contract frustration, or
    NEVER), ``paid_day`` (NEVER if never paid), ``loss_day`` (NEVER if paid in the end), ``recovery`` (rate on a lost
    debt), ``loss`` (study currency, net of recovery), ``protracted`` (this invoice is a protracted default),
    ``drawn_day`` (the buyer's own payment day, before any transfer block; NEVER if the debt is lost before it),
    ``receipt_day`` (the recovery of a lost debt arrives; NEVER if it is not lost), ``overdue_at_issue`` (days by which
    the buyer's oldest debt then unpaid was past due when this one was shipped, below 0 if not yet due; -NEVER if there
    was none), ``limit_score`` (the buyer's latent score of limit changes, low is early; 9.0 where none is drawn),
    ``frustrated`` (``default_day`` is a contract frustration), ``share`` (part of the invoice that is the seller's
    risk: below 1 where a factor protects the rest). ``n_events`` int32[rows] may exceed the capacity: the
    block is then run again with more.

    ``stopped_buyer``, ``stopped_value`` [rows, capacity] and ``stopped_count`` list, per buyer, the book value of
    planned invoices that were not shipped at the seller's risk: withheld, or sold against money, a letter of credit or
    a factor's protection, and ``stopped_from``, ``stopped_until`` when the first and the last of them was planned.
    ``weak_buyer``, ``weak_score`` and ``weak_count`` list the buyers whose limit score is low enough for some
    programme's limit to change. Both lists are in order of buyers.
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
    drawn_day: Ints
    receipt_day: Ints
    overdue_at_issue: Ints
    limit_score: Floats
    frustrated: np.ndarray
    stopped_count: Ints
    stopped_buyer: Ints
    stopped_value: Floats
    stopped_from: Ints
    stopped_until: Ints
    weak_count: Ints
    weak_buyer: Ints
    weak_score: Floats
    share: Floats


class Scratch(NamedTuple):
    """Working rows: days of one buyer's invoices in a scenario, and losses by buyer group.

    ``drawn`` and ``paid``, before and after transfer blocks, are kept for every regime; those of the regime settled
    last are ``its_drawn`` and ``its_paid`` (where it changes them), ``final`` (payment day, NEVER if lost, -1 if
    withheld), ``lost`` (loss day or NEVER, negative where a protracted default): int32[n, longest ledger of a buyer];
    and ``share`` float64, the part of an invoice that is the seller's risk. ``state``, ``latent`` and ``score``
    float64[n] are the buyer's standard state, latent variable and limit score. ``group_loss`` float64[rows, n_groups].
    """

    drawn: Ints
    paid: Ints
    final: Ints
    lost: Ints
    its_drawn: Ints
    its_paid: Ints
    share: Floats
    state: Floats
    latent: Floats
    score: Floats
    group_loss: Floats


_BY_PERIOD = ("collections", "recoveries", "purchases_saved", "losses", "trade_cost", "settled", "stopped")
_COUNTS = ("n_defaults", "n_protracted")


def allocate_rows(rows: int, n_periods: int, balances: tuple[int, int] = (0, 1)) -> LedgerRows:
    """Fresh, zeroed rows: scenarios times regimes; ``balances`` are the K and M of :class:`LedgerRows`."""
    shape: dict[str, tuple[int, ...]] = dict.fromkeys(_BY_PERIOD, (rows, n_periods))
    shape["insurable_gone"] = (rows, *balances)
    zeroed = {f: np.zeros(shape.get(f, (rows,)), np.int32 if f in _COUNTS else np.float64) for f in LedgerRows._fields}
    return LedgerRows(**zeroed)


def allocate_events(rows: int, capacity: int) -> Events:
    """Event lists of ``capacity`` entries each; contents beyond the counts are undefined."""

    def whole() -> Ints:
        return np.empty((rows, capacity), np.int32)

    def real() -> Floats:
        return np.empty((rows, capacity), np.float64)

    def flag() -> np.ndarray:
        return np.empty((rows, capacity), np.bool_)

    def count() -> Ints:
        return np.zeros(rows, np.int32)

    return Events(
        count(), whole(), whole(), whole(), whole(), whole(), real(), real(), flag(),
        whole(), whole(), whole(), real(), flag(), count(), whole(), real(), whole(), whole(),
        count(), whole(), real(), real(),
    )  # fmt: skip


def event_lists(rows: int, capacity: int, spare: Events | None) -> Events:
    """Event lists with counts of zero: those of a finished block where they are large enough, else new ones.

    Lists are long for the sake of the worst scenario and hardly used: in new memory most of the work would be the
    system's, page by page.
    """
    if spare is None or len(spare.n_events) < rows or spare.buyer.shape[1] != capacity:
        return allocate_events(rows, capacity)
    lists = spare if len(spare.n_events) == rows else Events._make(values[:rows] for values in spare)
    for count in (lists.n_events, lists.stopped_count, lists.weak_count):
        count[:] = 0
    return lists


def constant_events(rows: int, capacity: int, spare: Events | None) -> Events:
    """Event lists for constant exposures: what is the same for all failures is filled in, what is equal is one array.

    Nothing is stopped and no limit changes, so those lists have no room.
    """
    if spare is not None and len(spare.n_events) >= rows and spare.buyer.shape[1] == capacity:
        return event_lists(rows, capacity, spare)
    lists, bare = allocate_events(rows, capacity), allocate_events(rows, 0)
    for values, value in (
        (lists.paid_day, NEVER), (lists.protracted, False), (lists.overdue_at_issue, -NEVER),
        (lists.limit_score, NO_SCORE), (lists.share, 1.0),
    ):  # fmt: skip
        values[:] = value
    return lists._replace(
        invoice=lists.buyer, loss_day=lists.default_day, drawn_day=lists.paid_day, frustrated=lists.protracted,
        stopped_buyer=bare.stopped_buyer, stopped_value=bare.stopped_value, stopped_from=bare.stopped_from,
        stopped_until=bare.stopped_until, weak_buyer=bare.weak_buyer, weak_score=bare.weak_score,
    )  # fmt: skip


def allocate_scratch(n: int, longest: int, n_groups: int, regimes: int = 1) -> Scratch:
    """Working rows for n scenarios."""

    def days() -> Ints:
        return np.empty((n, longest), np.int32)

    return Scratch(
        days(), days(), days(), days(), days(), days(), np.empty((n, longest)),
        np.empty(n), np.empty(n), np.full(n, NO_SCORE), np.zeros((n * regimes, max(1, n_groups))),
    )  # fmt: skip


def bytes_per_scenario(
    n_periods: int, capacity: int, longest: int, n_groups: int, balances: tuple[int, int] = (0, 1), regimes: int = 1
) -> int:
    """Memory one scenario takes in these arrays, for planning blocks."""
    blocks = regimes if regimes == 1 else regimes + 1
    rows = 8 * (len(_BY_PERIOD) * n_periods + balances[0] * balances[1] + len(LedgerRows._fields))
    listed = capacity * (10 * 4 + 6 * 8 + 2)
    return blocks * rows + regimes * (listed + 8 * max(1, n_groups)) + (6 * 4 + 8) * longest + 24
