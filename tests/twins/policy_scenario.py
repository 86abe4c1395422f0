"""Plain-Python twin of the policy room's loop: claims by (date of loss, rank), their money, and the premium."""

from tests.twins.losses import limit_change_day
from tests.twins.policy import (
    NEVER,
    after_bonus,
    after_costs,
    apply_terms,
    failure_day,
    happens,
    insurer_score,
    insurer_share,
    is_lost_unclaimed,
    lost_by_late_notice,
    paid_by_insurer,
    premium_adjustment,
    premium_due,
    premium_on_turnover,
    receipt_amount,
    receipt_day,
    share_of_invoice,
)
from tests.twins.policy_debts import Debts
from tests.twins.streams import normal, words


class Scenario(Debts):
    """One scenario under one programme, settled."""

    # claims

    def settle(self, entries, loss_day, debts_on, peril, failed_on, first_loss_left, liability_left):
        terms, plan, rows, s, p = self.terms, self.plan, self.rows, self.s, self.p
        buyer = int(self.events.buyer[self.row, entries[0]])
        payment_day = loss_day + int(terms.settlement_days)
        self.grace = int(plan.cover[p, buyer].expiry_days[0]) + int(terms.settlement_days)
        c = self.value(buyer, entries, loss_day, debts_on, peril, payment_day)
        steps = apply_terms(terms, c["covered"], c["percentage"], first_loss_left, liability_left)
        payable, eroded = steps[6], steps[7]
        above = c["total"] - c["covered"]
        top_up = above * float(terms.top_up_percentage)
        late = False
        if terms.missed > 0.0 and c["oldest"] < NEVER and c["oldest"] + int(terms.notify_after) <= debts_on:
            entity = self.book.buyer_entity[buyer]
            late = happens(words(plan.notification_key, self.quad, entity, 0)[self.lane], float(terms.missed))
        owed = payable - lost_by_late_notice(payable, late, float(terms.reduction))
        top_up_owed = top_up - lost_by_late_notice(top_up, late, float(terms.reduction))
        later = c["upheld"] / c["total"] if c["upheld"] > 0.0 else 0.0
        days = (payment_day, payment_day + plan.dispute_days)
        parts = (owed * (1.0 - later), owed * later)
        arrived = [
            paid_by_insurer(x, day, failed_on, float(terms.insurer_recovery))
            for x, day in zip(parts, days, strict=True)
        ]
        missing = [x - y for x, y in zip(parts, arrived, strict=True)]
        paid = [arrived[0] + top_up_owed * (1.0 - later), arrived[1] + top_up_owed * later]
        indemnity = paid[0] + paid[1]
        rate = self.own_rate(loss_day)
        lines = [
            c["market"], None, c["vat"], c["disputed"], c["debt"] - c["vat"] - c["disputed"] - c["eligible"],
            c["full"] - c["total"], c["eligible"] - c["full"], steps[0], steps[1] + (above - top_up), steps[2],
            steps[3], steps[4], steps[5], payable - owed + (top_up - top_up_owed), missing[0] + missing[1], indemnity,
        ]  # fmt: skip
        gap = [c["market"], c["market"] - c["debt"] * rate, *(line * rate for line in lines[2:])]
        rows.gap[s, p] += gap
        if failed_on != NEVER:
            rows.insurer_loss[s, p] += missing[0] * self.own_rate(days[0]) + missing[1] * self.own_rate(days[1])
        if indemnity > 0.0:
            worth = 0.0
            for k, (day, amount) in enumerate(zip(days, paid, strict=True)):
                if k == 0 or amount > 0.0:
                    worth += self.pay(day, amount * self.own_rate(day))
            rows.indemnity_gross[s, p] += worth
            paid_on = days[0] if paid[0] > 0.0 else days[1]
            net = worth - self.share(entries, debts_on, payment_day, paid_on, c, indemnity)
            rows.indemnity[s, p] += max(0.0, net) if terms.currency < 0 else net
        return eroded, owed

    def pay(self, day, worth):
        if day <= self.clock.horizon:
            self.rows.claim_cash[self.s, self.p, self.clock.period_of_day[day]] += worth
            self.rows.indemnity_in_horizon[self.s, self.p] += worth
        return worth

    def share(self, entries, debts_on, payment_day, paid_on, c, paid):
        """Pay the insurer's shares of later money, in the order it arrives while the indemnity lasts."""
        money = {}
        for e in entries:
            day = receipt_day(self.of("paid_day", e), self.of("receipt_day", e))
            if self.owes(e, debts_on) and payment_day < day < NEVER:
                local = receipt_amount(self.of("amount", e), self.of("paid_day", e), self.of("recovery", e))
                money[e] = day, local * self.rate(self.of("currency", e), day) / self.own_rate(day)

        def before(e, values):
            total = 0.0
            for o in money:
                if (money[o][0], o) < (money[e][0], e):
                    total += values[o]
            return total

        shares = {}
        for e, (_, amount) in money.items():
            if self.terms.recovery_rule == 2:
                earlier = before(e, {o: m for o, (_, m) in money.items()})
                older = share = 0.0
                for o, debt in c["debts"].items():
                    on = c["covers"].get(o, 0.0)
                    share += share_of_invoice(older, older + debt, earlier, amount, paid, c["total"], on)
                    older += debt
            else:
                share = insurer_share(self.terms.recovery_rule, amount, paid, c["total"], c["debt"])
            if self.of("paid_day", e) == NEVER:
                share = after_costs(share, amount, self.terms.recovery_costs, self.plan.recovery_cost)
            shares[e] = share
        total = 0.0
        for share in shares.values():
            total += share
        returned = 0.0
        for e, share in shares.items():
            due = min(share, max(0.0, paid - before(e, shares))) if total > paid else share
            day = max(money[e][0], paid_on)
            worth = due * self.own_rate(day)
            returned += worth
            self.pay(day, -worth)
        return returned

    def unclaimed(self, entries, debts_on):
        lost = 0.0
        for e in entries:
            issue, lost_on = (self.of(name, e) for name in ("issue_day", "loss_day"))
            if is_lost_unclaimed(issue, lost_on, debts_on):
                lost += self.of("amount", e) * self.rate(self.of("currency", e), lost_on)
        self.rows.gap[self.s, self.p, [0, 4]] += lost

    # premium

    def sale(self, buyer, i):
        terms, book = self.terms, self.book
        issue = int(book.issue_day[i])
        limit = self.limit_of(self.plan.cover[self.p, buyer], issue)
        insured = not book.open_item[i] and self.plan.eligible[self.p, i] and limit is not None and limit.limit > 0.0
        if not insured or not terms.first_day <= issue <= terms.last_day:
            return 0.0
        value = float(book.book_value[i])
        if not terms.vat_covered and book.vat[i] > 0.0:
            value -= value * (float(book.vat[i]) / float(book.amount[i]))
        return value

    def summed_from(self, own, day, value):
        """Sum over a buyer's invoices issued on a day or later, the last one first."""
        total = 0.0
        for i in reversed(own):
            if self.book.issue_day[i] >= day:
                total += value(i)
        return total

    def planned(self, i):
        return 0.0 if self.book.open_item[i] else float(self.book.book_value[i])

    def turnover(self, claimed_on):
        """As planned, less what is withheld and what is shipped without cover, buyer by buyer."""
        terms, events, book, row = self.terms, self.events, self.book, self.row
        stopped, cancelled = {}, {}
        for k in range(min(int(events.stopped_count[row]), events.stopped_buyer.shape[1])):
            stopped[int(events.stopped_buyer[row, k])] = (
                int(events.stopped_from[row, k]), int(events.stopped_until[row, k]), float(events.stopped_value[row, k])
            )  # fmt: skip
        if terms.change_intensity > 0.0 and terms.change_to == 0.0:
            for k in range(min(int(events.weak_count[row]), events.weak_buyer.shape[1])):
                buyer, score = int(events.weak_buyer[row, k]), float(events.weak_score[row, k])
                told = limit_change_day(score, float(terms.change_intensity), self.clock.horizon)
                if told < NEVER and self.plan.segment[self.plan.cover[self.p, buyer].segments[0]].changes:
                    cancelled[buyer] = told + int(terms.change_notice)
        debts, lost = self.listed(), 0.0
        for buyer in sorted({*stopped, *cancelled, *debts}):
            if not self.plan.cover[self.p, buyer].insurable:
                continue
            end = min(cancelled.get(buyer, NEVER), claimed_on.get(buyer, NEVER) + 1)
            own = range(int(book.start[buyer]), int(book.start[buyer + 1]))
            since, until, value = stopped.get(buyer, (0, -1, 0.0))
            overdue = 0.0

            def sold_from(day, buyer=buyer, own=own):
                return self.summed_from(own, day, lambda i: self.sale(buyer, i))

            gone = sold_from(end)
            planned = self.summed_from(own, since, self.planned) - self.summed_from(own, until + 1, self.planned)
            if planned > 0.0:
                # the same share of each of what was planned from one day to another was not shipped
                gone += (sold_from(min(since, end)) - sold_from(min(until + 1, end))) * (value / planned)
            for e in debts.get(buyer, []):
                if self.of("overdue_at_issue", e) > terms.extension_days and self.of("issue_day", e) < end:
                    overdue += self.of("share", e) * self.sale(buyer, int(self.events.invoice[row, e]))
            whole = end >= NEVER and self.plan.cover[self.p, buyer].sold_whole
            lost += value if whole else gone
            lost += overdue
        return max(0.0, float(terms.planned_turnover) - lost * float(terms.turnover_rate))

    def balances(self):
        owed = self.balance[self.row, int(self.plan.balance_of[self.p])].tolist()
        charged = [value for value, ends in zip(owed, self.plan.month_ends[self.p], strict=True) if ends]
        return sum(charged, 0.0) * float(self.terms.turnover_rate)

    def premium(self, base, claims, failed_on):
        terms, plan, rows, s, p = self.terms, self.plan, self.rows, self.s, self.p
        tax, minimum = float(terms.premium_tax), float(terms.premium_minimum)
        premium = premium_on_turnover(base, float(terms.premium_rate), minimum)
        if terms.bonus_steps:
            steps = range(int(terms.bonus_steps))
            within = [k for k in steps if claims <= plan.bonus_ratio[p, k] * premium] or [steps[-1]]
            premium = after_bonus(premium, float(plan.bonus_change[p, within[0]]))
        cash = [float(deposit) * (1.0 + tax) for deposit in plan.instalment[p]]
        cash[terms.fee_period] += float(terms.premium_fees) * (1.0 + tax) + float(terms.untaxed_fees)
        cash = [x if day < failed_on else 0.0 for x, day in zip(cash, plan.period_start, strict=True)]
        if min(int(terms.last_day), self.clock.horizon) < failed_on:
            cash[terms.adjustment_period] += premium_adjustment(premium, minimum, tax)
        cash = [amount * self.own_rate(day) for amount, day in zip(cash, plan.period_start, strict=True)]
        rows.premium_cash[s, p] = cash
        total = 0.0
        for amount in cash:
            total += amount
        if terms.currency < 0 and not failed_on <= self.clock.horizon:
            total = premium_due(premium, float(terms.premium_fees), float(terms.untaxed_fees), tax)
        rows.premium[s, p] = total

    def run(self):
        for result in self.rows:
            result[self.s, self.p] = 0.0
        if not self.plan.insured[self.p]:
            return
        terms = self.terms
        failed_on = NEVER
        if terms.insurer_intensity > 0.0:
            own = normal(words(self.plan.insurer_key, self.quad, self.plan.insurer_entity, 0)[self.lane])
            score = insurer_score(float(self.drivers[self.s, 0]), own, float(terms.insurer_systemic))
            failed_on = failure_day(score, float(terms.insurer_intensity))
        claims = []
        for buyer, entries in self.listed().items():
            cover = self.plan.cover[self.p, buyer]
            day, peril = self.event(entries, cover)
            debts_on = self.of("default_day", entries[0])
            waited, cause = self.waiting_end(entries, cover)
            if waited < day:
                day, debts_on, peril = waited, waited, cause
            if day < NEVER or any(self.of("loss_day", e) < NEVER for e in entries):
                rank = int(self.plan.buyer_rank[buyer])
                claims.append((day, rank, debts_on if day < NEVER else NEVER, peril, entries))
        claimed_on = {int(self.events.buyer[self.row, entries[0]]): day for day, *_, entries in claims}
        base = self.balances() if terms.on_balance else self.turnover(claimed_on)
        first_loss_left, liability_left = float(terms.aggregate_first_loss), float(terms.maximum_liability)
        if terms.liability_multiple > 0.0:
            year = max(float(terms.premium_rate) * (base / float(terms.year_share)), float(terms.minimum_of_year))
            liability_left = float(terms.liability_multiple) * year
        total = 0.0
        for day, _, debts_on, peril, entries in sorted(claims):
            if day < NEVER:
                eroded, owed = self.settle(entries, day, debts_on, peril, failed_on, first_loss_left, liability_left)
                first_loss_left -= eroded
                liability_left -= owed
                total += owed
            self.unclaimed(entries, debts_on)
        self.premium(base, total, failed_on)


def apply_programmes(first_quad, plan, book, events, balance, rates, drivers, clock, work, rows):
    for s in range(len(rates)):
        for p in range(len(plan.insured)):
            Scenario(first_quad, plan, book, events, balance, rates, drivers, clock, rows, s, p).run()
