"""Plain-Python twins of the formulas of simulator.policy, written from the wordings.

``terms`` is a record of a policy's terms.
"""

import math

from tests.twins.factors import normal_cdf
from tests.twins.fx import rate_on
from tests.twins.streams import uniform

NEVER = 2147483647
UNDISPUTED, UPHELD, EXCLUDED = range(3)
STEPS = ("non_qualifying", "percentage", "each_and_every", "minimum_retention", "first_loss")


# --- when ---


def event_loss_day(default_day, waiting_days):
    return NEVER if int(default_day) == NEVER else int(default_day) + int(waiting_days)


def protracted_loss_day(due_day, waiting_days, settlement_days, paid_day):
    expiry = int(due_day) + int(waiting_days)
    if int(paid_day) <= expiry + int(settlement_days):
        return NEVER
    return expiry


def held_up_loss_day(due_day, waiting_days, settlement_days, drawn_day, paid_day):
    expiry = int(due_day) + int(waiting_days)
    deposited, arrived = int(drawn_day) <= expiry, int(paid_day) <= expiry + int(settlement_days)
    return expiry if deposited and not arrived else NEVER


def date_of_loss(insolvency_day, protracted_day):
    return min(int(insolvency_day), int(protracted_day))


def is_claimed(issue_day, due_day, paid_day, loss_day, grace_days):
    if not int(issue_day) <= int(loss_day) < int(paid_day):
        return False
    return int(due_day) <= int(loss_day) or int(paid_day) == NEVER or int(paid_day) - int(due_day) > int(grace_days)


def still_owed(owed, left):
    return min(left, owed) / owed if owed > 0 else 1.0


def is_lost_unclaimed(issue_day, lost_on, loss_day):
    return int(lost_on) < NEVER and not int(issue_day) <= int(loss_day) < NEVER


def falls_in_period(loss_day, first_day, last_day, losses_occurring):
    if losses_occurring:
        return int(first_day) <= int(loss_day) <= int(last_day)
    return int(loss_day) >= int(first_day)


def claim_key(loss_day, buyer_rank):
    return int(loss_day) * 2**32 + int(buyer_rank)


def left_of_debt(amount, newer, outstanding):
    return max(0.0, min(amount, outstanding - newer))


# --- how much ---


def policy_rate(rates, scenario, currency, day):
    return 1.0 if currency < 0 else float(rate_on(rates, scenario, currency, day))


def conversion_day(rule, issue_day, month_end, due_day, loss_day, payment_day):
    days = {0: loss_day, 1: issue_day, 2: month_end, 3: due_day, 4: payment_day, 5: loss_day}
    return int(days[int(rule)])


def dispute_state(in_ledger, disputed_score, upheld_score, probability, upheld, suspended):
    if in_ledger or disputed_score < probability:
        return UPHELD if (suspended and upheld_score < upheld) else EXCLUDED
    return UNDISPUTED


def limit_after_change(limit, issue_day, effective_day, remains):
    if int(issue_day) >= int(effective_day):
        return 0.0 if remains == 0.0 else limit * remains
    return limit


def converted_limit(limit, rate_of_day_0, rate):
    return rate / rate_of_day_0 * limit


def additional_limit(limit, multiple, maximum):
    return min(limit * multiple, maximum) if limit > 0 and multiple > 0 else 0.0


def covered_debt(covered, debt, credit_limit):
    return min(covered + debt, max(credit_limit, covered))


def room_left(most, used):
    return max(0.0, most - used)


def happens(word, probability):
    return uniform(word) < probability


# --- terms ---


def qualifies(covered, non_qualifying_loss, equality_fails):
    return not (covered <= non_qualifying_loss if equality_fails else covered < non_qualifying_loss)


def after_percentage(loss, insured_percentage):
    return insured_percentage * loss


def after_deductible(loss, deductible):
    return max(loss - deductible, 0.0)


def after_minimum_retention(loss, minimum_retention, borne):
    return max(0.0, loss - max(0.0, minimum_retention - borne))


def absorbed_by_first_loss(loss, remaining):
    return min(loss, remaining)


def erosion_of_first_loss(absorbed, covered, qualifying, ground_up, remaining):
    if ground_up:
        return min(covered, remaining) if qualifying else min(0.0, remaining)
    return absorbed


def capped_by_maximum_liability(loss, remaining):
    return min(loss, remaining)


def apply_terms(terms, covered, insured_percentage, first_loss_left, liability_left):
    order = [STEPS[code] for code in terms.steps if code >= 0]
    franchise = "non_qualifying" in order and not terms.non_qualifying_deducted
    if franchise and not qualifies(covered, terms.non_qualifying_loss, terms.equality_fails):
        return covered, 0.0, 0.0, 0.0, 0.0, 0.0, 0.0, 0.0
    left, taken = covered, dict.fromkeys(STEPS, 0.0)
    for step in order:
        after = {
            "non_qualifying": left if franchise else max(left - float(terms.non_qualifying_loss), 0.0),
            "percentage": left * insured_percentage,
            "each_and_every": max(left - float(terms.each_and_every_first_loss), 0.0),
            "minimum_retention": after_minimum_retention(left, float(terms.minimum_retention), covered - left),
            "first_loss": left - min(left, first_loss_left),
        }[step]
        taken[step] = min(left, first_loss_left) if step == "first_loss" else left - after
        left = after
    payable = min(left, liability_left)
    eroded = min(covered, first_loss_left) if terms.eroded_ground_up else taken["first_loss"]
    return (
        taken["non_qualifying"],
        taken["percentage"],
        taken["each_and_every"],
        taken["minimum_retention"],
        taken["first_loss"],
        left - payable,
        payable,
        eroded,
    )


# --- afterwards ---


def lost_by_late_notice(payable, missed, reduction):
    return payable * reduction * bool(missed)


def insurer_score(driver, own, systemic):
    return math.sqrt(systemic) * driver + math.sqrt(1.0 - systemic) * own


def failure_day(score, intensity):
    if intensity <= 0.0:
        return NEVER
    days = -365.0 * math.log(normal_cdf(-score)) / intensity
    return NEVER if days > 36_500 else max(1, math.ceil(days))


def paid_by_insurer(owed, payment_day, failed_on, recovery):
    return owed * recovery if int(payment_day) >= int(failed_on) else owed


def receipt_day(paid_day, recovery_day):
    return int(paid_day) if int(paid_day) < NEVER else int(recovery_day)


def receipt_amount(amount, paid_day, recovery):
    return amount if int(paid_day) < NEVER else amount * recovery


def insurer_share(rule, money, indemnity, covered, debt):
    return {0: money * indemnity / debt, 1: money * covered / debt, 3: money}.get(int(rule), money * indemnity / debt)


def share_of_invoice(before, after, received_before, received, indemnity, covered, covered_of_invoice):
    on_it = min(received_before + received, after) - max(received_before, before)
    if on_it <= 0.0 or covered <= 0.0:
        return 0.0
    return on_it * (indemnity * covered_of_invoice / covered) / (after - before)


def after_costs(share, money, rule, cost_rate):
    if int(rule) == 0 or money <= 0.0 or cost_rate <= 0.0:
        return share
    gross = share / (1.0 - cost_rate)
    costs = money * cost_rate / (1.0 - cost_rate)
    return gross if int(rule) == 1 else max(0.0, gross - costs)


# --- premium ---


def share_of_policy_year(days):
    return min(1.0, int(days) / 364.0)


def premium_on_turnover(turnover, rate, minimum):
    return max(rate * turnover, minimum)


def after_bonus(premium, change):
    return premium * (1.0 + change)


def premium_due(premium, fees, untaxed_fees, tax):
    return (premium + fees) * (1.0 + tax) + untaxed_fees


def premium_adjustment(premium, deposits, tax):
    return (premium - deposits) * (1.0 + tax)


# --- claims in their order ---


def sort_claims(key, place, count):
    order = sorted(range(count), key=lambda i: key[i])
    keys = [key[i] for i in order]
    first = [place[i] for i in order]
    key[:count] = keys
    place[:count] = first
