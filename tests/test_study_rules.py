"""Rules between keys that the golden texts do not reach."""

from __future__ import annotations

import datetime as dt

import pytest
from hypothesis import given
from hypothesis import strategies as st

from simulator.errors import InputError
from simulator.study.amounts import Duration
from simulator.study.calendar import Calendar
from simulator.study.load import load_study
from simulator.study.matrices import smallest_eigenvalue
from simulator.study.rules_cover import n_periods
from simulator.study.schema import Study

BASE = {
    "study": {"title": "T", "as_of": "2026-10-30", "currency": "EUR"},
    "portfolio": {"buyers": "buyers.csv"},
    "programmes": [{"name": "A", "type": "none"}, {"name": "P", "type": "whole_turnover"}],
}
UNINSURED = [{"name": "A", "type": "none"}]


@pytest.fixture(autouse=True)
def _folder(tmp_path, monkeypatch):
    (tmp_path / "buyers.csv").write_text("buyer_id\n1\n")
    monkeypatch.chdir(tmp_path)


def said(**overrides):
    try:
        load_study(BASE, {key.replace("__", "."): value for key, value in overrides.items()})
    except InputError as error:
        return [problem.path for problem in error.problems]
    return []


def test_the_base_is_fine():
    assert said() == []


@pytest.mark.parametrize(
    ("overrides", "paths"),
    [
        ({"study__horizon": "1 day"}, ["study.horizon"]),
        ({"study__horizon": "53 weeks"}, []),
        ({"study__horizon": "12 months", "study__as_of": "2027-10-30"}, []),  # a leap year: 366 days
        ({"study__horizon": "372 days"}, ["study.horizon"]),
        ({"study__horizon": "3 years", "programmes[1].limits": "no"}, ["programmes[1].limits", "study.horizon"]),
        ({"programmes[1].limits": "unlimited"}, []),
        ({"programmes[1].limits": "buyers.csv"}, []),
        ({"programmes[1].limits": "limits.csv"}, ["programmes[1].limits"]),
        ({"study__horizon": "10 years", "programmes": UNINSURED}, []),
        ({"study__horizon": "3653 days", "programmes": UNINSURED}, []),
        ({"study__horizon": "3660 days", "programmes": UNINSURED}, ["study.horizon"]),
        ({"study__horizon": "3660 days"}, ["study.horizon"]),
        ({"study__horizon": "1 month", "study__period": "month"}, []),
        ({"study__horizon": "2 weeks", "study__period": "month"}, ["study.horizon"]),
        ({"study__as_of": "0001-01-01"}, ["study.as_of"]),
        ({"study__as_of": "9999-12-31"}, ["study.as_of"]),
        ({"credit__dependence__shares": {"global": 0.5, "country": 0.3, "sector": 0.2}}, []),
        ({"credit__recovery__sd": 0}, []),
        ({"credit__recovery": {"mean": 1, "sd": 0}}, []),
        ({"fx__correlation": {"USD": {"GBP": 1.0}}}, ["fx.correlation"]),
        ({"fx__correlation": {"USD": {"GBP": 0.9, "JPY": 0.9}}}, []),  # a pair is missing: it comes from elsewhere
        ({"fx__correlation": {"USD": {"GBP": 0.5}, "GBP": {"USD": 0.5}}}, []),
        ({"fx__rates": {"EUR": 1, "USD": 0.9}}, []),
        ({"fx__rates": {"EUR": 2}}, ["fx.rates.EUR"]),
        ({"fx__wrong_way": {"USD": 0.3, "EUR": 0.1}}, ["fx.wrong_way.EUR"]),
        ({"fx": {"model": "bootstrap", "history": "ecb", "wrong_way": {"USD": 0.1}}}, []),
        ({"fx": {"model": "bootstrap", "history": "ecb", "wrong_way": 0}}, []),
        ({"fx__history": "ecbb"}, ["fx.history"]),
        ({"credit__pd__table": "buyers.csv"}, []),
        ({"credit__pd": {"source": "column", "table": "nowhere.csv"}}, []),
        ({"payment__delay": {"model": "empirical", "values": [1, 2], "file": "buyers.csv"}}, ["payment.delay"]),
        ({"payment__delay": {"model": "empirical", "values": []}}, ["payment.delay.values"]),
        ({"payment__location": "11 years"}, ["payment.location"]),
        ({"payment__protracted_default__after": "90 days"}, []),
        ({"programmes[1].waiting_period": "6 months"}, []),
        ({"programmes[1].waiting_period": "25 weeks"}, ["programmes[1].waiting_period"]),
        ({"programmes[1].name": "a"}, ["programmes[1].name"]),
        ({"programmes[1].name": "a\nb"}, ["programmes[1].name"]),
        ({"programmes[1].maximum_liability": "30 x premium"}, ["programmes[1].maximum_liability"]),
        ({"programmes[1].maximum_liability": "3 M"}, []),
        ({"programmes[1].premium": {"instalments": 52}}, []),
        ({"stresses": {"Base": {}}}, ["stresses.Base"]),
        ({"stresses": {"s": {"state_shift": {"country:NA": 1, "sector:food & drink": 1, "steel": 1}}}}, []),
        ({"stresses": {"s": {"state_shift": {"region:EU": 1}}}}, ["stresses.s.state_shift.region:EU"]),
        ({"report__levels": []}, ["report.levels"]),
        ({"report__levels": [0.9, 0.9]}, ["report.levels[1]"]),
        ({"simulation__scenarios": "2 bn"}, ["simulation.scenarios"]),
        ({"portfolio": {"exposure": "constant", "buyers": "buyers.csv"}}, []),
        ({"portfolio__sales__seasonality": [0] * 12}, ["portfolio.sales.seasonality"]),
        ({"portfolio__sales__seasonality": [1] * 12}, []),
        ({"portfolio__buyers": ""}, ["portfolio.buyers"]),
    ],
)
def test_rules(overrides, paths):
    assert said(**overrides) == paths


def test_a_policy_lasts_a_year_and_the_message_says_what_to_do():
    with pytest.raises(InputError) as caught:
        load_study(BASE, {"study.horizon": "3 years"})
    text = caught.value.problems[0].message
    for words in (
        "at most 53 weeks",
        "one policy period",
        "give `period: 1 year` to P",
        "shorten the horizon",
        "type none",
    ):
        assert words in text


def test_rules_are_silent_about_what_is_malformed():
    """One mistake, one message: a bad share does not also break the rule about their sum."""
    assert said(credit__dependence__shares={"global": 9, "country": 0.9, "sector": 0.9}) == [
        "credit.dependence.shares.global"
    ]
    assert said(**{"programmes[1].waiting_period": "soon", "payment__protracted_default__after": "1 year"}) == [
        "programmes[1].waiting_period"
    ]


def test_form_and_rules_are_reported_together():
    found = said(study__currency="eur", report__levels=[0.99, 0.9], simulation__nothing=1)
    assert set(found) == {"study.currency", "report.levels[1]", "simulation.nothing"}


@given(
    st.dates(dt.date(1970, 1, 1), dt.date(2100, 12, 31)),
    st.integers(1, 3650),
    st.sampled_from(["week", "month"]),
)
def test_periods_are_counted_as_the_calendar_counts_them(as_of, days, period):
    content = {**BASE, "study": {"title": "T", "as_of": as_of, "currency": "EUR", "horizon": days, "period": period}}
    study = Study.model_validate(content)
    assert n_periods(study) == Calendar.of(study).n_periods
    assert study.study.horizon == Duration(days, "day")


def test_smallest_eigenvalue():
    # [[1, r], [r, 1]] has eigenvalues 1 - r and 1 + r
    assert smallest_eigenvalue(["a", "b"], {("a", "b"): 0.25}) == pytest.approx(0.75)
    # three names, all pairs -1/2: eigenvalues 1 + 2 r = 0 and twice 1 - r
    pairs = {("a", "b"): -0.5, ("a", "c"): -0.5, ("b", "c"): -0.5}
    assert smallest_eigenvalue(["a", "b", "c"], pairs) == pytest.approx(0.0, abs=1e-12)
