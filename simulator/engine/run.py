"""Run all scenarios of a study: chunk after chunk, block after block, keeping rows and summaries."""

from __future__ import annotations

import time
from collections.abc import Callable
from dataclasses import dataclass, field

import numpy as np

from simulator.engine.block import memory_per_scenario, run_block
from simulator.engine.checkpoint import Arrays, Checkpoint
from simulator.engine.chunk import CHUNK, Chunk
from simulator.engine.model import Model
from simulator.engine.sketch import PathQuantiles

#: Bytes that the arrays of one block may take together.
BLOCK_BYTES = 256 * 2**20
#: Seconds a block should take, so that an interrupt is answered in time.
BLOCK_SECONDS = 0.15
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
        self.block = largest_block(model, self.capacity) if block is None else max(4, block - block % 4)
        if not self.fixed:
            self.block = min(self.block, 256)
        self.seconds_per_scenario = 0.0

    def warm_up(self) -> None:
        """Compile or load the kernels, so that timings are of the work itself."""
        run_block(self.model, 0, 4, self.capacity)

    def chunk(self, first: int, count: int, on_block: Callable[[int], None]) -> Arrays:
        """Simulate one canonical chunk."""
        chunk = Chunk(self.model, first, count)
        done = 0
        while done < count:
            size = min(self.block, count - done, CHUNK)
            size += -size % 4
            begin = time.perf_counter()
            block = run_block(self.model, first + done, size, self.capacity)
            chunk.add(block)
            self._learn(size, time.perf_counter() - begin, block.events.buyer.shape[1])
            done += size
            on_block(min(done, count))
        return chunk.finish()

    def _learn(self, size: int, seconds: float, capacity: int) -> None:
        self.capacity = max(self.capacity, capacity)
        self.seconds_per_scenario = seconds / size
        if not self.fixed:
            wanted = int(BLOCK_SECONDS / max(self.seconds_per_scenario, 1e-9))
            self.block = max(4, min(largest_block(self.model, self.capacity), wanted - wanted % 4))


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
