"""Plain-Python twins of the losses room: invoices are entered one by one, as docs/MODEL.md has it."""

from typing import NamedTuple

from tests.twins.fx import rate_on
from tests.twins.losses import advance_interest, cost_of_lateness, protracted_day
from tests.twins.losses_buyers import comes_back

NEVER = 2147483647


def leave(moved, r, i, share, day, clock, book, rows):
    """A share of an invoice goes from the receivables, and from those that premiums are charged on."""
    moved[r, clock.period_of_day[day]] += share * float(book.book_value[i])
    stop_insuring(r, i, share, day, clock, book, rows)


def stop_insuring(r, i, share, day, clock, book, rows):
    """A share of an invoice goes from those that premiums are charged on."""
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
        stop_insuring(r, i, share, horizon + 1, clock, book, rows)
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
    """Enter invoices that are paid as agreed; their worth is found in the end."""
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
