"""Files that are put in place together, and NetCDF as xarray would write it."""

import datetime as dt
import os
import subprocess
import sys

import h5py
import numpy as np
import pytest
import xarray as xr

from simulator.errors import SimulatorError
from simulator.results import files
from simulator.results.files import together, write_text
from simulator.results.netcdf import write_dataset


def names(folder):
    return sorted(path.name for path in folder.iterdir())


def write_and_stop(folder, wanted, stop=None):
    with together():
        for name in wanted:
            write_text(folder / name, "new")
        if stop is not None:
            raise stop


def test_files_written_together_come_at_the_end_in_their_order(tmp_path, monkeypatch):
    placed = []
    monkeypatch.setattr(files.os, "replace", lambda old, new: (placed.append(new.name), os.rename(old, new)))
    (tmp_path / "b").mkdir()
    with together():
        for name in ("z.txt", "b/y.txt", "a.txt"):
            write_text(tmp_path / name, name)
            with together():
                write_text(tmp_path / f"{name}2", name)
        assert placed == []
        assert not [name for name in names(tmp_path) if not name.startswith(".") and name != "b"]
    assert placed == ["z.txt", "z.txt2", "y.txt", "y.txt2", "a.txt", "a.txt2"]
    assert names(tmp_path) == ["a.txt", "a.txt2", "b", "z.txt", "z.txt2"]
    assert (tmp_path / "b" / "y.txt").read_text() == "b/y.txt"


def test_of_two_texts_for_one_file_the_last_stays(tmp_path):
    with together():
        write_text(tmp_path / "a.txt", "first")
        write_text(tmp_path / "a.txt", "last")
    assert (tmp_path / "a.txt").read_text() == "last"
    assert names(tmp_path) == ["a.txt"]


@pytest.mark.parametrize("stop", [KeyboardInterrupt, SimulatorError])
def test_a_body_that_stops_leaves_everything_as_it_was(tmp_path, stop):
    write_text(tmp_path / "a.txt", "old")
    with pytest.raises(stop):
        write_and_stop(tmp_path, ["a.txt", "b.txt"], stop)
    assert names(tmp_path) == ["a.txt"]
    assert (tmp_path / "a.txt").read_text() == "old"
    write_text(tmp_path / "b.txt", "at once")
    assert names(tmp_path) == ["a.txt", "b.txt"]


def test_a_file_that_cannot_be_synced_is_named(tmp_path, monkeypatch):
    def full(path):
        if "b.txt" in path.name:
            raise OSError(28, "No space left on device")

    monkeypatch.setattr(files, "_sync", full)
    with pytest.raises(SimulatorError, match=r"cannot write .*b\.txt: no space left on device"):
        write_and_stop(tmp_path, ["a.txt", "b.txt", "c.txt"])
    assert names(tmp_path) == ["a.txt"]


def dataset():
    rng = np.random.default_rng(7)
    loss = rng.normal(size=(3, 500))
    loss[0, :7] = np.nan, np.inf, -np.inf, -0.0, 0.0, 1e-320, np.nan
    return xr.Dataset(
        {
            "loss": (("programme", "scenario"), loss, {"units": "EUR", "long_name": "Loss, 损失"}),
            "turned": (("scenario", "programme"), loss.T[:, ::-1]),
            "count": (("scenario",), rng.integers(-5, 5, 500).astype(np.int32), {"units": "1"}),
            "mean": (("programme",), rng.normal(size=3)),
            "single": (("one",), [4.5]),
        },
        coords={
            "programme": np.array(["Self-insurance", "保险 80 %", ""], dtype=object),
            "scenario": np.arange(500),
            "one": [0.5],
            "period": np.array([dt.date(2026, 11, 6), dt.date(1969, 1, 1)], dtype="datetime64[ns]"),
        },
        attrs={"rank_error": 0.0025},
    )


def test_netcdf_is_what_xarray_writes(tmp_path):
    ours, theirs = tmp_path / "ours.nc", tmp_path / "theirs.nc"
    write_dataset(dataset(), ours)
    kinds = {str(name): {"_FillValue": None} for name, v in dataset().variables.items() if v.dtype.kind in "fiM"}
    kinds["period"] |= {"units": "days since 1970-01-01", "dtype": "int64"}
    dataset().to_netcdf(theirs, engine="h5netcdf", encoding=kinds)
    with xr.open_dataset(ours, engine="h5netcdf") as one, xr.open_dataset(theirs, engine="h5netcdf") as other:
        xr.testing.assert_identical(one.load(), other.load())
        assert list(one.variables) == list(other.variables)
        assert [v.dtype for v in one.variables.values()] == [v.dtype for v in other.variables.values()]
        assert np.array_equal(np.signbit(one["loss"]), np.signbit(dataset()["loss"]))
    with h5py.File(ours) as one, h5py.File(theirs) as other:
        for name in other:
            scales = [[scale.name for dim in file[name].dims for scale in dim.values()] for file in (one, other)]
            assert scales[0] == scales[1]
            for mark in ("CLASS", "NAME"):
                assert one[name].attrs.get(mark) == other[name].attrs.get(mark)
        order = {name: int(one[name].attrs["_Netcdf4Dimid"]) for name in one if one[name].is_scale}
        assert sorted(order.values()) == list(range(4))


def test_equal_datasets_give_equal_bytes(tmp_path):
    for name in ("a.nc", "b.nc"):
        write_dataset(dataset(), tmp_path / name)
    assert (tmp_path / "a.nc").read_bytes() == (tmp_path / "b.nc").read_bytes()


FULL = """
import resource, signal, sys
from pathlib import Path
import numpy as np
import xarray as xr
from simulator.results.netcdf import write_dataset
numbers = np.random.default_rng(1).random((40, 5_000))
data = xr.Dataset({f"v{k}": (("a", "b"), numbers + k) for k in range(3)}, {"a": range(40), "b": range(5_000)})
signal.signal(signal.SIGXFSZ, signal.SIG_IGN)
for room in (0, 1_000, 100_000, 2_000_000):
    resource.setrlimit(resource.RLIMIT_FSIZE, (room, resource.RLIM_INFINITY))
    try:
        write_dataset(data, Path(sys.argv[1]))
    except OSError as error:
        print(room, error.strerror)
resource.setrlimit(resource.RLIMIT_FSIZE, (resource.RLIM_INFINITY, resource.RLIM_INFINITY))
write_dataset(data, Path(sys.argv[1]))
print(xr.open_dataset(sys.argv[1], engine="h5netcdf").load().identical(data))
"""


@pytest.mark.skipif(os.name != "posix", reason="limits of file size are POSIX's")
def test_netcdf_that_finds_no_room_is_an_error_and_nothing_worse(tmp_path):
    """In a process of its own: a write that fails must not take the process with it."""
    done = subprocess.run(
        [sys.executable, "-c", FULL, str(tmp_path / "a.nc")], capture_output=True, text=True, check=False
    )
    assert done.returncode == 0, done.stderr
    assert done.stdout.splitlines() == [*(f"{n} File too large" for n in (0, 1_000, 100_000, 2_000_000)), "True"]
