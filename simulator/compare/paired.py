"""Paired differences to the baseline: every programme saw the same scenarios, so most of the noise cancels.

Method. Each measure is a functional with an influence number per scenario (:mod:`simulator.measures.estimate`); the
difference of two programmes has the difference of their influences, whatever their dependence, and its standard
error follows from that. Means, probabilities and tail values at risk need nothing else. A difference of two values
at risk (or of liquidity at risk) also needs the density at each quantile, which is read off the width of its
order-statistic interval.
"""

from __future__ import annotations

import math
from collections.abc import Iterator
from dataclasses import replace
from typing import TYPE_CHECKING

from simulator.measures.columns import Columns
from simulator.measures.estimate import Z95, Estimate, Functional
from simulator.measures.estimates import mean, wilson
from simulator.measures.summary import COLUMNS, NO_LEVEL, Row, record, summarise
from simulator.measures.tail import tail_value_at_risk, value_at_risk_functional

if TYPE_CHECKING:
    import pandas as pd

    from simulator.results.result import Result

BASELINE = 0
SUFFIX = "_difference"


def functionals(columns: Columns, programme: int) -> Iterator[tuple[str, float, Functional]]:
    """The measures of a programme that are compared, the parts of the cost of risk kept apart."""
    levels = tuple(columns.result.study.report.levels)
    retained = columns.sample("retained_loss", programme)
    yield "retained_loss_mean", NO_LEVEL, mean(retained)
    for level in levels:
        yield "retained_loss_value_at_risk", level, value_at_risk_functional(retained, level)
    for level in levels:
        yield "retained_loss_tail_value_at_risk", level, tail_value_at_risk(retained, level)
    yield "premium_mean", NO_LEVEL, mean(columns.sample("premium", programme))
    yield "financing_cost_mean", NO_LEVEL, mean(columns.financing(programme))
    yield "capital_charge", NO_LEVEL, columns.capital_charge(programme)
    yield "reserve_cost", NO_LEVEL, columns.reserve_cost(programme)
    yield "cost_of_risk_mean", NO_LEVEL, columns.cost_of_risk(programme)
    if columns.has("shortfall_amount"):
        short = columns.sample("shortfall_amount", programme)
        yield "shortfall_probability", NO_LEVEL, mean(columns.event(short.values > 0.0))
        yield "shortfall_amount_mean", NO_LEVEL, mean(short)
        for level in levels:
            yield "liquidity_at_risk", level, value_at_risk_functional(short, level)


def difference(columns: Columns, measure: str, programme: int, other: int, level: float = NO_LEVEL) -> Estimate:
    """One measure of a programme less that of another, on the same scenarios."""
    ours, theirs = (
        next(f for name, at, f in functionals(columns, k) if name == measure and _same(at, level))
        for k in (programme, other)
    )
    return _estimate(measure, ours - theirs)


def _same(one: float, other: float) -> bool:
    return one == other or (math.isnan(one) and math.isnan(other))


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
    pairs = zip(functionals(columns, programme), functionals(columns, BASELINE), strict=True)
    for (measure, level, ours), (_, _, theirs) in pairs:
        yield measure + SUFFIX, level, _estimate(measure, ours - theirs)


def differences(result: Result) -> pd.DataFrame:
    """Every programme less the baseline, for the study and its stresses; columns as in the summary."""
    import pandas as pd

    records: list[tuple[object, ...]] = []
    for stress, part in {"": result, **result.stresses}.items():
        columns = Columns(part)
        for index, programme in enumerate(part.programmes):
            if index != BASELINE:
                records += [record(part, stress, programme, row) for row in difference_rows(columns, index)]
    return pd.DataFrame(records, columns=list(COLUMNS))


def full_summary(result: Result) -> pd.DataFrame:
    """The tidy summary with the paired differences below it."""
    import pandas as pd

    tables = [table for table in (summarise(result), differences(result)) if len(table)]
    return pd.concat(tables, ignore_index=True)
