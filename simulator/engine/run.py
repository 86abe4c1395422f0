"""Run all scenarios of a study: chunk after chunk, block after block, keeping rows and summaries."""

from __future__ import annotations

import math
import os
import time
from collections.abc import Callable
from dataclasses import dataclass, field

import numpy as np

from simulator.engine.block import memory_per_scenario, run_block
from simulator.engine.checkpoint import Arrays, Checkpoint
from simulator.engine.chunk import CHUNK, Chunk
from simulator.engine.model import Model
from simulator.engine.sketch import PathQuantiles
from simulator.errors import SimulatorError
from simulator.jit import thread_info
from simulator.losses.rows import Events

#: Bytes that the arrays of one block may take together.
BLOCK_BYTES = 128 * 2**20
#: Seconds a block should take, so that an interrupt is answered in half a second even where others work beside it.
#: Measured on two busy cores: blocks of 16 scenarios of the shipped exporter (0.05 s) are as fast as those of 128.
BLOCK_SECONDS = 0.1
#: Bytes a run takes at its peak for each byte of its result rows: labelling, measuring and saving make copies.
ROW_COPIES = 2.5
#: Entries of the event lists to start with; grows where a block needs more.
FIRST_CAPACITY = 64

#: Called with (scenarios done, scenarios in all) after every block.
Progress = Callable[[int, int], None]


@dataclass
class RunRows:
    """What a run keeps.

    Attributes:
        n_scenarios: number of scenarios.
        rows: per scenario, or per scenario and programme; float64 or int32 [n] or [n, n_programmes].
        quantiles: path quantiles; None in constant-exposure mode.
        sums: weighted sums over scenarios, such as ``sum/cash`` [n_programmes, n_periods], ``buyer/loss`` [n_buyers].
        tail: ``scenario``, ``buyer``, ``loss`` of the losses in the worst scenarios.
        weight: total weight of all scenarios.
        resumed: number of scenarios taken over from a checkpoint.
        seconds: time spent simulating.
    """

    n_scenarios: int
    rows: Arrays = field(default_factory=dict)
    quantiles: PathQuantiles | None = None
    sums: Arrays = field(default_factory=dict)
    tail: dict[str, list[np.ndarray]] = field(default_factory=dict)
    weight: float = 0.0
    resumed: int = 0
    seconds: float = 0.0

    def take(self, first: int, kept: Arrays) -> None:
        """Merge a finished chunk; chunks arrive in order."""
        count = len(kept["gross_loss"])
        values, total = kept.get("path/values"), kept.get("path/weight")
        if values is not None and total is not None:
            if self.quantiles is None:
                self.quantiles = PathQuantiles(values.shape[1])
            self.quantiles.add_summary(values, float(total[0]))
        for name, array in kept.items():
            kind, _, rest = name.partition("/")
            if not rest:
                if name not in self.rows:
                    self.rows[name] = np.empty((self.n_scenarios, *array.shape[1:]), array.dtype)
                self.rows[name][first : first + count] = array
            elif kind == "tail":
                self.tail.setdefault(rest, []).append(array)
            elif kind in {"sum", "buyer"}:
                self.sums[name] = self.sums[name] + array if name in self.sums else array
        self.weight += float(kept["weight"].sum())


def row_bytes(model: Model) -> int:
    """Bytes of one scenario's result rows, read off four scenarios."""
    chunk = Chunk(model, 0, 4)
    chunk.add(run_block(model, 0, 4, FIRST_CAPACITY))
    return sum(values.nbytes for values in chunk.rows.values()) // 4


def physical_memory() -> int | None:
    """Bytes of memory of this machine; None where the system does not say."""
    try:
        return os.sysconf("SC_PAGE_SIZE") * os.sysconf("SC_PHYS_PAGES")
    except (AttributeError, ValueError, OSError):
        return None


def shortage(model: Model, n_scenarios: int) -> str:
    """Why so many scenarios cannot be held in memory, and how many could; empty where they can."""
    available, each = physical_memory(), ROW_COPIES * row_bytes(model)
    if available is None or n_scenarios * each <= available:
        return ""
    fits = int(available // each)
    fits -= fits % 10 ** max(0, int(math.log10(max(fits, 1))) - 1)
    return (
        f"{n_scenarios:,} scenarios, those of stresses included, need about {n_scenarios * each / 2**30:,.0f} GiB of "
        f"memory; this machine has {available / 2**30:,.0f} GiB, enough for about {fits:,}"
    )


def check_memory(model: Model, n_scenarios: int) -> None:
    """Refuse a run whose results this machine cannot hold.

    Args:
        model: the study made ready.
        n_scenarios: all scenarios that are held together, those of the stresses included.

    Raises:
        SimulatorError: saying how much is needed and how many scenarios would fit.
    """
    problem = shortage(model, n_scenarios)
    if problem:
        raise SimulatorError(f"{problem}: ask for fewer with --scenarios or simulation.scenarios")


@dataclass(frozen=True)
class Outlook:
    """What a run will take, for ``--dry-run``."""

    n_scenarios: int
    n_chunks: int
    block: int
    block_bytes: int
    result_bytes: int
    seconds_per_scenario: float

    @property
    def seconds(self) -> float:
        """Expected time of all scenarios, compilation apart."""
        return self.seconds_per_scenario * self.n_scenarios


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
        run_block(self.model, 0, 4, self.capacity)
        if not self.fixed:
            begin = time.perf_counter()
            block = run_block(self.model, 0, self.block, self.capacity)
            self._learn(self.block, time.perf_counter() - begin, block.events.buyer.shape[1])

    def chunk(self, first: int, count: int, on_block: Callable[[int], None]) -> Arrays:
        """Simulate one canonical chunk."""
        chunk = Chunk(self.model, first, count)
        done = 0
        while done < count:
            size = min(self.block, count - done, CHUNK)
            size += -size % 4
            begin = time.perf_counter()
            block = run_block(self.model, first + done, size, self.capacity, self.spare)
            chunk.add(block)
            if self.spare is None or block.events.buyer.size > self.spare.buyer.size:
                self.spare = block.events
            self._learn(size, time.perf_counter() - begin, block.events.buyer.shape[1])
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


def simulate(
    model: Model,
    n_scenarios: int,
    *,
    block: int | None = None,
    checkpoint: Checkpoint | None = None,
    progress: Progress | None = None,
) -> RunRows:
    """Run a study's scenarios.

    Args:
        model: the study made ready.
        n_scenarios: how many scenarios, from number 0.
        block: scenarios per block (any size gives the same numbers); chosen by memory and time when None.
        checkpoint: where finished chunks are kept and looked for; nothing is kept when None.
        progress: told after every block.

    Returns:
        The rows of all scenarios. The same bytes for any block size and number of threads, and whether or not
        chunks came from a checkpoint.
    """
    report = progress or (lambda done, total: None)
    engine = Engine(model, block)
    engine.warm_up()
    result = RunRows(n_scenarios)
    begin = time.perf_counter()
    for index, first in enumerate(range(0, n_scenarios, CHUNK)):
        count = min(CHUNK, n_scenarios - first)
        kept = checkpoint.load(index) if checkpoint else None
        if kept is None:
            kept = engine.chunk(first, count, lambda done, start=first: report(start + done, n_scenarios))  # type: ignore[misc]
            if checkpoint:
                checkpoint.save(index, kept)
        else:
            result.resumed += count
            report(first + count, n_scenarios)
        result.take(first, kept)
    result.seconds = time.perf_counter() - begin
    return result


def outlook(model: Model, n_scenarios: int, block: int | None = None) -> Outlook:
    """Blocks, memory and time of a run, measured on a few scenarios."""
    engine = Engine(model, block)
    engine.warm_up()
    trial = engine.chunk(0, min(64, max(4, n_scenarios)), lambda done: None)
    row_bytes = sum(a.nbytes for name, a in trial.items() if "/" not in name) // len(trial["gross_loss"])
    return Outlook(
        n_scenarios,
        -(-n_scenarios // CHUNK),
        engine.block,
        engine.block * memory_per_scenario(model, engine.capacity),
        row_bytes * n_scenarios,
        engine.seconds_per_scenario,
    )
