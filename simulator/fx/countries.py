"""Annual probabilities of transfer events by country: the study's own, or the shipped table's.

Nothing here needs compiled code, so ``simulator check`` can use it.
"""

from __future__ import annotations

import csv

from simulator.errors import Problem, Problems
from simulator.fx.dynamics import TABLES
from simulator.ledger.portfolio import Portfolio
from simulator.study.schema import Study


def annual_table() -> dict[str, float]:
    """Annual probability of a transfer event by country (ISO 3166): OECD class of 2026 and the class's frequency."""
    with (TABLES / "transfer_frequency.csv").open(encoding="utf-8", newline="") as stream:
        by_class = {row["class"]: float(row["annual_probability"]) for row in csv.DictReader(stream)}
    with (TABLES / "oecd_2026.csv").open(encoding="utf-8", newline="") as stream:
        return {row["country"]: by_class[row["class"]] for row in csv.DictReader(stream)}


def annual_probabilities(study: Study, portfolio: Portfolio, problems: Problems) -> dict[str, float]:
    """Annual probability of each of the buyers' countries that has one.

    Args:
        study: ``transfer`` is read.
        portfolio: countries of the buyers; the country of the study currency has none unless given.
        problems: where a country that the table does not know is added.
    """
    transfer, buyers = study.transfer, portfolio.buyers
    table = annual_table() if transfer.table == "oecd_2026" else None
    annual: dict[str, float] = {}
    for country in sorted(set(buyers.country) - {""}):
        if country in transfer.annual_probability:
            annual[country] = transfer.annual_probability[country]
        elif table is None or country == portfolio.currency[:2]:
            continue
        elif country in table:
            annual[country] = table[country]
        else:
            text = (
                f"country {country} has no class in the table {transfer.table}: give "
                f"transfer.annual_probability: {{{country}: <annual probability>}} (0 for none)"
            )
            problems.add(Problem(text, path=f"transfer.annual_probability.{country}"))
    return annual
