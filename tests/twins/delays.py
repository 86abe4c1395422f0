"""Plain-Python twins of simulator.delays, written from the formulas."""

import math

from tests.twins.streams import inverse_normal, normal, normal_tail


def delay_score(standard_state, residual, buyer_effect, own_noise, systemic, credit, buyer, own):
    bad_times = -(systemic * standard_state)
    weak_buyer = credit * residual
    return bad_times - weak_buyer + buyer * buyer_effect + own * own_noise


def invoice_score(word, shared, own):
    return shared + own * normal(word)


def unpaid_score(score, unpaid):
    return -inverse_normal(normal_tail(score) * unpaid)


def payment_day(due_day, issue_day, delay_days, first_day):
    held = min(max(delay_days, -1e6), 1e6)
    return max(int(due_day) + math.floor(held + 0.5), int(issue_day), int(first_day))


def next_run(run_day, rule, run_offset, day):
    index = int(day) + int(run_offset)
    if 0 <= index < len(run_day[rule]):
        return int(run_day[rule][index])
    return int(day)
