"""Tables of the policies at work: the gap between debt and indemnity, the timing of claims, the cost of risk."""

from __future__ import annotations

import pandas as pd

from simulator.compare.scale import scaled
from simulator.measures.columns import FEWEST, Columns
from simulator.measures.digits import SPACE
from simulator.measures.estimates import conditional_mean, mean, ratio
from simulator.report.blocks import Cell, Column, Row, Table, records
from simulator.report.figures.cost import COMPONENTS
from simulator.report.figures.gap import STEPS, VIEWS, insured
from simulator.report.numbers import NONE, Unit, short_percent, unit_for
from simulator.results.result import Result
from simulator.study.schema import Policy

#: What a step takes in, where its name does not say so.
SAYS = {
    "conversion": "the policy’s rate against the market’s; below zero: it values debts higher",
    "vat": "not insured",
    "limit_cancelled": "within the limit before the insurer reduced or cancelled it",
    "minimum_retention": "beyond the uninsured percentage",
    "notification": "claims reduced because debts were notified too late",
    "insurer_default": "approved claims that a failed insurer does not pay",
    "not_covered": "shipments without a limit, excluded, on too long terms, outside the period, or while the buyer "
    "was overdue too long; losses of a peril left out, after the date of loss, or known at the start",
    "coinsurance": "the uninsured percentage",
    "debt": "on the dates of loss, debts lost without a claim included; some of it is paid later",
    "indemnity": "before recoveries are shared",
}
#: Steps that take away cover the policy was bought for.
LOST = {"limit_cancelled": "limits taken back", "insurer_default": "the insurer’s own default"}
_SINGULAR = {"buyers": "Buyer", "countries": "Country", "sectors": "Sector", "currencies": "Currency"}


def headline(result: Result, programme: str) -> str:
    """The insured percentage as the policy is called by, both where perils differ; empty without a policy."""
    for terms in result.study.programmes:
        if terms.name == programme and isinstance(terms, Policy):
            shares = {terms.percentage("insolvency"), terms.percentage("protracted_default")}
            return " / ".join(short_percent(s, 3) for s in sorted(shares, reverse=True))
    return ""


def gap_table(result: Result, data: pd.DataFrame) -> Table:
    """Amounts per step and insured programme, the worst 1 % below them; what the claims come to, gross and net."""
    programmes = list(data["programme"].unique())
    found = {(r.step, r.programme, r.view): (r.amount, r.amount_error) for r in records(data)}
    unit = unit_for(data["amount"])
    columns = Columns(result)
    for p in programmes:
        values = columns.values("indemnity", result.programmes.index(p))
        for view, net in (("average", mean(columns.derived(values))), ("tail", columns.tail_part(values))):
            found["net", p, view] = (net.value, net.standard_error)

    def amounts(step: str) -> list[Cell]:
        cells = []
        for p in programmes:
            whole = _with_error(*found[step, p, "average"], unit)
            cells.append(Cell(whole.text, error=whole.error, sub=scaled(*found[step, p, "tail"], unit.scale)))
        return cells

    def shares(step: str) -> list[Cell]:
        written = {(p, v): _share(found[step, p, v][0], found["debt", p, v][0]) for p in programmes for v in VIEWS}
        return [Cell(written[p, "average"], sub=written[p, "tail"]) for p in programmes]

    shown = [step for step in STEPS if (step, programmes[0], "average") in found]
    rows = [Row(STEPS[step], amounts(step), sub=SAYS.get(step, "")) for step in shown]
    rows += [
        Row("Net claims", amounts("net"), sub="less the insurer’s share of recoveries"),
        Row("Gross claims ÷ debt", shares("indemnity"), sub="before recoveries are shared"),
        Row("Net claims ÷ debt", shares("net"), sub="after recoveries are shared"),
        Row("Headline percentage", [Cell(headline(result, p)) for p in programmes]),
    ]
    return Table(
        "Where the claims fall short of the headline percentage",
        (Column("Step", number=False), *(Column(p) for p in programmes)),
        rows,
        note=f"{unit.named(result.currency)}; mean over all scenarios ± standard error, below it the mean in the worst "
        "1 % by gross loss.",
        full=True,
        stacked=True,
    )


def _with_error(value: float, error: float, unit: Unit) -> Cell:
    """An amount in the table's unit, to the digits that its error deserves."""
    text, _, spread = scaled(value, error, unit.scale).partition(f" ±{SPACE}")
    return Cell(text, error=spread)


def _share(part: float, whole: float) -> str:
    return short_percent(part / whole, 3) if whole > 0 else NONE


def timing_table(data: pd.DataFrame, currency: str) -> Table:
    """Mean claims money, what of it is handed back, and what of the rest comes within the horizon and after it."""
    unit = unit_for([*data["gross"], *data["in_horizon"]])
    rows = []
    for row in records(data):
        amounts = (row.gross, row.handed_back, row.indemnity, row.in_horizon, row.indemnity - row.in_horizon)
        rows.append(Row(row.programme, [Cell(unit.write(amount)) for amount in amounts]))
    return Table(
        "Timing of the claims money",
        (
            Column("Programme", number=False),
            Column("Gross claims, whenever paid", unit=unit.named(currency)),
            Column("Handed back", unit=unit.named(currency)),
            Column("Net claims, in the end", unit=unit.named(currency)),
            Column("Net, within the horizon", unit=unit.named(currency)),
            Column("Net, after it", unit=unit.named(currency)),
        ),
        rows,
        note="Means. Handed back: the insurer's share of recoveries and of what buyers pay after a claim. Below zero "
        "after the horizon: more is handed back then than is still paid.",
        stacked=True,
    )


def cost_table(data: pd.DataFrame, currency: str) -> Table:
    """Components of the expected cost of risk per programme, and their sum."""
    wide = data.pivot_table(index="programme", columns="component", values="amount", sort=False)
    shown = [c for c in COMPONENTS if c in wide.columns]
    unit = unit_for([*data["amount"], *wide.sum(axis=1)])
    rows = [
        Row(str(p), [*(Cell(unit.write(float(wide.loc[p, c]))) for c in shown), Cell(unit.write(wide.loc[p].sum()))])
        for p in wide.index
    ]
    columns = [Column("Programme", number=False), *(Column(COMPONENTS[c]) for c in shown), Column("Cost of risk")]
    note = f"Means, {unit.named(currency)}."
    if "financing_cost" in shown:
        note += (
            " Net interest is what the credit line costs less what cash earns: a negative amount is income and lowers "
            "the cost of risk."
        )
    return Table("Cost of risk", columns, rows, note=note, full=True, stacked=True)


def lost_cover_table(result: Result, data: pd.DataFrame) -> Table | None:
    """Cover that was there when the goods were sold on and is gone when it is needed; None where none is lost."""
    lost = [step for step in LOST if (data["step"] == step).any()]
    if not lost:
        return None
    found = {(r.step, r.programme, r.view): (r.amount, r.amount_error) for r in records(data)}
    unit = unit_for(data.loc[data["step"].isin(lost), "amount"])
    rows = []
    for programme in data["programme"].unique():
        for step in lost:
            cells = []
            for view in VIEWS:
                amount, error = found[step, programme, view]
                share = _share(amount, found["debt", programme, view][0])
                cells += [_with_error(amount, error, unit), Cell(share)]
            rows.append(Row(str(programme), cells, sub=LOST[step] if len(lost) > 1 else ""))
    columns = (
        Column("Programme", number=False),
        Column("Mean", unit=unit.named(result.currency)),
        Column("Share of the debt"),
        Column("Worst 1 %", unit=unit.named(result.currency)),
        Column("Share of its debt"),
    )
    return Table(
        "Cover lost to " + " and ".join(LOST[step] for step in lost),
        columns,
        rows,
        note="Debts that the policy covered when it was concluded. Insurers take limits back when buyers weaken and "
        "times turn bad: compare the worst 1 % of scenarios by gross loss."
        if "limit_cancelled" in lost
        else "Approved claims that are not paid.",
        stacked=True,
    )


def late_claims_table(result: Result) -> Table | None:
    """Claims money in the scenarios where cash runs short; None where the result cannot tell or none does."""
    columns = Columns(result)
    if not columns.takes("claims_before_shortfall") and not columns.takes("claims_after_shortfall"):
        return None
    found = []
    for programme in insured(result):
        index = result.programmes.index(programme)
        struck = (columns.values("shortfall_amount", index) > 0.0).astype(float)
        if struck.any():
            names = ("indemnity_gross", "indemnity", "claims_before_shortfall", "claims_after_shortfall")
            parts = [conditional_mean(columns.sample(name, index), struck) for name in names]
            enough = int(struck.sum()) >= FEWEST and parts[1].value > 0.0
            in_time = short_percent(ratio(parts[2], parts[1]).value) if enough else NONE
            found.append((programme, parts, in_time))
    if not found:
        return None
    unit = unit_for(part.value for _, parts, _ in found for part in parts)
    rows = []
    for programme, parts, in_time in found:
        cells = [_with_error(part.value, part.standard_error, unit) for part in parts]
        rows.append(Row(programme, [*cells, Cell(in_time)]))
    period = result.study.study.period
    columns_ = (
        Column("Programme", number=False),
        Column("Gross claims, whenever paid", unit=unit.named(result.currency)),
        Column("Net claims, in the end", unit=unit.named(result.currency)),
        Column(f"Received by the end of that {period}", unit=unit.named(result.currency)),
        Column("Later, within the horizon", unit=unit.named(result.currency)),
        Column("In time", unit="received ÷ net"),
    )
    return Table(
        "Claims money where cash runs short",
        columns_,
        rows,
        note="Means over the scenarios with a shortfall ± standard error; what is received is net of what is handed "
        f"back by then. “That {period}”: the first with a shortfall that remains although the claims money received so "
        f"far is in it. No share is given of fewer than {FEWEST} scenarios.",
        stacked=True,
    )


def contribution_tables(data: pd.DataFrame, titles: dict[str, str], currency: str) -> list[Table]:
    """The largest contributors of each kind with exposure, mean loss and loss in the worst 1 %."""
    tables = []
    for kind in data["table"].unique():
        part = data[data["table"] == kind]
        unit = unit_for(part["exposure"])
        exposure, mean, tail = (unit.of(part[name]) for name in ("exposure", "mean_loss", "tail_loss"))
        rows = [
            Row(
                row.name,
                (
                    Cell(exposure.write(row.exposure)),
                    Cell(mean.write(row.mean_loss)),
                    Cell(tail.write(row.tail_loss)),
                    Cell(short_percent(row.tail_share)),
                ),
            )
            for row in records(part)
        ]
        columns = (
            Column(_SINGULAR[kind], number=False),
            Column("Exposure"),
            Column("Mean loss"),
            Column("Worst 1 %"),
            Column("Share of it"),
        )
        tables.append(Table(titles[kind], columns, rows, note=f"{unit.named(currency)}, gross of insurance."))
    return tables
