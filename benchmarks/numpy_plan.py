"""A ledger study made ready for NumPy: columns by invoice, tables by buyer, and buffers for the arrays of a chunk."""

from __future__ import annotations

from typing import Any

import numpy as np
from scipy.special import ndtr

from simulator.engine.model import Model
from simulator.fx.plan import MODELS
from simulator.jit import NEVER

Rows = dict[str, np.ndarray]

#: Scenarios done at once, and how many of them as dense arrays of invoices: the fastest for the exporter study of
#: 128, 256, 512, 1,024 and 4, 8, 16, 32, 64, in turns with one BLAS thread (65 ns; 256 and 16 took 79 ns).
CHUNK_SCENARIOS = 128
DENSE_SCENARIOS = 8
#: A score bound below this excludes nothing.
NOTHING_BELOW = -8.0


class Prepared:
    """A ledger study made ready for NumPy: columns by invoice, and buffers for ``chunk`` scenarios.

    Args:
        model: the study made ready for the engine; its plan arrays are used as they are.
        seed: of ``np.random.default_rng``.
        chunk: scenarios done at once.
        dense: how many of them have their invoices in dense arrays at a time.
    """

    def __init__(self, model: Model, seed: int = 1, chunk: int = CHUNK_SCENARIOS, dense: int = DENSE_SCENARIOS) -> None:
        side, book, delay = model.cash_side, model.book, model.cash_side.delay
        if model.study.simulation.tail != "plain" or MODELS[side.fx.model] == "bootstrap":
            raise ValueError("neither importance sampling nor the FX bootstrap is written in NumPy here")
        self.model, self.side, self.book = model, side, book
        self.rng = np.random.default_rng(seed)
        self.chunk, self.dense = chunk, dense
        self.horizon = model.clock.horizon
        self.n_periods = model.calendar.n_periods
        self.n_buyers = len(book.group)
        self.n_invoices = len(book.amount)
        self.n_steps = model.calendar.fx_steps
        self.buyer = np.repeat(np.arange(self.n_buyers), np.diff(book.start))
        # a day beyond the horizon belongs to one more period: outstanding at the end
        self.period = np.append(model.clock.period_of_day, self.n_periods).astype(np.int64)
        self.step = np.minimum((np.arange(self.horizon + 1) + 6) // 7, self.n_steps)
        shape = (dense, self.n_invoices)
        self.buffers = [np.empty(shape) for _ in range(2)] + [np.empty(shape, np.int64) for _ in range(3)]
        self._prepare_buyers()
        self._prepare_delays(delay)
        self._prepare_stops()
        self._prepare_premiums()

    def _prepare_buyers(self) -> None:
        factor = self.model.factor
        buyer_of_loading = np.repeat(np.arange(self.n_buyers), np.diff(factor.loading_start))
        self.loadings = np.zeros((len(factor.driver_entity), self.n_buyers))
        self.loadings[factor.loading_driver, buyer_of_loading] = factor.loading
        share = factor.systematic_share
        self.standard = np.where(share > 0.0, 1.0 / np.sqrt(np.where(share > 0.0, share, 1.0)), 0.0)
        self.own_root = np.sqrt(1.0 - share)
        _, self.residual_of = np.unique(factor.residual_entity, return_inverse=True)
        self.last_threshold = self.model.default.threshold[self.model.default.curve, -1]
        # buyers of one group are one name where the largest loss is looked for
        group = self.book.group
        self.unit = np.where(group >= 0, group, self.model.n_groups + np.arange(self.n_buyers))

    def _prepare_delays(self, delay: Any) -> None:
        book, b = self.book, self.buyer
        self.scale, self.own = delay.scale[b], delay.own[b]
        self.constant = delay.location[b] + 0.5 + book.due_day
        self.first_day = np.maximum(book.issue_day, np.where(book.open_item, 1, book.issue_day)).astype(np.float64)
        self.held = np.flatnonzero((delay.lower_score >= NOTHING_BELOW) & (self.own > 0.0))
        self.held_tail = ndtr(-delay.lower_score[self.held])
        draws = np.stack([delay.draw_entity, delay.draw_index.astype(np.uint64)], axis=1)
        distinct, which = np.unique(draws, axis=0, return_inverse=True)
        self.draw_of = None if len(distinct) == self.n_invoices else which
        self.n_draws = len(distinct)
        rules = np.unique(delay.run_rule)
        if len(rules) != 1:
            raise ValueError("one pay-run rule for all buyers is expected")
        self.run_day = delay.run_day[rules[0]].astype(np.int64)
        self.table = delay.quantile[0]
        self.table_step = np.diff(self.table, append=self.table[-1])
        self.run_offset = delay.run_offset
        has_items = np.diff(book.start) > 0
        self.with_items = np.flatnonzero(has_items)
        self.first_item = book.start[:-1][has_items]
        self.due_day = book.due_day.astype(np.int64)
        self.rate_row = book.currency.astype(np.int64) * (self.n_steps + 1)
        self.late_base = np.maximum(book.due_day, 0)
        self.late_cost = book.book_value * self.model.rules.cost_of_delay / 365.0
        self.country_items = [np.flatnonzero(self.side.transfer.buyer_country[b] == m)
                              for m in range(len(self.side.transfer.probability))]  # fmt: skip

    def _prepare_stops(self) -> None:
        """Per invoice: how many of its buyer's invoices are overdue beyond the rule when it is to be shipped."""
        book, stop = self.book, self.model.rules.stop_shipment_after
        self.n_overdue = np.zeros(self.n_invoices, np.int64)
        self.due_rank_item = book.by_due.astype(np.int64) - np.repeat(book.start[:-1], np.diff(book.start))
        if stop == NEVER:
            return
        for b in range(self.n_buyers):  # once per study
            part = slice(book.start[b], book.start[b + 1])
            due = np.sort(book.due_day[part]).astype(np.int64) + stop
            self.n_overdue[part] = np.searchsorted(due, book.issue_day[part], side="left")

    def _prepare_premiums(self) -> None:
        """By programme, buyer and day: insurable sales planned after that day."""
        plan = self.model.policy
        self.sold_after: dict[int, np.ndarray] = {}
        for p in np.flatnonzero(plan.insured):
            sold = plan.eligible[p] & plan.cover["insurable"][p, self.buyer] & ~self.book.open_item
            planned = np.zeros((self.n_buyers, self.horizon + 2))
            np.add.at(planned, (self.buyer[sold], self.book.issue_day[sold]), self.book.book_value[sold])
            self.sold_after[int(p)] = planned.sum(axis=1, keepdims=True) - np.cumsum(planned, axis=1)

    def rate(self, rates: np.ndarray, s: np.ndarray, currency: np.ndarray, day: np.ndarray) -> np.ndarray:
        """Study currency per unit on a day."""
        n_currencies, width = rates.shape[1:]
        step = self.step[np.clip(day, 0, self.horizon)]
        return np.take(rates, (s * n_currencies + currency) * width + step)
