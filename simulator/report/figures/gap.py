"""From the debt to the indemnity: which term of the policy takes how much.

Shares of the debt, once over all scenarios and once in the worst 1 % by gross loss: the terms that matter in a
bad year (limits, maximum liability) are not those that matter on average.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np
import pandas as pd

from simulator.measures.columns import WORST, Columns
from simulator.measures.estimates import mean
from simulator.measures.sample import Floats
from simulator.measures.tail import tail_weights
from simulator.report.figures import style
from simulator.report.numbers import least_percent, short_percent
from simulator.results.result import Result

if TYPE_CHECKING:
    from matplotlib.axes import Axes

STEPS = {
    "debt": "Debt claimed",
    "conversion": "Conversion rate",
    "vat": "Value added tax",
    "disputed": "Disputed",
    "not_covered": "Uncovered shipments",
    "limit_cancelled": "Limit taken back",
    "over_limit": "Over the limit",
    "non_qualifying": "Non-qualifying",
    "coinsurance": "Co-insurance",
    "each_and_every": "Each-and-every",
    "minimum_retention": "Minimum retention",
    "aggregate_first_loss": "Aggregate first loss",
    "maximum_liability": "Maximum liability",
    "notification": "Notified too late",
    "insurer_default": "Insurer in default",
    "indemnity": "Gross claims",
}
#: Steps that are drawn even where they are zero.
ENDS = ("debt", "indemnity")
VIEWS = {"average": "all scenarios", "tail": "worst 1 %"}


def insured(result: Result) -> list[str]:
    """Programmes with a policy, in the order of the study."""
    return [p.name for p in result.study.programmes if p.type != "none" and p.name in result.programmes]


def data(result: Result) -> pd.DataFrame:
    """Columns programme, view (average, tail), step, amount, amount_error; start and end of its bar, shares of debt.

    The indemnity is what the insurer pays before its share of later recoveries; debt = the other steps' sum. Steps
    that take nothing under any programme are left out. A step below zero (conversion) adds to the debt.
    """
    columns = Columns(result)
    views = view_weights(result)
    taking = [step for step in STEPS if step not in ENDS and columns.takes(f"gap_{step}")]
    rows = []
    for programme in insured(result):
        index = result.programmes.index(programme)
        for view, share in views.items():
            debt = float(np.dot(share, columns.values("gap_debt", index)))
            amounts = {"debt": debt}
            amounts |= {s: float(np.dot(share, columns.values(f"gap_{s}", index))) for s in taking}
            amounts["indemnity"] = debt - sum(amounts[s] for s in taking)
            left = debt
            for step, amount in amounts.items():
                start, end = (amount, 0.0) if step in ENDS else (left, left - amount)
                left = left if step in ENDS else end
                name = "indemnity_gross" if step == "indemnity" else f"gap_{step}"
                values = columns.values(name, index)
                found = mean(columns.sample(name, index)) if view == "average" else columns.tail_part(values)
                rows.append(
                    {
                        "programme": programme,
                        "view": view,
                        "step": step,
                        "amount": amount,
                        "amount_error": found.standard_error,
                        "start": start / (debt or 1.0),
                        "end": end / (debt or 1.0),
                    }
                )
    names = ["programme", "view", "step", "amount", "amount_error", "start", "end"]
    return pd.DataFrame(rows, columns=names)


def view_weights(result: Result) -> dict[str, Floats]:
    """Weights of the scenarios in each view, summing to 1."""
    weight, gross = (result.scenarios[name].to_numpy() for name in ("weight", "gross_loss"))
    return {"average": weight / weight.sum(), "tail": tail_weights(gross, weight, WORST)}


def panels(data: pd.DataFrame) -> list[tuple[str, pd.DataFrame]]:
    """One table per insured programme."""
    return [(str(name), data[data["programme"] == name]) for name in data["programme"].unique()]


def height(data: pd.DataFrame) -> float:
    """Height in pixels that its steps need."""
    return 64 + 28 * data["step"].nunique()


def plot_gap(data: pd.DataFrame, axes: Axes) -> None:
    """One programme's waterfall, from the debt at the top to the indemnity at the bottom."""
    style.margins(axes, left=128, right=46, top=34, bottom=26)
    steps = [step for step in STEPS if (data["step"] == step).any()]
    axes.set_xlim(0, max(1.0, float(data[["start", "end"]].to_numpy().max())))
    axes.set_ylim(len(steps) - 0.4, -0.6)
    axes.grid(axis="x")
    axes.grid(visible=False, axis="y")
    for view, offset, colour in (("average", -0.19, style.BAND), ("tail", 0.19, style.CHOICE)):
        rows = data[data["view"] == view].set_index("step").reindex(steps)
        y = np.arange(len(steps)) + offset
        low, size = rows[["start", "end"]].min(axis=1), rows["start"] - rows["end"]
        axes.barh(y, size.abs(), left=low, height=0.36, color=colour, linewidth=0)
        for place, (step, width) in zip(y, size.items(), strict=True):
            if step != "debt" and width != 0:
                axes.annotate(
                    least_percent(float(width)), xy=(1, place), xytext=(6, 0), textcoords="offset pixels", va="center",
                    xycoords=("axes fraction", "data"), fontsize=10,
                    color=style.MUTED if view == "average" else colour, annotation_clip=False,
                )  # fmt: skip
    axes.set_yticks(range(len(steps)), [STEPS[step] for step in steps])
    style.percent_ticks(axes, "x", 2)
    ratio = data[data["step"] == "indemnity"].set_index("view")["start"]
    axes.annotate(
        f"all scenarios: {short_percent(float(ratio['average']))} paid as claims", xy=(0, 1), color=style.MUTED,
        xycoords=("figure fraction", "axes fraction"), xytext=(2, 19), textcoords="offset pixels", va="center",
    )  # fmt: skip
    axes.annotate(
        f"worst 1 %: {short_percent(float(ratio['tail']))}", xy=(1, 1), color=style.CHOICE, ha="right",
        xycoords=("figure fraction", "axes fraction"), xytext=(-4, 19), textcoords="offset pixels", va="center",
    )  # fmt: skip
