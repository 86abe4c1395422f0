"""What can be drawn of the credit line at the end of each period, where the bank lends against receivables."""

from __future__ import annotations

import pandas as pd
from matplotlib.axes import Axes

from simulator.report.figures import style
from simulator.report.figures.fan import fan, plot_fan
from simulator.results.result import Result


def data(result: Result) -> pd.DataFrame:
    """Bands of the line that is available per programme and date (see :func:`simulator.report.figures.fan.fan`)."""
    return fan(result, "availability", None, result.study.liquidity.credit_line.limit)


def plot_availability_fan(data: pd.DataFrame, axes: Axes) -> None:
    """One programme's panel."""
    plot_fan(data, axes, "limit")
    style.heading(axes, "Available" + style.currency(data))
