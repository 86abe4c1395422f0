"""Blocks: how one worker simulates a chunk, learning a good block size as it goes."""

from __future__ import annotations

import time
from collections.abc import Callable

from simulator.engine.block import memory_per_scenario, run_block
from simulator.engine.checkpoint import Arrays
from simulator.engine.chunk import CHUNK, Chunk
from simulator.engine.model import Model
from simulator.jit import thread_info
from simulator.losses.rows import Events

#: Bytes that the arrays of one block may take together.
BLOCK_BYTES = 128 * 2**20
#: Seconds a block should take at least, at most twice as many, so that an interrupt is answered within half a second.
#: Long blocks are quick ones: with 250,000 invoices a thread's 8 scenarios cost 38 ns an invoice, its 64 cost 30.
BLOCK_SECONDS = 0.2
#: Entries of the event lists to start with; grows where a block needs more.
FIRST_CAPACITY = 64


def largest_block(model: Model, capacity: int, budget: int = BLOCK_BYTES) -> int:
    """Scenarios that fit the memory budget: a multiple of four, at least four, at most a chunk."""
    fits = budget // max(1, memory_per_scenario(model, capacity))
    return int(min(CHUNK, max(4, fits - fits % 4)))


class Engine:
    """Runs blocks of one model; learns a good block size and event capacity as it goes.

    Neither has any influence on the numbers.

    Args:
        model: the study made ready.
        block: scenarios per block, or None to choose by memory and time.
    """

    def __init__(self, model: Model, block: int | None = None) -> None:
        self.model = model
        self.capacity = FIRST_CAPACITY
        self.fixed = block is not None
        #: Every thread works on four scenarios at a time, and gets two such turns to even out slow ones.
        self.step = 8 * int(thread_info()["threads"])
        self.block = max(4, block - block % 4) if block is not None else self._fitting(self.step)
        self.seconds_per_scenario = 0.0
        self.spare: Events | None = None

    def warm_up(self) -> None:
        """Compile or load the kernels, then time one small block, so that the first one is not too long."""
        run_block(self.model, 0, 4, self.capacity, brief=True)
        if not self.fixed:
            begin = time.perf_counter()
            block = run_block(self.model, 0, self.block, self.capacity, brief=True)
            self._learn(self.block, time.perf_counter() - begin, block.capacity)

    def chunk(self, first: int, count: int, on_block: Callable[[int], None]) -> Arrays:
        """Simulate one canonical chunk."""
        chunk = Chunk(self.model, first, count)
        done = 0
        while done < count:
            size = min(self.block, count - done, CHUNK)
            size += -size % 4
            begin = time.perf_counter()
            block = run_block(self.model, first + done, size, self.capacity, self.spare, brief=True)
            chunk.add(block)
            if self.spare is None or block.events.buyer.size > self.spare.buyer.size:
                self.spare = block.events
            self._learn(size, time.perf_counter() - begin, block.capacity)
            done += size
            on_block(min(done, count))
        return chunk.finish()

    def _learn(self, size: int, seconds: float, capacity: int) -> None:
        """Double or halve the block until it takes about its time.

        Proportion would not do: on a busy machine most of a small block's time is waiting for threads, and a block
        that is made smaller because it was slow stays slow.
        """
        self.capacity = max(self.capacity, capacity)
        self.seconds_per_scenario = seconds / size
        if not self.fixed and size >= self.block:
            if seconds < BLOCK_SECONDS:
                self.block = self._fitting(2 * self.block)
            elif seconds > 2.0 * BLOCK_SECONDS:
                self.block = self._fitting(self.block // 2)

    def _fitting(self, wanted: int) -> int:
        """A block of about the size wanted: work for every thread, and within the memory budget."""
        whole = max(self.step, wanted - wanted % self.step)
        return min(largest_block(self.model, self.capacity), whole)
