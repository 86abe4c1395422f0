"""Numbers get the digits their error deserves."""

import math

import pytest

from simulator.measures.digits import decimals, format_estimate, format_value, is_percentage
from simulator.measures.estimate import Estimate


def text(*args, **kwargs):
    return format_value(*args, **kwargs).replace("\N{NO-BREAK SPACE}", " ")


@pytest.mark.parametrize(
    ("error", "places"),
    [(0.012, 3), (0.03, 2), (140, -1), (0.096, 2), (1.0, 1), (1.94, 1), (1.96, 0), (9.6, 0), (0.5, 1), (4000, -3)],
)
def test_decimals(error, places):
    assert decimals(error) == places


@pytest.mark.parametrize(
    ("value", "error", "shown"),
    [
        (1_234_321, 12_345, "1.234 ± 0.012 M"),
        (1_234_321, 43_210, "1.23 ± 0.04 M"),
        (-265_123, 5_490, "−265 ± 5 k"),
        (2_500_000_000, 30_000_000, "2.50 ± 0.03 bn"),
        (149_296_422, 32_163, "149.30 ± 0.03 M"),
        (-2_473, 1_931, "−2,500 ± 1,900"),
        (3_600, 33_000, "0 ± 30 k"),
        (836_500, 298_000, "800 ± 300 k"),
        (9_999_999, 40_000, "10.00 ± 0.04 M"),
        (0.0, 0.0, "0"),
        (236_900, 0.0, "236.9 k"),
        (123_456_789, 0.0, "123.5 M"),
        (362.31, 18.5, "362 ± 18"),
        (5.0, math.nan, "5"),
        (math.nan, 1.0, "–"),
        (math.inf, 1.0, "–"),
        (-0.4, 3.0, "0 ± 3"),
        (21_061.0, 1e-12, "21.06 k"),
        (3e-11, 1e-11, "0"),
        (-1e-9, 0.0, "0"),
    ],
)
def test_money(value, error, shown):
    assert text(value, error) == shown


def test_units():
    assert text(0.0561, 0.0036, "1", percent=True) == "5.6 ± 0.4 %"
    assert text(-0.0193, 0.0022, "1", percent=True, signed=True) == "−1.9 ± 0.2 pp"
    assert text(4.19375, 0.0614, "1") == "4.19 ± 0.06"
    assert text(36.0, 1.45, "week") == "week 36 ± 1"
    assert text(60.81, 0.047, "day") == "60.81 ± 0.05 days"
    assert text(1.0e6, 2.0e4, currency="EUR") == "1.00 ± 0.02 M EUR"
    assert text(500.0, 20.0, currency="EUR") == "500 ± 20 EUR"
    assert text(12_000.0, 700.0, signed=True) == "+12.0 ± 0.7 k"


def test_estimate():
    found = Estimate(1.2e6, 3e4, 1.1e6, 1.3e6, 100.0)
    assert format_estimate(found, currency="CNY").replace("\N{NO-BREAK SPACE}", " ") == "1.20 ± 0.03 M CNY"
    assert format_estimate(found, unit=False, currency="CNY").replace("\N{NO-BREAK SPACE}", " ") == "1.20 ± 0.03 M"


def test_only_shares_are_percentages():
    assert is_percentage("shortfall_probability")
    assert is_percentage("shortfall_probability_difference")
    assert is_percentage("loss_ratio")
    assert not is_percentage("n_defaults_mean")
