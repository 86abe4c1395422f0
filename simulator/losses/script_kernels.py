"""A scripted scenario: days as told instead of drawn, then the same bookings as in every simulated one."""

import numpy as np

from simulator.constants import NO_SCORE
from simulator.jit import NEVER, kernel, prange, row
from simulator.losses.balance_kernels import note_balances
from simulator.losses.booking import collect_all, note_loss
from simulator.losses.plan import Luck
from simulator.losses.regime_kernels import is_in_trouble, longest_lateness, settle_regimes
from simulator.losses.settle_kernels import open_account, settle_troubled


@row
def settle_in_trouble(s, b, luck, rates, rules, clock, book, rows, events, scratch):
    """Settle a troubled buyer where there is one regime only, on open account."""
    drawn = scratch.drawn[s]
    paid = scratch.paid[s]
    deal = open_account()
    loss = settle_troubled(s, s, b, luck, deal, drawn, paid, rates, rules, clock, book, None, rows, events, scratch)
    note_loss(s, b, loss, book, rows, scratch)


@row
def follow_scenario(
    s, script, keys, rates, blocked_from, delay, transfer, rules, clock, book, regimes, rows, events, scratch,
    counting, balances,
):  # fmt: skip
    """Settle all buyers of one scripted scenario; arguments as in :func:`follow_script`.

    A payment that is told is a payment, however late (it cures). Numbers have the types that they have in drawn
    scenarios, so that both use the same compiled functions.
    """
    n = rates.shape[0]
    count = 1
    common = 0
    if regimes is not None:
        count = regimes.count
        common = count * n if count > 1 else 0
    for b in range(book.group.shape[0]):
        for i in range(book.start[b], book.start[b + 1]):
            k = i - book.start[b]
            scratch.drawn[s, k] = script.paid_day[i]
            scratch.paid[s, k] = script.paid_day[i]
        insolvent_on = int(np.int64(script.default_day[b]))
        alike = True
        if regimes is not None:
            alike = not regimes.touched[b]
        if insolvent_on != NEVER:
            for g in range(count):
                rows.n_defaults[g * n + s] += 1
        trouble = is_in_trouble(insolvent_on, longest_lateness(b, book, scratch.paid[s]), rules)
        if alike and not trouble:
            collect_all(common + s, s, b, rates, rules, clock, book, scratch.paid[s], rows)
            if counting is not None:
                note_balances(
                    s, b, np.int64(-1), np.bool_(False), scratch.score, np.bool_(False), scratch.paid, scratch.lost,
                    counting, balances,
                )  # fmt: skip
            continue
        luck = Luck(insolvent_on, False, NO_SCORE, 0.0, True)
        if regimes is None:
            settle_in_trouble(s, b, luck, rates, rules, clock, book, rows, events, scratch)
            if counting is not None:
                note_balances(
                    s, b, np.int64(0), np.bool_(False), scratch.score, np.bool_(True), scratch.final, scratch.lost,
                    counting, balances,
                )  # fmt: skip
        else:
            # the regimes of a script leave nothing to chance: who accepts and who takes a discount is certain
            settle_regimes(
                np.int64(0), np.int64(0), n, s, b, luck, 0.0, blocked_from, keys, rates, delay, transfer, rules, clock,
                book, regimes, rows, events, scratch, counting, balances,
            )  # fmt: skip


@kernel
def follow_script(
    script, keys, rates, blocked_from, delay, transfer, rules, clock, book, regimes, rows, events, scratch,
    counting, balances,
):  # fmt: skip
    """Follow a script in every scenario of a block.

    Args:
        script: :class:`~simulator.engine.script.ScriptPlan`, days by buyer and invoice.
        keys: Philox keys, for what a script does not tell.
        rates: float64[n, n_currencies, n_steps + 1]; blocked_from: int32[n, 0], no transfer events.
        rules: with the script's recoveries; delay, transfer, clock, book: plans of the rooms.
        regimes: ways of trading, None where there is one only.
        rows, events, scratch: results and working rows, counts and sums zeroed by the caller.
        counting, balances: what of it a bank counts, and the zeroed rows of that; None without a borrowing base.
    """
    for s in prange(rates.shape[0]):
        follow_scenario(
            np.int64(s), script, keys, rates, blocked_from, delay, transfer, rules, clock, book, regimes,
            rows, events, scratch, counting, balances,
        )  # fmt: skip
