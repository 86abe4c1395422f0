"""Probability that the first shortfall has happened by each date, per programme."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np
import pandas as pd

from simulator.measures.estimate import effective_size
from simulator.report.figures.shortfall import plot_over_time, with_interval
from simulator.results.result import Result

if TYPE_CHECKING:
    from matplotlib.axes import Axes


def data(result: Result) -> pd.DataFrame:
    """Columns programme, date, probability (of a shortfall by that date), ci_low, ci_high (95 %)."""
    dates = [pd.Timestamp(d).date() for d in result.paths["period"].to_numpy()]
    weight = result.scenarios["weight"].to_numpy()
    first = result.scenarios["first_shortfall_period"].transpose("programme", "scenario").to_numpy()
    size, frames = effective_size(weight), []
    for p, programme in enumerate(result.programmes):
        happened = first[p] >= 0
        by_period = np.bincount(first[p][happened], weights=weight[happened], minlength=len(dates))
        probability = np.minimum(1.0, np.cumsum(by_period) / weight.sum())
        frames.append(with_interval(programme, dates, probability, size))
    return pd.concat(frames, ignore_index=True)


def plot_first_shortfall(data: pd.DataFrame, axes: Axes) -> None:
    """One rising line per programme."""
    plot_over_time(data, axes, "Probability that cash has run short by this date")
