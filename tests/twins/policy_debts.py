"""Which debts of a scenario a policy answers for, from which day, and up to which amount.

``terms`` is a record of a policy's terms, ``cover`` one of a buyer's cover, ``segment`` one of a limit.
"""

import math

from tests.twins.fx import rate_on
from tests.twins.losses import limit_change_day
from tests.twins.policy import (
    EXCLUDED,
    NEVER,
    UNDISPUTED,
    UPHELD,
    additional_limit,
    conversion_day,
    converted_limit,
    covered_debt,
    dispute_state,
    event_loss_day,
    falls_in_period,
    held_up_loss_day,
    is_claimed,
    left_of_debt,
    limit_after_change,
    policy_rate,
    protracted_loss_day,
    room_left,
    still_owed,
)
from tests.twins.streams import uniform, words

INSOLVENCY, PROTRACTED, TRANSFER, FRUSTRATION = range(4)


class Debts:
    """One scenario under one programme: what kernels call ``at``, and everything it reads."""

    def __init__(self, first_quad, plan, book, events, balance, rates, drivers, clock, rows, s, p):
        self.plan, self.book, self.events, self.balance, self.rates = plan, book, events, balance, rates
        self.drivers, self.clock, self.rows, self.s, self.p = drivers, clock, rows, s, p
        self.row = int(plan.regime[p]) * len(rates) + s
        self.quad, self.lane = first_quad + s // 4, s % 4
        self.terms = plan.terms[p]
        self.used = [0.0] * plan.n_pools

    def listed(self):
        """Events that were kept, by buyer in the order they come."""
        buyers = {}
        for e in range(min(int(self.events.n_events[self.row]), self.events.buyer.shape[1])):
            buyers.setdefault(int(self.events.buyer[self.row, e]), []).append(e)
        return buyers

    def of(self, name, e):
        """A field of an event's invoice, or of the event."""
        if name in self.events._fields:
            return getattr(self.events, name)[self.row, e].item()
        value = getattr(self.book, name)[self.events.invoice[self.row, e]].item()
        return value * self.events.share[self.row, e].item() if name in ("amount", "book_value") else value

    def own_rate(self, day):
        return policy_rate(self.rates, self.s, int(self.terms.currency), min(int(day), self.clock.horizon))

    def rate(self, currency, day):
        return float(rate_on(self.rates, self.s, currency, min(int(day), self.clock.horizon)))

    def dispute(self, e):
        in_ledger = bool(self.of("disputed", e))
        if not in_ledger and self.plan.dispute_probability <= 0.0:
            return UNDISPUTED
        entity = self.plan.invoice_entity[self.events.invoice[self.row, e]]
        first, second = (uniform(words(self.plan.dispute_key, self.quad, entity, k)[self.lane]) for k in (0, 1))
        chance, upheld = self.plan.dispute_probability, self.plan.dispute_upheld
        return dispute_state(in_ledger, first, second, chance, upheld, bool(self.terms.disputes_suspended))

    # dates of loss

    def event(self, entries, cover):
        frustrated = self.of("frustrated", entries[0])
        peril = FRUSTRATION if frustrated else INSOLVENCY
        waiting = self.terms.waiting_frustration if frustrated else self.terms.waiting_insolvency
        if cover.percentage[peril] <= 0.0:
            return NEVER, peril
        return event_loss_day(self.of("default_day", entries[0]), waiting), peril

    def waiting_end(self, entries, cover):
        """First end of a waiting period and its peril; of two on one day the one listed first."""
        candidates = []
        for e in entries:
            eligible = self.plan.eligible[self.p, self.events.invoice[self.row, e]]
            if not self.of("protracted", e) or not eligible or self.dispute(e) == EXCLUDED:
                continue
            due, drawn, paid = (self.of(name, e) for name in ("due_day", "drawn_day", "paid_day"))
            wait, held = (int(days) for days in cover.expiry_days)
            settled = int(self.terms.settlement_days)
            if cover.percentage[PROTRACTED] > 0.0 and drawn > due + wait:
                candidates.append((protracted_loss_day(due, wait, settled, paid), e, PROTRACTED))
            if cover.percentage[TRANSFER] > 0.0:
                candidates.append((held_up_loss_day(due, held, settled, drawn, paid), e, TRANSFER))
        candidates = [c for c in candidates if c[0] < NEVER]
        if not candidates:
            return NEVER, PROTRACTED
        day, _, peril = min(candidates)
        if self.terms.oldest_first:
            day = self.oldest_first_end(entries, cover)
        return day, peril

    def by_age(self, entries):
        return sorted(entries, key=lambda e: (self.of("due_day", e), e))

    def oldest_first_end(self, entries, cover):
        days = [NEVER]
        for e in entries:
            day = self.of("due_day", e) + int(cover.expiry_days[0])
            ranked = self.by_age(o for o in entries if self.dispute(o) != EXCLUDED)
            if e not in ranked:
                continue
            owed = math.fsum(self.of("book_value", o) for o in ranked[: ranked.index(e) + 1])
            until = day + int(self.terms.settlement_days)
            shipped = [o for o in ranked if self.of("issue_day", o) <= day]
            received = math.fsum(self.of("book_value", o) for o in shipped if self.of("paid_day", o) <= until)
            insured = self.plan.eligible[self.p, self.events.invoice[self.row, e]]
            if insured and received < owed * (1.0 - 1e-12):
                days.append(day)
        return min(days)

    def owes(self, e, day):
        return is_claimed(self.of("issue_day", e), self.of("due_day", e), self.of("paid_day", e), day, self.grace)

    def part_left(self, entries, e, day):
        """Part of an invoice that a claim on the debts of a day holds, under either allocation of payments."""
        if not self.terms.oldest_first:
            return 1.0 if self.owes(e, day) else 0.0
        filled = [
            o for o in entries
            if self.of("issue_day", o) <= day
            and self.dispute(o) != EXCLUDED
            and (self.of("paid_day", o) <= day or self.owes(o, day))
        ]  # fmt: skip
        if e not in filled:
            return 1.0 if self.owes(e, day) else 0.0
        outstanding = newer = 0.0
        ranked = self.by_age(filled)
        for o in filled:
            if self.owes(o, day):
                outstanding += self.of("book_value", o)
            if ranked.index(o) > ranked.index(e):
                newer += self.of("book_value", o)
        value = self.of("book_value", e)
        return left_of_debt(value, newer, outstanding) / value

    # cover

    def policy_unit(self, currency, day):
        """Policy currency per unit of a currency, STUDY_CURRENCY too."""
        return policy_rate(self.rates, self.s, currency, min(int(day), self.clock.horizon)) / self.own_rate(day)

    def day_of_rate(self, e, loss_day, payment_day):
        """Day whose rate turns a debt into policy currency."""
        issue, currency = self.of("issue_day", e), self.of("currency", e)
        month_end = self.plan.month_end[self.events.invoice[self.row, e]]
        day = conversion_day(self.terms.conversion, issue, month_end, self.of("due_day", e), loss_day, payment_day)
        if self.terms.conversion == 5:
            day = min(day, issue, key=lambda d: self.policy_unit(currency, d))
        return day

    def limit_then(self, segment, limit, day):
        """A limit at the rate of the day that converts the debt it is for."""
        if segment.currency == self.terms.currency:
            return float(limit)
        return converted_limit(float(limit), float(segment.rate_of_day_0), self.policy_unit(segment.currency, day))

    def limit_of(self, cover, issue):
        held = [self.plan.segment[k] for k in range(*cover.segments) if self.plan.segment[k].from_day <= issue]
        return held[-1] if held else None

    def value(self, buyer, entries, loss_day, debts_on, peril, payment_day):
        terms, cover = self.terms, self.plan.cover[self.p, buyer]
        told = limit_change_day(self.of("limit_score", entries[0]), float(terms.change_intensity), self.clock.horizon)
        changed_on = NEVER if told == NEVER else told + int(terms.change_notice)
        answers = falls_in_period(loss_day, terms.first_day, terms.last_day, terms.losses_occurring)
        used = self.used[cover.group_pool] if cover.group_pool >= 0 else 0.0
        sums = dict.fromkeys(("market", "debt", "vat", "disputed", "eligible", "full", "total", "covered"), 0.0)
        sums |= {"sound": 0.0, "debts": {}, "covers": {}, "oldest": NEVER}
        insured, shares = 0.0, []
        for e in entries:
            amount = self.of("amount", e) * self.part_left(entries, e, debts_on)
            if amount <= 0.0:
                continue
            day = self.day_of_rate(e, loss_day, payment_day)
            value = amount * self.policy_unit(self.of("currency", e), day)
            sums["market"] += amount * self.rate(self.of("currency", e), loss_day)
            sums["debt"] += value
            sums["debts"][e] = value
            sums["oldest"] = min(sums["oldest"], self.of("due_day", e))
            if not terms.vat_covered:
                tax = value * (self.of("vat", e) / float(self.book.amount[self.events.invoice[self.row, e]]))
                sums["vat"] += tax
                value -= tax
            dispute = self.dispute(e)
            limit = self.limit_of(cover, self.of("issue_day", e))
            if dispute == EXCLUDED:
                sums["disputed"] += value
                continue
            late = self.of("overdue_at_issue", e) > terms.extension_days
            eligible = self.plan.eligible[self.p, self.events.invoice[self.row, e]]
            if not answers or late or not eligible or limit is None or limit.highest <= 0.0:
                continue
            now, highest = (self.limit_then(limit, most, day) for most in (limit.limit, limit.highest))
            if limit.changes:
                now = limit_after_change(now, self.of("issue_day", e), changed_on, float(terms.change_to))
            multiple = float(terms.top_up_multiple) if limit.named else 0.0
            room = {
                "full": highest + additional_limit(highest, multiple, float(terms.top_up_maximum)),
                "total": now + additional_limit(now, multiple, float(terms.top_up_maximum)),
                "covered": now,
            }
            sums["eligible"] += value
            before = dict(sums)
            for name, most in room.items():
                sums[name] = covered_debt(sums[name], value, room_left(most, used))
            sums["covers"][e] = sums["total"] - before["total"]
            if dispute != UPHELD:
                sums["sound"] = covered_debt(sums["sound"], value, room_left(room["total"], used))
            own = float(cover.percentage[peril]) if math.isnan(limit.percentage) else float(limit.percentage)
            insured += own * (sums["covered"] - before["covered"])
            shares.append((own, before["covered"] > 0.0))
        sums["percentage"] = shares[-1][0] if shares else float(cover.percentage[peril])
        if any(later and own != shares[i][0] for i, (own, later) in enumerate(shares[1:])):
            sums["percentage"] = insured / sums["covered"]
        if cover.country_pool >= 0:
            most = room_left(float(cover.country_maximum), self.used[cover.country_pool])
            if sums["total"] > most:
                sums["covers"] = {e: part * (most / sums["total"]) for e, part in sums["covers"].items()}
            for name in ("full", "total", "covered"):
                sums[name] = min(sums[name], most)
        unpaid, unpaid_then = self.still_unpaid(entries, loss_day, debts_on, payment_day)
        sums["market"] *= unpaid_then
        for name in ("debt", "vat", "disputed", "eligible", "full", "total", "covered", "sound"):
            sums[name] *= unpaid
        for name in ("debts", "covers"):
            sums[name] = {e: part * unpaid for e, part in sums[name].items()}
        if cover.country_pool >= 0:
            self.used[cover.country_pool] += sums["total"]
        if cover.group_pool >= 0:
            self.used[cover.group_pool] += sums["covered"]
        sums["upheld"] = sums["total"] - min(sums["sound"], sums["total"])
        return sums

    def still_unpaid(self, entries, loss_day, debts_on, payment_day):
        """Part of a claim's debt not paid before the indemnity is: as the policy values it, and at the date of loss."""
        owed, left = [0.0, 0.0], [0.0, 0.0]
        for e in entries:
            if not self.owes(e, debts_on):
                continue
            currency, open_part = self.of("currency", e), 1.0
            if self.of("paid_day", e) <= payment_day:
                open_part = 0.0
            elif self.of("paid_day", e) == NEVER and self.of("receipt_day", e) <= payment_day:
                open_part -= self.of("recovery", e)
            units = (
                self.policy_unit(currency, self.day_of_rate(e, loss_day, payment_day)),
                self.rate(currency, loss_day),
            )
            for k, unit in enumerate(units):
                owed[k] += self.of("amount", e) * unit
                left[k] += self.of("amount", e) * unit * open_part
        return still_owed(owed[0], left[0]), still_owed(owed[1], left[1])
