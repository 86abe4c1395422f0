"""What the limits that a script changes let buyers owe, for sellers that stop shipping when a limit falls."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Sequence

import numpy as np

from simulator.constants import NEVER
from simulator.engine.script import LimitEvent
from simulator.losses.stops import ToldLimits
from simulator.policy.records import PolicyPlan


def told_limits(policy: PolicyPlan, events: Sequence[LimitEvent]) -> ToldLimits:
    """Changes of limits by programme and buyer, in order of their days; of one day's the last one told holds.

    A limit that is no less than the one without the script stops nothing, and neither does that of a buyer who is not
    insured. Where the limit changes anyway on a later day, what was told ends then.

    Args:
        policy: limits and currencies of the programmes without the script's changes.
        events: the script's, in the order told.
    """
    told: dict[tuple[int, int], dict[int, float]] = defaultdict(dict)
    for event in events:
        for p in np.flatnonzero(policy.insured).tolist() if event.programme is None else [event.programme]:
            if policy.cover[p, event.buyer]["insurable"]:
                told[p, event.buyer][event.day] = event.limit
    allowed = {(p, b): _allowed(policy, p, b, limits) for (p, b), limits in told.items()}
    shape = (*policy.cover.shape, max(map(len, allowed.values()), default=0))
    found = ToldLimits(np.full(shape, NEVER, np.int32), np.full(shape, np.inf))
    for (p, b), debts in allowed.items():
        for k, (day, debt) in enumerate(sorted(debts.items())):
            found.day[p, b, k], found.allowed[p, b, k] = day, debt
    return found


def _allowed(policy: PolicyPlan, p: int, b: int, told: dict[int, float]) -> dict[int, float]:
    """Debt a buyer may owe from each day on, study currency."""
    begin, end = policy.cover[p, b]["segments"]
    as_written = [(int(one["from_day"]), float(one["limit"])) for one in policy.segment[begin:end]]
    debts = {day: np.inf for day, _ in as_written if day > min(told)}
    for day, limit in told.items():
        held = [usual for first, usual in as_written if first <= day]
        reduced = held and limit < held[-1]
        debts[day] = limit / float(policy.terms["turnover_rate"][p]) if reduced else np.inf
    return debts
