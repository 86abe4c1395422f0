"""Results too large for memory are kept in files: the same bytes, and plain words when there is no room."""

import errno
import gc
import mmap
import os
import threading
from dataclasses import replace

import numpy as np
import pandas as pd
import pytest
import xarray as xr

import simulator
from simulator.engine import rows, spill
from simulator.engine.block import run_block
from simulator.engine.checkpoint import Checkpoint, same_rows
from simulator.engine.chunk import SUMMARISED, Chunk
from simulator.engine.chunk_kernels import list_losses
from simulator.engine.model import build_model
from simulator.engine.rows import RunRows
from simulator.engine.run import simulate
from simulator.errors import SimulatorError
from simulator.measures.columns import Columns
from simulator.report.write import write_report
from simulator.results.store import open_result
from tests.studies import random_study, write_csv, written_study
from tests.test_engine_repeatable import same

N = 5_000  # a whole chunk and a part


@pytest.fixture
def small(monkeypatch):
    """Call it, and any result is too large for memory, any piece too large to wait, any sample too large to keep."""

    def shrink():
        monkeypatch.setattr(spill, "HELD_BYTES", 0)
        monkeypatch.setattr(rows, "PIECE_BYTES", 0)
        monkeypatch.setattr("simulator.measures.columns.SAMPLE_BYTES", 0)

    return shrink


def in_file(array):
    """Whether an array is a view of a file."""
    while isinstance(array, np.ndarray):
        array = array.base
    return isinstance(getattr(array, "obj", array), mmap.mmap)


def constant_study(folder):
    """Constant exposures, one programme insured."""
    rng = np.random.default_rng(5)
    buyers = [
        {"buyer_id": f"B{b}", "exposure": f"{rng.uniform(1e3, 1e5):.2f}", "pd_annual": "5 %", "lgd": "60 %"}
        for b in range(40)
    ]
    write_csv(folder / "buyers.csv", buyers)
    return {
        "schema": 1,
        "study": {"title": "Constant", "as_of": "2026-10-30", "currency": "EUR"},
        "portfolio": {"exposure": "constant", "buyers": str(folder / "buyers.csv")},
        "credit": {"pd": {"source": "column"}},
        "programmes": [{"name": "None", "type": "none"}, {"name": "Policy", "type": "whole_turnover"}],
        "simulation": {"seed": 3},
    }


STUDIES = {
    "cash": lambda folder: random_study(folder, 4),
    "weighted": lambda folder: random_study(folder, 4, simulation={"tail": "importance"}),
    "fund": lambda folder: written_study(folder, 3),
    "constant": constant_study,
}


@pytest.mark.parametrize("kind", STUDIES)
def test_results_in_files_have_the_same_bytes(kind, tmp_path, small):
    """Datasets, summaries, page, figures and workbook; also when the saved run is opened and reported again."""
    study = STUDIES[kind](tmp_path)
    study["simulation"] |= {"scenarios": N, "stress_scenarios": 300}
    study["stresses"] = {"bad times": {"pd_multiplier": 2}}
    held = simulator.run(study)
    assert not in_file(held.scenarios["gross_loss"].values)
    said = []
    small()
    kept = simulator.run(study, note=said.append)
    for part in (kept, kept.stresses["bad times"]):
        for name in ("gross_loss", "retained_loss", "cost_of_risk"):
            assert in_file(part.scenarios[name].values), name
        assert part.scenarios["weight"].values.strides == (0,) or kind == "weighted"
    assert len(said) == 1
    assert f"the results of {N:,} scenarios take up to" in said[0]
    kept = replace(
        kept, manifest=held.manifest, stresses={
            name: replace(part, manifest=held.stresses[name].manifest) for name, part in kept.stresses.items()
        }
    )  # fmt: skip
    folders = [tmp_path / "held", tmp_path / "kept", tmp_path / "again"]
    for result, folder in zip((held, kept), folders[:2], strict=True):
        write_report(result, result.save(folder))
    opened = open_result(folders[1])
    assert in_file(opened.scenarios["gross_loss"].values)
    xr.testing.assert_identical(opened.scenarios, held.scenarios)
    assert isinstance(opened.scenarios.indexes["scenario"], pd.RangeIndex)  # no number per scenario
    write_report(opened, opened.save(folders[2]))
    names = sorted(path.relative_to(folders[0]) for path in folders[0].rglob("*") if path.is_file())
    assert len(names) > 20
    for folder in folders[1:]:
        assert sorted(path.relative_to(folder) for path in folder.rglob("*") if path.is_file()) == names
        for name in names:
            if folder == folders[2] and name.suffix == ".nc":
                continue  # a library's file of what was read before: the same content, as compared above
            assert (folder / name).read_bytes() == (folders[0] / name).read_bytes(), name


@pytest.fixture(scope="module")
def model(tmp_path_factory):
    return build_model(simulator.load_study(random_study(tmp_path_factory.mktemp("memory"), 4)))


def test_rows_go_to_files_when_more_scenarios_are_asked_for(model, monkeypatch, tmp_path):
    straight = simulate(model, 9_000)
    each = sum(array.nbytes for array in straight.rows.values()) / 9_000
    monkeypatch.setattr(spill, "HELD_BYTES", 5_000 * each)
    seen = []

    def enough(run):
        seen.append(run.in_files)
        return 9_000

    grown = simulate(model, 4_096, enough=enough, folder=tmp_path)
    assert seen == [False, True]
    same(grown, straight)
    assert list(tmp_path.iterdir()) == []  # the files have no names


def test_scenarios_of_stresses_count_too(model):
    """Each of two results may be small enough, both together are not."""
    kept = {"weight": np.ones(8), "gross_loss": np.arange(8.0)}
    each = 16
    for beside, in_files in ((0, False), (spill.HELD_BYTES // each, True)):
        run = RunRows(8, beside=beside)
        run.take(0, kept)
        assert run.in_files is in_files
        assert in_file(run.rows["gross_loss"]) is in_files
        assert run.rows["weight"].strides == (0,)


def test_resumed_chunks_and_files_end_with_the_same_bytes(model, tmp_path, small):
    straight = simulate(model, N)
    small()
    simulate(model, 4_096, checkpoint=Checkpoint(tmp_path / "c", "x"))
    again = simulate(model, N, checkpoint=Checkpoint(tmp_path / "c", "x"), folder=tmp_path)
    assert again.resumed == 4_096
    same(again, straight)


def test_rows_are_the_same_bit_by_bit():
    assert same_rows(np.full((3, 2), [1.0, np.nan]))
    assert not same_rows(np.array([0.0, -0.0]))
    assert not same_rows(np.array([[1, 2], [1, 3]], np.int32))
    assert same_rows(np.array([1.0, 1.0]), np.array([1.0]))
    assert not same_rows(np.array([1.0, 1.0]), np.array([2.0]))


def test_a_chunk_comes_back_from_its_file(tmp_path):
    point = Checkpoint(tmp_path / "c", "x")
    arrays = {
        "weight": np.ones(4), "gross_loss": np.array([0.0, -0.0, 1.0, np.nan]), "gap": np.full((4, 2), [0.5, -0.0]),
        "n_defaults": np.array([2, 2, 2, 2], np.int32), "tail/buyer": np.array([7, 7, 7, 7], np.int32),
        "path/weight": np.array([4.0]),
    }  # fmt: skip
    point.save(0, arrays)
    found = point.load(0, 4)
    assert found.keys() == arrays.keys()
    for name, values in arrays.items():
        assert found[name].dtype == values.dtype
        assert found[name].shape == values.shape
        assert found[name].tobytes() == values.tobytes(), name
    assert point.load(0, 5) is None
    with np.load(next((tmp_path / "c").glob("chunk-000000-*.npz"))) as file:
        assert sum(file[name].nbytes for name in file.files) < sum(values.nbytes for values in arrays.values())


def test_content_outlives_a_release_and_the_file_goes_with_the_array(tmp_path):
    gc.collect()
    before = len(spill._MAPPED)
    array = spill.spilled((3, 1_000), np.float64, tmp_path)
    assert not array.any()
    array[1] = np.arange(1_000.0)
    spill.release()
    assert array[1].sum() == 499_500.0
    assert list(tmp_path.iterdir()) == []
    assert len(spill._MAPPED) == before + 1
    part = array[1, :10]
    del array
    gc.collect()
    assert len(spill._MAPPED) == before + 1
    assert part.sum() == 45.0
    del part
    gc.collect()
    assert len(spill._MAPPED) == before


def test_memory_is_given_back_while_others_read_and_make_arrays(tmp_path, monkeypatch):
    monkeypatch.setattr(spill, "PAUSE", 0.0)
    arrays = [spill.spilled((1_000,), np.int64, tmp_path)]
    with spill.releasing():
        for k in range(200):
            arrays.append(spill.spilled((1_000,), np.int64, tmp_path))
            arrays[-1][:] = k
        assert sum(int(array.sum()) for array in arrays) == 1_000 * sum(range(200))
    assert "release" not in [thread.name for thread in threading.enumerate()]


@pytest.mark.skipif(not hasattr(os, "posix_fallocate"), reason="this system cannot reserve room for a file")
def test_a_disk_without_room_is_said_plainly(model, tmp_path, small, monkeypatch):
    def full(*_):
        raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC))

    small()
    monkeypatch.setattr(os, "posix_fallocate", full)
    with pytest.raises(
        SimulatorError, match=r"no room for results in .*: a file of 0 MiB .* \(no space left on device\)"
    ):
        simulate(model, 100, folder=tmp_path)


def test_samples_are_kept_by_bytes_and_sorted_once(monkeypatch):
    from tests.fake_result import fake_result

    result = fake_result(200)
    monkeypatch.setattr("simulator.measures.columns.SAMPLE_BYTES", 2 * 24 * 200)
    columns = Columns(result)
    first = columns.sample("retained_loss", 0)
    other = columns.sample("premium", 0)
    assert columns.sample("retained_loss", 0) is first  # used last
    columns.sample("indemnity", 0)
    assert columns.sample("retained_loss", 0) is first
    assert columns.sample("premium", 0) is not other


def test_losses_are_listed_buyer_by_buyer():
    """Scenarios without a loss, with two debts of one buyer and one of another, with a loss of nothing."""
    n_events = np.array([0, 3, 2, 4])
    buyers = np.array([[9, 9, 9, 9], [4, 4, 6, 9], [5, 7, 9, 9], [1, 1, 1, 2]], np.int32)
    losses = np.array([[8.0] * 4, [1.0, 2.5, 3.0, 8.0], [0.0, 4.0, 8.0, 8.0], [1.0, 0.0, 2.0, 5.0]])
    scenario, buyer, loss = np.zeros(9, np.int64), np.zeros(9, np.int32), np.zeros(9)
    assert list_losses(3, 100, n_events, buyers, losses, scenario, buyer, loss) == 3  # the fourth is padding
    assert scenario[:3].tolist() == [101, 101, 102]
    assert buyer[:3].tolist() == [4, 6, 7]
    assert loss[:3].tolist() == [3.5, 3.0, 4.0]
    assert list_losses(4, 0, n_events, buyers, losses, scenario, buyer, loss) == 5
    assert loss[3:5].tolist() == [3.0, 5.0]


def paths_of(model, n):
    """Every path series of n scenarios, float64[series, n], and the weights, gathered block by block."""
    chunk = Chunk(model, 0, n)
    chunk.add(run_block(model, 0, n, 500))
    return np.concatenate([chunk.paths[name] for name in SUMMARISED if name in chunk.paths]), chunk.rows["weight"]


@pytest.mark.parametrize("tail", ["plain", "importance"])
def test_exact_paths_have_the_quantiles_of_all_values(tail, tmp_path, small):
    """Also in files, after a resumption, and where scenarios were added: by definition, value by value."""
    study = random_study(tmp_path, 4, simulation={"tail": tail, "paths": "exact"})
    model = build_model(simulator.load_study(study))
    values, weight = paths_of(model, N)
    asked = (0.0, 0.01, 0.25, 0.5, 0.99, 1.0)
    held = simulate(model, N)
    found = held.quantiles.quantile(asked)
    for k, series in enumerate(values):
        order = np.argsort(series)
        at_or_below = np.cumsum(weight[order]) / weight.sum()
        least = [order[np.argmax(at_or_below >= level * (1 - 1e-12))] for level in asked]
        assert (found[:, k] == series[least]).all()
    assert held.quantiles.rank_error == 0.0
    small()
    kept = simulate(model, 4_096, enough=lambda _: N, folder=tmp_path, checkpoint=Checkpoint(tmp_path / "c", "x"))
    assert kept.in_files
    assert kept.quantiles.quantile(asked).tobytes() == found.tobytes()
    again = simulate(model, N, checkpoint=Checkpoint(tmp_path / "d", "x"))
    again = simulate(model, N, checkpoint=Checkpoint(tmp_path / "d", "x"))
    assert again.resumed == N
    assert again.quantiles.quantile(asked).tobytes() == found.tobytes()


def test_summaries_of_paths_are_as_near_as_they_say(tmp_path):
    """The rank of every summarised quantile among all values is within the stated error of what was asked for."""
    study = random_study(tmp_path, 4)
    summarised = simulate(build_model(simulator.load_study(study)), N)
    study["simulation"]["paths"] = "exact"
    exact = simulate(build_model(simulator.load_study(study)), N)
    error = summarised.quantiles.rank_error
    assert 0.0 < error < 0.005
    for level in (0.01, 0.05, 0.5, 0.95, 0.99):
        low, high = exact.quantiles.quantile([max(0.0, level - error), min(1.0, level + error + 1 / N)])
        told = summarised.quantiles.quantile([level])[0]
        assert ((low <= told) & (told <= high)).all()
    for name, values in summarised.sums.items():
        assert values.tobytes() == exact.sums[name].tobytes()


def test_a_study_with_exact_paths_says_that_nothing_is_lost(tmp_path):
    study = random_study(tmp_path, 4, simulation={"paths": "exact", "scenarios": 600})
    result = simulator.run(study)
    assert result.paths.attrs["rank_error"] == 0.0
    opened = open_result(result.save(tmp_path / "run"))
    xr.testing.assert_identical(opened.paths, result.paths)
