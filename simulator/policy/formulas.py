"""The terms of a trade credit insurance policy, one formula each, as a claims handler would check them.

Money is in policy currency, days count from the ledger's date, ``NEVER`` is no day at all. Each wording
(:func:`percent_first`, :func:`deductible_first`) applies the same terms in its own order to one claim and returns
what every term took, in the order of the waterfall, ending with the indemnity. Sources in square brackets are those
of docs/MODEL.md.
"""

from simulator.jit import NEVER, scalar

#: Codes of the wordings, as kept in ``PolicyPlan.order``.
PERCENT_FIRST = 0
DEDUCTIBLE_FIRST = 1

# --- when ------------------------------------------------------------------------------------------------------------


@scalar
def protracted_loss_day(due_day, waiting_days, paid_day):
    """Day on which an invoice's waiting period expires while it is still unpaid; NEVER if it was paid by then.

    The clock runs from the due date (the most frequent clause; Atradius, "date of loss" [S3]). Payment on the day
    itself comes before the claim. Not asked of known losses (:func:`is_known_loss`), so the day is 1 or later.

    Worked number: due day 70, waiting 182 days, paid on day 300 → day 252; paid on day 252 → NEVER.
    """
    day = due_day + waiting_days
    return day if paid_day > day else NEVER


@scalar
def date_of_loss(insolvency_day, protracted_day):
    """Date of loss: the insolvency, or the end of the first waiting period, whichever comes first [S3].

    Worked number: insolvent on day 300, waiting period over on day 252 → 252.
    """
    return insolvency_day if insolvency_day <= protracted_day else protracted_day


@scalar
def is_claimed(issue_day, paid_day, loss_day):
    """Whether an invoice is part of the debt on the date of loss: issued by then and not paid by then.

    Worked number: issued day 14, paid on day 140, date of loss 70 → True; date of loss 140 → False.
    """
    return issue_day <= loss_day and paid_day > loss_day


@scalar
def is_lost_unclaimed(issue_day, paid_day, lost_on, loss_day):
    """Whether a debt is lost that no claim holds: shipped after its buyer's date of loss, or its buyer has no claim.

    ``lost_on`` is the day the debt is lost (NEVER if it is not), ``loss_day`` the date of loss of its buyer's claim
    (NEVER without one). What is shipped to a buyer after the date of loss is at the policyholder's own risk.

    Worked number: date of loss 70, lost on day 300: issued on day 71 → True; issued on day 14 → False, it is claimed.
    """
    return lost_on != NEVER and not is_claimed(issue_day, paid_day, loss_day)


@scalar
def claim_key(loss_day, buyer_rank):
    """Sort key of a claim: by date of loss, then by rank of the buyer's id; buyers without a claim (NEVER) come last.

    Worked number: day 14, rank 3 → 14·2³² + 3 = 60129542147.
    """
    return loss_day * 4294967296 + buyer_rank


# --- how much --------------------------------------------------------------------------------------------------------


@scalar
def is_known_loss(due_day, waiting_days):
    """Whether an invoice's waiting period was over on the ledger's date, day 0, while it was unpaid.

    Its date of loss is before cover began, and insurers exclude what is long overdue at inception (MSIG: buyers overdue
    by more than 90 days on the policy's first day [S130]). A planned invoice, shipped on day 1 or later, never is one.

    Worked number: waiting 180 days: due on day -180 → True; due on day -179 → False, its loss is on day 1.
    """
    return due_day + waiting_days <= 0


@scalar
def is_eligible(disputed, open_item, covers_open_items):
    """Whether an invoice is insurable: not disputed, and not older than the policy where that covers new ones only.

    Source: cover is suspended while a debt is disputed (Atradius [S39]); risk-attaching policies cover shipments of
    the policy period [S40].
    Worked number: an undisputed open item is eligible if open items are covered, else not.
    """
    return not disputed and (covers_open_items or not open_item)


@scalar
def covered_debt(eligible_debt, credit_limit):
    """The debt up to the buyer's credit limit; what is above it is the policyholder's own risk.

    Source: Atradius, limit 100,000 and debt 120,000 → 20,000 uncovered [S9]; HKECIC, % × min(loss, limit) [S18].
    Worked number: debt 100,000 under a limit of 90,000 → 90,000.
    """
    return eligible_debt if eligible_debt < credit_limit else credit_limit


@scalar
def qualifies(covered, non_qualifying_loss):
    """Whether a loss is large enough to count: a franchise, equality qualifies, and then the whole loss counts.

    Source: gate on the covered loss before the percentage, a claims engine's "Allianz Trade practice" [S31]; full
    indemnity above the threshold, UK broker [S29]. (Atradius lets equality fail [S3].)
    Worked number: threshold 5,000: 4,999.99 does not count, 5,000 counts in full.
    """
    return covered >= non_qualifying_loss


@scalar
def after_percentage(loss, insured_percentage):
    """The insurer's share of a loss; the rest is co-insurance.

    Source: HKECIC, loss × percentage [S18]; Allianz Trade CH, 90 % named and 80 % self-checked limits [S5].
    Worked number: 90 % of 90,000 = 81,000.
    """
    return loss * insured_percentage


@scalar
def after_each_and_every(loss, each_and_every_first_loss):
    """A claim after the amount the policyholder bears on each buyer, not below zero.

    Source: "an amount taken from each and every claim payment" [S28]; Allianz Trade CH, deductible per buyer [S5].
    Worked number: 81,000 less 1,000 = 80,000; 800 less 1,000 = 0.
    """
    return loss - each_and_every_first_loss if loss > each_and_every_first_loss else 0.0


@scalar
def absorbed_by_aggregate_first_loss(loss, remaining):
    """The part of a loss that the policyholder's annual first loss still takes.

    Source: "total approved claims during an insurance period borne by insured before indemnification" [S2b].
    Worked number: 80,000 with 20,000 left → 20,000 absorbed, 60,000 goes on; the next claim finds nothing left.
    """
    return loss if loss < remaining else remaining


@scalar
def capped_by_maximum_liability(loss, remaining):
    """A claim cut to what is left of the insurer's maximum liability in the period; always the last step [S31][S40].

    Worked number: 71,000 with 59,400 left of 128,000 → 59,400.
    """
    return loss if loss < remaining else remaining


@scalar
def percent_first(covered, non_qualifying_loss, insured_percentage, each_and_every, first_loss_left, liability_left):
    """Wording W1: covered debt → gate → × percentage → − each-and-every → − aggregate first loss → cap.

    Source: Coface, "indemnifiable loss × percentage of cover … less any excesses/deductible" [S48]; gate as in a
    claims engine with tests [S31]. The aggregate first loss is eroded by what it absorbs, after percentage and
    each-and-every.

    Returns:
        what each term takes: non-qualifying, co-insurance, each-and-every, aggregate first loss, maximum liability;
        then the indemnity. Their sum is the covered debt.

    Worked number: covered 100,000, gate 1,000, 90 %, each-and-every 2,500, 20,000 of the first loss left, no cap
    → 0, 10,000, 2,500, 20,000, 0 and 67,500 paid.
    """
    if not qualifies(covered, non_qualifying_loss):
        return covered, 0.0, 0.0, 0.0, 0.0, 0.0
    insured = after_percentage(covered, insured_percentage)
    claim = after_each_and_every(insured, each_and_every)
    absorbed = absorbed_by_aggregate_first_loss(claim, first_loss_left)
    payable = claim - absorbed
    paid = capped_by_maximum_liability(payable, liability_left)
    return 0.0, covered - insured, insured - claim, absorbed, payable - paid, paid


@scalar
def deductible_first(covered, non_qualifying_loss, insured_percentage, each_and_every, first_loss_left, liability_left):
    """Wording W2: covered debt → gate → − each-and-every → − aggregate first loss → × percentage → cap.

    Source: Crediv losses-occurring form, "insured percentage of loss in excess of the deductible" [S40]; AIG Canada
    [S49]; Loss Models 8.5, coinsurance applied last [S50]. The aggregate first loss is eroded by ground-up amounts,
    before the percentage. It is the order of excess-of-loss policies too [S12][S42].

    Returns:
        as :func:`percent_first`.

    Worked number: covered 100,000, gate 1,000, 90 %, each-and-every 2,500, 20,000 of the first loss left, no cap
    → 0, 7,750, 2,500, 20,000, 0 and 69,750 paid.
    """
    if not qualifies(covered, non_qualifying_loss):
        return covered, 0.0, 0.0, 0.0, 0.0, 0.0
    claim = after_each_and_every(covered, each_and_every)
    absorbed = absorbed_by_aggregate_first_loss(claim, first_loss_left)
    excess = claim - absorbed
    payable = after_percentage(excess, insured_percentage)
    paid = capped_by_maximum_liability(payable, liability_left)
    return 0.0, excess - payable, covered - claim, absorbed, payable - paid, paid


@scalar
def apply_wording(
    order, covered, non_qualifying_loss, insured_percentage, each_and_every, first_loss_left, liability_left
):
    """One claim under the wording with code ``order``; arguments and result as in :func:`percent_first`.

    Worked number: covered 50,000, 90 %, each-and-every 5,000 → 40,000 paid by order 0, 40,500 by order 1.
    """
    if order == PERCENT_FIRST:
        return percent_first(
            covered, non_qualifying_loss, insured_percentage, each_and_every, first_loss_left, liability_left
        )
    return deductible_first(
        covered, non_qualifying_loss, insured_percentage, each_and_every, first_loss_left, liability_left
    )


# --- afterwards ------------------------------------------------------------------------------------------------------


@scalar
def insurer_share(money, indemnity, debt):
    """The insurer's part of money received on a claimed debt, in proportion to what it paid of that debt.

    Rule R1: recovery × claim paid / total indebtedness at the date of loss (HKECIC [S53]).
    Worked number: dividend 12,000, indemnity 60,000, debt 120,000 → 6,000.
    """
    return money * indemnity / debt


@scalar
def receipt_day(paid_day, loss_day, recovery_lag):
    """Day on which later money arrives on a debt: its late payment, or its recovery; NEVER if nothing comes.

    Worked number: paid on day 300 → 300; lost on day 70 with recoveries after 364 days → 434.
    """
    if paid_day != NEVER:
        return paid_day
    return loss_day + recovery_lag if loss_day != NEVER else NEVER


@scalar
def receipt_amount(amount, paid_day, recovery):
    """Money that arrives on that day, in the invoice's currency: all of it when paid late, else the recovered part.

    Worked number: 120,000 lost with a recovery rate of 10 % → 12,000.
    """
    return amount if paid_day != NEVER else amount * recovery


@scalar
def share_of_policy_year(horizon_days):
    """The part of a policy year (52 weeks) that the horizon is, at most 1: the minimum premium is due pro rata.

    A minimum is agreed "per specified period" (Coface glossary [S131]); here that is the policy year.

    Worked number: 91 days → 0.25; 364 days or 365 → 1.
    """
    return horizon_days / 364.0 if horizon_days < 364 else 1.0


@scalar
def premium_on_turnover(turnover, rate, minimum):
    """Premium before fees and tax: rate on insurable turnover, at least the minimum premium [S34][S35].

    Turnover and minimum are those of one period of time: of the horizon, or of the policy year.

    Worked number: 0.5 % of 220,000 = 1,100, minimum 3,200 → 3,200.
    """
    premium = rate * turnover
    return premium if premium > minimum else minimum


@scalar
def premium_due(turnover, rate, minimum, fees, tax):
    """What the policy costs in all: premium and fees, with insurance premium tax on both [S35][S36].

    Worked number: turnover 220,000 at 0.5 %, minimum 3,200, fees 120, tax 10 % → 3,652.
    """
    return (premium_on_turnover(turnover, rate, minimum) + fees) * (1.0 + tax)


@scalar
def premium_adjustment(turnover, rate, minimum, tax):
    """Paid at the end of the period when declared turnover costs more than the deposit premium, with tax [S34].

    Worked number: 0.5 % of 1,000,000 = 5,000 against a minimum of 3,200 paid in advance, tax 10 % → 1,980.
    """
    return (premium_on_turnover(turnover, rate, minimum) - minimum) * (1.0 + tax)
