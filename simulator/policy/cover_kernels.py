"""Which debts a claim holds and how much of them is covered.

``at`` is a :class:`~simulator.policy.records.Place`: scenario, programme, and the row of the ledger they read;
``claim`` is a :class:`~simulator.policy.records.Claim`.
"""

import numpy as np

from simulator.fx.formulas import rate_on
from simulator.jit import NEVER, row
from simulator.losses.formulas import limit_change_day
from simulator.policy.codes import AT_LOWER, EXCLUDED, PROTRACTED, TRANSFER, UNDISPUTED, UPHELD
from simulator.policy.formulas import (
    additional_limit,
    conversion_day,
    converted_limit,
    covered_debt,
    dispute_state,
    falls_in_period,
    held_up_loss_day,
    is_claimed,
    left_of_debt,
    limit_after_change,
    policy_rate,
    protracted_loss_day,
    room_left,
)
from simulator.policy.records import Cover
from simulator.streams import uniform, words

# Rows that run for each invoice take numbers and records: handing all plans to a function costs more than an invoice.


@row
def dispute_of(key, entity, quad, lane, in_ledger, probability, upheld, suspended):
    """What a dispute does to an unpaid invoice in a scenario: marked in the ledger, or drawn."""
    if not in_ledger and probability <= 0.0:
        return UNDISPUTED
    disputed_score = uniform(words(key, quad, entity, 0)[lane])
    upheld_score = uniform(words(key, quad, entity, 1)[lane])
    return dispute_state(in_ledger, disputed_score, upheld_score, probability, upheld, suspended)


@row
def end_of_waiting(cover, settlement_days, due_day, drawn_day, paid_day):
    """End of the waiting period of an invoice that stays unpaid, and the peril: protracted default or transfer."""
    day = NEVER
    peril = PROTRACTED
    if cover.percentage[PROTRACTED] > 0.0 and drawn_day > due_day + cover.expiry_days[0]:
        day = protracted_loss_day(due_day, cover.expiry_days[0], settlement_days, paid_day)
    if cover.percentage[TRANSFER] > 0.0:
        held_up = held_up_loss_day(due_day, cover.expiry_days[1], settlement_days, drawn_day, paid_day)
        if held_up < day:
            day = held_up
            peril = TRANSFER
    return day, peril


@row
def first_waiting_end(plan, book, events, at, cover, begin, end):
    """First end of a waiting period of a buyer's debts that may bring about a claim, and the peril; NEVER if none does.

    They are insurable, not in dispute for good, and still unpaid when the indemnity is due.
    """
    terms = plan.terms[at.programme]
    first = NEVER
    peril = PROTRACTED
    for e in range(begin, end):
        invoice = events.invoice[at.row, e]
        if not events.protracted[at.row, e] or not plan.eligible[at.programme, invoice]:
            continue
        day, cause = end_of_waiting(
            cover, terms.settlement_days, book.due_day[invoice], events.drawn_day[at.row, e],
            events.paid_day[at.row, e],
        )  # fmt: skip
        if day >= first:
            continue
        dispute = dispute_of(
            plan.dispute_key, plan.invoice_entity[invoice], at.quad, at.lane, book.disputed[invoice],
            plan.dispute_probability, plan.dispute_upheld, terms.disputes_suspended,
        )  # fmt: skip
        if dispute != EXCLUDED:
            first = day
            peril = cause
    if terms.oldest_first and first != NEVER:
        first = oldest_first_loss_day(plan, book, events, at, cover, begin, end)
    return first, peril


@row
def is_older(due_day, e, other_due_day, other):
    """Whether event ``e`` is an older invoice than another of its buyer: by due day, then in order of issue."""
    return due_day < other_due_day or (due_day == other_due_day and e < other)


@row
def oldest_first_loss_day(plan, book, events, at, cover, begin, end):
    """First end of a waiting period whose invoice and the older ones are not filled by all money received until the
    indemnity is due.

    Amounts are book values. What a buyer owes in all is the same as without this rule, so a buyer whose invoices are
    all paid by then has no such day.
    """
    terms = plan.terms[at.programme]
    first = NEVER
    for e in range(begin, end):
        invoice = events.invoice[at.row, e]
        due = book.due_day[invoice]
        day = due + cover.expiry_days[0]
        if day >= first or not plan.eligible[at.programme, invoice]:
            continue
        owed = book.book_value[invoice] * events.share[at.row, e]
        received = 0.0
        for other in range(begin, end):
            one = events.invoice[at.row, other]
            value = book.book_value[one] * events.share[at.row, other]
            if is_older(book.due_day[one], other, due, e):
                owed += value
            # as a claim of that day: what is shipped later is neither held nor does its payment count
            if book.issue_day[one] <= day and events.paid_day[at.row, other] <= day + terms.settlement_days:
                received += value
        if received >= owed * (1.0 - 1e-12):
            continue
        dispute = dispute_of(
            plan.dispute_key, plan.invoice_entity[invoice], at.quad, at.lane, book.disputed[invoice],
            plan.dispute_probability, plan.dispute_upheld, terms.disputes_suspended,
        )  # fmt: skip
        if dispute != EXCLUDED:
            first = day
    return first


@row
def oldest_first_part(book, events, row, claim, e):
    """Part of an invoice that a claim holds when all payments until its indemnity fill the oldest invoices."""
    invoice = events.invoice[row, e]
    if book.issue_day[invoice] > claim.debts_on:
        return 0.0
    outstanding = 0.0
    newer = 0.0
    for other in range(claim.begin, claim.end):
        one = events.invoice[row, other]
        value = book.book_value[one] * events.share[row, other]
        if is_claimed(book.issue_day[one], events.paid_day[row, other], claim.debts_on, claim.payment_day):
            outstanding += value
        if book.issue_day[one] <= claim.debts_on and is_older(book.due_day[invoice], e, book.due_day[one], other):
            newer += value
    value = book.book_value[invoice] * events.share[row, e]
    return left_of_debt(value, newer, outstanding) / value


@row
def rate_in_policy(rates, s, terms, currency, day):
    """Policy currency per unit of a currency on a day."""
    return policy_rate(rates, s, currency, day) / policy_rate(rates, s, terms.currency, day)


@row
def converted_on(rates, s, terms, currency, issue_day, month_end, due_day, loss_day, payment_day, horizon):
    """Day whose rate turns a debt into policy currency by the policy's rule; beyond the horizon its last day."""
    day = min(horizon, conversion_day(terms.conversion, issue_day, month_end, due_day, loss_day, payment_day))
    if terms.conversion == AT_LOWER:
        then = rate_in_policy(rates, s, terms, currency, issue_day)
        if then < rate_in_policy(rates, s, terms, currency, day):
            day = issue_day
    return day


@row
def limit_at(rates, s, terms, segment, limit, day):
    """A limit in policy currency on the day whose rate converts the debt it is for."""
    if segment.currency == terms.currency:
        return limit
    return converted_limit(limit, segment.rate_of_day_0, rate_in_policy(rates, s, terms, segment.currency, day))


@row
def segment_at(segment, cover, issue_day):
    """Number of the limit that holds for a shipment; -1 before a buyer's first."""
    found = -1
    for k in range(cover.segments[0], cover.segments[1]):
        if segment[k].from_day <= issue_day:
            found = k
    return found


@row
def limits_change_on(terms, score, horizon):
    """Day from which the insurer changes a buyer's named limits, notice included; NEVER if it does not."""
    told = limit_change_day(score, terms.change_intensity, horizon)
    return told + terms.change_notice if told != NEVER else NEVER


@row
def value_debts(plan, book, events, rates, clock, work, at, claim):
    """Debt and cover of a claim, invoice by invoice in order of issue; see :class:`~simulator.policy.records.Cover`.

    Notes the debt and the covered part of each invoice in ``work``, and what the claim takes of shared limits.
    """
    terms = plan.terms[at.programme]
    cover = plan.cover[at.programme, claim.buyer]
    group = at.group
    rate_day = min(claim.loss_day, clock.horizon)
    answers = falls_in_period(claim.loss_day, terms.first_day, terms.last_day, terms.losses_occurring)
    changed_on = limits_change_on(terms, events.limit_score[at.row, claim.begin], clock.horizon)
    used = work.used[group, cover.group_pool] if cover.group_pool >= 0 else 0.0
    market, debt, vat, disputed = 0.0, 0.0, 0.0, 0.0
    eligible, full, total, covered, upheld, insured = 0.0, 0.0, 0.0, 0.0, 0.0, 0.0
    percentage = cover.percentage[claim.peril]
    mixed = False
    oldest_due = NEVER
    for e in range(claim.begin, claim.end):
        invoice = events.invoice[at.row, e]
        issue = book.issue_day[invoice]
        currency = book.currency[invoice]
        amount = book.amount[invoice] * events.share[at.row, e]
        work.debt[group, e] = 0.0
        work.covered[group, e] = 0.0
        if terms.oldest_first:
            amount *= oldest_first_part(book, events, at.row, claim, e)
        elif not is_claimed(issue, events.paid_day[at.row, e], claim.debts_on, claim.payment_day):
            continue
        if amount <= 0.0:
            continue
        converted = converted_on(
            rates, at.scenario, terms, currency, issue, plan.month_end[invoice], book.due_day[invoice],
            claim.loss_day, claim.payment_day, clock.horizon,
        )  # fmt: skip
        value = amount * rate_in_policy(rates, at.scenario, terms, currency, converted)
        market += amount * rate_on(rates, at.scenario, currency, rate_day)
        debt += value
        work.debt[group, e] = value
        oldest_due = min(oldest_due, book.due_day[invoice])
        if not terms.vat_covered and book.vat[invoice] > 0.0:
            tax = value * (book.vat[invoice] / book.amount[invoice])
            vat += tax
            value -= tax
        dispute = dispute_of(
            plan.dispute_key, plan.invoice_entity[invoice], at.quad, at.lane, book.disputed[invoice],
            plan.dispute_probability, plan.dispute_upheld, terms.disputes_suspended,
        )  # fmt: skip
        if dispute == EXCLUDED:
            disputed += value
            continue
        if not answers or not plan.eligible[at.programme, invoice]:
            continue
        if events.overdue_at_issue[at.row, e] > terms.extension_days:
            continue
        k = segment_at(plan.segment, cover, issue)
        if k < 0 or plan.segment[k].highest <= 0.0:
            continue
        segment = plan.segment[k]
        limit = limit_at(rates, at.scenario, terms, segment, segment.limit, converted)
        highest = limit_at(rates, at.scenario, terms, segment, segment.highest, converted)
        if segment.changes:
            limit = limit_after_change(limit, issue, changed_on, terms.change_to)
        multiple = terms.top_up_multiple if segment.named else 0.0
        highest += additional_limit(highest, multiple, terms.top_up_maximum)
        with_top_up = limit + additional_limit(limit, multiple, terms.top_up_maximum)
        eligible += value
        full = covered_debt(full, value, room_left(highest, used))
        before = total
        total = covered_debt(total, value, room_left(with_top_up, used))
        work.covered[group, e] = total - before
        if dispute == UPHELD:
            upheld += total - before
        before = covered
        covered = covered_debt(covered, value, room_left(limit, used))
        own = cover.percentage[claim.peril] if np.isnan(segment.percentage) else segment.percentage
        insured += own * (covered - before)
        mixed = mixed or (own != percentage and before > 0.0)
        percentage = own
    if mixed:
        percentage = insured / covered
    if cover.country_pool >= 0:
        most = room_left(cover.country_maximum, work.used[group, cover.country_pool])
        if total > most:
            for e in range(claim.begin, claim.end):
                work.covered[group, e] *= most / total
        full, total, covered = min(full, most), min(total, most), min(covered, most)
        work.used[group, cover.country_pool] += total
    if cover.group_pool >= 0:
        work.used[group, cover.group_pool] += covered
    return Cover(
        market, debt, vat, disputed, eligible, full, total, covered, min(upheld, total), percentage, oldest_due
    )
