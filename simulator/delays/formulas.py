"""Formulas of the delays room: from normal scores to the day an invoice is paid.

The delay of an invoice is D = location + scale·Q(Φ(Y)) with Y a sum of independent normal parts whose squared
weights add to 1, so Y is N(0, 1) and D has the law Q whatever the shares (a Gaussian copula over invoices).
"""

import math

import numpy as np

from simulator.factors.formulas import normal_cdf
from simulator.jit import scalar
from simulator.streams import inverse_normal, normal, uniform

#: No delay is longer than this many days, early or late: the far tail of a heavy law stays within 32-bit days.
LONGEST_DELAY = 1_000_000.0
#: Beyond this score a normal tail is exponential to four digits, and Φ would soon underflow.
_FAR_TAIL = 35.0


@scalar
def delay_score(standard_state, residual, buyer_effect, own_noise, systemic, credit, buyer, own):
    """Y = −√r_s·S − √r_c·ε + √r_b·U + √(1 − r_s − r_c − r_b)·η, the normal score of a delay; high is late.

    Args:
        standard_state: S, the buyer's common state scaled to variance 1; low is bad.
        residual: ε, the buyer's own part of its latent credit variable; low is bad.
        buyer_effect: U, what persists for a buyer over all its invoices.
        own_noise: η, the invoice's own part.
        systemic, credit, buyer, own: the four weights (square roots of the variance shares).

    Worked number: S = −1, ε = 0.5, U = 1, η = 0 with shares 0.09, 0.16, 0.25 → 0.3 − 0.2 + 0.5 = 0.6.
    """
    return -systemic * standard_state - credit * residual + buyer * buyer_effect + own * own_noise


@scalar
def own_noise(word, lower_score, shared, own):
    """η of an invoice: standard normal; for an open item, given that it is still unpaid today.

    Still unpaid means Y = shared + own·η > lower_score, so η is drawn from a normal cut off at
    a = (lower_score − shared)/own, by its survival function: η = −Φ⁻¹((1 − u)·Φ(−a)), rising in u like the free
    draw. Beyond a = 35 the excess over a is exponential with rate a. Where the invoice has no noise of its own
    (own = 0) there is nothing to condition, and the payment day is only held to the future by its caller.

    Args:
        word: random word of the invoice.
        lower_score: −∞ for planned invoices (free draw).
        shared: the part of Y the invoice shares with others.
        own: weight of η.

    Worked number: word 2³¹ (u = ½), lower_score 0, shared 0, own 1 → −Φ⁻¹(¼) = 0.6744898.
    """
    if lower_score == -np.inf or own <= 0.0:
        return normal(word)
    cut = (lower_score - shared) / own
    if cut > _FAR_TAIL:
        return cut - math.log(1.0 - uniform(word)) / cut
    return -inverse_normal((1.0 - uniform(word)) * normal_cdf(-cut))


@scalar
def payment_day(due_day, issue_day, delay_days, first_day):
    """Day on which a buyer is ready to pay: due day plus the delay rounded half up, never before the invoice.

    Args:
        due_day, issue_day: days of the invoice.
        delay_days: signed delay; held within ±1,000,000 days.
        first_day: no payment before it: 1 for open items (they are unpaid today), the issue day for planned ones.

    Worked number: due 30, issued 0, delay 12.5 → day 43; delay −40 → day 0 (the issue day).
    """
    delay = min(max(delay_days, -LONGEST_DELAY), LONGEST_DELAY)
    day = due_day + math.floor(delay + 0.5)
    return max(day, issue_day, first_day)


@scalar
def next_run(run_day, rule, run_offset, day):
    """The buyer's pay run on or after a day.

    Args:
        run_day: int32[n_rules, n_days]: next run day on or after day ``index − run_offset``; row 0: every day.
        rule: row of ``run_day``.
        run_offset: days before day 0 that the table starts.
        day: raw payment day; days outside the table are returned unchanged.

    Worked number: runs on days 4, 11, 18, …: day 5 → 11, day 11 → 11.
    """
    index = day + run_offset
    if index < 0 or index >= run_day.shape[1]:
        return day
    return run_day[rule, index]
