"""Every programme's claims on one block of simulated scenarios.

The loop runs over groups of neighbouring scenarios that share one row of working space; each scenario writes its own
rows only, so results do not depend on how scenarios are grouped or which thread takes them.
"""

import numpy as np

from simulator.jit import NEVER, kernel, prange, row
from simulator.policy.claim_kernels import find_claims, settle_claims, value_claims
from simulator.policy.debt_kernels import list_debts, list_unsold
from simulator.policy.premium_formulas import premium_on_turnover
from simulator.policy.premium_kernels import month_end_balances, pay_premium, turnover_not_insured
from simulator.policy.recovery_formulas import failure_day, insurer_score
from simulator.policy.work import Scene
from simulator.streams import normal, words


@row
def sort_claims(key, place, count):
    """Sort the first ``count`` claims by key in place (Shell sort: quick for a handful, sound for thousands)."""
    gap = count // 2
    while gap > 0:
        for i in range(gap, count):
            moved_key = key[i]
            moved_place = place[i]
            j = i
            while j >= gap and key[j - gap] > moved_key:
                key[j] = key[j - gap]
                place[j] = place[j - gap]
                j -= gap
            key[j] = moved_key
            place[j] = moved_place
        gap = 1 if gap == 2 else gap * 5 // 11


@row
def insurer_fails_on(terms, key, entity, quad, lane, driver):
    """Day on which a programme's insurer fails in a scenario. Insurers of all programmes share their luck, so that
    programmes are compared on the same times."""
    own = normal(words(key, quad, entity, 0)[lane])
    return np.int64(failure_day(insurer_score(driver, own, terms.insurer_systemic), terms.insurer_intensity))


@row
def apply_to_group(first_quad, plan, book, events, balance, rates, drivers, clock, work, rows, group):
    """All scenarios of one group under every programme; arguments as in :func:`apply_programmes`.

    Debts are listed once for programmes that trade alike; claims found and valued once for programmes of one view. For
    each programme then come its terms, claim by claim in order of date of loss, and the premium.
    """
    n, n_groups = rates.shape[0], work.key.shape[0]
    debts, owing, unsold, parts = work.debts[group], work.owing[group], work.unsold[group], work.parts[group]
    used, before_terms = work.used[group], work.gap[group]
    claims, key, place, sums = work.claims[group], work.key[group], work.place[group], work.paid[group]
    for s in range(group * n // n_groups, (group + 1) * n // n_groups):
        quad, lane = first_quad + s // 4, s % 4
        scene = Scene(rates, s, clock.horizon, clock.period_of_day)
        regime, view, n_owing, n_unsold, n_claims, lost = -1, -1, 0, 0, 0, 0.0
        for k in range(plan.order.shape[0]):
            p = np.int64(plan.order[k])
            sums.indemnity = sums.indemnity_gross = sums.indemnity_in_horizon = sums.insurer_loss = 0.0
            premium = 0.0
            claim_cash, gap = rows.claim_cash[s, p], rows.gap[s, p]
            claim_cash[:] = 0.0
            if plan.insured[p]:
                terms, cover, r = plan.terms[p], plan.cover[p], plan.regime[p] * n + s
                if plan.regime[p] != regime:
                    regime = plan.regime[p]
                    n_owing = list_debts(
                        events, r, book, plan.month_end, plan.invoice_entity, plan.dispute_key,
                        plan.dispute_probability, plan.dispute_upheld, quad, lane, debts, owing,
                    )  # fmt: skip
                    n_unsold = list_unsold(events, r, owing, n_owing, unsold)
                if plan.view_of[p] != view:
                    view = plan.view_of[p]
                    eligible = plan.eligible[p]
                    count = find_claims(terms, cover, eligible, plan.buyer_rank, debts, owing, n_owing, key, place)
                    sort_claims(key, place, count)
                    lost = turnover_not_insured(
                        terms, cover, plan.segment, plan.sale[p], plan.sales_from[p], plan.planned_from, book.start,
                        book.issue_day, debts, owing, unsold, n_unsold, clock.horizon,
                    )  # fmt: skip
                    n_claims = value_claims(
                        terms, cover, plan.segment, eligible, debts, owing, parts, place, count, used, scene,
                        claims, before_terms,
                    )  # fmt: skip
                for step in range(gap.shape[0]):
                    gap[step] = before_terms[step]
                if terms.on_balance:
                    base = month_end_balances(
                        scene, terms.currency, plan.month_ends[p], balance[r, plan.balance_of[p]], plan.period_start
                    )
                else:
                    base = max(0.0, terms.planned_turnover - lost * terms.turnover_rate)
                liability = terms.maximum_liability
                if terms.liability_multiple > 0.0:
                    year = premium_on_turnover(base / terms.year_share, terms.premium_rate, terms.minimum_of_year)
                    liability = terms.liability_multiple * year
                failed_on = np.int64(NEVER)
                if terms.insurer_intensity > 0.0:
                    failed_on = insurer_fails_on(
                        terms, plan.insurer_key, plan.insurer_entity, quad, lane, drivers[s, 0]
                    )  # fmt: skip
                owed = settle_claims(
                    terms, cover, plan.segment, plan.notification_key, quad, lane, plan.dispute_days,
                    plan.recovery_cost, debts, parts, claims, n_claims, scene, failed_on, liability, sums, gap,
                    claim_cash,
                )  # fmt: skip
                premium = pay_premium(
                    terms, plan.instalment[p], plan.period_start, plan.bonus_ratio[p], plan.bonus_change[p], scene,
                    base, owed, failed_on, rows.premium_cash[s, p],
                )  # fmt: skip
            else:
                gap[:] = 0.0
                rows.premium_cash[s, p, :] = 0.0
            rows.indemnity[s, p] = sums.indemnity
            rows.indemnity_gross[s, p] = sums.indemnity_gross
            rows.indemnity_in_horizon[s, p] = sums.indemnity_in_horizon
            rows.insurer_loss[s, p] = sums.insurer_loss
            rows.premium[s, p] = premium


@kernel
def apply_programmes(first_quad, plan, book, events, balance, rates, drivers, clock, work, rows):
    """Every scenario of a block under every programme.

    Args:
        first_quad: number of the block's first quad of scenarios.
        plan: :class:`~simulator.policy.records.PolicyPlan`.
        book: :class:`~simulator.losses.plan.Book`, the invoices that events point to.
        events: :class:`~simulator.losses.rows.Events`, unpaid invoices of troubled buyers, n scenarios by regime.
        balance: insurable receivables at the end of each period, float64[rows, K, n_periods]; read for a premium on
            balances only.
        rates: study currency per unit, float64[n, n_currencies, steps + 1].
        drivers: common state, float64[n, n_drivers], the global driver first; read for insurers that may fail only.
        clock: :class:`~simulator.losses.plan.Clock`.
        work: :class:`~simulator.policy.work.Work`, one row per group of scenarios.
        rows: :class:`~simulator.policy.apply.PolicyRows`, written.
    """
    for group in prange(work.key.shape[0]):
        apply_to_group(first_quad, plan, book, events, balance, rates, drivers, clock, work, rows, np.int64(group))
