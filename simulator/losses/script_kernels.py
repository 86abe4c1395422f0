"""A scripted scenario: days as told instead of drawn, then the same bookings as in every simulated one."""

import numpy as np

from simulator.jit import NEVER, kernel, prange, row
from simulator.losses.booking import collect_all, note_loss
from simulator.losses.kernels import longest_lateness, settle_troubled
from simulator.losses.plan import NO_SCORE, Luck


@row
def follow_buyer(s, b, script, rates, rules, clock, book, rows, events, scratch):
    """Settle one buyer of a scripted scenario. A payment that is told is a payment, however late (it cures)."""
    for i in range(book.start[b], book.start[b + 1]):
        k = i - book.start[b]
        scratch.drawn[s, k] = script.paid_day[i]
        scratch.paid[s, k] = script.paid_day[i]
    insolvent_on = script.default_day[b]
    if insolvent_on != NEVER:
        rows.n_defaults[s] += 1
    late = longest_lateness(s, b, book, scratch.paid)
    if insolvent_on == NEVER and late <= rules.protracted_after and late <= rules.stop_shipment_after:
        collect_all(s, s, b, rates, rules, clock, book, scratch.paid, rows)
    else:
        luck = Luck(np.int64(insolvent_on), False, NO_SCORE, 0.0, True)
        loss = settle_troubled(s, s, b, luck, rates, rules, clock, book, rows, events, scratch)
        note_loss(s, b, loss, book, rows, scratch)


@row
def follow_scenario(s, script, rates, rules, clock, book, rows, events, scratch):
    """All buyers of one scripted scenario; arguments as in :func:`follow_script`."""
    for b in range(book.group.shape[0]):
        follow_buyer(s, b, script, rates, rules, clock, book, rows, events, scratch)


@kernel
def follow_script(script, rates, rules, clock, book, rows, events, scratch):
    """Follow a script in every scenario of a block.

    Args:
        script: :class:`~simulator.engine.script.ScriptPlan`, days by buyer and invoice.
        rates: float64[n, n_currencies, n_steps + 1].
        rules: with the script's recoveries; clock, book: plans of the rooms.
        rows, events, scratch: results and working rows, counts and sums zeroed by the caller.
    """
    for s in prange(scratch.paid.shape[0]):
        follow_scenario(np.int64(s), script, rates, rules, clock, book, rows, events, scratch)
