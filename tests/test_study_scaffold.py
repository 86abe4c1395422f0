"""`simulator init`: what it writes is a valid study, and nobody's file is overwritten."""

from __future__ import annotations

import csv
import json
from pathlib import Path

import pytest

from simulator.errors import InputError
from simulator.study.load import load_study
from simulator.study.scaffold import init_study


@pytest.fixture
def folder(tmp_path):
    init_study(tmp_path / "new" / "study")
    return tmp_path / "new" / "study"


def rows(path):
    with path.open(encoding="utf-8", newline="") as file:
        return list(csv.DictReader(file))


def test_what_is_written(folder):
    assert sorted(path.name for path in folder.iterdir()) == [
        "buyers.csv", "open_items.csv", "study.schema.json", "study.yaml",
    ]  # fmt: skip
    text = (folder / "study.yaml").read_text(encoding="utf-8")
    assert text.startswith("# yaml-language-server: $schema=study.schema.json\n")
    assert json.loads((folder / "study.schema.json").read_text(encoding="utf-8"))["properties"]["programmes"]


def test_the_study_loads(folder):
    study = load_study(folder / "study.yaml").study
    assert [p.name for p in study.programmes] == [
        "Self-insurance", "Whole turnover 90", "Whole turnover 80", "Excess of loss",
    ]  # fmt: skip
    assert set(study.stresses) == {"pessimistic", "optimistic"}


def test_the_ledger_is_a_small_real_one(folder):
    study = load_study(folder / "study.yaml").study
    buyers, items = rows(folder / "buyers.csv"), rows(folder / "open_items.csv")
    assert len(buyers) == 12
    assert len({b["country"] for b in buyers}) == 4
    assert len({b["currency"] for b in buyers}) == 3
    assert {i["buyer_id"] for i in items} == {b["buyer_id"] for b in buyers}
    assert len(items) == len({i["invoice_id"] for i in items}) == 41
    assert [i["document_type"] for i in items if float(i["amount_open"]) < 0] == ["credit note", "payment on account"]
    assert sum(i["disputed"] == "yes" for i in items) == 1
    assert all(i["issue_date"] <= i["due_date"] and i["issue_date"] <= str(study.study.as_of) for i in items)


def test_nothing_is_overwritten(folder):
    (folder / "study.yaml").write_text("mine")
    (folder / "buyers.csv").unlink()
    with pytest.raises(InputError, match="exists already") as caught:
        init_study(folder)
    assert len(caught.value.problems) == 3
    assert (folder / "study.yaml").read_text() == "mine"
    assert not (folder / "buyers.csv").exists()


def test_a_folder_that_cannot_be_written(tmp_path):
    (tmp_path / "file").write_text("")
    for target in (tmp_path / "file", tmp_path / "file" / "below", Path("/proc/nothing"), "a\0b"):
        with pytest.raises(InputError, match="cannot be written"):
            init_study(target)
