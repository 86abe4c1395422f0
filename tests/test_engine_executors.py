"""Executors: the same bytes whoever simulates, nothing lost with a worker, and an end at once when interrupted."""

import json
import os
import shutil
import signal
import socket
import subprocess
import sys
import threading
import time
from contextlib import ExitStack, closing, contextmanager
from pathlib import Path

import pytest

import simulator
from simulator.engine.checkpoint import Checkpoint
from simulator.engine.executors import make_executor
from simulator.engine.model import build_model
from simulator.engine.run import simulate
from simulator.engine.spans import Span, spans
from simulator.errors import SimulatorError
from tests.studies import random_study
from tests.test_engine_repeatable import NO_PAGE, files_of, same, study_file

N = 9_000  # two whole chunks and a part
COMMAND = [sys.executable, "-m", "simulator", "run"]


def installed():
    """Whether Dask is: it is an extra."""
    try:
        import distributed
    except ImportError:
        return False
    return bool(distributed)


needs_dask = pytest.mark.skipif(not installed(), reason="Dask is not installed")
#: What Dask itself warns of is not ours.
quiet_dask = pytest.mark.filterwarnings("ignore")
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


def test_dask_that_is_not_installed_is_said(monkeypatch):
    monkeypatch.setitem(sys.modules, "distributed", None)
    with pytest.raises(SimulatorError, match=r"pip install 'trade-credit-simulator\[dask\]'"):
        make_executor("dask", workers=1)


@needs_dask
@quiet_dask
def test_a_scheduler_that_does_not_answer_is_said(monkeypatch):
    from simulator.engine import executor_dask

    monkeypatch.setattr(executor_dask, "SCHEDULER_SECONDS", 0.5)
    with pytest.raises(SimulatorError, match=r"no Dask scheduler answers at tcp://127\.0\.0\.1:1"):
        make_executor("dask", workers=1, scheduler="tcp://127.0.0.1:1")


@needs_dask
@quiet_dask
@pytest.mark.parametrize("answer", [b"", b"HTTP/1.1 400 Bad Request\r\n\r\n" * 50])
def test_something_else_than_a_scheduler_is_said(answer):
    """In a process of its own: what Dask goes on trying there ends with it."""
    callers = []
    with socket.create_server(("127.0.0.1", 0)) as server:

        def serve():
            for _ in range(2):  # Dask may try again
                try:
                    callers.append(server.accept()[0])
                    callers[-1].sendall(answer)
                except OSError:
                    return

        threading.Thread(target=serve, daemon=True).start()
        address = f"tcp://127.0.0.1:{server.getsockname()[1]}"
        program = (
            "from simulator.engine import executor_dask, executors; executor_dask.SCHEDULER_SECONDS = 1; "
            f"executors.make_executor('dask', workers=1, scheduler={address!r})"
        )
        done = subprocess.run([sys.executable, "-c", program], capture_output=True, text=True, timeout=120, cwd=HERE)
        assert done.stderr.rstrip().endswith(f"SimulatorError: no Dask scheduler answers at {address}")
        assert callers
    for caller in callers:
        caller.close()


@contextmanager
def dask(role, *arguments, path):
    """One of Dask's own commands, whose Python finds packages at a path."""
    process = subprocess.Popen(
        [sys.executable, "-m", f"distributed.cli.dask_{role}", *arguments, "--no-dashboard"],
        cwd=path,
        env=os.environ | {"PYTHONPATH": str(path)},
        stdout=subprocess.DEVNULL,
        stderr=subprocess.DEVNULL,
    )
    try:
        yield
    finally:
        process.kill()
        process.wait()


#: Where this package lies.
HERE = Path(simulator.__file__).parents[1]


@contextmanager
def scheduler(folder, path=HERE):
    """A scheduler in a process of its own, without workers; gives its address."""
    place = folder / "scheduler.json"
    with dask("scheduler", "--port", "0", "--scheduler-file", str(place), path=path):
        wait_until(lambda: place.exists() and place.read_text().endswith("}"))
        yield json.loads(place.read_text())["address"]


def worker(address, path=HERE):
    """A worker in a process of its own."""
    return dask("worker", address, "--no-nanny", "--nthreads", "1", path=path)


@needs_dask
@quiet_dask
def test_a_scheduler_without_workers_is_waited_for_and_said_once(model, straight, tmp_path):
    said = []
    with ExitStack() as started, scheduler(tmp_path) as address:

        def note(text):
            said.append(text)
            started.enter_context(worker(address))

        with closing(make_executor("dask", workers=1, scheduler=address, note=note)) as workers:
            first = simulate(model, 400, executor=workers)
            simulate(model, 400, executor=workers)
    assert said == [f"waiting for workers of the Dask scheduler at {address}"]
    assert first.rows["collected"].tobytes() == straight.rows["collected"][:400].tobytes()


@needs_dask
@quiet_dask
@pytest.mark.parametrize("content", ["nothing", "other sources"])
def test_workers_with_another_program_are_refused(model, tmp_path, content):
    package = tmp_path / "simulator"
    if content == "nothing":
        package.mkdir()
        (package / "__init__.py").touch()
    else:
        shutil.copytree(Path(simulator.__file__).parent, package, ignore=shutil.ignore_patterns("__pycache__"))
        with (package / "constants.py").open("a") as file:
            file.write("\n# another program\n")
    with (
        scheduler(tmp_path) as address,
        worker(address, tmp_path),
        closing(make_executor("dask", workers=1, scheduler=address)) as workers,
        pytest.raises(SimulatorError, match=r"the Dask worker tcp://.* has other versions of the simulator"),
    ):
        workers.ready(model)


@needs_dask
@quiet_dask
def test_a_scheduler_without_the_package_is_said(model, tmp_path):
    (tmp_path / "simulator").mkdir()
    (tmp_path / "simulator" / "__init__.py").touch()
    with (
        scheduler(tmp_path, tmp_path) as address,
        worker(address),
        closing(make_executor("dask", workers=1, scheduler=address)) as workers,
        pytest.raises(SimulatorError, match=r"the Dask scheduler or a worker that came later has another version"),
    ):
        simulate(model, 4, executor=workers)


@needs_dask
@quiet_dask
def test_a_worker_that_comes_later_reads_no_model_of_another_program(model, monkeypatch):
    from simulator.engine import executor_dask

    warmed = []

    class Noted(executor_dask.Engine):
        def warm_up(self):
            warmed.append(self.block)
            super().warm_up()

    monkeypatch.setattr(executor_dask, "Engine", Noted)
    with closing(make_executor("dask", workers=1)) as workers:
        workers.ready(model)
        workers.ready(model)
        assert warmed == [4]  # here, once: workers of this machine only load what is compiled
        wrong = workers.client.submit(executor_dask.simulate_chunk, b"no model", "x", "other", Span(0, 0, 4), None)
        with pytest.raises(SimulatorError, match=r"the Dask worker tcp://.* has other versions of the simulator"):
            wrong.result()


def test_another_numpy_is_another_program(monkeypatch):
    from simulator.engine import executor_dask

    before = executor_dask.program()
    monkeypatch.setattr(executor_dask.np, "__version__", "1.0")
    assert executor_dask.program() != before


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


def wait_until(what, seconds=120):
    for _ in range(int(seconds / 0.02)):
        if what():
            return
        time.sleep(0.02)
    raise AssertionError("it did not happen in time")


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
