"""Every programme on one list of debts, in plain NumPy: claims, the waterfall, shares of later money, premiums."""

from __future__ import annotations

import numpy as np

from benchmarks.numpy_plan import Prepared, Rows
from simulator.jit import NEVER
from simulator.policy.codes import INSOLVENCY, PERCENTAGE_STEP, PROTRACTED
from simulator.policy.gaps import GAP_STEPS

#: Steps of the waterfall that terms take, in the order :meth:`Policies._waterfall` returns them.
_STEPS = ("non_qualifying", "coinsurance", "each_and_every", "aggregate_first_loss", "maximum_liability", "indemnity")


class Policies(Prepared):
    """The policy room of a chunk of scenarios."""

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
