"""Settling one buyer's claim: cover, terms, what is paid when, and where cover is lost."""

import numpy as np

from simulator.fx.formulas import rate_on
from simulator.jit import NEVER, row
from simulator.policy.codes import FRUSTRATION, INSOLVENCY, PROTRACTED
from simulator.policy.cover_kernels import first_waiting_end, insured_percentage, value_debts
from simulator.policy.formulas import (
    claim_key,
    date_of_loss,
    event_loss_day,
    happens,
    is_lost_unclaimed,
    policy_rate,
)
from simulator.policy.gaps import (
    AGGREGATE_FIRST_LOSS,
    COINSURANCE,
    DEBT,
    EACH_AND_EVERY,
    INDEMNITY,
    INSURER_DEFAULT,
    MAXIMUM_LIABILITY,
    MINIMUM_RETENTION,
    NON_QUALIFYING,
    NOT_COVERED,
    NOTIFICATION,
)
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
def find_claims(terms, cover, eligible, buyer_rank, debts, owing, n_owing, key, place):
    """List the buyers with a claim or a lost debt in one scenario under one programme, unsorted; returns how many.

    A buyer has one claim, on the earliest date of loss of an insured peril. An event whose date of loss is the end of a
    waiting period too counts as the event. A buyer without one is listed on day NEVER if it has lost debts, so that the
    waterfall shows them. ``key`` gets date of loss and buyer rank, ``place`` the buyer's among those who owe, whose
    records get the date, peril and day of debts.
    """
    count = 0
    for o in range(n_owing):
        one = owing[o]
        its = cover[one.buyer]
        waited, cause = np.int64(NEVER), PROTRACTED
        if one.late:
            waited, cause = first_waiting_end(terms, its, eligible, debts, np.int64(one.begin), np.int64(one.end))
        event_day, peril = event_of(terms, its, one.default_day, one.frustrated)
        loss_day = date_of_loss(event_day, waited)
        by_event = event_day == loss_day and loss_day != NEVER
        one.loss_day = loss_day
        one.debts_on = np.int64(one.default_day) if by_event else loss_day
        one.peril = peril if by_event else cause
        if one.lost or loss_day != NEVER:
            key[count] = claim_key(loss_day, buyer_rank[one.buyer])
            place[count] = o
            count += 1
    return count


@row
def lost_unclaimed(debts, begin, end, scene, debts_on):
    """One buyer's lost debts that its claim does not hold, study currency at the rate of the day they are lost."""
    lost = 0.0
    for e in range(begin, end):
        debt = debts[e]
        if is_lost_unclaimed(debt.issue_day, debt.loss_day, debts_on):
            day = min(np.int64(debt.loss_day), scene.horizon)
            lost += debt.amount * rate_on(scene.rates, scene.scenario, debt.currency, day)
    return lost


@row
def value_claims(terms, cover, segment, eligible, debts, owing, parts, place, count, used, scene, claims, gap):
    """Value the claims of one scenario in the order of ``place``; returns how many have covered debt.

    Those are listed in ``claims``; ``gap`` gets the steps of the waterfall that come before the terms, of all claims
    and of lost debts that no claim holds.
    """
    used[:] = 0.0
    gap[:] = 0.0
    valued = 0
    for i in range(count):
        one = owing[place[i]]
        claim = claims[valued]
        claim.begin, claim.end, claim.payment_day = one.begin, one.end, NEVER
        if one.loss_day != NEVER:
            claim.payment_day = one.loss_day + terms.settlement_days
            claim.grace_days = cover[one.buyer].expiry_days[0] + terms.settlement_days
            claim.buyer, claim.entity, claim.limit_score = one.buyer, one.entity, one.limit_score
            claim.loss_day, claim.debts_on, claim.peril = one.loss_day, one.debts_on, one.peril
            value_debts(terms, cover[one.buyer], segment, eligible, debts, parts, used, scene, claim, gap)
            if claim.total > 0.0:
                valued += 1
        if one.lost:
            lost = lost_unclaimed(debts, claim.begin, claim.end, scene, one.debts_on)
            gap[DEBT] += lost
            gap[NOT_COVERED] += lost
    return valued


@row
def pay_claim(scene, currency, day, amount, sums, claim_cash):
    """Pay an amount of policy currency on a day; returns its worth in study currency."""
    worth = amount * policy_rate(scene.rates, scene.scenario, currency, min(day, scene.horizon))
    if day <= scene.horizon:
        claim_cash[scene.period_of_day[day]] += worth
        sums.indemnity_in_horizon += worth
    return worth


@row
def is_notified_late(terms, key, quad, lane, claim):
    """Whether debts overdue for long enough to be notified by the date of loss were notified too late."""
    oldest_due = claim.overdue_since
    if terms.missed <= 0.0 or oldest_due == NEVER or oldest_due + terms.notify_after > claim.debts_on:
        return False
    return happens(words(key, quad, claim.entity, 0)[lane], terms.missed)


@row
def settle_claim(
    terms, percentage, late, dispute_days, cost_rate, debts, parts, scene, claim, failed_on, first_loss_left,
    liability_left, sums, gap, claim_cash,
):  # fmt: skip
    """Settle one buyer's claim once its debts are valued: terms, indemnity, recoveries, and the waterfall from there.

    What is disputed and settled for the seller later is paid later, in its part of the covered debt.

    Args:
        terms: of the policy.
        percentage: insured percentage of the claim.
        late: whether its overdue debts were notified too late.
        dispute_days: until a dispute is settled.
        cost_rate: cost of recovering.
        debts, parts, scene, claim: of the scenario.
        failed_on: day on which the insurer fails, or NEVER.
        first_loss_left, liability_left: what earlier claims left.
        sums, gap, claim_cash: what is paid, the waterfall and the cash by period of the programme; added to.

    Returns:
        what the claim uses up of the aggregate first loss and of the maximum liability.
    """
    rates, s, rate = scene.rates, scene.scenario, claim.rate
    non_qualifying, coinsurance, each_and_every, retention, absorbed, over_liability, payable, eroded = apply_terms(
        terms, claim.covered, percentage, first_loss_left, liability_left
    )
    above = claim.total - claim.covered
    top_up = after_percentage(above, terms.top_up_percentage)
    owed = payable - lost_by_late_notice(payable, late, terms.reduction)
    top_up_owed = top_up - lost_by_late_notice(top_up, late, terms.reduction)
    later = claim.upheld / claim.total if claim.upheld > 0.0 else 0.0
    settled_day = claim.payment_day + dispute_days
    first = paid_by_insurer(owed * (1.0 - later), claim.payment_day, failed_on, terms.insurer_recovery)
    second = paid_by_insurer(owed * later, settled_day, failed_on, terms.insurer_recovery)
    first_missing, second_missing = owed * (1.0 - later) - first, owed * later - second
    first += top_up_owed * (1.0 - later)
    second += top_up_owed * later
    indemnity = first + second
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
        sums.insurer_loss += first_missing * policy_rate(
            rates, s, terms.currency, min(claim.payment_day, scene.horizon)
        ) + second_missing * policy_rate(rates, s, terms.currency, min(settled_day, scene.horizon))
    if indemnity > 0.0:
        worth = pay_claim(scene, terms.currency, claim.payment_day, first, sums, claim_cash)
        if second > 0.0:
            worth += pay_claim(scene, terms.currency, settled_day, second, sums, claim_cash)
        sums.indemnity_gross += worth
        paid_on = claim.payment_day if first > 0.0 else settled_day
        shared = share_recoveries(terms, debts, parts, scene, claim, paid_on, indemnity, cost_rate, sums, claim_cash)
        net = worth - shared
        # in one currency shares never exceed the indemnity: below zero is rounding
        sums.indemnity += max(0.0, net) if terms.currency < 0 else net
    return eroded, owed


@row
def settle_claims(
    terms, cover, segment, notification_key, quad, lane, dispute_days, cost_rate, debts, parts, claims, count, scene,
    failed_on, liability_left, sums, gap, claim_cash,
):  # fmt: skip
    """Settle the valued claims of one scenario under one programme, in order; arguments as in :func:`settle_claim`.

    ``cover`` is by buyer, ``liability_left`` the maximum liability. Returns what the insurer owes for all of them,
    policy currency.
    """
    first_loss_left = terms.aggregate_first_loss
    owed_in_all = 0.0
    for i in range(count):
        claim = claims[i]
        percentage = insured_percentage(cover[claim.buyer], segment, parts, claim)
        late = is_notified_late(terms, notification_key, quad, lane, claim)
        eroded, owed = settle_claim(
            terms, percentage, late, dispute_days, cost_rate, debts, parts, scene, claim, failed_on, first_loss_left,
            liability_left, sums, gap, claim_cash,
        )  # fmt: skip
        first_loss_left -= eroded
        liability_left -= owed
        owed_in_all += owed
    return owed_in_all
