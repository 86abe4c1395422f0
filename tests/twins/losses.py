"""Plain-Python twins of the formulas of the losses room."""

import math

from tests.twins.factors import normal_cdf
from tests.twins.streams import tabulated

NEVER = 2147483647


def protracted_day(due_day, after):
    return max(1, due_day + after)


def is_protracted(paid_day, due_day, after, default_day, horizon):
    counts_from = max(1, due_day + after)
    return bool(paid_day > due_day + after and counts_from <= horizon and counts_from < default_day)


def day_lost(paid_day, drawn_day, due_day, after, default_day, cured, horizon):
    """A debt is lost with its protracted default if nothing heals that, and else with its buyer."""
    heals = (cured and paid_day != NEVER) or drawn_day - due_day <= after
    if is_protracted(paid_day, due_day, after, default_day, horizon) and not heals:
        return protracted_day(due_day, after)
    return default_day if default_day < paid_day else NEVER


def standard_state(common, systematic_share):
    if systematic_share > 0:
        return common / math.sqrt(systematic_share)
    return 0.0


def recovery_rate(table, row, state, noise, systematic):
    return tabulated(table, row, systematic * state + math.sqrt(1.0 - systematic * systematic) * noise)


def cost_of_lateness(book_value, due_day, end_day, annual_rate):
    late = end_day - max(due_day, 0)
    return book_value * annual_rate / 365.0 * late if late > 0 else 0.0


def within(day, horizon):
    return day != NEVER and day <= horizon


def limit_score(standard_state, residual, own_noise, systemic, credit, own):
    return systemic * standard_state + credit * residual + own * own_noise


def limit_change_day(score, intensity, horizon):
    """The first whole day by which an exponential time, told by its survival probability, is over."""
    if intensity <= 0 or score >= 9.0:
        return NEVER
    survival = normal_cdf(-score)
    days = -365.0 * math.log(survival) / intensity
    return NEVER if days > horizon else max(1, math.ceil(days))


def payer_rank(score, systemic, credit, buyer):
    shared = math.sqrt(systemic * systemic + credit * credit + buyer * buyer)
    return normal_cdf(score / shared) if shared > 0 else -1.0


def chased_day(day, due_day, first_day, row, stage_after, stage_factor):
    """Lateness told as a walk: so many drawn days are left, and each stage reached makes the next ones shorter."""
    start = max(due_day, 0)
    if day == NEVER or day <= start:
        return day
    stages = [(float(a), float(f)) for a, f in zip(stage_after[row], stage_factor[row], strict=True)]
    at, left, pace = float(start - due_day), float(day - start), 1.0
    while stages:
        border, next_pace = stages.pop(0)
        if border > at:
            if left * pace <= border - at:
                break
            left -= (border - at) / pace
            at = border
        pace = next_pace
    return max(first_day, due_day + math.floor(at + left * pace + 0.5))


def advance_interest(advance, days, annual_rate):
    return advance * annual_rate * days / 365.0


def fine_uniform(byte, word):
    return (int(byte) + (int(word) + 0.5) / 2**32) / 256


def scaled(factor, value):
    return int(factor) * int(value) // 65536


def byte_bound(line, most, gain, none, one):
    y = min(max(int(line), 0), int(most)) * int(gain) * 2  # in 2¹⁵
    square = min(y * y // 2**18 + 1, 4095)
    return square * square // 2**16


def limit_on(limit, change_to, change_day, day):
    if day >= change_day:
        return 0.0 if change_to == 0 else change_to * limit
    return limit


def covered_more(value, covered, limit):
    return max(0.0, min(value, limit - covered))


def is_cross_aged(aged, debt, share):
    return aged > 0 and aged >= share * debt


def within_liability(counted, weight, left):
    return counted if weight * counted <= left else math.floor(1024 * (left / weight)) / 1024


def not_covered(owed, counted):
    return max(owed - counted, 0.0)
