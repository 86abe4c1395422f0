"""Executors: who simulates the chunks of a run. All give the same bytes, whatever they do at the same time."""

from __future__ import annotations

from collections.abc import Callable, Generator, Sequence
from typing import Protocol

from simulator.engine.blocks import Engine
from simulator.engine.checkpoint import Arrays
from simulator.engine.lanes import Lanes
from simulator.engine.model import Model
from simulator.engine.spans import OnBlock, Span
from simulator.errors import SimulatorError, closest
from simulator.jit import shared_by, thread_info

#: Names of the executors, the default first.
EXECUTORS = ("threads", "processes", "dask")


Chunks = Generator[tuple[Span, Arrays], None, None]


class Executor(Protocol):
    """Simulates chunks somewhere."""

    def ready(self, model: Model) -> None:
        """Bring a model to where the work is done, once, and have its kernels compiled."""

    def chunks(self, wanted: Sequence[Span], on_block: OnBlock) -> Chunks:
        """Simulate chunks of the model that was made ready.

        Args:
            wanted: the chunks, in order.
            on_block: told about progress within them.

        Yields:
            Every chunk with its arrays, once, as it is finished; not always in order.
        """

    def close(self) -> None:
        """End whatever was started, at once; work that is not finished is lost."""


class Threads:
    """The threads of this process, each with blocks of its own; the chunks come in order.

    Args:
        block: scenarios per block, chosen by memory and time when None.
    """

    def __init__(self, block: int | None = None) -> None:
        self.block = block
        self.engine: Engine | None = None

    def ready(self, model: Model) -> None:
        """Compile or load the kernels."""
        self.engine = Engine(model, self.block, int(thread_info()["threads"]))
        with shared_by(1):
            self.engine.warm_up()

    def chunks(self, wanted: Sequence[Span], on_block: OnBlock) -> Chunks:
        """Simulate chunk after chunk."""
        assert self.engine is not None
        if self.engine.lanes > 1:
            yield from Lanes(self.engine, wanted).chunks(on_block)
            return
        for span in wanted:
            yield span, self.engine.chunk(span.first, span.count, lambda done, span=span: on_block(span, done))  # type: ignore[misc]

    def close(self) -> None:
        """Nothing was started that is not at its end."""


def make_executor(
    name: str,
    *,
    workers: int,
    block: int | None = None,
    scheduler: str | None = None,
    note: Callable[[str], None] | None = None,
) -> Executor:
    """The executor of this name.

    Args:
        name: ``threads``, ``processes`` or ``dask``.
        workers: processes to start, for ``processes`` and for ``dask`` without a scheduler.
        block: scenarios per block; chosen by memory and time when None.
        scheduler: address of a Dask scheduler; a cluster on this machine when None.
        note: told, in a sentence, when that scheduler has no worker yet.

    Raises:
        SimulatorError: an unknown name, a scheduler that is not used or does not answer, or Dask is not installed.
    """
    if name not in EXECUTORS:
        near = closest(name, EXECUTORS)
        hint = f"; did you mean {near}?" if near else ""
        raise SimulatorError(f"unknown executor {name!r}; known: {', '.join(EXECUTORS)}{hint}")
    if scheduler is not None and name != "dask":
        raise SimulatorError(f"a scheduler is used by the executor dask only, not by {name}")
    if name == "processes":
        from simulator.engine.executor_processes import Processes

        return Processes(workers, block)
    if name == "dask":
        from simulator.engine.executor_dask import Dask

        return Dask(workers, block, scheduler, note)
    return Threads(block)
