"""Human amounts: what each form means, what is refused, and that what is written reads back."""

from __future__ import annotations

import datetime as dt

import pytest
from hypothesis import given
from hypothesis import strategies as st

from simulator.study import amounts
from simulator.study.amounts import Duration, Multiple
from simulator.study.resolve import _money, _percent

FINITE = st.floats(allow_nan=False, allow_infinity=False)
MONEY = st.floats(-1e15, 1e15, exclude_min=True, exclude_max=True)


@pytest.mark.parametrize(
    ("text", "value"),
    [
        ("250 k", 250_000), ("2.5 M", 2_500_000), ("2.5m", 2.5e6), ("1.2 bn", 1.2e9), ("3 mn", 3e6), ("-4 k", -4000),
        ("1 000 000", 1e6), ("1_000", 1000), (7, 7), (7.5, 7.5), ("1e3", 1000), ("+5", 5), (" 5 k ", 5000),
        ("1.5E+03", 1500), ("1e-6", 1e-6), ("-2.5e-1 k", -250),
    ],
)  # fmt: skip
def test_money(text, value):
    assert amounts.parse_money(text) == value


@pytest.mark.parametrize(
    "text",
    ["", "k", "5 %", "five", "1,000", "1.000,50", "250 kk", "€ 5", "5 EUR", True, None, "1 2", [1], "1e400", "٣x"],
)
def test_money_refused(text):
    with pytest.raises(ValueError, match=r"amount of money|finite"):
        amounts.parse_money(text)


@pytest.mark.parametrize("value", [1e15, -1e15, "1e15", "1000000 bn", 10**400, "1_000_000_000_000_000", 1.7e308])
def test_money_that_no_one_has_is_refused(value):
    for parse in (amounts.parse_money, amounts.parse_positive_money, amounts.parse_liability, amounts.parse_count):
        with pytest.raises(ValueError, match=r"at most 15 digits before the decimal point|must not be neg"):
            parse(value)


def test_the_largest_amount():
    assert amounts.parse_money("999999999999999.9") == 999999999999999.9


def test_money_below_zero_is_refused_where_it_must_not_be():
    with pytest.raises(ValueError, match="must not be negative"):
        amounts.parse_positive_money("-1")


@pytest.mark.parametrize(
    ("text", "value"),
    [("90 %", 0.9), ("0.9", 0.9), (1, 1.0), ("2.5‰", 0.0025), ("0%", 0), (0, 0), ("1e-6", 1e-6), ("5E-1 %", 0.005)],
)
def test_fraction(text, value):
    assert amounts.parse_fraction(text) == value


@pytest.mark.parametrize(
    ("text", "meant"),
    [
        (90, "did you mean 90 %"),
        ("90", "did you mean 90 %"),
        (2, "did you mean 2 %"),
        (1.5, None),  # 1.5 % or 150 %
        ("120 %", None),
        (-0.1, None),
    ],
)
def test_fraction_is_never_guessed(text, meant):
    with pytest.raises(ValueError, match="fraction from 0 to 1") as caught:
        amounts.parse_fraction(text)
    assert ("did you mean" in str(caught.value)) == (meant is not None)
    if meant:
        assert str(caught.value).endswith(meant)


def test_a_comma_could_mean_two_things():
    for text in ("0,9", "0,9 %", "1,000"):
        with pytest.raises(ValueError, match="commas"):
            amounts.parse_fraction(text)


@pytest.mark.parametrize(
    ("text", "length"),
    [
        ("180 days", Duration(180, "day")), ("1 day", Duration(1, "day")), (30, Duration(30, "day")),
        (30.0, Duration(30, "day")), ("26 Weeks", Duration(26, "week")), ("6months", Duration(6, "month")),
        ("1 year", Duration(1, "year")), ("0 days", Duration(0, "day")),
    ],
)  # fmt: skip
def test_length(text, length):
    assert amounts.parse_duration(text) == length


@pytest.mark.parametrize(
    "text", ["180d", "a month", "1.5 years", -3, "-3 days", "101 years", 10**12, True, "", "3 hours"]
)
def test_length_refused(text):
    with pytest.raises(ValueError, match=r"must|a length of time"):
        amounts.parse_duration(text)


def test_months_follow_the_calendar():
    assert Duration(1, "month").days_from(dt.date(2026, 1, 31)) == 28
    assert Duration(1, "year").days_from(dt.date(2028, 2, 29)) == 365
    assert Duration(12, "month").days_from(dt.date(2027, 6, 1)) == 366


@pytest.mark.parametrize(
    ("text", "days"), [("15 days", 15), ("-3 days", -3), ("- 2 weeks", -14), (-4, -4), ("+5", 5), (3.0, 3)]
)
def test_signed_days(text, days):
    assert amounts.parse_signed_days(text) == days


@pytest.mark.parametrize("text", ["", "soon", "--3 days", True, 1.5, "1.5 days"])
def test_signed_days_refused(text):
    with pytest.raises(ValueError, match="days"):
        amounts.parse_signed_days(text)


@pytest.mark.parametrize(
    ("text", "value"),
    [
        ("30 x premium", Multiple(30)),
        ("2.5 × premium", Multiple(2.5)),
        ("5 M", 5e6),
        (7, 7.0),
        ("40 x minimum premium", Multiple(40, "minimum premium")),
        ("9 x premium paid", Multiple(9, "premium paid")),
        ("9 x paid premium", Multiple(9, "premium paid")),
    ],
)
def test_liability(text, value):
    assert amounts.parse_liability(text) == value


@pytest.mark.parametrize("text", ["30 times premium", "30x", "30 x", "30 * premium", "30 premiums"])
def test_liability_suggests_the_multiple(text):
    with pytest.raises(ValueError, match="did you mean 30 x premium"):
        amounts.parse_liability(text)


@pytest.mark.parametrize(("text", "value"), [("100 k", 100_000), ("1.5 k", 1500), (12, 12), (12.0, 12)])
def test_count(text, value):
    assert amounts.parse_count(text) == value


@pytest.mark.parametrize("text", [1.5, "-1", "many", True, "1,000", "0.5 k "])
def test_count_refused(text):
    if text == "0.5 k ":
        assert amounts.parse_count(text) == 500
        return
    with pytest.raises(ValueError, match="a whole number"):
        amounts.parse_count(text)


@pytest.mark.parametrize("text", ["2026-10-30", dt.date(2026, 10, 30), dt.datetime(2026, 10, 30, 12)])
def test_date(text):
    assert amounts.parse_date(text) == dt.date(2026, 10, 30)


@pytest.mark.parametrize("text", ["30.10.2026", "2026-10-32", "20261030", "2026-W44-5", "", 20261030])
def test_date_refused(text):
    with pytest.raises(ValueError, match="YYYY-MM-DD"):
        amounts.parse_date(text)


@given(MONEY)
def test_written_money_reads_back_exactly(value):
    assert amounts.parse_money(_money(value)) == value


@given(st.integers(-(10**13), 10**13))
def test_whole_money_reads_back_exactly(value):
    assert amounts.parse_money(_money(float(value))) == value


@given(st.floats(0, 1))
def test_written_fractions_read_back_exactly(value):
    assert amounts.parse_fraction(_percent(value)) == value


@given(FINITE)
def test_written_shares_read_back_exactly(value):
    assert amounts.parse_share(_percent(value)) == value


@given(st.integers(0, 300), st.sampled_from(["day", "week"]))
def test_written_lengths_read_back(count, unit):
    assert amounts.parse_duration(str(Duration(count, unit))) == Duration(count, unit)


@given(st.text())
def test_no_text_is_more_than_refused(text):
    """Every parser answers any text with a value or a ValueError whose text says what is allowed."""
    for parse in (
        amounts.parse_money, amounts.parse_positive_money, amounts.parse_share, amounts.parse_fraction,
        amounts.parse_duration, amounts.parse_signed_days, amounts.parse_liability, amounts.parse_count,
        amounts.parse_date,
    ):  # fmt: skip
        try:
            parse(text)
        except ValueError as error:
            assert str(error)  # noqa: PT017


def test_money_is_written_short():
    assert [_money(v) for v in (250_000.0, 2.5e6, 1.2e9, 999.0, 1234.5, 123_456_789.0, 0.0)] == [
        "250 k", "2.5 M", "1.2 bn", 999, "1.2345 k", 123456789, 0,
    ]  # fmt: skip


def test_shares_are_written_in_percent():
    assert [_percent(v) for v in (0.9, 0.0018, 0.995, 1.0, 0.0, -0.1)] == [
        "90 %",
        "0.18 %",
        "99.5 %",
        "100 %",
        0,
        "-10 %",
    ]
