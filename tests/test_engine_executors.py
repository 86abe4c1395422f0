"""Executors: the same bytes whoever simulates, nothing lost with a worker, and an end at once when interrupted."""

import os
import signal
import subprocess
import sys
from contextlib import closing
from pathlib import Path

import pytest

import simulator
from simulator.engine.checkpoint import Checkpoint
from simulator.engine.executors import make_executor
from simulator.engine.model import build_model
from simulator.engine.run import simulate
from simulator.engine.spans import Span, spans
from simulator.errors import SimulatorError
from tests.executor_cases import needs_dask, quiet_dask, wait_until
from tests.studies import random_study
from tests.test_engine_repeatable import NO_PAGE, files_of, same, study_file

N = 9_000  # two whole chunks and a part
COMMAND = [sys.executable, "-m", "simulator", "run"]
OTHERS = ["processes", pytest.param("dask", marks=[needs_dask, quiet_dask])]


@pytest.fixture(scope="module")
def study(tmp_path_factory):
    return random_study(tmp_path_factory.mktemp("executors"), 4)


@pytest.fixture(scope="module")
def model(study):
    return build_model(simulator.load_study(study))


@pytest.fixture(scope="module")
def straight(model):
    return simulate(model, N)


def test_spans_are_the_canonical_chunks():
    assert spans(0, 9_000) == [Span(0, 0, 4096), Span(1, 4096, 4096), Span(2, 8192, 808)]
    assert spans(8192, 9_000) == [Span(2, 8192, 808)]
    assert spans(0, 0) == []


@pytest.mark.parametrize("name", OTHERS)
def test_executors_give_the_same_bytes(name, model, straight, tmp_path):
    seen = []
    with closing(make_executor(name, workers=2)) as workers:
        whole = simulate(model, N, executor=workers, progress=lambda done, total: seen.append((done, total)))
        same(whole, straight)
        assert seen[-1] == (N, N)
        assert seen == sorted(seen)
        # the same workers again, now with two chunks from a checkpoint
        simulate(model, 8192, checkpoint=Checkpoint(tmp_path / "c", "x"))
        again = simulate(model, N, executor=workers, checkpoint=Checkpoint(tmp_path / "c", "x"))
    assert again.resumed == 8192
    same(again, straight)


def test_processes_take_one_model_after_the_other(model, straight, tmp_path):
    other = build_model(simulator.load_study(random_study(tmp_path, 4) | {"simulation": {"seed": 99}}))
    with closing(make_executor("processes", workers=1)) as workers:
        first = simulate(other, 400, executor=workers)
        second = simulate(model, 400, executor=workers)
    assert first.rows["collected"].tobytes() == simulate(other, 400).rows["collected"].tobytes()
    assert second.rows["collected"].tobytes() == straight.rows["collected"][:400].tobytes()


def pids(workers):
    """Process ids of an executor's workers."""
    if hasattr(workers, "cluster"):
        return [nanny.pid for nanny in workers.cluster.workers.values()]
    return [worker.process.pid for worker in workers.workers]


@pytest.mark.parametrize("name", OTHERS)
def test_a_lost_worker_is_replaced(name, model, straight):
    with closing(make_executor(name, workers=2)) as workers:
        killed = []

        def kill_one(done, total):
            if not killed:
                killed.append(pids(workers)[0])
                os.kill(killed[0], signal.SIGKILL)

        found = simulate(model, N, executor=workers, progress=kill_one)
        assert killed[0] not in pids(workers)
    same(found, straight)


def test_workers_that_are_lost_again_and_again_end_the_run(model):
    with closing(make_executor("processes", workers=1)) as workers:

        def kill(done, total):
            os.kill(workers.workers[0].process.pid, signal.SIGKILL)

        with pytest.raises(
            SimulatorError, match=r"3 worker processes ended .*\(exit code -9\) at scenarios 0 to 4,095"
        ):
            simulate(model, N, executor=workers, progress=kill)
        assert workers.workers == []


def test_an_error_in_a_worker_is_told(model):
    with closing(make_executor("processes", workers=1)) as workers:
        workers.ready(model)
        with pytest.raises(RuntimeError, match=r"(?s)in a worker process:.*blocks start and end at multiples of four"):
            list(workers.chunks([Span(0, 2, 400)], lambda span, done: None))


def test_unknown_executors_and_useless_schedulers_are_refused(study):
    with pytest.raises(SimulatorError, match=r"unknown executor 'proceses'; known: .*; did you mean processes\?"):
        simulator.run(study, "proceses")
    with pytest.raises(SimulatorError, match=r"used by the executor dask only, not by processes"):
        simulator.run(study, "processes", scheduler="tcp://127.0.0.1:1")


def children(pid):
    """Processes that descend from a process, by /proc."""
    parents = {}
    for folder in Path("/proc").iterdir():
        if folder.name.isdigit():
            try:
                parents[int(folder.name)] = int((folder / "stat").read_text().rsplit(")", 1)[1].split()[1])
            except OSError:
                continue
    found, front = [], [pid]
    while front:
        front = [child for child, parent in parents.items() if parent in front]
        found += front
    return found


def alive(pid):
    try:
        return (Path("/proc") / str(pid) / "stat").read_text().rsplit(")", 1)[1].split()[0] not in "ZX"
    except OSError:
        return False


@pytest.fixture(scope="module")
def undisturbed(study, tmp_path_factory):
    """The file of a study, and what a run leaves that nobody stops."""
    folder = tmp_path_factory.mktemp("undisturbed")
    path = study_file(study | {"simulation": {"scenarios": 30_000, "seed": 4}} | NO_PAGE, folder)
    subprocess.run([*COMMAND, str(path), "--quiet", "--out", str(folder / "run")], check=True, capture_output=True)
    return path, files_of(folder / "run")


@pytest.mark.skipif(not Path("/proc").is_dir(), reason="processes are looked up in /proc")
@pytest.mark.parametrize(
    ("name", "sign"),
    [
        pytest.param("processes", signal.SIGINT),
        pytest.param("dask", signal.SIGKILL, marks=[needs_dask, quiet_dask]),
        pytest.param("processes", signal.SIGKILL, marks=pytest.mark.slow),
        pytest.param("dask", signal.SIGINT, marks=[needs_dask, quiet_dask, pytest.mark.slow]),
    ],
)
def test_a_stopped_run_goes_on_with_any_executor_and_leaves_no_process(undisturbed, tmp_path, name, sign):
    path, expected = undisturbed
    arguments = [*COMMAND, str(path), "--quiet", "--out"]
    process = subprocess.Popen(
        [*arguments, str(tmp_path / "stopped"), "--executor", name, "--threads", "2"],
        stderr=subprocess.PIPE,
        text=True,
        start_new_session=True,
        preexec_fn=lambda: signal.signal(signal.SIGINT, signal.SIG_DFL),
    )
    wait_until(lambda: any((tmp_path / "stopped").rglob("chunk-*.npz")) or process.poll() is not None)
    below = children(process.pid)
    assert len(below) >= 2
    # a terminal interrupts the whole group, as the workers should not take to heart
    (os.killpg if sign == signal.SIGINT else os.kill)(process.pid, sign)
    _, errors = process.communicate(timeout=60)
    assert process.returncode == (130 if sign == signal.SIGINT else -9)
    if sign == signal.SIGINT:
        assert (
            errors.strip()
            == "stopped; finished chunks (4,096 scenarios) are kept: the same command goes on where it was"
        )
    wait_until(lambda: not any(alive(pid) for pid in below), 30)
    done = subprocess.run([*arguments, str(tmp_path / "stopped")], check=True, capture_output=True)
    assert done.stderr == b""
    assert files_of(tmp_path / "stopped") == expected
