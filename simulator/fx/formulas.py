"""Formulas of the fx room: the rate of a day, hedges, transfer blocks, and the bootstrap's next week."""

import math

import numpy as np

from simulator.factors.formulas import normal_cdf
from simulator.jit import NEVER, scalar


@scalar
def rate_on(rates, scenario, currency, day):
    """Study currency per unit of a currency on a day; rates move in weekly steps, days up to 0 have the spot.

    Args:
        rates: float64[n_scenarios, n_currencies, n_steps + 1]; step s covers days 7(s−1)+1 … 7s.
        scenario, currency: row and currency index.
        day: day number; days past the last step have its rate.

    Worked number: day 8 has the rate of step 2.
    """
    step = (day + 6) // 7
    last = rates.shape[2] - 1
    return rates[scenario, currency, min(max(step, 0), last)]


@scalar
def exponential(x):
    """e^x to a relative error of 1e-15, x held within ±700; no branch and no library function.

    2^k·e^r with k whole and |r| ≤ ½·log 2, e^r by its series to r¹³. A loop over it is vectorised.

    Worked number: exponential(1) = 2.71828182845905.
    """
    x = min(max(x, -700.0), 700.0)
    whole = np.floor(x * 1.4426950408889634 + 0.5)
    # log 2 in two parts, of which the first times a whole number is exact
    r = (x - whole * 0.693147180369123816490) - whole * 1.90821492927058770002e-10
    series = 1.0 / 6227020800.0
    series = series * r + 1.0 / 479001600.0
    series = series * r + 1.0 / 39916800.0
    series = series * r + 1.0 / 3628800.0
    series = series * r + 1.0 / 362880.0
    series = series * r + 1.0 / 40320.0
    series = series * r + 1.0 / 5040.0
    series = series * r + 1.0 / 720.0
    series = series * r + 1.0 / 120.0
    series = series * r + 1.0 / 24.0
    series = series * r + 1.0 / 6.0
    series = series * r + 0.5
    series = series * r + 1.0
    series = series * r + 1.0
    return series * np.int64((np.int64(whole) + np.int64(1023)) << np.int64(52)).view(np.float64)


@scalar
def hedge_settlement(notional, forward, rate):
    """Cash received (paid, if negative) when a forward sale settles: notional·(forward − rate).

    Args:
        notional: foreign units sold forward.
        forward: agreed study currency per unit.
        rate: the day's rate.

    Worked number: 100,000 units at 0.92 when the rate is 0.90 → 2,000.
    """
    return notional * (forward - rate)


@scalar
def transfer_day(score, probability, horizon):
    """Day of a country's transfer event, NEVER if there is none within the horizon.

    The event happens if Φ(score) does not exceed its probability over the horizon; its day is that of a constant
    hazard: with p the probability and u = Φ(score), day = ⌈horizon·log(1 − u)/log(1 − p)⌉, at least 1.

    Args:
        score: latent N(0, 1) variable; low is bad.
        probability: of an event within the horizon.
        horizon: days.

    Worked number: p = 0.5, horizon 100 days, score with u = 0.25 → log(0.75)/log(0.5) = 0.415 → day 42.
    """
    u = normal_cdf(score)
    if u > probability:
        return NEVER
    if probability >= 1.0:
        return 1
    day = math.ceil(horizon * math.log1p(-u) / math.log1p(-probability))
    return min(max(day, 1), horizon)  # rounding may not push the last day over the horizon


@scalar
def transfer_release(pay_day, start_day, duration):
    """Day a payment gets through: when the country blocks transfers on its day, the day the block ends.

    Args:
        pay_day: day the buyer pays; NEVER stays NEVER.
        start_day: first blocked day, NEVER if none.
        duration: days the block lasts.

    Worked number: blocked from day 100 for 182 days: a payment of day 100 or 281 → day 282; day 99, 282 unchanged.
    """
    if pay_day != NEVER and start_day <= pay_day and pay_day - start_day < duration:
        return start_day + duration
    return pay_day


@scalar
def next_week(week, u, n_weeks, mean_block):
    """The historical week that the stationary block bootstrap plays next (Politis and Romano 1994).

    With probability 1/mean_block a new block begins at a week drawn evenly; otherwise the following week is
    played, the first after the last. One uniform serves both: below 1/mean_block, u·mean_block is uniform again.

    Args:
        week: the week played last; −1 begins a first block.
        u: uniform on (0, 1).
        n_weeks: weeks in the history.
        mean_block: mean length of a block, weeks.

    Worked number: 100 weeks, blocks of 4: u = 0.1 → week 40; u = 0.6 after week 99 → week 0.
    """
    if week < 0:
        return int(u * n_weeks)
    if u * mean_block < 1.0:
        return int(u * mean_block * n_weeks)
    return week + 1 if week + 1 < n_weeks else 0
