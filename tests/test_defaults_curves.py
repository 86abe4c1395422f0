"""PD tables and curves: the shipped table, interpolation in time, files of the user, mistakes."""

import csv
import math
import subprocess
import sys
from collections import defaultdict
from pathlib import Path

import numpy as np
import pytest
from scipy.special import ndtr, ndtri, stdtr

from simulator.defaults.curve_files import CERTAIN_HAZARD, TABLE_FOLDER, cumulative_hazard, rating_curves
from simulator.defaults.curves import check_ratings, known_ratings
from simulator.defaults.plan import build_defaults
from simulator.errors import InputError, Problems
from simulator.study.calendar import Calendar
from tests.small_books import portfolio, study

#: S&P global corporates 1981–2024, per cent, years 1, 2, 3, 5.
PUBLISHED = {
    "AAA": (0.00, 0.03, 0.13, 0.34),
    "AA": (0.02, 0.05, 0.11, 0.28),
    "A": (0.05, 0.11, 0.19, 0.39),
    "BBB": (0.14, 0.38, 0.67, 1.36),
    "BB": (0.56, 1.76, 3.12, 5.75),
    "B": (2.93, 6.93, 10.46, 15.60),
    "CCC/C": (26.12, 35.92, 41.32, 46.53),
}
SCALE = [
    "AAA", "AA+", "AA", "AA-", "A+", "A", "A-", "BBB+", "BBB", "BBB-", "BB+", "BB", "BB-", "B+", "B", "B-",
    "CCC+", "CCC/C",
]  # fmt: skip


def plan_of(pd, book, horizon="365 days", multiplier=1.0, folder=Path(), **credit):
    asked = study({"pd": pd, **credit}, horizon=horizon)
    return build_defaults(asked, book, Calendar.of(asked), multiplier, folder)


def cumulative(plan, buyer=0):
    """Cumulative PD by day, from day 1."""
    return ndtr(plan.threshold[plan.curve[buyer]])


def problems_of(pd, book, folder=Path()):
    with pytest.raises(InputError) as excinfo:
        plan_of(pd, book, folder=folder)
    return excinfo.value.problems


def shipped():
    table = defaultdict(dict)
    with (TABLE_FOLDER / "sp_1981_2024.csv").open() as lines:
        for row in csv.DictReader(lines):
            table[row["rating"]][int(row["year"])] = (float(row["cumulative_pd"]), row["basis"])
    return table


def test_shipped_table_holds_the_published_values():
    table = shipped()
    for rating, values in PUBLISHED.items():
        assert [table[rating][year] for year in (1, 2, 3, 5)] == [
            (pytest.approx(value / 100, abs=1e-12), "published") for value in values
        ]
    for rating in ("CCC", "CCC-", "CC", "C"):
        assert [value for value, _ in table[rating].values()] == [value for value, _ in table["CCC/C"].values()]
        assert {basis for _, basis in table[rating].values()} == {"category CCC/C"}


def test_shipped_notches_are_log_interpolated_on_the_notch_scale():
    """A published 0.00 % counts as 0.005 % (half its last digit) for its neighbour, and stays 0 for itself."""
    table = shipped()
    anchors = [i for i, rating in enumerate(SCALE) if rating in PUBLISHED]
    for i, rating in enumerate(SCALE):
        if rating in PUBLISHED:
            continue
        low = max(a for a in anchors if a < i)
        high = min(a for a in anchors if a > i)
        for k, year in enumerate((1, 2, 3, 5)):
            ends = [math.log(max(PUBLISHED[SCALE[a]][k], 0.005) / 100) for a in (low, high)]
            expected = math.exp(ends[0] + (i - low) / (high - low) * (ends[1] - ends[0]))
            assert table[rating][year] == (pytest.approx(expected, abs=5.1e-7), "interpolated")


def test_one_year_pd_rises_from_grade_to_grade():
    table = shipped()
    one_year = [table[rating][1][0] for rating in SCALE]
    assert one_year == sorted(one_year)
    assert len(set(one_year)) == len(one_year)


@pytest.mark.parametrize("rating", ["AAA", "BBB", "BB-", "B", "CCC/C", "CCC"])
def test_table_values_are_met_on_their_day(rating):
    plan = plan_of({"source": "rating"}, portfolio(["A"], rating=[rating]), horizon="5 years")
    pd = cumulative(plan)
    table = shipped()[rating]
    for year, (value, _) in table.items():
        assert pd[365 * year - 1] == pytest.approx(value, rel=1e-9)


def test_survival_is_log_linear_between_knots_and_beyond_the_last():
    plan = plan_of({"source": "rating"}, portfolio(["A"], rating=["B"]), horizon="3000 days")
    log_survival = np.log1p(-cumulative(plan))
    step = np.diff(log_survival)
    for first, last in ((0, 363), (365, 728), (730, 1093), (1095, 2990)):
        assert step[first:last] == pytest.approx(step[first], rel=1e-7)
    assert log_survival[182] == pytest.approx(math.log1p(-0.0293) * 183 / 365, rel=1e-9)
    year_four = (math.log1p(-0.1046) + math.log1p(-0.1560)) / 2
    assert log_survival[4 * 365 - 1] == pytest.approx(year_four, rel=1e-9)
    slope = (math.log1p(-0.1560) - math.log1p(-0.1046)) / 2
    assert log_survival[7 * 365 - 1] == pytest.approx(math.log1p(-0.1560) + 2 * slope, rel=1e-9)


def test_aaa_cannot_fail_in_its_first_year():
    plan = plan_of({"source": "rating"}, portfolio(["A"], rating=["AAA"]), horizon="2 years")
    assert np.all(plan.threshold[0, :365] == -np.inf)
    assert np.all(np.isfinite(plan.threshold[0, 365:]))


def test_ratings_match_by_case_and_surrounding_blanks_only():
    book = portfolio([*"ABCD"], rating=["bbb+", " BBB+ ", "BBB+", "ccc/c"])
    plan = plan_of({"source": "rating"}, book)
    assert len(set(plan.curve[:3])) == 1
    assert plan.threshold.shape == (2, 365)


def test_unknown_and_blank_ratings_are_all_reported():
    book = portfolio([*"ABCDEF"], rating=["BBB", "BBB*", "", "", "", ""])
    blank, unknown = problems_of({"source": "rating"}, book)
    assert (blank.path, blank.value) == ("rating", None)
    assert "blank for buyer 'C', 'D', 'E' and 1 more" in blank.message
    assert "known in sp_1981_2024: AAA, AA+, AA" in blank.message
    assert (unknown.value, unknown.suggestion) == ("BBB*", "BBB")
    assert "'B'" in unknown.message


def test_ratings_can_be_checked_without_a_calendar(tmp_path):
    check_ratings(study(), portfolio(["A"], rating=["B-"]))
    with pytest.raises(InputError, match="unknown rating of buyer 'A'"):
        check_ratings(study(), portfolio(["A"], rating=["B--"]))
    with pytest.raises(InputError, match="blank for buyer 'A'"):
        check_ratings(study({"pd": {"source": "column"}}), portfolio(["A"]))
    with pytest.raises(InputError, match="no such file"):
        check_ratings(study({"pd": {"source": "curve", "file": "c.csv"}}), portfolio(["A"]), tmp_path)


def test_checking_ratings_compiles_nothing():
    code = "import sys, simulator.defaults.curves; sys.exit('numba' in sys.modules or 'scipy' in sys.modules)"
    assert subprocess.run([sys.executable, "-c", code], check=False).returncode == 0


def test_known_ratings(tmp_path):
    known = known_ratings(study())
    assert set(SCALE) < known
    assert {"CCC", "CCC-", "CC", "C"} < known
    assert known_ratings(study({"pd": {"source": "column"}})) == set()
    (tmp_path / "c.csv").write_text("grade,month,cumulative_pd\n1,12,0.01\n2,12,2 %\n")
    assert known_ratings(study({"pd": {"source": "curve", "file": "c.csv"}}), tmp_path) == {"1", "2"}
    (tmp_path / "b.csv").write_text("buyer_id,month,cumulative_pd\nX,12,0.01\n")
    assert known_ratings(study({"pd": {"source": "curve", "file": "b.csv"}}), tmp_path) == set()


def test_column_means_a_constant_hazard():
    book = portfolio([*"ABCDE"], pd_annual=[0.02, 0.0, 0.02, 1.0, 0.3])
    plan = plan_of({"source": "column"}, book, horizon="730 days")
    assert plan.threshold.shape == (4, 730)
    assert plan.curve[0] == plan.curve[2]
    assert cumulative(plan, 0)[364] == pytest.approx(0.02, rel=1e-9)
    assert cumulative(plan, 0)[729] == pytest.approx(1 - 0.98**2, rel=1e-9)
    assert cumulative(plan, 4)[72] == pytest.approx(1 - 0.7**0.2, rel=1e-9)
    assert np.all(plan.threshold[plan.curve[1]] == -np.inf)
    assert plan.threshold[plan.curve[3], 364] == np.inf
    assert np.all(np.diff(plan.threshold[[plan.curve[0], plan.curve[4]]], axis=1) >= 0)


def test_a_blank_or_impossible_pd_is_reported():
    book = portfolio([*"ABC"], pd_annual=[0.1, np.nan, 1.5])
    blank, outside = problems_of({"source": "column"}, book)
    assert blank.message.startswith("blank for buyer 'B'")
    assert outside.message.endswith("it does not for buyer 'C'")
    assert outside.path == "pd_annual"


def test_multipliers_scale_the_hazard():
    book = portfolio(["A"], pd_annual=[0.02])
    plan = plan_of({"source": "column", "multiplier": 2.0}, book, multiplier=1.5)
    assert cumulative(plan)[364] == pytest.approx(1 - 0.98**3, rel=1e-9)
    safe = plan_of({"source": "column"}, portfolio(["A"], pd_annual=[0.0]), multiplier=1000.0)
    assert np.all(safe.threshold == -np.inf)


def test_student_t_thresholds():
    credit = {"dependence": {"copula": "student_t", "degrees_of_freedom": 4.0}}
    plan = plan_of({"source": "column"}, portfolio(["A"], pd_annual=[0.0293]), **credit)
    assert stdtr(4.0, plan.threshold[0, 364]) == pytest.approx(0.0293, rel=1e-9)


def test_hazard_of_a_pd():
    assert cumulative_hazard(np.array([0.0, 0.0293, 1.0])) == pytest.approx([0.0, 0.0297378, CERTAIN_HAZARD], abs=1e-7)
    assert -np.expm1(-CERTAIN_HAZARD) == 1.0


def test_user_table_relative_to_the_study_folder(tmp_path):
    (tmp_path / "own.csv").write_text("﻿rating;year;cumulative_pd;remark\nGood;0.5;1 %;x\nGood;1;0.03;\n\nBad;1;1;\n")
    plan = plan_of(
        {"source": "rating", "table": "own.csv"}, portfolio(["A", "B"], rating=["good", "Bad"]), folder=tmp_path
    )
    pd = cumulative(plan, 0)
    assert pd[181] == pytest.approx(1 - 0.99 ** (182 / 182.5), rel=1e-9)
    assert pd[364] == pytest.approx(0.03, rel=1e-9)
    assert cumulative(plan, 1)[364] == 1.0


def test_curves_by_grade_and_by_buyer(tmp_path):
    (tmp_path / "grade.csv").write_text("grade,month,cumulative_pd\nx,6,0.01\nx,12,0.05\ny,12,0.2\n")
    (tmp_path / "buyer.csv").write_text("buyer_id,month,cumulative_pd\n007,12,0.3\n7,12,0.4\n9,12,0.9\n")
    graded = portfolio(["A", "B"], rating=["X", "y"])
    by_grade = plan_of({"source": "curve", "file": "grade.csv"}, graded, folder=tmp_path)
    assert cumulative(by_grade, 0)[364] == pytest.approx(0.05, rel=1e-9)
    assert cumulative(by_grade, 0)[182] == pytest.approx(1 - 0.99 * (0.95 / 0.99) ** (0.5 / 182.5), rel=1e-9)
    assert cumulative(by_grade, 1)[364] == pytest.approx(0.2, rel=1e-9)
    by_buyer = plan_of({"source": "curve", "file": "buyer.csv"}, portfolio(["7", "007"]), folder=tmp_path)
    assert cumulative(by_buyer, 0)[364] == pytest.approx(0.4, rel=1e-9)
    assert cumulative(by_buyer, 1)[364] == pytest.approx(0.3, rel=1e-9)
    assert by_buyer.threshold.shape[0] == 2
    (missing,) = problems_of({"source": "curve", "file": "buyer.csv"}, portfolio(["7", "0007"]), tmp_path)
    assert (missing.path, missing.value, missing.suggestion) == ("buyer_id", "0007", "007")
    assert missing.message == "buyer.csv has no curve for buyer '0007'; it needs one for every buyer_id"
    (unknown,) = problems_of({"source": "curve", "file": "grade.csv"}, portfolio(["A"], rating=["z"]), tmp_path)
    assert "known in grade.csv: x, y" in unknown.message


def test_every_mistake_in_a_curve_file_has_its_place(tmp_path):
    text = "grade,month,cumulative_pd\nx,12,0.05\nx,24,0.04\nx,12,0.05\ny,0,0.1\ny,soon,90\n,12,0.1\ny,12\ny,36, nan\n"
    (tmp_path / "c.csv").write_text(text)
    found = problems_of({"source": "curve", "file": "c.csv"}, portfolio(["A"], rating=["x"]), tmp_path)
    places = [(p.line, p.column, p.path, p.value) for p in found]
    assert places == [
        (3, 6, "cumulative_pd", "0.04"),
        (4, 6, "cumulative_pd", "0.05"),
        (5, 3, "month", "0"),
        (6, 3, "month", "soon"),
        (6, 8, "cumulative_pd", "90"),
        (7, 1, "grade", None),
        (8, 3, "", "12"),
        (9, 7, "cumulative_pd", "nan"),
    ]
    assert {p.file for p in found} == {"c.csv"}
    assert "cannot fall: 'x' had 0.05 before" in found[0].message
    assert "stands twice for 'x'" in found[1].message
    assert "90 %" in found[4].message
    assert found[0].source == "x,24,0.04"


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("", "is empty"),
        ("grade,month,cumulative_pd\n", "has no rows below its header"),
        ("grade,months,pd\nx,12,0.1\n", "needs the columns month, cumulative_pd; it has grade, months, pd"),
        ("rating,month,cumulative_pd\nx,1,0.1\n", "needs the columns buyer_id or grade"),
        ("buyer_id,grade,month,cumulative_pd\n1,x,12,0.1\n", "needs one of the columns buyer_id and grade, not both"),
    ],
)
def test_files_that_are_no_curve_files(tmp_path, text, message):
    (tmp_path / "c.csv").write_text(text)
    (found,) = problems_of({"source": "curve", "file": "c.csv"}, portfolio(["A"], rating=["x"]), tmp_path)
    assert found.file == "c.csv"
    assert found.message.startswith(message)


def test_files_that_cannot_be_read(tmp_path):
    (tmp_path / "c.csv").write_bytes(b"grade,month,cumulative_pd\n\xff\xfe,1,0.1\n")
    (found,) = problems_of({"source": "curve", "file": "c.csv"}, portfolio(["A"]), tmp_path)
    assert found.message == "cannot be read: it is not UTF-8 text"
    (missing,) = problems_of({"source": "curve", "file": "none.csv"}, portfolio(["A"]), tmp_path)
    assert (missing.path, missing.value, missing.message) == ("credit.pd.file", "none.csv", "no such file")
    (unnamed,) = problems_of({"source": "curve"}, portfolio(["A"]), tmp_path)
    assert unnamed.message.startswith("give a curve file")
    (table,) = problems_of({"source": "rating", "table": "sp_1981_2042"}, portfolio(["A"]), tmp_path)
    assert (table.path, table.suggestion) == ("credit.pd.table", "sp_1981_2024")
    with pytest.raises(InputError):
        known_ratings(study({"pd": {"table": "sp"}}))


def test_reading_a_table_keeps_other_problems():
    problems = Problems()
    assert rating_curves("nowhere.csv", Path(), problems) == {}
    assert len(problems) == 1


def test_thresholds_are_the_quantiles_of_the_curve():
    plan = plan_of({"source": "column"}, portfolio(["A"], pd_annual=[0.0293]))
    assert plan.threshold[0, -1] == pytest.approx(ndtri(0.0293), rel=1e-12)
