"""Tables of the policies at work: the gap between debt and indemnity, the timing of claims, the cost of risk."""

from __future__ import annotations

import pandas as pd

from simulator.report.blocks import Cell, Column, Row, Table, records
from simulator.report.figures.cost import COMPONENTS
from simulator.report.figures.gap import STEPS, VIEWS
from simulator.report.numbers import NONE, short_percent, table_money
from simulator.results.result import Result
from simulator.study.schema import Policy

_SINGULAR = {"buyers": "Buyer", "countries": "Country", "sectors": "Sector", "currencies": "Currency"}


def headline(result: Result, programme: str) -> str:
    """The insured percentage as the policy is called by, both where perils differ; empty without a policy."""
    for terms in result.study.programmes:
        if terms.name == programme and isinstance(terms, Policy):
            shares = {terms.percentage("insolvency"), terms.percentage("protracted_default")}
            return " / ".join(short_percent(s, 3) for s in sorted(shares, reverse=True))
    return ""


def gap_table(result: Result, data: pd.DataFrame) -> Table:
    """Mean amounts per step and insured programme, the worst 1 % below them."""
    programmes = list(data["programme"].unique())
    wide = data.pivot_table(index="step", columns=["programme", "view"], values="amount", sort=False)
    rows = []
    for step, words in STEPS.items():
        cells = [
            Cell(table_money(wide.loc[step, (p, "average")]), sub=table_money(wide.loc[step, (p, "tail")]))
            for p in programmes
        ]
        rows.append(Row(words, cells))
    ratios = []
    for p in programmes:
        shown = {}
        for view in VIEWS:
            debt = float(wide.loc["debt", (p, view)])
            shown[view] = short_percent(float(wide.loc["indemnity", (p, view)]) / debt, 3) if debt > 0 else NONE
        ratios.append(Cell(shown["average"], sub=shown["tail"]))
    rows.append(Row("Effective indemnity ratio", ratios, sub="indemnity ÷ debt"))
    rows.append(Row("Headline percentage", [Cell(headline(result, p)) for p in programmes]))
    return Table(
        "Where the indemnity falls short of the headline percentage",
        (Column("Step", number=False), *(Column(p) for p in programmes)),
        rows,
        note=f"{result.currency}; mean over all scenarios, below it the mean in the worst 1 %. The indemnity is before "
        "the insurer's share of later recoveries.",
        full=True,
        pinned=True,
    )


def timing_table(data: pd.DataFrame, currency: str) -> Table:
    """Mean claims money, what arrives within the horizon, and its share."""
    rows = [
        Row(
            row.programme,
            (Cell(table_money(row.indemnity)), Cell(table_money(row.in_horizon)), Cell(short_percent(row.share))),
        )
        for row in records(data)
    ]
    return Table(
        "Timing of the claims money",
        (
            Column("Programme", number=False),
            Column("Paid in the end", unit=currency),
            Column("Within the horizon", unit=currency),
            Column("Share"),
        ),
        rows,
        note="Means. What has arrived is net of the insurer's share of recoveries received by then.",
    )


def cost_table(data: pd.DataFrame, currency: str) -> Table:
    """Components of the expected cost of risk per programme, and their sum."""
    wide = data.pivot_table(index="programme", columns="component", values="amount", sort=False)
    shown = [c for c in COMPONENTS if c in wide.columns]
    rows = [
        Row(str(p), [*(Cell(table_money(float(wide.loc[p, c]))) for c in shown), Cell(table_money(wide.loc[p].sum()))])
        for p in wide.index
    ]
    columns = [Column("Programme", number=False), *(Column(COMPONENTS[c]) for c in shown), Column("Cost of risk")]
    return Table("Cost of risk", columns, rows, note=f"Means, {currency}.", full=True, pinned=True)


def contribution_tables(data: pd.DataFrame, titles: dict[str, str], currency: str) -> list[Table]:
    """The largest contributors of each kind with exposure, mean loss and loss in the worst 1 %."""
    tables = []
    for kind in data["table"].unique():
        rows = [
            Row(
                row.name,
                (
                    Cell(table_money(row.exposure)),
                    Cell(table_money(row.mean_loss)),
                    Cell(table_money(row.tail_loss)),
                    Cell(short_percent(row.tail_share)),
                ),
            )
            for row in records(data[data["table"] == kind])
        ]
        columns = (
            Column(_SINGULAR[kind], number=False),
            Column("Exposure"),
            Column("Mean loss"),
            Column("Worst 1 %"),
            Column("Share of it"),
        )
        tables.append(Table(titles[kind], columns, rows, note=f"{currency}, gross of insurance."))
    return tables
