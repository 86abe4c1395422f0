"""Task T3 as a plain compiled loop over the engine's formulas: each claim through its terms, each year through its own.

A policy room that knows nothing but amounts: no dates, no recoveries, no waterfall by step. It shows what one more
policy costs on claims that are there already; :mod:`simulator.policy.kernels` is what a study runs.
"""

import numpy as np

from benchmarks.numpy_terms import Claims
from simulator.jit import kernel, prange, row
from simulator.policy.formulas import covered_debt
from simulator.policy.term_formulas import (
    absorbed_by_first_loss,
    after_deductible,
    after_percentage,
    capped_by_maximum_liability,
)

#: Years that a thread takes at a time.
TURN = 2_048


@row
def pay_years(first, last, start, buyer, debt, limit, terms, percentage, paid):
    """Years ``first`` to ``last - 1``."""
    deductible, first_loss = terms.each_and_every_first_loss, terms.aggregate_first_loss
    most = terms.maximum_liability
    for year in range(np.uint64(first), np.uint64(last)):
        total = 0.0
        # places are unsigned: one that could be negative costs a comparison and a quarter of the time;
        # -0.0 is covered so far: adding it changes nothing, so nothing is added
        for i in range(np.uint64(start[year]), np.uint64(start[year + np.uint64(1)])):
            covered = covered_debt(-0.0, debt[i], limit[np.uint32(buyer[i])])
            total += after_deductible(after_percentage(covered, percentage), deductible)
        total -= absorbed_by_first_loss(total, first_loss)
        paid[year] = capped_by_maximum_liability(total, most)


@kernel
def pay_turns(start, buyer, debt, limit, terms, percentage, paid):
    """All years, a turn of them at a time."""
    for turn in prange((paid.shape[0] + TURN - 1) // TURN):
        first = np.int64(turn) * TURN
        pay_years(first, min(first + TURN, paid.shape[0]), start, buyer, debt, limit, terms[0], percentage, paid)


def indemnities(claims: Claims, terms: np.recarray, percentage: float) -> np.ndarray:
    """What a policy pays in each year, float64[n_years]; ``terms`` holds the one record of the policy."""
    paid = np.empty(len(claims.start) - 1)
    pay_turns(*claims, terms, percentage, paid)
    return paid


def bytes_moved(claims: Claims) -> int:
    """Bytes read and written once: claims, bounds of the years, what is paid. The limits stay in the cache."""
    return claims.debt.nbytes + claims.buyer.nbytes + 2 * claims.start.nbytes
