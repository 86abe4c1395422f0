"""The tidy summary of a result: every measure of every programme, with its error."""

from __future__ import annotations

import math
from collections.abc import Callable, Iterator
from typing import TYPE_CHECKING

import numpy as np

from simulator.measures.columns import Columns
from simulator.measures.cost_of_risk import TRADE_COSTS, reserve_in_cash
from simulator.measures.cover import NO_LEVEL, Row, insurance_rows
from simulator.measures.curves import first_shortfall_median
from simulator.measures.estimate import Z95, Estimate
from simulator.measures.estimates import conditional_mean, mean, probability, standard_deviation
from simulator.measures.precision import estimate_of, programme_of, relative_error, variable_of
from simulator.measures.sample import Sample
from simulator.measures.scripted import rows_of
from simulator.measures.tail import tail_value_at_risk, value_at_risk, value_at_risk_functional

if TYPE_CHECKING:
    import pandas as pd

    from simulator.results.result import Result

COLUMNS = (
    "stress", "measure", "programme", "level",
    "value", "standard_error", "ci_low", "ci_high", "effective_sample_size", "unit",
)  # fmt: skip
QUARTILES_OF_NORMAL = 1.3489795003921634


def summarise(result: Result) -> pd.DataFrame:
    """Measure a result and its stresses.

    Returns:
        One row per stress (blank for the study itself), measure, programme (blank for what does not depend on it)
        and level (NaN where the measure has none): value, standard_error, ci_low, ci_high, effective_sample_size and
        unit (the study currency, ``1``, ``day``, ``week`` or ``month``). Names are those of the dictionary, kind
        ``measure``. What needs cash is left out in constant-exposure mode, what needs many scenarios in a scripted one.
    """
    import pandas as pd

    records = list(_records("", result))
    for name, stress in result.stresses.items():
        records += _records(name, stress)
    return pd.DataFrame(records, columns=list(COLUMNS))


def _records(stress: str, result: Result) -> Iterator[tuple[object, ...]]:
    columns = Columns(result)
    levels = tuple(result.study.report.levels)
    for row in rows_of(result, scenario_rows(columns, levels)):
        yield record(result, stress, "", row)
    if not stress and result.study.script is None:
        yield from _precision(columns)
    for index, programme in enumerate(result.programmes):
        for row in rows_of(result, programme_rows(columns, index, levels)):
            yield record(result, stress, programme, row)


def _precision(columns: Columns) -> Iterator[tuple[object, ...]]:
    """What came of the precision asked for."""
    result = columns.result
    asked = result.study.simulation.precision
    if asked is None:
        return
    weight = result.scenarios["weight"].to_numpy()
    values = columns.values(variable_of(asked), programme_of(asked, result.study))
    reached = relative_error(estimate_of(asked, values, weight)[0])
    level, size = asked.at(), float(columns.n_scenarios)
    exact = Estimate(reached, math.nan, math.nan, math.nan, size, "1")
    yield record(result, "", asked.programme or "", ("precision_reached", NO_LEVEL if level is None else level, exact))
    yield record(result, "", "", ("scenarios_run", NO_LEVEL, Estimate(size, 0.0, size, size, size, "1")))


def record(result: Result, stress: str, programme: str, row: Row) -> tuple[object, ...]:
    """One row of the tidy table."""
    measure, level, found = row
    units = {"money": result.currency, "period": result.study.study.period}
    return (
        stress, measure, programme, level,
        found.value, found.standard_error, found.ci_low, found.ci_high, found.effective_sample_size,
        units.get(found.unit, found.unit),
    )  # fmt: skip


def scenario_rows(columns: Columns, levels: tuple[float, ...]) -> Iterator[Row]:
    """Measures that do not depend on the programme."""
    gross = columns.sample("gross_loss")
    yield "gross_loss_mean", NO_LEVEL, mean(gross).estimate()
    yield "gross_loss_sd", NO_LEVEL, standard_deviation(gross).estimate()
    yield from _tails("gross_loss", gross, levels)
    if columns.has("largest_loss"):
        largest = columns.sample("largest_loss")
        yield "largest_loss_mean", NO_LEVEL, mean(largest).estimate()
        yield from _by_level("largest_loss_value_at_risk", levels, lambda level: value_at_risk(largest, level))
    for name in ("n_defaults", "n_protracted"):
        if columns.has(name):
            yield f"{name}_mean", NO_LEVEL, mean(columns.sample(name)).estimate("1")
    for name in ("fx_loss", "delay_cost", "collected"):
        if columns.has(name):
            yield f"{name}_mean", NO_LEVEL, mean(columns.sample(name)).estimate()
    if columns.has("fx_loss"):
        fx = columns.sample("fx_loss")
        yield from _by_level("fx_loss_value_at_risk", levels, lambda level: value_at_risk(fx, level))
    yield from _dso(columns)


def _tails(name: str, sample: Sample, levels: tuple[float, ...]) -> Iterator[Row]:
    yield from _by_level(f"{name}_value_at_risk", levels, lambda level: value_at_risk(sample, level))
    yield from _by_level(
        f"{name}_tail_value_at_risk", levels, lambda level: tail_value_at_risk(sample, level).estimate()
    )


def _by_level(measure: str, levels: tuple[float, ...], at: Callable[[float], Estimate]) -> Iterator[Row]:
    for level in levels:
        yield measure, level, at(level)


def _dso(columns: Columns) -> Iterator[Row]:
    """Days sales outstanding when the horizon ends.

    Paths are kept as quantiles, so the standard deviation behind the error is read off the quartiles as if normal.
    """
    paths = columns.result.paths
    if "mean_dso" not in paths or "dso" not in paths:
        return
    value = float(paths["mean_dso"].isel(period=-1))
    ends = paths["dso"].isel(period=-1)
    quartiles = np.interp([0.25, 0.75], paths["quantile"].to_numpy(), ends.transpose("quantile").to_numpy())
    size = columns.derived(np.zeros(columns.n_scenarios)).kish
    error = float(quartiles[1] - quartiles[0]) / QUARTILES_OF_NORMAL / math.sqrt(size)
    reach = Z95 * error
    yield "dso_ending_mean", NO_LEVEL, Estimate(value, error, value - reach, value + reach, size, "day")


def programme_rows(columns: Columns, programme: int, levels: tuple[float, ...]) -> Iterator[Row]:
    """Measures of one programme."""
    retained = columns.sample("retained_loss", programme)
    yield "retained_loss_mean", NO_LEVEL, mean(retained).estimate()
    yield "retained_loss_sd", NO_LEVEL, standard_deviation(retained).estimate()
    yield from _tails("retained_loss", retained, levels)
    yield from insurance_rows(columns, programme)
    yield from _costs(columns, programme)
    if columns.reserve(programme) > 0.0:
        beyond = columns.event(retained.values > columns.reserve(programme))
        yield "reserve_ruin_probability", NO_LEVEL, probability(beyond)
    yield from _fund(columns, programme)
    if columns.has("minimum_headroom"):
        yield from _liquidity(columns, programme, levels)


def _costs(columns: Columns, programme: int) -> Iterator[Row]:
    yield "premium_mean", NO_LEVEL, mean(columns.sample("premium", programme)).estimate()
    yield "financing_cost_mean", NO_LEVEL, mean(columns.financing(programme)).estimate()
    for name in ("credit_loss", "lost_sales", *TRADE_COSTS):
        if columns.takes(name):
            yield f"{name}_mean", NO_LEVEL, mean(columns.sample(name, programme)).estimate()
    yield "capital_charge", NO_LEVEL, columns.capital_charge(programme).estimate()
    yield "reserve_cost", NO_LEVEL, columns.reserve_cost(programme).estimate()
    yield "cost_of_risk_mean", NO_LEVEL, columns.cost_of_risk(programme).estimate()


def _fund(columns: Columns, programme: int) -> Iterator[Row]:
    """What becomes of a reserve that is a fund apart."""
    if columns.result.study.programmes[programme].reserve_fund is None or not columns.has("minimum_fund"):
        return
    lowest = columns.sample("minimum_fund", programme)
    yield "fund_exhausted_probability", NO_LEVEL, probability(columns.event(lowest.values <= 0.0))
    yield "minimum_fund_mean", NO_LEVEL, mean(lowest).estimate()
    below = columns.sample("periods_below_reserve", programme)
    yield "periods_below_reserve_mean", NO_LEVEL, mean(below).estimate("1")


def _liquidity(columns: Columns, programme: int, levels: tuple[float, ...]) -> Iterator[Row]:
    short = columns.sample("shortfall_amount", programme)
    struck = short.values > 0.0
    yield "shortfall_probability", NO_LEVEL, probability(columns.event(struck))
    yield "shortfall_depth_mean", NO_LEVEL, conditional_mean(short, struck.astype(np.float64)).estimate()
    yield "shortfall_amount_mean", NO_LEVEL, mean(short).estimate()
    yield (
        "first_shortfall_median",
        NO_LEVEL,
        first_shortfall_median(columns.sample("first_shortfall_period", programme)),
    )
    yield from _by_level("liquidity_at_risk", levels, lambda level: value_at_risk(short, level))
    yield from _buffer(columns, programme, levels)
    for name in ("minimum_cash", "minimum_headroom", "ending_cash"):
        yield f"{name}_mean", NO_LEVEL, mean(columns.sample(name, programme)).estimate()
    drawn = columns.sample("ending_line", programme)
    ending = columns.derived(columns.sample("ending_cash", programme).values - drawn.values)
    lost = columns.derived(-ending.values)
    yield from _by_level(
        "cash_flow_at_risk",
        levels,
        lambda level: (mean(ending) + value_at_risk_functional(lost, level)).estimate(),
    )


def _buffer(columns: Columns, programme: int, levels: tuple[float, ...]) -> Iterator[Row]:
    """Cash to hold on the first day, a reserve in cash included, in money and in months of operating costs.

    It may be less than what is held: opening cash and reserve less the headroom that is left at the level. A reserve
    that is a fund apart is no cash.
    """
    liquidity = columns.result.study.liquidity
    held = liquidity.opening_cash + reserve_in_cash(columns.result.study, programme)
    needed = columns.derived(np.maximum(held - columns.values("minimum_headroom", programme), 0.0))
    yield from _by_level("required_buffer", levels, lambda level: value_at_risk(needed, level))
    if liquidity.operating_costs > 0.0:
        months = columns.derived(needed.values / liquidity.operating_costs)
        yield from _by_level("required_buffer_months", levels, lambda level: value_at_risk(months, level, "1"))
