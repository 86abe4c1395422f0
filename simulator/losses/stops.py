"""Where the seller stops shipping, or ships less, because an insurer has changed a buyer's limit."""

from __future__ import annotations

from typing import NamedTuple

import numpy as np

from simulator.constants import NEVER
from simulator.ledger.portfolio import Floats, Ints
from simulator.study.schema import Policy, Programme
from simulator.study.schema_terms import LimitChanges


class ToldLimits(NamedTuple):
    """What a script's changes of limits let buyers owe, by programme and buyer, up to K each, in order of their days.

    ``day`` int32[P, B, K] (NEVER: none); ``allowed`` float64[P, B, K] holds from then on, study currency; infinite
    where the limit is no less than without the script.
    """

    day: Ints
    allowed: Floats


class Stops(NamedTuple):
    """Debts up to which the seller ships under a programme once a buyer's limit has changed; infinite: no stop.

    As drawn: ``allowed`` float64[B]. As told: ``told`` float64[B, K] from ``day`` int32[B, K] on.
    """

    allowed: Floats
    day: Ints
    told: Floats

    def any(self) -> bool:
        """Whether anybody's shipments may stop."""
        return bool(np.isfinite(self.allowed).any() or np.isfinite(self.told).any())

    def equal(self, other: Stops) -> bool:
        """Whether both stop alike."""
        alike = np.array_equal(self.allowed, other.allowed) and np.array_equal(self.day, other.day)
        return bool(alike and np.array_equal(self.told, other.told))


def no_stops(n_buyers: int, told: ToldLimits | None) -> Stops:
    """Of a seller that never stops."""
    shape = (n_buyers, 0 if told is None else told.day.shape[2])
    return Stops(np.full(n_buyers, np.inf), np.full(shape, NEVER, np.int32), np.full(shape, np.inf))


def stops_of(programme: Programme, p: int, named_limit: Floats, told: ToldLimits | None) -> Stops:
    """Where the seller stops under programme number p.

    Args:
        programme: the programme.
        p: its number.
        named_limit: limits its insurer can change, study currency, float64[n_buyers]; NaN: none.
        told: changes that the study's script tells, instead of drawn ones.
    """
    never, changes = no_stops(len(named_limit), told), stopping(programme)
    if changes is None:
        return never
    if told is not None:
        return never._replace(day=told.day[p], told=told.allowed[p])
    if changes.annual_probability <= 0.0:
        return never
    left = changes.to * named_limit if changes.to > 0.0 else np.zeros(len(named_limit))
    return never._replace(allowed=np.where(np.isnan(named_limit), np.inf, left))


def stopping(programme: Programme) -> LimitChanges | None:
    """The limit changes a seller answers by stopping."""
    changes = programme.limit_changes if isinstance(programme, Policy) else None
    return changes if changes is not None and changes.seller == "stops" else None
