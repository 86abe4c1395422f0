"""Money that arrives on claimed debts that are not paid before the indemnity, and the insurer's share of it."""

from simulator.fx.formulas import rate_on
from simulator.jit import NEVER, row
from simulator.policy.codes import TO_THE_OLDEST
from simulator.policy.formulas import is_claimed, policy_rate
from simulator.policy.recovery_formulas import (
    after_costs,
    insurer_share,
    receipt_amount,
    receipt_day,
    share_of_invoice,
)


@row
def note_receipts(book, events, rates, horizon, work, at, claim, currency):
    """Note in ``work`` what still arrives on each debt of a claim: day (NEVER if nothing does) and policy money."""
    for e in range(claim.begin, claim.end):
        invoice = events.invoice[at.row, e]
        paid = events.paid_day[at.row, e]
        day = NEVER
        money = 0.0
        if is_claimed(book.issue_day[invoice], paid, claim.debts_on, claim.payment_day):
            day = receipt_day(paid, events.receipt_day[at.row, e])
        if day != NEVER:
            until = min(day, horizon)
            amount = book.amount[invoice] * events.share[at.row, e]
            local = receipt_amount(amount, paid, events.recovery[at.row, e])
            money = local * rate_on(rates, at.scenario, book.currency[invoice], until)
            money /= policy_rate(rates, at.scenario, currency, until)
        work.day[at.group, e] = day
        work.money[at.group, e] = money


@row
def sum_before(day, values, begin, end, e):
    """Sum of values that arrive earlier than event ``e``'s (ties: event order)."""
    total = 0.0
    for other in range(begin, end):
        if day[other] < day[e] or (day[other] == day[e] and other < e):
            total += values[other]
    return total


@row
def share_of_oldest(work, at, claim, covered, paid, e):
    """The insurer's share of one event's money where money fills the oldest invoices first."""
    earlier = sum_before(work.day[at.group], work.money[at.group], claim.begin, claim.end, e)
    share = 0.0
    older = 0.0
    for one in range(claim.begin, claim.end):
        debt = work.debt[at.group, one]
        if debt > 0.0:
            share += share_of_invoice(
                older, older + debt, earlier, work.money[at.group, e], paid, covered, work.covered[at.group, one]
            )
            older += debt
    return share


@row
def share_recoveries(plan, book, events, rates, clock, work, rows, at, claim, paid_on, cover, paid):
    """Pay the insurer's shares of later money; returns their worth in study currency.

    Shares in all never exceed the indemnity: earlier money fills it first. A share is paid over when the money has
    arrived and the indemnity has been paid, on ``paid_on``.
    """
    terms = plan.terms[at.programme]
    note_receipts(book, events, rates, clock.horizon, work, at, claim, terms.currency)
    day, money, share = work.day[at.group], work.money[at.group], work.share[at.group]
    uncapped = 0.0
    for e in range(claim.begin, claim.end):
        share[e] = 0.0
        if day[e] == NEVER:
            continue
        if terms.recovery_rule == TO_THE_OLDEST:
            share[e] = share_of_oldest(work, at, claim, cover.total, paid, e)
        else:
            share[e] = insurer_share(terms.recovery_rule, money[e], paid, cover.total, cover.debt)
        if events.paid_day[at.row, e] == NEVER:
            share[e] = after_costs(share[e], money[e], terms.recovery_costs, plan.recovery_cost)
        uncapped += share[e]
    shared = 0.0
    for e in range(claim.begin, claim.end):
        if day[e] == NEVER:
            continue
        due = share[e]
        if uncapped > paid:
            due = min(due, max(0.0, paid - sum_before(day, share, claim.begin, claim.end, e)))
        pay_day = max(day[e], paid_on)
        worth = due * policy_rate(rates, at.scenario, terms.currency, min(pay_day, clock.horizon))
        shared += worth
        if pay_day <= clock.horizon:
            rows.claim_cash[at.scenario, at.programme, clock.period_of_day[pay_day]] -= worth
            rows.indemnity_in_horizon[at.scenario, at.programme] -= worth
    return shared
