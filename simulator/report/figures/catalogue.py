"""The figures of the report in the order of the page: their names, their words, and when they have something to say."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING

import pandas as pd
from markupsafe import Markup

from simulator.measures.scripted import is_scripted
from simulator.report.blocks import Drawing, Panel
from simulator.report.figures import (
    availability_fan,
    cash_fan,
    cash_path,
    claim_timing,
    claims_in_time,
    contributions,
    cost,
    exceedance,
    fan,
    first_shortfall,
    gap,
    headroom_fan,
    largest_loss,
    share_paid,
    shortfall,
    stresses,
    style,
    svg,
)
from simulator.report.figures.said import SAID
from simulator.results.result import Result

if TYPE_CHECKING:
    from matplotlib.axes import Axes

Data = Callable[[Result], pd.DataFrame]
Plot = Callable[[pd.DataFrame, "Axes"], None]


@dataclass(frozen=True)
class Figure:
    """One figure.

    Attributes:
        name: of its file, its SVG and its CSV.
        title: what it shows.
        caption: how to read it.
        data: the numbers drawn.
        plot: draws them.
        x, y: what the axes show, as the dictionary (terms.csv, kind axis) calls it.
        needs: whether a result has what it takes.
        height: in pixels, of a drawing of some data.
        panels: splits the data into (title, data of a panel) where the figure consists of several.
        columns: panels side by side on a wide screen.
    """

    name: str
    title: str
    caption: str
    data: Data
    plot: Plot
    x: str
    y: str
    needs: Callable[[Result], bool] = lambda result: True
    height: Callable[[pd.DataFrame], float] = lambda data: 320
    panels: Callable[[pd.DataFrame], Sequence[tuple[str, pd.DataFrame]]] | None = None
    columns: int = 3


def _cash(result: Result) -> bool:
    return result.has_cash


def _insured(result: Result) -> bool:
    return bool(gap.insured(result))


#: The figures of a scripted scenario.
SCRIPTED = ("cash_path",)

FIGURES: tuple[Figure, ...] = (
    Figure(
        "exceedance",
        "How likely is a retained loss at least this large?",
        "Retained loss over the horizon, after indemnity and before premium; probability on a logarithmic scale. "
        "Shading: 95 % confidence band of the simulation.",
        exceedance.data,
        exceedance.plot_exceedance,
        "retained_loss",
        "exceedance_probability",
        height=lambda data: 380,
    ),
    Figure(
        "largest_loss",
        "All buyers together, and the largest one alone",
        "Gross loss before insurance: the year's total, and the loss on the single worst buyer group. Where the lines "
        "lie close, one name makes the loss.",
        largest_loss.data,
        largest_loss.plot_largest_loss,
        "gross_loss",
        "exceedance_probability",
        height=lambda data: 320,
    ),
    Figure(
        "cash_fan",
        "Closing cash, period by period",
        "Each panel: nine scenarios in ten end a period within the pale band, half within the dark one. Solid: median; "
        "dashed: mean. All panels share one scale.",
        cash_fan.data,
        cash_fan.plot_cash_fan,
        "date",
        "closing_cash",
        needs=_cash,
        height=lambda data: 230,
        panels=fan.panels,
    ),
    Figure(
        "cash_path",
        "Closing cash, period by period",
        "The one scenario of the script, with the minimum cash.",
        cash_path.data,
        cash_path.plot_cash_path,
        "date",
        "closing_cash",
        needs=lambda result: is_scripted(result) and result.has_cash,
    ),
    Figure(
        "headroom_fan",
        "Headroom: cash and undrawn credit line above the minimum",
        "Same reading; below zero the credit line is exhausted and cash is short of its minimum.",
        headroom_fan.data,
        headroom_fan.plot_headroom_fan,
        "date",
        "headroom",
        needs=lambda result: result.has_cash and result.study.liquidity.credit_line.limit > 0,
        height=lambda data: 230,
        panels=fan.panels,
    ),
    Figure(
        "availability_fan",
        "What the bank lends: the borrowing base",
        "Receivables the bank accepts, times its advance rates. Dashed: the limit of the line, the most that can be "
        "drawn where the base is above it; below it the base is. When receivables fail or limits are taken back, the "
        "base shrinks with them.",
        availability_fan.data,
        availability_fan.plot_availability_fan,
        "date",
        "borrowing_base",
        needs=lambda result: "borrowing_base" in result.paths,
        height=lambda data: 230,
        panels=fan.panels,
    ),
    Figure(
        "shortfall",
        "When is cash short?",
        "Probability that headroom is below zero at the end of a period. Shading: 95 % confidence.",
        shortfall.data,
        shortfall.plot_shortfall,
        "date",
        "shortfall_probability",
        needs=_cash,
    ),
    Figure(
        "first_shortfall",
        "How soon does it happen for the first time?",
        "Probability that at least one shortfall has happened by then. Shading: 95 % confidence.",
        first_shortfall.data,
        first_shortfall.plot_first_shortfall,
        "date",
        "first_shortfall_probability",
        needs=_cash,
    ),
    Figure(
        "gap",
        "From the debt to the indemnity, term by term",
        "Shares of the debt claimed on the dates of loss, or lost without a claim: pale bars over all scenarios, dark "
        "bars in the worst 1 % by gross loss. Uncovered shipments: no limit, excluded, or lost without a claim that "
        "holds them. Gross claims: before recoveries are shared with the insurer. Steps that take nothing are left "
        "out.",
        gap.data,
        gap.plot_gap,
        "share_of_debt",
        "policy_step",
        needs=_insured,
        height=gap.height,
        panels=gap.panels,
        columns=2,
    ),
    Figure(
        "share_paid",
        "How much of the debt do claims really pay?",
        "Gross claims over the debt claimed, in the scenarios with a debt: nine in ten lie within the pale bar, half "
        "within the dark one; line: median. Diamond: expected claims over expected debt. Dashed: the headline "
        "percentage.",
        share_paid.data,
        share_paid.plot_share_paid,
        "share_paid",
        "programme",
        needs=_insured,
        height=share_paid.height,
    ),
    Figure(
        "claim_timing",
        "How much of the claims money comes in time?",
        "Pale: claims in the end, net of what goes back to the insurer from recoveries and later payments (dashed). "
        "Dark: net of what has gone back by then, received within the horizon. Where the dark bar is shorter, waiting "
        "and settlement periods make claims late; where it is longer, more goes back after the horizon.",
        claim_timing.data,
        claim_timing.plot_claim_timing,
        "claims_money",
        "programme",
        needs=lambda result: result.has_cash and _insured(result),
        height=claim_timing.height,
    ),
    Figure(
        "claims_in_time",
        "Does the money come before cash runs short?",
        "Solid: claims money received by then, net of what is handed back, as share of net claims in the end; above "
        "100 %, some is still to be handed back. Dashed: share of the horizon's first shortfalls that have happened by "
        "then. Where the dashed line is above the solid one, cash runs short before claims are paid.",
        claims_in_time.data,
        claims_in_time.plot_claims_in_time,
        "date",
        "share_come",
        needs=lambda result: "mean_claim_cash" in result.paths and _insured(result),
        height=lambda data: 210,
        panels=claims_in_time.panels,
        columns=2,
    ),
    Figure(
        "cost",
        "Expected cost of risk by component",
        "Means over all scenarios; the figure in bold is their sum. Net interest left of zero is income: cash earns "
        "more than the credit line costs.",
        cost.data,
        cost.plot_cost,
        "expected_cost",
        "programme",
        height=cost.height,
    ),
    Figure(
        "contributions",
        "Where the gross loss comes from",
        "Before insurance. Pale bars: share of the mean loss; dark bars and figures: share of the mean loss in the "
        "worst 1 % of scenarios.",
        contributions.data,
        contributions.plot_contributions,
        "share_of_loss",
        "contributor",
        needs=lambda result: any(not table.empty for table in result.contributions.values()),
        height=contributions.height,
        panels=contributions.panels,
        columns=2,
    ),
    Figure(
        "stresses",
        "The programmes under stress",
        "The study as it stands and its stresses, on the same random numbers. Whiskers: 95 % confidence interval.",
        stresses.data,
        stresses.plot_stresses,
        "stressed_measure",
        "programme",
        needs=lambda result: bool(result.stresses),
        height=stresses.height,
        panels=stresses.panels,
        columns=2,
    ),
)


def tables(result: Result) -> dict[str, pd.DataFrame]:
    """Data of every figure that this result has something for, by figure name; a script has no distributions."""
    shown = [figure for figure in FIGURES if figure.name in SCRIPTED or not is_scripted(result)]
    found = {figure.name: figure.data(result) for figure in shown if figure.needs(result)}
    for data in found.values():
        data.attrs["currency"] = result.currency
    return {name: data for name, data in found.items() if not data.empty}


def draw(data: dict[str, pd.DataFrame]) -> tuple[dict[str, Drawing], dict[str, str]]:
    """Draw every figure.

    Args:
        data: from :func:`tables`.

    Returns:
        drawings for the page by figure name; stand-alone SVG documents by file stem.
    """
    drawings: dict[str, Drawing] = {}
    files: dict[str, str] = {}
    with style.styled():
        for figure in FIGURES:
            if figure.name in data:
                drawings[figure.name] = _draw(figure, data[figure.name], files)
    return drawings, files


def _draw(figure: Figure, data: pd.DataFrame, files: dict[str, str]) -> Drawing:
    if figure.panels is not None:
        panels = []
        for position, (title, rows) in enumerate(figure.panels(data), start=1):
            drawn = _svg(figure, rows, style.PANEL, f"{figure.name}-{position}", f"{figure.title}: {title}")
            files[f"{figure.name}-{position}"] = drawn
            panels.append(Panel(title, Markup(drawn)))
        return Drawing(figure.name, figure.title, figure.caption, panels=panels, columns=figure.columns)
    wide = _svg(figure, data, style.WIDE, figure.name, figure.title)
    narrow = _svg(figure, data, style.NARROW, f"{figure.name}-narrow", figure.title)
    files[figure.name] = wide
    return Drawing(figure.name, figure.title, figure.caption, wide=Markup(wide), narrow=Markup(narrow))


def _svg(figure: Figure, data: pd.DataFrame, width: float, name: str, title: str) -> str:
    axes = style.canvas(width, figure.height(data))
    figure.plot(data, axes)
    described = f"{figure.caption} {SAID[figure.name](data)} The data are in figures/{figure.name}.csv."
    return svg.to_svg(axes, f"svg-{name}", title, described)
