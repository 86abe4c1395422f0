"""Formulas of the delays room: from normal scores to the day an invoice is paid.

The delay of an invoice is D = location + scale·Q(Φ(Y)) with Y a sum of independent normal parts whose squared
weights add to 1, so Y is N(0, 1) and D has the law Q whatever the shares (a Gaussian copula over invoices).
"""

import math

from simulator.jit import scalar
from simulator.streams import inverse_normal, normal, normal_tail

#: No delay is longer than this many days, early or late: the far tail of a heavy law stays within 32-bit days.
LONGEST_DELAY = 1_000_000.0


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
    """Y of an invoice: what it shares with others plus own·η.

    Args:
        word: random word of η.
        shared: the part of Y the invoice shares with others.
        own: weight of η.

    Worked number: word 2³¹ (η = 0), shared 0.3 → 0.3.
    """
    return shared + own * normal(word)


@scalar
def unpaid_score(score, unpaid):
    """Score of an open item, which is known to be unpaid today: the free score carried by rank to those still unpaid.

    With u = Φ(score) the free score's rank, the answer is the normal score of the same rank among the scores y that
    mean unpaid, those above y* with Φ(−y*) = ``unpaid``: −Φ⁻¹((1 − u)·unpaid). So each open item has exactly the delay
    law Q given that it is still unpaid, and invoices keep the Gaussian copula of their free scores. Conditioning η
    alone, with the shared part drawn as if nothing were known, would let almost every overdue item be paid in days.

    Args:
        score: Y, a free N(0, 1) score.
        unpaid: probability that an item like this one is still unpaid today; 1 leaves the score as it is.

    Worked number: score 0 (u = ½), unpaid ½ → −Φ⁻¹(¼) = 0.6744898.
    """
    return -inverse_normal(normal_tail(score) * unpaid)


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
