"""The comparison of programmes as a table of the page, and the other tables that are read off the summary."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import pandas as pd

from simulator.measures.digits import is_percentage
from simulator.measures.estimate import Z95
from simulator.report.blocks import Cell, Column, Row, Table
from simulator.report.numbers import short_percent, with_error
from simulator.results.result import Result


@dataclass(frozen=True)
class Line:
    """One measure of the comparison: its name in the summary, its words, how it is written, a word on it."""

    measure: str
    words: str
    unit: str = "money"
    sub: str = ""


GROUPS: Mapping[str, Sequence[Line]] = {
    "Retained loss: after indemnity, before premium": (
        Line("retained_loss_mean", "Expected retained loss"),
        Line("retained_loss_value_at_risk", "Value at risk", sub="exceeded in {rest} of scenarios"),
        Line("retained_loss_tail_value_at_risk", "Tail value at risk", sub="mean of the worst {rest}"),
    ),
    "Liquidity: cash and undrawn credit line against the minimum": (
        Line("shortfall_probability", "Probability of a shortfall", "1", "at any period's end"),
        Line("shortfall_depth_mean", "Depth of a shortfall", sub="mean, where there is one"),
        Line("first_shortfall_median", "First shortfall", "period", "median, where there is one"),
        Line("liquidity_at_risk", "Liquidity at risk", sub="cash to be added today"),
    ),
    "Cost": (
        Line("premium_mean", "Premium, tax and fees"),
        Line("financing_cost_mean", "Financing cost"),
        Line("capital_charge", "Capital charge", sub="on 99 % TVaR less mean"),
        Line("reserve_cost", "Cost of reserve"),
        Line("cost_of_risk_mean", "Cost of risk", sub="all of these and retained loss"),
    ),
    "Cover": (
        Line("indemnity_gross_mean", "Expected claims money", sub="before sharing recoveries"),
        Line("indemnity_in_horizon_mean", "Within the horizon", sub="less recoveries shared by then"),
        Line("indemnity_mean", "Expected indemnity", sub="net of shared recoveries"),
        Line("indemnity_ratio", "Effective indemnity ratio", "1", "indemnity ÷ debt when lost"),
        Line("loss_ratio", "Loss ratio", "1", "indemnity ÷ premium"),
        Line("reserve_ruin_probability", "Reserve exhausted", "1", "retained loss above the reserve"),
    ),
}
STRESSED = (
    Line("gross_loss_mean", "Expected gross loss"),
    Line("retained_loss_mean", "Expected retained loss"),
    Line("retained_loss_tail_value_at_risk", "Tail value at risk of retained loss"),
    Line("shortfall_probability", "Probability of a shortfall", "1"),
    Line("liquidity_at_risk", "Liquidity at risk"),
    Line("cost_of_risk_mean", "Cost of risk"),
)


class Summary:
    """The tidy summary, looked up by (stress, measure, programme, level).

    Args:
        rows: columns stress, measure, programme, level, value, standard_error, ci_low, ci_high; a stress that is none
            of ``stresses`` is the study as it stands, a blank programme a measure of the book.
        stresses: names of the stresses.
    """

    def __init__(self, rows: pd.DataFrame, stresses: Sequence[str] = ()) -> None:
        self._found: dict[tuple[str, str, str, float], tuple[float, float]] = {}
        self._levels: dict[str, list[float]] = {}
        keys = [rows[c].tolist() for c in ("stress", "measure", "programme", "level", "value", "standard_error")]
        for stress, measure, programme, level, value, error in zip(*keys, strict=True):
            place = -1.0 if level is None or pd.isna(level) else round(float(level), 9)
            case = stress if stress in stresses else ""
            who = "" if programme is None or pd.isna(programme) else str(programme)
            self._found[case, measure, who, place] = (float(value), float(error))
            known = self._levels.setdefault(measure, [])
            if place not in known:
                known.append(place)

    def levels(self, measure: str) -> list[float]:
        """Levels at which a measure is known, ascending; −1 stands for a measure without level, empty for none."""
        return sorted(self._levels.get(measure, []))

    def lines(self) -> list[Line]:
        """Lines of the comparison that the summary has values for."""
        return [line for lines in GROUPS.values() for line in lines if line.measure in self._levels]

    def get(self, measure: str, programme: str = "", level: float = -1.0, stress: str = "") -> tuple[float, float]:
        """Value and standard error, NaN where the summary has none."""
        return self._found.get((stress, measure, programme, round(level, 9)), (math.nan, math.nan))


def comparison_table(result: Result, summary: Summary) -> Table:
    """Measures by programme, each with its error and its paired difference to the baseline."""
    programmes = result.programmes
    rows: list[Row] = []
    for group, lines in GROUPS.items():
        found = [row for line in lines for row in _rows(line, programmes, summary, result)]
        if found:
            rows += [Row(group=group), *found]
    several = len(programmes) > 1
    columns = [Column("", number=False)]
    columns += [Column(p, unit="baseline" if several and i == 0 else "") for i, p in enumerate(programmes)]
    note = f"Amounts in {result.currency}, each ± its standard error."
    if several:
        note += (
            f" Second line: difference to {programmes[0]} on the same scenarios, ± its own standard error; "
            "in italics where it cannot be told from noise (95 %)."
        )
    return Table("The programmes compared", columns, rows, note=note, full=True, pinned=True)


def _rows(line: Line, programmes: Sequence[str], summary: Summary, result: Result) -> list[Row]:
    rows = []
    for level in summary.levels(line.measure):
        values = [summary.get(line.measure, p, level) for p in programmes]
        if all(math.isnan(v) or v == 0.0 for v, _ in values):
            continue
        cells = [_cell(line, p, level, value, summary, result) for p, value in zip(programmes, values, strict=True)]
        words = line.words if level < 0 else f"{line.words} {short_percent(level, 4)}"
        rows.append(Row(words, cells, sub=line.sub.format(rest=short_percent(1 - level))))
    return rows


def _cell(
    line: Line, programme: str, level: float, value: tuple[float, float], summary: Summary, result: Result
) -> Cell:
    text, error = written(value, line, result)
    change, change_error = summary.get(f"{line.measure}_difference", programme, level)
    if not math.isfinite(change) or programme == result.programmes[0]:
        return Cell(text, error=error)
    difference, spread = written((change, change_error), line, result, signed=True)
    noise = math.isfinite(change_error) and abs(change) <= Z95 * change_error
    return Cell(text, error=error, difference=difference + (f" ± {spread}" if spread else ""), noise=noise)


def written(value: tuple[float, float], line: Line, result: Result, *, signed: bool = False) -> tuple[str, str]:
    """Value and error of a measure as texts; a period as ``week 17``."""
    unit = result.study.study.period if line.unit == "period" else line.unit
    return with_error(*value, unit, percent=is_percentage(line.measure) or line.measure == "loss_ratio", signed=signed)


def stress_table(result: Result, summary: Summary) -> Table:
    """The measures that matter, the study as it stands beside its stresses, for every programme."""
    cases = ["", *result.stresses]
    rows: list[Row] = []
    for line in STRESSED:
        owners = (
            result.programmes if math.isnan(summary.get(line.measure, "", _top(summary, line.measure))[0]) else [""]
        )
        level = _top(summary, line.measure)
        found = []
        for owner in owners:
            values = [summary.get(line.measure, owner, level, stress) for stress in cases]
            if all(math.isnan(v) for v, _ in values):
                continue
            texts = [written(v, line, result) for v in values]
            found.append(Row(owner or "All programmes", [Cell(t, error=e) for t, e in texts]))
        if found:
            rows += [Row(group=line.words + (f" {short_percent(level, 4)}" if level >= 0 else "")), *found]
    columns = [Column("Programme", number=False), Column("As it stands"), *(Column(name) for name in result.stresses)]
    note = f"Amounts in {result.currency}, each ± its standard error."
    return Table("Under stress", columns, rows, note=note, full=True, pinned=True)


def _top(summary: Summary, measure: str) -> float:
    """99 % where it is known, else the highest level of a measure; −1 without levels."""
    levels = summary.levels(measure)
    return 0.99 if 0.99 in levels else (levels[-1] if levels else -1.0)


def liquidity_table(result: Result, summary: Summary) -> Table:
    """Cash needed today for each confidence level, per programme."""
    line = Line("liquidity_at_risk", "Liquidity at risk")
    levels = summary.levels(line.measure)
    rows = []
    for programme in result.programmes:
        texts = [written(summary.get(line.measure, programme, x), line, result) for x in levels]
        rows.append(Row(programme, [Cell(text, error=error) for text, error in texts]))
    return Table(
        "Liquidity at risk",
        [Column("Programme", number=False), *(Column(short_percent(x, 4), unit=result.currency) for x in levels)],
        rows,
        note="Cash to be added today so that a shortfall keeps at most the rest of the probability.",
    )
