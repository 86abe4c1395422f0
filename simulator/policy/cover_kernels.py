"""Which debts a claim holds and how much of them is covered.

``debts`` and what is worked out in ``parts`` are lists of one scenario (:mod:`~simulator.policy.work`), ``scene`` is
its :class:`~simulator.policy.work.Scene`, ``claim`` a record :data:`~simulator.policy.work.CLAIM`; ``cover`` is the
record of one buyer, ``eligible`` by invoice.
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
from simulator.policy.gaps import CONVERSION, DEBT, DISPUTED, LIMIT_CANCELLED, NOT_COVERED, OVER_LIMIT, VAT
from simulator.policy.work import SEVERAL


@row
def dispute_under(terms, debt):
    """What a dispute does to a debt under a policy: without suspended cover a dispute excludes it for good."""
    return debt.dispute if terms.disputes_suspended or debt.dispute == UNDISPUTED else EXCLUDED


@row
def end_of_waiting(cover, settlement_days, debt):
    """End of the waiting period of an invoice that stays unpaid, and the peril: protracted default or transfer."""
    day = np.int64(NEVER)
    peril = PROTRACTED
    if cover.percentage[PROTRACTED] > 0.0 and debt.drawn_day > debt.due_day + cover.expiry_days[0]:
        day = np.int64(protracted_loss_day(debt.due_day, cover.expiry_days[0], settlement_days, debt.paid_day))
    if cover.percentage[TRANSFER] > 0.0:
        held_up = held_up_loss_day(
            debt.due_day, cover.expiry_days[1], settlement_days, debt.drawn_day, debt.paid_day
        )  # fmt: skip
        if held_up < day:
            day = np.int64(held_up)
            peril = TRANSFER
    return day, peril


@row
def first_waiting_end(terms, cover, eligible, debts, begin, end):
    """First end of a waiting period of a buyer's debts that may bring about a claim, and the peril; NEVER if none does.

    They are insurable, not in dispute for good, and still unpaid when the indemnity is due.
    """
    first = np.int64(NEVER)
    peril = PROTRACTED
    for e in range(begin, end):
        debt = debts[e]
        if not debt.protracted or not eligible[debt.invoice]:
            continue
        day, cause = end_of_waiting(cover, terms.settlement_days, debt)
        if day < first and dispute_under(terms, debt) != EXCLUDED:
            first = day
            peril = cause
    if terms.oldest_first and first != NEVER:
        first = oldest_first_loss_day(terms, cover, eligible, debts, begin, end)
    return first, peril


@row
def is_older(due_day, e, other_due_day, other):
    """Whether event ``e`` is an older invoice than another of its buyer: by due day, then in order of issue."""
    return due_day < other_due_day or (due_day == other_due_day and e < other)


@row
def oldest_first_loss_day(terms, cover, eligible, debts, begin, end):
    """First end of a waiting period whose invoice and the older ones are not filled by all money received until the
    indemnity is due.

    Amounts are book values; money is not counted for what is disputed for good. What a buyer owes in all is the same as
    without this rule, so a buyer whose invoices are all paid by then has no such day.
    """
    first = np.int64(NEVER)
    for e in range(begin, end):
        debt = debts[e]
        day = np.int64(debt.due_day) + cover.expiry_days[0]
        if day >= first or not eligible[debt.invoice] or dispute_under(terms, debt) == EXCLUDED:
            continue
        owed = debt.value
        received = 0.0
        for o in range(begin, end):
            other = debts[o]
            if dispute_under(terms, other) == EXCLUDED:
                continue
            if is_older(other.due_day, o, debt.due_day, e):
                owed += other.value
            # as a claim of that day: what is shipped later is neither held nor does its payment count
            if other.issue_day <= day and other.paid_day <= day + terms.settlement_days:
                received += other.value
        if received < owed * (1.0 - 1e-12):
            first = day
    return first


@row
def is_held(debt, claim):
    """Whether a claim holds a debt, as paid."""
    return is_claimed(debt.issue_day, debt.due_day, debt.paid_day, claim.debts_on, claim.grace_days)


@row
def is_filled(terms, debt, claim):
    """Whether payments until the date of loss may count for an invoice that was issued for another: it is not disputed
    for good, and not one that is paid in good time later."""
    shipped = debt.issue_day <= claim.debts_on and dispute_under(terms, debt) != EXCLUDED
    return shipped and (debt.paid_day <= claim.debts_on or is_held(debt, claim))


@row
def owed_in_all(terms, debts, claim):
    """Book value of what a claim holds of the invoices that payments fill."""
    owed = 0.0
    for e in range(claim.begin, claim.end):
        if is_filled(terms, debts[e], claim) and is_held(debts[e], claim):
            owed += debts[e].value
    return owed


@row
def oldest_first_part(terms, debts, claim, outstanding, e):
    """Part of an invoice that a claim holds when payments until the date of loss fill the oldest invoices.

    ``outstanding`` is :func:`owed_in_all`.
    """
    debt = debts[e]
    if not is_filled(terms, debt, claim):
        return 1.0 if is_held(debt, claim) else 0.0
    newer = 0.0
    for o in range(claim.begin, claim.end):
        if is_filled(terms, debts[o], claim) and is_older(debt.due_day, e, debts[o].due_day, o):
            newer += debts[o].value
    return left_of_debt(debt.value, newer, outstanding) / debt.value


@row
def left_by(debt, payment_day):
    """Part of a debt that has not been paid or recovered by the day an indemnity is due."""
    if debt.paid_day != NEVER:
        return 1.0 if debt.paid_day > payment_day else 0.0
    return 1.0 - debt.recovery if debt.receipt_day <= payment_day else 1.0


@row
def rate_in_policy(rates, s, terms, currency, day):
    """Policy currency per unit of a currency on a day."""
    return policy_rate(rates, s, currency, day) / policy_rate(rates, s, terms.currency, day)


@row
def converted_on(scene, terms, debt, claim):
    """Day whose rate turns a debt into policy currency by the policy's rule; beyond the horizon its last day."""
    rule = conversion_day(
        terms.conversion, np.int64(debt.issue_day), np.int64(debt.month_end), np.int64(debt.due_day), claim.loss_day,
        claim.payment_day,
    )  # fmt: skip
    day = min(scene.horizon, rule)
    if terms.conversion == AT_LOWER:
        issue = np.int64(debt.issue_day)
        then = rate_in_policy(scene.rates, scene.scenario, terms, debt.currency, issue)
        if then < rate_in_policy(scene.rates, scene.scenario, terms, debt.currency, day):
            day = issue
    return day


@row
def limit_at(scene, terms, segment, limit, day):
    """A limit in policy currency on the day whose rate converts the debt it is for."""
    if segment.currency == terms.currency:
        return limit
    rate = rate_in_policy(scene.rates, scene.scenario, terms, segment.currency, day)
    return converted_limit(limit, segment.rate_of_day_0, rate)


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
def value_debts(terms, cover, segment, eligible, debts, parts, used, scene, claim, gap):
    """Debt and cover of a claim, debt by debt in order of issue; books the steps of the waterfall up to its cover.

    Notes what the terms need in ``claim``, debt and covered part of each invoice in ``parts``, and what the claim takes
    of shared limits in ``used``. All is cover of the debt on the date of loss, then the part that is still owed when
    the indemnity is due.
    """
    rate_day = min(claim.loss_day, scene.horizon)
    answers = falls_in_period(claim.loss_day, terms.first_day, terms.last_day, terms.losses_occurring)
    changed_on = np.int64(NEVER)
    if terms.change_intensity > 0.0:
        changed_on = np.int64(limits_change_on(terms, claim.limit_score, scene.horizon))
    taken = used[cover.group_pool] if cover.group_pool >= 0 else 0.0
    market, debt, vat, disputed = 0.0, 0.0, 0.0, 0.0
    eligible_debt, full, total, covered, undisputed = 0.0, 0.0, 0.0, 0.0, 0.0
    owed, left, market_owed, market_left = 0.0, 0.0, 0.0, 0.0
    under = np.int64(-1)
    oldest_due = np.int64(NEVER)
    outstanding = owed_in_all(terms, debts, claim) if terms.oldest_first else 0.0
    for e in range(claim.begin, claim.end):
        one = debts[e]
        part = parts[e]
        part.debt = part.covered = part.first_covered = 0.0
        part.segment = -1
        claimed = is_held(one, claim)
        held = 1.0 if claimed else 0.0
        if terms.oldest_first:
            held = oldest_first_part(terms, debts, claim, outstanding, e)
        if not claimed and held <= 0.0:
            continue
        converted = converted_on(scene, terms, one, claim)
        in_policy = rate_in_policy(scene.rates, scene.scenario, terms, one.currency, converted)
        in_study = rate_on(scene.rates, scene.scenario, one.currency, rate_day)
        if claimed:
            unpaid = left_by(one, claim.payment_day)
            owed += one.amount * in_policy
            left += one.amount * in_policy * unpaid
            market_owed += one.amount * in_study
            market_left += one.amount * in_study * unpaid
        amount = one.amount * held
        if amount <= 0.0:
            continue
        value = amount * in_policy
        market += amount * in_study
        debt += value
        part.debt = value
        oldest_due = min(oldest_due, np.int64(one.due_day))
        if not terms.vat_covered and one.vat_share > 0.0:
            tax = value * one.vat_share
            vat += tax
            value -= tax
        dispute = dispute_under(terms, one)
        if dispute == EXCLUDED:
            disputed += value
            continue
        if not answers or not eligible[one.invoice] or one.overdue > terms.extension_days:
            continue
        k = segment_at(segment, cover, one.issue_day)
        if k < 0 or segment[k].highest <= 0.0:
            continue
        its = segment[k]
        limit = limit_at(scene, terms, its, its.limit, converted)
        highest = limit_at(scene, terms, its, its.highest, converted)
        if its.changes:
            limit = limit_after_change(limit, one.issue_day, changed_on, terms.change_to)
        multiple = terms.top_up_multiple if its.named else 0.0
        highest += additional_limit(highest, multiple, terms.top_up_maximum)
        with_top_up = limit + additional_limit(limit, multiple, terms.top_up_maximum)
        eligible_debt += value
        full = covered_debt(full, value, room_left(highest, taken))
        before = total
        total = covered_debt(total, value, room_left(with_top_up, taken))
        part.covered = total - before
        if dispute != UPHELD:
            undisputed = covered_debt(undisputed, value, room_left(with_top_up, taken))
        before = covered
        covered = covered_debt(covered, value, room_left(limit, taken))
        part.first_covered = covered - before
        part.segment = np.int64(k) - cover.segments[0]
        under = part.segment if under == -1 or under == part.segment else np.int64(SEVERAL)
    claim.uncapped = covered
    if cover.country_pool >= 0:
        most = room_left(cover.country_maximum, used[cover.country_pool])
        if total > most:
            for e in range(claim.begin, claim.end):
                parts[e].covered *= most / total
        full, total, covered = min(full, most), min(total, most), min(covered, most)
    unpaid = still_owed(owed, left)
    if unpaid < 1.0:
        for e in range(claim.begin, claim.end):
            parts[e].debt *= unpaid
            parts[e].covered *= unpaid
        market *= still_owed(market_owed, market_left)
        debt, vat, disputed = debt * unpaid, vat * unpaid, disputed * unpaid
        eligible_debt, full, total = eligible_debt * unpaid, full * unpaid, total * unpaid
        covered, undisputed = covered * unpaid, undisputed * unpaid
    if cover.country_pool >= 0:
        used[cover.country_pool] += total
    if cover.group_pool >= 0:
        used[cover.group_pool] += covered
    rate = policy_rate(scene.rates, scene.scenario, terms.currency, rate_day)
    gap[DEBT] += market
    gap[CONVERSION] += market - debt * rate
    gap[VAT] += vat * rate
    gap[DISPUTED] += disputed * rate
    gap[NOT_COVERED] += (debt - vat - disputed - eligible_debt) * rate
    gap[LIMIT_CANCELLED] += (full - total) * rate
    gap[OVER_LIMIT] += (eligible_debt - full) * rate
    claim.debt, claim.total, claim.covered, claim.upheld = debt, total, covered, max(0.0, total - undisputed)
    claim.rate, claim.segment, claim.overdue_since = rate, under, oldest_due


@row
def insured_percentage(cover, segment, parts, claim):
    """Insured percentage of a claim: that of its peril, or of the limit; a mean where its debts fall under several."""
    percentage = cover.percentage[claim.peril]
    if claim.segment == -1:
        return percentage
    if claim.segment != SEVERAL:
        own = segment[cover.segments[0] + claim.segment].percentage
        return percentage if np.isnan(own) else own
    insured = 0.0
    some, mixed = False, False
    of_peril = percentage
    for e in range(claim.begin, claim.end):
        part = parts[e]
        if part.segment >= 0:
            own = segment[cover.segments[0] + part.segment].percentage
            own = of_peril if np.isnan(own) else own
            insured += own * part.first_covered
            mixed |= own != percentage and some
            some |= part.first_covered > 0.0
            percentage = own
    return insured / claim.uncapped if mixed else percentage
