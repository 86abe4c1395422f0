"""Curves: exceedance of a loss (AEP, OEP) and the time to a first shortfall."""

from __future__ import annotations

import math
from typing import TYPE_CHECKING

import numpy as np

from simulator.measures.estimate import Estimate
from simulator.measures.estimates import probability
from simulator.measures.sample import Floats, Sample
from simulator.measures.tail import FEWEST_BEYOND, quantile, value_at_risk

if TYPE_CHECKING:
    import pandas as pd

DEFAULT_POINTS = 60


def exceedance_curve(sample: Sample, probabilities: Floats | None = None) -> pd.DataFrame:
    """Loss that is exceeded with each probability, with its 95 % interval.

    Of annual totals this is the AEP curve, of the largest single buyer-group loss the OEP curve.

    Args:
        sample: losses.
        probabilities: exceedance probabilities in (0, 1), by default 60 from 50 % down to where five effective
            scenarios lie beyond, evenly spaced in logarithm.

    Returns:
        Columns probability, return_period (in horizons), loss, ci_low, ci_high; bounds the sample cannot give are NaN.
    """
    import pandas as pd

    if probabilities is None:
        rarest = min(0.25, FEWEST_BEYOND / sample.kish)
        probabilities = np.geomspace(0.5, rarest, DEFAULT_POINTS)
    found = [quantile(sample, 1.0 - float(p)) for p in probabilities]
    return pd.DataFrame(
        {
            "probability": np.asarray(probabilities, dtype=np.float64),
            "return_period": 1.0 / np.asarray(probabilities, dtype=np.float64),
            "loss": [q.value for q in found],
            "ci_low": [q.ci_low if math.isfinite(q.ci_low) else math.nan for q in found],
            "ci_high": [q.ci_high if math.isfinite(q.ci_high) else math.nan for q in found],
        }
    )


def first_shortfall_distribution(first_period: Sample, n_periods: int) -> pd.DataFrame:
    """Probability that the first shortfall has come by the end of each period.

    Args:
        first_period: index of the first period of shortfall from 0, −1 where there is none.
        n_periods: number of periods.

    Returns:
        Columns period (from 1), probability, standard_error, ci_low, ci_high.
    """
    import pandas as pd

    first = first_period.values
    rows = []
    for period in range(n_periods):
        event = probability(Sample(((first >= 0) & (first <= period)).astype(np.float64), first_period.p))
        rows.append((period + 1, event.value, event.standard_error, event.ci_low, event.ci_high))
    return pd.DataFrame(rows, columns=["period", "probability", "standard_error", "ci_low", "ci_high"])


def first_shortfall_median(first_period: Sample) -> Estimate:
    """Median of the first period of shortfall, counted from 1, among the scenarios with one; NaN where none has."""
    struck = first_period.values >= 0
    if not struck.any():
        return Estimate(math.nan, math.nan, math.nan, math.nan, 0.0, "period")
    weights = None if first_period.p is None else first_period.p[struck]
    if weights is not None and weights.max() <= 0.0:
        return Estimate(math.nan, math.nan, math.nan, math.nan, 0.0, "period")
    return value_at_risk(Sample.weighted(first_period.values[struck] + 1.0, weights), 0.5, "period")
