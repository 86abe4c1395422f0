"""Settling one buyer's claim: cover, terms, what is paid when, and where cover is lost."""

import numpy as np

from simulator.fx.formulas import rate_on
from simulator.jit import NEVER, row
from simulator.policy.codes import FRUSTRATION, INSOLVENCY
from simulator.policy.cover_kernels import first_waiting_end, value_debts
from simulator.policy.formulas import event_loss_day, happens, is_lost_unclaimed, policy_rate
from simulator.policy.gaps import (
    AGGREGATE_FIRST_LOSS,
    COINSURANCE,
    CONVERSION,
    DEBT,
    DISPUTED,
    EACH_AND_EVERY,
    INDEMNITY,
    INSURER_DEFAULT,
    LIMIT_CANCELLED,
    MAXIMUM_LIABILITY,
    MINIMUM_RETENTION,
    NON_QUALIFYING,
    NOT_COVERED,
    NOTIFICATION,
    OVER_LIMIT,
    VAT,
)
from simulator.policy.records import Claim
from simulator.policy.recovery_formulas import lost_by_late_notice, paid_by_insurer
from simulator.policy.recovery_kernels import share_recoveries
from simulator.policy.term_formulas import after_percentage, apply_terms
from simulator.streams import words


@row
def event_of(terms, cover, default_day, frustrated):
    """Date of loss of a buyer's insolvency or frustrated contract and its peril; NEVER if there is none insured."""
    peril = FRUSTRATION if frustrated else INSOLVENCY
    waiting = terms.waiting_frustration if frustrated else terms.waiting_insolvency
    day = event_loss_day(default_day, waiting) if cover.percentage[peril] > 0.0 else NEVER
    return day, peril


@row
def claim_of(plan, book, events, at, begin, loss_day):
    """The claim of the buyer whose events begin there: which peril brought it about, and whose day's debts it holds.

    An event whose date of loss is the end of a waiting period too counts as the event.
    """
    n_events = min(events.n_events[at.row], events.buyer.shape[1])
    buyer = events.buyer[at.row, begin]
    terms, cover = plan.terms[at.programme], plan.cover[at.programme, buyer]
    end = begin
    while end < n_events and events.buyer[at.row, end] == buyer:
        end += 1
    default_day = events.default_day[at.row, begin]
    event_day, peril = event_of(terms, cover, default_day, events.frustrated[at.row, begin])
    debts_on = loss_day
    if event_day == loss_day:
        debts_on = np.int64(default_day)
    else:
        _, peril = first_waiting_end(plan, book, events, at, cover, begin, end)
    return Claim(buyer, begin, end, loss_day, debts_on, peril, loss_day + terms.settlement_days)


@row
def book_unclaimed(book, events, rates, horizon, gap, at, begin, debts_on, payment_day):
    """Show one buyer's lost debts that its claim does not hold: not covered, at the rate of the day they are lost."""
    n_events = min(events.n_events[at.row], events.buyer.shape[1])
    buyer = events.buyer[at.row, begin]
    e = begin
    while e < n_events and events.buyer[at.row, e] == buyer:
        invoice = events.invoice[at.row, e]
        lost_on = events.loss_day[at.row, e]
        issue, paid = book.issue_day[invoice], events.paid_day[at.row, e]
        if is_lost_unclaimed(issue, paid, lost_on, debts_on, payment_day):
            rate = rate_on(rates, at.scenario, book.currency[invoice], min(lost_on, horizon))
            lost = book.amount[invoice] * events.share[at.row, e] * rate
            gap[DEBT] += lost
            gap[NOT_COVERED] += lost
        e += 1


@row
def pay_claim(rates, clock, rows, at, currency, day, amount):
    """Pay an amount of policy currency on a day; returns its worth in study currency."""
    worth = amount * policy_rate(rates, at.scenario, currency, min(day, clock.horizon))
    if day <= clock.horizon:
        rows.claim_cash[at.scenario, at.programme, clock.period_of_day[day]] += worth
        rows.indemnity_in_horizon[at.scenario, at.programme] += worth
    return worth


@row
def is_notified_late(terms, key, at, entity, debts_on, oldest_due):
    """Whether debts overdue for long enough to be notified by the date of loss were notified too late."""
    if terms.missed <= 0.0 or oldest_due == NEVER or oldest_due + terms.notify_after > debts_on:
        return False
    return happens(words(key, at.quad, entity, 0)[at.lane], terms.missed)


@row
def settle_claim(plan, book, events, rates, clock, work, rows, at, claim, failed_on, first_loss_left, liability_left):
    """Settle one buyer's claim: debt, cover, terms, indemnity, recoveries; books every step of the waterfall.

    What is disputed and settled for the seller later is paid later, in its part of the covered debt.

    Returns:
        what the claim uses up of the aggregate first loss and of the maximum liability.
    """
    terms = plan.terms[at.programme]
    s, p = at.scenario, at.programme
    cover = value_debts(plan, book, events, rates, clock, work, at, claim)
    non_qualifying, coinsurance, each_and_every, retention, absorbed, over_liability, payable, eroded = apply_terms(
        terms, cover.covered, cover.percentage, first_loss_left, liability_left
    )
    above = cover.total - cover.covered
    top_up = after_percentage(above, terms.top_up_percentage)
    entity = book.buyer_entity[claim.buyer]
    late = is_notified_late(terms, plan.notification_key, at, entity, claim.debts_on, cover.overdue_since)
    owed = payable - lost_by_late_notice(payable, late, terms.reduction)
    top_up_owed = top_up - lost_by_late_notice(top_up, late, terms.reduction)
    later = cover.upheld / cover.total if cover.upheld > 0.0 else 0.0
    settled_day = claim.payment_day + plan.dispute_days
    first = paid_by_insurer(owed * (1.0 - later), claim.payment_day, failed_on, terms.insurer_recovery)
    second = paid_by_insurer(owed * later, settled_day, failed_on, terms.insurer_recovery)
    first_missing, second_missing = owed * (1.0 - later) - first, owed * later - second
    first += top_up_owed * (1.0 - later)
    second += top_up_owed * later
    indemnity = first + second
    rate_day = min(claim.loss_day, clock.horizon)
    rate = policy_rate(rates, s, terms.currency, rate_day)
    gap = rows.gap[s, p]
    gap[DEBT] += cover.market
    gap[CONVERSION] += cover.market - cover.debt * rate
    gap[VAT] += cover.vat * rate
    gap[DISPUTED] += cover.disputed * rate
    gap[NOT_COVERED] += (cover.debt - cover.vat - cover.disputed - cover.eligible) * rate
    gap[LIMIT_CANCELLED] += (cover.full - cover.total) * rate
    gap[OVER_LIMIT] += (cover.eligible - cover.full) * rate
    gap[NON_QUALIFYING] += non_qualifying * rate
    gap[COINSURANCE] += (coinsurance + (above - top_up)) * rate
    gap[EACH_AND_EVERY] += each_and_every * rate
    gap[MINIMUM_RETENTION] += retention * rate
    gap[AGGREGATE_FIRST_LOSS] += absorbed * rate
    gap[MAXIMUM_LIABILITY] += over_liability * rate
    gap[NOTIFICATION] += (payable - owed + (top_up - top_up_owed)) * rate
    gap[INSURER_DEFAULT] += (first_missing + second_missing) * rate
    gap[INDEMNITY] += indemnity * rate
    if failed_on != NEVER:
        rows.insurer_loss[s, p] += first_missing * policy_rate(
            rates, s, terms.currency, min(claim.payment_day, clock.horizon)
        ) + second_missing * policy_rate(rates, s, terms.currency, min(settled_day, clock.horizon))
    if indemnity > 0.0:
        worth = pay_claim(rates, clock, rows, at, terms.currency, claim.payment_day, first)
        if second > 0.0:
            worth += pay_claim(rates, clock, rows, at, terms.currency, settled_day, second)
        rows.indemnity_gross[s, p] += worth
        paid_on = claim.payment_day if first > 0.0 else settled_day
        shared = share_recoveries(plan, book, events, rates, clock, work, rows, at, claim, paid_on, cover, indemnity)
        net = worth - shared
        # in one currency shares never exceed the indemnity: below zero is rounding
        rows.indemnity[s, p] += max(0.0, net) if terms.currency < 0 else net
    return eroded, owed
