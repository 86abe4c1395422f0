"""What happens once a claim is payable: late notices, an insurer that fails, recoveries and who gets them.

Money is in policy currency. Sources in square brackets are those of docs/MODEL.md.
"""

import math

from simulator.factors.formulas import normal_cdf
from simulator.jit import NEVER, scalar
from simulator.policy.codes import BY_COVERED_DEBT, COSTS_INSURER, COSTS_SHARED, INSURER_FIRST


@scalar
def lost_by_late_notice(payable, missed, reduction):
    """Part of an indemnity that is lost because overdue debts were notified too late.

    Overdue debts are to be reported within days (Atradius: 30 after the maximum extension period [S3]; HKECIC: five
    business days once 60 days unpaid [S18]); how much a breach costs is the insurer's choice.
    Worked number: 60,000 payable, missed, reduced by half → 30,000 lost.
    """
    return payable * reduction if missed else 0.0


@scalar
def insurer_score(driver, own, systemic):
    """Latent variable of the insurer, N(0, 1), low is bad: tied to the global driver by a variance share.

    Worked number: driver -2, own 0, share 0.25 → -1.
    """
    return math.sqrt(systemic) * driver + math.sqrt(1.0 - systemic) * own


@scalar
def failure_day(score, intensity):
    """Day on which the insurer fails: -log(1 - Φ(score)) / intensity years of 365 days, rounded up, at least 1.

    Worked number: intensity 0.1 a year, score 0 → ln 2 / 0.1 = 6.93 years → day 2530; not within 100 years: NEVER.
    """
    if intensity <= 0.0:
        return NEVER
    days = -365.0 * math.log(normal_cdf(-score)) / intensity
    return max(1, math.ceil(days)) if days <= 36500.0 else NEVER


@scalar
def paid_by_insurer(owed, payment_day, failed_on, recovery):
    """What arrives of an indemnity: all of it, or what the estate pays of it once the insurer has failed.

    Worked number: 60,000 due on day 100, failed on day 90, estate pays 40 % → 24,000.
    """
    return owed if payment_day < failed_on else owed * recovery


@scalar
def receipt_day(paid_day, recovery_day):
    """Day on which later money arrives on a debt: its late payment, or its recovery; NEVER if nothing comes.

    Worked number: paid on day 300 → 300; lost with a recovery on day 434 → 434.
    """
    return paid_day if paid_day != NEVER else recovery_day


@scalar
def receipt_amount(amount, paid_day, recovery):
    """Money that arrives on that day, in the invoice's currency: all of it when paid late, else the recovered part.

    Worked number: 120,000 lost with a recovery rate of 10 % → 12,000.
    """
    return amount if paid_day != NEVER else amount * recovery


@scalar
def insurer_share(rule, money, indemnity, covered, debt):
    """The insurer's part of money received on a claimed debt.

    R1 by indemnity: recovery × claim paid / total indebtedness at the date of loss (HKECIC [S53]). R2 by covered debt:
    the insured part of the debt gets its part of the recovery, and all of that goes to the insurer (UK broker [S54]).
    R4 insurer first: everything. (R3, to the oldest invoices, is R1 for each invoice: :func:`share_of_invoice`.) The
    sum never exceeds the indemnity; see the kernel.

    Worked number: dividend 12,000, indemnity 60,000, covered 90,000 of a debt of 120,000 → R1 6,000, R2 9,000,
    R4 12,000.
    """
    if rule == INSURER_FIRST:
        return money
    if rule == BY_COVERED_DEBT:
        return money * covered / debt
    return money * indemnity / debt


@scalar
def share_of_invoice(before, after, received_before, received, indemnity, covered, covered_of_invoice):
    """R3: the insurer's part of money that fills the oldest invoices first, as far as it falls on one invoice.

    The invoice takes the money between ``before`` and ``after``, the debt of older invoices without and with its own;
    the money is what comes after ``received_before``. Its part of the indemnity is in proportion to its covered debt.

    Worked number: two invoices of 60,000, the older one covered in full, the younger with 30,000 of its debt; paid
    60,000. Money of 12,000 all falls on the older one: 12,000 × (60,000 × 60/90) / 60,000 = 8,000; on the younger 0.
    """
    low = max(received_before, before)
    high = min(received_before + received, after)
    if high <= low or covered <= 0.0:
        return 0.0
    return (high - low) * (indemnity * covered_of_invoice / covered) / (after - before)


@scalar
def after_costs(share, money, rule, cost_rate):
    """The insurer's share once it is settled who bears the costs of recovering, already taken off the money received.

    shared: each bears those of its own share (Atradius [S27]); policyholder: the insurer gets its share of the money
    before costs; insurer: it bears them all (costs of covered claims are the insurer's [S27]).

    Worked number: recovered 10,000, costs 10 %, received 9,000, half of it the insurer's: 4,500 shared; 5,000 if the
    policyholder bears them; 4,000 if the insurer does.
    """
    if rule == COSTS_SHARED or money <= 0.0 or cost_rate <= 0.0:
        return share
    before_costs = share / (1.0 - cost_rate)
    if rule == COSTS_INSURER:
        return max(0.0, before_costs - money * cost_rate / (1.0 - cost_rate))
    return before_costs
