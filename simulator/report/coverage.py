"""Tables of the policies at work: the gap between debt and indemnity, the timing of claims, the cost of risk."""

from __future__ import annotations

from collections.abc import Mapping

import pandas as pd

from simulator.report.blocks import Cell, Column, Row, Table, records
from simulator.report.figures.cost import COMPONENTS
from simulator.report.figures.gap import STEPS, VIEWS, view_weights
from simulator.report.numbers import NONE, short_percent, unit_for
from simulator.results.result import Result
from simulator.study.schema import Policy

#: What a step takes in, where its name does not say so.
SAYS = {
    "not_covered": "no limit, disputed or excluded; lost without a claim that holds it, or known as lost at the start",
    "coinsurance": "the uninsured percentage",
    "indemnity": "before recoveries are shared",
}
_SINGULAR = {"buyers": "Buyer", "countries": "Country", "sectors": "Sector", "currencies": "Currency"}


def headline(result: Result, programme: str) -> str:
    """The insured percentage as the policy is called by, both where perils differ; empty without a policy."""
    for terms in result.study.programmes:
        if terms.name == programme and isinstance(terms, Policy):
            shares = {terms.percentage("insolvency"), terms.percentage("protracted_default")}
            return " / ".join(short_percent(s, 3) for s in sorted(shares, reverse=True))
    return ""


def gap_table(result: Result, data: pd.DataFrame) -> Table:
    """Mean amounts per step and insured programme, the worst 1 % below them; what the claims come to, gross and net."""
    programmes = list(data["programme"].unique())
    wide = data.pivot_table(index="step", columns=["programme", "view"], values="amount", sort=False)
    steps = {step: {(p, v): float(wide.loc[step, (p, v)]) for p in programmes for v in VIEWS} for step in STEPS}
    gross, debt = steps["indemnity"], steps["debt"]
    unit = unit_for(data["amount"])
    weights = view_weights(result)
    net = {
        (p, view): float(weights[view] @ result.scenarios["indemnity"].sel(programme=p).to_numpy())
        for p in programmes
        for view in VIEWS
    }

    def amounts(of: Mapping[tuple[str, str], float]) -> list[Cell]:
        return [Cell(unit.write(of[p, "average"]), sub=unit.write(of[p, "tail"])) for p in programmes]

    def shares(of: Mapping[tuple[str, str], float]) -> list[Cell]:
        written = {(p, v): _share(of[p, v], debt[p, v]) for p in programmes for v in VIEWS}
        return [Cell(written[p, "average"], sub=written[p, "tail"]) for p in programmes]

    rows = [Row(words, amounts(steps[step]), sub=SAYS.get(step, "")) for step, words in STEPS.items()]
    rows += [
        Row("Net claims", amounts(net), sub="less the insurer’s share of recoveries"),
        Row("Gross claims ÷ debt", shares(gross), sub="before recoveries are shared"),
        Row("Net claims ÷ debt", shares(net), sub="after recoveries are shared"),
        Row("Headline percentage", [Cell(headline(result, p)) for p in programmes]),
    ]
    return Table(
        "Where the claims fall short of the headline percentage",
        (Column("Step", number=False), *(Column(p) for p in programmes)),
        rows,
        note=f"{unit.named(result.currency)}; mean over all scenarios, below it the mean in the worst 1 %.",
        full=True,
        stacked=True,
    )


def _share(part: float, whole: float) -> str:
    return short_percent(part / whole, 3) if whole > 0 else NONE


def timing_table(data: pd.DataFrame, currency: str) -> Table:
    """Mean claims money, what arrives within the horizon, and its share."""
    unit = unit_for([*data["indemnity"], *data["in_horizon"]])
    rows = [
        Row(
            row.programme,
            (Cell(unit.write(row.indemnity)), Cell(unit.write(row.in_horizon)), Cell(short_percent(row.share))),
        )
        for row in records(data)
    ]
    return Table(
        "Timing of the claims money",
        (
            Column("Programme", number=False),
            Column("Gross claims, whenever paid", unit=unit.named(currency)),
            Column("Net claims within the horizon", unit=unit.named(currency)),
            Column("Net ÷ gross"),
        ),
        rows,
        note="Means. Net claims are less the insurer's share of recoveries received by then.",
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
