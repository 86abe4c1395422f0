"""Probability of being in a shortfall at the end of each period, per programme."""

from __future__ import annotations

import datetime as dt
from typing import TYPE_CHECKING

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from simulator.measures.estimate import effective_size
from simulator.measures.estimates import wilson
from simulator.report.figures import style
from simulator.report.numbers import short_date
from simulator.results.result import Result

if TYPE_CHECKING:
    from matplotlib.axes import Axes


def data(result: Result) -> pd.DataFrame:
    """Columns programme, date, probability, ci_low, ci_high (95 %); one row per programme and period."""
    dates = [pd.Timestamp(d).date() for d in result.paths["period"].to_numpy()]
    probability = result.paths["shortfall_probability"].transpose("programme", "period").to_numpy()
    size = effective_size(result.scenarios["weight"].to_numpy())
    frames = [with_interval(name, dates, probability[p], size) for p, name in enumerate(result.programmes)]
    return pd.concat(frames, ignore_index=True)


def with_interval(programme: str, dates: list[dt.date], probability: NDArray[np.float64], size: float) -> pd.DataFrame:
    """One programme's probabilities by date with Wilson intervals for this effective number of scenarios."""
    bounds = [wilson(float(share), size) for share in probability]
    low, high = [low for low, _ in bounds], [high for _, high in bounds]
    return pd.DataFrame(
        {"programme": programme, "date": dates, "probability": probability, "ci_low": low, "ci_high": high}
    )


def plot_shortfall(data: pd.DataFrame, axes: Axes) -> None:
    """One line per programme, named at its end."""
    plot_over_time(data, axes, "Probability of a shortfall at the end of a period")


def plot_over_time(data: pd.DataFrame, axes: Axes, heading: str) -> None:
    """Lines of ``probability`` by date, one per programme, with their confidence bands."""
    programmes = list(data["programme"].unique())
    dates = list(data.loc[data["programme"] == programmes[0], "date"])
    x = np.arange(len(dates))
    axes.set_xlim(0, max(1, len(dates) - 1))
    top = float(data["ci_high"].where(data["probability"] > 0, 0.0).max())
    axes.set_ylim(0, 1.08 * top if top > 0 else 1.0)
    ends = []
    for index, programme in enumerate(programmes):
        rows, line = data[data["programme"] == programme], style.line_of(index)
        y = rows["probability"].to_numpy()
        seen = y > 0  # an interval around "never seen" would shade the whole figure
        axes.fill_between(x, rows["ci_low"], rows["ci_high"], where=seen, color=line.colour, alpha=0.13, linewidth=0)
        axes.plot(x, y, color=line.colour, linestyle=line.linestyle)
        ends.append((float(x[-1]), float(y[-1]), str(programme), line))
    style.percent_ticks(axes, "y")
    style.heading(axes, heading)
    style.label_lines(axes, ends)
    width = style.size_of(axes)[0] * axes.get_position().width
    style.date_ticks(axes, [short_date(d) for d in dates], width)
