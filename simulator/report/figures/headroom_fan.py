"""Headroom at the end of each period: cash and undrawn credit line above the minimum; below zero is a shortfall."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pandas as pd

from simulator.report.figures import style
from simulator.report.figures.fan import fan, plot_fan
from simulator.results.result import Result

if TYPE_CHECKING:
    from matplotlib.axes import Axes


def data(result: Result) -> pd.DataFrame:
    """Bands of headroom per programme and date (see :func:`simulator.report.figures.fan.fan`)."""
    liquidity = result.study.liquidity
    start = liquidity.opening_cash + liquidity.credit_line.limit - liquidity.minimum_cash
    return fan(result, "headroom", start, 0.0)


def plot_headroom_fan(data: pd.DataFrame, axes: Axes) -> None:
    """One programme's panel."""
    plot_fan(data, axes, "shortfall below")
    style.heading(axes, "Headroom" + style.currency(data))
