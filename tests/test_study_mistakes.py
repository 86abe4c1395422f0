"""The exact text of what a user is told, for typical mistakes in a study file.

``UPDATE_GOLDEN=1 python -m pytest tests/test_study_mistakes.py`` rewrites the expected texts; read each aloud.
"""

from __future__ import annotations

import os
from pathlib import Path

import pytest

from simulator.errors import InputError
from simulator.study.load import load_study

FOLDER = Path(__file__).parent / "golden" / "mistakes"
CASES = sorted(path.stem for path in FOLDER.glob("*.yaml"))


@pytest.fixture(autouse=True)
def _inside(monkeypatch):
    monkeypatch.chdir(FOLDER)


@pytest.mark.parametrize("case", CASES)
def test_message(case):
    with pytest.raises(InputError) as caught:
        load_study(f"{case}.yaml")
    said = str(caught.value) + "\n"
    expected = FOLDER / f"{case}.txt"
    if os.environ.get("UPDATE_GOLDEN") == "1":
        expected.write_text(said, encoding="utf-8")
    assert said == expected.read_text(encoding="utf-8")


@pytest.mark.parametrize("case", CASES)
def test_every_problem_has_its_line(case):
    with pytest.raises(InputError) as caught:
        load_study(f"{case}.yaml")
    lines = (FOLDER / f"{case}.yaml").read_text(encoding="utf-8").splitlines()
    for problem in caught.value.problems:
        if case == "empty":
            continue
        assert problem.file == f"{case}.yaml"
        assert problem.line >= 1
        assert problem.column >= 1
        assert problem.source.rstrip("\n") == lines[problem.line - 1]


def test_enough_mistakes():
    assert len(CASES) >= 25
    assert {path.stem for path in FOLDER.glob("*.txt")} == set(CASES)


def test_pydantic_jargon_never_shows():
    words = ("pydantic", "Input should", "valid dictionary", "type=", "value_error", "union", "Literal", "None type")
    for path in FOLDER.glob("*.txt"):
        text = path.read_text(encoding="utf-8")
        assert not [word for word in words if word in text], path.name
