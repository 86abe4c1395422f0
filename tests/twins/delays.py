"""Plain-Python twins of simulator.delays, written from the formulas."""

import math

from tests.twins.streams import inverse_normal, normal


def delay_score(standard_state, residual, buyer_effect, own_noise, systemic, credit, buyer, own):
    bad_times = -(systemic * standard_state)
    weak_buyer = credit * residual
    return bad_times - weak_buyer + buyer * buyer_effect + own * own_noise


def _above(x):
    return 0.5 * math.erfc(x * (1.0 / math.sqrt(2.0)))


def unpaid_score(score, lower_score):
    if lower_score < -8:
        return score
    return -inverse_normal(_above(score) * _above(lower_score))


def own_noise(word, lower_score, shared, own):
    eta = normal(word)
    if own <= 0 or lower_score < -8:
        return eta
    return (unpaid_score(shared + own * eta, lower_score) - shared) / own


def payment_day(due_day, issue_day, delay_days, first_day):
    held = min(max(delay_days, -1e6), 1e6)
    return max(int(due_day) + math.floor(held + 0.5), int(issue_day), int(first_day))


def next_run(run_day, rule, run_offset, day):
    index = int(day) + int(run_offset)
    if 0 <= index < len(run_day[rule]):
        return int(run_day[rule][index])
    return int(day)
