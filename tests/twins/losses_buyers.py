"""Plain-Python twins of the losses room: what a buyer draws, what it agrees to, and the story of its invoices."""

import math

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
from tests.twins.factors import common_part, latent
from tests.twins.fx import transfer_release
from tests.twins.losses import (
    chased_day,
    day_lost,
    is_protracted,
    limit_change_day,
    payer_rank,
    recovery_rate,
    standard_state,
)
from tests.twins.streams import normal, normal_tail, uniform, words

NEVER = 2147483647
OPEN = {"form": "open", "discount": 0.0, "stops_on": NEVER}


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
        fate["lost_on"] = day_lost(free, drawn, due, after, insolvent_on, cured, clock.horizon)
        if fate["lost_on"] != NEVER:
            fate["paid"] = NEVER
        fate["protracted"] = late and risk > 0
    return fates


def comes_back(fate, recovery, rules):
    """Recovery rate of a lost debt and the day it arrives."""
    if len(rules.scripted_receipt):
        return float(rules.scripted_recovery[fate["i"]]), int(rules.scripted_receipt[fate["i"]])
    return recovery, fate["lost_on"] + rules.recovery_lag
