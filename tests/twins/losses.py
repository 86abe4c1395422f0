"""Plain-Python twins of the losses room, told invoice by invoice from the rules in docs/MODEL.md."""

import math
from typing import NamedTuple

from tests.twins.defaults import default_day
from tests.twins.delays import (
    SINGLE,
    delay_at,
    delay_score,
    invoice_score,
    near_place,
    next_run,
    payment_day,
    unpaid_score,
)
from tests.twins.factors import common_part, latent, normal_cdf
from tests.twins.fx import rate_on, transfer_release
from tests.twins.streams import inverse_normal, normal, normal_tail, tabulated, uniform, words

NEVER = 2147483647


def protracted_day(due_day, after):
    return max(1, due_day + after)


def is_protracted(paid_day, due_day, after, default_day, horizon):
    counts_from = max(1, due_day + after)
    return bool(paid_day > due_day + after and counts_from <= horizon and counts_from < default_day)


def standard_state(common, systematic_share):
    if systematic_share > 0:
        return common / math.sqrt(systematic_share)
    return 0.0


def recovery_rate(table, row, state, noise, systematic):
    return tabulated(table, row, systematic * state + math.sqrt(1.0 - systematic * systematic) * noise)


def cost_of_lateness(book_value, due_day, end_day, annual_rate):
    late = end_day - max(due_day, 0)
    return book_value * annual_rate / 365.0 * late if late > 0 else 0.0


def within(day, horizon):
    return day != NEVER and day <= horizon


def limit_score(standard_state, residual, own_noise, systemic, credit, own):
    return systemic * standard_state + credit * residual + own * own_noise


def limit_change_day(score, intensity, horizon):
    """The first whole day by which an exponential time, told by its survival probability, is over."""
    if intensity <= 0 or score >= 9.0:
        return NEVER
    survival = normal_cdf(-score)
    days = -365.0 * math.log(survival) / intensity
    return NEVER if days > horizon else max(1, math.ceil(days))


def payer_rank(score, systemic, credit, buyer):
    shared = math.sqrt(systemic * systemic + credit * credit + buyer * buyer)
    return normal_cdf(score / shared) if shared > 0 else -1.0


def chased_day(day, due_day, first_day, row, stage_after, stage_factor):
    """Lateness told as a walk: so many drawn days are left, and each stage reached makes the next ones shorter."""
    start = max(due_day, 0)
    if day == NEVER or day <= start:
        return day
    stages = [(float(a), float(f)) for a, f in zip(stage_after[row], stage_factor[row], strict=True)]
    at, left, pace = float(start - due_day), float(day - start), 1.0
    while stages:
        border, next_pace = stages.pop(0)
        if border > at:
            if left * pace <= border - at:
                break
            left -= (border - at) / pace
            at = border
        pace = next_pace
    return max(first_day, due_day + math.floor(at + left * pace + 0.5))


def advance_interest(advance, days, annual_rate):
    return advance * annual_rate * days / 365.0


def buyer_luck(quad, lane, s, b, keys, drivers, mixing, factor, default, rules, book):
    """What a buyer draws in a scenario: its state, insolvency day, recovery and cure."""
    common = common_part(factor.loading_start, factor.loading_driver, factor.loading, drivers, s, b)
    share = float(factor.systematic_share[b])
    epsilon = normal(words(keys.default, quad, int(factor.residual_entity[b]), 0)[lane])
    day = default_day(default.threshold, int(default.curve[b]), latent(common, share, epsilon) * float(mixing[s]))
    state = standard_state(common, share)
    noise = normal(words(keys.recovery, quad, int(book.buyer_entity[b]), 0)[lane])
    recovery = recovery_rate(
        rules.recovery, int(rules.recovery_class[b]), state, noise, float(rules.recovery_systematic)
    )
    cured = uniform(words(keys.cure, quad, int(book.buyer_entity[b]), 0)[lane]) < rules.cure_probability
    return state, epsilon, day, recovery, cured


def payment_days(quad, lane, s, b, keys, state, epsilon, blocked_from, delay, transfer, book):
    """(drawn day, day after transfer blocks) of each invoice of a buyer."""
    effect = normal(words(keys.buyer_delay, quad, int(book.buyer_entity[b]), 0)[lane])
    common_score = SINGLE(shared_score(state, epsilon, effect, b, delay))
    own, location, scale = SINGLE(delay.own[b]), SINGLE(delay.location[b]), SINGLE(delay.scale[b])
    table = [SINGLE(min(max(x, -1e30), 1e30)) for x in delay.quantile[0].tolist()]
    days = []
    for i in range(book.start[b], book.start[b + 1]):
        word = words(keys.invoice_delay, quad, int(delay.draw_entity[i]), int(delay.draw_index[i]))[lane]
        score = invoice_score(word, common_score, own)
        if delay.lower_score[i] > -math.inf:
            lower = float(delay.lower_score[i])
            score = unpaid_score(score, SINGLE(normal_tail(lower)), SINGLE(normal_tail(-lower)))
        place = near_place(score)
        knot = math.floor(place)
        low, high = table[knot + 1664], table[knot + 1665]
        late = delay_at(low, SINGLE(float(high) - float(low)), place - SINGLE(knot), location, scale)
        first = 1 if book.open_item[i] else int(book.issue_day[i])
        day = payment_day(int(book.due_day[i]), int(book.issue_day[i]), late, first)
        day = next_run(delay.run_day, int(delay.run_rule[b]), int(delay.run_offset), day)
        country = int(transfer.buyer_country[b])
        free = day if country < 0 else transfer_release(day, int(blocked_from[s, country]), int(transfer.duration))
        days.append((day, free))
    return days


def shared_score(state, epsilon, effect, b, delay):
    """What all invoices of a buyer share of their scores."""
    weights = float(delay.systemic[b]), float(delay.credit), float(delay.buyer), float(delay.own[b])
    return delay_score(state, epsilon, effect, 0.0, *weights)


def in_trouble(b, insolvent_on, days, rules, book):
    """Whether a buyer fails, or is ever later than a protracted default or the stop-shipment rule allows."""
    late = max((free - int(book.due_day[book.start[b] + k]) for k, (_, free) in enumerate(days)), default=-NEVER)
    return insolvent_on != NEVER or late > rules.protracted_after or late > rules.stop_shipment_after


#: What "on open account" means, in the words of deal_with.
OPEN = {"form": "open", "discount": 0.0, "stops_on": NEVER}


def rank_of_payer(quad, lane, b, state, epsilon, keys, delay, book):
    """Where a buyer stands among payers, by the part of its delay score that all its invoices share."""
    effect = normal(words(keys.buyer_delay, quad, int(book.buyer_entity[b]), 0)[lane])
    shared = float(SINGLE(shared_score(state, epsilon, effect, b, delay)))
    return payer_rank(shared, float(delay.systemic[b]), float(delay.credit), float(delay.buyer))


def deal_with(g, quad, lane, b, score, rank, keys, horizon, book, regimes):
    """How the seller trades with a buyer under a regime."""
    entity = int(book.buyer_entity[b])
    form = ["open", "factored", "letter", "prepaid"][regimes.form[g, b]]
    agrees = uniform(words(keys.acceptance, quad, entity, 0)[lane]) < regimes.accepted[g, b]
    luck = uniform(words(keys.discount, quad, entity, 0)[lane]) if rank < 0 else rank
    takes = luck < regimes.take_up[g]
    changed = limit_change_day(score, float(regimes.stop_intensity[g]), horizon)
    watches = regimes.allowed[g, b] < math.inf and changed != NEVER
    told = list(zip(regimes.told_day[g, b].tolist(), regimes.told_allowed[g, b].tolist(), strict=True))
    return {
        "form": form if agrees or form not in ("letter", "prepaid") else "refused",
        "fee": float(regimes.fee[g, b]),
        "advance": float(regimes.advance_rate[g]),
        "interest": float(regimes.interest[g]),
        "protection": float(regimes.protection[g]),
        "guarantee": int(regimes.guarantee[g]),
        "sells_open": bool(regimes.sells_open[g]),
        "discount": float(regimes.discount[g, b]) if takes else 0.0,
        "within": int(regimes.within[g]),
        "stops_on": min([changed + int(regimes.stop_notice[g]) if watches else NEVER, *(day for day, _ in told)]),
        "allowed": float(regimes.allowed[g, b]),
        "told": told,
    }


def days_under(g, b, days, blocked_on, deal, delay, transfer, book, regimes):
    """Payment days under a regime: chased, or early for a discount, then as a transfer block lets them through."""
    found = []
    for i, (day, _) in zip(range(book.start[b], book.start[b + 1]), days, strict=True):
        planned, issue, due = not book.open_item[i], int(book.issue_day[i]), int(book.due_day[i])
        if regimes.chased[g, b] and day != NEVER:
            if planned:
                day = max(issue, day - int(regimes.earlier[g]))
            day = chased_day(day, due, issue if planned else 1, g, regimes.stage_after, regimes.stage_factor)
            day = next_run(delay.run_day, int(delay.run_rule[b]), int(delay.run_offset), day)
        if planned and deal["discount"] > 0:
            day = min(day, issue + deal["within"])
        found.append((day, transfer_release(day, blocked_on, int(transfer.duration))))
    return found


def seller_bears(deal, i, book):
    """Whether an invoice is sold, and the part of it that is the seller's risk."""
    planned = not book.open_item[i]
    if deal["form"] == "factored" and (planned or (deal["sells_open"] and book.due_day[i] > 0)):
        return True, 1.0 - deal["protection"]
    if deal["form"] in ("letter", "prepaid") and planned:
        return False, 0.0
    return False, 1.0


def story_of_buyer(b, insolvent_on, cured, days, deal, rules, clock, book):
    """Fate of each invoice of a buyer, in issue order: dicts with shipped, paid, lost_on, protracted."""
    begin = int(book.start[b])
    after, stop = rules.protracted_after, rules.stop_shipment_after
    quiet = not in_trouble(b, insolvent_on, days, rules, book) and all(deal[k] == v for k, v in OPEN.items())
    fates = []
    for k, (drawn, free) in enumerate(days):
        i = begin + k
        issue, due = int(book.issue_day[i]), int(book.due_day[i])
        sold, risk = seller_bears(deal, i, book)
        fate = {"i": i, "shipped": True, "paid": free, "drawn": drawn, "lost_on": NEVER, "protracted": False,
                "sold": sold, "risk": risk, "discount": 0.0 if book.open_item[i] else deal["discount"]}  # fmt: skip
        fates.append(fate)
        if quiet:
            continue
        if not book.open_item[i]:
            held_up = stop != NEVER and any(
                f["shipped"] and int(book.due_day[f["i"]]) + stop < issue and f["paid"] > issue for f in fates[:-1]
            )
            over = False
            if risk > 0 and issue >= deal["stops_on"]:
                owed = sum(
                    f["risk"] * float(book.book_value[f["i"]]) for f in fates[:-1] if f["shipped"] and f["paid"] > issue
                )
                limit = [deal["allowed"], *(allowed for day, allowed in deal["told"] if day <= issue)][-1]
                over = owed + risk * float(book.book_value[i]) > limit
            if issue >= insolvent_on or held_up or over or deal["form"] == "refused":
                fate["shipped"] = False
                continue
            if risk == 0 and not sold:
                fate["paid"] = issue if deal["form"] == "prepaid" else due
                continue
        late = is_protracted(free, due, after, insolvent_on, clock.horizon)
        if late and not (cured and free != NEVER) and drawn > due + after:
            fate["lost_on"] = protracted_day(due, after)
        elif free > insolvent_on:
            fate["lost_on"] = insolvent_on
        if fate["lost_on"] != NEVER:
            fate["paid"] = NEVER
        fate["protracted"] = late and risk > 0
    return fates


def comes_back(fate, recovery, rules):
    """Recovery rate of a lost debt and the day it arrives."""
    if len(rules.scripted_receipt):
        return float(rules.scripted_recovery[fate["i"]]), int(rules.scripted_receipt[fate["i"]])
    return recovery, fate["lost_on"] + rules.recovery_lag


def leave(moved, r, i, share, day, clock, book, rows):
    """A share of an invoice goes from the receivables, and from those that premiums are charged on."""
    moved[r, clock.period_of_day[day]] += share * float(book.book_value[i])
    for k, value in enumerate(book.insurable_value[:, i]):
        rows.insurable_gone[r, k, clock.month_of_day[day]] += share * float(value)


def enter_payment(r, s, b, i, day, share, discount, rates, rules, clock, book, rows):
    """Enter a share of an invoice that is paid on a day, or still outstanding at the end."""
    horizon, currency = clock.horizon, int(book.currency[i])
    value, amount = share * float(book.book_value[i]), share * float(book.amount[i])
    rate = rate_on(rates, s, currency, min(day, horizon))
    worth = amount * rate
    if day <= horizon:
        given = discount * float(book.amount[i]) * rate
        period = clock.period_of_day[day]
        rows.collections[r, period] += worth - given
        leave(rows.settled, r, i, share, day, clock, book, rows)
        rows.collected[r] += worth - given
        rows.conceded[r] += given
    else:
        rows.outstanding[r] += worth
    rows.delay_cost[r] += cost_of_lateness(value, int(book.due_day[i]), min(day, horizon), rules.cost_of_delay)
    rows.fx_result[r] += worth - value
    rows.billed[r] += value


def enter_loss(r, s, b, fate, share, recovery, rates, rules, clock, book, rows):
    """Enter a share of an invoice that is lost; returns the loss."""
    i, lost_on, horizon = fate["i"], fate["lost_on"], clock.horizon
    value, amount, currency = share * float(book.book_value[i]), share * float(book.amount[i]), int(book.currency[i])
    rate, back_on = comes_back(fate, recovery, rules)
    debt = amount * rate_on(rates, s, currency, lost_on)
    back = rate * amount * rate_on(rates, s, currency, min(back_on, horizon))
    if back_on <= horizon:
        rows.recoveries[r, clock.period_of_day[back_on]] += back
    leave(rows.settled, r, i, share, lost_on, clock, book, rows)
    rows.losses[r, clock.period_of_day[lost_on]] += debt - back
    rows.delay_cost[r] += cost_of_lateness(value, int(book.due_day[i]), lost_on, rules.cost_of_delay)
    rows.fx_result[r] += debt - value
    rows.billed[r] += value
    rows.recovered[r] += back
    rows.gross_loss[r] += debt - back
    return debt - back


def book_invoice(r, s, b, fate, recovery, deal, rates, rules, clock, book, rows):
    """Enter one shipped invoice into the rows; returns its loss."""
    i = fate["i"]
    amount, currency = float(book.amount[i]), int(book.currency[i])
    paid, lost = fate["paid"], fate["lost_on"] != NEVER
    plan = (rates, rules, clock, book, rows)
    if fate["sold"]:
        sale = 1 if book.open_item[i] else int(book.issue_day[i])
        enter_payment(r, s, b, i, sale, deal["advance"], 0.0, *plan)
        rows.trade_cost[r, clock.period_of_day[sale]] += deal["fee"] * amount * rate_on(rates, s, currency, sale)
        guarantee = int(book.due_day[i]) + deal["guarantee"]
        end = min(paid, guarantee, clock.horizon)
        lent = advance_interest(
            deal["advance"] * amount * rate_on(rates, s, currency, sale), end - sale, deal["interest"]
        )
        rows.trade_cost[r, clock.period_of_day[end]] += lent
        if paid <= guarantee:
            enter_payment(r, s, b, i, paid, 1.0 - deal["advance"], fate["discount"], *plan)
            return 0.0
        enter_payment(r, s, b, i, guarantee, deal["protection"] - deal["advance"], 0.0, *plan)
        if lost:
            return enter_loss(r, s, b, fate, fate["risk"], recovery, *plan)
        enter_payment(r, s, b, i, paid, fate["risk"], 0.0, *plan)
        return 0.0
    if lost:
        return enter_loss(r, s, b, fate, 1.0, recovery, *plan)
    if fate["risk"] == 0:
        issue = int(book.issue_day[i])
        cost = deal["fee"] * amount * rate_on(rates, s, currency, issue)
        rows.trade_cost[r, clock.period_of_day[issue]] += cost
    enter_payment(r, s, b, i, paid, 1.0, 0.0 if fate["risk"] == 0 else fate["discount"], *plan)
    return 0.0


def collect_all(r, s, b, fates, rates, rules, clock, book, rows):
    """Enter the invoices of a buyer without trouble: its subtotals are added to the scenario's at the end."""
    names = ("collected", "outstanding", "fx_result", "delay_cost", "billed")
    before = {name: getattr(rows, name)[r] for name in names}
    for name in names:
        getattr(rows, name)[r] = 0.0
    for fate in fates:
        enter_payment(r, s, b, fate["i"], fate["paid"], 1.0, 0.0, rates, rules, clock, book, rows)
    for name in names:
        getattr(rows, name)[r] = before[name] + getattr(rows, name)[r]


def overdue_when_shipped(fate, fates, book):
    """Days the most overdue of the debts then unpaid was past due when an invoice was shipped."""
    day = int(book.issue_day[fate["i"]])
    unpaid = [f for f in fates if f["shipped"] and int(book.issue_day[f["i"]]) < day and f["paid"] > day]
    return max((day - int(book.due_day[f["i"]]) for f in unpaid), default=-NEVER)


def list_claims(r, s, b, luck, recovery, fates, rates, rules, clock, book, events):
    """Add a buyer's debts to the event lists; ``luck``: (failure, whether a frustration, limit score)."""
    insolvent_on, frustrated, score = luck
    total, planned_on = 0.0, []
    for f in fates:
        if not f["shipped"] or (not book.open_item[f["i"]] and f["risk"] < 1):
            total += (1.0 - f["risk"] * f["shipped"]) * float(book.book_value[f["i"]])
            planned_on.append(int(book.issue_day[f["i"]]))
    if total > 0:
        j = int(events.stopped_count[r])
        if j < events.stopped_buyer.shape[1]:
            events.stopped_buyer[r, j], events.stopped_value[r, j] = b, total
            events.stopped_from[r, j], events.stopped_until[r, j] = min(planned_on), max(planned_on)
        events.stopped_count[r] += 1
    starts = [protracted_day(int(book.due_day[f["i"]]), rules.protracted_after) for f in fates if f["protracted"]]
    trigger = min([insolvent_on, *starts])
    if trigger == NEVER:
        return
    bounded = starts and not rules.lists_newer
    last = min(max(starts) + rules.waiting_span, insolvent_on) if bounded else insolvent_on
    ours = [f for f in fates if f["shipped"] and f["risk"] != 0]
    unpaid = [int(book.due_day[f["i"]]) for f in ours if f["paid"] > trigger]
    for f in ours:
        i = f["i"]
        too_late = book.issue_day[i] > last and f["lost_on"] == NEVER
        newer = rules.lists_newer and unpaid and book.due_day[i] >= min(unpaid)
        if (f["paid"] <= trigger and not newer) or too_late:
            continue
        j = int(events.n_events[r])
        events.n_events[r] += 1
        if j >= events.buyer.shape[1]:
            continue
        lost = f["lost_on"] != NEVER
        events.buyer[r, j], events.invoice[r, j], events.default_day[r, j] = b, i, insolvent_on
        events.paid_day[r, j], events.loss_day[r, j] = f["paid"], f["lost_on"]
        events.protracted[r, j] = f["protracted"]
        events.drawn_day[r, j] = NEVER if lost and f["drawn"] > f["lost_on"] else f["drawn"]
        rate, back_on = comes_back(f, recovery, rules) if lost else (0.0, NEVER)
        events.receipt_day[r, j] = back_on
        events.overdue_at_issue[r, j] = overdue_when_shipped(f, fates, book)
        events.limit_score[r, j], events.frustrated[r, j], events.share[r, j] = score, frustrated, f["risk"]
        events.recovery[r, j] = rate
        events.loss[r, j] = 0.0
        if lost:
            currency = int(book.currency[i])
            until = min(back_on, clock.horizon)
            now, then = rate_on(rates, s, currency, f["lost_on"]), rate_on(rates, s, currency, until)
            events.loss[r, j] = f["risk"] * float(book.amount[i]) * (now - rate * then)


def remember_largest(r, b, loss, book, rows, scratch):
    group = int(book.group[b])
    if group >= 0:
        scratch.group_loss[r, group] += loss
        loss = scratch.group_loss[r, group]
    rows.largest_loss[r] = max(rows.largest_loss[r], loss)


class Calm(NamedTuple):
    """What buyers pay without trouble: rows for what is entered at once, and sums by scenario, cell and currency."""

    rows: object
    paid: dict


def pay_calmly(r, s, b, fates, rules, clock, book, calm):
    """Enter the invoices of a buyer without trouble; their worth is found in the end."""
    late, beyond = 0.0, (clock.horizon + 1, clock.horizon)
    for fate in fates:
        i, day = fate["i"], fate["paid"]
        until = min(day, clock.horizon)
        value = float(book.book_value[i])
        late += cost_of_lateness(value, int(book.due_day[i]), until, rules.cost_of_delay)
        week = (day + 6) // 7
        cell = (clock.period_of_day[day], week) if day <= clock.horizon else beyond
        key = (s, *cell, int(book.currency[i]))
        calm.paid[key] = calm.paid.get(key, 0.0) + float(book.amount[i])
        for k, insurable in enumerate(book.insurable_value[:, i]):
            calm.rows.insurable_gone[r, k, clock.month_of_day[min(day, clock.horizon + 1)]] += float(insurable)
    calm.rows.delay_cost[r] += late


def enter_calm(r, s, paid, rates, clock, rows):
    """The worth of what was paid in each span of days, over the currencies, and its book value."""
    for period, week in sorted({key[1:3] for key in paid if key[0] == s}):
        worth, value = 0.0, 0.0
        for c in range(rates.shape[1]):
            amount = paid.get((s, period, week, c), 0.0)
            worth += amount * rate_on(rates, s, c, min(7 * week, clock.horizon))
            value += amount * float(rates[s, c, 0])
        rows.billed[r] += value
        rows.fx_result[r] += worth - value
        if period > clock.horizon:
            rows.outstanding[r] += worth
        else:
            rows.collected[r] += worth
            rows.collections[r, period] += worth
            rows.settled[r, period] += value


def simulate_ledger(
    first_quad, keys, drivers, mixing, rates, blocked_from,
    factor, default, delay, transfer, rules, clock, book, limits, regimes, rows, events, scratch, tiles,
    counting, balances,
):  # fmt: skip
    n, count = len(rates), 1 if regimes is None else regimes.count
    # what buyers pay that are never in trouble is added up apart: by currency, over days in one period with one rate
    calm = Calm(rows._replace(insurable_gone=0.0 * rows.insurable_gone), {})
    for s in range(n):
        quad, lane = first_quad + s // 4, s % 4
        for b in range(len(book.group)):
            state, epsilon, insolvent_on, recovery, cured = buyer_luck(
                quad, lane, s, b, keys, drivers, mixing, factor, default, rules, book
            )
            entity, country = int(book.buyer_entity[b]), int(transfer.buyer_country[b])
            for g in range(count):
                rows.n_defaults[g * n + s] += insolvent_on != NEVER
            blocked_on = NEVER if country < 0 else int(blocked_from[s, country])
            frustrated = uniform(words(keys.frustration, quad, entity, 0)[lane]) < rules.frustration
            frustrated = bool(frustrated and blocked_on < insolvent_on)
            score = 9.0
            if limits.threshold > -math.inf:
                zeta = normal(words(keys.limit, quad, entity, 0)[lane])
                score = limit_score(
                    state, epsilon, zeta, float(limits.systemic[b]), limits.credit, float(limits.own[b])
                )  # fmt: skip
            if score <= limits.threshold:
                for r in range(s, n * count, n):
                    j = int(events.weak_count[r])
                    if j < events.weak_buyer.shape[1]:
                        events.weak_buyer[r, j], events.weak_score[r, j] = b, score
                    events.weak_count[r] += 1
            days = payment_days(quad, lane, s, b, keys, state, epsilon, blocked_from, delay, transfer, book)
            luck = (blocked_on if frustrated else insolvent_on, frustrated, score)
            rank = rank_of_payer(quad, lane, b, state, epsilon, keys, delay, book)
            live(
                quad, lane, n, s, b, luck, rank, recovery, cured, days, blocked_on, keys, rates, delay, transfer, rules,
                clock, book, regimes, rows, calm, events, scratch, counting, balances,
            )  # fmt: skip
    common = count * n if count > 1 else 0
    for s in range(n):
        enter_calm(common + s, s, calm.paid, rates, clock, rows)
    rows.insurable_gone[:] += calm.rows.insurable_gone


def live(
    quad, lane, n, s, b, luck, rank, recovery, cured, days, blocked_on, keys, rates, delay, transfer, rules, clock,
    book, regimes, rows, calm, events, scratch, counting, balances,
):  # fmt: skip
    """One buyer under every regime; whom no regime can treat differently is entered once, in the common rows; where
    ``calm`` is None at once, else its payments are kept there."""
    insolvent_on, _, score = luck
    quiet = not in_trouble(b, insolvent_on, days, rules, book)
    count = 1 if regimes is None else regimes.count
    alike = count == 1 or not (
        regimes.affects[:, b].any() or score <= regimes.stop_threshold or (regimes.told_allowed[:, b] < math.inf).any()
    )
    if quiet and alike:
        r = s if count == 1 else count * n + s
        fates = story_of_buyer(b, insolvent_on, cured, days, OPEN, rules, clock, book)
        if calm is None:
            collect_all(r, s, b, fates, rates, rules, clock, book, rows)
        else:
            pay_calmly(r, s, b, fates, rules, clock, book, calm)
        note_fates(s, b, -1, score, fates, counting, clock, book, balances)
        return
    for g in range(count):
        deal, these = OPEN, days
        if count > 1:
            deal = deal_with(g, quad, lane, b, score, rank, keys, clock.horizon, book, regimes)
        if count > 1 and regimes.affects[g, b]:
            these = days_under(g, b, days, blocked_on, deal, delay, transfer, book, regimes)
        fates = story_of_buyer(b, insolvent_on, cured, these, deal, rules, clock, book)
        plain = all(deal[k] == v for k, v in OPEN.items())
        if plain and not in_trouble(b, insolvent_on, these, rules, book):
            collect_all(g * n + s, s, b, fates, rates, rules, clock, book, rows)
        else:
            settle(g * n + s, s, b, luck, recovery, fates, deal, rates, rules, clock, book, rows, events, scratch)
        note_fates(s, b, g, score, fates, counting, clock, book, balances)


def settle(r, s, b, luck, recovery, fates, deal, rates, rules, clock, book, rows, events, scratch):
    """Enter a troubled buyer's invoices, the withheld ones too, and its debts."""
    loss = 0.0
    for fate in fates:
        i = fate["i"]
        if fate["shipped"]:
            rows.n_protracted[r] += fate["protracted"]
            loss += book_invoice(r, s, b, fate, recovery, deal, rates, rules, clock, book, rows)
            continue
        value = float(book.book_value[i])
        leave(rows.stopped, r, i, 1.0, int(book.issue_day[i]), clock, book, rows)
        payable = int(book.issue_day[i]) + rules.supplier_terms_days
        if 1 <= payable <= clock.horizon:
            rows.purchases_saved[r, clock.period_of_day[payable]] += rules.variable_cost_rate * value
    list_claims(r, s, b, luck, recovery, fates, rates, rules, clock, book, events)
    remember_largest(r, b, loss, book, rows, scratch)


def follow_script(
    script, keys, rates, blocked_from, delay, transfer, rules, clock, book, regimes, rows, events, scratch,
    counting, balances,
):  # fmt: skip
    n, count = len(rates), 1 if regimes is None else regimes.count
    for s in range(n):
        for b in range(len(book.group)):
            insolvent_on = int(script.default_day[b])
            for g in range(count):
                rows.n_defaults[g * n + s] += insolvent_on != NEVER
            days = [2 * (int(script.paid_day[i]),) for i in range(book.start[b], book.start[b + 1])]
            live(
                0, 0, n, s, b, (insolvent_on, False, 9.0), 0.0, 0.0, True, days, NEVER, keys, rates, delay, transfer,
                rules, clock, book, regimes, rows, None, events, scratch, counting, balances,
            )  # fmt: skip


def fine_uniform(byte, word):
    return (int(byte) + (int(word) + 0.5) / 2**32) / 256


def scaled(factor, value):
    return int(factor) * int(value) // 65536


def byte_bound(line, most, gain, none, one):
    y = min(max(int(line), 0), int(most)) * int(gain) * 2  # in 2¹⁵
    square = min(y * y // 2**18 + 1, 4095)
    return square * square // 2**16


def lose_exposures(
    first_quad, keys, drivers, mixing, factor, default, rules, sieve, book, rows, events, scratch, failures, bench
):  # fmt: skip
    """Everyone in every scenario; no sieve, so no working rows, and one list of failures."""
    failed = []
    for s in range(len(rows.gross_loss)):
        scenario, lane = 4 * first_quad + s, s % 4
        for b in range(len(book.group)):
            entity, owner = int(factor.residual_entity[b]), int(book.buyer_entity[b])
            sixteen = b"".join(w.to_bytes(4, "little") for w in words(keys.default, scenario // 16, entity, 0))
            epsilon = inverse_normal(
                fine_uniform(sixteen[scenario % 16], words(keys.default, scenario // 4, entity, 1)[lane])
            )
            common = common_part(factor.loading_start, factor.loading_driver, factor.loading, drivers, s, b)
            share = float(factor.systematic_share[b])
            value = latent(common, share, epsilon) * float(mixing[s])
            day = default_day(default.threshold, int(default.curve[b]), value)
            if day == NEVER:
                continue
            noise = normal(words(keys.recovery, scenario // 4, owner, 0)[lane])
            recovery = recovery_rate(
                rules.recovery, int(rules.recovery_class[b]), standard_state(common, share), noise,
                float(rules.recovery_systematic),
            )  # fmt: skip
            exposure = float(book.amount[b])
            loss = exposure * (1.0 - recovery)
            rows.n_defaults[s] += 1
            rows.gross_loss[s] += loss
            rows.recovered[s] += exposure * recovery
            remember_largest(s, b, loss, book, rows, scratch)
            failed.append((s, b, loss))
            if events is None:
                continue
            j = int(events.n_events[s])
            events.n_events[s] += 1
            if j < events.buyer.shape[1]:
                events.buyer[s, j], events.invoice[s, j], events.default_day[s, j] = b, b, day
                events.paid_day[s, j], events.loss_day[s, j], events.protracted[s, j] = NEVER, day, False
                events.recovery[s, j], events.loss[s, j] = recovery, loss
                events.drawn_day[s, j], events.receipt_day[s, j] = NEVER, day + rules.recovery_lag
                events.overdue_at_issue[s, j], events.limit_score[s, j] = -NEVER, 9.0
                events.frustrated[s, j], events.share[s, j] = False, 1.0
    failures.listed[0] = len(failed)
    for k, entry in enumerate(failed):
        failures.scenario[0, k], failures.buyer[0, k], failures.loss[0, k] = entry


def limit_on(limit, change_to, change_day, day):
    if day >= change_day:
        return 0.0 if change_to == 0 else change_to * limit
    return limit


def covered_more(value, covered, limit):
    return max(0.0, min(value, limit - covered))


def is_cross_aged(aged, debt, share):
    return aged > 0 and aged >= share * debt


def within_liability(counted, weight, left):
    return counted if weight * counted <= left else math.floor(1024 * (left / weight)) / 1024


def not_covered(owed, counted):
    return max(owed - counted, 0.0)


def balances_of_buyer(v, b, score, fates, taken, plan, clock, book):
    """What counts of one buyer in a view at each period end, invoice by invoice on that very day; and what would count
    if it were not insured. ``taken`` tells what others have taken of its group's limit on that day."""
    ends = [day for day in range(1, clock.horizon + 1)
            if day == clock.horizon or clock.period_of_day[day + 1] != clock.period_of_day[day]]  # fmt: skip
    change = limit_change_day(score, float(plan.intensity[v]), clock.horizon)
    if change != NEVER:
        change += int(plan.notice[v])

    def limit_of(day):
        known = [k for k in range(plan.segments[v, b], plan.segments[v, b + 1]) if plan.from_day[k] <= day]
        if not known:
            return 0.0
        k = known[-1]
        return limit_on(float(plan.limit[k]), float(plan.change_to[v]), change if plan.changes[k] else NEVER, day)

    balances, bare = [], []
    for t, end in enumerate(ends):
        owed = [f for f in fates if f["shipped"] and book.issue_day[f["i"]] <= end < min(f["paid"], f["lost_on"])]
        aged = [f for f in owed if end - book.due_day[f["i"]] > plan.maximum_overdue]
        if plan.ages_across and is_cross_aged(
            sum(float(plan.debt[f["i"]]) for f in aged),
            sum(float(plan.debt[f["i"]]) for f in owed),
            plan.cross_ageing,
        ):
            balances.append(0.0)
            bare.append(0.0)
            continue
        total, plain = 0.0, 0.0
        for fate in owed:
            i = fate["i"]
            value = float(plan.value[v, i])
            if end - book.due_day[i] > plan.maximum_overdue:
                continue
            plain += float(plan.uninsured_value[v, i])
            if plan.insured[v, b]:
                value = covered_more(value, taken(t) + total, limit_of(int(book.issue_day[i])))
            total += value
        if plan.insured[v, b] and not plan.run_off:
            total = min(total, max(0.0, limit_of(end) - taken(t)))
        balances.append(total)
        bare.append(plain)
    return balances, bare


def note_fates(s, b, regime, score, fates, plan, clock, book, rows):
    """Add a buyer to every view of a regime (-1: of all)."""
    for v in range(0 if plan is None else len(plan.regime)):
        if not plan.counts[v, b] or regime not in (-1, plan.regime[v]):
            continue
        group, country = plan.group_pool[v, b], plan.country_pool[v, b]
        taken = rows.used[s, v, group].tolist().__getitem__ if group >= 0 else lambda t: 0.0
        counting, bare = balances_of_buyer(v, b, score, fates, taken, plan, clock, book)
        for t, balance in enumerate(counting):
            if plan.insured[v, b]:
                weight, used = float(plan.weight[v, b]), rows.used[s, v, :, t]
                if country >= 0:
                    balance = min(balance, max(0.0, plan.country_maximum[v, b] - used[country]))
                if math.isfinite(plan.liability[v]):
                    balance = within_liability(balance, weight, max(0.0, plan.liability[v] - used[0]))
                    used[0] += weight * balance
                for pool in (group, country):
                    if pool >= 0:
                        used[pool] += balance
                rows.insured[s, v, t] += weight * balance
                if not plan.rest[v, b]:
                    continue
                balance = not_covered(bare[t], weight * balance)
            rows.uninsured[s, v, t] += balance
            keep = rows.largest.shape[3]
            rows.largest[s, v, t] = sorted([*rows.largest[s, v, t].tolist(), balance], reverse=True)[:keep]
