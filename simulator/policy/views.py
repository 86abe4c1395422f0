"""Programmes that see the same claims: they differ in percentages, terms and price only, and share all other work.

A scenario's claims are found, put in order and valued once for each view; see :mod:`~simulator.policy.kernels`.
"""

from __future__ import annotations

import numpy as np

from simulator.ledger.portfolio import Ints
from simulator.policy.records import COVER, SEGMENT, PolicyPlan
from simulator.policy.work import Records

#: Terms that decide which debts a claim holds and how much of them is covered, before any percentage.
_TERMS = [
    "first_day", "last_day", "losses_occurring", "waiting_insolvency", "waiting_frustration", "settlement_days",
    "extension_days", "vat_covered", "disputes_suspended", "oldest_first", "currency", "conversion", "change_intensity",
    "change_to", "change_notice", "top_up_multiple", "top_up_maximum",
]  # fmt: skip
_COVER = [name for name in COVER.names or () if name not in {"percentage", "segments"}]
_SEGMENT = [name for name in SEGMENT.names or () if name != "percentage"]


def with_views(plan: PolicyPlan) -> PolicyPlan:
    """Sort the programmes into views; to be done last, when regimes and all terms are known."""
    n = len(plan.insured)
    number = np.full(n, -1, np.int32)
    for p in np.flatnonzero(plan.insured).tolist():
        same = (q for q in range(p) if number[q] >= 0 and _see_alike(plan, p, q))
        number[p] = next((int(number[q]) for q in same), int(number.max(initial=-1)) + 1)
    order = np.lexsort((np.arange(n), number, plan.regime)).astype(np.int32)
    return plan._replace(view_of=number, order=order)


def _see_alike(plan: PolicyPlan, p: int, q: int) -> bool:
    if plan.regime[p] != plan.regime[q]:
        return False
    pairs = [(plan.terms[name][p], plan.terms[name][q]) for name in _TERMS]
    pairs += [(plan.cover[name][p], plan.cover[name][q]) for name in _COVER]
    pairs += [(plan.cover["percentage"][p] > 0.0, plan.cover["percentage"][q] > 0.0)]
    pairs += [(plan.eligible[p], plan.eligible[q]), (plan.sale[p], plan.sale[q]), *_limits(plan, p, q)]
    return all(np.array_equal(left, right) for left, right in pairs)


def _limits(plan: PolicyPlan, p: int, q: int) -> list[tuple[Ints | Records, Ints | Records]]:
    """What of the limits of two programmes must be the same: how many each buyer has, and all but the percentage."""
    bounds = plan.cover["segments"][p], plan.cover["segments"][q]
    count = bounds[0][:, 1] - bounds[0][:, 0], bounds[1][:, 1] - bounds[1][:, 0]
    if not np.array_equal(*count):
        return [count]
    place = np.arange(int(count[0].sum())) - np.repeat(np.cumsum(count[0]) - count[0], count[0])
    one, other = (plan.segment[np.repeat(bound[:, 0], count[0]) + place] for bound in bounds)
    return [(one[name], other[name]) for name in _SEGMENT]
