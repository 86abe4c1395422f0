"""One simulation in a process of its own, for its memory: ``python -m benchmarks.child T1 engine|numpy SCENARIOS``."""

from __future__ import annotations

import json
import sys
import time

from benchmarks.tasks import model_of, run_engine, run_numpy


def main(task: str, which: str, scenarios: int) -> None:
    """Simulate, and print how long simulating took, set-up apart."""
    model_of(task)
    run = run_engine if which == "engine" else run_numpy
    run(task, 4)  # compiled kernels are read
    begin, cpu = time.perf_counter(), time.process_time()
    run(task, scenarios)
    print(json.dumps({
        "scenarios": scenarios, "simulating_seconds": time.perf_counter() - begin,
        "simulating_cpu_seconds": time.process_time() - cpu,
    }))  # fmt: skip


if __name__ == "__main__":
    main(sys.argv[1], sys.argv[2], int(sys.argv[3]))
