"""The study as it stands and its stresses, side by side, for the measures that decide."""

from __future__ import annotations

import math
from typing import TYPE_CHECKING

import pandas as pd

from simulator.report.figures import style
from simulator.report.numbers import short_percent
from simulator.results.result import Result

if TYPE_CHECKING:
    from matplotlib.axes import Axes

MEASURES = {
    "retained_loss_mean": "Expected retained loss",
    "retained_loss_tail_value_at_risk": "Tail value at risk of retained loss",
    "shortfall_probability": "Probability of a shortfall",
    "cost_of_risk_mean": "Cost of risk",
}
SHARES = {"shortfall_probability"}
BASE = "as it stands"
TAIL_LEVEL = 0.99
_MARKERS = ("o", "^", "s", "D", "v", "P", "X")


def data(result: Result) -> pd.DataFrame:
    """Columns measure, level (NaN without), stress, programme, value, ci_low, ci_high."""
    rows = result.summary()
    chosen = rows[rows["measure"].isin(list(MEASURES))].copy()
    chosen["stress"] = [s if s in result.stresses else BASE for s in chosen["stress"]]
    keep = []
    for measure, found in chosen.groupby("measure", sort=False):
        levels = [x for x in found["level"].unique() if not pd.isna(x)]
        level = min(levels, key=lambda x: abs(x - TAIL_LEVEL)) if levels else math.nan
        keep.append(found[found["level"] == level] if levels else found)
        keep[-1] = keep[-1].assign(order=list(MEASURES).index(str(measure)))
    columns = ["measure", "level", "stress", "programme", "value", "ci_low", "ci_high"]
    if not keep:
        return pd.DataFrame(columns=columns)
    table = pd.concat(keep).sort_values("order", kind="stable")
    return table[columns].reset_index(drop=True)


def panels(data: pd.DataFrame) -> list[tuple[str, pd.DataFrame]]:
    """One table per measure."""
    found = []
    for measure in data["measure"].unique():
        rows = data[data["measure"] == measure]
        level = float(rows["level"].iloc[0])
        found.append((MEASURES[measure] + ("" if math.isnan(level) else f" {short_percent(level, 4)}"), rows))
    return found


def height(data: pd.DataFrame) -> float:
    """Height in pixels that its rows and its key need."""
    return 60 + 34 * data["programme"].nunique() + 18 * -(-data["stress"].nunique() // 3)


def plot_stresses(data: pd.DataFrame, axes: Axes) -> None:
    """One measure: a row per programme, a marker per stress, joined by a thin line."""
    programmes, stresses = list(data["programme"].unique()), list(data["stress"].unique())
    rows = -(-len(stresses) // 3)
    style.margins(axes, left=14, right=18, top=10 + 18 * rows, bottom=28)
    axes.set_ylim(len(programmes) - 0.3, -0.8)
    values = data[["value", "ci_low", "ci_high"]].to_numpy(dtype=float)
    axes.set_xlim(min(0.0, float(values[:, 0].min())) * 1.05, max(1e-9, 1.06 * float(values[:, 0].max())))
    for place, programme in enumerate(programmes):
        own = data[data["programme"] == programme]
        axes.plot([own["value"].min(), own["value"].max()], [place, place], color=style.RULE, linewidth=3, zorder=1)
        axes.text(axes.get_xlim()[0], place - 0.42, style.shorten(str(programme), 34), va="center", fontsize=11)
    handles = []
    for index, stress in enumerate(stresses):
        own = data[data["stress"] == stress].set_index("programme").reindex(programmes)
        colour = style.line_of(index).colour
        axes.hlines(range(len(programmes)), own["ci_low"], own["ci_high"], color=colour, linewidth=1.2, zorder=2)
        handles += axes.plot(
            own["value"], range(len(programmes)), linestyle="none", marker=_MARKERS[index % len(_MARKERS)],
            markersize=7, markeredgecolor="white", markeredgewidth=0.8, color=colour, zorder=3,
        )  # fmt: skip
    axes.legend(
        handles, [style.shorten(s, 16) for s in stresses], loc="lower left", bbox_to_anchor=(0, 1.0), ncols=3,
        frameon=False, fontsize=11, handletextpad=0.1, columnspacing=0.9, borderaxespad=0, borderpad=0.1,
        labelcolor="linecolor",
    )  # fmt: skip
    axes.set_yticks([])
    axes.grid(visible=False, axis="y")
    axes.grid(axis="x")
    if data["measure"].iloc[0] in SHARES:
        style.percent_ticks(axes, "x", 4)
    else:
        style.money_ticks(axes, "x", 4)
        style.unit_below(axes, style.currency(data).removeprefix(", "))
