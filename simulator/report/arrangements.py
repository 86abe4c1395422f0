"""Tables of what stands beside insurance: terms of trade, a reserve fund, the cash buffer."""

from __future__ import annotations

from simulator.compare.scale import common_scale
from simulator.measures.cost_of_risk import reserve_in_cash
from simulator.measures.digits import CENTS
from simulator.report.blocks import Cell, Column, Row, Table
from simulator.report.comparison import Line, Summary, written
from simulator.report.numbers import full_money, short_percent
from simulator.results.result import Result

TRADE = (
    Line("lost_sales_mean", "Sales not made"),
    Line("lost_margin_mean", "Margin lost on them"),
    Line("trade_cost_mean", "Fees, interest, discounts"),
    Line("credit_loss_mean", "Expected gross loss"),
)
#: Months of operating costs that practice holds in cash.
RULE_OF_THUMB = (1.5, 2.0)


def trade_table(result: Result, summary: Summary) -> Table | None:
    """What trading under each programme costs, and the credit loss it leaves; None where all trade alike."""
    lines = [line for line in TRADE if summary.levels(line.measure)]
    if not lines:
        return None
    found = {(line, p): summary.get(line.measure, p) for line in lines for p in result.programmes}
    rows = [
        Row(p, [_cell(found[line, p], line, result, _scale(found, line, result)) for line in lines])
        for p in result.programmes
    ]
    columns = (Column("Programme", number=False), *(Column(line.words, unit=result.currency) for line in lines))
    return Table(
        "Terms of trade and what they cost",
        columns,
        rows,
        note="Means ± standard error. Sales not made: beyond those withheld in the study as it is written, to buyers "
        "who refuse the programme's terms or whose limit is taken back. Costs are part of the cost of risk.",
        stacked=True,
    )


def _scale(found: dict[tuple[Line, str], tuple[float, float]], line: Line, result: Result) -> str:
    pairs = [found[line, p] for p in result.programmes]
    return common_scale((v for v, _ in pairs), (e for _, e in pairs))


def _cell(value: tuple[float, float], line: Line, result: Result, scale: str) -> Cell:
    text, error = written(value, line, result, scale)
    return Cell(text, error=error)


def fund_table(result: Result, summary: Summary) -> Table | None:
    """What becomes of reserve funds; None where no programme has one."""
    lines = (
        Line("fund_exhausted_probability", "Probability of exhaustion", "1"),
        Line("minimum_fund_mean", "Lowest balance, mean"),
        Line("periods_below_reserve_mean", f"{result.study.study.period.capitalize()}s below target, mean", "1"),
    )
    funded = [k for k, p in enumerate(result.study.programmes) if p.reserve_fund is not None]
    if not funded or not summary.levels(lines[0].measure):
        return None
    rows = []
    for k in funded:
        name = result.programmes[k]
        pairs = [summary.get(line.measure, name) for line in lines]
        scale = common_scale([pairs[1][0]], [pairs[1][1]])
        cells = [_cell(pair, line, result, scale) for pair, line in zip(pairs, lines, strict=True)]
        rows.append(Row(name, [Cell(full_money(result.study.reserve(k))), *cells]))
    columns = (
        Column("Programme", number=False),
        Column("Target", unit=result.currency),
        *(Column(line.words) for line in lines),
    )
    return Table(
        "Reserve funds",
        columns,
        rows,
        note="A fund pays for losses as they happen and is topped up from cash; exhausted: the losses of some period "
        "take all that is in it. Lowest balance: before it is topped up.",
        stacked=True,
    )


def buffer_table(result: Result, summary: Summary) -> Table | None:
    """Cash to hold in months of operating costs beside the rule of thumb; None without such costs, or such a need."""
    line, amount = Line("required_buffer_months", "Months", "1"), Line("required_buffer", "Cash")
    levels = summary.levels(line.measure)
    if not any(summary.get(line.measure, p, x)[0] > 0.0 for p in result.programmes for x in levels):
        return None
    costs = result.study.liquidity.operating_costs
    amounts = [summary.get(amount.measure, p, x) for p in result.programmes for x in levels]
    scale = common_scale((round(v, CENTS) for v, _ in amounts), (e for _, e in amounts))
    rows = []
    for k in range(len(result.programmes)):
        held = result.study.liquidity.opening_cash + reserve_in_cash(result.study, k)
        cells = [Cell(f"{held / costs:.1f}", sub=f"{result.currency} {full_money(held)}")]
        for level in levels:
            text, error = written(summary.get(line.measure, result.programmes[k], level), line, result, "")
            money = written(summary.get(amount.measure, result.programmes[k], level), amount, result, scale)[0]
            cells.append(Cell(text, error=error, sub=f"{result.currency} {money}"))
        rows.append(Row(result.programmes[k], cells))
    low, high = RULE_OF_THUMB
    limit = result.study.liquidity.credit_line.limit
    return Table(
        "Cash buffer in months of operating costs",
        (
            Column("Programme", number=False),
            Column("Held today"),
            *(Column(short_percent(level, 4), unit="needed") for level in levels),
        ),
        rows,
        note="Cash to hold on the first day so that a shortfall keeps at most the rest of the probability, ± its "
        f"standard error, below it the amount; one month is {result.currency} {full_money(costs)}. A rule of thumb is "
        f"{low:g} to {high:g} months."
        + (f" The credit line of {result.currency} {full_money(limit)} counts besides." if limit > 0 else ""),
        stacked=True,
    )
