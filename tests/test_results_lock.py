"""One run at a time in a run folder, and nothing of the lock left in it."""

import signal
import subprocess
import sys
import threading
from contextlib import contextmanager

import pytest

import simulator
from simulator.errors import SimulatorError
from simulator.results import lock
from simulator.results.lock import writing
from tests.fake_result import fake_result
from tests.studies import random_study
from tests.test_engine_repeatable import NO_PAGE, study_file

pytestmark = pytest.mark.skipif(lock.fcntl is None, reason="this system has no such locks")
REFUSED = r"another run is writing to .*run; wait for it or give another --out"


@contextmanager
def held_by_another(folder):
    """The folder, held by another process until the end."""
    code = (
        "import sys; from simulator.results.lock import writing\n"
        "with writing(sys.argv[1]): print(1, flush=True); input()"
    )
    process = subprocess.Popen(
        [sys.executable, "-c", code, str(folder)], stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True
    )
    try:
        assert process.stdout.readline() == "1\n"
        yield process
    finally:
        process.kill()
        process.communicate()


def test_a_second_run_is_refused_and_changes_nothing(tmp_path):
    path = study_file(random_study(tmp_path, 4) | {"simulation": {"scenarios": 100, "seed": 4}} | NO_PAGE, tmp_path)
    folder = fake_result(40).save(tmp_path / "run")
    before = {file: file.read_bytes() for file in folder.rglob("*") if file.is_file()}
    with held_by_another(folder):
        done = subprocess.run(
            [sys.executable, "-m", "simulator", "run", str(path), "--out", str(folder)], capture_output=True, text=True
        )
        with pytest.raises(SimulatorError, match=REFUSED):
            simulator.run(str(path), folder=folder)
        with pytest.raises(SimulatorError, match=REFUSED):
            fake_result(40).save(folder)
        after = {file: file.read_bytes() for file in folder.rglob("*") if file.is_file() and file.name != lock.LOCK}
    assert done.returncode == 2
    assert done.stderr.strip().splitlines() == [
        f"another run is writing to {folder}; wait for it or give another --out"
    ]
    assert after == before


def test_a_process_that_is_killed_holds_no_folder(tmp_path):
    folder = tmp_path / "run"
    with held_by_another(folder) as process:
        process.send_signal(signal.SIGKILL)
        process.wait()
        assert (folder / lock.LOCK).is_file()
        with writing(folder):
            pass
    assert list(folder.iterdir()) == []


def test_who_holds_a_folder_may_ask_again_and_another_thread_may_not(tmp_path):
    folder, told = tmp_path / "a" / "run", []

    def ask():
        try:
            with writing(folder):
                told.append("held")
        except SimulatorError as error:
            told.append(str(error))

    with writing(folder):
        with writing(folder):
            assert (folder / lock.LOCK).is_file()
        thread = threading.Thread(target=ask)
        thread.start()
        thread.join()
        assert [text.split(" to ")[0] for text in told] == ["another run is writing"]
    assert not (tmp_path / "a").exists()  # nothing was written
    ask()
    assert told[1:] == ["held"]


def test_a_lock_that_its_run_removed_meanwhile_is_none(tmp_path, monkeypatch):
    """Between opening the file and locking it, the run that held it may end and remove it."""
    flock, calls = lock.fcntl.flock, []

    def late(descriptor, how):
        calls.append(descriptor)
        if len(calls) == 1:
            (tmp_path / lock.LOCK).unlink()
        flock(descriptor, how)

    monkeypatch.setattr(lock.fcntl, "flock", late)
    with writing(tmp_path):
        assert len(calls) == 2
        assert (tmp_path / lock.LOCK).is_file()
    assert list(tmp_path.iterdir()) == []


def test_a_file_system_without_locks_is_written_all_the_same(tmp_path, monkeypatch):
    def none(descriptor, how):
        raise OSError(95, "Operation not supported")

    monkeypatch.setattr(lock.fcntl, "flock", none)
    with writing(tmp_path / "run"):
        (tmp_path / "run" / "file").touch()
    assert [path.name for path in (tmp_path / "run").iterdir()] == ["file"]
