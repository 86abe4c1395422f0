"""The gate: the engine may not become slower. ``python -m benchmarks --gate``, a step of .ci/run.

A task's cost is its processor time over that of a reference timed in the same process, in turns, each the fastest of
several calls: a plain compiled loop for simulations, the import of NumPy for commands. Ratios of a good version are
kept in results/gate.json (``--gate --update`` writes them); a task fails above :data:`LIMIT` times its own. That is far
from what a busy machine does to the fastest call of many and still below a doubled cost; a task that seems too slow is
measured again, longer, before it fails. A task that has become more than twice as fast fails too, until its new ratio
is kept. ``--gate --twice`` does all work twice and must fail.
"""

from __future__ import annotations

import json
import time
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np

from simulator.jit import row

KEPT = Path(__file__).parent / "results" / "gate.json"
#: A cost may be this many times the kept one; below the second the kept one says nothing any more.
LIMIT, STALE = 1.5, 0.5
#: Calls of each task; and of each round of second looks, at most :data:`LOOKS` of them.
ROUNDS, LOOKS = 5, 3

Work = Callable[[], object]
Clock = Callable[[], float]


@dataclass(frozen=True)
class Entry:
    """A task of the gate: what it does, and what it is compared with.

    Attributes:
        work: the task.
        reference: what else to do in turns with it.
        clock: seconds before and after a call; where ``work`` returns its seconds itself, None.
    """

    work: Callable[[], Any]
    reference: Callable[[], Any]
    clock: Clock | None = time.process_time


def measure(
    entries: Mapping[str, Entry], rounds: int = ROUNDS, best: dict[str, float] | None = None
) -> dict[str, float]:
    """Fastest call of every task and every reference, in turns; ``best`` of earlier rounds is kept where faster.

    Returns seconds by task, those of its reference under its name with ``/``.
    """
    found = dict(best or {})
    for k in range(rounds + (best is None)):
        for name, entry in entries.items():
            for key, work in ((name, entry.work), (f"{name}/", entry.reference)):
                seconds = _seconds(work, entry.clock)
                if k or best is not None:  # the first call of all reads kernels
                    found[key] = min(seconds, found.get(key, np.inf))
    return found


def _seconds(work: Callable[[], Any], clock: Clock | None) -> float:
    if clock is None:
        return float(work())
    begin = clock()
    work()
    return clock() - begin


def ratios(seconds: Mapping[str, float]) -> dict[str, float]:
    """Cost of each task in units of its reference."""
    return {name: value / seconds[f"{name}/"] for name, value in seconds.items() if not name.endswith("/")}


def check(entries: Mapping[str, Entry], kept: Mapping[str, float], rounds: int = ROUNDS) -> tuple[bool, list[str]]:
    """Whether no task costs more than it may, or far less, and a line about each; slow ones are all looked at again."""
    best = measure(entries, rounds)
    for _ in range(LOOKS):
        if not _slow(ratios(best), kept):
            break
        best = measure(entries, rounds, best)
    found = ratios(best)
    slow = _slow(found, kept)
    lines = []
    for name, ratio in found.items():
        verdict = f"too slow, at most {LIMIT} times are allowed" if name in slow else "good"
        if ratio < STALE * kept[name]:
            verdict = "much faster: keep it with --gate --update, or a doubled cost would pass"
        lines.append(f"{name:24} {ratio:8.3f}, kept {kept[name]:8.3f}, {ratio / kept[name]:5.2f} times: {verdict}")
    return not slow and not any(ratio < STALE * kept[name] for name, ratio in found.items()), lines


def _slow(found: Mapping[str, float], kept: Mapping[str, float]) -> list[str]:
    return [name for name, ratio in found.items() if ratio > LIMIT * kept[name]]


def doubled(entry: Entry) -> Entry:
    """A task that does its work twice."""

    def twice() -> float | None:
        first, second = entry.work(), entry.work()
        return first + second if entry.clock is None else None

    return Entry(twice, entry.reference, entry.clock)


@row
def reference_loop(n, word, table, total):
    """Half vector work, half not: words, a polynomial and a table; then a chain of decisions."""
    for _ in range(n):
        for p in range(word.shape[0]):
            product = (word[p] & np.uint64(0xFFFFFFFF)) * np.uint64(0xD2511F53)
            word[p] = (product >> np.uint64(32)) ^ (product << np.uint64(7)) ^ np.uint64(p)
        for p in range(word.shape[0]):
            x = np.float64(np.int32(word[p] & np.uint64(0xFFFFFF))) * 5.960464477539063e-8
            i = np.uint32(word[p] & np.uint64(1023))
            total[p] += table[i] + x * (0.3 + x * (0.2 + x * (0.1 + x * 0.05)))
        place = np.uint64(0)
        for p in range(word.shape[0] // 8):
            if word[p] & np.uint64(3) == np.uint64(0):
                place = (place * np.uint64(5) + word[p]) & np.uint64(511)
            else:
                place = (place ^ word[p]) & np.uint64(511)
            total[place] += 1.0


def entries() -> dict[str, Entry]:
    """The tasks of the gate, made ready."""
    from benchmarks.measure import EXPORTER, in_fresh_process
    from benchmarks.tasks import model_of
    from simulator.engine.run import simulate
    from simulator.jit import set_threads

    set_threads(1)
    word, table, total = np.arange(512, dtype=np.uint64), np.linspace(0.0, 1.0, 1024), np.zeros(512)

    def reference() -> None:
        reference_loop(80_000, word, table, total)

    def simulation(name: str, scenarios: int, block: int) -> Entry:
        # the engine would choose blocks by the clock, and smaller ones on a busy machine
        model = model_of(name)
        return Entry(lambda: simulate(model, scenarios, block=block), reference)

    def command(*arguments: str) -> Entry:
        def seconds(*given: str) -> float:
            return float(in_fresh_process(given)["cpu_seconds"])

        return Entry(lambda: seconds(*arguments), lambda: seconds("-c", "import numpy"), None)

    return {
        "T1 constant exposures": simulation("T1", 32_768, 4_096),
        "T3 policy on them": simulation("T3", 8_192, 4_096),
        "S1 exporter": simulation("S1", 512, 128),
        "simulator --help": command("-m", "simulator", "--help"),
        "simulator check": command("-m", "simulator", "check", str(EXPORTER)),
    }


def main(update: bool, twice: bool) -> int:
    """Measure and compare, or keep the measured ratios; the exit code is 1 where a task is too slow, or far faster."""
    begin = time.perf_counter()
    tasks = entries()
    if twice:
        tasks = {name: doubled(entry) for name, entry in tasks.items()}
    if update:
        found = ratios(measure(tasks, 3 * ROUNDS))
        KEPT.write_text(json.dumps({k: round(v, 4) for k, v in found.items()}, indent=1) + "\n", encoding="utf-8")
        print(f"kept: {found}")
        return 0
    good, lines = check(tasks, json.loads(KEPT.read_text(encoding="utf-8")))
    print("\n".join(["Cost in units of the reference:", *lines]))
    print(f"{'Good' if good else 'Not good'}, after {time.perf_counter() - begin:.0f} s")
    return 0 if good else 1
