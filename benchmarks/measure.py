"""Measuring on a machine that is never quiet: the fastest of several tries, processor time beside wall time."""

from __future__ import annotations

import json
import os
import platform
import subprocess
import sys
import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, NamedTuple

import numpy as np

ROOT = Path(__file__).parent.parent
EXPORTER = ROOT / "configs" / "exporter" / "study.yaml"


@dataclass
class Timed:
    """A function that notes wall and processor time of each of its calls."""

    function: Callable[[], Any]
    wall: list[float] = field(default_factory=list)
    cpu: list[float] = field(default_factory=list)

    def __call__(self) -> Any:
        wall, cpu = time.perf_counter(), time.process_time()
        result = self.function()
        self.cpu.append(time.process_time() - cpu)
        self.wall.append(time.perf_counter() - wall)
        return result


class Cost(NamedTuple):
    """Seconds of the fastest of several calls."""

    wall: float
    cpu: float


def in_turns(functions: Sequence[Callable[[], Any]], rounds: int = 5) -> list[Cost]:
    """Call functions in turns, once unmeasured, so that all see the same busy machine; the fastest call of each."""
    timed = [Timed(function) for function in functions]
    for function in functions:
        function()
    for _ in range(rounds):
        for one in timed:
            one()
    return [Cost(min(one.wall), min(one.cpu)) for one in timed]


def exponent(sizes: Sequence[float], seconds: Sequence[float]) -> float:
    """Exponent of a power law through costs by size, by least squares of the logarithms: 1 is linear."""
    return float(np.polyfit(np.log(sizes), np.log(seconds), 1)[0])


def run_timed(
    benchmark: Any, function: Callable[[], Any], *, scenarios: int, units: int, unit: str, threads: int, rounds: int = 3
) -> None:
    """Benchmark a simulation, warm, and note what it cost.

    Args:
        benchmark: the fixture of pytest-benchmark.
        function: simulates ``scenarios`` scenarios.
        scenarios: in one call.
        units: how many ``unit`` (invoices, buyers) a scenario has.
        unit: its name.
        threads: how many it may use.
        rounds: calls; the fastest counts.
    """
    timed = Timed(function)
    benchmark.pedantic(timed, rounds=rounds, iterations=1, warmup_rounds=1)
    wall, cpu = min(timed.wall[1:]), min(timed.cpu[1:])
    work = scenarios * units
    benchmark.extra_info.update(
        scenarios=scenarios, units=units, unit=unit, threads=threads, wall_seconds=wall, cpu_seconds=cpu,
        scenarios_per_second=scenarios / wall, core_ns_per_unit=threads * wall / work * 1e9,
        cpu_ns_per_unit=cpu / work * 1e9,
    )  # fmt: skip


#: A small process between this one and the child: a fork of this one would hand its own peak memory on to the child.
_LAUNCHER = """
import json, os, subprocess, sys, time
begin = time.perf_counter()
child = subprocess.Popen(sys.argv[1:], stdout=subprocess.PIPE, stderr=subprocess.STDOUT)
with child.stdout:
    output = child.stdout.read()
_, status, usage = os.wait4(child.pid, 0)
child.returncode = os.waitstatus_to_exitcode(status)
print(json.dumps({
    "wall_seconds": time.perf_counter() - begin, "cpu_seconds": usage.ru_utime + usage.ru_stime,
    "peak_mib": usage.ru_maxrss / (1024 if sys.platform == "linux" else 2**20),
    "code": child.returncode, "output": output.decode("utf-8", "replace"),
}))
"""


def in_fresh_process(arguments: Sequence[str], text_from: str = "") -> dict[str, Any]:
    """Run Python in a child process: wall and processor seconds, peak memory, exit code and output.

    Args:
        arguments: after ``python``.
        text_from: text that must appear in its output, so that a failed child is not taken for a fast one.
    """
    command = [sys.executable, "-S", "-c", _LAUNCHER, sys.executable, *arguments]
    done = subprocess.run(command, cwd=ROOT, stdout=subprocess.PIPE, check=True)
    found: dict[str, Any] = json.loads(done.stdout)
    if found["code"] or text_from not in found["output"]:
        raise RuntimeError(f"{' '.join(arguments)} gave {found['code']}:\n{found['output'][-2000:]}")
    return found


def last_json(child: dict[str, Any]) -> dict[str, Any]:
    """The JSON object in the last line a child printed."""
    found: dict[str, Any] = json.loads(child["output"].strip().splitlines()[-1])
    return found


def reference_seconds(rounds: int = 5) -> float:
    """Seconds of a fixed piece of plain NumPy (10 million normals): how fast this machine is today."""
    rng = np.random.default_rng(0)
    buffer = np.empty(1_000_000)

    def work() -> None:
        for _ in range(10):
            rng.standard_normal(out=buffer)
            np.partition(buffer, 500_000)

    timed = Timed(work)
    for _ in range(rounds):
        timed()
    return min(timed.cpu)


def machine() -> dict[str, Any]:
    """The machine, its software and how busy it is just now."""
    import numba

    model = platform.processor()
    info = Path("/proc/cpuinfo")
    if info.is_file():
        names = [
            line.split(":", 1)[1].strip() for line in info.read_text().splitlines() if line.startswith("model name")
        ]
        model = names[0] if names else model
    return {
        "cpu": model, "cores": len(os.sched_getaffinity(0)), "system": platform.system(),
        "python": platform.python_version(), "numpy": np.__version__, "numba": numba.__version__,
        "load_average": [round(value, 2) for value in os.getloadavg()],
    }  # fmt: skip
