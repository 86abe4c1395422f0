"""The bands of a simulated path, shared by the cash and headroom figures.

One panel per programme, all on the same vertical scale, so that the eye compares programmes and not axes.
"""

from __future__ import annotations

import datetime as dt
from typing import TYPE_CHECKING

import numpy as np
import pandas as pd

from simulator.report.figures import style
from simulator.report.numbers import short_date, short_money, short_percent
from simulator.results.result import Result

if TYPE_CHECKING:
    from matplotlib.axes import Axes

LEVELS = {"low": 0.05, "lower": 0.25, "median": 0.5, "upper": 0.75, "high": 0.95}


def fan(result: Result, variable: str, start: float | None, line: float) -> pd.DataFrame:
    """Bands of a path variable with dims (programme, quantile, period), one row per programme and date.

    Args:
        result: a result with paths.
        variable: ``cash``, ``headroom`` or ``borrowing_base``.
        start: value on the ledger's date; None where it is not known: the bands then begin with the first period.
        line: the level that matters (minimum cash; zero headroom; the line's limit).

    Returns:
        Columns programme, date, low, lower, median, upper, high, and mean where it is known, level. The attrs carry
        ``limits`` (common vertical range) and ``levels`` (the quantiles really drawn, nearest to 5, 25, 50, 75, 95 %).
    """
    paths = result.paths
    known = paths["quantile"].to_numpy()
    picked = {name: int(np.abs(known - level).argmin()) for name, level in LEVELS.items()}
    opening = [] if start is None else [start]
    dates = [result.study.study.as_of][: len(opening)] + [pd.Timestamp(d).date() for d in paths["period"].to_numpy()]
    values = paths[variable].transpose("programme", "quantile", "period").to_numpy()
    frames = []
    for p, programme in enumerate(result.programmes):
        columns = {name: np.r_[opening, values[p, q]] for name, q in picked.items()}
        if f"mean_{variable}" in paths:
            mean = paths[f"mean_{variable}"].transpose("programme", "period").to_numpy()
            columns["mean"] = np.r_[opening, mean[p]]
        frames.append(pd.DataFrame({"programme": programme, "date": dates} | columns | {"level": line}))
    data = pd.concat(frames, ignore_index=True)
    numbers = data.drop(columns=["programme", "date"]).to_numpy(dtype=float)
    low, high = float(numbers.min()), float(numbers.max())
    pad = 0.05 * ((high - low) or max(1.0, abs(high)))
    data.attrs = {"limits": (low - pad, high + pad), "levels": [float(known[q]) for q in picked.values()]}
    return data


def panels(data: pd.DataFrame) -> list[tuple[str, pd.DataFrame]]:
    """One table per programme, in the order of the study."""
    return [(str(name), data[data["programme"] == name]) for name in data["programme"].unique()]


def plot_fan(data: pd.DataFrame, axes: Axes, level_name: str) -> None:
    """Two bands, median and mean of one programme, and the level that matters."""
    style.margins(axes, right=54, left=50)
    x = np.arange(len(data))
    axes.set_xlim(0, len(data) - 1)
    axes.set_ylim(*data.attrs["limits"])
    axes.fill_between(x, data["low"], data["high"], color=style.BAND, alpha=0.32, linewidth=0)
    axes.fill_between(x, data["lower"], data["upper"], color=style.BAND, alpha=0.75, linewidth=0)
    axes.plot(x, data["median"], color=style.CHOICE)
    if "mean" in data:
        axes.plot(x, data["mean"], color=style.INK, linewidth=1.1, dashes=(2, 2))
    level = float(data["level"].iloc[0])
    axes.axhline(level, color=style.ALERT, linewidth=1.3, dashes=(6, 2))
    style.money_ticks(axes, "y")
    dates: list[dt.date] = list(data["date"])
    style.date_ticks(axes, [short_date(d) for d in dates], style.size_of(axes)[0] - 104)
    shown = data.iloc[-1]
    names = [(n, short_percent(v)) for n, v in zip(LEVELS, data.attrs["levels"], strict=True)]
    labels = [(float(shown[n]), "median" if n == "median" else t) for n, t in names]
    box, height = axes.get_position(), style.size_of(axes)[1]
    pixels = [float(axes.transData.transform((0, y))[1]) for y, _ in labels]
    for (y, text), place in zip(labels, style.spread(pixels, 12.5, box.y0 * height, box.y1 * height), strict=True):
        offset = place - float(axes.transData.transform((0, y))[1])
        axes.annotate(
            text, xy=(len(data) - 1, y), xytext=(5, offset), textcoords="offset pixels", va="center", fontsize=10.5,
            color=style.CHOICE if text == "median" else style.MUTED, annotation_clip=False,
        )  # fmt: skip
    axes.annotate(
        f"– – {level_name} {short_money(level)}", xy=(1, 1), xycoords=("figure fraction", "axes fraction"), ha="right",
        va="bottom", xytext=(-4, 12), textcoords="offset pixels", color=style.ALERT, annotation_clip=False,
    )  # fmt: skip
