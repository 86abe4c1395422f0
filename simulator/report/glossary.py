"""Words of the report as the dictionary ``simulator/terms.csv`` defines them, and where the numbers come from."""

from __future__ import annotations

import csv
from collections.abc import Iterable, Mapping
from functools import cache
from importlib import resources
from typing import Any

from simulator.measures.precision import precision_sentence
from simulator.report.blocks import Cell, Column, Row, Table
from simulator.report.comparison import Line
from simulator.report.quality import label
from simulator.report.workbook import flatten

VARIABLES = (
    "gross_loss", "credit_loss", "retained_loss", "indemnity", "indemnity_in_horizon", "premium", "financing_cost",
    "trade_cost", "lost_sales", "lost_margin", "capital_charge", "reserve_cost", "cost_of_risk", "headroom",
    "borrowing_base", "availability", "shortfall_amount", "dso",
)  # fmt: skip
METHODS = {
    "Standard error, ±": "Sampling error of the simulation alone: what another seed would move a number by. It says "
    "nothing about errors of the model or its parameters.",
    "Difference": "Programmes see the same scenarios, so their differences are far more certain than the numbers they "
    "are taken of; each has its own error, and within 1.96 of it counts as noise.",
    "Value at risk": "The smallest simulated value with at least the level's probability at or below it; no "
    "interpolation.",
    "Tail value at risk": "Mean of the worst 1 − level of scenarios, the boundary value entering with its fractional "
    "weight.",
    "Worst 1 %": "The one scenario in a hundred with the largest gross loss.",
    "Insolvency": "The buyer fails within the horizon; what it owes then is lost up to recovery, even if that comes "
    "later.",
    "Protracted default": "An invoice still unpaid when its waiting period ends; some of them are still paid later, "
    "and any indemnity is then shared back.",
}
_SPELT = {
    "dso": "DSO",
    "financing_cost": "Net interest",
    "indemnity": "Net claims (indemnity)",
    "indemnity_in_horizon": "Net claims within the horizon",
}


@cache
def _dictionary() -> dict[tuple[str, str], dict[str, str]]:
    text = resources.files("simulator").joinpath("terms.csv").read_text(encoding="utf-8")
    return {(row["name"], row["kind"]): row for row in csv.DictReader(text.splitlines())}


def definitions(variables: Iterable[str], lines: Iterable[Line]) -> list[tuple[str, str]]:
    """Words and their meanings: how numbers are to be read, then the variables and measures that appear.

    Args:
        variables: variables the result has.
        lines: measures of the page's tables, under the words they have there.
    """
    have = set(variables)
    terms = _dictionary()
    words = dict(METHODS)
    for name in VARIABLES:
        if name in have and (name, "variable") in terms:
            words[_SPELT.get(name, label(name))] = terms[name, "variable"]["meaning"] + "."
    for line in lines:
        if (line.measure, "measure") in terms:
            words.setdefault(line.words, terms[line.measure, "measure"]["meaning"] + ".")
    return list(words.items())


def provenance_table(manifest: Mapping[str, Any], scenarios: str) -> Table:
    """The number of scenarios and what they are worth, then the manifest, entry by entry."""
    rows = [Row("scenarios measured", (Cell(scenarios, "code"),))]
    if "precision" in manifest:
        rows.append(Row("precision", (Cell(precision_sentence(manifest["precision"]), "text"),)))
    rows += [Row(key, (Cell(value or "–", "code"),)) for key, value in flatten(manifest)]
    return Table("Provenance", (Column("Entry", number=False), Column("Value", number=False)), rows, full=True)
