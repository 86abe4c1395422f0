"""Transfer events: a country blocks payments abroad for a time, and its own currency falls."""

from __future__ import annotations

from typing import NamedTuple

import numpy as np

from simulator.errors import Problems
from simulator.fx.countries import annual_probabilities
from simulator.fx.kernels import draw_events
from simulator.ledger.portfolio import Floats, Ints, Keys, Portfolio
from simulator.streams import entity_key, stream_key
from simulator.study.calendar import DAYS_PER_YEAR, Calendar
from simulator.study.schema import Study


class TransferPlan(NamedTuple):
    """Arrays of the transfer events; only countries that can have one are listed (possibly none).

    Attributes:
        country_entity: uint64[n_countries].
        probability: of an event within the horizon, float64[n_countries].
        driver: column of the country's driver in the common state, −1 for none, int32[n_countries].
        weight: √ of the variance share tied to that driver.
        duration: days payments stay blocked.
        devaluation: fall of the country's own currency, a fraction.
        currency_country: country whose own currency it is, −1 for none, int32[n_currencies].
        buyer_country: country of each buyer, −1 for none listed, int32[n_buyers].
    """

    country_entity: Keys
    probability: Floats
    driver: Ints
    weight: float
    duration: int
    devaluation: float
    currency_country: Ints
    buyer_country: Ints


def build_transfer(study: Study, portfolio: Portfolio, driver_names: list[str], calendar: Calendar) -> TransferPlan:
    """Prepare transfer events.

    A probability in ``transfer.annual_probability`` counts; else the table's, if one is named. The country of the
    study currency (the one it is named after: CNY, CN) has none unless given: it does not block its own payments.
    A currency belongs to the country its code begins with (BRL: BR); the euro and the CFA francs to none.

    Args:
        study: ``transfer`` is read.
        portfolio: countries and currencies.
        driver_names: names of the common state's columns; ``country:<code>`` is looked for.
        calendar: for the horizon.

    Raises:
        InputError: listing the buyers' countries that the table does not know.
    """
    transfer, buyers = study.transfer, portfolio.buyers
    problems = Problems()
    annual = annual_probabilities(study, portfolio, problems)
    problems.raise_if_any()
    listed = [country for country, probability in annual.items() if probability > 0]
    index = {country: m for m, country in enumerate(listed)}
    drivers = {name: j for j, name in enumerate(driver_names)}
    years = calendar.horizon_days / DAYS_PER_YEAR
    return TransferPlan(
        country_entity=np.array([entity_key(f"country:{country}") for country in listed], dtype=np.uint64),
        probability=np.array([1.0 - (1.0 - annual[country]) ** years for country in listed], dtype=np.float64),
        driver=np.array([drivers.get(f"country:{country}", -1) for country in listed], dtype=np.int32),
        weight=float(np.sqrt(transfer.systematic)),
        duration=transfer.duration.days_from(study.study.as_of),
        devaluation=transfer.devaluation,
        currency_country=np.array([index.get(code[:2], -1) for code in portfolio.currencies], dtype=np.int32),
        buyer_country=np.array([index.get(country, -1) for country in buyers.country], dtype=np.int32),
    )


def draw_transfers(
    plan: TransferPlan, seed: int, first_scenario: int, drivers: Floats, rates: Floats, horizon_days: int
) -> Ints:
    """Draw the events of a block of scenarios and let them devalue its rates.

    Args:
        plan: from :func:`build_transfer`.
        seed: the study's seed.
        first_scenario: first scenario, a multiple of 4.
        drivers: common state, float64[n_scenarios, n_drivers], n_scenarios a multiple of 4.
        rates: float64[n_scenarios, n_currencies, n_steps + 1]; changed in place from the event's weekly step on.
        horizon_days: last day of the scenarios.

    Returns:
        First blocked day, int32[n_scenarios, n_countries]; NEVER if there is no event.
    """
    start_day = np.empty((len(drivers), len(plan.country_entity)), dtype=np.int32)
    draw_events(
        stream_key(seed, "transfer"), first_scenario // 4, plan.country_entity, plan.probability, plan.driver,
        plan.weight, plan.devaluation, plan.currency_country, horizon_days, drivers, rates, start_day,
    )  # fmt: skip
    return start_day
