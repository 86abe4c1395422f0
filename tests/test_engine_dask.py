"""Dask: a scheduler that does not answer or has no workers, and workers with another program."""

import json
import os
import shutil
import socket
import subprocess
import sys
import threading
from contextlib import ExitStack, closing, contextmanager
from pathlib import Path

import pytest

import simulator
from simulator.engine.executors import make_executor
from simulator.engine.model import build_model
from simulator.engine.run import simulate
from simulator.engine.spans import Span
from simulator.errors import SimulatorError
from tests.executor_cases import needs_dask, quiet_dask, wait_until
from tests.studies import random_study


@pytest.fixture(scope="module")
def model(tmp_path_factory):
    return build_model(simulator.load_study(random_study(tmp_path_factory.mktemp("dask"), 4)))


@pytest.fixture(scope="module")
def straight(model):
    return simulate(model, 400)


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
    assert first.rows["collected"].tobytes() == straight.rows["collected"].tobytes()


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
