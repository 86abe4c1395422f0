"""The premium of one scenario: what it is charged on, bonus or malus, and when it is paid."""

from simulator.jit import NEVER, row
from simulator.policy.cover_kernels import limits_change_on, segment_at
from simulator.policy.formulas import policy_rate
from simulator.policy.premium_formulas import after_bonus, premium_adjustment, premium_due, premium_on_turnover


@row
def insurable_sale(plan, book, p, buyer, invoice):
    """Insurable turnover in study currency of a planned invoice: net of tax, within the policy period and a limit."""
    terms = plan.terms[p]
    issue = book.issue_day[invoice]
    if book.open_item[invoice] or not plan.eligible[p, invoice]:
        return 0.0
    if issue < terms.first_day or issue > terms.last_day:
        return 0.0
    k = segment_at(plan.segment, plan.cover[p, buyer], issue)
    if k < 0 or plan.segment[k].limit <= 0.0:
        return 0.0
    value = book.book_value[invoice]
    if not terms.vat_covered and book.vat[invoice] > 0.0:
        value -= value * (book.vat[invoice] / book.amount[invoice])
    return value


@row
def withheld_turnover(plan, book, p, buyer, withheld):
    """Insurable turnover in what was not shipped to a buyer: its last planned invoices, up to that book value."""
    if plan.cover[p, buyer].sold_whole:
        return withheld
    turnover = 0.0
    left = withheld
    for back in range(book.start[buyer + 1] - book.start[buyer]):
        invoice = book.start[buyer + 1] - 1 - back
        value = book.book_value[invoice]
        if left <= 0.5 * value or book.open_item[invoice]:
            break
        left -= value
        turnover += insurable_sale(plan, book, p, buyer, invoice)
    return turnover


@row
def turnover_after(plan, book, p, buyer, day):
    """Insurable turnover planned to be shipped to a buyer from a day on."""
    turnover = 0.0
    if day == NEVER:
        return turnover
    for invoice in range(book.start[buyer], book.start[buyer + 1]):
        if book.issue_day[invoice] >= day:
            turnover += insurable_sale(plan, book, p, buyer, invoice)
    return turnover


@row
def turnover_shipped(plan, book, events, clock, at):
    """Insurable turnover of the scenario, policy currency: as planned, less what was not shipped, less what was
    shipped after a limit was cancelled. What is withheld after a cancellation counts once."""
    p = at.programme
    terms = plan.terms[p]
    n_stopped = min(events.stopped_count[at.row], events.stopped_buyer.shape[1])
    turnover = terms.planned_turnover
    for k in range(n_stopped):
        buyer = events.stopped_buyer[at.row, k]
        if plan.cover[p, buyer].insurable:
            withheld = withheld_turnover(plan, book, p, buyer, events.stopped_value[at.row, k])
            turnover -= withheld * terms.turnover_rate
    if terms.change_intensity <= 0.0 or terms.change_to > 0.0:
        return turnover
    stopped = 0
    for k in range(min(events.weak_count[at.row], events.weak_buyer.shape[1])):
        buyer = events.weak_buyer[at.row, k]
        cover = plan.cover[p, buyer]
        if not cover.insurable or not plan.segment[cover.segments[0]].changes:
            continue
        uncovered = turnover_after(
            plan, book, p, buyer, limits_change_on(terms, events.weak_score[at.row, k], clock.horizon)
        )
        # both lists are in order of buyers
        while stopped < n_stopped and events.stopped_buyer[at.row, stopped] < buyer:
            stopped += 1
        if stopped < n_stopped and events.stopped_buyer[at.row, stopped] == buyer:
            uncovered -= withheld_turnover(plan, book, p, buyer, events.stopped_value[at.row, stopped])
        turnover -= max(0.0, uncovered) * terms.turnover_rate
    return turnover


@row
def month_end_balances(plan, balance, rates, at):
    """Sum of insurable receivables at the month ends of the policy period, policy currency at the day's rate."""
    terms = plan.terms[at.programme]
    total = 0.0
    for t in range(plan.month_ends.shape[1]):
        if plan.month_ends[at.programme, t] > 0.0:
            insurable = 0.0
            for k in range(plan.class_share.shape[1]):
                insurable += plan.class_share[at.programme, k] * balance[at.row, k, t]
            rate = policy_rate(rates, at.scenario, terms.currency, plan.period_start[t])
            total += plan.month_ends[at.programme, t] * insurable / rate
    return total


@row
def premium_base(plan, book, events, balance, rates, clock, at):
    """What the premium is a rate on: turnover, or month-end balances."""
    if plan.terms[at.programme].on_balance:
        return month_end_balances(plan, balance, rates, at)
    if events.stopped_count[at.row] == 0 and events.weak_count[at.row] == 0:
        return plan.terms[at.programme].planned_turnover
    return turnover_shipped(plan, book, events, clock, at)


@row
def bonus_of(plan, p, claims, premium):
    """Bonus or malus of a scenario: that of the first step whose claims ratio is not exceeded; the last is open."""
    steps = plan.terms[p].bonus_steps
    for k in range(steps - 1):
        if claims <= plan.bonus_ratio[p, k] * premium:
            return plan.bonus_change[p, k]
    return plan.bonus_change[p, steps - 1]


@row
def pay_premium(plan, rates, rows, at, base, claims):
    """Deposits in advance, fees on the first day, adjustment to what was insured at the end.

    Args:
        base: turnover or balances that the premium is a rate on.
        claims: indemnities of the scenario, policy currency.
    """
    s, p = at.scenario, at.programme
    terms = plan.terms[p]
    premium = premium_on_turnover(base, terms.premium_rate, terms.premium_minimum)
    if terms.bonus_steps > 0:
        premium = after_bonus(premium, bonus_of(plan, p, claims, premium))
    adjustment = premium_adjustment(premium, terms.premium_minimum, terms.premium_tax)
    for t in range(plan.instalment.shape[1]):
        cash = plan.instalment[p, t] * (1.0 + terms.premium_tax)
        if t == terms.fee_period:
            cash += terms.premium_fees * (1.0 + terms.premium_tax) + terms.untaxed_fees
        if t == terms.adjustment_period:
            cash += adjustment
        rows.premium_cash[s, p, t] = cash * policy_rate(rates, s, terms.currency, plan.period_start[t])
    if terms.currency < 0:
        rows.premium[s, p] = premium_due(premium, terms.premium_fees, terms.untaxed_fees, terms.premium_tax)
    else:
        for t in range(plan.instalment.shape[1]):
            rows.premium[s, p] += rows.premium_cash[s, p, t]
