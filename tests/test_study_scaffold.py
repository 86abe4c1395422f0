"""`simulator init`: what it writes is a valid study, and nobody's file is overwritten."""

from __future__ import annotations

import csv
import json
import tempfile
from pathlib import Path

import pytest
from click.testing import CliRunner

from simulator.cli import cli
from simulator.engine.check import check_study
from simulator.errors import InputError, SimulatorError
from simulator.study.load import load_study
from simulator.study.scaffold import POLICIES, init_study


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


@pytest.mark.parametrize("policy", POLICIES)
def test_each_kind_of_policy_is_a_study_that_checks(tmp_path, policy):
    init_study(tmp_path / "s", policy)
    text = (tmp_path / "s" / "study.yaml").read_text(encoding="utf-8")
    loaded = load_study(tmp_path / "s" / "study.yaml")
    check_study(loaded)
    title, question = POLICIES[policy]
    assert (loaded.study.study.title, loaded.study.study.description) == (title, question)
    assert loaded.study.programmes[0].type == "none"
    assert 2 <= len(loaded.study.programmes) <= 4
    assert len(text.splitlines()) <= 140, "about a page"
    assert max(map(len, text.splitlines())) <= 120
    assert set(loaded.study.stresses) == {"pessimistic", "optimistic"}
    default = init_study(tmp_path / "default")[0].read_text(encoding="utf-8")
    assert text[: text.index("study:")] == default[: default.index("study:")]
    assert (tmp_path / "s" / "buyers.csv").read_text() == (tmp_path / "default" / "buyers.csv").read_text()


def test_the_kinds_are_what_they_say():
    """The point of each template: a policy of its kind, with the term it is for."""

    def policies(kind):
        with tempfile.TemporaryDirectory() as folder:
            programmes = load_study(init_study(Path(folder) / "s", kind)[0]).study.programmes
        return [p for p in programmes if p.type != "none"]

    assert policies("whole_turnover")[0].limit_changes is not None
    assert policies("excess_of_loss")[0].type == "excess_of_loss"
    one, three = policies("single_buyer")
    assert (one.buyers.ids, three.buyers.ids, three.buyers.top) == (("30010",), None, 3)
    simple = policies("sme_simple")[0]
    assert (simple.insured_percentage, simple.blind_percentage) == (0.9, 0.6)
    assert [p.top_up is not None for p in policies("top_up")] == [False, True]


def test_an_unknown_kind_of_policy(tmp_path):
    with pytest.raises(SimulatorError, match="no policy template 'topup'; did you mean top_up"):
        init_study(tmp_path / "s", "topup")
    with pytest.raises(SimulatorError, match="there are whole_turnover, excess_of_loss"):
        init_study(tmp_path / "s", "xyz")
    assert not (tmp_path / "s").exists()


def test_the_command_takes_a_kind_of_policy(tmp_path):
    done = CliRunner().invoke(cli, ["init", str(tmp_path / "s"), "--policy", "top_up"])
    assert done.exit_code == 0
    assert "now: simulator run" in done.output
    assert "top_up:" in (tmp_path / "s" / "study.yaml").read_text(encoding="utf-8")
    for kind in POLICIES:
        assert kind in CliRunner().invoke(cli, ["init", "--help"]).output
