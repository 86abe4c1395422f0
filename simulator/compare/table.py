"""The headline table: measures as rows, programmes as columns, every number with its error."""

from __future__ import annotations

import math
from collections.abc import Iterable, Mapping
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
WIDEST = 160
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
#: What is shown of each stress.
STRESS_ROWS = (
    ("retained_loss_mean", "Expected loss"),
    ("retained_loss_tail_value_at_risk", "Tail VaR"),
    ("shortfall_probability", "P(shortfall)"),
    ("cost_of_risk_mean", "Cost of risk"),
)
STRESS_LEVEL = 0.99
COLUMNS = (
    "section", "label", "measure", "level", "programme", "value", "standard_error", "ci_low", "ci_high", "unit", "text",
)  # fmt: skip


def comparison_table(result: Result) -> pd.DataFrame:
    """The headline rows in the order they are shown, without stresses.

    Returns:
        Columns section, label, measure, level (NaN where none), programme, value, standard_error, ci_low, ci_high,
        unit, text (the number to the digits its error deserves). Differences are to the first programme, on the
        same scenarios; that programme has no difference rows.
    """
    summary = _summary(result)
    return _table(result, summary[summary["stress"] == ""], ROWS)


def stress_table(result: Result) -> pd.DataFrame:
    """A few headline rows of each stress, one section per stress; columns as in :func:`comparison_table`."""
    import pandas as pd

    summary = _summary(result)
    near = min(result.study.report.levels, key=lambda level: abs(level - STRESS_LEVEL))
    chosen = summary[summary["level"].isna() | (summary["level"] == near)]
    tables = [
        _table(result, chosen[chosen["stress"] == name], [(name, measure, label) for measure, label in STRESS_ROWS])
        for name in result.stresses
    ]
    return pd.concat(tables, ignore_index=True) if tables else pd.DataFrame(columns=list(COLUMNS))


def _table(result: Result, summary: pd.DataFrame, rows: Iterable[tuple[str, str, str]]) -> pd.DataFrame:
    """Rows of the summary, labelled and put in order."""
    import pandas as pd

    records = []
    for section, measure, label in rows:
        chosen = summary[(summary["measure"] == measure) & summary["programme"].isin(result.programmes)]
        for level in sorted(chosen["level"].dropna().unique()) or [math.nan]:
            found = chosen if math.isnan(level) else chosen[chosen["level"] == level]
            shown = label if math.isnan(level) else f"{label} {100 * level:g} %"
            for row in found.to_dict("records"):
                figures = {key: row[key] for key in ("value", "standard_error", "ci_low", "ci_high", "unit")}
                records.append(
                    {"section": section, "label": shown, "measure": measure, "level": level}
                    | {"programme": row["programme"], **figures, "text": text_of(row, result.currency)}
                )
    return pd.DataFrame(records, columns=list(COLUMNS))


def _summary(result: Result) -> pd.DataFrame:
    """The tidy summary, differences included; measured only where that has not been done."""
    rows = result.summary_rows
    return rows if rows is not None and rows["measure"].str.endswith(SUFFIX).any() else full_summary(result)


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


def _note(result: Result, table: pd.DataFrame) -> str:
    note = (
        f"{result.scenarios.sizes['scenario']:,} scenarios; amounts in {result.currency}; ± one standard error of "
        f"simulation; differences are to {result.programmes[0]}, scenario by scenario; a shortfall is cash and undrawn "
        "credit below the minimum."
    )
    if table["ci_high"].map(math.isinf).any():
        note += " Some quantiles lie too far out for so few scenarios: nothing bounds them from above."
    return note


def _print_grids(table: pd.DataFrame, names: list[str], console: Console) -> None:
    fits = max(2, (min(console.width, WIDEST) - LABEL_WIDTH) // (COLUMN_WIDTH + GAP))
    for start in range(1, max(2, len(names)), fits - 1):
        console.print(_grid(table, [names[0], *names[start : start + fits - 1]]))
        console.print()


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
