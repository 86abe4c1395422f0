"""Words that the sentences of the answer share: names, amounts with their error, shares, enumerations."""

from __future__ import annotations

import math

from simulator.measures.columns import Columns
from simulator.measures.digits import format_value
from simulator.measures.estimate import Estimate

CLEAR = 1.959963984540054


def name_of(columns: Columns, programme: int) -> str:
    """Name of a programme."""
    return columns.result.programmes[programme]


def money(columns: Columns, value: float, error: float = 0.0) -> str:
    """An amount in study currency, to the digits its error deserves."""
    return format_value(value, error, currency=columns.result.currency)


def share(value: float) -> str:
    """A share as whole percent."""
    return format_value(round(value, 2), 0.0, "1", percent=True)


def amount(columns: Columns, estimate: Estimate) -> str:
    """The size of an estimate with its error, study currency."""
    return money(columns, abs(estimate.value), estimate.standard_error)


def is_clear(estimate: Estimate) -> bool:
    """Whether a difference is beyond sampling noise at 95 %."""
    return abs(estimate.value) > CLEAR * estimate.standard_error


def doubt_of(estimate: Estimate) -> str:
    """What to say behind a difference that is not clear; nothing where it is."""
    if math.isnan(estimate.standard_error):
        return ", with an error that so few scenarios do not tell"
    return "" if is_clear(estimate) else ", which is within sampling noise"


def listed(names: list[str]) -> str:
    """Names as an enumeration: ``A, B and C``."""
    return names[0] if len(names) == 1 else ", ".join(names[:-1]) + " and " + names[-1]
