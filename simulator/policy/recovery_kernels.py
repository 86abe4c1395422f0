"""Money that arrives on claimed debts after the indemnity, and the insurer's share of it."""

import numpy as np

from simulator.fx.formulas import rate_on
from simulator.jit import NEVER, row
from simulator.policy.codes import TO_THE_OLDEST
from simulator.policy.cover_kernels import is_held
from simulator.policy.formulas import policy_rate
from simulator.policy.recovery_formulas import (
    after_costs,
    insurer_share,
    receipt_amount,
    receipt_day,
    share_of_invoice,
)


@row
def note_receipts(scene, currency, debts, parts, claim):
    """Note in ``parts`` what still arrives on each debt of a claim: day (NEVER if nothing does) and policy money."""
    for e in range(claim.begin, claim.end):
        debt, part = debts[e], parts[e]
        day = np.int64(NEVER)
        money = 0.0
        if is_held(debt, claim):
            day = np.int64(receipt_day(debt.paid_day, debt.receipt_day))
        if day <= claim.payment_day:
            day = np.int64(NEVER)  # it has made the claim smaller already
        if day != NEVER:
            until = min(day, scene.horizon)
            local = receipt_amount(debt.amount, debt.paid_day, debt.recovery)
            money = local * rate_on(scene.rates, scene.scenario, debt.currency, until)
            money /= policy_rate(scene.rates, scene.scenario, currency, until)
        part.day = day
        part.money = money


@row
def is_earlier(parts, other, e):
    """Whether money arrives on one debt before that on another (ties: order of debts)."""
    return parts[other].day < parts[e].day or (parts[other].day == parts[e].day and other < e)


@row
def share_of_oldest(parts, claim, paid, e):
    """The insurer's share of one debt's money where money fills the oldest invoices first."""
    earlier = 0.0
    for other in range(claim.begin, claim.end):
        if is_earlier(parts, other, e):
            earlier += parts[other].money
    share = 0.0
    older = 0.0
    for one in range(claim.begin, claim.end):
        debt = parts[one].debt
        if debt > 0.0:
            share += share_of_invoice(
                older, older + debt, earlier, parts[e].money, paid, claim.total, parts[one].covered
            )  # fmt: skip
            older += debt
            if older >= earlier + parts[e].money:
                break
    return share


@row
def share_recoveries(terms, debts, parts, scene, claim, paid_on, paid, cost_rate, sums, claim_cash):
    """Pay the insurer's shares of later money; returns their worth in study currency.

    Shares in all never exceed the indemnity: earlier money fills it first. A share is paid over when the money has
    arrived and the indemnity has been paid, on ``paid_on``.
    """
    note_receipts(scene, terms.currency, debts, parts, claim)
    uncapped = 0.0
    for e in range(claim.begin, claim.end):
        part = parts[e]
        part.share = 0.0
        if part.day == NEVER:
            continue
        if terms.recovery_rule == TO_THE_OLDEST:
            share = share_of_oldest(parts, claim, paid, e)
        else:
            share = insurer_share(terms.recovery_rule, part.money, paid, claim.total, claim.debt)
        if debts[e].paid_day == NEVER:
            share = after_costs(share, part.money, terms.recovery_costs, cost_rate)
        part.share = share
        uncapped += share
    shared = 0.0
    for e in range(claim.begin, claim.end):
        part = parts[e]
        if part.day == NEVER:
            continue
        due = part.share
        if uncapped > paid:
            before = 0.0
            for other in range(claim.begin, claim.end):
                if is_earlier(parts, other, e):
                    before += parts[other].share
            due = min(due, max(0.0, paid - before))
        pay_day = max(part.day, paid_on)
        worth = due * policy_rate(scene.rates, scene.scenario, terms.currency, min(pay_day, scene.horizon))
        shared += worth
        if pay_day <= scene.horizon:
            claim_cash[scene.period_of_day[pay_day]] -= worth
            sums.indemnity_in_horizon -= worth
    return shared
