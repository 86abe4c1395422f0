"""How much of the expected indemnity has arrived when the horizon ends."""

from __future__ import annotations

import numpy as np
import pandas as pd
from matplotlib.axes import Axes

from simulator.report.blocks import records
from simulator.report.figures import style
from simulator.report.figures.gap import insured
from simulator.report.numbers import short_percent, unit_for
from simulator.results.result import Result


def data(result: Result) -> pd.DataFrame:
    """Columns programme, indemnity (mean, whenever paid, before recovery shares), in_horizon (mean, net), share."""
    weight = result.scenarios["weight"].to_numpy()
    records = []
    for programme in insured(result):
        rows = result.scenarios.sel(programme=programme)
        ultimate = float(np.average(rows["indemnity_gross"].to_numpy(), weights=weight))
        arrived = float(np.average(rows["indemnity_in_horizon"].to_numpy(), weights=weight))
        share = arrived / ultimate if ultimate > 0 else float("nan")
        records.append({"programme": programme, "indemnity": ultimate, "in_horizon": arrived, "share": share})
    return pd.DataFrame(records, columns=["programme", "indemnity", "in_horizon", "share"])


def height(data: pd.DataFrame) -> float:
    """Height in pixels that its bars need."""
    return 60 + 46 * len(data)


def plot_claim_timing(data: pd.DataFrame, axes: Axes) -> None:
    """A pale bar for what is owed in the end, a dark one inside it for what has arrived."""
    style.margins(axes, left=12, right=24, top=26, bottom=28)
    y = np.arange(len(data))
    axes.set_ylim(len(data) - 0.4, -0.75)
    axes.set_xlim(0, max(1.0, 1.05 * float(data[["indemnity", "in_horizon"]].to_numpy().max())))
    axes.barh(y + 0.12, data["indemnity"], height=0.44, color=style.BAND, alpha=0.55, linewidth=0)
    axes.barh(y + 0.12, data["in_horizon"], height=0.22, color=style.CHOICE, linewidth=0)
    unit = unit_for([*data["indemnity"], *data["in_horizon"]])
    for place, row in zip(y, records(data), strict=True):
        arrived = f"{unit.label(row.in_horizon)} of {unit.label(row.indemnity)} ({short_percent(row.share)})"
        axes.text(0, place - 0.3, f"{style.shorten(row.programme, 24)}: {arrived}", va="center", fontsize=11.5)
    axes.set_yticks([])
    axes.grid(visible=False, axis="y")
    axes.grid(axis="x")
    style.money_ticks(axes, "x", 4)
    style.heading(axes, "Mean claims money" + style.currency(data) + "; dark: within the horizon")
