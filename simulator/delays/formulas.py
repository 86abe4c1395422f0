"""Formulas of the delays room: from normal scores to the day an invoice is paid.

The delay of an invoice is D = location + scale·Q(Φ(Y)) with Y a sum of independent normal parts whose squared
weights add to 1, so Y is N(0, 1) and D has the law Q whatever the shares (a Gaussian copula over invoices).
"""

import numpy as np

from simulator.delays.near_formulas import near_normal, near_quantile, near_tail
from simulator.jit import scalar

#: No delay is longer than this many days, early or late: the far tail of a heavy law stays within 32-bit days.
LONGEST_DELAY = np.float32(1_000_000.0)
_0 = np.float32(0.0)
_HALF = np.float32(0.5)
_1 = np.float32(1.0)


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
def invoice_score(word, shared, own):
    """Y of an invoice, float32: what it shares with others plus own·η.

    Args:
        word: random word of η.
        shared: the part of Y the invoice shares with others, float32.
        own: weight of η, float32.

    Worked number: word 2³¹ (η = 0), shared 0.3 → 0.3.
    """
    return shared + own * near_normal(word)


@scalar
def unpaid_score(score, unpaid, paid):
    """Score of an open item, which is known to be unpaid today: the free score carried by rank to those still unpaid.

    With u = Φ(score) the free score's rank, the answer is the normal score of the same rank among the scores y that
    mean unpaid, those above y* with Φ(−y*) = ``unpaid``: −Φ⁻¹((1 − u)·unpaid). So each open item has exactly the delay
    law Q given that it is still unpaid, and invoices keep the Gaussian copula of their free scores. Conditioning η
    alone, with the shared part drawn as if nothing were known, would let almost every overdue item be paid in days.

    Args:
        score: Y, a free N(0, 1) score, float32.
        unpaid: probability that an item like this one is still unpaid today, float32; 1 leaves the score as it is.
        paid: 1 − unpaid, float32, worked out by itself: a small one has its own digits.

    Worked number: score 0 (u = ½), unpaid ½ → −Φ⁻¹(¼) = 0.6744898.
    """
    tail = near_tail(score)
    late = score > _0
    above = unpaid * (tail if late else _1 - tail)
    below = paid + unpaid * (_1 - tail if late else tail)
    value = near_quantile(min(above, below))
    return value if above < below else -value


@scalar
def delay_at(value, step, part, location, scale):
    """D = location + scale·Q, Q between two knots of its table: the value at the lower one and part of the step on.

    Worked number: Q from 10 by 4 to the next knot, a quarter of the way, location 2 and scale 3 → 2 + 3·11 = 35.
    """
    return location + scale * (value + part * step)


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
    return max(np.int32(due_day + np.int32(np.floor(delay + _HALF))), issue_day, first_day)


@scalar
def run_place(run_offset, last, day):
    """Where a day stands in the table of pay runs, held within it. Day 5 of a table from day −20 on → 25."""
    return min(max(np.int32(day + run_offset), np.int32(0)), last)


@scalar
def next_run(run_day, rule, run_offset, day):
    """The buyer's pay run on or after a day.

    Args:
        run_day: int32[n_rules, n_days]: next run day on or after day ``index − run_offset``; row 0: every day.
        rule: row of ``run_day``.
        run_offset: days before day 0 that the table starts.
        day: raw payment day; one after the last run of the table is returned unchanged.

    Worked number: runs on days 4, 11, 18, …: day 5 → 11, day 11 → 11.
    """
    return max(day, run_day[rule, run_place(run_offset, run_day.shape[1] - 1, day)])
