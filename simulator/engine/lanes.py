"""Lanes: threads of this process, each of which takes one block of a run after the other and does all of it alone.

Where a kernel is shared out, everybody waits for the slowest share, and what lies between two kernels is done by one
thread while the others wait. A lane takes a block from the common state to the rows of its chunk; whoever brings the
last block of a chunk finishes it while the others are at the next one.
"""

from __future__ import annotations

import threading
from collections import deque
from collections.abc import Generator, Sequence
from dataclasses import dataclass
from queue import SimpleQueue

from simulator.engine.block import Spare
from simulator.engine.blocks import Engine
from simulator.engine.checkpoint import Arrays
from simulator.engine.chunk import Chunk
from simulator.engine.spans import OnBlock, Span
from simulator.jit import shared_by


@dataclass
class Work:
    """A chunk at work: how many of its scenarios are given out, and how many are in."""

    span: Span
    chunk: Chunk
    given: int = 0
    added: int = 0


class Lanes:
    """Simulates chunks on several threads.

    Args:
        engine: knows the model and the size of blocks.
        wanted: the chunks, in order.
    """

    def __init__(self, engine: Engine, wanted: Sequence[Span]) -> None:
        self.engine = engine
        self.wanted = wanted
        self.waiting = deque(wanted)
        self.left = sum(span.count for span in wanted)
        self.current: Work | None = None
        #: Chunks that are begun and not fetched: no more than a few, or a slow disk would fill the memory.
        self.begun = 0
        self.stopped = False
        self.state = threading.Condition()
        self.told: SimpleQueue[tuple[Span, int | Arrays] | BaseException] = SimpleQueue()
        self.threads = [threading.Thread(target=self._live, name=f"lane {k}") for k in range(engine.lanes)]

    def chunks(self, on_block: OnBlock) -> Generator[tuple[Span, Arrays], None, None]:
        """Every chunk, in order; what is heard of one waits until those before have been handed over."""
        heard: dict[Span, deque[int | Arrays]] = {span: deque() for span in self.wanted}
        try:
            for thread in self.threads:
                thread.start()
            for span in self.wanted:
                kept: Arrays | None = None
                while kept is None:
                    while not heard[span]:
                        told = self.told.get()
                        if isinstance(told, BaseException):
                            raise told
                        heard[told[0]].append(told[1])
                    news = heard[span].popleft()
                    if isinstance(news, int):
                        on_block(span, news)
                    else:
                        kept = news
                with self.state:
                    self.begun -= 1
                    self.state.notify()
                yield span, kept
        finally:
            self.stop()

    def stop(self) -> None:
        """Let every lane end its block and wait for it."""
        with self.state:
            self.stopped = True
            self.state.notify_all()
        for thread in self.threads:
            if thread.ident is not None:
                thread.join()

    def _live(self) -> None:
        spare = Spare()
        try:
            with shared_by(1):
                while (piece := self._next()) is not None:
                    work, first, size = piece
                    self.engine.simulate(work.span.first + first, size, spare, work.chunk.add)
                    self._added(work, size)
        except BaseException as error:  # whatever it is: the run ends with it
            self.told.put(error)

    def _next(self) -> tuple[Work, int, int] | None:
        """The next block: its chunk, its first scenario there and its size; None when there is nothing to do."""
        with self.state:
            while True:
                work = self.current
                if self.stopped or (work is None and not self.waiting):
                    return None
                if work is not None:
                    break
                if self.begun < 2 * self.engine.lanes:
                    span = self.waiting.popleft()
                    self.current = Work(span, Chunk(self.engine.model, span.first, span.count))
                    self.begun += 1
                else:
                    self.state.wait()
            first, of_chunk = work.given, work.span.count - work.given
            size = self.engine.size(of_chunk, self.left)
            work.given += size
            self.left -= size
            if size >= of_chunk:
                self.current = None
            return work, first, size

    def _added(self, work: Work, size: int) -> None:
        with self.state:
            work.added = min(work.added + size, work.span.count)
            whole = work.added == work.span.count
            idle = self.current is None and not self.waiting
            self.told.put((work.span, work.added))
        if whole:
            with shared_by(self.engine.lanes if idle else 1):  # the others have nothing to do any more
                self.told.put((work.span, work.chunk.finish()))
