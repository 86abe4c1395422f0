"""The canonical chunk of 4,096 scenarios: the unit that is summarised, checkpointed and merged.

Blocks are a matter of memory and patience and may have any size; chunks are fixed. What is kept of the paths (an
order-statistic summary per chunk) therefore never depends on blocks, threads or executors.
"""

from __future__ import annotations

import threading
from dataclasses import dataclass, field

import numpy as np

from simulator.engine.block import Block
from simulator.engine.chunk_kernels import add_short, add_weighted, list_losses, split_claims, turn
from simulator.engine.model import Model
from simulator.engine.sketch import summarise
from simulator.ledger.portfolio import Floats
from simulator.losses.failure_kernels import close_ranks, share_out
from simulator.losses.sieve import Failures
from simulator.policy.gaps import GAP_STEPS
from simulator.study.schema import Policy

CHUNK = 4096
#: Weighted share of a chunk's worst scenarios whose losses are kept buyer by buyer, for tail contributions.
TAIL_SHARE = 0.05

SCENARIO_FIELDS = ("gross_loss", "delay_cost", "billed", "fx_result", "collected", "recovered", "outstanding")
CASH_FIELDS = (
    "minimum_cash", "minimum_headroom", "shortfall_amount", "first_shortfall_period", "ending_cash", "financing_cost",
)  # fmt: skip
#: Kept where some programme's reserve is a fund.
FUND_FIELDS = ("reserve_cost", "minimum_fund", "periods_below_reserve")
#: Paths that are summarised, in the order of their series, and those whose sums over scenarios are kept.
SUMMARISED = ("cash", "headroom", "receivables", "collections", "borrowing_base")
SUMMED = ("cash", "receivables", "collections", "billing", "claim_cash")
Arrays = dict[str, np.ndarray]


@dataclass
class Chunk:
    """Rows of one chunk while its blocks arrive; ``finish`` turns them into plain arrays to keep.

    Blocks may come in any order, from several threads at once; what is added up over scenarios waits for those before.
    """

    model: Model
    first: int
    count: int
    rows: Arrays = field(default_factory=dict)
    paths: Arrays = field(default_factory=dict)
    sums: Arrays = field(default_factory=dict)
    losses: list[tuple[int, np.ndarray, np.ndarray, np.ndarray]] = field(default_factory=list)
    failures: list[tuple[int, int, Failures]] = field(default_factory=list)
    _unsummed: dict[int, tuple[Floats, Arrays]] = field(default_factory=dict)
    _summed: int = 0
    _summing: threading.Lock = field(default_factory=threading.Lock)

    def add(self, block: Block) -> None:
        """Copy a block's rows into place; scenarios beyond the chunk's count (padding to four) are dropped."""
        start = block.first - self.first
        stop = min(start + len(block.states.weight), self.count)
        size = stop - start
        for name, values in self._scenario_rows(block).items():
            self._put(name, values, start, size)
        if block.cash is not None:
            paths = self._path_rows(block)
            for name in SUMMARISED:
                if name in paths:
                    self._put_paths(name, paths[name], start, size)
            self._add_sums(start, block.states.weight[:size], paths)
        if block.failures is None:
            self._keep_losses(block, start, size)
        else:
            self.failures.append((start, size, block.failures))

    def _put(self, name: str, values: np.ndarray, start: int, size: int) -> None:
        """Rows of the whole chunk are kept as they are, what is one row for all scenarios stays one."""
        values, constant = values[:size], values.strides[0] == 0
        if size == self.count:
            self.rows[name] = values if constant else np.ascontiguousarray(values)
        elif constant:
            self.rows[name] = np.broadcast_to(values[:1], (self.count, *values.shape[1:]))
        else:
            held = self.rows.get(name)
            if held is None:  # another thread may find the same: the first one's array counts
                held = self.rows.setdefault(name, np.empty((self.count, *values.shape[1:]), values.dtype))
            held[start : start + size] = values

    def _put_paths(self, name: str, values: Floats, start: int, size: int) -> None:
        """Series after series: that is how they are summarised."""
        flat = np.ascontiguousarray(values[:size]).reshape(size, -1)
        held = self.paths.get(name)
        if held is None:
            held = self.paths.setdefault(name, np.empty((flat.shape[1], self.count)))
        turn(flat, held, start)

    def _scenario_rows(self, block: Block) -> Arrays:
        ledger, policy, cash = block.ledger, block.policy, block.cash
        credit_loss = self._by_programme(ledger.gross_loss, block)
        rows: Arrays = {
            "weight": block.states.weight,
            "gross_loss": ledger.gross_loss,
            "recovered": ledger.recovered,
            "largest_loss": ledger.largest_loss,
            "n_defaults": ledger.n_defaults,
            "indemnity": policy.indemnity,
            "indemnity_gross": policy.indemnity_gross,
            "indemnity_in_horizon": policy.indemnity_in_horizon,
            "premium": policy.premium,
            "retained_loss": credit_loss - policy.indemnity,
        }
        for g, name in enumerate(GAP_STEPS):
            if name != "indemnity":
                rows[f"gap_{name}"] = policy.gap[:, :, g]
        if self._trades_differ:
            rows["credit_loss"] = credit_loss
        if any(isinstance(p, Policy) and p.insurer is not None for p in self.model.study.programmes):
            rows["insurer_loss"] = policy.insurer_loss
        if cash is not None:
            rows |= {name: getattr(ledger, name) for name in SCENARIO_FIELDS}
            rows["n_protracted"] = ledger.n_protracted
            fx_result = ledger.fx_result[: len(block.hedge)]
            rows["fx_loss"] = -(fx_result + block.hedge.sum(axis=1))
            rows |= {name: getattr(cash, name) for name in CASH_FIELDS}
            rows["ending_line"] = cash.line[:, :, -1]
            rows |= self._claims_around_shortfall(block)
            if self._trades_differ:
                rows |= self._costs_of_trade(block)
            if cash.fund.shape[2]:
                rows |= {name: getattr(cash, name) for name in FUND_FIELDS}
        return rows

    @property
    def _trades_differ(self) -> bool:
        """Whether some programme trades in another way than the study as written."""
        return bool(self.model.regime.of_programme.any())

    def _by_programme(self, values: np.ndarray, block: Block) -> np.ndarray:
        """Rows by regime and scenario (regime · n + scenario) as each programme sees them, [n, P]."""
        return np.asarray(values.reshape(-1, len(block.states.weight))[self.model.regime.of_programme].T)

    def _costs_of_trade(self, block: Block) -> Arrays:
        """What trading under the programme costs: fees and discounts, and sales that are not made because of it."""
        ledger, n = block.ledger, len(block.states.weight)
        stopped = ledger.stopped.sum(axis=1)
        sales = self._by_programme(stopped, block) - stopped[:n, None]
        return {
            "trade_cost": self._by_programme(ledger.trade_cost.sum(axis=1) + ledger.conceded, block),
            "lost_sales": sales,
            "lost_margin": (1.0 - self.model.study.liquidity.variable_cost_rate) * sales,
        }

    @staticmethod
    def _claims_around_shortfall(block: Block) -> Arrays:
        """Claims money up to the end of the first period of shortfall and after it; zero where there is none."""
        assert block.cash is not None
        first = block.cash.first_shortfall_period
        before, after = np.empty(first.shape), np.empty(first.shape)
        split_claims(first, block.policy.claim_cash, before, after)
        return {"claims_before_shortfall": before, "claims_after_shortfall": after}

    def _path_rows(self, block: Block) -> Arrays:
        side, cash = self.model.cash_side, block.cash
        assert side is not None
        assert cash is not None
        ledger, n = block.ledger, len(block.states.weight)
        stopped, settled = ledger.stopped[:n], ledger.settled[:n]
        moved = side.planned_billing - stopped - settled
        rows = {
            "cash": cash.cash,
            "headroom": cash.headroom,
            "receivables": side.opening_book + np.cumsum(moved, axis=1),
            "collections": ledger.collections[:n],
        }
        if cash.borrowing_base.shape[2]:
            rows["borrowing_base"] = cash.borrowing_base
        return rows | {"billing": side.planned_billing - stopped, "claim_cash": block.policy.claim_cash}

    def _add_sums(self, start: int, weight: Floats, paths: Arrays) -> None:
        """Add a block's paths to the weighted sums over scenarios, when those of all scenarios before are in."""
        with self._summing:
            self._unsummed[start] = weight, paths
            while self._summed in self._unsummed:
                weight, paths = self._unsummed.pop(self._summed)
                for name in SUMMED:
                    rows, total = self._rows_and_sum(name, paths[name])
                    add_weighted(weight, rows, total)
                rows, total = self._rows_and_sum("shortfall", paths["headroom"])
                add_short(weight, rows, total)
                self._summed += len(weight)

    def _rows_and_sum(self, name: str, values: Floats) -> tuple[Floats, Floats]:
        """Paths with one number after the other for each scenario, and their sum likewise."""
        total = self.sums.setdefault(f"sum/{name}", np.zeros(values.shape[1:]))
        return np.ascontiguousarray(values).reshape(len(values), -1), total.reshape(-1)

    def _keep_losses(self, block: Block, start: int, size: int) -> None:
        events = block.events
        room = int(events.n_events[:size].sum())
        scenario, buyer, loss = np.empty(room, np.int64), np.empty(room, np.int32), np.empty(room)
        n = list_losses(size, start, events.n_events, events.buyer, events.loss, scenario, buyer, loss)
        self.losses.append((start, scenario[:n].copy(), buyer[:n].copy(), loss[:n].copy()))

    def finish(self) -> Arrays:
        """Everything kept of the chunk, as plain arrays (names with a ``/`` are summaries)."""
        weight: Floats = self.rows["weight"]
        kept = dict(self.rows)
        kept |= self._contributions(weight)
        if self.paths:
            kept |= self._path_summaries(weight)
        return kept

    def _contributions(self, weight: Floats) -> Arrays:
        in_tail = worst_scenarios(self.rows["gross_loss"], weight)
        if self.failures:
            return self._contributions_of_failures(weight, in_tail)
        n_buyers = len(self.model.portfolio.buyers)
        in_order = sorted(self.losses, key=lambda part: part[0])
        scenario, buyer, loss = (np.concatenate(parts) for parts in list(zip(*in_order, strict=True))[1:])
        tail = in_tail[scenario]
        return {
            "buyer/loss": np.bincount(buyer, weights=loss * weight[scenario], minlength=n_buyers),
            "buyer/failures": np.bincount(buyer, weights=weight[scenario], minlength=n_buyers),
            "tail/scenario": (scenario[tail] + self.first),
            "tail/buyer": buyer[tail],
            "tail/loss": loss[tail],
        }

    def _contributions_of_failures(self, weight: Floats, in_tail: np.ndarray) -> Arrays:
        scenarios = np.flatnonzero(in_tail)
        end = np.cumsum(self.rows["n_defaults"][scenarios])
        begin = np.concatenate(([0], end[:-1]))
        room = int(end[-1])  # and one place more, for what is not of the tail
        place = np.full(self.count, room)
        place[scenarios] = begin
        loss_of, weight_of = np.zeros((2, len(self.model.portfolio.buyers)))
        scenario, buyer, loss = np.empty(room, np.int64), np.empty(room + 1, np.int32), np.empty(room + 1)
        for start, size, failures in sorted(self.failures, key=lambda part: part[0]):
            share_out(start, size, failures, weight, in_tail, place, loss_of, weight_of, buyer, loss)
        n = close_ranks(scenarios, begin, place[scenarios], scenario, buyer, loss)
        return {
            "buyer/loss": loss_of,
            "buyer/failures": weight_of,
            "tail/scenario": scenario[:n] + self.first,
            "tail/buyer": buyer[:n].copy(),
            "tail/loss": loss[:n].copy(),
        }

    def _path_summaries(self, weight: Floats) -> Arrays:
        weights = None if self.model.study.simulation.tail == "plain" else weight
        series = [self.paths[name] for name in SUMMARISED if name in self.paths]
        if self.model.study.simulation.paths == "exact":
            return {"path/series": np.concatenate(series), **self.sums}
        parts = [summarise(one, weights) for one in series]
        values, (_, total) = np.concatenate([values for values, _ in parts], axis=1), parts[0]
        return {"path/values": values, "path/weight": np.array([total]), **self.sums}


def worst_scenarios(loss: Floats, weight: Floats) -> np.ndarray:
    """The scenarios of largest loss, the first of equals first, that together weigh at most the tail's share; one at
    least. bool[n]."""
    n, most = len(loss), TAIL_SHARE * weight.sum()
    # weights are at most 2 and seldom far from 1: a few more than the share hold the tail, or else all are sorted
    few = min(n, int(2 * TAIL_SHARE * n) + 1)
    candidates = np.flatnonzero(loss >= np.partition(loss, n - few)[n - few])
    worst = candidates[np.argsort(-loss[candidates], kind="stable")]
    heavy = np.cumsum(weight[worst]) <= most
    if heavy.all():
        worst = np.argsort(-loss, kind="stable")
        heavy = np.cumsum(weight[worst]) <= most
    heavy[0] = True
    in_tail = np.zeros(n, np.bool_)
    in_tail[worst[heavy]] = True
    return in_tail
