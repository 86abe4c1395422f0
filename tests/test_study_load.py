"""Loading: sources, overrides, extends, places, and that it stays light."""

from __future__ import annotations

import datetime as dt
import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest

from simulator.errors import InputError
from simulator.study.amounts import Duration, Multiple
from simulator.study.load import load_study
from simulator.study.paths import parse_path, show_path, split_assignment
from simulator.study.yaml import parse_document

TEXT = """\
study: {title: A study, as_of: 2026-10-30, currency: EUR}
portfolio: {buyers: buyers.csv}
programmes:
  - name: Self-insurance
    type: none
  - name: Whole turnover 90
    type: whole_turnover
    insured_percentage: 90 %
    maximum_liability: 30 x premium
    premium: {rate_on_turnover: 0.2 %, minimum: 20 k}
  - name: Whole turnover 80
    extends: Whole turnover 90
    insured_percentage: 80 %
    premium: {minimum: 18 k}
stresses:
  2008 again: {pd_multiplier: 3}
"""


@pytest.fixture
def folder(tmp_path):
    (tmp_path / "buyers.csv").write_text("buyer_id\n1\n")
    (tmp_path / "study.yaml").write_text(TEXT)
    return tmp_path


def load(folder, *overrides):
    return load_study(folder / "study.yaml", list(overrides))


def problems(folder, *overrides, text=None):
    if text is not None:
        (folder / "study.yaml").write_text(text)
    with pytest.raises(InputError) as caught:
        load(folder, *overrides)
    return caught.value.problems


def test_a_study(folder):
    loaded = load(folder)
    assert loaded.folder == folder
    assert loaded.file == folder / "study.yaml"
    assert loaded.study.study.as_of == dt.date(2026, 10, 30)
    assert loaded.study.study.horizon == Duration(52, "week")


def test_extends_merges_deeply_and_disappears(folder):
    parent, child = load(folder).study.programmes[1:]
    assert (parent.insured_percentage, child.insured_percentage) == (0.9, 0.8)
    assert child.maximum_liability == Multiple(30)
    assert (child.premium.rate_on_turnover, child.premium.minimum) == (0.002, 18_000)
    assert child.type == "whole_turnover"
    assert child.extends is None


def test_extends_in_any_order_and_over_several_steps(folder):
    text = TEXT.replace("stresses:", "  - {name: C, extends: B, settlement: 9 days}\n"
                        "  - {name: B, extends: Whole turnover 80, maximum_liability: }\nstresses:")  # fmt: skip
    (folder / "study.yaml").write_text(text)
    programme = load(folder).study.programmes[3]
    assert programme.insured_percentage == 0.8
    assert programme.settlement == Duration(9, "day")
    assert programme.maximum_liability is None  # an empty value takes the inherited term away


def test_inherited_values_keep_their_place(folder):
    loaded = load(folder)
    inherited = loaded.problem("programmes[2].premium.rate_on_turnover", "too low")
    assert (inherited.line, inherited.column, inherited.value) == (10, 33, "0.2 %")
    own = loaded.problem("programmes[Whole turnover 80].premium.minimum", "too low")
    assert (own.line, own.value, own.path) == (14, "18 k", "programmes[2].premium.minimum")


def test_places(folder):
    loaded = load(folder)
    missing = loaded.problem("programmes[1].premium.tax", "missing")
    assert (missing.line, missing.column, missing.value) == (10, 5, None)
    assert loaded.problem(("programmes", 1, "premium", "minimum"), "x").column == 49
    assert loaded.problem('stresses["2008 again"].pd_multiplier', "x").line == 16
    at_key = loaded.problem("study.currency", "x", at_key=True)
    assert at_key.source[at_key.column - 1 :].startswith("currency")
    assert loaded.problem("fx.model", "x", value="gbm").value == "gbm"


@pytest.mark.parametrize(
    ("override", "path", "value"),
    [
        ("simulation.scenarios=50 k", "simulation.scenarios", 50_000),
        ("programmes[1].insured_percentage=85 %", "programmes[1].insured_percentage", 0.85),
        ("programmes[Whole turnover 90].insured_percentage=85 %", "programmes[1].insured_percentage", 0.85),
        ("programmes[Whole turnover 90].insured_percentage=85 %", "programmes[2].insured_percentage", 0.8),
        ("programmes[Whole turnover 90].premium.tax=19 %", "programmes[2].premium.tax", 0.19),
        ("fx.rates.USD = 0.9", "fx.rates", {"USD": 0.9}),
        ("fx.hedge={USD: 50 %, GBP: 0.2}", "fx.hedge", {"USD": 0.5, "GBP": 0.2}),
        ("stresses[2008 again].pd_multiplier=4", "stresses[2008 again].pd_multiplier", 4.0),
        ('stresses["2008 again"].pd_multiplier=4', "stresses[2008 again].pd_multiplier", 4.0),
        ("report.levels=[0.9, 99 %]", "report.levels", (0.9, 0.99)),
        ("study.title=a = b", "study.title", "a = b"),
        ("programmes[1].maximum_liability=", "programmes[2].maximum_liability", None),
    ],
)
def test_overrides(folder, override, path, value):
    here = load(folder, override).study
    for segment in parse_path(path):
        if isinstance(here, tuple):
            here = here[int(segment.text)]
        elif isinstance(here, dict):
            here = here[segment.text]
        else:
            here = getattr(here, segment.text)
    assert here == value


def test_overrides_as_a_mapping(folder):
    loaded = load_study(folder / "study.yaml", {"simulation.scenarios": np.int64(50_000), "study.horizon": "26 weeks"})
    assert loaded.study.simulation.scenarios == 50_000
    assert loaded.study.study.horizon == Duration(26, "week")


def test_the_later_override_wins(folder):
    assert load(folder, "simulation.seed=1", "simulation.seed=2").study.simulation.seed == 2


@pytest.mark.parametrize(
    ("override", "message", "suggestion"),
    [
        ("simulation.scenarios", "expected key=value", ""),
        ("simulation.scenaros=4", "unknown key", "scenarios"),
        ("simulation.scenarios=4.5", "whole number", ""),
        ("programmes[9].name=x", "there is programmes[0] to [2]", ""),
        ("programmes[Whole turnover 91].name=x", "by name (Self-insurance", "Whole turnover 90"),
        ("programmes[-1].name=x", "addressed by position", ""),
        ("study.title.x=1", "is a plain value", ""),
        ("study.title={", "comma or the closing bracket", ""),
        ("study..title=1", "a key is missing", ""),
        ("programmes[1.name=x", "expected key=value", ""),
        ("fx.hedge={USD: 80}", "a fraction", "80 %"),
        ("=1", "a key is missing", ""),
        ("simulation.seed=.nan", "finite", ""),
    ],
)
def test_wrong_overrides(folder, override, message, suggestion):
    (problem,) = problems(folder, override)
    assert message in problem.message
    assert problem.suggestion == suggestion
    assert problem.file == f"--set '{override}'"


def test_wrong_overrides_and_the_file_are_reported_together(folder):
    found = problems(folder, "fx.model=gbn", "simulation.seed=-1", text=TEXT.replace("EUR", "eur"))
    assert {p.path for p in found} == {"fx.model", "simulation.seed", "study.currency"}


def test_a_dictionary(folder, monkeypatch):
    monkeypatch.chdir(folder)
    content = {
        "study": {"title": "T", "as_of": dt.date(2026, 10, 30), "currency": "EUR", "horizon": Duration(26, "week")},
        "portfolio": {"buyers": Path("buyers.csv")},
        "programmes": ({"name": "A", "type": "none", "reserve": np.float64(5)},),
    }
    loaded = load_study(content, {"simulation.scenarios": 8})
    assert loaded.file is None
    assert loaded.folder == folder
    assert loaded.study.programmes[0].reserve == 5.0
    assert "scenarios" not in content.get("simulation", {})
    assert load_study(loaded.study.model_dump(by_alias=True)).study == loaded.study


def test_mistakes_in_a_dictionary(folder, monkeypatch):
    monkeypatch.chdir(folder)
    with pytest.raises(InputError) as caught:
        load_study({"study": {"title": "T", "as_of": "2026-10-30", "currency": "eur"}, "portfolio": {"buyers": "b.csv"},
                    "programmes": [{"name": "A", "type": "none", "reserve": float("nan")}]})  # fmt: skip
    shown = {(p.path, p.value) for p in caught.value.problems}
    assert shown == {
        ("study.currency", "eur"), ("portfolio.buyers", "b.csv"), ("programmes[0].reserve", "nan"),
    }  # fmt: skip
    with pytest.raises(InputError, match="a set cannot stand in a study"):
        load_study({"study": {1, 2}})
    endless: dict = {}
    endless["study"] = endless
    with pytest.raises(InputError, match="nested too deeply"):
        load_study(endless)


@pytest.mark.parametrize(
    ("content", "message"),
    [
        (b"", "empty"),
        (b"\x89PNG\r\n\x1a\n\x00\x00", "not a text file"),
        (b"study: caf\xe9", "not UTF-8"),
        (b"\xff\xfes\x00", "empty|plain text"),
        (b"a: \x01", r"U\+0001"),
        (b"[" * 1500, "nested too deeply"),
        (b"a: &a [*a]", "contains itself"),
        (b"null", "plain text"),
        (b"{}", "`study` is missing"),
        (b"? [a]\n: 1\n", "a key must be a plain word"),
        (b"a: &x {k: 1}\nb:\n  <<: 5\n", "<< merges a section"),
        (b"study: " + b"9" * 5000, "must be"),
    ],
)
def test_unreadable_content(tmp_path, content, message):
    path = tmp_path / "study.yaml"
    path.write_bytes(content)
    with pytest.raises(InputError, match=message):
        load_study(path)


def test_expanding_aliases_are_refused(tmp_path):
    lines = ["a0: &a0 [x, x, x, x, x, x, x, x, x, x]"]
    lines += [f"a{i}: &a{i} [{', '.join([f'*a{i - 1}'] * 10)}]" for i in range(1, 9)]
    (tmp_path / "study.yaml").write_text("\n".join(lines))
    with pytest.raises(InputError, match="more than 100,000 elements"):
        load_study(tmp_path / "study.yaml")


def test_missing_files_and_folders(folder):
    with pytest.raises(InputError, match=r"no such file; did you mean .*study\.yaml\?"):
        load_study(folder / "studi.yaml")
    with pytest.raises(InputError, match=r"a folder, not a study file; did you mean .*study\.yaml\?"):
        load_study(folder)
    with pytest.raises(InputError, match="does not exist"):
        load_study(folder / "nowhere" / "study.yaml")
    with pytest.raises(InputError, match="cannot be read"):
        load_study("a\0b.yaml")
    with (folder / "big.yaml").open("wb") as file:
        file.truncate(5 << 20)
    with pytest.raises(InputError, match="5 MB is not a study"):
        load_study(folder / "big.yaml")


def test_home_and_absolute_file_names(folder, monkeypatch):
    monkeypatch.setenv("HOME", str(folder))
    for name in ("~/buyers.csv", str(folder / "buyers.csv"), "./buyers.csv"):
        loaded = load(folder, f"portfolio.buyers={name}")
        assert loaded.resolve(loaded.study.portfolio.buyers).resolve() == (folder / "buyers.csv").resolve()
    (problem,) = problems(folder, "portfolio.buyers=~nobody_here/buyers.csv")
    assert "no such file" in problem.message


def test_words_stay_words(folder):
    text = TEXT + "transfer: {annual_probability: {NO: 1 %, NA: 2 %}}\nportfolio_: 1\n"
    (problem,) = problems(folder, text=text)
    assert problem.path == "portfolio_"
    document = parse_document("{a: NO, b: 1e-3, c: 1:30, d: 007, e: 2026-10-30, f: ~, g: 'yes', h: 0x1F, i: [on]}")
    assert document.data == {"a": "NO", "b": 0.001, "c": "1:30", "d": 7, "e": "2026-10-30", "f": None, "g": "yes",
                             "h": 31, "i": ["on"]}  # fmt: skip


def test_merged_anchors(folder):
    text = TEXT + "liquidity:\n  credit_line: &line {limit: 1 M}\n"
    text = text.replace("stresses:", "x: 1\nstresses:")
    document = parse_document("a: &a {x: 1, y: 2}\nb: {<<: *a, y: 3}\nc: {<<: [*a, {z: 4}]}")
    assert document.data == {"a": {"x": 1, "y": 2}, "b": {"y": 3, "x": 1}, "c": {"x": 1, "y": 2, "z": 4}}
    assert document.places["b", "x"].value.line == 1


def test_a_section_left_blank_has_its_defaults(folder):
    (folder / "study.yaml").write_text(TEXT + "liquidity:\nfx:\n  # nothing yet\n")
    assert load(folder).study.liquidity.opening_cash == 0.0


def test_windows_line_ends_and_byte_order_marks(folder):
    (folder / "study.yaml").write_bytes(("\ufeff" + TEXT.replace("EUR", "eur")).replace("\n", "\r\n").encode())
    (problem,) = problems(folder)
    assert (problem.line, problem.column) == (1, 54)


@pytest.mark.parametrize(
    "path", [("a", 0, "b"), ("stresses", "2008 again"), ("x", "country:DE"), ("a", 'q"uote]'), ("1",)]
)
def test_paths_read_back(path):
    texts = [segment.text for segment in parse_path(show_path(path))]
    assert texts == [str(step) for step in path]


def test_assignments_split_outside_brackets():
    assert split_assignment("programmes[a = b].name=c=d") == ("programmes[a = b].name", "c=d")


def test_loading_stays_light(folder):
    code = (
        "import sys; from simulator.study.load import load_study; load_study(sys.argv[1]);"
        "heavy = {'numba', 'numpy', 'pandas', 'xarray', 'matplotlib', 'scipy'} & set(sys.modules)\n"
        "print(heavy or 'light')"
    )
    done = subprocess.run(
        [sys.executable, "-c", code, str(folder / "study.yaml")], capture_output=True, text=True, check=True
    )
    assert done.stdout.strip() == "light"


def test_folded_text_is_plain_text():
    assert parse_document("a: >\n  one two\n  three\n\n  four\n").data == {"a": "one two three\nfour\n"}
