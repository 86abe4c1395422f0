"""The executor ``processes``: workers on this machine, each a fresh Python process of one thread.

A worker gets the model once, then one chunk after the other through a pipe. One that ends before its work is done, for
whatever reason, is replaced and its chunk is given out again.
"""

from __future__ import annotations

import multiprocessing
import signal
import traceback
from collections import Counter, deque
from collections.abc import Sequence
from contextlib import suppress
from dataclasses import dataclass
from multiprocessing.connection import Connection, wait
from multiprocessing.context import SpawnProcess
from multiprocessing.reduction import ForkingPickler
from typing import Any

from simulator.engine.blocks import Engine
from simulator.engine.executors import Chunks
from simulator.engine.interrupts import interrupts_held
from simulator.engine.model import Model
from simulator.engine.spans import OnBlock, Span
from simulator.errors import SimulatorError
from simulator.jit import set_threads

#: Workers that may be lost over one chunk before the run gives up.
MOST_LOST = 3


def work(connection: Connection, block: int | None) -> None:
    """A worker's life: take a model, then chunk after chunk, until the other end of the pipe is gone."""
    signal.signal(signal.SIGINT, signal.SIG_IGN)  # a terminal interrupts us too, but who started us decides
    set_threads(1)
    engine: Engine | None = None
    with suppress(EOFError, OSError):
        while True:
            task: Model | Span = connection.recv()
            try:
                if isinstance(task, Model):
                    engine = Engine(task, block)
                    engine.warm_up()
                else:
                    assert engine is not None
                    done = engine.chunk(task.first, task.count, connection.send)
                    connection.send(done)
            except (EOFError, OSError):
                raise
            except Exception as error:
                connection.send(_told(error))


def _told(error: Exception) -> Exception:
    """The error as another process can be told of it: what it knows by itself as it is, all else as a text."""
    if type(error) in (SimulatorError, MemoryError):
        return error
    return RuntimeError("in a worker process:\n" + "".join(traceback.format_exception(error)))


@dataclass
class Worker:
    """A worker process, our end of its pipe, and the chunk it is at."""

    process: SpawnProcess
    connection: Connection
    span: Span | None = None


class Processes:
    """Worker processes on this machine.

    Args:
        count: number of processes.
        block: scenarios per block, chosen by memory and time when None.
    """

    def __init__(self, count: int, block: int | None = None) -> None:
        self.count = count
        self.block = block
        self.workers: list[Worker] = []
        self.model: memoryview | None = None

    def ready(self, model: Model) -> None:
        """Send a model to all workers; they are started with the first."""
        if not self.workers:
            Engine(model, 4).warm_up()  # what has to be compiled is compiled once, here, and loaded by them
        # pickled once for all of them, and once more for each that replaces a lost one
        self.model = ForkingPickler.dumps(model)
        if self.workers:
            for worker in self.workers:
                self._send_model(worker)
        else:
            for at in range(self.count):
                self._start(at)

    def chunks(self, wanted: Sequence[Span], on_block: OnBlock) -> Chunks:
        """Give out chunks to workers as they become free."""
        waiting, lost = deque(wanted), Counter[Span]()
        try:
            while waiting or any(worker.span for worker in self.workers):
                for worker in self.workers:
                    if worker.span is None and waiting:
                        worker.span = waiting.popleft()
                        with suppress(OSError):  # a worker that is gone is noticed below
                            worker.connection.send(worker.span)
                busy = {worker.connection: at for at, worker in enumerate(self.workers) if worker.span}
                for connection in wait(list(busy)):
                    at = busy[connection]  # type: ignore[index]
                    worker = self.workers[at]
                    span = worker.span
                    assert span is not None
                    try:
                        message: Any = worker.connection.recv()
                    except (EOFError, OSError):
                        lost[span] += 1
                        if lost[span] >= MOST_LOST:
                            raise _given_up(span, worker) from None
                        waiting.appendleft(span)
                        _end(worker)
                        self._start(at)
                        continue
                    if isinstance(message, int):
                        on_block(span, message)
                    elif isinstance(message, Exception):
                        raise message
                    else:
                        worker.span = None
                        yield span, message
        except BaseException:
            self.close()
            raise

    def close(self) -> None:
        """End all workers, whatever they are doing."""
        for worker in self.workers:
            worker.process.kill()
        for worker in self.workers:
            _end(worker)
        self.workers = []

    def _start(self, at: int) -> None:
        """Start a worker in a place, at the end or of one that is lost, and send it the model."""
        context = multiprocessing.get_context("spawn")
        ours, theirs = context.Pipe()
        with interrupts_held():  # until it is listed: whoever is stopped ends all that are
            process = context.Process(target=work, args=(theirs, self.block), daemon=True)
            process.start()
            self.workers[at : at + 1] = [Worker(process, ours)]
        theirs.close()
        self._send_model(self.workers[at])

    def _send_model(self, worker: Worker) -> None:
        assert self.model is not None
        with suppress(OSError):  # a worker that is gone is noticed when its first chunk is missed
            worker.connection.send_bytes(self.model)


def _end(worker: Worker) -> None:
    worker.process.kill()
    worker.process.join()
    worker.connection.close()


def _given_up(span: Span, worker: Worker) -> SimulatorError:
    worker.process.join(1.0)
    return SimulatorError(
        f"{MOST_LOST} worker processes ended one after the other (exit code {worker.process.exitcode}) at scenarios "
        f"{span.first:,} to {span.first + span.count - 1:,}: if the memory of this machine is too small, use fewer "
        'with --threads; a Python script that uses processes keeps its calls below `if __name__ == "__main__":`'
    )
