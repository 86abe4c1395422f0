"""Closing cash of a scripted scenario, one line per programme."""

from __future__ import annotations

import datetime as dt
from typing import TYPE_CHECKING

import numpy as np
import pandas as pd

from simulator.compare.scripted import cash_rows
from simulator.report.figures import style
from simulator.report.numbers import short_date, short_money
from simulator.results.result import Result

if TYPE_CHECKING:
    from matplotlib.axes import Axes


def data(result: Result) -> pd.DataFrame:
    """Columns programme, date, cash, level (least cash to operate); the ledger's date, then the end of each period."""
    rows = list(cash_rows(result))
    dates = [dt.date.fromisoformat(day) for _, day, _ in rows]
    cash = np.array([amounts for _, _, amounts in rows])
    level = result.study.liquidity.minimum_cash
    frames = [
        pd.DataFrame({"programme": name, "date": dates, "cash": cash[:, p], "level": level})
        for p, name in enumerate(result.programmes)
    ]
    return pd.concat(frames, ignore_index=True)


def plot_cash_path(data: pd.DataFrame, axes: Axes) -> None:
    """One line per programme, named at its end, and the minimum."""
    programmes = list(data["programme"].unique())
    dates = list(data.loc[data["programme"] == programmes[0], "date"])
    x = np.arange(len(dates))
    level = float(data["level"].iloc[0])
    low, high = min(float(data["cash"].min()), level), max(float(data["cash"].max()), level)
    pad = 0.05 * ((high - low) or max(1.0, abs(high)))
    axes.set_xlim(0, max(1, len(dates) - 1))
    axes.set_ylim(low - pad, high + pad)
    axes.axhline(level, color=style.ALERT, linewidth=1.3, dashes=(6, 2))
    ends = []
    for index, programme in enumerate(programmes):
        y, line = data.loc[data["programme"] == programme, "cash"].to_numpy(), style.line_of(index)
        axes.plot(x, y, color=line.colour, linestyle=line.linestyle)
        ends.append((float(x[-1]), float(y[-1]), str(programme), line))
    style.money_ticks(axes, "y")
    style.heading(axes, f"Closing cash{style.currency(data)}; – – minimum {short_money(level)}")
    style.label_lines(axes, ends)
    width = style.size_of(axes)[0] * axes.get_position().width
    style.date_ticks(axes, [short_date(d) for d in dates], width)
