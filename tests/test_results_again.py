"""A run folder used again holds one run; what is damaged is named, what can be measured again is."""

import json
import shutil

import numpy as np
import pandas as pd
import pytest

import simulator
from simulator.compare.paired import full_summary
from simulator.errors import SimulatorError
from simulator.report.figures.catalogue import FIGURES
from simulator.results import leftovers, store
from simulator.results.files import check_folder
from simulator.results.store import open_result, save
from tests.fake_result import fake_constant_result, fake_result


def measured(result):
    summary = full_summary(result)
    named = {name: part.with_summary(summary[summary["stress"] == name]) for name, part in result.stresses.items()}
    object.__setattr__(result, "stresses", named)
    return result.with_summary(summary)


@pytest.fixture(scope="module")
def stressed():
    return measured(fake_result(200, stresses=("pessimistic", "slow")))


@pytest.fixture(scope="module")
def saved(stressed, tmp_path_factory):
    return save(stressed, tmp_path_factory.mktemp("saved") / "run")


@pytest.fixture
def folder(saved, tmp_path):
    """A run folder of one's own to damage: copying it takes less than saving it again."""
    return shutil.copytree(saved, tmp_path / "run")


def contents(folder):
    return {path.relative_to(folder).as_posix() for path in folder.rglob("*")}


def test_another_run_leaves_nothing_of_the_first(folder, tmp_path):
    (folder / "figures").mkdir()
    for name in ("figures/cash_fan-1.svg", "figures/cost.csv", "report.html", "report.xlsx", ".scenarios.nc.77.tmp"):
        (folder / name).write_text("of the first run")
    other = measured(fake_constant_result(60))
    again = open_result(save(other, folder))
    assert again.stresses == {}
    assert not again.has_cash
    assert contents(folder) == contents(save(other, tmp_path / "fresh"))


def test_a_killed_save_leaves_nothing_to_the_next(stressed, tmp_path):
    """Files are put in place together: where saving is killed before, there are half-written ones alone."""
    run = tmp_path / "run"
    fresh = contents(save(stressed, tmp_path / "fresh"))
    for name in (*fresh, "figures/cost.svg"):
        half = run / name
        if not (tmp_path / "fresh" / name).is_dir():
            half.parent.mkdir(parents=True, exist_ok=True)
            half.with_name(f".{half.name}.77.tmp").write_text("half of it")
    assert contents(save(stressed, run)) == fresh


def test_files_of_others_stay(folder):
    mine = [
        "notes.txt", "figures/own.svg", "figures/cash_fan-old.svg", "contributions/own.csv", "stresses/readme.md",
        "stresses/03-mine/report.html", "stresses/01-pessimistic/own.txt", ".own.txt.12.tmp",
    ]  # fmt: skip
    for name in mine:
        (folder / name).parent.mkdir(exist_ok=True)
        (folder / name).write_text("mine")
    result = open_result(save(measured(fake_result(40)), folder))
    assert {(folder / name).read_text() for name in mine} == {"mine"}
    assert set(result.contributions) == set(leftovers.TABLES)
    assert result.stresses == {}


def test_a_folder_without_a_run_is_not_cleared(tmp_path):
    (tmp_path / "report.xlsx").write_text("mine")
    save(fake_result(40), tmp_path)
    assert (tmp_path / "report.xlsx").read_text() == "mine"


def test_names_of_figures_and_tables_are_those_of_the_report():
    assert set(leftovers.FIGURE_NAMES) == {figure.name for figure in FIGURES}
    assert set(fake_result(8).contributions) == set(leftovers.TABLES)


def test_a_save_that_stops_leaves_no_finished_run(folder, stressed, monkeypatch):
    for step in ("write_text", "replace_file", "write_table", "_save_stresses"):
        save(stressed, folder)
        with monkeypatch.context() as patch:
            patch.setattr(store, step, _fail)
            with pytest.raises(SimulatorError, match="stopped"):
                save(stressed, folder)
        with pytest.raises(SimulatorError, match="not a finished run"):
            open_result(folder)


def test_a_clearing_that_stops_is_gone_on_with(folder, monkeypatch):
    with monkeypatch.context() as patch:
        patch.setattr(leftovers, "_clear_files", _fail)
        with pytest.raises(SimulatorError, match="stopped"):
            leftovers.clear(folder)
    assert not (folder / "manifest.json").exists()
    leftovers.clear(folder)
    assert contents(folder) == set()


def _fail(*_, **__):
    raise SimulatorError("stopped")


@pytest.mark.parametrize("name", ["scenarios.nc", "paths.nc", "manifest.json", "profile.json", "stresses/index.json"])
@pytest.mark.parametrize("damage", ["garbage", "cut", "empty"])
def test_a_damaged_file_is_named(folder, name, damage):
    path = folder / name
    whole = path.read_bytes()
    path.write_bytes({"garbage": b"\x00\xffgarbage" * 50, "cut": whole[: len(whole) // 2], "empty": b""}[damage])
    with pytest.raises(SimulatorError) as caught:
        open_result(folder)
    assert str(caught.value).endswith(f"{path.name} is damaged; run the study again")
    assert len(str(caught.value).splitlines()) == 1


@pytest.mark.parametrize("text", ["[1, 2]", '"text"', "{}", '[{"name": "a"}]', '[{"name": "a", "folder": "../x"}]'])
def test_a_strange_index_is_named(folder, text):
    (folder / "stresses" / "index.json").write_text(text)
    if text == "{}":
        assert open_result(folder).stresses == {}
    else:
        with pytest.raises(SimulatorError, match=r"index\.json is damaged"):
            open_result(folder)


def test_a_dataset_of_something_else_is_named(folder):
    shutil.copy(folder / "paths.nc", folder / "scenarios.nc")
    with pytest.raises(SimulatorError, match=r"scenarios\.nc is damaged"):
        open_result(folder)


@pytest.mark.parametrize("name", ["scenarios.nc", "paths.nc", "study.resolved.yaml", "profile.json"])
def test_a_missing_file_is_named(folder, name):
    (folder / name).unlink()
    with pytest.raises(SimulatorError, match=f"it has no {name}"):
        open_result(folder)


@pytest.mark.parametrize(
    ("place", "damage"),
    [("", "garbage"), ("", "columns"), ("", "values"), ("", "empty"), ("stresses/01-pessimistic", "absent")],
)
def test_a_damaged_summary_is_measured_again(folder, stressed, place, damage):
    path = folder / place / "summary.csv"
    if damage == "absent":
        path.unlink()
    else:
        head = ",".join(stressed.summary().columns)
        text = {"garbage": "\x00\xff,\n\x01", "columns": "a,b\n1,2\n", "values": f"{head}\n{'x,' * 9}x\n", "empty": ""}
        path.write_text(text[damage], encoding="latin-1")
    again = simulator.open_result(folder)
    for one, other in ((stressed, again), (stressed.stresses["slow"], again.stresses["slow"])):
        left, right = one.summary().reset_index(drop=True), other.summary().reset_index(drop=True)
        pd.testing.assert_frame_equal(left, right, check_exact=True)


def test_looking_at_a_folder_makes_nothing(tmp_path):
    check_folder(tmp_path / "a" / "b")
    assert list(tmp_path.iterdir()) == []
    (tmp_path / "file").write_text("")
    with pytest.raises(SimulatorError, match=r"file is a file"):
        check_folder(tmp_path / "file" / "run")
    with pytest.raises(SimulatorError, match="cannot write"):
        check_folder(tmp_path / ("x" * 5000))


def test_numbers_survive(stressed, folder):
    kept = json.loads((folder / "summary.json").read_text(encoding="utf-8"))
    values = [np.nan if row["value"] is None else row["value"] for row in kept]
    np.testing.assert_array_equal(values, stressed.summary()["value"])
