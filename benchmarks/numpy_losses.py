"""What is collected, withheld and lost, in plain NumPy: invoices that are paid, and those of buyers in trouble."""

from __future__ import annotations

import numpy as np

from benchmarks.numpy_plan import Prepared, Rows
from simulator.jit import NEVER
from simulator.streams import TABLE_EDGE, TABLE_PER_UNIT, TABLE_SIZE


class Losses(Prepared):
    """The losses room of a chunk of scenarios."""

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
