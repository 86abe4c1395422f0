"""Plain-Python twins of the losses room: a scenario, told invoice by invoice from the rules in docs/MODEL.md."""

import math

from tests.twins.losses import limit_score
from tests.twins.losses_balances import note_fates
from tests.twins.losses_booking import (
    Calm,
    book_invoice,
    collect_all,
    enter_calm,
    leave,
    list_claims,
    pay_calmly,
    remember_largest,
)
from tests.twins.losses_buyers import (
    OPEN,
    buyer_luck,
    days_under,
    deal_with,
    in_trouble,
    payment_days,
    rank_of_payer,
    story_of_buyer,
)
from tests.twins.streams import normal, uniform, words

NEVER = 2147483647


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
            # where all scenarios are drawn under one regime, what a buyer in trouble pays is entered like all payments
            apart = calm if count == 1 else None
            settle(
                g * n + s, s, b, luck, recovery, fates, deal, rates, rules, clock, book, rows, apart, events, scratch
            )  # fmt: skip
        note_fates(s, b, g, score, fates, counting, clock, book, balances)


def settle(r, s, b, luck, recovery, fates, deal, rates, rules, clock, book, rows, apart, events, scratch):
    """Enter a troubled buyer's invoices, the withheld ones too, and its debts; what is paid in ``apart``, if any."""
    loss, paid = 0.0, []
    for fate in fates:
        i = fate["i"]
        if fate["shipped"]:
            rows.n_protracted[r] += fate["protracted"]
            if apart is not None and fate["lost_on"] == NEVER:
                paid.append(fate)
                continue
            loss += book_invoice(r, s, b, fate, recovery, deal, rates, rules, clock, book, rows)
            continue
        value = float(book.book_value[i])
        leave(rows.stopped, r, i, 1.0, int(book.issue_day[i]), clock, book, rows)
        payable = int(book.issue_day[i]) + rules.supplier_terms_days
        if 1 <= payable <= clock.horizon:
            rows.purchases_saved[r, clock.period_of_day[payable]] += rules.variable_cost_rate * value
    if apart is not None:
        pay_calmly(r, s, b, paid, rules, clock, book, apart)
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
