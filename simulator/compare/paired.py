"""Paired differences to the baseline: every programme saw the same scenarios, so most of the noise cancels.

Method. Each measure is a functional with an influence number per scenario (:mod:`simulator.measures.estimate`); the
difference of two programmes has the difference of their influences, whatever their dependence, and its standard
error follows from that. Means, probabilities and tail values at risk need nothing else. A difference of two values
at risk (or of liquidity at risk) also needs the density at each quantile, which is read off the width of its
order-statistic interval.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import replace
from typing import TYPE_CHECKING

from simulator.measures.columns import Columns
from simulator.measures.cost_of_risk import TRADE_COSTS
from simulator.measures.cover import NO_LEVEL, Row
from simulator.measures.estimate import Z95, Estimate, Functional
from simulator.measures.estimates import mean, wilson
from simulator.measures.scripted import rows_of
from simulator.measures.summary import COLUMNS, record, summarise
from simulator.measures.tail import tail_value_at_risk, value_at_risk_functional

if TYPE_CHECKING:
    import pandas as pd

    from simulator.results.result import Result

BASELINE = 0
SUFFIX = "_difference"


def measures(columns: Columns) -> list[tuple[str, float]]:
    """The measures that are compared, with their levels; the parts of the cost of risk kept apart."""
    levels = tuple(columns.result.study.report.levels)
    chosen = [("retained_loss_mean", NO_LEVEL)]
    chosen += [("retained_loss_value_at_risk", level) for level in levels]
    chosen += [("retained_loss_tail_value_at_risk", level) for level in levels]
    chosen += [
        (name, NO_LEVEL)
        for name in (
            "premium_mean",
            "financing_cost_mean",
            *(f"{cost}_mean" for cost in TRADE_COSTS if columns.takes(cost)),
            "capital_charge",
            "reserve_cost",
            "cost_of_risk_mean",
        )
    ]
    if columns.has("shortfall_amount"):
        chosen += [("shortfall_probability", NO_LEVEL), ("shortfall_amount_mean", NO_LEVEL)]
        chosen += [("liquidity_at_risk", level) for level in levels]
    return chosen


def functional(columns: Columns, measure: str, programme: int, level: float = NO_LEVEL) -> Functional:
    """One measure of one programme with its influence.

    Raises:
        KeyError: the measure is not one that is compared.
    """
    makers: dict[str, Callable[[], Functional]] = {
        "retained_loss_mean": lambda: mean(columns.sample("retained_loss", programme)),
        "retained_loss_value_at_risk": lambda: value_at_risk_functional(
            columns.sample("retained_loss", programme), level
        ),
        "retained_loss_tail_value_at_risk": lambda: tail_value_at_risk(
            columns.sample("retained_loss", programme), level
        ),
        "premium_mean": lambda: mean(columns.sample("premium", programme)),
        "financing_cost_mean": lambda: mean(columns.financing(programme)),
        "trade_cost_mean": lambda: mean(columns.sample("trade_cost", programme)),
        "lost_margin_mean": lambda: mean(columns.sample("lost_margin", programme)),
        "capital_charge": lambda: columns.capital_charge(programme),
        "reserve_cost": lambda: columns.reserve_cost(programme),
        "cost_of_risk_mean": lambda: columns.cost_of_risk(programme),
        "shortfall_probability": lambda: mean(columns.event(columns.values("shortfall_amount", programme) > 0.0)),
        "shortfall_amount_mean": lambda: mean(columns.sample("shortfall_amount", programme)),
        "liquidity_at_risk": lambda: value_at_risk_functional(columns.sample("shortfall_amount", programme), level),
    }
    return makers[measure]()


def difference(columns: Columns, measure: str, programme: int, other: int, level: float = NO_LEVEL) -> Estimate:
    """One measure of a programme less that of another, on the same scenarios."""
    ours, theirs = (functional(columns, measure, k, level) for k in (programme, other))
    return _estimate(measure, ours - theirs)


def _estimate(measure: str, change: Functional) -> Estimate:
    """The difference as an estimate; two probabilities that never differed in any scenario keep an honest error."""
    if measure != "shortfall_probability":
        return change.estimate()
    found = change.estimate("1")
    if change.influence.any():
        return found
    most = wilson(0.0, found.effective_sample_size)[1]
    return replace(found, standard_error=most / Z95, ci_low=-most, ci_high=most)


def difference_rows(columns: Columns, programme: int) -> Iterator[Row]:
    """Differences of one programme to the baseline."""
    for measure, level in measures(columns):
        yield measure + SUFFIX, level, difference(columns, measure, programme, BASELINE, level)


def differences(result: Result) -> pd.DataFrame:
    """Every programme less the baseline, for the study and its stresses; columns as in the summary."""
    import pandas as pd

    records: list[tuple[object, ...]] = []
    for stress, part in {"": result, **result.stresses}.items():
        columns = Columns(part)
        for index, programme in enumerate(part.programmes):
            if index != BASELINE:
                records += [
                    record(part, stress, programme, row) for row in rows_of(part, difference_rows(columns, index))
                ]
    return pd.DataFrame(records, columns=list(COLUMNS))


def full_summary(result: Result) -> pd.DataFrame:
    """The tidy summary with the paired differences below it."""
    import pandas as pd

    tables = [table for table in (summarise(result), differences(result)) if len(table)]
    return pd.concat(tables, ignore_index=True)
