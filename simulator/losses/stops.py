"""Where the seller stops shipping, or ships less, because an insurer has changed a buyer's limit."""

from __future__ import annotations

from typing import NamedTuple

import numpy as np

from simulator.jit import NEVER
from simulator.ledger.portfolio import Floats, Ints
from simulator.study.schema import Policy, Programme
from simulator.study.schema_terms import LimitChanges


class ToldLimits(NamedTuple):
    """Changes of limits that a script tells, by programme and buyer, up to K each, in order of their days.

    ``day`` int32[P, B, K] (NEVER: none); ``allowed`` float64[P, B, K], what the buyer's limit lets it owe from then on,
    study currency; infinite where it is no less than it was.
    """

    day: Ints
    allowed: Floats


class Stops(NamedTuple):
    """Debts up to which the seller ships under a programme: once a limit has changed as drawn, or as told."""

    allowed: Floats
    day: Ints
    told: Floats

    def any(self) -> bool:
        """Whether anybody's shipments may stop."""
        return bool(np.isfinite(self.allowed).any() or np.isfinite(self.told).any())

    def equal(self, other: Stops) -> bool:
        """Whether both stop alike."""
        return all(np.array_equal(mine, its) for mine, its in zip(self, other, strict=True))


def no_stops(n_buyers: int, told: ToldLimits | None) -> Stops:
    """Of a seller that never stops."""
    n_told = 0 if told is None else told.day.shape[2]
    return Stops(
        np.full(n_buyers, np.inf), np.full((n_buyers, n_told), NEVER, np.int32), np.full((n_buyers, n_told), np.inf)
    )


def stops_of(programme: Programme, p: int, named_limit: Floats, told: ToldLimits | None) -> Stops:
    """Where the seller stops under programme number p.

    Args:
        programme: the programme.
        p: its number.
        named_limit: limits its insurer can change, study currency, float64[n_buyers]; NaN: none.
        told: changes that the study's script tells, instead of drawn ones.
    """
    never = no_stops(len(named_limit), told)
    if stopping(programme) is None:
        return never
    if told is None:
        return never._replace(allowed=_allowed(programme, named_limit))
    return never._replace(day=told.day[p], told=told.allowed[p])


def stopping(programme: Programme) -> LimitChanges | None:
    """The limit changes a seller answers by stopping."""
    changes = programme.limit_changes if isinstance(programme, Policy) else None
    return changes if changes is not None and changes.seller == "stops" else None


def _allowed(programme: Programme, named_limit: Floats) -> Floats:
    """Debt up to which the seller ships after a buyer's limit has changed; infinite where it does not stop."""
    changes = stopping(programme)
    if changes is None or changes.annual_probability <= 0.0:
        return np.full(len(named_limit), np.inf)
    left = changes.to * named_limit if changes.to > 0.0 else np.zeros(len(named_limit))
    return np.where(np.isnan(named_limit), np.inf, left)
