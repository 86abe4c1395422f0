"""Occurrence and aggregate exceedance of gross loss: the largest buyer group alone (OEP) against all of them (AEP)."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pandas as pd

from simulator.report.figures import style
from simulator.report.figures.exceedance import curve, plot_curves
from simulator.results.result import Result

if TYPE_CHECKING:
    from matplotlib.axes import Axes

CURVES = {"all buyers": "gross_loss", "largest buyer group": "largest_loss"}


def data(result: Result) -> pd.DataFrame:
    """Columns curve, probability, loss (exceeded with it), ci_low, ci_high (95 %, of the loss)."""
    weight = result.scenarios["weight"].to_numpy()
    return pd.concat(
        [curve(name, result.scenarios[variable].to_numpy(), weight) for name, variable in CURVES.items()],
        ignore_index=True,
    )


def plot_largest_loss(data: pd.DataFrame, axes: Axes) -> None:
    """Two curves."""
    plot_curves(data, axes, {"all buyers": style.line_of(0), "largest buyer group": style.line_of(2)})
    style.heading(axes, "Probability of a gross loss larger than …")
    style.unit_below(axes, "Gross loss" + style.currency(data))
