"""When a loss happens and how much of a debt is covered, one formula each, as a claims handler would check them.

Money is in policy currency, days count from the ledger's date, ``NEVER`` is no day at all. Sources in square brackets
are those of docs/MODEL.md. What terms take of covered debt is in :mod:`~simulator.policy.term_formulas`, what happens
after the indemnity in :mod:`~simulator.policy.recovery_formulas`.
"""

from simulator.fx.formulas import rate_on
from simulator.jit import NEVER, scalar
from simulator.policy.codes import (
    AT_DUE_DATE,
    AT_INVOICE_DATE,
    AT_MONTH_END,
    AT_PAYMENT,
    EXCLUDED,
    UNDISPUTED,
    UPHELD,
)
from simulator.streams import uniform

# --- when ------------------------------------------------------------------------------------------------------------


@scalar
def event_loss_day(default_day, waiting_days):
    """Date of loss of an insolvency or a frustrated contract: the event and its waiting period; NEVER without one.

    Most wordings wait none for an insolvency; contract frustration waits 180 days and more (Lloyd's [S16]).

    Worked number: insolvent on day 70, no waiting → 70; frustrated on day 70, 180 days → 250.
    """
    return default_day + waiting_days if default_day != NEVER else NEVER


@scalar
def protracted_loss_day(due_day, waiting_days, settlement_days, paid_day):
    """Day on which a waiting period expires of an invoice that is not paid before the indemnity is; else NEVER.

    ``waiting_days`` run from the due date (the most frequent clause; Atradius, "date of loss" [S3]) or include the
    days until overdue notice (Coface [S25]) or collection (Prisma [S26]). The indemnity is due ``settlement_days``
    later; an invoice that the buyer has paid by then, that day included, brings about no claim. Not asked of known
    losses, so the day is 1 or later.

    Worked number: due day 70, waiting 182 days, settlement 30: paid on day 300 → day 252; paid on day 282 → NEVER.
    """
    day = due_day + waiting_days
    return day if paid_day > day + settlement_days else NEVER


@scalar
def held_up_loss_day(due_day, waiting_days, settlement_days, drawn_day, paid_day):
    """Day on which the waiting period expires of a debt that only a transfer event holds up; else NEVER.

    The buyer has deposited the money (``drawn_day``) by the end of the waiting period, but its country lets it out
    (``paid_day``) after the day the indemnity is due: the peril is transfer, "events that prevent or delay the transfer
    of payments deposited by the debtor" (Atradius [S3]), not protracted default.

    Worked number: due 70, waiting 182 days → day 252, settlement 30: deposited on day 80, released on day 290 → 252;
    released on day 282 → NEVER; deposited on day 253 → NEVER, that is a protracted default.
    """
    day = due_day + waiting_days
    return day if drawn_day <= day and paid_day > day + settlement_days else NEVER


@scalar
def date_of_loss(insolvency_day, protracted_day):
    """Date of loss: that of the insolvency, or the end of the first waiting period, whichever comes first [S3].

    Worked number: insolvent on day 300, waiting period over on day 252 → 252.
    """
    return insolvency_day if insolvency_day <= protracted_day else protracted_day


@scalar
def is_claimed(issue_day, due_day, paid_day, loss_day, grace_days):
    """Whether a claim holds an invoice: issued by the date of loss and unpaid then.

    What is not yet due then is no loss unless it stays unpaid as well, until its own waiting period and settlement,
    ``grace_days``, are over. What is never paid is held, as all debts of an insolvency are.

    Worked number: issued day 14, due day 60, paid on day 140, 210 days: date of loss 70 → True; date of loss 140 or 13
    → False; date of loss 50 → False, but True if paid on day 271.
    """
    if issue_day > loss_day or paid_day <= loss_day:
        return False
    return due_day <= loss_day or paid_day == NEVER or paid_day > due_day + grace_days


@scalar
def still_owed(owed, left):
    """Part of the debt of the date of loss that is still owed when the indemnity is due.

    Money received after the date of loss is shared pro rata by what policyholder and insurer bear of the debt
    [S3b][S27]; what comes before the indemnity is taken off the claim so, before any first loss.

    Worked number: of 200,000 owed on the date of loss 60,000 are paid before the indemnity is due → 0.7: under a limit
    of 100,000 the covered debt is 70,000.
    """
    return left / owed if left < owed else 1.0


@scalar
def is_lost_unclaimed(issue_day, lost_on, loss_day):
    """Whether a debt is lost that no claim holds: shipped after its buyer's date of loss, or its buyer has no claim.

    ``lost_on`` is the day the debt is lost (NEVER if it is not), ``loss_day`` the date of loss of its buyer's claim
    (NEVER without one). What is shipped to a buyer after the date of loss is at the policyholder's own risk.

    Worked number: date of loss 70, lost on day 300: issued on day 71 → True; issued on day 14 → False, it is claimed.
    """
    return lost_on != NEVER and (issue_day > loss_day or loss_day == NEVER)


@scalar
def falls_in_period(loss_day, first_day, last_day, losses_occurring):
    """Whether a policy answers for a date of loss: not before its first day; by its last if it covers losses occurring.

    "Date of Loss occurs during the Policy Period" (Crediv [S40]); a risk-attaching policy runs off its shipments.

    Worked number: period of days 1 to 365, loss on day 400 → True risk attaching, False losses occurring.
    """
    return first_day <= loss_day and (loss_day <= last_day or not losses_occurring)


@scalar
def claim_key(loss_day, buyer_rank):
    """Sort key of a claim: by date of loss, then by rank of the buyer's id; buyers without a claim (NEVER) come last.

    Worked number: day 14, rank 3 → 14·2³² + 3 = 60129542147.
    """
    return loss_day * 4294967296 + buyer_rank


@scalar
def left_of_debt(amount, newer, outstanding):
    """What is left of an invoice when payments fill the oldest first: the newest invoices make up what is outstanding.

    ``newer`` is the amount of the buyer's newer invoices. Atradius applies money received before the date of loss to
    the oldest invoice [S27], HKECIC "even if the buyer indicated otherwise" [S52].

    Worked number: 110,000 with 22,000 of newer invoices, 110,000 outstanding in all → 88,000 left.
    """
    left = outstanding - newer
    if left <= 0.0:
        return 0.0
    return left if left < amount else amount


# --- how much --------------------------------------------------------------------------------------------------------


@scalar
def policy_rate(rates, scenario, currency, day):
    """Study currency per unit of the policy's currency on a day; 1 for a policy in study currency (negative index).

    Worked number: a policy in USD when a dollar costs 0.92 → 0.92.
    """
    return rate_on(rates, scenario, currency, day) if currency >= 0 else 1.0


@scalar
def conversion_day(rule, issue_day, month_end, due_day, loss_day, payment_day):
    """Day whose rate turns a debt into policy currency.

    A real programme: mid rate of the last working day of the month in which cover started [S30]; other lines: date
    of loss [S63]. ``lower_of`` compares two days and is told the date of loss here.

    Worked number: issued day 9, its month ends on day 20, due day 39, date of loss 219, payment day 249
    → shipment_month_end 20, payment_date 249.
    """
    if rule == AT_INVOICE_DATE:
        return issue_day
    if rule == AT_MONTH_END:
        return month_end
    if rule == AT_DUE_DATE:
        return due_day
    return payment_day if rule == AT_PAYMENT else loss_day


@scalar
def dispute_state(in_ledger, disputed_score, upheld_score, probability, upheld, suspended):
    """What a dispute does to an unpaid invoice: 0 undisputed, 1 settled for the seller (covered later), 2 not covered.

    Cover is suspended while a debt is disputed (Atradius [S39]) and revives with a final judgment or settlement
    (HKECIC [S18], Crediv [S40]); a policy that excludes disputed debts never covers them. The scores are uniform.

    Worked number: not disputed in the ledger, scores 0.03 and 0.4, probability 5 %, upheld 50 % → 1 if suspended,
    else 2; score 0.07 → 0.
    """
    if not in_ledger and disputed_score >= probability:
        return UNDISPUTED
    return UPHELD if suspended and upheld_score < upheld else EXCLUDED


@scalar
def limit_after_change(limit, issue_day, effective_day, remains):
    """Limit for a shipment when the insurer changes it from a day on; earlier shipments stay covered (Atradius [S11]).

    Worked number: 100,000 reduced to 40 % from day 60: issued day 59 → 100,000; issued day 60 → 40,000.
    """
    if issue_day < effective_day:
        return limit
    return limit * remains if remains > 0.0 else 0.0


@scalar
def converted_limit(limit, rate_of_day_0, rate):
    """A limit in policy currency on the day whose rate converts the debt; ``limit`` is what it is worth on day 0.

    So a debt in the limit's own currency that is within it stays within, wherever rates go. Rates are units of policy
    currency for one of the limit's.

    Worked number: USD 50,000 were 45,000 at 0.90; the dollar costs 0.80 on the debt's day → 40,000.
    """
    return limit * (rate / rate_of_day_0)


@scalar
def additional_limit(limit, multiple, maximum):
    """Limit of the top-up insurer above a named one: so many times the first, at most a maximum (Allianz CAP [S37]).

    Worked number: named 50,000, once, at most 40,000 → 40,000; no named limit, no top-up.
    """
    if limit <= 0.0 or multiple <= 0.0:
        return 0.0
    more = limit * multiple
    return more if more < maximum else maximum


@scalar
def covered_debt(covered, debt, credit_limit):
    """Covered debt of a buyer with one more invoice: up to the limit at its issue, in order of issue.

    What is above the limit is the policyholder's own risk. Source: Atradius, limit 100,000 and debt 120,000 → 20,000
    uncovered [S9]; HKECIC, % × min(loss, limit) [S18]; after a reduction new shipments are covered only while the
    total is within the new limit [S11].
    Worked number: 60,000 covered so far and 60,000 more under a limit of 90,000 → 90,000; under one of 50,000 → 60,000.
    """
    return min(covered + debt, max(credit_limit, covered))


@scalar
def room_left(most, used):
    """What is left of a limit that several buyers share, such as a country's maximum; nothing below zero.

    Worked number: 500,000 of which earlier claims used 420,000 → 80,000.
    """
    return most - used if most > used else 0.0


@scalar
def happens(word, probability):
    """Whether something of a given chance happens in a scenario: its uniform number lies below the probability.

    Worked number: word 2³¹ (0.5) at 60 % → True, at 50 % → False.
    """
    return uniform(word) < probability
