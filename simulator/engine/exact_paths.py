"""Every value of every path series, where a study asks for exact quantiles by period; in a file where it is large.

A *series* is one number per scenario, such as the cash of one programme at one period end. See :mod:`.sketch` for what
is kept otherwise.
"""

from __future__ import annotations

from pathlib import Path

import numpy as np
from numpy.typing import ArrayLike

from simulator.engine import spill
from simulator.engine.sketch import Floats, inverse, positions

#: Series that are looked at before the memory of those before is given back.
BATCH = 16


class ExactPaths:
    """The values of many series over all scenarios, and their quantiles.

    Attributes:
        n_series: number of series.
        rank_error: 0: of each quantile, for any data.
    """

    rank_error = 0.0

    def __init__(self, n_series: int, n_scenarios: int, in_files: bool, folder: Path | None = None) -> None:
        self.n_series = n_series
        self._values = spill.room((n_series, n_scenarios), np.float64, in_files, folder)
        self._weights = np.empty(n_scenarios)

    def put(self, first: int, columns: Floats, weights: Floats) -> None:
        """Enter a chunk's series, float64[series, n], and the weights of its scenarios."""
        self._values[:, first : first + len(weights)] = columns
        self._weights[first : first + len(weights)] = weights

    def grow(self, n_scenarios: int, in_files: bool, folder: Path | None = None) -> None:
        """Make room for more scenarios after those there are."""
        before, old, weights = len(self._weights), self._values, self._weights
        self._values = spill.room((self.n_series, n_scenarios), np.float64, in_files, folder)
        self._weights = np.empty(n_scenarios)
        self._weights[:before] = weights
        for start in range(0, self.n_series, BATCH):
            part = slice(start, start + BATCH)
            self._values[part, :before] = old[part]
            spill.release()

    def quantile(self, probabilities: ArrayLike) -> Floats:
        """Values at the given probabilities by inverted weighted cdf, float64[len(probabilities), series]."""
        asked = np.atleast_1d(np.asarray(probabilities, dtype=np.float64))
        weights = None if self._weights.min() == self._weights.max() else self._weights
        places = positions(asked, len(self._weights))
        answer = np.empty((len(asked), self.n_series))
        for k, values in enumerate(self._values):
            if weights is None:
                answer[:, k] = np.partition(values, places)[places]
            else:
                order = np.argsort(values, kind="stable")
                answer[:, k] = values[order[inverse(np.cumsum(weights[order]), asked)]]
            if k % BATCH == 0:
                spill.release()
        return answer
