"""The share of the debts that claims pay, scenario by scenario, beside the headline percentage of the policy."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np
import pandas as pd

from simulator.measures.columns import Columns
from simulator.measures.cover import share_paid
from simulator.measures.estimates import mean, ratio
from simulator.report.blocks import records
from simulator.report.figures import style
from simulator.report.figures.gap import insured
from simulator.report.numbers import short_percent
from simulator.results.result import Result

if TYPE_CHECKING:
    from matplotlib.axes import Axes

QUANTILES = {"low": 0.05, "lower": 0.25, "median": 0.5, "upper": 0.75, "high": 0.95}
COLUMNS = ("programme", "headline", "mean", "mean_error", *QUANTILES, "scenarios")


def data(result: Result) -> pd.DataFrame:
    """One row per insured programme with a debt in some scenario.

    Columns programme, headline (insured percentage in an insolvency), mean (expected claims over expected debt) with
    its mean_error, low, lower, median, upper, high (5, 25, 50, 75 and 95 % of the scenarios with a debt have at
    most this share), scenarios (share of the scenarios that have a debt).
    """
    from simulator.study.schema import Policy

    columns = Columns(result)
    rows = []
    for programme in insured(result):
        index = result.programmes.index(programme)
        paid, terms = share_paid(columns, index), result.study.programmes[index]
        if paid is None or not isinstance(terms, Policy):
            continue
        debt = columns.sample("gap_debt", index)
        whole = ratio(mean(columns.sample("indemnity_gross", index)), mean(debt))
        row = {"programme": programme, "headline": terms.percentage("insolvency"), "mean": whole.value}
        row |= {"mean_error": whole.standard_error}
        row |= {name: float(paid.ordered[paid.position(level)]) for name, level in QUANTILES.items()}
        rows.append(row | {"scenarios": mean(columns.event(debt.values > 0.0)).value})
    return pd.DataFrame(rows, columns=list(COLUMNS))


def height(data: pd.DataFrame) -> float:
    """Height in pixels that its bars need."""
    return 60 + 46 * len(data)


def plot_share_paid(data: pd.DataFrame, axes: Axes) -> None:
    """A pale bar for nine scenarios in ten, a dark one for half of them, the median, the mean and the headline."""
    width, _ = style.size_of(axes)
    style.margins(axes, left=14, right=24, top=26, bottom=28)
    y = np.arange(len(data)) + 0.12
    axes.set_ylim(len(data) - 0.4, -0.75)
    axes.set_xlim(0, max(1.0, float(data[["high", "headline", "mean"]].to_numpy().max())))
    axes.barh(y, data["high"] - data["low"], left=data["low"], height=0.36, color=style.BAND, alpha=0.45, linewidth=0)
    axes.barh(y, data["upper"] - data["lower"], left=data["lower"], height=0.36, color=style.BAND, linewidth=0)
    axes.vlines(data["median"], y - 0.22, y + 0.22, color=style.CHOICE, linewidth=2.2)
    axes.vlines(
        data["headline"], y - 0.28, y + 0.28, color=style.ALERT, linewidth=1.6, linestyle=(0, (3, 1.5)), clip_on=False
    )
    axes.plot(data["mean"], y, linestyle="none", marker="D", markersize=6, color=style.INK, markeredgecolor="white")
    for place, row in enumerate(records(data)):
        name = style.shorten(row.programme, 34 if width > 500 else 20)
        parts = [f"headline {short_percent(row.headline, 3)}", f"mean {short_percent(row.mean)}"]
        parts += [f"median {short_percent(row.median)}"] if width > 500 else []
        axes.text(0, place - 0.32, f"{name}: {', '.join(parts)}", va="center", fontsize=11.5)
    axes.set_yticks([])
    axes.grid(visible=False, axis="y")
    axes.grid(axis="x")
    style.percent_ticks(axes, "x", 4)
    style.heading(axes, "Gross claims as share of the debt claimed")
