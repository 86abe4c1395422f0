"""What the limits that a script changes let buyers owe, for sellers that stop shipping when a limit falls."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Sequence

import numpy as np

from simulator.engine.script import LimitEvent
from simulator.jit import NEVER
from simulator.losses.stops import ToldLimits
from simulator.policy.records import PolicyPlan


def told_limits(policy: PolicyPlan, events: Sequence[LimitEvent]) -> ToldLimits:
    """Changes of limits by programme and buyer, in order of their days; of one day's the last one told holds.

    A limit that is no less than the one of day 0 stops nothing, and neither does that of a buyer who is not insured.

    Args:
        policy: limits and currencies of the programmes.
        events: the script's, in the order told.
    """
    changes: dict[tuple[int, int], dict[int, float]] = defaultdict(dict)
    for event in events:
        for p in np.flatnonzero(policy.insured).tolist() if event.programme is None else [event.programme]:
            cover = policy.cover[p, event.buyer]
            if not cover["insurable"]:
                continue
            before = policy.segment[cover["segments"][0] : cover["segments"][1]]
            held = before["limit"][before["from_day"] <= 0]
            reduced = event.limit < (held[-1] if len(held) else 0.0)
            allowed = event.limit / policy.terms["turnover_rate"][p] if reduced else np.inf
            changes[p, event.buyer][event.day] = allowed
    most = max(map(len, changes.values()), default=0)
    shape = (*policy.cover.shape, most)
    told = ToldLimits(np.full(shape, NEVER, np.int32), np.full(shape, np.inf))
    for (p, b), found in changes.items():
        for k, (day, allowed) in enumerate(sorted(found.items())):
            told.day[p, b, k], told.allowed[p, b, k] = day, allowed
    return told
