"""Plain-Python twins of the losses room, told invoice by invoice from the rules in docs/MODEL.md."""

import math

from tests.twins.defaults import default_day
from tests.twins.delays import delay_score, next_run, own_noise, payment_day
from tests.twins.factors import common_part, latent
from tests.twins.fx import rate_on, transfer_release
from tests.twins.streams import normal, tabulated, uniform, words

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
    return book_value * annual_rate * late / 365.0 if late > 0 else 0.0


def within(day, horizon):
    return day != NEVER and day <= horizon


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
    own = float(delay.own[b])
    common_score = delay_score(
        state, epsilon, effect, 0.0, float(delay.systemic[b]), float(delay.credit), float(delay.buyer), own
    )
    days = []
    for i in range(book.start[b], book.start[b + 1]):
        word = words(keys.invoice_delay, quad, int(delay.draw_entity[i]), int(delay.draw_index[i]))[lane]
        score = common_score + own * own_noise(word, float(delay.lower_score[i]), common_score, own)
        late = float(delay.location[b]) + float(delay.scale[b]) * tabulated(delay.quantile, 0, score)
        first = 1 if book.open_item[i] else int(book.issue_day[i])
        day = payment_day(int(book.due_day[i]), int(book.issue_day[i]), late, first)
        day = next_run(delay.run_day, int(delay.run_rule[b]), int(delay.run_offset), day)
        country = int(transfer.buyer_country[b])
        free = day if country < 0 else transfer_release(day, int(blocked_from[s, country]), int(transfer.duration))
        days.append((day, free))
    return days


def in_trouble(b, insolvent_on, days, rules, book):
    """Whether a buyer fails, or is ever later than a protracted default or the stop-shipment rule allows."""
    late = max((free - int(book.due_day[book.start[b] + k]) for k, (_, free) in enumerate(days)), default=-NEVER)
    return insolvent_on != NEVER or late > rules.protracted_after or late > rules.stop_shipment_after


def story_of_buyer(b, insolvent_on, cured, days, rules, clock, book):
    """Fate of each invoice of a buyer, in issue order: dicts with shipped, paid, lost_on, protracted."""
    begin = int(book.start[b])
    after, stop = rules.protracted_after, rules.stop_shipment_after
    trouble = in_trouble(b, insolvent_on, days, rules, book)
    fates = []
    for k, (drawn, free) in enumerate(days):
        i = begin + k
        issue, due = int(book.issue_day[i]), int(book.due_day[i])
        fate = {"i": i, "shipped": True, "paid": free, "drawn": drawn, "lost_on": NEVER, "protracted": False}
        fates.append(fate)
        if not trouble:
            continue
        if not book.open_item[i]:
            held_up = stop != NEVER and any(
                f["shipped"] and int(book.due_day[f["i"]]) + stop < issue and f["paid"] > issue for f in fates[:-1]
            )
            if issue >= insolvent_on or held_up:
                fate["shipped"] = False
                continue
        fate["protracted"] = is_protracted(free, due, after, insolvent_on, clock.horizon)
        if fate["protracted"] and not (cured and free != NEVER) and drawn > due + after:
            fate["lost_on"] = protracted_day(due, after)
        elif free > insolvent_on:
            fate["lost_on"] = insolvent_on
        if fate["lost_on"] != NEVER:
            fate["paid"] = NEVER
    return fates


def comes_back(fate, recovery, rules):
    """Recovery rate of a lost debt and the day it arrives."""
    if len(rules.scripted_receipt):
        return float(rules.scripted_recovery[fate["i"]]), int(rules.scripted_receipt[fate["i"]])
    return recovery, fate["lost_on"] + rules.recovery_lag


def book_invoice(s, b, fate, recovery, rates, rules, clock, book, rows):
    """Enter one shipped invoice into the rows; returns its loss."""
    i, horizon = fate["i"], clock.horizon
    value, amount, currency = float(book.book_value[i]), float(book.amount[i]), int(book.currency[i])
    ledger = int(book.receivable_class[b])
    due = int(book.due_day[i])
    rows.billed[s] += value
    if fate["lost_on"] == NEVER:
        paid = fate["paid"]
        if paid <= horizon:
            worth = amount * rate_on(rates, s, currency, paid)
            period = clock.period_of_day[paid]
            rows.collections[s, period] += worth
            rows.settled[s, ledger, period] += value
            rows.collected[s] += worth
        else:
            worth = amount * rate_on(rates, s, currency, horizon)
            rows.outstanding[s] += worth
        rows.delay_cost[s] += cost_of_lateness(value, due, min(paid, horizon), rules.cost_of_delay)
        rows.fx_result[s] += worth - value
        return 0.0
    lost_on = fate["lost_on"]
    rate, back_on = comes_back(fate, recovery, rules)
    debt = amount * rate_on(rates, s, currency, lost_on)
    back = rate * amount * rate_on(rates, s, currency, min(back_on, horizon))
    if back_on <= horizon:
        rows.recoveries[s, clock.period_of_day[back_on]] += back
    rows.settled[s, ledger, clock.period_of_day[lost_on]] += value
    rows.losses[s, clock.period_of_day[lost_on]] += debt - back
    rows.delay_cost[s] += cost_of_lateness(value, due, lost_on, rules.cost_of_delay)
    rows.fx_result[s] += debt - value
    rows.recovered[s] += back
    rows.gross_loss[s] += debt - back
    return debt - back


def collect_all(s, b, fates, rates, rules, clock, book, rows):
    """Enter the invoices of a buyer without trouble: its subtotals are added to the scenario's at the end."""
    names = ("collected", "outstanding", "fx_result", "delay_cost", "billed")
    before = {name: getattr(rows, name)[s] for name in names}
    for name in names:
        getattr(rows, name)[s] = 0.0
    for fate in fates:
        book_invoice(s, b, fate, 0.0, rates, rules, clock, book, rows)
    for name in names:
        getattr(rows, name)[s] = before[name] + getattr(rows, name)[s]


def overdue_when_shipped(fate, fates, book):
    """Days the most overdue of the debts then unpaid was past due when an invoice was shipped."""
    day = int(book.issue_day[fate["i"]])
    unpaid = [f for f in fates if f["shipped"] and int(book.issue_day[f["i"]]) < day and f["paid"] > day]
    return max((day - int(book.due_day[f["i"]]) for f in unpaid), default=-NEVER)


def list_claims(s, b, insolvent_on, recovery, fates, rates, rules, clock, book, events):
    """Add a buyer's debts to the event lists."""
    withheld = [f for f in fates if not f["shipped"]]
    if withheld:
        j = int(events.stopped_count[s])
        if j < events.stopped_buyer.shape[1]:
            events.stopped_buyer[s, j] = b
            total = 0.0
            for f in withheld:
                total += float(book.book_value[f["i"]])
            events.stopped_value[s, j] = total
        events.stopped_count[s] += 1
    starts = [protracted_day(int(book.due_day[f["i"]]), rules.protracted_after) for f in fates if f["protracted"]]
    trigger = min([insolvent_on, *starts])
    if trigger == NEVER:
        return
    last = min(max(starts) + rules.waiting_span, insolvent_on) if starts else insolvent_on
    for f in fates:
        i = f["i"]
        too_late = book.issue_day[i] > last and f["lost_on"] == NEVER
        if not f["shipped"] or f["paid"] <= trigger or too_late:
            continue
        j = int(events.n_events[s])
        events.n_events[s] += 1
        if j >= events.buyer.shape[1]:
            continue
        lost = f["lost_on"] != NEVER
        events.buyer[s, j], events.invoice[s, j], events.default_day[s, j] = b, i, insolvent_on
        events.paid_day[s, j], events.loss_day[s, j] = f["paid"], f["lost_on"]
        events.protracted[s, j] = f["protracted"]
        events.drawn_day[s, j] = NEVER if lost and f["drawn"] > f["lost_on"] else f["drawn"]
        rate, back_on = comes_back(f, recovery, rules) if lost else (0.0, NEVER)
        events.receipt_day[s, j] = back_on
        events.overdue_at_issue[s, j] = overdue_when_shipped(f, fates, book)
        events.limit_score[s, j], events.frustrated[s, j] = 9.0, False
        events.recovery[s, j] = rate
        events.loss[s, j] = 0.0
        if lost:
            currency = int(book.currency[i])
            until = min(back_on, clock.horizon)
            now, then = rate_on(rates, s, currency, f["lost_on"]), rate_on(rates, s, currency, until)
            events.loss[s, j] = float(book.amount[i]) * (now - rate * then)


def remember_largest(s, b, loss, book, rows, scratch):
    group = int(book.group[b])
    if group >= 0:
        scratch.group_loss[s, group] += loss
        loss = scratch.group_loss[s, group]
    rows.largest_loss[s] = max(rows.largest_loss[s], loss)


def simulate_ledger(
    first_quad, keys, drivers, mixing, rates, blocked_from,
    factor, default, delay, transfer, rules, clock, book, shared, rows, events, scratch,
):  # fmt: skip
    for s in range(len(rows.gross_loss)):
        quad, lane = first_quad + s // 4, s % 4
        for b in range(len(book.group)):
            state, epsilon, insolvent_on, recovery, cured = buyer_luck(
                quad, lane, s, b, keys, drivers, mixing, factor, default, rules, book
            )
            rows.n_defaults[s] += insolvent_on != NEVER
            days = payment_days(quad, lane, s, b, keys, state, epsilon, blocked_from, delay, transfer, book)
            fates = story_of_buyer(b, insolvent_on, cured, days, rules, clock, book)
            if not in_trouble(b, insolvent_on, days, rules, book):
                collect_all(s, b, fates, rates, rules, clock, book, rows)
                continue
            settle(s, b, insolvent_on, recovery, fates, rates, rules, clock, book, rows, events, scratch)


def settle(s, b, insolvent_on, recovery, fates, rates, rules, clock, book, rows, events, scratch):
    """Enter a troubled buyer's invoices, the withheld ones too, and its debts."""
    loss = 0.0
    for fate in fates:
        i = fate["i"]
        if fate["shipped"]:
            rows.n_protracted[s] += fate["protracted"]
            loss += book_invoice(s, b, fate, recovery, rates, rules, clock, book, rows)
            continue
        value = float(book.book_value[i])
        rows.stopped[s, int(book.receivable_class[b]), clock.period_of_day[book.issue_day[i]]] += value
        payable = int(book.issue_day[i]) + rules.supplier_terms_days
        if 1 <= payable <= clock.horizon:
            rows.purchases_saved[s, clock.period_of_day[payable]] += rules.variable_cost_rate * value
    list_claims(s, b, insolvent_on, recovery, fates, rates, rules, clock, book, events)
    remember_largest(s, b, loss, book, rows, scratch)


def follow_script(script, rates, rules, clock, book, rows, events, scratch):
    for s in range(len(scratch.paid)):
        for b in range(len(book.group)):
            insolvent_on = int(script.default_day[b])
            rows.n_defaults[s] += insolvent_on != NEVER
            days = [2 * (int(script.paid_day[i]),) for i in range(book.start[b], book.start[b + 1])]
            fates = story_of_buyer(b, insolvent_on, True, days, rules, clock, book)
            if in_trouble(b, insolvent_on, days, rules, book):
                settle(s, b, insolvent_on, 0.0, fates, rates, rules, clock, book, rows, events, scratch)
            else:
                collect_all(s, b, fates, rates, rules, clock, book, rows)


def lose_exposures(first_quad, keys, drivers, mixing, factor, default, rules, book, rows, events, scratch):
    for s in range(len(rows.gross_loss)):
        for b in range(len(book.group)):
            _, _, day, recovery, _ = buyer_luck(
                first_quad + s // 4, s % 4, s, b, keys, drivers, mixing, factor, default, rules, book
            )
            if day == NEVER:
                continue
            exposure = float(book.amount[b])
            loss = exposure * (1.0 - recovery)
            rows.n_defaults[s] += 1
            rows.gross_loss[s] += loss
            rows.recovered[s] += exposure * recovery
            remember_largest(s, b, loss, book, rows, scratch)
            j = int(events.n_events[s])
            events.n_events[s] += 1
            if j < events.buyer.shape[1]:
                events.buyer[s, j], events.invoice[s, j], events.default_day[s, j] = b, b, day
                events.paid_day[s, j], events.loss_day[s, j], events.protracted[s, j] = NEVER, day, False
                events.recovery[s, j], events.loss[s, j] = recovery, loss
                events.drawn_day[s, j], events.receipt_day[s, j] = NEVER, day + rules.recovery_lag
                events.overdue_at_issue[s, j], events.limit_score[s, j] = -NEVER, 9.0
                events.frustrated[s, j] = False
