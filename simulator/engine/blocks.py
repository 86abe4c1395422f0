"""Blocks: how a worker simulates a chunk block by block, learning a good size as it goes."""

from __future__ import annotations

import math
import time
from collections.abc import Callable

from simulator.engine.block import Block, Spare, TooLong, memory_per_scenario, run_block
from simulator.engine.checkpoint import Arrays
from simulator.engine.chunk import CHUNK, Chunk
from simulator.engine.model import Model
from simulator.jit import thread_info

#: Bytes that the arrays of one block may take together.
BLOCK_BYTES = 128 * 2**20
#: Bytes that the rows of a thread's scenarios take at most, their lists apart, which are hardly used: each room reads
#: what the one before has written. Twice as many cost 5 to 10 % more of the whole, eight times as many 25 %.
CACHE_BYTES = 5 * 2**20
#: Seconds a block should take at least, at most twice as many, so that an interrupt is answered within half a second.
#: Long blocks are quick ones: with 250,000 invoices a thread's 8 scenarios cost 38 ns an invoice, its 64 cost 30.
BLOCK_SECONDS = 0.2
#: Seconds below which a block is not divided for the sake of a common end: it has a cost of its own.
LEAST_SECONDS = 0.001
#: Entries of the event lists to start with; grows where a block needs more.
FIRST_CAPACITY = 64


def largest_block(model: Model, capacity: int, budget: float, cached: float) -> int:
    """Scenarios that fit the memory budget, and without their lists the cache: a multiple of four, at least four."""
    by_memory, by_cache = budget / memory_per_scenario(model, capacity), cached / memory_per_scenario(model, 0)
    fits = int(min(CHUNK, by_memory, by_cache))
    return max(4, fits - fits % 4)


class Engine:
    """Runs blocks of one model; learns a good block size and event capacity as it goes.

    Neither has any influence on the numbers.

    Args:
        model: the study made ready.
        block: scenarios per block, or None to choose by memory and time.
        lanes: threads that simulate blocks at the same time, each its own.
    """

    def __init__(self, model: Model, block: int | None = None, lanes: int = 1) -> None:
        self.model = model
        self.capacity = FIRST_CAPACITY
        self.fixed = block is not None
        self.lanes = lanes
        self.budget = math.inf if self.fixed else BLOCK_BYTES / lanes
        threads = int(thread_info()["threads"]) if lanes == 1 else 1
        self.cached = math.inf if self.fixed else CACHE_BYTES * threads
        #: Every thread works on four scenarios at a time, and gets two such turns to even out slow ones.
        self.step = 8 * threads
        self.block = max(4, block - block % 4) if block is not None else self._fitting(self.step)
        self.seconds_per_scenario = 0.0
        self.spare = Spare()

    def warm_up(self) -> None:
        """Compile or load the kernels, then time one small block, so that the first one is not too long."""
        run_block(self.model, 0, 4, self.capacity, self.spare, brief=True)
        if not self.fixed:
            self.simulate(0, self.block, self.spare, lambda block: None)

    def chunk(self, first: int, count: int, on_block: Callable[[int], None]) -> Arrays:
        """Simulate one canonical chunk."""
        chunk = Chunk(self.model, first, count)
        done = 0
        while done < count:
            size = self.size(count - done, count - done)
            self.simulate(first + done, size, self.spare, chunk.add)
            done += size
            on_block(min(done, count))
        return chunk.finish()

    def size(self, of_chunk: int, of_run: int) -> int:
        """Scenarios of the next block, a multiple of four; a little more than are asked for at the very end.

        Towards the end of a run on several lanes blocks become smaller, so that all end at about the same time.

        Args:
            of_chunk: scenarios of the chunk that are not simulated yet.
            of_run: of the run.
        """
        size = min(self.block, of_chunk)
        if self.lanes > 1 and not self.fixed:
            least = max(self.step, self.block // 8, int(LEAST_SECONDS / max(self.seconds_per_scenario, 1e-9)))
            size = min(size, max(of_run // (2 * self.lanes), least))
        return size + -size % 4

    def simulate(self, first: int, size: int, spare: Spare, use: Callable[[Block], None]) -> None:
        """Simulate a block, learn from it and hand it over; in parts, one after the other, where it is too large.

        How long its lists must be is known only when it has been simulated.
        """
        parts = [(first, size)]
        while parts:
            first, size = parts.pop()
            if not self.fixed and size > (fits := self._largest()):
                parts += [(first + fits, size - fits), (first, fits)]
                continue
            begin = time.perf_counter()
            try:
                block = run_block(self.model, first, size, self.capacity, spare, brief=True, budget=self.budget)
            except TooLong as error:
                self.capacity = max(self.capacity, error.capacity)
                self.block = self._fitting(self.block)
                spare.events = None
                parts.append((first, size))
                continue
            self._learn(size, time.perf_counter() - begin, block.capacity)
            use(block)
            del block  # or it would be held until the next one is there

    def _learn(self, size: int, seconds: float, capacity: int) -> None:
        """Double or halve the block until it takes about its time; one far from it is made eight times as large.

        Proportion would not do: on a busy machine most of a small block's time is waiting for threads, and a block
        that is made smaller because it was slow stays slow.
        """
        self.capacity = max(self.capacity, capacity)
        self.seconds_per_scenario = seconds / size
        if not self.fixed and size >= self.block:
            if seconds < BLOCK_SECONDS:
                self.block = self._fitting((2 if seconds > BLOCK_SECONDS / 8.0 else 8) * self.block)
            elif seconds > 2.0 * BLOCK_SECONDS:
                self.block = self._fitting(self.block // 2)

    def _fitting(self, wanted: int) -> int:
        """A block of about the size wanted: work for every thread, and within the memory budget."""
        whole = max(self.step, wanted - wanted % self.step)
        return min(self._largest(), whole)

    def _largest(self) -> int:
        return largest_block(self.model, self.capacity, self.budget, self.cached)
