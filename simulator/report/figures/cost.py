"""Expected cost of risk of each programme, by component."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np
import pandas as pd

from simulator.report.figures import style
from simulator.report.numbers import unit_for
from simulator.results.result import Result

if TYPE_CHECKING:
    from matplotlib.axes import Axes

COMPONENTS = {
    "premium": "Premium, tax, fees",
    "retained_loss": "Retained loss",
    "trade_cost": "Terms of trade",
    "lost_margin": "Lost margin",
    "financing_cost": "Net interest",
    "capital_charge": "Capital charge",
    "reserve_cost": "Cost of reserve",
}
_FILLS = {  # steps of lightness: distinct in greyscale too
    "premium": "#12324f",
    "retained_loss": "#c2500a",
    "trade_cost": "#5a7d4f",
    "lost_margin": "#a9c29b",
    "financing_cost": "#7fa8c9",
    "capital_charge": "#d9c7a3",
    "reserve_cost": "#e6e9ed",
}


def data(result: Result) -> pd.DataFrame:
    """Columns programme, component, amount (mean, study currency); components that are zero throughout left out."""
    weight = result.scenarios["weight"].to_numpy()
    records = []
    for programme in result.programmes:
        rows = result.scenarios.sel(programme=programme)
        for component in COMPONENTS:
            if component in rows:
                values = rows[component].to_numpy()
                amount = float(np.average(values, weights=weight)) if values.ndim else float(values)
                records.append({"programme": programme, "component": component, "amount": amount})
    table = pd.DataFrame(records, columns=["programme", "component", "amount"])
    seen = set(table.loc[table["amount"] != 0, "component"])
    return table[table["component"].isin(seen)].reset_index(drop=True)


def height(data: pd.DataFrame) -> float:
    """Height in pixels that its bars need."""
    return 66 + 46 * data["programme"].nunique()


def plot_cost(data: pd.DataFrame, axes: Axes) -> None:
    """Stacked bars, the total at the end of each; income counts to the left of zero."""
    width, _ = style.size_of(axes)
    table = data.pivot_table(index="programme", columns="component", values="amount", sort=False)
    table = table[[c for c in COMPONENTS if c in table.columns]]
    y = np.arange(len(table))
    upper, lower = table.clip(lower=0).sum(axis=1).to_numpy(), table.clip(upper=0).sum(axis=1).to_numpy()
    axes.set_ylim(len(table) - 0.4, -0.75)
    axes.set_xlim(1.15 * float(lower.min()), max(1.0, (1.12 if width > 500 else 1.25) * float(upper.max())))
    right, left = np.zeros(len(table)), np.zeros(len(table))
    key = []
    for component in table.columns:
        amounts = table[component].to_numpy()
        start = np.where(amounts >= 0, right, left)
        colour = _FILLS[component]
        bars = axes.barh(y + 0.14, amounts, left=start, height=0.44, color=colour, edgecolor="white", linewidth=0.8)
        key.append((bars[0], COMPONENTS[component]))
        right, left = right + amounts.clip(min=0), left + amounts.clip(max=0)
    unit = unit_for(table.sum(axis=1))
    for place, (name, total) in enumerate(zip(table.index, table.sum(axis=1), strict=True)):
        axes.text(0, place - 0.3, style.shorten(str(name), 30), va="center", fontsize=11.5)
        axes.annotate(
            unit.label(float(total)), xy=(float(right[place]), place + 0.14), xytext=(6, 0), va="center",
            textcoords="offset pixels", fontsize=11.5, fontweight="bold", annotation_clip=False,
        )  # fmt: skip
    columns = 5 if width > 500 else 2
    rows = -(-len(key) // columns)
    style.margins(axes, left=12, right=14, top=10 + 18 * rows, bottom=28)
    axes.legend(
        [k for k, _ in key], [t for _, t in key], loc="lower left", bbox_to_anchor=(0, 1.0), ncols=columns,
        frameon=False, fontsize=11, handlelength=1.2, handleheight=0.9, columnspacing=1.2, borderaxespad=0,
        borderpad=0.3,
    )  # fmt: skip
    axes.set_yticks([])
    axes.grid(visible=False, axis="y")
    axes.grid(axis="x")
    axes.axvline(0, color=style.MUTED, linewidth=0.8)
    style.money_ticks(axes, "x", 5 if width > 500 else 4)
    style.unit_below(axes, "Mean per horizon" + style.currency(data))
