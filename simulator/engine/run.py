"""Run all scenarios of a study: chunk after chunk, block after block, keeping rows and summaries."""

from __future__ import annotations

import math
import os
import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path

from simulator.engine import spill
from simulator.engine.block import memory_per_scenario
from simulator.engine.blocks import Engine
from simulator.engine.checkpoint import Arrays, Checkpoint
from simulator.engine.chunk import CHUNK
from simulator.engine.executors import Executor, Threads
from simulator.engine.model import Model
from simulator.engine.rows import RunRows, bytes_per_scenario
from simulator.engine.spans import Span, spans
from simulator.errors import SimulatorError

#: Bytes of memory for each scenario when a variable is sorted and measured: its values, their order, their influence on
#: what is measured. Paths and rows take none: they are summarised, or kept in files.
MEASURED_BYTES = 80

#: Called with (scenarios done, scenarios in all) after every block.
Progress = Callable[[int, int], None]
#: Called with the rows of all scenarios so far; answers how many scenarios there should be.
Enough = Callable[[RunRows], int]


def physical_memory() -> int | None:
    """Bytes of memory of this machine; None where the system does not say."""
    try:
        return os.sysconf("SC_PAGE_SIZE") * os.sysconf("SC_PHYS_PAGES")
    except (AttributeError, ValueError, OSError):
        return None


def shortage(n_scenarios: int) -> str:
    """Why so many scenarios of one study or stress cannot be measured, and how many could; empty where they can."""
    available = physical_memory()
    if available is None or n_scenarios * MEASURED_BYTES <= available:
        return ""
    fits = available // MEASURED_BYTES
    fits -= fits % 10 ** max(0, int(math.log10(max(fits, 1))) - 1)
    return (
        f"{n_scenarios:,} scenarios need about {n_scenarios * MEASURED_BYTES / 2**30:,.0f} GiB of memory to be "
        f"measured; this machine has {available / 2**30:,.0f} GiB, enough for about {fits:,}"
    )


def check_memory(n_scenarios: int) -> None:
    """Refuse a run that this machine cannot measure.

    Args:
        n_scenarios: most scenarios of the study or of a stress; those are measured one after the other.

    Raises:
        SimulatorError: saying how much is needed and how many scenarios would fit.
    """
    problem = shortage(n_scenarios)
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
    in_files: bool
    seconds_per_scenario: float

    @property
    def seconds(self) -> float:
        """Expected time of all scenarios, compilation apart."""
        return self.seconds_per_scenario * self.n_scenarios


def simulate(
    model: Model,
    n_scenarios: int,
    *,
    executor: Executor | None = None,
    block: int | None = None,
    checkpoint: Checkpoint | None = None,
    progress: Progress | None = None,
    enough: Enough | None = None,
    folder: Path | None = None,
    beside: int = 0,
    note: Callable[[str], None] | None = None,
) -> RunRows:
    """Run a study's scenarios.

    Args:
        model: the study made ready.
        n_scenarios: how many scenarios, from number 0; where ``enough`` is given, those to start with.
        executor: who simulates; the threads of this process when None.
        block: scenarios per block of those threads (any size gives the same numbers); chosen by memory and time
            when None.
        checkpoint: where finished chunks are kept and looked for; nothing is kept when None.
        progress: told after every block.
        enough: looks at the rows of all scenarios so far and says how many there should be; asked again until there
            are as many. More are added after whole chunks only.
        folder: where results are kept that are too large for memory; the system's place for temporary files when None.
        beside: number of scenarios of other runs whose results are held at the same time.
        note: told, in a sentence, when results are kept in files because they are too large for memory.

    Returns:
        The rows of all scenarios. The same bytes for any executor, block size and number of threads, and whether or
        not chunks came from a checkpoint.
    """
    workers = executor or Threads(block)
    workers.ready(model)
    result = RunRows(n_scenarios, folder, beside, note)
    begin = time.perf_counter()
    done = 0
    while done < result.n_scenarios:
        _add_chunks(result, spans(done, result.n_scenarios), workers, checkpoint, progress)
        done = result.n_scenarios
        if enough is not None:
            result.grow(enough(result))
    result.seconds = time.perf_counter() - begin
    return result


def _add_chunks(
    result: RunRows,
    wanted: Sequence[Span],
    workers: Executor,
    checkpoint: Checkpoint | None,
    progress: Progress | None,
) -> None:
    """Simulate chunks, or take them from the checkpoint, and merge them in order."""
    arrived = dict.fromkeys(wanted, 0)
    before = wanted[0].first

    def on_block(span: Span, done: int) -> None:
        arrived[span] = done
        if progress is not None:
            progress(before + sum(arrived.values()), result.n_scenarios)

    missing = [span for span in wanted if checkpoint is None or checkpoint.load(span.index, span.count) is None]
    asked, early = set(missing), dict[Span, Arrays]()
    fresh = workers.chunks(missing, on_block)
    try:
        for span in wanted:
            if span in asked or checkpoint is None:
                while span not in early:
                    found, arrays = next(fresh)
                    if checkpoint is not None:
                        checkpoint.save(found.index, arrays)
                    early[found] = arrays
                kept = early.pop(span)
            else:
                loaded = checkpoint.load(span.index, span.count)
                if loaded is None:
                    raise SimulatorError(f"a file in {checkpoint.folder} was lost while it was in use")
                kept = loaded
                result.resumed += span.count
                on_block(span, span.count)
            result.take(span.first, kept)
    except BaseException:
        fresh.close()  # nothing goes on behind what is reported
        raise


def outlook(model: Model, n_scenarios: int, block: int | None = None) -> Outlook:
    """Blocks, memory and time of a run, measured on a few scenarios."""
    engine = Engine(model, block)
    engine.warm_up()
    trial = engine.chunk(0, min(64, max(4, n_scenarios)), lambda done: None)
    n_bytes = int(bytes_per_scenario(trial) * n_scenarios)
    return Outlook(
        n_scenarios,
        -(-n_scenarios // CHUNK),
        engine.block,
        engine.block * memory_per_scenario(model, engine.capacity),
        n_bytes,
        n_bytes > spill.HELD_BYTES,
        engine.seconds_per_scenario,
    )
