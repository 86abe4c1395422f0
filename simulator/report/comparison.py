"""The comparison of programmes as a table of the page, and the other tables that are read off the summary."""

from __future__ import annotations

import math
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass

import pandas as pd

from simulator.compare.scale import common_scale
from simulator.measures.digits import is_percentage
from simulator.measures.estimate import Z95
from simulator.report.blocks import Cell, Column, Row, Table
from simulator.report.numbers import short_percent, with_error
from simulator.report.ratios import NET_LOSS_RATIO, NET_RATIO
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
        Line("financing_cost_mean", "Net interest", sub="paid on the line less earned on cash; negative: earned"),
        Line("trade_cost_mean", "Terms of trade", sub="fees, interest and discounts"),
        Line("lost_margin_mean", "Lost margin", sub="on sales not made: terms refused, limits taken back"),
        Line("capital_charge", "Capital charge", sub="on 99 % TVaR less mean"),
        Line("reserve_cost", "Cost of reserve"),
        Line("cost_of_risk_mean", "Cost of risk", sub="all of these and retained loss"),
    ),
    "Cover": (
        Line("indemnity_gross_mean", "Gross claims", sub="expected; before recoveries are shared"),
        Line("indemnity_mean", "Net claims", sub="expected; less the insurer’s share of recoveries"),
        Line(
            "indemnity_in_horizon_mean", "Net claims within the horizon", sub="received, less recoveries shared by then"
        ),
        Line(
            "indemnity_ratio",
            "Gross claims ÷ debt claimed",
            "1",
            "or lost without a claim; before recoveries are shared",
        ),
        Line(NET_RATIO, "Net claims ÷ debt claimed", "1", "after recoveries are shared"),
        Line("limit_cancelled_ratio", "Lost to limits taken back", "1", "share of the debt claimed"),
        Line("insurer_default_ratio", "Lost to the insurer’s default", "1", "share of the debt claimed"),
        Line("loss_ratio", "Loss ratio with tax and fees", "1", "net claims ÷ premium with tax and fees"),
        Line(NET_LOSS_RATIO, "Loss ratio before tax and fees", "1", "net claims ÷ premium without tax and fees"),
        Line("reserve_ruin_probability", "Reserve exhausted", "1", "retained loss above the reserve"),
        Line("fund_exhausted_probability", "Reserve fund exhausted", "1", "by losses, although it is topped up"),
    ),
}
ADDED = "Cost"  # a group whose lines are added up is written in one unit
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
        further: (measure, programme, value, standard error) of what the summary does not hold.
    """

    def __init__(
        self,
        rows: pd.DataFrame,
        stresses: Sequence[str] = (),
        further: Iterable[tuple[str, str, float, float]] = (),
    ) -> None:
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
        for measure, programme, value, error in further:
            self._found["", measure, programme, -1.0] = (value, error)
            self._levels[measure] = [-1.0]

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
    """Measures by programme, each with its error and its paired difference to the baseline; one unit per row."""
    programmes = result.programmes
    rows: list[Row] = []
    for group, lines in GROUPS.items():
        shared = common_scale(*_amounts(lines, summary, programmes)) if group == ADDED else None
        found = [row for line in lines for row in _rows(line, summary, result, shared)]
        if found:
            rows += [Row(group=group), *found]
    several = len(programmes) > 1
    columns = [Column("", number=False)]
    columns += [Column(p, unit="baseline" if several and i == 0 else "") for i, p in enumerate(programmes)]
    note = f"Amounts in {result.currency} (k: thousands, M: millions), each ± its standard error in the same unit."
    if several:
        note += (
            f" Second line: difference to {programmes[0]} on the same scenarios, ± its own standard error; "
            "in italics where it cannot be told from noise (95 %)."
        )
    return Table("The programmes compared", columns, rows, note=note, full=True, stacked=True)


def _amounts(lines: Sequence[Line], summary: Summary, programmes: Sequence[str]) -> tuple[list[float], list[float]]:
    """Every amount of some lines, and every error."""
    found = [
        summary.get(line.measure, p, level)
        for line in lines
        for level in summary.levels(line.measure)
        for p in programmes
    ]
    return [value for value, _ in found], [error for _, error in found]


def _rows(line: Line, summary: Summary, result: Result, shared: str | None) -> list[Row]:
    rows = []
    for level in summary.levels(line.measure):
        values = [summary.get(line.measure, p, level) for p in result.programmes]
        if all(math.isnan(v) or v == 0.0 for v, _ in values):
            continue
        scale = shared if shared is not None else common_scale((v for v, _ in values), (e for _, e in values))
        cells = [
            _cell(line, p, level, value, scale, summary, result)
            for p, value in zip(result.programmes, values, strict=True)
        ]
        words = line.words if level < 0 else f"{line.words} {short_percent(level, 4)}"
        rows.append(Row(words, cells, sub=line.sub.format(rest=short_percent(1 - level))))
    return rows


def _cell(
    line: Line, programme: str, level: float, value: tuple[float, float], scale: str, summary: Summary, result: Result
) -> Cell:
    text, error = written(value, line, result, scale)
    change, change_error = summary.get(f"{line.measure}_difference", programme, level)
    if not math.isfinite(change) or programme == result.programmes[0]:
        return Cell(text, error=error)
    difference, spread = written((change, change_error), line, result, scale, signed=True)
    noise = math.isfinite(change_error) and abs(change) <= Z95 * change_error
    return Cell(text, error=error, difference=difference + (f" ± {spread}" if spread else ""), noise=noise)


def written(
    value: tuple[float, float], line: Line, result: Result, scale: str, *, signed: bool = False
) -> tuple[str, str]:
    """Value and error of a measure as texts, an amount in a given unit; a period as ``week 17``."""
    unit = result.study.study.period if line.unit == "period" else line.unit
    return with_error(*value, unit, percent=is_percentage(line.measure), signed=signed, scale=scale)


def stress_table(result: Result, summary: Summary) -> Table:
    """The measures that matter, the study as it stands beside its stresses, for every programme."""
    cases = ["", *result.stresses]
    rows: list[Row] = []
    for line in STRESSED:
        owners = (
            result.programmes if math.isnan(summary.get(line.measure, "", _top(summary, line.measure))[0]) else [""]
        )
        level = _top(summary, line.measure)
        values = {o: [summary.get(line.measure, o, level, stress) for stress in cases] for o in owners}
        flat = [pair for pairs in values.values() for pair in pairs]
        scale = common_scale((v for v, _ in flat), (e for _, e in flat))
        found = []
        for owner, pairs in values.items():
            if all(math.isnan(v) for v, _ in pairs):
                continue
            texts = [written(pair, line, result, scale) for pair in pairs]
            found.append(Row(owner or "All programmes", [Cell(t, error=e) for t, e in texts]))
        if found:
            rows += [Row(group=line.words + (f" {short_percent(level, 4)}" if level >= 0 else "")), *found]
    columns = [Column("Programme", number=False), Column("As it stands"), *(Column(name) for name in result.stresses)]
    note = f"Amounts in {result.currency}, each ± its standard error."
    return Table("Under stress", columns, rows, note=note, full=True, stacked=True)


def _top(summary: Summary, measure: str) -> float:
    """99 % where it is known, else the highest level of a measure; −1 without levels."""
    levels = summary.levels(measure)
    return 0.99 if 0.99 in levels else (levels[-1] if levels else -1.0)


def liquidity_table(result: Result, summary: Summary) -> Table:
    """Cash needed today for each confidence level, per programme."""
    line = Line("liquidity_at_risk", "Liquidity at risk")
    levels = summary.levels(line.measure)
    scale = common_scale(*_amounts([line], summary, result.programmes))
    rows = []
    for programme in result.programmes:
        texts = [written(summary.get(line.measure, programme, x), line, result, scale) for x in levels]
        rows.append(Row(programme, [Cell(text, error=error) for text, error in texts]))
    return Table(
        "Liquidity at risk",
        [Column("Programme", number=False), *(Column(short_percent(x, 4), unit=result.currency) for x in levels)],
        rows,
        note="Cash to be added today so that a shortfall keeps at most the rest of the probability.",
        stacked=True,
    )
