"""The ledger model in plain, vectorised NumPy: what a good quant writes without this package's engine.

The same study, the same plan arrays (:func:`simulator.engine.model.build_model`), the same events and money, but dense
arrays scenario × invoice, ``np.random.Generator``, ``np.bincount`` and no compiled loop. Scenarios are done a few at a
time, so that the arrays stay in the processor's cache. Nothing is left out that the engine does: rows by period, the
list of debts gone wrong, every programme's waterfall, claims in date order, recoveries shared, cash by week, quantile
summaries of the paths. Not written here, as no benchmark uses them: the FX bootstrap and importance sampling.
"""

from __future__ import annotations

from typing import Any

import numpy as np
from scipy.special import ndtr, ndtri

from simulator.engine.chunk import CHUNK
from simulator.engine.model import Model
from simulator.engine.sketch import PathQuantiles, summarise
from simulator.fx.plan import MODELS
from simulator.jit import NEVER
from simulator.policy.codes import INSOLVENCY, PERCENTAGE_STEP, PROTRACTED
from simulator.policy.gaps import GAP_STEPS
from simulator.streams import TABLE_EDGE, TABLE_PER_UNIT, TABLE_SIZE

Rows = dict[str, np.ndarray]

#: Scenarios done at once, and how many of them as dense arrays of invoices: the fastest for the exporter study of
#: 128, 256, 512, 1,024 and 4, 8, 16, 32, 64, in turns with one BLAS thread (65 ns; 256 and 16 took 79 ns).
CHUNK_SCENARIOS = 128
DENSE_SCENARIOS = 8
#: A score bound below this excludes nothing.
NOTHING_BELOW = -8.0

#: Steps of the waterfall that terms take, in the order :meth:`NumpyLedger._waterfall` returns them.
_STEPS = ("non_qualifying", "coinsurance", "each_and_every", "aggregate_first_loss", "maximum_liability", "indemnity")


class NumpyLedger:
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

    # --- the common state, rates, transfer events ---------------------------------------------------------------

    def draw_states(self, c: int) -> tuple[np.ndarray, np.ndarray]:
        """Drivers [c, n_drivers] and mixing scale [c]."""
        factor, dependence = self.model.factor, self.model.study.credit.dependence
        drivers = self.rng.standard_normal((c, len(factor.driver_entity))) @ factor.cholesky.T + factor.shift
        if dependence.copula == "gaussian":
            return drivers, np.ones(c)
        nu = dependence.degrees_of_freedom
        return drivers, np.sqrt(nu / self.rng.chisquare(nu, c))

    def draw_rates(self, drivers: np.ndarray) -> np.ndarray:
        """Weekly rate paths [c, n_currencies, n_steps + 1], tied to the global driver by a bridge."""
        fx, c, n = self.side.fx, len(drivers), self.n_steps
        rates = np.empty((c, len(fx.spot), n + 1))
        rates[:] = (fx.spot * fx.jump)[:, None]
        rates[:, :, 0] = fx.spot
        if MODELS[fx.model] == "none":
            return rates
        noise = self.rng.standard_normal((c, n, len(fx.spot) - 1)) @ fx.residual_root[1:, 1:].T
        common = self.rng.standard_normal((c, n))
        common += (drivers[:, 0] / np.sqrt(n) - common.mean(axis=1))[:, None]
        noise += common[:, :, None] * fx.horizon_weight[1:]
        path = noise.cumsum(axis=1)
        if MODELS[fx.model] == "student_t":
            nu = self.model.study.fx.degrees_of_freedom
            path *= np.sqrt((nu - 2.0) / self.rng.chisquare(nu, c))[:, None, None]
        log_rate = fx.step_volatility[1:] * path + fx.step_drift[1:] * np.arange(1.0, n + 1.0)[:, None]
        rates[:, 1:, 1:] *= np.exp(log_rate).transpose(0, 2, 1)
        rates[:, 0] = 1.0
        return rates

    def draw_transfers(self, drivers: np.ndarray, rates: np.ndarray) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
        """Transfer events as a list: scenario, country, first blocked day; devalues the rates."""
        plan = self.side.transfer
        score = self.rng.standard_normal((len(drivers), len(plan.probability)))
        tied = plan.driver >= 0
        score[:, tied] = plan.weight * drivers[:, plan.driver[tied]] + np.sqrt(1 - plan.weight**2) * score[:, tied]
        u = ndtr(score)
        s, m = np.nonzero(u <= plan.probability)
        with np.errstate(divide="ignore"):
            day = np.ceil(self.horizon * np.log1p(-u[s, m]) / np.log1p(-plan.probability[m]))
        day = np.clip(day, 1, self.horizon).astype(np.int64)
        for currency in range(1, rates.shape[1]):
            hit = m == plan.currency_country[currency]
            from_step = (day[hit] + 6) // 7
            rates[s[hit], currency] *= np.where(
                np.arange(rates.shape[2]) >= from_step[:, None], 1.0 - plan.devaluation, 1.0
            )
        return s, m, day

    # --- buyers and invoices ------------------------------------------------------------------------------------

    def draw_buyers(self, drivers: np.ndarray, mixing: np.ndarray) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
        """Standard state, default day and the shared part of the delay score, each [c, n_buyers]."""
        delay, default, c = self.side.delay, self.model.default, len(drivers)
        common = drivers @ self.loadings
        state = common * self.standard
        own = self.rng.standard_normal((c, int(self.residual_of.max()) + 1))[:, self.residual_of]
        shared = self.rng.standard_normal((c, self.n_buyers)) * delay.buyer
        shared -= state * delay.systemic
        shared -= own * delay.credit
        value = (common + self.own_root * own) * mixing[:, None]
        fails = np.full((c, self.n_buyers), NEVER, np.int64)
        s, b = np.nonzero(value <= self.last_threshold)
        drawn, curve = value[s, b], default.curve[b]
        for k in np.unique(curve):
            of = curve == k
            fails[s[of], b[of]] = np.searchsorted(default.threshold[k], drawn[of], side="left") + 1
        return state, fails, shared

    def draw_payments(self, shared: np.ndarray, out: np.ndarray) -> np.ndarray:
        """Payment day of every invoice before transfer blocks, int64[c, n_invoices], written into ``out``."""
        c = len(shared)
        y, other, knot = (self.buffers[k][:c] for k in (0, 1, 2))
        if self.draw_of is None:
            self.rng.standard_normal(out=y)
        else:
            np.take(self.rng.standard_normal((c, self.n_draws)), self.draw_of, axis=1, out=y, mode="clip")
        y *= self.own
        y += np.take(shared, self.buyer, axis=1, out=other, mode="clip")
        if len(self.held):
            y[:, self.held] = -ndtri(ndtr(-y[:, self.held]) * self.held_tail)
        # the tabulated law, linear between knots
        y += TABLE_EDGE
        y *= TABLE_PER_UNIT
        np.clip(y, 0.0, TABLE_SIZE - 1.001, out=y)
        np.copyto(knot, y, casting="unsafe")
        y -= knot
        y *= np.take(self.table_step, knot, out=other, mode="clip")
        y += np.take(self.table, knot, out=other, mode="clip")
        y *= self.scale
        y += self.constant
        np.floor(y, out=y)
        np.maximum(y, self.first_day, out=y)
        y += self.run_offset
        np.copyto(knot, y, casting="unsafe")
        np.take(self.run_day, knot, out=out, mode="clip")
        # beyond the table of pay runs a day stays as it is
        beyond = np.flatnonzero(y > len(self.run_day) - 1)
        out.ravel()[beyond] = knot.ravel()[beyond] - self.run_offset
        return out

    def release(self, drawn: np.ndarray, events: tuple[np.ndarray, np.ndarray, np.ndarray]) -> np.ndarray:
        """Payment days after transfer blocks; the same array where nothing is blocked."""
        scenario, country, day = events
        if not len(scenario):
            return drawn
        paid, until = drawn.copy(), day + self.side.transfer.duration
        for m in np.unique(country):
            hit = country == m
            where = np.ix_(scenario[hit], self.country_items[m])
            part, end = paid[where], until[hit][:, None]
            paid[where] = np.where((part >= day[hit][:, None]) & (part < end), end, part)
        return paid

    def rate(self, rates: np.ndarray, s: np.ndarray, currency: np.ndarray, day: np.ndarray) -> np.ndarray:
        """Study currency per unit on a day."""
        n_currencies, width = rates.shape[1:]
        step = self.step[np.clip(day, 0, self.horizon)]
        return np.take(rates, (s * n_currencies + currency) * width + step)

    # --- one chunk ----------------------------------------------------------------------------------------------

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

    def expand(self, s: np.ndarray, b: np.ndarray) -> dict[str, np.ndarray]:
        """Every invoice of a list of (scenario, buyer) pairs: ``pair``, ``s``, ``i``, and where each pair begins."""
        start = self.book.start.astype(np.int64)
        count = start[b + 1] - start[b]
        begin = np.concatenate([[0], np.cumsum(count)])
        pair = np.repeat(np.arange(len(s)), count)
        i = np.arange(begin[-1]) - begin[pair] + start[b][pair]
        return {"pair": pair, "s": s[pair], "i": i, "begin": begin}

    def collect(self, paid: np.ndarray, rates: np.ndarray, gone: np.ndarray, rows: Rows, part: slice) -> None:
        """Book every invoice as paid on its day, but those at the flat places ``gone``, which trouble awaits."""
        book, c, width = self.book, len(paid), self.n_periods + 1
        worth, other, until, slot, step = (self.buffers[k][:c] for k in (0, 1, 2, 3, 4))
        scenario = np.arange(c)[:, None]
        np.minimum(paid, self.horizon + 1, out=until)
        np.take(self.period, until, out=slot, mode="clip")  # ``slot`` may be ``paid``, which is done with
        slot += scenario * width
        np.minimum(until, self.horizon, out=until)
        np.take(self.step, until, out=step, mode="clip")
        step += self.rate_row
        step += scenario * (rates.shape[1] * rates.shape[2])
        np.take(rates, step, out=worth, mode="clip")
        worth *= book.amount
        worth.ravel()[gone] = 0.0
        slots = slot.ravel()
        money = np.bincount(slots, weights=worth.ravel(), minlength=c * width).reshape(c, width)
        other[:] = book.book_value
        other.ravel()[gone] = 0.0
        settled = np.bincount(slots, weights=other.ravel(), minlength=c * width).reshape(c, width)
        rows["collections"][part], rows["outstanding"][part] = money[:, :-1], money[:, -1]
        rows["settled"][part] = settled[:, :-1]
        rows["billed"][part] = settled.sum(axis=1)
        rows["fx_result"][part] = money.sum(axis=1) - rows["billed"][part]
        until -= self.late_base
        np.maximum(until, 0, out=until)
        until.ravel()[gone] = 0
        rows["delay_cost"][part] = np.multiply(until, self.late_cost, out=other).sum(axis=1)

    def settle_troubled(
        self,
        s: np.ndarray,
        b: np.ndarray,
        state: np.ndarray,
        fails: np.ndarray,
        pays: np.ndarray,
        draws: np.ndarray,
        rates: np.ndarray,
        rows: Rows,
    ) -> dict[str, np.ndarray]:
        """Settle the invoices of troubled buyers one list at a time; returns the debts that claims may be made of."""
        book, rules, c, horizon = self.book, self.model.rules, len(rates), self.horizon
        trouble = self.expand(s, b)
        pair, scenario, i = trouble["pair"], trouble["s"], trouble["i"]
        noise = self.rng.standard_normal(len(s))
        weight = rules.recovery_systematic
        position = (weight * state[s, b] + np.sqrt(1 - weight**2) * noise + TABLE_EDGE) * TABLE_PER_UNIT
        position = np.clip(position, 0.0, TABLE_SIZE - 1.001)
        knot = position.astype(np.int64)
        left, right = (rules.recovery[rules.recovery_class[b], knot + k] for k in (0, 1))
        recovery = left + (position - knot) * (right - left)
        cured = self.rng.random(len(s)) < rules.cure_probability

        insolvent = fails[s, b][pair]
        due, issue = book.due_day[i].astype(np.int64), book.issue_day[i].astype(np.int64)
        over = due + rules.protracted_after
        first = np.maximum(over, 1)
        protracted = (pays > over) & (first <= horizon) & (first < insolvent)
        lost_late = protracted & ~cured[pair] & (draws > over)
        loss_day = np.where(lost_late, first, np.where(pays > insolvent, insolvent, NEVER))
        lost = loss_day != NEVER
        final = np.where(lost, NEVER, pays)
        shipped = self.shipped(trouble, issue, insolvent, final)

        value = book.book_value[i]
        self._withhold(trouble, ~shipped, value, rows)
        self._collect_list(trouble, shipped & ~lost, final, value, due, rates, rows)
        loss = self._write_off(trouble, shipped & lost, loss_day, recovery[pair], value, due, rates, rows)
        rows["n_protracted"] = np.bincount(scenario[shipped & protracted], minlength=c)
        rows["largest_loss"] = self._largest(s, b, np.bincount(pair, weights=loss, minlength=len(s)), c)
        bad = shipped & lost
        rows["buyer_loss"] = np.bincount(self.buyer[i[bad]], weights=loss[bad], minlength=self.n_buyers)
        rows["stopped_scenario"], rows["stopped_buyer"] = scenario[~shipped], self.buyer[i[~shipped]]
        rows["stopped_value"], rows["stopped_issue"] = value[~shipped], issue[~shipped]

        trigger = fails[s, b].copy()
        np.minimum.at(trigger, pair[shipped & protracted], first[shipped & protracted])
        latest = np.zeros(len(s), np.int64)
        np.maximum.at(latest, pair[shipped & protracted], first[shipped & protracted])
        last = np.where(latest > 0, np.minimum(latest + rules.waiting_span, fails[s, b]), fails[s, b])
        keep = shipped & (trigger[pair] != NEVER) & (final > trigger[pair]) & ((issue <= last[pair]) | lost)
        return {
            "s": scenario[keep], "buyer": b[pair[keep]], "pair": pair[keep], "i": i[keep], "insolvent": insolvent[keep],
            "paid": final[keep], "loss_day": loss_day[keep], "protracted": protracted[keep],
            "recovery": np.where(lost, recovery[pair], 0.0)[keep],
        }  # fmt: skip

    def shipped(self, trouble: dict[str, np.ndarray], issue: np.ndarray, insolvent: np.ndarray, final: np.ndarray):
        """Which invoices are shipped under the stop-shipment rule.

        What is withheld depends on what was shipped before, so it is found in rounds; each round settles one more
        generation, and there are as many as waiting times fit into the horizon.
        """
        i, begin = trouble["i"], trouble["begin"][trouble["pair"]]
        planned, overdue = ~self.book.open_item[i], self.n_overdue[i]
        wanted = ~planned | (issue < insolvent)
        ranked = begin + self.due_rank_item[i]
        at = begin + np.maximum(overdue - 1, 0)
        lift = trouble["pair"] << 32  # so that a running maximum starts anew with every pair
        shipped = wanted
        while True:
            until = np.where(shipped, final, -1)[ranked] + lift
            blocked = (overdue > 0) & (np.maximum.accumulate(until)[at] - lift > issue)
            now = wanted & ~(planned & blocked)
            if np.array_equal(now, shipped):
                return shipped
            shipped = now

    def _by_period(self, s: np.ndarray, day: np.ndarray, weights: np.ndarray, c: int) -> np.ndarray:
        slot = s * self.n_periods + self.period[day]
        return np.bincount(slot, weights=weights, minlength=c * self.n_periods).reshape(c, self.n_periods)

    def _withhold(self, trouble: dict[str, np.ndarray], held: np.ndarray, value: np.ndarray, rows: Rows) -> None:
        rules, c = self.model.rules, len(rows["billed"])
        s, issue, value = trouble["s"][held], self.book.issue_day[trouble["i"][held]], value[held]
        rows["stopped"] += self._by_period(s, issue, value, c)
        payable = issue + rules.supplier_terms_days
        inside = (payable >= 1) & (payable <= self.horizon)
        saved = rules.variable_cost_rate * value[inside]
        rows["purchases_saved"] += self._by_period(s[inside], payable[inside], saved, c)

    def _collect_list(self, trouble, which, final, value, due, rates, rows):  # type: ignore[no-untyped-def]
        book, c = self.book, len(rows["billed"])
        s, i, day, value, due = trouble["s"][which], trouble["i"][which], final[which], value[which], due[which]
        until = np.minimum(day, self.horizon)
        worth = book.amount[i] * self.rate(rates, s, book.currency[i], until)
        inside = day <= self.horizon
        rows["collections"] += self._by_period(s[inside], day[inside], worth[inside], c)
        rows["settled"] += self._by_period(s[inside], day[inside], value[inside], c)
        rows["outstanding"] += np.bincount(s[~inside], weights=worth[~inside], minlength=c)
        rows["fx_result"] += np.bincount(s, weights=worth - value, minlength=c)
        rows["billed"] += np.bincount(s, weights=value, minlength=c)
        self._late(s, i, until, due, c, rows)
        rows["collected"] = rows["collections"].sum(axis=1)

    def _late(self, s, i, until, due, c, rows):  # type: ignore[no-untyped-def]
        cost = self.late_cost[i] * np.maximum(until - np.maximum(due, 0), 0)
        rows["delay_cost"] += np.bincount(s, weights=cost, minlength=c)

    def _write_off(self, trouble, which, loss_day, recovery, value, due, rates, rows):  # type: ignore[no-untyped-def]
        book, c = self.book, len(rows["billed"])
        s, i, day, value, due = trouble["s"][which], trouble["i"][which], loss_day[which], value[which], due[which]
        debt = book.amount[i] * self.rate(rates, s, book.currency[i], day)
        received = day + self.model.rules.recovery_lag
        until = np.minimum(received, self.horizon)
        back = recovery[which] * book.amount[i] * self.rate(rates, s, book.currency[i], until)
        inside = received <= self.horizon
        rows["recoveries"] += self._by_period(s[inside], received[inside], back[inside], c)
        rows["settled"] += self._by_period(s, day, value, c)
        self._late(s, i, day, due, c, rows)
        rows["fx_result"] += np.bincount(s, weights=debt - value, minlength=c)
        rows["billed"] += np.bincount(s, weights=value, minlength=c)
        rows["recovered"] = np.bincount(s, weights=back, minlength=c)
        rows["gross_loss"] = np.bincount(s, weights=debt - back, minlength=c)
        loss = np.zeros(len(which))
        loss[which] = debt - back
        return loss

    def _largest(self, s: np.ndarray, b: np.ndarray, loss: np.ndarray, c: int) -> np.ndarray:
        width = self.model.n_groups + self.n_buyers
        name, inverse = np.unique(s * width + self.unit[b], return_inverse=True)
        largest = np.zeros(c)
        np.maximum.at(largest, name // width, np.bincount(inverse, weights=loss, minlength=len(name)))
        return largest

    # --- programmes ---------------------------------------------------------------------------------------------

    def apply_policies(self, events: dict[str, np.ndarray], rates: np.ndarray, rows: Rows) -> None:
        """Every programme on the same list of debts."""
        c, n = len(rates), self.model.n_programmes
        for name in ("indemnity", "indemnity_gross", "indemnity_in_horizon", "premium"):
            rows[name] = np.zeros((c, n))
        rows["claim_cash"] = np.zeros((c, n, self.n_periods))
        rows["premium_cash"] = np.zeros((c, n, self.n_periods))
        rows["gap"] = np.zeros((c, n, len(GAP_STEPS)))
        for p in np.flatnonzero(self.model.policy.insured):
            rows["loss_day"] = np.full((c, self.n_buyers), self.horizon + 1)
            self._claims(p, events, rates, rows)
            self._premium(p, rows)

    def _claims(self, p: int, events: dict[str, np.ndarray], rates: np.ndarray, rows: Rows) -> None:
        plan, book, c = self.model.policy, self.book, len(rates)
        if not len(events["s"]):
            return
        settled = int(plan.terms["settlement_days"][p])
        begins = np.flatnonzero(np.diff(events["pair"], prepend=-1))
        claim = np.cumsum(np.diff(events["pair"], prepend=-1) != 0) - 1
        i = events["i"]
        day = book.due_day[i].astype(np.int64) + plan.cover["expiry_days"][p, events["buyer"], 0]
        eligible = ~book.disputed[i] & plan.eligible[p, i]
        day = np.where(eligible & events["protracted"] & (events["paid"] > day + settled), day, NEVER)
        insolvent_on = events["insolvent"][begins]
        loss_day = np.minimum(insolvent_on, np.minimum.reduceat(day, begins))
        insolvent = (insolvent_on == loss_day) & (loss_day != NEVER)

        claimed = (book.issue_day[i] <= loss_day[claim]) & (events["paid"] > loss_day[claim])
        claimed &= loss_day[claim] != NEVER
        grace = plan.cover["expiry_days"][p, events["buyer"], 0] + settled
        claimed &= (book.due_day[i] <= loss_day[claim]) | (events["paid"] > book.due_day[i] + grace)
        later = claimed & (events["paid"] > loss_day[claim] + settled)
        # recovered before the indemnity is due: the claim is smaller, and nothing is left to share
        back = later & (events["loss_day"] != NEVER)
        back &= events["loss_day"] + self.model.rules.recovery_lag <= loss_day[claim] + settled
        value = book.amount[i] * self.rate(rates, events["s"], book.currency[i], loss_day[claim]) * claimed
        n = len(begins)
        owed = np.bincount(claim, weights=value, minlength=n)
        left = value * later * (1.0 - back * events["recovery"])
        debt = np.bincount(claim, weights=left, minlength=n)
        unpaid = np.divide(debt, owed, out=np.ones(n), where=owed > 0.0)
        buyer, s = events["buyer"][begins], events["s"][begins]
        rows["loss_day"][s, buyer] = np.minimum(loss_day, self.horizon + 1)
        limit = plan.segment["limit"][plan.cover["segments"][p, buyer, 0]]
        disputed = np.bincount(claim, weights=value * book.disputed[i], minlength=n) * unpaid
        insurable = np.bincount(claim, weights=value * eligible, minlength=n) * (limit > 0.0)
        covered = np.minimum(insurable, limit) * unpaid
        insurable *= unpaid
        by_peril = plan.cover["percentage"][p, buyer]
        percentage = np.where(insolvent, by_peril[:, INSOLVENCY], by_peril[:, PROTRACTED])

        order = np.lexsort((plan.buyer_rank[buyer], loss_day, s))
        order = order[loss_day[order] != NEVER]
        steps = self._waterfall(p, s[order], covered[order], percentage[order], c)
        indemnity = np.zeros(n)
        indemnity[order] = steps[-1]
        parts = {
            "debt": debt, "disputed": disputed, "not_covered": debt - disputed - insurable,
            "over_limit": insurable - covered,
        }  # fmt: skip
        for name, part in parts.items():
            rows["gap"][:, p, GAP_STEPS.index(name)] = np.bincount(s[order], weights=part[order], minlength=c)
        lost = ~claimed & (events["loss_day"] != NEVER)
        value = book.amount[i] * self.rate(rates, events["s"], book.currency[i], events["loss_day"]) * lost
        for name in ("debt", "not_covered"):
            rows["gap"][:, p, GAP_STEPS.index(name)] += np.bincount(events["s"], weights=value, minlength=c)
        for name, part in zip(_STEPS, steps, strict=True):
            rows["gap"][:, p, GAP_STEPS.index(name)] = np.bincount(s[order], weights=part, minlength=c)
        rows["indemnity_gross"][:, p] = rows["gap"][:, p, -1]
        self._share(p, events, rates, rows, claim, later & ~back, s, loss_day, indemnity, debt)

    def _waterfall(self, p: int, s: np.ndarray, covered: np.ndarray, percentage: np.ndarray, c: int):  # type: ignore[no-untyped-def]
        """What each term takes of each claim (claims in date order within a scenario), and the indemnity."""
        terms = self.model.policy.terms[p]
        each = terms.each_and_every_first_loss
        counts = covered >= terms.non_qualifying_loss
        basis = np.where(counts, covered, 0.0)
        percent_first = terms.steps[1] == PERCENTAGE_STEP
        insured = basis * percentage if percent_first else basis
        claim = np.maximum(insured - each, 0.0)
        # claims in a table scenario × rank: running totals show what is left of the year's amounts
        begin = np.searchsorted(s, np.arange(c))
        rank = np.arange(len(s)) - begin[s]
        width = int(rank.max(initial=0)) + 1

        def table(amount: np.ndarray) -> np.ndarray:
            out = np.zeros((c, width))
            out[s, rank] = amount
            return out

        def upto(amount: np.ndarray, most: float) -> np.ndarray:
            return np.diff(np.minimum(np.cumsum(table(amount), axis=1), most), axis=1, prepend=0.0)[s, rank]

        absorbed = upto(claim, terms.aggregate_first_loss)
        excess = claim - absorbed
        payable = excess if percent_first else excess * percentage
        indemnity = upto(payable, terms.maximum_liability)
        coinsurance = basis - insured if percent_first else excess - payable
        return covered - basis, coinsurance, insured - claim, absorbed, payable - indemnity, indemnity

    def _share(self, p, events, rates, rows, claim, later, s, loss_day, indemnity, debt):  # type: ignore[no-untyped-def]
        """Indemnities and the insurer's share of later money, each on its day."""
        plan, book, c = self.model.policy, self.book, len(rates)
        paid_on = loss_day + plan.terms["settlement_days"][p]
        cash = np.zeros((c, self.n_periods + 1))
        slot = s * (self.n_periods + 1)
        here = indemnity > 0.0
        cash += self._cash(slot[here], paid_on[here], indemnity[here], c)

        use = np.flatnonzero(later & (indemnity[claim] > 0.0))
        of, i = claim[use], events["i"][use]
        on = np.where(events["paid"][use] != NEVER, events["paid"][use],
                      np.where(events["loss_day"][use] != NEVER,
                               events["loss_day"][use] + self.model.rules.recovery_lag, NEVER))  # fmt: skip
        part = np.where(events["paid"][use] != NEVER, 1.0, events["recovery"][use])
        money = part * book.amount[i] * self.rate(rates, events["s"][use], book.currency[i], on) * (on != NEVER)
        order = np.lexsort((on, of))
        of, on, money = of[order], on[order], money[order]
        share = money * indemnity[of] / debt[of]
        total = np.cumsum(share)
        first = np.flatnonzero(np.diff(of, prepend=-1))
        before = np.concatenate([[0.0], total])[first]
        running = total - np.repeat(before, np.diff(np.append(first, len(of))))
        share = np.clip(indemnity[of] - (running - share), 0.0, share)
        cash -= self._cash(slot[of], np.maximum(on, paid_on[of]), share, c)
        rows["claim_cash"][:, p] = cash[:, :-1]
        rows["indemnity_in_horizon"][:, p] = cash[:, :-1].sum(axis=1)
        net = np.maximum(indemnity - np.bincount(of, weights=share, minlength=len(s)), 0.0)
        rows["indemnity"][:, p] = np.bincount(s, weights=net, minlength=c)

    def _cash(self, slot: np.ndarray, day: np.ndarray, money: np.ndarray, c: int) -> np.ndarray:
        width = self.n_periods + 1
        at = slot + self.period[np.minimum(day, self.horizon + 1)]
        return np.bincount(at, weights=money, minlength=c * width).reshape(c, width)

    def _premium(self, p: int, rows: Rows) -> None:
        plan, c = self.model.policy, len(rows["billed"])
        terms = plan.terms[p]
        s, b, loss_day = rows["stopped_scenario"], rows["stopped_buyer"], rows["loss_day"]
        # not shipped by the date of loss, and all that is planned after it, shipped or not
        before = plan.cover["insurable"][p, b] & (rows["stopped_issue"] <= loss_day[s, b])
        lost = np.bincount(s, weights=rows["stopped_value"] * before, minlength=c)
        lost = lost + self.sold_after[p][np.arange(self.n_buyers), loss_day].sum(axis=1)
        earned = np.maximum(terms.premium_rate * (terms.planned_turnover - lost), terms.premium_minimum)
        with_tax = 1.0 + terms.premium_tax
        rows["premium"][:, p] = (earned + terms.premium_fees) * with_tax
        rows["premium_cash"][:, p] = plan.instalment[p] * with_tax
        rows["premium_cash"][:, p, 0] += terms.premium_fees * with_tax
        rows["premium_cash"][:, p, -1] += (earned - terms.premium_minimum) * with_tax

    # --- cash ---------------------------------------------------------------------------------------------------

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

    # --- a run --------------------------------------------------------------------------------------------------

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
