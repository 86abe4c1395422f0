"""Plain-Python twins of simulator.delays, written from the formulas."""

import math

from tests.twins.streams import inverse_normal, normal, uniform


def delay_score(standard_state, residual, buyer_effect, own_noise, systemic, credit, buyer, own):
    bad_times = -(systemic * standard_state)
    weak_buyer = credit * residual
    return bad_times - weak_buyer + buyer * buyer_effect + own * own_noise


def own_noise(word, lower_score, shared, own):
    free = math.isinf(lower_score) and lower_score < 0
    if free or own <= 0:
        return normal(word)
    a = (lower_score - shared) / own
    survive = 1.0 - uniform(word)
    if a > 35:
        return a - math.log(survive) / a
    still_unpaid = 0.5 * math.erfc(a * (1.0 / math.sqrt(2.0)))
    return -inverse_normal(survive * still_unpaid)


def payment_day(due_day, issue_day, delay_days, first_day):
    held = min(max(delay_days, -1e6), 1e6)
    return max(int(due_day) + math.floor(held + 0.5), int(issue_day), int(first_day))


def next_run(run_day, rule, run_offset, day):
    index = int(day) + int(run_offset)
    if 0 <= index < len(run_day[rule]):
        return int(run_day[rule][index])
    return int(day)
