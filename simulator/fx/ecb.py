"""The ECB's euro reference rates, through the optional extra ``ecb`` (package currencyconverter, works offline)."""

from __future__ import annotations

import datetime as dt

import numpy as np

from simulator.errors import InputError, Problem
from simulator.ledger.portfolio import Floats

#: How far back rates are read.
_YEARS = 15


def read_ecb(codes: list[str], as_of: dt.date) -> tuple[list[dt.date], dict[str, Floats]]:
    """Worth of currencies in euro on each day up to ``as_of`` that the ECB published.

    Args:
        codes: ISO codes; those the ECB does not publish are left out of the answer.
        as_of: last day wanted.

    Returns:
        Dates, rising, and euro per unit by code, float64[n_dates] with NaN where there is no rate.

    Raises:
        InputError: the extra is not installed.
    """
    try:
        from currency_converter import CurrencyConverter, RateNotFoundError
    except ImportError as error:
        text = (
            "the ECB's rates come with the optional extra: install trade-credit-simulator[ecb], "
            "or name a CSV file of rates here"
        )
        raise InputError([Problem(text, path="fx.history", value="ecb")]) from error
    converter = CurrencyConverter()
    last = min(as_of, converter.bounds["USD"].last_date)
    first = max(dt.date(last.year - _YEARS, 1, 1), converter.bounds["USD"].first_date)
    days = [first + dt.timedelta(days=i) for i in range((last - first).days + 1)]
    dates = [day for day in days if day.weekday() < 5]
    worth: dict[str, Floats] = {"EUR": np.ones(len(dates))}
    for code in codes:
        if code == "EUR" or code not in converter.currencies:
            continue
        values = np.full(len(dates), np.nan)
        for i, day in enumerate(dates):
            try:
                values[i] = converter.convert(1, code, "EUR", date=day)
            except RateNotFoundError:
                continue  # a holiday, or before or after this currency was published
        worth[code] = values
    return dates, worth
