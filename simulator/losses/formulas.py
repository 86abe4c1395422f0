"""Formulas of the losses room: when lateness is loss, what a debt is worth, what late payment costs.

The last ones are about safer terms of trade: limits that are taken back, payments chased, receivables sold.
"""

import math

import numpy as np

from simulator.constants import NO_SCORE
from simulator.factors.formulas import normal_cdf
from simulator.jit import NEVER, scalar
from simulator.streams import tabulated


@scalar
def protracted_day(due_day, after):
    """First day on which an unpaid invoice counts as a protracted default; at the earliest day 1.

    Worked value: due on day 20, 180 days → day 200. An open item due on day -300 → day 1.
    """
    day = due_day + after
    return day if day > 1 else 1


@scalar
def is_protracted(paid_day, due_day, after, default_day, horizon):
    """Whether an invoice is still unpaid ``after`` days past due, within the horizon, its buyer not insolvent before.

    Worked value: due 20, paid 250, after 180, never insolvent, horizon 364 → True (day 200).
    """
    day = due_day + after
    first = day if day > 1 else 1
    return paid_day > day and first <= horizon and first < default_day


@scalar
def standard_state(common, systematic_share):
    """The buyer's common part scaled to variance 1, or 0 where nothing is common. 0.3 at share 0.09 → 1."""
    return common / np.sqrt(systematic_share) if systematic_share > 0.0 else 0.0


@scalar
def recovery_rate(table, row, state, noise, systematic):
    """Recovery rate in [0, 1] at the normal score ``systematic·state + √(1 - systematic²)·noise``.

    Bad states are low, so a systematic weight above 0 lowers recoveries when many fail. With systematic 0 and
    noise 0 it is the median of the tabulated Beta law.
    """
    return tabulated(table, row, systematic * state + np.sqrt(1.0 - systematic * systematic) * noise)


@scalar
def cost_of_lateness(book_value, due_day, end_day, annual_rate):
    """Money cost of the days from due date (or day 0) to the end, at a simple annual rate of 365 days.

    Worked value: 36,500 paid 10 days late at 6 % → 60.
    """
    return book_value * annual_rate / 365.0 * max(end_day - max(due_day, 0), 0)


@scalar
def within(day, horizon):
    """Whether something happens on a day of the simulated horizon, 1 … horizon (earlier days count as day 1)."""
    return day != NEVER and day <= horizon


@scalar
def limit_score(standard_state, residual, own_noise, systemic, credit, own):
    """V = √r_s·S + √r_c·ε + √(1 − r_s − r_c)·ζ, the normal score of a limit change; low is early.

    Args:
        standard_state: S, the buyer's common state scaled to variance 1; low is bad.
        residual: ε, the buyer's own part of its latent credit variable; low is bad.
        own_noise: ζ, what the insurer knows beside both.
        systemic, credit, own: the three weights (square roots of the variance shares).

    Worked number: S = −1, ε = −2, ζ = 0.5 with shares 0.36, 0.25 → −0.6 − 1 + √0.39·0.5 = −1.2877501.
    """
    return systemic * standard_state + credit * residual + own * own_noise


@scalar
def limit_change_day(score, intensity, horizon):
    """Day on which the insurer announces a change of a buyer's limit; NEVER if not within the horizon.

    The time is exponential: −log(1 − Φ(score))/intensity years of 365 days, rounded up to whole days, at least 1.

    Args:
        score: :func:`limit_score`, N(0, 1); :data:`NO_SCORE` never changes.
        intensity: −log(1 − q) for a chance q within a year; 0: never, infinite: on day 1.
        horizon: days.

    Worked number: q = 0.05, Φ(score) = 0.02 → 365·log(0.98)/log(0.95) = 143.8 → day 144.
    """
    if intensity <= 0.0 or score >= NO_SCORE:
        return NEVER
    days = -365.0 * math.log(normal_cdf(-score)) / intensity
    if days > horizon:
        return NEVER
    return max(1, math.ceil(days))


@scalar
def payer_rank(score, systemic, credit, buyer):
    """Φ(Y_b/sd), a buyer's rank among payers, uniform in (0, 1): low pays promptly; -1 where invoices share nothing.

    Args:
        score: Y_b = −√r_s·S − √r_c·ε + √r_b·U, the part of the delay score that all its invoices share; high is late.
        systemic, credit, buyer: the three weights; sd² is the sum of their squares, the variance shares.

    Worked number: score −0.7071068 with shares 0.09, 0.16, 0.25 (sd = 0.7071068) → Φ(−1) = 0.1586553.
    """
    spread = np.sqrt(systemic * systemic + credit * credit + buyer * buyer)
    return normal_cdf(score / spread) if spread > 0.0 else -1.0


@scalar
def chased_day(day, due_day, first_day, row, stage_after, stage_factor):
    """Payment day of an invoice that is chased: from ``after`` days past due, a day of lateness counts as ``factor``.

    Lateness that is past on day 0 stays as it is. The result is rounded half up and never later than ``day``.

    Args:
        day: payment day as drawn, NEVER stays NEVER.
        due_day: due day, below 0 for an open item already overdue.
        first_day: no payment before it.
        row: row of the stages.
        stage_after, stage_factor: float64[rows, n_stages], ascending; unused stages begin at infinity.

    Worked number: due 30, paid 90, from 10 days half, from 20 days a fifth: 10 days as they are, 20 days as 10, the
    last 30 as 6 → 26 days late, day 56.
    """
    begin = max(due_day, 0)
    if day == NEVER or day <= begin:
        return day
    left = float(day - begin)
    late = float(begin - due_day)
    factor = 1.0
    for k in range(stage_after.shape[1]):
        until = stage_after[row, k] - late
        if until > 0.0:
            if left * factor <= until:
                break
            left -= until / factor
            late = stage_after[row, k]
        factor = stage_factor[row, k]
    return max(first_day, due_day + math.floor(late + left * factor + 0.5))


@scalar
def advance_interest(advance, days, annual_rate):
    """Interest on money advanced, at a simple annual rate of 365 days. 73,000 for 50 days at 6 % → 600."""
    return advance * annual_rate * days / 365.0
