"""Limits by buyer and day: column, file, discretion, groups, scripts, and what is wrong with a file."""

import dataclasses
import datetime as dt

import numpy as np
import pytest

from simulator.errors import InputError
from simulator.policy.limits import ALWAYS, check_limits
from simulator.policy.plan import build_policies
from simulator.study.calendar import Calendar
from tests import small_books

BUYERS = ["007", "A", "B", "C"]
AS_OF = small_books.study().study.as_of


def day(number):
    return (AS_OF + dt.timedelta(days=number)).isoformat()


def limits_of(plan, p=0):
    """Limits as (from day, limit) by buyer."""
    found = []
    for b in range(len(BUYERS)):
        at = slice(*plan.cover["segments"][p, b])
        found.append(list(zip(plan.segment["from_day"][at], plan.segment["limit"][at], strict=True)))
    return found


def build(*programmes, folder, column=(50_000.0, 0.0, np.nan, np.inf), scripted=(), **columns):
    asked = small_books.study(
        programmes=[{"name": f"P{i}", "type": "whole_turnover", **p} for i, p in enumerate(programmes)],
        fx={"rates": {"GBP": 2.0}},
    )
    book = small_books.portfolio(BUYERS, credit_limit=column)
    portfolio = dataclasses.replace(book, buyers=dataclasses.replace(book.buyers, **columns), currencies=["EUR", "USD"])
    return build_policies(asked, portfolio, Calendar.of(asked), np.array([1.0, 0.5]), folder, scripted)


def test_blank_zero_and_infinite(tmp_path):
    plan = build({}, {"discretionary_limit": "20 k"}, {"limits": "unlimited"}, {"blind_limit": 5}, folder=tmp_path)
    assert plan.segment["limit"].reshape(4, 4).tolist() == [
        [50_000, 0, 0, np.inf],
        [50_000, 0, 20_000, np.inf],
        [np.inf] * 4,
        [50_000, 0, 5, np.inf],
    ]
    assert plan.segment["named"].reshape(4, 4)[[0, 2]].tolist() == [[True, True, False, True], [False] * 4]
    assert plan.segment["changes"].tolist() == plan.segment["named"].tolist()
    assert plan.cover["insurable"].astype(int).tolist() == [[1, 0, 0, 1], [1, 0, 1, 1], [1, 1, 1, 1], [1, 0, 1, 1]]


def test_the_column_in_other_currencies(tmp_path):
    """USD 50,000 at 0.50 are EUR 25,000 and USD 50,000 in a policy in dollars; a blank currency is the study's."""
    plan = build({}, {"currency": "USD"}, folder=tmp_path, column=[5e4, 5e4, 1, 1], limit_currency=["USD", "", "", ""])
    assert plan.segment["limit"].reshape(2, 4)[:, :2].tolist() == [[25_000, 50_000], [50_000, 100_000]]
    assert plan.segment["currency"].reshape(2, 4)[:, :2].tolist() == [[1, -1], [1, -1]]
    assert plan.segment["rate_of_day_0"].reshape(2, 4)[:, :2].tolist() == [[0.5, 1], [1, 2]]


def test_a_file_of_limits(tmp_path):
    (tmp_path / "limits.csv").write_text(
        "buyer_id,limit,from,to,currency,insured_percentage,cancellable\n"
        + f"A,100 k,{day(-50)},{day(41)},,,\n"
        + f"A,40000,{day(60)},,GBP,80 %,no\n"
        + f"007,unlimited,,{day(10)},,,\n"
        + "B,0,,,,,\n",
        encoding="utf-8",
    )
    plan = build({"limits": "limits.csv", "discretionary_limit": 7}, folder=tmp_path)
    assert limits_of(plan) == [
        [(ALWAYS, np.inf), (11, 0)],
        [(-50, 100_000), (42, 0), (60, 80_000)],
        [(ALWAYS, 0)],
        [(ALWAYS, 7)],
    ]
    of_a = slice(*plan.cover["segments"][0, 1])
    assert plan.segment["highest"][of_a].tolist() == [100_000, 100_000, 100_000]
    np.testing.assert_array_equal(plan.segment["percentage"][of_a], [np.nan, np.nan, 0.8])
    assert plan.segment["changes"][of_a].tolist() == [True, True, False]
    # there is no rate of the pound in the scenarios: its limit keeps its worth of day 0
    assert plan.segment["currency"][of_a].tolist() == [-1, -1, -1]
    assert plan.cover["insurable"][0].tolist() == [True, True, False, True]


def test_a_later_line_replaces_an_earlier_one(tmp_path):
    lines = f"buyer_id;limit;from;to\nA;1;;{day(90)}\nA;2;{day(50)};{day(59)}\nA;3;{day(60)};\n"
    (tmp_path / "limits.csv").write_text(lines, encoding="utf-8")
    assert limits_of(build({"limits": "limits.csv"}, folder=tmp_path))[1] == [(ALWAYS, 1), (50, 2), (60, 3)]


def test_every_mistake_in_a_file_is_told_at_its_place(tmp_path):
    (tmp_path / "limits.csv").write_text(
        "buyer_id,limit,form,to,currency,insured_percentage,cancellable\n"
        "A,many,,,,,\n"
        "Z,5,,31.12.2026,EURO5,90,perhaps\n"
        "A,,,,,,\n"
        "B,5,,,CHF,,\n"
        "C,5,,,,,\n"
        "C,6,,,,,\n",
        encoding="utf-8",
    )
    with pytest.raises(InputError) as caught:
        build({"limits": "limits.csv"}, folder=tmp_path)
    text = str(caught.value)
    for said in (
        "limits.csv:1", "did you mean from", "limits.csv:2:3", "an amount of money", "no buyer has this buyer_id",
        "a date written YYYY-MM-DD", "not an ISO 4217 currency code", "did you mean 90 %", "yes or no",
        "limits.csv:4", "a limit is missing", "give fx.rates.CHF", "has a limit of this buyer from the same day",
    ):  # fmt: skip
        assert said in text, said
    assert len(caught.value.problems) == 10
    (tmp_path / "limits.csv").write_text("buyer_id,amount\nA,5\n", encoding="utf-8")
    with pytest.raises(InputError, match="limit is missing"):
        build({"limits": "limits.csv"}, folder=tmp_path)


def test_a_file_is_checked_once_for_all_programmes_that_name_it(tmp_path):
    (tmp_path / "limits.csv").write_text("buyer_id,limit\nA,many\n", encoding="utf-8")
    policy = {"type": "whole_turnover", "limits": "limits.csv"}
    asked = small_books.study(programmes=[{"name": "P", **policy}, {"name": "Q", **policy}])
    portfolio = small_books.portfolio(BUYERS)
    with pytest.raises(InputError) as caught:
        check_limits(asked, portfolio, Calendar.of(asked), np.ones(1), tmp_path)
    assert len(caught.value.problems) == 1


def test_a_group_shares_the_largest_limit_of_each_day(tmp_path):
    (tmp_path / "limits.csv").write_text(
        f"buyer_id,limit,from,to\nA,10,,{day(50)}\nB,4,,\nB,20,{day(30)},{day(40)}\nC,9,,\n", encoding="utf-8"
    )
    policy = {"limits": "limits.csv", "shared_limits": True}
    plan = build(policy, folder=tmp_path, group_id=["", "G", "G", ""])
    shared = [(ALWAYS, 10), (30, 20), (41, 10), (51, 0)]
    assert limits_of(plan) == [[(ALWAYS, 0)], shared, shared, [(ALWAYS, 9)]]


def test_limits_that_a_script_changes(tmp_path):
    scripted = [(None, 0, 40, 10_000.0), (0, 0, 70, 0.0), (1, 3, 5, 9.0)]
    plan = build({}, {}, folder=tmp_path, scripted=scripted)
    assert limits_of(plan)[0] == [(ALWAYS, 50_000), (40, 10_000), (70, 0)]
    assert limits_of(plan, 1)[0] == [(ALWAYS, 50_000), (40, 10_000)]
    assert limits_of(plan)[3] == [(ALWAYS, np.inf)]
    assert limits_of(plan, 1)[3] == [(ALWAYS, np.inf), (5, 9)]


def test_a_scripted_limit_is_a_named_one_with_the_percentage_of_named_limits(tmp_path):
    """B has a discretionary limit at 60 % (50 % in its country, where named limits have 70 %) until the script names
    one; A has a named one of the file at 80 % from day 20 on, which the script reduces."""
    (tmp_path / "limits.csv").write_text(
        f"buyer_id,limit,from,insured_percentage\n007,9,,\nA,100,,\nA,90,{day(20)},80 %\nA,80,{day(200)},\n",
        encoding="utf-8",
    )
    policy = {
        "limits": "limits.csv", "discretionary_limit": 7, "discretionary_percentage": "60 %",
        "countries": {"FR": {"insured_percentage": "70 %"}, "IT": {"insured_percentage": "50 %"}},
    }  # fmt: skip
    scripted = [(None, b, 40, 50.0) for b in range(4)] + [(None, 2, 60, 30.0)]
    plan = build(policy, folder=tmp_path, scripted=scripted, country=["", "", "FR", "IT"])

    def shares(b):
        """Percentage by limit: the limit's own, or the buyer's for an insolvency."""
        own = plan.segment["percentage"][slice(*plan.cover["segments"][0, b])]
        return np.where(np.isnan(own), plan.cover["percentage"][0, b, 0], own).tolist()

    assert [shares(b) for b in range(4)] == [[0.9, 0.9], [0.9, 0.8, 0.8, 0.9], [0.6, 0.7, 0.7], [0.5, 0.5]]
    untold = build(policy, folder=tmp_path, country=["", "", "FR", "IT"])
    assert untold.cover["percentage"][0, :, 0].tolist() == [0.9, 0.9, 0.6, 0.5]
    assert plan.segment["named"][slice(*plan.cover["segments"][0, 2])].tolist() == [False, True, True]
