"""Constants that plans and compiled loops share; nothing here needs a compiler."""

from __future__ import annotations

import numpy as np

#: "No day": a date that never comes.
NEVER = 2147483647
#: Limit score of a buyer for which none is drawn: later than any change.
NO_SCORE = 9.0

#: Quantile functions are tabulated over a standard normal argument z: index = (z + TABLE_EDGE) · TABLE_PER_UNIT.
TABLE_EDGE = 6.5
TABLE_PER_UNIT = 256
TABLE_SIZE = int(2 * TABLE_EDGE * TABLE_PER_UNIT) + 1


def table_grid() -> np.ndarray:
    """The z values at which quantile functions are tabulated, float64[TABLE_SIZE]."""
    return np.arange(TABLE_SIZE) / TABLE_PER_UNIT - TABLE_EDGE
