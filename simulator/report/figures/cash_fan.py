"""Cash at the end of each period: where it goes on average, and how far it may stray."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pandas as pd

from simulator.report.figures import style
from simulator.report.figures.fan import fan, plot_fan
from simulator.results.result import Result

if TYPE_CHECKING:
    from matplotlib.axes import Axes


def data(result: Result) -> pd.DataFrame:
    """Bands of closing cash per programme and date (see :func:`simulator.report.figures.fan.fan`)."""
    liquidity = result.study.liquidity
    return fan(result, "cash", liquidity.opening_cash, liquidity.minimum_cash)


def plot_cash_fan(data: pd.DataFrame, axes: Axes) -> None:
    """One programme's panel."""
    plot_fan(data, axes, "minimum cash")
    style.heading(axes, "Closing cash" + style.currency(data))
