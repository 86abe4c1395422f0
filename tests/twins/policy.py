"""Plain-Python twins of simulator.policy, written from the wordings: lists, dicts and sorting by (date of loss, rank).

``terms`` is a record of a policy's terms, ``cover`` one of a buyer's cover, ``segment`` one of a limit.
"""

import math

from tests.twins.factors import normal_cdf
from tests.twins.fx import rate_on
from tests.twins.losses import limit_change_day
from tests.twins.streams import normal, uniform, words

NEVER = 2147483647
UNDISPUTED, UPHELD, EXCLUDED = range(3)
INSOLVENCY, PROTRACTED, TRANSFER, FRUSTRATION = range(4)
STEPS = ("non_qualifying", "percentage", "each_and_every", "minimum_retention", "first_loss")


# --- when ---


def event_loss_day(default_day, waiting_days):
    return NEVER if int(default_day) == NEVER else int(default_day) + int(waiting_days)


def protracted_loss_day(due_day, waiting_days, settlement_days, paid_day):
    expiry = int(due_day) + int(waiting_days)
    if int(paid_day) <= expiry + int(settlement_days):
        return NEVER
    return expiry


def held_up_loss_day(due_day, waiting_days, settlement_days, drawn_day, paid_day):
    expiry = int(due_day) + int(waiting_days)
    deposited, arrived = int(drawn_day) <= expiry, int(paid_day) <= expiry + int(settlement_days)
    return expiry if deposited and not arrived else NEVER


def date_of_loss(insolvency_day, protracted_day):
    return min(int(insolvency_day), int(protracted_day))


def is_claimed(issue_day, due_day, paid_day, loss_day, grace_days):
    if not int(issue_day) <= int(loss_day) < int(paid_day):
        return False
    return int(due_day) <= int(loss_day) or int(paid_day) == NEVER or int(paid_day) - int(due_day) > int(grace_days)


def still_owed(owed, left):
    return min(left, owed) / owed if owed > 0 else 1.0


def is_lost_unclaimed(issue_day, lost_on, loss_day):
    return int(lost_on) < NEVER and not int(issue_day) <= int(loss_day) < NEVER


def falls_in_period(loss_day, first_day, last_day, losses_occurring):
    if losses_occurring:
        return int(first_day) <= int(loss_day) <= int(last_day)
    return int(loss_day) >= int(first_day)


def claim_key(loss_day, buyer_rank):
    return int(loss_day) * 2**32 + int(buyer_rank)


def left_of_debt(amount, newer, outstanding):
    return max(0.0, min(amount, outstanding - newer))


# --- how much ---


def policy_rate(rates, scenario, currency, day):
    return 1.0 if currency < 0 else float(rate_on(rates, scenario, currency, day))


def conversion_day(rule, issue_day, month_end, due_day, loss_day, payment_day):
    days = {0: loss_day, 1: issue_day, 2: month_end, 3: due_day, 4: payment_day, 5: loss_day}
    return int(days[int(rule)])


def dispute_state(in_ledger, disputed_score, upheld_score, probability, upheld, suspended):
    if in_ledger or disputed_score < probability:
        return UPHELD if (suspended and upheld_score < upheld) else EXCLUDED
    return UNDISPUTED


def limit_after_change(limit, issue_day, effective_day, remains):
    if int(issue_day) >= int(effective_day):
        return 0.0 if remains == 0.0 else limit * remains
    return limit


def converted_limit(limit, rate_of_day_0, rate):
    return rate / rate_of_day_0 * limit


def additional_limit(limit, multiple, maximum):
    return min(limit * multiple, maximum) if limit > 0 and multiple > 0 else 0.0


def covered_debt(covered, debt, credit_limit):
    return min(covered + debt, max(credit_limit, covered))


def room_left(most, used):
    return max(0.0, most - used)


def happens(word, probability):
    return uniform(word) < probability


# --- terms ---


def qualifies(covered, non_qualifying_loss, equality_fails):
    return not (covered <= non_qualifying_loss if equality_fails else covered < non_qualifying_loss)


def after_percentage(loss, insured_percentage):
    return insured_percentage * loss


def after_deductible(loss, deductible):
    return max(loss - deductible, 0.0)


def after_minimum_retention(loss, minimum_retention, borne):
    return max(0.0, loss - max(0.0, minimum_retention - borne))


def absorbed_by_first_loss(loss, remaining):
    return min(loss, remaining)


def erosion_of_first_loss(absorbed, covered, qualifying, ground_up, remaining):
    if ground_up:
        return min(covered, remaining) if qualifying else min(0.0, remaining)
    return absorbed


def capped_by_maximum_liability(loss, remaining):
    return min(loss, remaining)


def apply_terms(terms, covered, insured_percentage, first_loss_left, liability_left):
    order = [STEPS[code] for code in terms.steps if code >= 0]
    franchise = "non_qualifying" in order and not terms.non_qualifying_deducted
    if franchise and not qualifies(covered, terms.non_qualifying_loss, terms.equality_fails):
        return covered, 0.0, 0.0, 0.0, 0.0, 0.0, 0.0, 0.0
    left, taken = covered, dict.fromkeys(STEPS, 0.0)
    for step in order:
        after = {
            "non_qualifying": left if franchise else max(left - float(terms.non_qualifying_loss), 0.0),
            "percentage": left * insured_percentage,
            "each_and_every": max(left - float(terms.each_and_every_first_loss), 0.0),
            "minimum_retention": after_minimum_retention(left, float(terms.minimum_retention), covered - left),
            "first_loss": left - min(left, first_loss_left),
        }[step]
        taken[step] = min(left, first_loss_left) if step == "first_loss" else left - after
        left = after
    payable = min(left, liability_left)
    eroded = min(covered, first_loss_left) if terms.eroded_ground_up else taken["first_loss"]
    return (
        taken["non_qualifying"],
        taken["percentage"],
        taken["each_and_every"],
        taken["minimum_retention"],
        taken["first_loss"],
        left - payable,
        payable,
        eroded,
    )


# --- afterwards ---


def lost_by_late_notice(payable, missed, reduction):
    return payable * reduction * bool(missed)


def insurer_score(driver, own, systemic):
    return math.sqrt(systemic) * driver + math.sqrt(1.0 - systemic) * own


def failure_day(score, intensity):
    if intensity <= 0.0:
        return NEVER
    days = -365.0 * math.log(normal_cdf(-score)) / intensity
    return NEVER if days > 36_500 else max(1, math.ceil(days))


def paid_by_insurer(owed, payment_day, failed_on, recovery):
    return owed * recovery if int(payment_day) >= int(failed_on) else owed


def receipt_day(paid_day, recovery_day):
    return int(paid_day) if int(paid_day) < NEVER else int(recovery_day)


def receipt_amount(amount, paid_day, recovery):
    return amount if int(paid_day) < NEVER else amount * recovery


def insurer_share(rule, money, indemnity, covered, debt):
    return {0: money * indemnity / debt, 1: money * covered / debt, 3: money}.get(int(rule), money * indemnity / debt)


def share_of_invoice(before, after, received_before, received, indemnity, covered, covered_of_invoice):
    on_it = min(received_before + received, after) - max(received_before, before)
    if on_it <= 0.0 or covered <= 0.0:
        return 0.0
    return on_it * (indemnity * covered_of_invoice / covered) / (after - before)


def after_costs(share, money, rule, cost_rate):
    if int(rule) == 0 or money <= 0.0 or cost_rate <= 0.0:
        return share
    gross = share / (1.0 - cost_rate)
    costs = money * cost_rate / (1.0 - cost_rate)
    return gross if int(rule) == 1 else max(0.0, gross - costs)


# --- premium ---


def share_of_policy_year(days):
    return min(1.0, int(days) / 364.0)


def premium_on_turnover(turnover, rate, minimum):
    return max(rate * turnover, minimum)


def after_bonus(premium, change):
    return premium * (1.0 + change)


def premium_due(premium, fees, untaxed_fees, tax):
    return (premium + fees) * (1.0 + tax) + untaxed_fees


def premium_adjustment(premium, deposits, tax):
    return (premium - deposits) * (1.0 + tax)


# --- one scenario under one programme ---


def sort_claims(key, place, count):
    order = sorted(range(count), key=lambda i: key[i])
    keys = [key[i] for i in order]
    first = [place[i] for i in order]
    key[:count] = keys
    place[:count] = first


class Scenario:
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
