"""Every programme's claims on one block of simulated scenarios.

The loop runs over groups of neighbouring scenarios that share one row of working space; each scenario writes its own
rows only, so results do not depend on how scenarios are grouped or which thread takes them.
"""

import numpy as np

from simulator.jit import NEVER, kernel, prange, row
from simulator.policy.claim_kernels import book_unclaimed, claim_of, event_of, settle_claim
from simulator.policy.cover_kernels import first_waiting_end
from simulator.policy.formulas import claim_key, date_of_loss
from simulator.policy.premium_formulas import premium_on_turnover
from simulator.policy.premium_kernels import pay_premium, premium_base
from simulator.policy.records import Place
from simulator.policy.recovery_formulas import failure_day, insurer_score
from simulator.streams import normal, words


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
def find_claims(plan, book, events, at, key, first_event):
    """List the buyers with a claim or a lost debt in one scenario under one programme, unsorted; returns how many.

    A buyer has one claim, on the earliest date of loss of an insured peril. A buyer without one is listed on day NEVER
    if it has lost debts, so that the waterfall shows them. ``key`` gets date of loss and buyer rank, ``first_event``
    where the buyer's events begin.
    """
    terms = plan.terms[at.programme]
    n_events = min(events.n_events[at.row], events.buyer.shape[1])
    count = 0
    e = 0
    while e < n_events:
        buyer = events.buyer[at.row, e]
        begin = e
        late = False
        lost = False
        while e < n_events and events.buyer[at.row, e] == buyer:
            late = late or events.protracted[at.row, e]
            lost = lost or events.loss_day[at.row, e] != NEVER
            e += 1
        cover = plan.cover[at.programme, buyer]
        waited = NEVER
        if late:
            waited, _ = first_waiting_end(plan, book, events, at, cover, begin, e)
        event_day, _ = event_of(terms, cover, events.default_day[at.row, begin], events.frustrated[at.row, begin])
        loss_day = date_of_loss(event_day, waited)
        if lost or loss_day != NEVER:
            key[count] = claim_key(loss_day, plan.buyer_rank[buyer])
            first_event[count] = begin
            count += 1
    return count


@row
def insurer_fails_on(plan, drivers, at):
    """Day on which a programme's insurer fails in a scenario. Insurers of all programmes share their luck, so that
    programmes are compared on the same times."""
    terms = plan.terms[at.programme]
    own = normal(words(plan.insurer_key, at.quad, plan.insurer_entity, 0)[at.lane])
    return failure_day(insurer_score(drivers[at.scenario, 0], own, terms.insurer_systemic), terms.insurer_intensity)


@row
def apply_programme(plan, book, events, balance, rates, drivers, clock, work, rows, at):
    """One scenario under one programme: clear its rows, then claims (and lost debts without one) in order of date of
    loss, then premium."""
    s, p = at.scenario, at.programme
    rows.indemnity[s, p] = 0.0
    rows.indemnity_gross[s, p] = 0.0
    rows.indemnity_in_horizon[s, p] = 0.0
    rows.premium[s, p] = 0.0
    rows.claim_cash[s, p, :] = 0.0
    rows.premium_cash[s, p, :] = 0.0
    rows.gap[s, p, :] = 0.0
    rows.insurer_loss[s, p] = 0.0
    if not plan.insured[p]:
        return
    terms = plan.terms[p]
    key, first_event = work.key[at.group], work.first_event[at.group]
    work.used[at.group, :] = 0.0
    count = find_claims(plan, book, events, at, key, first_event)
    base = premium_base(plan, book, events, balance, rates, clock, at, key, first_event, count)
    sort_claims(key, first_event, count)
    first_loss_left = terms.aggregate_first_loss
    liability_left = terms.maximum_liability
    if terms.liability_multiple > 0.0:
        year = premium_on_turnover(base / terms.year_share, terms.premium_rate, terms.minimum_of_year)
        liability_left = terms.liability_multiple * year
    failed_on = NEVER
    if terms.insurer_intensity > 0.0:
        failed_on = insurer_fails_on(plan, drivers, at)
    claims = 0.0
    for i in range(count):
        loss_day = key[i] >> 32
        debts_on = loss_day
        payment_day = loss_day
        if loss_day != NEVER:
            claim = claim_of(plan, book, events, at, first_event[i], loss_day)
            debts_on = claim.debts_on
            payment_day = claim.payment_day
            eroded, owed = settle_claim(
                plan, book, events, rates, clock, work, rows, at, claim, failed_on, first_loss_left, liability_left
            )
            first_loss_left -= eroded
            liability_left -= owed
            claims += owed
        book_unclaimed(book, events, rates, clock.horizon, rows.gap[s, p], at, first_event[i], debts_on, payment_day)
    pay_premium(plan, rates, clock, rows, at, base, claims, failed_on)


@row
def apply_to_group(first_quad, plan, book, events, balance, rates, drivers, clock, work, rows, group):
    """All scenarios of one group under every programme; arguments as in :func:`apply_programmes`."""
    n = rates.shape[0]
    n_groups = work.key.shape[0]
    for s in range(group * n // n_groups, (group + 1) * n // n_groups):
        for p in range(plan.insured.shape[0]):
            at = Place(plan.regime[p] * n + s, s, p, first_quad + s // 4, s % 4, group)
            apply_programme(plan, book, events, balance, rates, drivers, clock, work, rows, at)


@kernel
def apply_programmes(first_quad, plan, book, events, balance, rates, drivers, clock, work, rows):
    """Every scenario of a block under every programme.

    Args:
        first_quad: number of the block's first quad of scenarios.
        plan: :class:`~simulator.policy.records.PolicyPlan`.
        book: :class:`~simulator.losses.plan.Book`, the invoices that events point to.
        events: :class:`~simulator.losses.rows.Events`, unpaid invoices of troubled buyers, n scenarios by regime.
        balance: receivables by class at the end of each period, float64[rows, n_classes, n_periods]; read for a
            premium on balances only.
        rates: study currency per unit, float64[n, n_currencies, steps + 1].
        drivers: common state, float64[n, n_drivers], the global driver first; read for insurers that may fail only.
        clock: :class:`~simulator.losses.plan.Clock`.
        work: :class:`~simulator.policy.records.Work`, one row per group of scenarios.
        rows: :class:`~simulator.policy.apply.PolicyRows`, written.
    """
    for group in prange(work.key.shape[0]):
        apply_to_group(first_quad, plan, book, events, balance, rates, drivers, clock, work, rows, np.int64(group))
