"""The headline table: measures as rows, programmes as columns, every number with its error."""

from __future__ import annotations

import math
from collections.abc import Iterable, Mapping
from typing import TYPE_CHECKING, Any

from simulator.compare.paired import SUFFIX, full_summary
from simulator.compare.scale import common_scale, scaled, with_unit
from simulator.compare.scripted import render_script
from simulator.compare.verdict import verdict
from simulator.engine.spill import releasing
from simulator.measures.digits import ABSENT, SPACE, format_value, is_percentage
from simulator.measures.estimate import effective_size, weight_deviation
from simulator.measures.precision import precision_sentence
from simulator.measures.scripted import is_scripted
from simulator.measures.tail import FEWEST_BEYOND

if TYPE_CHECKING:
    import pandas as pd
    from rich.console import Console
    from rich.table import Table

    from simulator.results.result import Result

LABEL_WIDTH = 24
COLUMN_WIDTH = 14  # wider where a number needs it
WIDEST = 160
GAP = 1  # the rule between columns
#: Section, measure, label; measures with levels get one row per level, measures that a result does not have none.
ROWS = (
    ("Retained loss", "retained_loss_mean", "Expected"),
    ("Retained loss", "retained_loss_value_at_risk", "VaR"),
    ("Retained loss", "retained_loss_tail_value_at_risk", "Tail VaR"),
    ("Liquidity", "shortfall_probability", "P(shortfall)"),
    ("Liquidity", "shortfall_depth_mean", "Depth if short"),
    ("Liquidity", "first_shortfall_median", "First shortfall"),
    ("Liquidity", "liquidity_at_risk", "Cash for"),
    ("Cost of risk", "premium_mean", "Premium"),
    ("Cost of risk", "retained_loss_mean", "+ retained loss"),
    ("Cost of risk", "financing_cost_mean", "+ net interest"),
    ("Cost of risk", "trade_cost_mean", "+ cost of trade terms"),
    ("Cost of risk", "lost_margin_mean", "+ lost margin"),
    ("Cost of risk", "capital_charge", "+ capital charge"),
    ("Cost of risk", "reserve_cost", "+ reserve cost"),
    ("Cost of risk", "cost_of_risk_mean", "= cost of risk"),
    ("Against the baseline", "retained_loss_mean_difference", "Expected loss"),
    ("Against the baseline", "retained_loss_tail_value_at_risk_difference", "Tail VaR"),
    ("Against the baseline", "shortfall_probability_difference", "P(shortfall)"),
    ("Against the baseline", "cost_of_risk_mean_difference", "Cost of risk"),
)
#: What is shown of each stress.
STRESS_ROWS = (
    ("retained_loss_mean", "Expected loss"),
    ("retained_loss_tail_value_at_risk", "Tail VaR"),
    ("shortfall_probability", "P(shortfall)"),
    ("cost_of_risk_mean", "Cost of risk"),
)
STRESS_LEVEL = 0.99
#: Weighted scenarios worth less than this share of their number, or with a mean weight further than this many
#: standard errors from 1, are warned of.
LEAST_WORTH = 0.1
FURTHEST_MEAN_WEIGHT = 4.5
#: Rows that are added up are written in one unit, as a row's own numbers are.
ADDED = "Cost of risk"
TOTAL = "cost_of_risk_mean"
COLUMNS = (
    "section", "label", "measure", "level", "programme", "value", "standard_error", "ci_low", "ci_high", "unit",
    "scale", "text",
)  # fmt: skip


def comparison_table(result: Result) -> pd.DataFrame:
    """The headline rows in the order they are shown, without stresses.

    Returns:
        Columns section, label, measure, level (NaN where none), programme, value, standard_error, ci_low, ci_high,
        unit, scale (M, k, %, pp: what the text is written in, the same for all that is compared), text (the number to
        the digits its error deserves). Differences are to the first programme, on the
        same scenarios; that programme has no difference rows.
    """
    summary = _summary(result)
    return _written(_records(result, summary[summary["stress"] == ""], ROWS), result.currency)


def stress_table(result: Result) -> pd.DataFrame:
    """A few headline rows of each stress, one section per stress; columns as in :func:`comparison_table`."""
    summary = _summary(result)
    near = min(result.study.report.levels, key=lambda level: abs(level - STRESS_LEVEL))
    chosen = summary[summary["level"].isna() | (summary["level"] == near)]
    records: list[dict[str, Any]] = []
    for name in result.stresses:
        rows = [(name, measure, label) for measure, label in STRESS_ROWS]
        records += _records(result, chosen[chosen["stress"] == name], rows)
    return _written(records, result.currency)


def _records(result: Result, summary: pd.DataFrame, rows: Iterable[tuple[str, str, str]]) -> list[dict[str, Any]]:
    """Rows of the summary, labelled and put in order."""
    records: list[dict[str, Any]] = []
    for section, measure, label in rows:
        chosen = summary[(summary["measure"] == measure) & summary["programme"].isin(result.programmes)]
        for level in sorted(chosen["level"].dropna().unique()) or [math.nan]:
            found = chosen if math.isnan(level) else chosen[chosen["level"] == level]
            shown = label if math.isnan(level) else f"{label} {100 * level:g} %"
            for row in found.to_dict("records"):
                figures = {key: row[key] for key in ("value", "standard_error", "ci_low", "ci_high", "unit")}
                records.append(
                    {"section": section, "label": shown, "measure": measure, "level": level}
                    | {"programme": row["programme"], **figures}
                )
    return records


def _written(records: list[dict[str, Any]], currency: str) -> pd.DataFrame:
    """The rows with their text, one unit for whatever is compared or added up."""
    import pandas as pd

    groups: dict[tuple[str, float], list[dict[str, Any]]] = {}
    for record in records:
        if record["unit"] == currency:
            groups.setdefault(_shared(record), []).append(record)
    scales = {}
    for row, members in groups.items():
        estimates = [m for m in members if not str(m["measure"]).endswith(SUFFIX)]
        scales[row] = common_scale((m["value"] for m in estimates), (m["standard_error"] for m in estimates))
    for record in records:
        record["scale"] = scales[_shared(record)] if record["unit"] == currency else _suffix(record)
        record["text"] = text_of(record, currency, record["scale"])
    return pd.DataFrame(records, columns=list(COLUMNS))


def _shared(record: Mapping[str, Any]) -> tuple[str, float]:
    """What shares a unit: a measure at a level and its difference; all summands of the cost of risk."""
    measure = str(record["measure"]).removesuffix(SUFFIX)
    if record["section"] == ADDED or measure == TOTAL:
        return TOTAL, -1.0
    return measure, -1.0 if math.isnan(record["level"]) else float(record["level"])


def _suffix(record: Mapping[str, Any]) -> str:
    """The unit of what is no amount of money."""
    measure = str(record["measure"])
    if record["unit"] != "1" or not is_percentage(measure):
        return ""
    return "pp" if measure.endswith(SUFFIX) else "%"


def _summary(result: Result) -> pd.DataFrame:
    """The tidy summary, differences included; measured only where that has not been done."""
    rows = result.summary_rows
    if rows is None:
        return full_summary(result)
    whole = len(result.programmes) == 1 or rows["measure"].str.endswith(SUFFIX).any()
    return rows if whole else full_summary(result)


def text_of(row: Mapping[Any, Any], currency: str, scale: str | None = None) -> str:
    """A row of the summary as text, the currency left out; amounts in a given unit (M, k), else in their own."""
    measure, unit = str(row["measure"]), str(row["unit"])
    value, error, signed = float(row["value"]), float(row["standard_error"]), measure.endswith(SUFFIX)
    if unit != currency:
        return format_value(value, error, unit, percent=is_percentage(measure), signed=signed)
    if scale is None or not math.isfinite(value):
        return format_value(value, error, signed=signed)
    return with_unit(scaled(value, error, scale, signed=signed), scale)


@releasing()
def render(result: Result, console: Console) -> None:
    """Print the answer in words, then the table; wide enough for five programmes in 100 columns. A script is told.

    More programmes than fit are shown in further tables, the baseline first in each.
    """
    from rich.text import Text

    if is_scripted(result):
        render_script(result, console)
        return
    measured = result.with_summary(_summary(result))
    table = comparison_table(measured)
    names = result.programmes
    console.print(Text(result.study.study.title, style="bold"))
    for sentence in verdict(result):
        console.print(Text("• " + sentence))
    _print_grids(table, names, console)
    if result.stresses:
        console.print(Text("Stresses", style="bold"))
        _print_grids(stress_table(measured), names, console)
    console.print(Text(_note(result, table), style="dim"))
    if "precision" in result.manifest:
        console.print(Text(precision_sentence(result.manifest["precision"])))
    for warning in weight_warnings(result):
        console.print(Text(warning, style="bold"))


def _note(result: Result, table: pd.DataFrame) -> str:
    note = (
        f"{result.scenarios.sizes['scenario']:,} scenarios; amounts in {result.currency}; ± one standard error of "
        f"simulation; differences are to {result.programmes[0]}, scenario by scenario; a shortfall is cash and undrawn "
        "credit below the minimum."
    )
    if table["ci_high"].map(math.isinf).any():
        note += " Some quantiles lie too far out for so few scenarios: nothing bounds them from above."
    if (table["level"].notna() & table["value"].notna() & table["standard_error"].isna()).any():
        note += f" No error is given where fewer than {FEWEST_BEYOND:g} scenarios lie beyond a level."
    weight = result.scenarios["weight"].to_numpy()
    if weight.min() != weight.max():
        worth = effective_size(weight)
        share = f"{100 * worth / len(weight):.0f} %"
        note += f" Scenarios are weighted: on the whole they are worth {worth:,.0f} unweighted ones ({share})."
    return note


def weight_warnings(result: Result) -> list[str]:
    """Sentences on weights that estimates should not be built on; none where sampling is plain."""
    weight = result.scenarios["weight"].to_numpy()
    worth, deviation = effective_size(weight), weight_deviation(weight)
    advice = "do not rely on these numbers; lower simulation.importance_shift or set simulation.tail to plain."
    found = []
    if worth < LEAST_WORTH * len(weight):
        found.append(f"Warning: the weights leave the worth of {worth:,.0f} of {len(weight):,} scenarios: {advice}")
    if abs(deviation) > FURTHEST_MEAN_WEIGHT:
        off = f"{weight.mean():.4g}, {abs(deviation):.1f} standard errors from 1"
        found.append(f"Warning: the mean weight of the scenarios is {off}: {advice}")
    return found


def _print_grids(table: pd.DataFrame, names: list[str], console: Console) -> None:
    shown = table.assign(text=[_bare(t, s) for t, s in zip(table["text"], table["scale"], strict=True)])
    width = max(COLUMN_WIDTH, *shown["text"].map(len))
    fits = max(2, (min(console.width, WIDEST) - LABEL_WIDTH) // (width + GAP))
    for start in range(1, max(2, len(names)), fits - 1):
        console.print(_grid(shown, [names[0], *names[start : start + fits - 1]], width))
        console.print()


def _bare(text: str, scale: str) -> str:
    """A number without its unit, which its row's label has."""
    return text.removesuffix(SPACE + scale) if scale else text


def _grid(table: pd.DataFrame, names: list[str], width: int) -> Table:
    from rich import box
    from rich.table import Table
    from rich.text import Text

    grid = Table(box=box.SIMPLE_HEAD, padding=0, pad_edge=False, show_edge=False)
    grid.add_column("", width=LABEL_WIDTH, no_wrap=False)
    for name in names:
        grid.add_column(Text(name), justify="right", width=width, vertical="bottom")
    for section, rows in table.groupby("section", sort=False):
        grid.add_section()
        grid.add_row(Text(str(section), style="bold"), *[""] * len(names))
        for (label, _, scale), cells in rows.groupby(["label", "measure", "scale"], sort=False):
            texts = dict(zip(cells["programme"], cells["text"], strict=True))
            total = str(label).startswith("=")
            shown = [Text(texts.get(name, ABSENT), style="bold" if total else "") for name in names]
            unit = f", {scale}" if scale else ""
            grid.add_row(Text(f"  {label}{unit}", style="bold" if total else ""), *shown)
    return grid
