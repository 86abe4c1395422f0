"""The premium of one scenario: what it is charged on, bonus or malus, and when it is paid."""

import numpy as np

from simulator.jit import NEVER, row
from simulator.policy.cover_kernels import limits_change_on
from simulator.policy.formulas import policy_rate
from simulator.policy.premium_formulas import after_bonus, premium_adjustment, premium_due, premium_on_turnover


@row
def first_issued(issue_day, begin, end, day):
    """First of a buyer's invoices, from ``begin`` to ``end`` in order of issue, that is issued on a day or later."""
    earlier = 0
    for i in range(begin, end):
        earlier += issue_day[i] < day
    return begin + earlier


@row
def turnover_lost(start, issue_day, planned_from, sales_from, whole, buyer, withheld, since, until, uncovered_from):
    """Insurable turnover of a buyer, as planned, that is not shipped or is shipped without cover.

    Withheld is a book value of invoices planned from ``since`` to ``until``: the same share of each. What is planned
    from ``uncovered_from`` on counts in full, withheld or not; ``whole``: all that is planned is insurable. Sums over
    days are differences of sums from a day on.
    """
    if uncovered_from == NEVER and whole:
        return withheld
    begin, end, own = np.int64(start[buyer]), np.int64(start[buyer + 1]), np.int64(buyer)
    uncovered = first_issued(issue_day, begin, end, uncovered_from)
    lost = sales_from[uncovered + own]
    if withheld > 0.0:
        first = first_issued(issue_day, begin, end, np.int64(since))
        beyond = first_issued(issue_day, begin, end, np.int64(until) + 1)
        planned = planned_from[first + own] - planned_from[beyond + own]
        if planned > 0.0:
            insurable = sales_from[min(first, uncovered) + own] - sales_from[min(beyond, uncovered) + own]
            lost += insurable * (withheld / planned)
    return lost


@row
def turnover_overdue(debts, begin, end, sale, extension_days, uncovered_from):
    """Insurable turnover shipped to a buyer while its oldest debt was overdue beyond the maximum extension period."""
    turnover = 0.0
    for e in range(begin, end):
        debt = debts[e]
        if debt.overdue > extension_days and debt.issue_day < uncovered_from:
            turnover += debt.share * sale[debt.invoice]
    return turnover


@row
def turnover_not_insured(
    terms, cover, segment, sale, sales_from, planned_from, start, issue_day, debts, owing, unsold, n_unsold, horizon
):  # fmt: skip
    """Planned insurable turnover that is not shipped or not covered in a scenario, study currency.

    Not covered is what is shipped after the buyer's limit is cancelled, after its date of loss, or while it is overdue
    beyond the maximum extension period; the last is known of buyers who owe only.
    """
    cancels = terms.change_intensity > 0.0 and terms.change_to <= 0.0
    lost = 0.0
    for k in range(n_unsold):
        one = unsold[k]
        uncovered_from = np.int64(NEVER)
        if one.owing >= 0:
            uncovered_from = min(uncovered_from, owing[one.owing].loss_day + 1)
        if cancels and one.weak and segment[cover[one.buyer].segments[0]].changes:
            uncovered_from = min(uncovered_from, np.int64(limits_change_on(terms, one.limit_score, horizon)))
        overdue = one.owing >= 0 and terms.extension_days != NEVER
        if (one.withheld != 0.0 or uncovered_from != NEVER or overdue) and cover[one.buyer].insurable:
            lost += turnover_lost(
                start, issue_day, planned_from, sales_from, cover[one.buyer].sold_whole, one.buyer, one.withheld,
                one.since, one.until, uncovered_from,
            )  # fmt: skip
            if overdue:
                begin, end = np.int64(owing[one.owing].begin), np.int64(owing[one.owing].end)
                lost += turnover_overdue(debts, begin, end, sale, terms.extension_days, uncovered_from)
    return lost


@row
def month_end_balances(scene, currency, month_ends, balance, period_start):
    """Sum of insurable receivables at the month ends of the policy period, policy currency at the day's rate.

    Args:
        scene: of the scenario.
        currency: of the policy.
        month_ends: how many are in each period.
        balance: insurable receivables at the end of each period, float64[n_periods].
        period_start: first day of each period.
    """
    total = 0.0
    for t in range(month_ends.shape[0]):
        if month_ends[t] > 0.0:
            rate = policy_rate(scene.rates, scene.scenario, currency, np.int64(period_start[t]))
            total += month_ends[t] * balance[t] / rate
    return total


@row
def bonus_of(steps, ratio, change, claims, premium):
    """Bonus or malus of a scenario: that of the first step whose claims ratio is not exceeded; the last is open."""
    for k in range(steps - 1):
        if claims <= ratio[k] * premium:
            return change[k]
    return change[steps - 1]


@row
def pay_premium(terms, instalment, period_start, bonus_ratio, bonus_change, scene, base, claims, failed_on, cash):
    """Deposits in advance, fees on the first day, adjustment to what was insured at the end; returns their sum.

    Nothing is paid to an insurer that has failed, nor paid back by it: deposits and fees are due on the first day of
    their period, the adjustment on the last day of the policy or of the horizon.

    Args:
        terms: of the policy.
        instalment, period_start: deposits before tax and first day of each period.
        bonus_ratio, bonus_change: steps of bonus and malus.
        scene: of the scenario.
        base: turnover or balances that the premium is a rate on.
        claims: indemnities of the scenario, policy currency.
        failed_on: day on which the insurer fails, or NEVER.
        cash: out, study currency by period.
    """
    premium = premium_on_turnover(base, terms.premium_rate, terms.premium_minimum)
    if terms.bonus_steps > 0:
        premium = after_bonus(premium, bonus_of(terms.bonus_steps, bonus_ratio, bonus_change, claims, premium))
    adjustment = premium_adjustment(premium, terms.premium_minimum, terms.premium_tax)
    with_tax = 1.0 + terms.premium_tax
    for t in range(cash.shape[0]):
        cash[t] = instalment[t] * with_tax
    cash[terms.fee_period] += terms.premium_fees * with_tax + terms.untaxed_fees
    if failed_on != NEVER:
        for t in range(cash.shape[0]):
            if period_start[t] >= failed_on:
                cash[t] = 0.0
    if min(np.int64(terms.last_day), scene.horizon) < failed_on:
        cash[terms.adjustment_period] += adjustment
    if terms.currency >= 0:
        for t in range(cash.shape[0]):
            if cash[t] != 0.0:
                cash[t] *= policy_rate(scene.rates, scene.scenario, terms.currency, np.int64(period_start[t]))
    elif failed_on > scene.horizon:
        return premium_due(premium, terms.premium_fees, terms.untaxed_fees, terms.premium_tax)
    total = 0.0
    for t in range(cash.shape[0]):
        total += cash[t]
    return total
