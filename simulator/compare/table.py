"""The headline table: measures as rows, programmes as columns, every number with its error."""

from __future__ import annotations

import math
from collections.abc import Mapping
from typing import TYPE_CHECKING, Any

from simulator.compare.paired import SUFFIX, full_summary
from simulator.compare.verdict import verdict
from simulator.measures.digits import ABSENT, format_value, is_percentage

if TYPE_CHECKING:
    import pandas as pd
    from rich.console import Console
    from rich.table import Table

    from simulator.results.result import Result

LABEL_WIDTH = 20
COLUMN_WIDTH = 15
GAP = 1  # the rule between columns
#: Section, measure, label; measures with levels get one row per level.
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
    ("Cost of risk", "financing_cost_mean", "+ financing"),
    ("Cost of risk", "capital_charge", "+ capital charge"),
    ("Cost of risk", "reserve_cost", "+ reserve cost"),
    ("Cost of risk", "cost_of_risk_mean", "= cost of risk"),
    ("Against the baseline", "retained_loss_mean_difference", "Expected loss"),
    ("Against the baseline", "retained_loss_tail_value_at_risk_difference", "Tail VaR"),
    ("Against the baseline", "shortfall_probability_difference", "P(shortfall)"),
    ("Against the baseline", "cost_of_risk_mean_difference", "Cost of risk"),
)


def comparison_table(result: Result) -> pd.DataFrame:
    """The headline rows in the order they are shown, without stresses.

    Returns:
        Columns section, label, measure, level (NaN where none), programme, value, standard_error, ci_low, ci_high,
        unit, text (the number to the digits its error deserves). Differences are to the first programme, on the
        same scenarios; that programme has no difference rows.
    """
    import pandas as pd

    summary = _summary(result)
    names = result.programmes
    records = []
    for section, measure, label in ROWS:
        chosen = summary[(summary["measure"] == measure) & summary["programme"].isin(names)]
        for level in sorted(chosen["level"].dropna().unique()) or [math.nan]:
            rows = chosen[chosen["level"] == level] if not math.isnan(level) else chosen
            shown = label if math.isnan(level) else f"{label} {100 * level:g} %"
            for row in rows.to_dict("records"):
                figures = {key: row[key] for key in ("value", "standard_error", "ci_low", "ci_high", "unit")}
                records.append(
                    {"section": section, "label": shown, "measure": measure, "level": level}
                    | {"programme": row["programme"], **figures, "text": text_of(row, result.currency)}
                )
    columns = ["section", "label", "measure", "level", "programme"]
    return pd.DataFrame(records, columns=[*columns, "value", "standard_error", "ci_low", "ci_high", "unit", "text"])


def _summary(result: Result) -> pd.DataFrame:
    """The summary of the study itself, differences included; measured only where that has not been done."""
    rows = result.summary_rows
    if rows is None or not rows["measure"].str.endswith(SUFFIX).any():
        from dataclasses import replace

        rows = full_summary(replace(result, stresses={}))
    return rows[rows["stress"] == ""]


def text_of(row: Mapping[Any, Any], currency: str) -> str:
    """A row of the summary as text, the currency left out."""
    measure, unit = str(row["measure"]), str(row["unit"])
    return format_value(
        float(row["value"]),
        float(row["standard_error"]),
        "money" if unit == currency else unit,
        percent=is_percentage(measure),
        signed=measure.endswith(SUFFIX),
    )


def render(result: Result, console: Console) -> None:
    """Print the answer in words, then the table; wide enough for five programmes in 100 columns.

    More programmes than fit are shown in further tables, the baseline first in each.
    """
    from rich.text import Text

    table = comparison_table(result)
    names = result.programmes
    console.print(Text(result.study.study.title, style="bold"))
    for sentence in verdict(result):
        console.print(Text("• " + sentence))
    fits = max(2, (min(console.width, 160) - LABEL_WIDTH) // (COLUMN_WIDTH + GAP))
    others = names[1:]
    for start in range(0, max(1, len(others)), fits - 1):
        console.print(_grid(table, [names[0], *others[start : start + fits - 1]]))
    count = result.scenarios.sizes["scenario"]
    console.print(
        Text(
            f"{count:,} scenarios; amounts in {result.currency}; ± one standard error of simulation; differences are "
            f"to {names[0]}, scenario by scenario; a shortfall is cash and undrawn credit below the minimum.",
            style="dim",
        )
    )


def _grid(table: pd.DataFrame, names: list[str]) -> Table:
    from rich import box
    from rich.table import Table
    from rich.text import Text

    grid = Table(box=box.SIMPLE_HEAD, padding=0, pad_edge=False, show_edge=False)
    grid.add_column("", width=LABEL_WIDTH, no_wrap=False)
    for name in names:
        grid.add_column(Text(name), justify="right", width=COLUMN_WIDTH, vertical="bottom")
    for section, rows in table.groupby("section", sort=False):
        grid.add_section()
        grid.add_row(Text(str(section), style="bold"), *[""] * len(names))
        for (label, _), cells in rows.groupby(["label", "measure"], sort=False):
            texts = dict(zip(cells["programme"], cells["text"], strict=True))
            total = str(label).startswith("=")
            shown = [Text(texts.get(name, ABSENT), style="bold" if total else "") for name in names]
            grid.add_row(Text("  " + str(label), style="bold" if total else ""), *shown)
    return grid
