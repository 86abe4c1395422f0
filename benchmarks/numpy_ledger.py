"""The ledger model in plain, vectorised NumPy: what a good quant writes without this package's engine.

The same study, the same plan arrays (:func:`simulator.engine.model.build_model`), the same events and money, but dense
arrays scenario × invoice, ``np.random.Generator``, ``np.bincount`` and no compiled loop. Scenarios are done a few at a
time, so that the arrays stay in the processor's cache. Nothing is left out that the engine does: rows by period, the
list of debts gone wrong, every programme's waterfall, claims in date order, recoveries shared, cash by week, quantile
summaries of the paths. Not written here, as no benchmark uses them: the FX bootstrap and importance sampling.
"""

from __future__ import annotations

import numpy as np

from benchmarks.numpy_draws import Draws
from benchmarks.numpy_losses import Losses
from benchmarks.numpy_plan import Rows
from benchmarks.numpy_policies import Policies
from simulator.engine.chunk import CHUNK
from simulator.engine.sketch import PathQuantiles, summarise
from simulator.jit import NEVER


class NumpyLedger(Draws, Losses, Policies):
    """A ledger study, simulated a chunk of scenarios after the other."""

    def simulate_chunk(self, c: int) -> Rows:
        """All rows of ``c`` scenarios."""
        model, n_periods = self.model, self.n_periods
        drivers, mixing = self.draw_states(c)
        rates = self.draw_rates(drivers)
        transfers = self.draw_transfers(drivers, rates)
        state, fails, shared = self.draw_buyers(drivers, mixing)
        rows: Rows = {name: np.zeros(c) for name in ("billed", "fx_result", "delay_cost", "outstanding")}
        for name in ("collections", "settled", "recoveries", "stopped", "purchases_saved"):
            rows[name] = np.zeros((c, n_periods))
        rows["n_defaults"] = (fails != NEVER).sum(axis=1)
        limit = min(model.rules.protracted_after, model.rules.stop_shipment_after)
        lists = []
        for first in range(0, c, self.dense):
            part = slice(first, min(first + self.dense, c))
            here = (transfers[0] >= first) & (transfers[0] < part.stop)
            drawn = self.draw_payments(shared[part], self.buffers[3][: part.stop - first])
            paid = self.release(drawn, (transfers[0][here] - first, transfers[1][here], transfers[2][here]))
            lateness = np.subtract(paid, self.due_day, out=self.buffers[2][: len(paid)])
            late = np.full((len(paid), self.n_buyers), -NEVER)
            late[:, self.with_items] = np.maximum.reduceat(lateness, self.first_item, axis=1)
            s, b = np.nonzero((fails[part] != NEVER) | (late > limit))
            trouble = self.expand(s, b)
            at = trouble["s"] * self.n_invoices + trouble["i"]
            lists.append((s + first, b, paid.ravel()[at], drawn.ravel()[at]))
            self.collect(paid, rates[part], at, rows, part)
        s, b, pays, draws = (np.concatenate(parts) for parts in zip(*lists, strict=True))
        events = self.settle_troubled(s, b, state, fails, pays, draws, rates, rows)
        self.apply_policies(events, rates, rows)
        self.run_treasury(rates, rows)
        return rows

    def run_treasury(self, rates: np.ndarray, rows: Rows) -> None:
        """Hedges, then cash, credit line and headroom period by period for all scenarios and programmes."""
        plan, side = self.side.cash, self.side
        at_end = rates[:, :, self.step[self.model.calendar.period_end]]
        notional, forward = side.hedge_notional, side.hedge_forward
        rows["hedge"] = ((notional * forward)[1:].sum(axis=0)) - np.einsum("ct,sct->st", notional[1:], at_end[:, 1:])
        inflow = rows["collections"] + rows["recoveries"] + rows["hedge"]
        inflow -= plan.outflow + plan.purchases - rows["purchases_saved"]
        flow = inflow[:, None, :] + rows["claim_cash"] - rows["premium_cash"]
        cash = np.broadcast_to(plan.opening_cash + plan.reserve, flow.shape[:2]).copy()
        drawn = np.zeros_like(cash)
        for name in ("cash", "line", "headroom"):
            rows[name] = np.empty_like(flow)
        rows["financing_cost"] = np.zeros_like(cash)
        for t in range(self.n_periods):
            years = plan.period_years[t]
            interest = plan.line_rate * years * drawn - plan.cash_rate * years * np.maximum(cash, 0.0)
            rows["financing_cost"] += interest
            cash = cash + flow[:, :, t] - interest
            rows["headroom"][:, :, t] = cash + (plan.line_limit - drawn) - plan.minimum_cash
            wanted = np.minimum(np.maximum(drawn + plan.minimum_cash - cash, 0.0), plan.line_limit)
            cash = cash + (wanted - drawn)
            drawn = wanted
            rows["cash"][:, :, t] = cash
            rows["line"][:, :, t] = drawn
        rows["minimum_cash"] = rows["cash"].min(axis=2)
        rows["minimum_headroom"] = rows["headroom"].min(axis=2)
        rows["shortfall_amount"] = np.maximum(-rows["minimum_headroom"], 0.0)
        short = rows["headroom"] < 0.0
        rows["first_shortfall_period"] = np.where(short.any(axis=2), short.argmax(axis=2), -1)
        rows["ending_cash"] = cash
        moved = side.planned_billing - rows["stopped"] - rows["settled"]
        rows["receivables"] = side.opening_book + np.cumsum(moved, axis=1)
        rows["retained_loss"] = rows["gross_loss"][:, None] - rows["indemnity"]

    def run(self, n_scenarios: int) -> tuple[Rows, PathQuantiles]:
        """Rows per scenario of a whole run, and the quantile summary of the paths, as the engine keeps them."""
        kept: dict[str, list[np.ndarray]] = {}
        quantiles: PathQuantiles | None = None
        for begin in range(0, n_scenarios, CHUNK):
            paths: list[np.ndarray] = []
            count = min(CHUNK, n_scenarios - begin)
            for first in range(0, count, self.chunk):
                rows = self.simulate_chunk(min(self.chunk, count - first))
                for name in KEPT:
                    kept.setdefault(name, []).append(rows[name])
                size = len(rows["gross_loss"])
                parts = (rows["cash"], rows["headroom"], rows["receivables"], rows["collections"])
                paths.append(np.concatenate([part.reshape(size, -1) for part in parts], axis=1))
            values, total = summarise(np.ascontiguousarray(np.concatenate(paths).T))
            quantiles = quantiles or PathQuantiles(values.shape[1])
            quantiles.add_summary(values, total)
        assert quantiles is not None
        return {name: np.concatenate(parts) for name, parts in kept.items()}, quantiles


#: Rows kept per scenario, as the engine keeps them.
KEPT = (
    "gross_loss", "recovered", "largest_loss", "n_defaults", "n_protracted", "delay_cost", "billed", "fx_result",
    "collected", "outstanding", "indemnity", "indemnity_gross", "indemnity_in_horizon", "premium", "retained_loss",
    "gap", "minimum_cash", "minimum_headroom", "shortfall_amount", "first_shortfall_period", "ending_cash",
    "financing_cost",
)  # fmt: skip
