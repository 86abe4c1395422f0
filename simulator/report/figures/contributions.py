"""Who drives the loss: shares of the mean loss and of the loss in the worst 1 %, largest first."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np
import pandas as pd

from simulator.report.blocks import records
from simulator.report.figures import style
from simulator.report.numbers import short_percent, unit_for
from simulator.results.result import Result

if TYPE_CHECKING:
    from matplotlib.axes import Axes

TABLES = {"buyers": "Buyers", "countries": "Countries", "sectors": "Sectors", "currencies": "Currencies"}
SHOWN = 10


def data(result: Result) -> pd.DataFrame:
    """Columns table, name, exposure, mean_loss, tail_loss, mean_share, tail_share: the first ten of each table.

    Sorted by loss in the tail. Tables with a single entry say nothing and are left out, buyers excepted.
    """
    frames = []
    for table in TABLES:
        rows = result.contributions.get(table)
        if rows is None or rows.empty or (len(rows) < 2 and table != "buyers"):
            continue
        mean, tail = float(rows["mean_loss"].sum()), float(rows["tail_loss"].sum())
        top = rows.sort_values("tail_loss", ascending=False, kind="stable").head(SHOWN)
        frames.append(
            pd.DataFrame(
                {
                    "table": table,
                    "name": top["name"].astype(str),
                    "exposure": top["exposure"].astype(float),
                    "mean_loss": top["mean_loss"].astype(float),
                    "tail_loss": top["tail_loss"].astype(float),
                    "mean_share": top["mean_loss"].astype(float) / (mean or 1.0),
                    "tail_share": top["tail_loss"].astype(float) / (tail or 1.0),
                }
            )
        )
    columns = ["table", "name", "exposure", "mean_loss", "tail_loss", "mean_share", "tail_share"]
    return pd.concat(frames, ignore_index=True) if frames else pd.DataFrame(columns=columns)


def panels(data: pd.DataFrame) -> list[tuple[str, pd.DataFrame]]:
    """One table per kind of contributor."""
    return [(TABLES[str(name)], data[data["table"] == name]) for name in data["table"].unique()]


def height(data: pd.DataFrame) -> float:
    """Height in pixels that its bars need."""
    return 62 + 30 * len(data)


def plot_contributions(data: pd.DataFrame, axes: Axes) -> None:
    """Two bars per name: pale the share of the mean loss, dark the share of the loss in the worst 1 %."""
    style.margins(axes, left=150, right=44, top=34, bottom=26)
    y = np.arange(len(data))
    axes.set_ylim(len(data) - 0.4, -0.6)
    axes.set_xlim(0, max(1e-6, 1.02 * float(data[["mean_share", "tail_share"]].to_numpy().max())))
    axes.barh(y - 0.17, data["mean_share"], height=0.32, color=style.BAND, linewidth=0)
    axes.barh(y + 0.17, data["tail_share"], height=0.32, color=style.CHOICE, linewidth=0)
    unit = unit_for(data["exposure"])
    for place, row in zip(y, records(data), strict=True):
        axes.annotate(
            style.shorten(row.name, 21), xy=(0, place), xytext=(-8, 6), textcoords="offset pixels", ha="right",
            va="center", fontsize=11, annotation_clip=False,
        )  # fmt: skip
        axes.annotate(
            f"exposure {unit.label(row.exposure)}", xy=(0, place), xytext=(-8, -7), textcoords="offset pixels",
            ha="right", va="center", fontsize=9.5, color=style.MUTED, annotation_clip=False,
        )  # fmt: skip
        axes.annotate(
            short_percent(row.tail_share), xy=(1, place + 0.17), xycoords=("axes fraction", "data"), xytext=(6, 0),
            textcoords="offset pixels", va="center", fontsize=10, color=style.CHOICE, annotation_clip=False,
        )  # fmt: skip
    axes.set_yticks([])
    axes.grid(visible=False, axis="y")
    axes.grid(axis="x")
    style.percent_ticks(axes, "x", 4)
    style.heading(axes, "Share of mean loss (pale), of worst 1 % (dark)")
