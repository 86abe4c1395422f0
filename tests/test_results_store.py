"""The run folder: identical when read back, atomic, and clear about what it cannot do."""

import hashlib
import json
import os
from dataclasses import replace

import numpy as np
import pandas as pd
import pytest
import xarray as xr

import simulator
from simulator.compare.paired import full_summary
from simulator.errors import SimulatorError
from simulator.results import files, store
from simulator.results.dataset import stamp
from simulator.results.provenance import fingerprint, git_commit, provenance
from simulator.results.store import open_result, save
from tests.fake_result import fake_constant_result, fake_result
from tests.studies import random_study


@pytest.fixture(scope="module")
def result():
    plain = fake_result(400, stresses=("pessimistic", "Very bad: 2 × PD / slow"))
    return plain.with_summary(full_summary(plain))


def stamped(dataset):
    return stamp(dataset, "EUR")


def assert_same(one, other):
    assert one.study == other.study
    xr.testing.assert_identical(stamped(one.scenarios), other.scenarios)
    xr.testing.assert_identical(stamped(one.paths), other.paths)
    for name in one.scenarios.data_vars:
        assert one.scenarios[name].dtype == other.scenarios[name].dtype
    assert sorted(one.contributions) == sorted(other.contributions)
    for name, table in one.contributions.items():
        pd.testing.assert_frame_equal(table, other.contributions[name])
    assert one.manifest == other.manifest
    assert one.profile == other.profile
    if one.summary_rows is not None:
        pd.testing.assert_frame_equal(one.summary_rows, other.summary_rows)
    assert list(one.stresses) == list(other.stresses)
    for name, stress in one.stresses.items():
        assert_same(stress, other.stresses[name])


def test_everything_comes_back(result, tmp_path):
    folder = save(result, tmp_path / "deep" / "run")
    assert_same(result, open_result(folder))


def test_constant_mode_comes_back(tmp_path):
    result = fake_constant_result(100)
    assert_same(result, open_result(result.save(tmp_path / "run")))


def test_folder_holds_what_the_design_says(result, tmp_path):
    folder = save(result, tmp_path / "run")
    names = {path.relative_to(folder).as_posix() for path in folder.rglob("*") if path.is_file()}
    top = {"study.resolved.yaml", "manifest.json", "profile.json", "summary.json", "summary.csv"}
    assert top | {"scenarios.nc", "paths.nc", "contributions/buyers.csv", "stresses/index.json"} <= names
    assert not [name for name in names if name.endswith(".tmp")]
    rows = json.loads((folder / "summary.json").read_text(encoding="utf-8"))
    assert len(rows) == len(result.summary_rows)
    assert rows[0]["measure"] == "gross_loss_mean"
    assert rows[0]["level"] is None


def test_saving_twice_gives_the_same_bytes(result, tmp_path):
    one, two = save(result, tmp_path / "one"), save(result, tmp_path / "two")
    for path in one.rglob("*"):
        if path.is_file():
            assert path.read_bytes() == (two / path.relative_to(one)).read_bytes(), path.name


def test_saving_over_an_open_copy_works(result, tmp_path):
    folder = save(result, tmp_path / "run")
    again = open_result(folder)
    save(again, folder)
    assert_same(result, open_result(folder))


def test_given_study_text_is_kept(tmp_path):
    result = fake_result(40)
    folder = save(result, tmp_path / "run", resolved_study="schema: 1\n")
    assert (folder / "study.resolved.yaml").read_text() == "schema: 1\n"
    with pytest.raises(SimulatorError, match="`programmes` is missing"):
        open_result(folder)


@pytest.mark.skipif(os.geteuid() == 0, reason="root may write anywhere")
def test_folder_without_permission(tmp_path):
    tmp_path.chmod(0o500)
    with pytest.raises(SimulatorError, match="cannot write"):
        save(fake_result(40), tmp_path / "run")


def test_folder_that_cannot_be(tmp_path):
    (tmp_path / "file").write_text("")
    with pytest.raises(SimulatorError, match=r"cannot write .*file"):
        save(fake_result(40), tmp_path / "file" / "run")
    with pytest.raises(SimulatorError, match=r"cannot write .*file"):
        save(fake_result(40), tmp_path / "file")


def test_failure_midway_leaves_the_old_file(tmp_path):
    path = tmp_path / "a.txt"
    files.write_text(path, "old")

    def half(temporary):
        temporary.write_text("ne")
        raise OSError(28, "No space left on device")

    with pytest.raises(SimulatorError, match="no space left on device"):
        files.replace_file(path, half)
    assert path.read_text() == "old"
    assert [p.name for p in tmp_path.iterdir()] == ["a.txt"]


def test_what_is_not_a_run(tmp_path):
    with pytest.raises(SimulatorError, match="there is no run folder"):
        open_result(tmp_path / "nowhere")
    with pytest.raises(SimulatorError, match=r"not a finished run: it has no manifest\.json"):
        open_result(tmp_path)
    folder = save(fake_result(40), tmp_path / "run")
    (folder / "scenarios.nc").write_bytes(b"not netcdf")
    with pytest.raises(SimulatorError, match="cannot read the run folder"):
        open_result(folder)
    (folder / "scenarios.nc").unlink()
    with pytest.raises(SimulatorError, match="cannot read the run folder"):
        open_result(folder)


def test_manifest_is_written_last(tmp_path, monkeypatch):
    def fail(*_):
        raise SimulatorError("stopped")

    monkeypatch.setattr(store, "write_table", fail)
    with pytest.raises(SimulatorError, match="stopped"):
        save(fake_result(40), tmp_path / "run")
    assert not (tmp_path / "run" / "manifest.json").exists()


def test_awkward_texts_survive_and_are_harmless(tmp_path):
    names = ["=1+1", "+49", "-3", "@x", "'quoted", "NA", "nan", "", "0017", 'a "b", c', "two\nlines", "<script>", "中"]
    table = pd.DataFrame({"name": names, "exposure": np.linspace(0.1, 1.3, len(names)), "n_defaults": 1.0})
    table.loc[3, "exposure"] = np.nan
    files.write_table(tmp_path / "t.csv", table)
    pd.testing.assert_frame_equal(files.read_table(tmp_path / "t.csv"), table)
    cells = [line.split(",")[0].strip('"') for line in (tmp_path / "t.csv").read_text(encoding="utf-8").splitlines()]
    assert not [cell for cell in cells if cell.startswith(("=", "+", "-", "@"))]


def test_plain_values():
    found = files.plain(
        {
            "a": np.float64(1.5), "b": np.int32(2), "c": float("nan"), "d": np.array([1.0, np.inf]), "e": (1, "x"),
            "f": np.bool_(True), "g": np.datetime64("2026-10-30"), "h": pd.DataFrame({"x": [1, 2]}), 3: None,
        }
    )  # fmt: skip
    assert found == {
        "a": 1.5, "b": 2, "c": None, "d": [1.0, None], "e": [1, "x"], "f": True, "g": "2026-10-30",
        "h": [{"x": 1}, {"x": 2}], "3": None,
    }  # fmt: skip


def test_stamp_names_units_and_strangers():
    scenarios = fake_result(40).scenarios
    done = stamp(scenarios, "CNY")
    assert done["gross_loss"].attrs["units"] == "CNY"
    assert done["n_defaults"].attrs["units"] == "1"
    assert done["retained_loss"].attrs["long_name"].startswith("Gross loss less indemnity")
    assert scenarios["gross_loss"].attrs["units"] == "EUR"  # the argument is untouched
    with pytest.raises(SimulatorError, match=r"terms\.csv for the variable gros_loss; did you mean gross_loss"):
        stamp(scenarios.rename(gross_loss="gros_loss"), "EUR")


def test_every_variable_of_the_fakes_is_in_the_dictionary():
    for result in (fake_result(40), fake_constant_result(40)):
        stamp(result.scenarios, "EUR")
        stamp(result.paths, "EUR")


def test_provenance_is_plain_and_complete(tmp_path):
    ledger = tmp_path / "buyers.csv"
    ledger.write_bytes(b"buyer_id\nA\n")
    found = provenance(seed=1, scenarios=10, threads=2, seconds=1.23456, inputs=[ledger], extra={"block": 64})
    assert json.loads(json.dumps(found)) == found
    assert found["versions"]["numpy"] == np.__version__
    assert found["inputs"] == [fingerprint(ledger)]
    assert found["inputs"][0]["sha256"] == hashlib.sha256(b"buyer_id\nA\n").hexdigest()
    assert found["seconds"] == 1.235
    assert found["block"] == 64


def test_git_commit_of_the_source_tree_or_none():
    commit = git_commit()
    assert commit is None or len(commit.removesuffix("-dirty")) == 40


def test_summary_must_be_measured_first():
    with pytest.raises(SimulatorError, match="no summary yet"):
        fake_result(40).summary()
    plain = fake_result(40)
    assert replace(plain, summary_rows=pd.DataFrame({"a": [1]})).summary().equals(pd.DataFrame({"a": [1]}))


def test_a_real_run_comes_back(tmp_path):
    study = random_study(tmp_path, 4)
    real = simulator.run(study)
    assert_same(real, open_result(real.save(tmp_path / "run")))
