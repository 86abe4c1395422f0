"""How much of the expected claims money has arrived when the horizon ends, and how much is handed back."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np
import pandas as pd

from simulator.report.blocks import records
from simulator.report.figures import style
from simulator.report.figures.gap import insured
from simulator.report.numbers import unit_for
from simulator.results.result import Result

if TYPE_CHECKING:
    from matplotlib.axes import Axes

COLUMNS = ("programme", "gross", "handed_back", "indemnity", "in_horizon", "share")


def data(result: Result) -> pd.DataFrame:
    """One row per insured programme, means over the scenarios.

    Columns programme, gross (whenever paid), handed_back (the insurer's shares of recoveries), indemnity (net, in the
    end), in_horizon (net, received by then), share (of the net).
    """
    weight = result.scenarios["weight"].to_numpy()
    records = []
    for programme in insured(result):
        rows = result.scenarios.sel(programme=programme)
        gross, net, arrived = (
            float(np.average(rows[name].to_numpy(), weights=weight))
            for name in ("indemnity_gross", "indemnity", "indemnity_in_horizon")
        )
        share = arrived / net if net > 0 else float("nan")
        records.append((programme, gross, gross - net, net, arrived, share))
    return pd.DataFrame(records, columns=list(COLUMNS))


def height(data: pd.DataFrame) -> float:
    """Height in pixels that its bars need."""
    return 60 + 46 * len(data)


def plot_claim_timing(data: pd.DataFrame, axes: Axes) -> None:
    """A pale bar for what is paid and kept in the end, dashes for what is handed back, a dark one for what came."""
    style.margins(axes, left=12, right=24, top=26, bottom=28)
    y = np.arange(len(data))
    axes.set_ylim(len(data) - 0.4, -0.75)
    axes.set_xlim(0, max(1.0, 1.05 * float(data[["gross", "in_horizon"]].to_numpy().max())))
    axes.barh(y + 0.12, data["indemnity"], height=0.44, color=style.BAND, alpha=0.55, linewidth=0)
    axes.barh(
        y + 0.12, data["handed_back"], left=data["indemnity"], height=0.44, facecolor="none", edgecolor=style.BAND,
        linewidth=1.0, linestyle=(0, (3, 2)),
    )  # fmt: skip
    axes.barh(y + 0.12, data["in_horizon"], height=0.22, color=style.CHOICE, linewidth=0)
    unit = unit_for([*data["gross"], *data["in_horizon"]])
    for place, row in zip(y, records(data), strict=True):
        said = f"{unit.label(row.in_horizon)} by then, {unit.label(row.indemnity)} in the end"
        axes.text(0, place - 0.3, f"{style.shorten(row.programme, 24)}: {said}", va="center", fontsize=11.5)
    axes.set_yticks([])
    axes.grid(visible=False, axis="y")
    axes.grid(axis="x")
    style.money_ticks(axes, "x", 4)
    style.heading(axes, "Mean net claims" + style.currency(data) + "; dark: within the horizon; dashed: handed back")
