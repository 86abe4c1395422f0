"""What the bank lends on receivables at the end of each period, against the limit of the line."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pandas as pd

from simulator.report.figures import style
from simulator.report.figures.fan import fan, plot_fan
from simulator.results.result import Result

if TYPE_CHECKING:
    from matplotlib.axes import Axes


def data(result: Result) -> pd.DataFrame:
    """Bands of the borrowing base per programme and date (see :func:`simulator.report.figures.fan.fan`).

    What can be drawn is the base or the limit, the level, whichever is less.
    """
    return fan(result, "borrowing_base", None, result.study.liquidity.credit_line.limit)


def plot_availability_fan(data: pd.DataFrame, axes: Axes) -> None:
    """One programme's panel."""
    plot_fan(data, axes, "limit")
    style.heading(axes, "Borrowing base" + style.currency(data))
