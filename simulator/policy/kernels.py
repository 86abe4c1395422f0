"""Every programme's claims on one block of simulated scenarios.

The loop runs over groups of neighbouring scenarios that share one row of sorting space; each scenario writes its own
rows only, so results do not depend on how scenarios are grouped or which thread takes them.
"""

import numpy as np

from simulator.fx.formulas import rate_on
from simulator.jit import NEVER, kernel, prange, row
from simulator.policy.formulas import (
    apply_wording,
    claim_key,
    covered_debt,
    date_of_loss,
    insurer_share,
    is_claimed,
    is_eligible,
    is_known_loss,
    is_lost_unclaimed,
    premium_adjustment,
    premium_due,
    protracted_loss_day,
    receipt_amount,
    receipt_day,
)
from simulator.policy.gaps import (
    AGGREGATE_FIRST_LOSS,
    COINSURANCE,
    DEBT,
    EACH_AND_EVERY,
    INDEMNITY,
    MAXIMUM_LIABILITY,
    NON_QUALIFYING,
    NOT_COVERED,
    OVER_LIMIT,
)


@row
def sort_claims(key, first_event, count):
    """Sort the first ``count`` claims by key in place (Shell sort: quick for a handful, sound for thousands)."""
    gap = count // 2
    while gap > 0:
        for i in range(gap, count):
            moved_key = key[i]
            moved_event = first_event[i]
            j = i
            while j >= gap and key[j - gap] > moved_key:
                key[j] = key[j - gap]
                first_event[j] = first_event[j - gap]
                j -= gap
            key[j] = moved_key
            first_event[j] = moved_event
        gap = 1 if gap == 2 else gap * 5 // 11


@row
def insures(plan, book, p, invoice):
    """Whether a programme insures an invoice at all: eligible, and not lost before cover began."""
    if is_known_loss(book.due_day[invoice], plan.waiting_days[p]):
        return False
    return is_eligible(book.disputed[invoice], book.open_item[invoice], plan.covers_open_items[p])


@row
def find_claims(plan, book, events, s, p, key, first_event):
    """List the buyers with a claim or a lost debt in one scenario under one programme, unsorted; returns how many.

    A buyer has one claim, on the earlier of its insolvency and the end of the first waiting period of an insured
    invoice. A buyer without one is listed on day NEVER if it has lost debts, so that the waterfall shows them.
    ``key`` gets date of loss and buyer rank, ``first_event`` where the buyer's events begin.
    """
    n_events = min(events.n_events[s], events.buyer.shape[1])
    count = 0
    e = 0
    while e < n_events:
        buyer = events.buyer[s, e]
        begin = e
        insured_day = NEVER
        lost = False
        while e < n_events and events.buyer[s, e] == buyer:
            invoice = events.invoice[s, e]
            if events.protracted[s, e] and insures(plan, book, p, invoice):
                day = protracted_loss_day(book.due_day[invoice], plan.waiting_days[p], events.paid_day[s, e])
                insured_day = min(insured_day, day)
            lost = lost or events.loss_day[s, e] != NEVER
            e += 1
        loss_day = date_of_loss(events.default_day[s, begin], insured_day)
        if lost or loss_day != NEVER:
            key[count] = claim_key(loss_day, plan.buyer_rank[buyer])
            first_event[count] = begin
            count += 1
    return count


@row
def money_after_loss(book, events, rates, recovery_lag, horizon, s, e):
    """Day and amount (policy currency, rate of that day) of what still arrives on a claimed debt."""
    invoice = events.invoice[s, e]
    day = receipt_day(events.paid_day[s, e], events.loss_day[s, e], recovery_lag)
    if day == NEVER:
        return day, 0.0
    money = receipt_amount(book.amount[invoice], events.paid_day[s, e], events.recovery[s, e])
    return day, money * rate_on(rates, s, book.currency[invoice], min(day, horizon))


@row
def shares_before(book, events, rates, recovery_lag, horizon, s, begin, end, e, loss_day, paid, debt):
    """Insurer's shares, before any cap, of the money that arrives earlier than event ``e``'s (ties: event order)."""
    this_day, _ = money_after_loss(book, events, rates, recovery_lag, horizon, s, e)
    total = 0.0
    for other in range(begin, end):
        if is_claimed(book.issue_day[events.invoice[s, other]], events.paid_day[s, other], loss_day):
            day, money = money_after_loss(book, events, rates, recovery_lag, horizon, s, other)
            if day < this_day or (day == this_day and other < e):
                total += insurer_share(money, paid, debt)
    return total


@row
def share_recoveries(plan, book, events, rates, recovery_lag, clock, rows, s, p, begin, end, loss_day, paid, debt):
    """Pay the indemnity, then the insurer's share of later money; returns the indemnity net of shares.

    Shares in all never exceed the indemnity: earlier money fills it first. A share is paid over when the money has
    arrived and the indemnity has been paid.
    """
    indemnity_day = loss_day + plan.settlement_days[p]
    if indemnity_day <= clock.horizon:
        rows.claim_cash[s, p, clock.period_of_day[indemnity_day]] += paid
        rows.indemnity_in_horizon[s, p] += paid
    uncapped = 0.0
    for e in range(begin, end):
        if is_claimed(book.issue_day[events.invoice[s, e]], events.paid_day[s, e], loss_day):
            _, money = money_after_loss(book, events, rates, recovery_lag, clock.horizon, s, e)
            uncapped += insurer_share(money, paid, debt)
    shared = 0.0
    for e in range(begin, end):
        if not is_claimed(book.issue_day[events.invoice[s, e]], events.paid_day[s, e], loss_day):
            continue
        day, money = money_after_loss(book, events, rates, recovery_lag, clock.horizon, s, e)
        share = insurer_share(money, paid, debt)
        if uncapped > paid:
            before = shares_before(
                book, events, rates, recovery_lag, clock.horizon, s, begin, end, e, loss_day, paid, debt
            )
            share = min(share, max(0.0, paid - before))
        shared += share
        day = max(day, indemnity_day)
        if day <= clock.horizon:
            rows.claim_cash[s, p, clock.period_of_day[day]] -= share
            rows.indemnity_in_horizon[s, p] -= share
    return max(0.0, paid - shared)


@row
def book_unclaimed(book, events, rates, clock, rows, s, p, begin, loss_day):
    """Show one buyer's lost debts that its claim does not hold: not covered, at the rate of the day they are lost."""
    n_events = min(events.n_events[s], events.buyer.shape[1])
    buyer = events.buyer[s, begin]
    e = begin
    while e < n_events and events.buyer[s, e] == buyer:
        invoice = events.invoice[s, e]
        lost_on = events.loss_day[s, e]
        if is_lost_unclaimed(book.issue_day[invoice], events.paid_day[s, e], lost_on, loss_day):
            rate = rate_on(rates, s, book.currency[invoice], min(lost_on, clock.horizon))
            rows.gap[s, p, DEBT] += book.amount[invoice] * rate
            rows.gap[s, p, NOT_COVERED] += book.amount[invoice] * rate
        e += 1


@row
def settle_claim(
    plan, book, events, rates, recovery_lag, clock, rows, s, p, begin, loss_day, first_loss_left, liability_left
):
    """Settle one buyer's claim: debt, cover, terms, indemnity, recoveries; books every step of the waterfall.

    Returns:
        what the claim takes of the aggregate first loss and of the maximum liability.
    """
    n_events = min(events.n_events[s], events.buyer.shape[1])
    buyer = events.buyer[s, begin]
    rate_day = min(loss_day, clock.horizon)
    insolvent = events.default_day[s, begin] == loss_day
    debt = 0.0
    eligible = 0.0
    end = begin
    while end < n_events and events.buyer[s, end] == buyer:
        invoice = events.invoice[s, end]
        if is_claimed(book.issue_day[invoice], events.paid_day[s, end], loss_day):
            value = book.amount[invoice] * rate_on(rates, s, book.currency[invoice], rate_day)
            debt += value
            if insures(plan, book, p, invoice):
                eligible += value
        end += 1
    credit_limit = plan.limit[p, buyer]
    if credit_limit <= 0.0:
        eligible = 0.0
    covered = covered_debt(eligible, credit_limit)
    percentage = plan.percentage_insolvency[p] if insolvent else plan.percentage_protracted[p]
    if plan.discretionary[p, buyer] and not np.isnan(plan.percentage_discretionary[p]):
        percentage = plan.percentage_discretionary[p]
    non_qualifying, coinsurance, each_and_every, absorbed, over_liability, paid = apply_wording(
        plan.order[p],
        covered,
        plan.non_qualifying_loss[p],
        percentage,
        plan.each_and_every_first_loss[p],
        first_loss_left,
        liability_left,
    )
    gap = rows.gap[s, p]
    gap[DEBT] += debt
    gap[NOT_COVERED] += debt - eligible
    gap[OVER_LIMIT] += eligible - covered
    gap[NON_QUALIFYING] += non_qualifying
    gap[COINSURANCE] += coinsurance
    gap[EACH_AND_EVERY] += each_and_every
    gap[AGGREGATE_FIRST_LOSS] += absorbed
    gap[MAXIMUM_LIABILITY] += over_liability
    gap[INDEMNITY] += paid
    if paid > 0.0:
        rows.indemnity_gross[s, p] += paid
        rows.indemnity[s, p] += share_recoveries(
            plan, book, events, rates, recovery_lag, clock, rows, s, p, begin, end, loss_day, paid, debt
        )
    return absorbed, paid


@row
def pay_premium(plan, events, rows, s, p):
    """Premium of one scenario: deposits in advance, fees on day 0, adjustment to the turnover shipped at the end."""
    turnover = plan.planned_turnover[p]
    for k in range(min(events.stopped_count[s], events.stopped_buyer.shape[1])):
        if plan.insurable[p, events.stopped_buyer[s, k]]:
            turnover -= events.stopped_value[s, k]
    rate = plan.premium_rate[p]
    minimum = plan.premium_minimum[p]
    tax = plan.premium_tax[p]
    rows.premium[s, p] = premium_due(turnover, rate, minimum, plan.premium_fees[p], tax)
    n_periods = plan.instalment.shape[1]
    for t in range(n_periods):
        rows.premium_cash[s, p, t] = plan.instalment[p, t] * (1.0 + tax)
    rows.premium_cash[s, p, 0] += plan.premium_fees[p] * (1.0 + tax)
    rows.premium_cash[s, p, n_periods - 1] += premium_adjustment(turnover, rate, minimum, tax)


@row
def apply_programme(plan, book, events, rates, recovery_lag, clock, key, first_event, rows, s, p):
    """One scenario under one programme: clear its rows, then claims (and lost debts without one) in order of date of
    loss, then premium."""
    rows.indemnity[s, p] = 0.0
    rows.indemnity_gross[s, p] = 0.0
    rows.indemnity_in_horizon[s, p] = 0.0
    rows.premium[s, p] = 0.0
    rows.claim_cash[s, p, :] = 0.0
    rows.premium_cash[s, p, :] = 0.0
    rows.gap[s, p, :] = 0.0
    if not plan.insured[p]:
        return
    count = find_claims(plan, book, events, s, p, key, first_event)
    sort_claims(key, first_event, count)
    first_loss_left = plan.aggregate_first_loss[p]
    liability_left = plan.maximum_liability[p]
    for i in range(count):
        loss_day = key[i] >> 32
        if loss_day != NEVER:
            absorbed, paid = settle_claim(
                plan, book, events, rates, recovery_lag, clock, rows, s, p, first_event[i], loss_day,
                first_loss_left, liability_left,
            )  # fmt: skip
            first_loss_left -= absorbed
            liability_left -= paid
        book_unclaimed(book, events, rates, clock, rows, s, p, first_event[i], loss_day)
    pay_premium(plan, events, rows, s, p)


@row
def apply_to_group(plan, book, events, rates, recovery_lag, clock, key, first_event, rows, group):
    """All scenarios of one group under every programme; arguments as in :func:`apply_programmes`."""
    n = events.n_events.shape[0]
    n_groups = key.shape[0]
    for s in range(group * n // n_groups, (group + 1) * n // n_groups):
        for p in range(plan.insured.shape[0]):
            apply_programme(plan, book, events, rates, recovery_lag, clock, key[group], first_event[group], rows, s, p)


@kernel
def apply_programmes(plan, book, events, rates, recovery_lag, clock, key, first_event, rows):
    """Every scenario of a block under every programme.

    Args:
        plan: :class:`~simulator.policy.plan.PolicyPlan`.
        book: :class:`~simulator.losses.plan.Book`, the invoices that events point to.
        events: :class:`~simulator.losses.rows.Events`, unpaid invoices of troubled buyers, n scenarios.
        rates: study currency per unit, float64[n, n_currencies, steps + 1].
        recovery_lag: days from loss to recovery.
        clock: :class:`~simulator.losses.plan.Clock`.
        key, first_event: sorting space, int64 and int32 [n_groups, most claims in a scenario].
        rows: :class:`~simulator.policy.apply.PolicyRows`, written.
    """
    for group in prange(key.shape[0]):
        apply_to_group(plan, book, events, rates, recovery_lag, clock, key, first_event, rows, np.int64(group))
