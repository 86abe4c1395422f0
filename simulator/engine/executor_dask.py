"""The executor ``dask``: chunks as tasks of a Dask cluster, one on this machine where no scheduler is named.

The model is sent to every worker once, as bytes that only a worker with the same program reads. What a lost worker had
to do, and the model where only that worker had it, is given to others by Dask. Every worker runs one chunk at a time,
on all its threads.
"""

from __future__ import annotations

import hashlib
import logging
import os
import pickle
import signal
import threading
import warnings
from collections import deque
from collections.abc import Callable, Sequence
from concurrent.futures import CancelledError
from contextlib import suppress
from typing import Any

import numpy as np

from simulator.engine.blocks import Engine
from simulator.engine.checkpoint import Arrays
from simulator.engine.executors import Chunks
from simulator.engine.interrupts import interrupts_held
from simulator.engine.model import Model
from simulator.engine.spans import OnBlock, Span
from simulator.errors import SimulatorError
from simulator.jit import set_threads, source_digest

#: Seconds to wait for a scheduler to answer.
SCHEDULER_SECONDS = 10

_ENGINES: dict[str, Engine] = {}
_ONE_AT_A_TIME = threading.Lock()


def program() -> str:
    """What shapes the numbers beside the study: the sources of this package, Python, numba and NumPy."""
    return f"{source_digest()} NumPy {np.__version__}"


def _other_program(address: str) -> SimulatorError:
    return SimulatorError(
        f"the Dask worker {address} has other versions of the simulator, Python, numba or NumPy than this command, "
        "and would give other numbers: install the same everywhere"
    )


def _is_of_another_program(error: Exception) -> bool:
    """Whether an error is about a task that cannot be read for want of this package; the scheduler wraps its own."""
    told = error.__cause__ if isinstance(error, RuntimeError) else error
    return str(told).startswith(("No module named 'simulator", "Can't get attribute"))


def simulate_chunk(content: bytes, name: str, wanted: str, span: Span, block: int | None) -> Arrays:
    """Simulate one chunk, on a worker; its engine stays for the next.

    Args:
        content: the study made ready, pickled; read only where the program is the same.
        name: name of the model.
        wanted: the program that asks; another one would give other numbers.
        span: the chunk.
        block: scenarios per block, chosen by memory and time when None.
    """
    from distributed import get_worker

    worker = get_worker()
    if program() != wanted:
        raise _other_program(worker.address)
    with _ONE_AT_A_TIME:
        set_threads(worker.state.nthreads)
        if name not in _ENGINES:
            _ENGINES.clear()
            _ENGINES[name] = Engine(pickle.loads(content), block)
            _ENGINES[name].warm_up()
        return _ENGINES[name].chunk(span.first, span.count, lambda done: None)


class Dask:
    """Workers of a Dask cluster.

    Args:
        count: number of workers where the cluster is on this machine.
        block: scenarios per block, chosen by memory and time when None.
        scheduler: address of the cluster's scheduler, such as ``tcp://10.0.0.1:8786``; None for this machine.
        note: told, in a sentence, when there is no worker yet.

    Raises:
        SimulatorError: Dask is not installed, or the scheduler does not answer.
    """

    def __init__(
        self,
        count: int,
        block: int | None = None,
        scheduler: str | None = None,
        note: Callable[[str], None] | None = None,
    ) -> None:
        try:
            import distributed
        except ImportError as error:
            raise SimulatorError("the executor dask needs Dask: pip install 'trade-credit-simulator[dask]'") from error
        self.block = block
        self.cluster: Any = None
        self.client: Any = None
        logging.getLogger("distributed").setLevel(logging.CRITICAL)
        if scheduler is None:
            with interrupts_held():
                self.cluster = distributed.LocalCluster(
                    n_workers=count, threads_per_worker=1, dashboard_address=None, silence_logs=logging.CRITICAL
                )
                self.client = distributed.Client(self.cluster, timeout=SCHEDULER_SECONDS)
        else:
            self.client = _connected(scheduler)
        self.scheduler = scheduler
        self.note = note
        self.name = ""
        self.content: Any = None

    def ready(self, model: Model) -> None:
        """Hand over a model as a task of its own: every worker gets its result once, and Dask can do it again."""
        if self.cluster is not None and not self.name:
            Engine(model, 4).warm_up()  # what has to be compiled is compiled once, here, and loaded by the workers
        self._check_workers()
        content = pickle.dumps(model, protocol=pickle.HIGHEST_PROTOCOL)
        self.name = f"model-{hashlib.blake2b(content, digest_size=8).hexdigest()}"
        with warnings.catch_warnings():
            warnings.filterwarnings("ignore", "Sending large graph")
            self.content = self.client.submit(bytes, content, key=self.name)

    def _check_workers(self) -> None:
        """Wait for a worker, and find out whether all there are have this program; those to come check it themselves.

        Raises:
            SimulatorError: a worker has another program, or none.
        """
        if not self.client.nthreads():
            if self.note is not None:
                self.note(f"waiting for workers of the Dask scheduler at {self.scheduler}")
            self.client.wait_for_workers(1)
        for address, found in self.client.run(program, on_error="return").items():
            # a worker without this package answers with an error; one that was lost meanwhile is Dask's affair
            if found != program() and not isinstance(found, OSError):
                raise _other_program(address)

    def chunks(self, wanted: Sequence[Span], on_block: OnBlock) -> Chunks:
        """Keep twice as many chunks in hand as there are workers."""
        from distributed import KilledWorker, as_completed

        waiting, running = deque(wanted), dict[str, Span]()
        finished = as_completed()
        while waiting or running:
            room = 2 * max(1, len(self.client.nthreads())) - len(running)
            for span in [waiting.popleft() for _ in range(min(room, len(waiting)))]:
                future = self.client.submit(
                    simulate_chunk, self.content, self.name, program(), span, self.block,
                    key=f"chunk-{self.name}-{span.index}-{span.count}",
                )  # fmt: skip
                running[future.key] = span
                finished.add(future)
            future = next(finished)
            span = running.pop(future.key)
            try:
                arrays = future.result()
            except KilledWorker as error:
                raise SimulatorError(
                    f"Dask workers ended again and again at scenarios {span.first:,} to "
                    f"{span.first + span.count - 1:,}: give them more memory"
                ) from error
            except CancelledError as error:
                raise SimulatorError(
                    "the Dask scheduler is gone; finished chunks (4,096 scenarios) are kept: the same command goes on "
                    "where it was"
                ) from error
            except (ImportError, AttributeError, RuntimeError) as error:
                if _is_of_another_program(error):
                    raise SimulatorError(
                        "the Dask scheduler or a worker that came later has another version of the simulator than "
                        "this command, or none: install the same everywhere"
                    ) from error
                raise
            future.release()
            on_block(span, span.count)
            yield span, arrays

    def close(self) -> None:
        """Leave the cluster; one on this machine is ended, whatever it is doing."""
        if self.client is None:
            return
        self.content = None
        if self.cluster is not None:
            for nanny in self.cluster.workers.values():
                nanny.close_gracefully()  # nobody is started in its place
                with suppress(OSError, TypeError):  # it has ended already
                    os.kill(nanny.pid, signal.SIGKILL)
            self.cluster.close(timeout=5)
        self.client.close(timeout=1)
        self.client = None


def _connected(scheduler: str) -> Any:
    """A client of a scheduler. Something else that answers there may hold Dask up for ever: it has a thread of its own.

    Raises:
        SimulatorError: no scheduler answers in time.
    """
    import distributed

    found: list[Any] = []

    def connect() -> None:
        try:
            found.append(distributed.Client(scheduler, timeout=SCHEDULER_SECONDS))
        except Exception as error:  # whatever Dask makes of an answer in another language
            found.append(error)

    thread = threading.Thread(target=connect, name="connect", daemon=True)
    with interrupts_held():
        thread.start()
    thread.join(SCHEDULER_SECONDS + 1)  # Dask's own limit comes first where it is kept
    if not found or isinstance(found[0], Exception):
        raise SimulatorError(f"no Dask scheduler answers at {scheduler}") from (found[0] if found else None)
    return found[0]
