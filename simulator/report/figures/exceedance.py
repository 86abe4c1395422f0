"""Aggregate exceedance curves (AEP): the probability that the horizon's retained loss reaches an amount."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from simulator.measures.curves import exceedance_curve
from simulator.measures.sample import Sample
from simulator.report.figures import style
from simulator.report.numbers import short_percent
from simulator.results.result import Result

if TYPE_CHECKING:
    from matplotlib.axes import Axes

POINTS = 90
LEAST_SCENARIOS = 10.0  # the curve ends where fewer effective scenarios than this lie beyond


def data(result: Result) -> pd.DataFrame:
    """Columns curve (programme), probability, loss (exceeded with it), ci_low, ci_high (95 %, of the loss)."""
    weight = result.scenarios["weight"].to_numpy()
    retained = result.scenarios["retained_loss"].transpose("programme", "scenario").to_numpy()
    return pd.concat([curve(name, retained[p], weight) for p, name in enumerate(result.programmes)], ignore_index=True)


def curve(name: str, loss: NDArray[np.float64], weight: NDArray[np.float64]) -> pd.DataFrame:
    """One exceedance curve; its points are the same quantiles as the values at risk of the tables."""
    sample = Sample.weighted(loss, weight)
    rarest = min(0.5, LEAST_SCENARIOS / sample.kish)
    found = exceedance_curve(sample, np.geomspace(0.99, rarest, POINTS))
    found["ci_low"] = found["ci_low"].fillna(float(sample.ordered[0]))
    found["ci_high"] = found["ci_high"].fillna(float(sample.ordered[-1]))
    found.insert(0, "curve", name)
    return found.drop(columns="return_period")


def plot_exceedance(data: pd.DataFrame, axes: Axes) -> None:
    """One curve per programme, named at its end."""
    plot_curves(data, axes)
    style.heading(axes, "Probability of a retained loss larger than …")
    style.unit_below(axes, "Retained loss" + style.currency(data))


def plot_curves(data: pd.DataFrame, axes: Axes, lines: dict[str, style.Line] | None = None) -> None:
    """Curves with their bands on a logarithmic probability axis."""
    from matplotlib.ticker import FixedLocator, FuncFormatter, NullLocator

    curves = [str(c) for c in data["curve"].unique()]
    floor = float(data["probability"].min())
    axes.set_yscale("log")
    axes.set_ylim(floor * 0.9, 1.05)
    right = max(float(data["loss"].max()) * 1.02, 0.75 * float(data["ci_high"].max()), 1.0)
    axes.set_xlim(min(0.0, float(data["loss"].min())), right)
    ends = []
    for index, name in enumerate(curves):
        rows = data[data["curve"] == name]
        line = (lines or {}).get(name, style.line_of(index))
        axes.fill_betweenx(
            rows["probability"], rows["ci_low"], rows["ci_high"], color=line.colour, alpha=0.13, linewidth=0
        )
        axes.plot(rows["loss"], rows["probability"], color=line.colour, linestyle=line.linestyle)
        ends.append((float(rows["loss"].iloc[-1]), name, line))
    marks = [p for p in (0.5, 0.2, 0.1, 0.05, 0.02, 0.01, 0.005, 0.002, 0.001, 1e-4, 1e-5) if p >= floor * 0.9]
    axes.yaxis.set_major_locator(FixedLocator([1.0, *marks]))
    axes.yaxis.set_minor_locator(NullLocator())
    axes.yaxis.set_major_formatter(FuncFormatter(lambda value, _: short_percent(value)))
    axes.grid(axis="x")
    style.key(axes, [(name, line) for _, name, line in sorted(ends, key=lambda end: -end[0])])  # as the curves end
    style.money_ticks(axes, "x", 6 if style.size_of(axes)[0] > 500 else 4)
