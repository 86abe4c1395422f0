"""Constant exposures the plain way: every buyer of every scenario by the exact formulas, compiled for the tests.

What the sieve of :mod:`simulator.losses.exposure_kernels` has to equal bit for bit, at sizes beyond plain Python.
"""

import numpy as np

from simulator.constants import NO_SCORE
from simulator.defaults.formulas import default_day
from simulator.factors.formulas import common_part, latent
from simulator.jit import NEVER, kernel, prange, row
from simulator.losses.booking import note_loss
from simulator.losses.exposure_kernels import fine_uniform
from simulator.losses.formulas import recovery_rate, standard_state
from simulator.streams import inverse_normal, normal, words


@row
def lose_in_quad(
    q, first_quad, keys, drivers, mixing, factor, default, rules, book, rows, events, scratch, failures
):  # fmt: skip
    """Constant exposures in the four scenarios of the block's quad ``q``; see :func:`lose_exposures`."""
    first = 4 * q
    quad = first_quad + q
    for b in range(book.group.shape[0]):
        coarse = words(keys.default, quad >> 2, factor.residual_entity[b], 0)[quad & 3]
        fine = words(keys.default, quad, factor.residual_entity[b], 1)
        share = factor.systematic_share[b]
        for lane in range(4):
            s = first + lane
            common = common_part(factor.loading_start, factor.loading_driver, factor.loading, drivers, s, b)
            residual = inverse_normal(fine_uniform((coarse >> (8 * lane)) & 255, fine[lane]))
            value = latent(common, share, residual) * mixing[s]
            insolvent_on = default_day(default.threshold, default.curve[b], value)
            if insolvent_on == NEVER:
                continue
            noise = normal(words(keys.recovery, quad, book.buyer_entity[b], 0)[lane])
            state = standard_state(common, share)
            recovery = recovery_rate(rules.recovery, rules.recovery_class[b], state, noise, rules.recovery_systematic)
            loss = book.amount[b] * (1.0 - recovery)
            rows.n_defaults[s] += 1
            rows.gross_loss[s] += loss
            rows.recovered[s] += book.amount[b] * recovery
            note_loss(s, b, loss, book, rows, scratch)
            j = events.n_events[s]
            if j < events.buyer.shape[1]:
                events.buyer[s, j] = b
                events.invoice[s, j] = b
                events.default_day[s, j] = insolvent_on
                events.paid_day[s, j] = NEVER
                events.loss_day[s, j] = insolvent_on
                events.recovery[s, j] = recovery
                events.loss[s, j] = loss
                events.protracted[s, j] = False
                events.drawn_day[s, j] = NEVER
                events.receipt_day[s, j] = insolvent_on + rules.recovery_lag
                events.overdue_at_issue[s, j] = -NEVER
                events.limit_score[s, j] = NO_SCORE
                events.frustrated[s, j] = False
                events.share[s, j] = 1.0
            events.n_events[s] = j + 1
            k = failures.listed[0]
            if k < failures.loss.shape[1]:
                failures.scenario[0, k] = s
                failures.buyer[0, k] = b
                failures.loss[0, k] = loss
            failures.listed[0] = k + 1


@row
def lose_one_by_one(
    part, first_quad, keys, drivers, mixing, factor, default, rules, book, rows, events, scratch, failures
):  # fmt: skip
    """All quads, one after the other; there is one part."""
    for q in range(part, rows.gross_loss.shape[0] // 4):
        lose_in_quad(
            q, first_quad, keys, drivers, mixing, factor, default, rules, book, rows, events, scratch, failures
        )


@kernel
def lose_exposures(first_quad, keys, drivers, mixing, factor, default, rules, book, rows, events, scratch, failures):
    """The classic credit portfolio model: every buyer owes its constant exposure until it fails.

    Arguments as in :func:`simulate_ledger`; each buyer has one pseudo-invoice, money has no currency and no clock.
    Failures go into one list.
    """
    for part in prange(1):
        lose_one_by_one(
            np.int64(part), first_quad, keys, drivers, mixing, factor, default, rules, book, rows, events, scratch,
            failures,
        )  # fmt: skip
