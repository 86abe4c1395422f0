"""Who draws the figures makes no difference: this process, one beside it, or one that is lost."""

import multiprocessing
import subprocess
import sys

import pytest

from simulator.compare.paired import full_summary
from simulator.report.figures import artist
from simulator.report.figures.artist import Artist, drawing_beside
from simulator.report.write import write_report
from tests.fake_result import fake_result


@pytest.fixture(scope="module")
def result():
    plain = fake_result(400, stresses=("pessimistic",))
    return plain.with_summary(full_summary(plain))


def contents(folder):
    return {str(path.relative_to(folder)): path.read_bytes() for path in sorted(folder.rglob("*")) if path.is_file()}


def test_a_process_beside_draws_the_same_and_ends(result, tmp_path):
    plain = write_report(result, tmp_path / "plain", formats=("html",))
    with drawing_beside() as one:
        one.begin(result)
        assert len(multiprocessing.active_children()) == 1
        beside = write_report(result, tmp_path / "beside", formats=("html",), artist=one)
    assert multiprocessing.active_children() == []
    assert beside == {"html": tmp_path / "beside" / "report.html"}
    assert plain["html"].read_bytes() == beside["html"].read_bytes()
    assert contents(tmp_path / "plain") == contents(tmp_path / "beside")


@pytest.mark.parametrize("lost", ["before", "after"])
def test_what_a_lost_process_should_have_drawn_is_drawn_here(result, lost):
    here = Artist()
    here.begin(result)
    with drawing_beside() as one:
        if lost == "after":
            one.begin(result)
        for process in multiprocessing.active_children():
            process.kill()
            process.join()
        if lost == "before":
            one.begin(result)
        assert one.drawn() == here.drawn()


def test_without_a_process_all_is_drawn_here(result, monkeypatch):
    def refuse(self):
        raise OSError(11, "Resource temporarily unavailable")

    monkeypatch.setattr(artist.multiprocessing.get_context("spawn").Process, "start", refuse)
    here = Artist()
    here.begin(result)
    with drawing_beside() as one:
        one.begin(result)
        assert one.drawn() == here.drawn()


@pytest.mark.parametrize(
    ("module", "forbidden"),
    [
        ("simulator.report.write", {"matplotlib", "xarray", "dask"}),
        ("simulator.report.figures.catalogue", {"matplotlib", "numba", "scipy", "pydantic", "xarray"}),
        ("simulator.results.store", {"h5py", "xarray", "pandas"}),
    ],
)
def test_what_is_slow_to_load_is_loaded_late(module, forbidden):
    code = f"import sys, {module}; found = {forbidden} & set(sys.modules); assert not found, found"
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr


def test_xarray_without_dask_does_not_load_it():
    """Dask itself can still be used in the process."""
    pytest.importorskip("dask")
    code = (
        "import sys, numpy as np\n"
        "from simulator.results.dataset import without_dask\n"
        "without_dask()\n"
        "import xarray as xr\n"
        "one = xr.Dataset({'a': (('x', 'y'), np.ones((2, 3)))}, coords={'x': np.array(['p', 'q'], dtype=object)})\n"
        "one = one.copy(); one['a'].transpose('y', 'x').to_numpy(); (one + one).sum().load()\n"
        "assert not {'dask', 'distributed'} & set(sys.modules)\n"
        "import dask.base\n"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr
