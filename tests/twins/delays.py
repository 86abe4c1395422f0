"""Plain-Python twins of simulator.delays, written from the formulas; near_… in NumPy numbers of 32 bits."""

import math

import numpy as np

from tests.twins.streams import by_pairs, uniform

SINGLE = np.float32


def delay_score(standard_state, residual, buyer_effect, own_noise, systemic, credit, buyer, own):
    bad_times = -(systemic * standard_state)
    weak_buyer = credit * residual
    return bad_times - weak_buyer + buyer * buyer_effect + own * own_noise


def singles(*numbers):
    return [SINGLE(x) for x in numbers]


#: log₂ m about m = 3/2; the quantile by the root of bits less one; 2^f; and Φ(−x)/exp(−x²/2). Constants come first.
LOG = singles(
    0.5849628119643573, 0.9617952093925093, -0.32063671959958295, 0.14255045163498872, -0.0705323403590559,
    0.03727257057003729, -0.025303090689313325, 0.01520909043943378,
)  # fmt: skip
ROOT = (
    singles(1.737460452066596, 2.200284189432533, 0.7607574363061721, 0.06908638760561464),
    singles(1.0, 1.459509660702336, 0.5895509388385156, 0.05864071240599775),
)
POWER = singles(
    1.0, 0.6931517388310195, 0.24015927147714772, 0.0558186758743511, 0.008990995241653118, 0.0018793185758285735
)
MILLS = (
    singles(0.5, 0.3373082501287029, 0.10588145679611133, 0.013929600913080152),
    singles(1.0, 1.472497897834533, 0.886681657226123, 0.2649025035909888, 0.03493433487609237),
)


def near_quantile(tail):
    mantissa, exponent = math.frexp(tail)  # in [½, 1)
    whole = SINGLE(1 - exponent)
    root = np.sqrt(whole - by_pairs(LOG, SINGLE(2 * mantissa) - SINGLE(1.5))) - SINGLE(1)
    return by_pairs(ROOT[0], root) * root / by_pairs(ROOT[1], root)


def near_normal(word):
    word = int(word)
    count = min(word, 2**32 - 1 - word)
    value = near_quantile((SINGLE(count) + SINGLE(0.5)) * SINGLE(2.0**-32))
    return value if uniform(word) > 0.5 else -value


def near_tail(x):
    distance = min(abs(SINGLE(x)), SINGLE(9))
    power = SINGLE(-0.7213475204444817) * distance * distance
    whole = np.floor(power)
    scale = SINGLE(2.0 ** float(whole))
    return scale * by_pairs(POWER, power - whole) * (by_pairs(MILLS[0], distance) / by_pairs(MILLS[1], distance))


def near_place(z):
    return min(max(SINGLE(z) * SINGLE(256), SINGLE(-1664)), np.nextafter(SINGLE(1664), SINGLE(0)))


def invoice_score(word, shared, own):
    return shared + own * near_normal(word)


def unpaid_score(score, unpaid, paid):
    tail = near_tail(score)
    other = SINGLE(1) - tail
    later, sooner = (tail, other) if score > 0 else (other, tail)
    above, below = unpaid * later, paid + unpaid * sooner
    return near_quantile(above) if above < below else -near_quantile(below)


def delay_at(value, step, part, location, scale):
    return location + scale * (value + part * step)


def payment_day(due_day, issue_day, delay_days, first_day):
    held = min(max(delay_days, SINGLE(-1e6)), SINGLE(1e6))
    return max(int(due_day) + math.floor(held + SINGLE(0.5)), int(issue_day), int(first_day))


def run_place(run_offset, last, day):
    return min(max(int(day) + int(run_offset), 0), int(last))


def next_run(run_day, rule, run_offset, day):
    """Days before the table wait for its first run; after its last run every day is one."""
    runs = [int(run) for run in run_day[rule] if run >= day]
    index = int(day) + int(run_offset)
    if 0 <= index < len(run_day[rule]):
        return int(run_day[rule][index])
    return runs[0] if runs else int(day)
