"""From the debt to the indemnity: which term of the policy takes how much.

Shares of the debt, once over all scenarios and once in the worst 1 % by gross loss: the terms that matter in a
bad year (limits, maximum liability) are not those that matter on average.
"""

from __future__ import annotations

import numpy as np
import pandas as pd
from matplotlib.axes import Axes

from simulator.measures.sample import Floats, Sample
from simulator.report.figures import style
from simulator.report.numbers import least_percent, short_percent
from simulator.results.result import Result

TAIL_LEVEL = 0.99
STEPS = {
    "debt": "Debt when lost",
    "not_covered": "Outside the cover",
    "over_limit": "Over the limit",
    "non_qualifying": "Non-qualifying",
    "coinsurance": "Co-insurance",
    "each_and_every": "Each-and-every",
    "aggregate_first_loss": "Aggregate first loss",
    "maximum_liability": "Maximum liability",
    "indemnity": "Gross claims",
}
VIEWS = {"average": "all scenarios", "tail": "worst 1 %"}


def insured(result: Result) -> list[str]:
    """Programmes with a policy, in the order of the study."""
    return [p.name for p in result.study.programmes if p.type != "none" and p.name in result.programmes]


def data(result: Result) -> pd.DataFrame:
    """Columns programme, view (average, tail), step, amount, start and end of its bar as shares of the debt.

    The indemnity is what the insurer pays before its share of later recoveries; debt = the other steps' sum.
    """
    rows = result.scenarios
    views = view_weights(result)
    records = []
    for programme in insured(result):
        chosen = rows.sel(programme=programme)
        values = {s: chosen[f"gap_{s}"].to_numpy() for s in STEPS if s != "indemnity"}
        for view, share in views.items():
            amounts = {s: float(np.dot(share, v)) for s, v in values.items()}
            debt = amounts["debt"]
            amounts["indemnity"] = debt - sum(a for s, a in amounts.items() if s != "debt")
            left = debt
            for step, amount in amounts.items():
                start = debt if step in {"debt", "indemnity"} else left
                end = {"debt": 0.0, "indemnity": debt - amount}.get(step, left - amount)
                if step == "indemnity":
                    start, end = amount, 0.0
                elif step != "debt":
                    left = end
                scale = debt or 1.0
                records.append(
                    {
                        "programme": programme,
                        "view": view,
                        "step": step,
                        "amount": amount,
                        "start": start / scale,
                        "end": end / scale,
                    }
                )
    return pd.DataFrame(records, columns=["programme", "view", "step", "amount", "start", "end"])


def view_weights(result: Result) -> dict[str, Floats]:
    """Weights of the scenarios in each view, summing to 1."""
    weight, gross = (result.scenarios[name].to_numpy() for name in ("weight", "gross_loss"))
    return {"average": weight / weight.sum(), "tail": tail_weights(Sample.weighted(gross, weight), TAIL_LEVEL)}


def tail_weights(sample: Sample, level: float) -> Floats:
    """Weights, summing to 1, whose average of the sample is its tail value at risk: the boundary enters in part."""
    place = sample.position(level)
    p = np.full(sample.n, 1.0 / sample.n) if sample.p is None else sample.p
    weights = np.zeros(sample.n)
    beyond = sample.order[place + 1 :]
    weights[beyond] = p[beyond]
    weights[sample.order[place]] = max(0.0, sample.at_or_below(place) - level)
    return np.asarray(weights / weights.sum())


def panels(data: pd.DataFrame) -> list[tuple[str, pd.DataFrame]]:
    """One table per insured programme."""
    return [(str(name), data[data["programme"] == name]) for name in data["programme"].unique()]


def plot_gap(data: pd.DataFrame, axes: Axes) -> None:
    """One programme's waterfall, from the debt at the top to the indemnity at the bottom."""
    style.margins(axes, left=128, right=46, top=34, bottom=26)
    axes.set_xlim(0, 1)
    axes.set_ylim(len(STEPS) - 0.4, -0.6)
    axes.grid(axis="x")
    axes.grid(visible=False, axis="y")
    for view, offset, colour in (("average", -0.19, style.BAND), ("tail", 0.19, style.CHOICE)):
        rows = data[data["view"] == view].set_index("step").reindex(list(STEPS))
        y = np.arange(len(STEPS)) + offset
        low, size = rows[["start", "end"]].min(axis=1), (rows["start"] - rows["end"]).abs()
        axes.barh(y, size, left=low, height=0.36, color=colour, linewidth=0)
        for place, (step, width) in zip(y, size.items(), strict=True):
            if step != "debt" and width > 0:
                axes.annotate(
                    least_percent(float(width)), xy=(1, place), xytext=(6, 0), textcoords="offset pixels", va="center",
                    fontsize=10, color=style.MUTED if view == "average" else colour, annotation_clip=False,
                )  # fmt: skip
    axes.set_yticks(range(len(STEPS)), list(STEPS.values()))
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
