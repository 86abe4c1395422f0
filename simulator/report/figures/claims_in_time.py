"""When claims money comes, and when cash first runs short: two shares that rise over time, side by side."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np
import pandas as pd

from simulator.measures.columns import FEWEST, Columns
from simulator.report.figures import style
from simulator.report.figures.gap import insured
from simulator.report.numbers import short_date, short_percent
from simulator.results.result import Result

if TYPE_CHECKING:
    from matplotlib.axes import Axes

COLUMNS = ("programme", "date", "claim_cash", "claims_come", "first_shortfalls", "shortfalls_come")


def data(result: Result) -> pd.DataFrame:
    """One row per insured programme and period, one for the ledger's date before them.

    Columns programme, date, claim_cash (mean claims money received in the period, net of shares paid over),
    claims_come (that money by the date over the expected net claims, whenever paid; above 1 where more is handed back
    later than is still to come),
    first_shortfalls (probability that a first shortfall has happened by the date), shortfalls_come (the same as share
    of all first shortfalls of the horizon; NaN where too few scenarios have one). Programmes that are never paid are
    left out.
    """
    dates = [result.study.study.as_of, *(pd.Timestamp(d).date() for d in result.paths["period"].to_numpy())]
    cash = result.paths["mean_claim_cash"].transpose("programme", "period").to_numpy()
    columns, frames = Columns(result), []
    for programme in insured(result):
        index = result.programmes.index(programme)
        owed = columns.sample("indemnity", index)
        expected = owed.average(owed.values)
        if expected <= 0.0:
            continue
        by_date = _first_shortfalls(columns, index, len(dates) - 1)
        enough = int((columns.values("first_shortfall_period", index) >= 0).sum()) >= FEWEST
        frames.append(
            pd.DataFrame(
                {
                    "programme": programme,
                    "date": dates,
                    "claim_cash": np.r_[0.0, cash[index]],
                    "claims_come": np.r_[0.0, np.cumsum(cash[index])] / expected,
                    "first_shortfalls": by_date,
                    "shortfalls_come": by_date / (by_date[-1] if enough else np.nan),
                }
            )
        )
    return pd.concat(frames, ignore_index=True) if frames else pd.DataFrame(columns=list(COLUMNS))


def _first_shortfalls(columns: Columns, index: int, n_periods: int) -> np.ndarray:
    """Probability that a first shortfall has happened by the ledger's date and by the end of each period."""
    first = columns.values("first_shortfall_period", index).astype(np.int64)
    weight = columns.p if columns.p is not None else np.full(len(first), 1.0 / len(first))
    struck = first >= 0
    by_period = np.bincount(first[struck], weights=weight[struck], minlength=n_periods)
    return np.asarray(np.minimum(1.0, np.cumsum(np.r_[0.0, by_period])))


def panels(data: pd.DataFrame) -> list[tuple[str, pd.DataFrame]]:
    """One table per programme."""
    return [(str(name), data[data["programme"] == name]) for name in data["programme"].unique()]


def plot_claims_in_time(data: pd.DataFrame, axes: Axes) -> None:
    """A solid line for the money, a dashed one for the shortfalls."""
    style.margins(axes, right=18, left=50, top=54)
    x = np.arange(len(data))
    axes.set_xlim(0, max(1, len(data) - 1))
    axes.set_ylim(min(0.0, float(data["claims_come"].min())), max(1.02, 1.02 * float(data["claims_come"].max())))
    axes.plot(x, data["claims_come"], color=style.CHOICE)
    last = data.iloc[-1]
    _said(axes, f"— claims money, {short_percent(float(last['claims_come']))} of the net by the end", style.CHOICE, 31)
    if data["shortfalls_come"].notna().all():
        axes.plot(x, data["shortfalls_come"], color=style.ALERT, dashes=(4, 2))
        _said(axes, f"– – first shortfalls, {short_percent(float(last['first_shortfalls']))} in all", style.ALERT, 16)
    else:
        short = float(last["first_shortfalls"])
        said = "cash never runs short" if short == 0.0 else f"first shortfalls, {short_percent(short)}: too few to draw"
        _said(axes, said, style.ALERT, 16)
    style.percent_ticks(axes, "y", 4)
    style.date_ticks(axes, [short_date(d) for d in data["date"]], style.size_of(axes)[0] - 68)


def _said(axes: Axes, text: str, colour: str, above: float) -> None:
    axes.annotate(
        text, xy=(0, 1), xycoords=("figure fraction", "axes fraction"), xytext=(2, above), textcoords="offset pixels",
        va="center", color=colour, fontsize=11, annotation_clip=False,
    )  # fmt: skip
