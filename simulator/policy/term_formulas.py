"""The terms of a trade credit insurance policy, one formula each, and the order they are applied in.

Each step of an order takes something off a claim. :func:`apply_terms` goes through the steps a policy lists and returns
what each term took, ending with what is payable. Sources in square brackets are those of docs/MODEL.md.

Wordings (:data:`simulator.policy.codes.WORDINGS`):

* W1 ``percent_first``: Coface, "indemnifiable loss × percentage of cover … less any excesses/deductible" [S48]; the
  gate as in a claims engine with tests [S31].
* W2 ``deductible_first``: Crediv, "insured percentage of loss in excess of the deductible" [S40]; AIG Canada [S49];
  Loss Models 8.5, co-insurance applied last [S50]. It is the order of excess-of-loss policies too [S12][S42].
* W3 ``minimum_retention``: the policyholder keeps the larger of a fixed amount and the uninsured percentage [S29].
"""

from simulator.jit import scalar
from simulator.policy.codes import (
    EACH_AND_EVERY_STEP,
    FIRST_LOSS_STEP,
    MINIMUM_RETENTION_STEP,
    MOST_STEPS,
    NO_STEP,
    NON_QUALIFYING_STEP,
    PERCENTAGE_STEP,
)


@scalar
def qualifies(covered, non_qualifying_loss, equality_fails):
    """Whether a loss is large enough to count: a franchise, and then the whole loss counts.

    Source: gate on the covered loss before the percentage, equality qualifies, a claims engine's "Allianz Trade
    practice" [S31]; full indemnity above the threshold, UK broker [S29]. Atradius lets equality fail [S3].
    Worked number: threshold 5,000: 4,999.99 does not count; 5,000 counts in full, or not where equality fails.
    """
    return covered > non_qualifying_loss or (covered == non_qualifying_loss and not equality_fails)


@scalar
def after_percentage(loss, insured_percentage):
    """The insurer's share of a loss; the rest is co-insurance.

    Source: HKECIC, loss × percentage [S18]; Allianz Trade CH, 90 % named and 80 % self-checked limits [S5].
    Worked number: 90 % of 90,000 = 81,000.
    """
    return loss * insured_percentage


@scalar
def after_deductible(loss, deductible):
    """A claim after a fixed amount the policyholder bears on each buyer, not below zero.

    Source: "an amount taken from each and every claim payment" [S28]; Allianz Trade CH, deductible per buyer [S5]. A
    non-qualifying loss that is deducted works the same way.
    Worked number: 81,000 less 1,000 = 80,000; 800 less 1,000 = 0.
    """
    return max(loss - deductible, 0.0)


@scalar
def after_minimum_retention(loss, minimum_retention, borne):
    """A claim after what the policyholder bears by then is topped up to the minimum retention, not below zero.

    So the policyholder keeps the larger of the two; in W3 what it bears by then is the co-insurance. Source: UK broker,
    debt 5,000, uninsured 15 % = 750, minimum retention 1,000 → 4,000 is paid [S29].
    Worked number: 4,250 after co-insurance of 750, minimum 1,000 → 4,000; after co-insurance of 1,200 nothing changes.
    """
    return after_deductible(loss, minimum_retention - borne) if minimum_retention > borne else loss


@scalar
def absorbed_by_first_loss(loss, remaining):
    """The part of a loss that the policyholder's annual first loss still takes.

    Source: "total approved claims during an insurance period borne by insured before indemnification" [S2b].
    Worked number: 80,000 with 20,000 left → 20,000 absorbed, 60,000 goes on; the next claim finds nothing left.
    """
    return loss if loss < remaining else remaining


@scalar
def erosion_of_first_loss(absorbed, covered, qualifying, ground_up, remaining):
    """What a claim uses up of the aggregate first loss: what it took of the claim, or the covered debt from ground up.

    Approved claims erode it in most wordings [S2b]; in an excess of loss ground-up losses may, without percentage and
    deductible [S12][S42]. Never more than is left.
    Worked number: covered 90,000, of which 81,000 after the percentage was absorbed, 100,000 left → 81,000 by approved
    claims, 90,000 ground up.
    """
    if not ground_up:
        return absorbed
    eroded = covered if qualifying else 0.0
    return eroded if eroded < remaining else remaining


@scalar
def capped_by_maximum_liability(loss, remaining):
    """A claim cut to what is left of the insurer's maximum liability in the period; always the last step [S31][S40].

    Worked number: 71,000 with 59,400 left of 128,000 → 59,400.
    """
    return loss if loss < remaining else remaining


@scalar
def apply_terms(terms, covered, insured_percentage, first_loss_left, liability_left):
    """One claim through the steps of a policy.

    A franchise looks at the covered debt, wherever it stands in the order; everything else takes its part of what the
    steps before it left.

    Args:
        terms: the policy's record of terms.
        covered: covered debt of the claim.
        insured_percentage: of its peril and limit.
        first_loss_left, liability_left: what earlier claims left of the aggregate first loss and the maximum liability.

    Returns:
        what each term takes: non-qualifying, co-insurance, each-and-every, minimum retention, aggregate first loss,
        maximum liability; then what is payable (these seven add up to the covered debt); then what the claim uses up
        of the aggregate first loss.

    Worked number: covered 100,000, gate 1,000, 90 %, each-and-every 2,500, 20,000 of the first loss left, no cap:
    W1 takes 0, 10,000, 2,500, 0, 20,000, 0 and pays 67,500; W2 takes 0, 7,750, 2,500, 0, 20,000, 0 and pays 69,750.
    """
    loss = covered
    non_qualifying = 0.0
    coinsurance = 0.0
    each_and_every = 0.0
    retention = 0.0
    absorbed = 0.0
    qualifying = True
    for k in range(MOST_STEPS):
        step = terms.steps[k]
        if step == NO_STEP:
            break
        before = loss
        if step == NON_QUALIFYING_STEP:
            if terms.non_qualifying_deducted:
                loss = after_deductible(loss, terms.non_qualifying_loss)
                non_qualifying = before - loss
            else:
                qualifying = qualifies(covered, terms.non_qualifying_loss, terms.equality_fails)
        elif step == PERCENTAGE_STEP:
            loss = after_percentage(loss, insured_percentage)
            coinsurance = before - loss
        elif step == EACH_AND_EVERY_STEP:
            loss = after_deductible(loss, terms.each_and_every_first_loss)
            each_and_every = before - loss
        elif step == MINIMUM_RETENTION_STEP:
            loss = after_minimum_retention(loss, terms.minimum_retention, covered - loss)
            retention = before - loss
        elif step == FIRST_LOSS_STEP:
            absorbed = absorbed_by_first_loss(loss, first_loss_left)
            loss = before - absorbed
    if not qualifying:
        return covered, 0.0, 0.0, 0.0, 0.0, 0.0, 0.0, 0.0
    payable = capped_by_maximum_liability(loss, liability_left)
    eroded = erosion_of_first_loss(absorbed, covered, qualifying, terms.eroded_ground_up, first_loss_left)
    return non_qualifying, coinsurance, each_and_every, retention, absorbed, loss - payable, payable, eroded
