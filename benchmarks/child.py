"""One simulation in a process of its own, for its memory: ``python -m benchmarks.child engine|numpy SCENARIOS``."""

from __future__ import annotations

import json
import sys
import time

import simulator
from benchmarks.measure import EXPORTER
from benchmarks.numpy_ledger import NumpyLedger
from simulator.engine.model import build_model
from simulator.engine.run import simulate


def main(which: str, scenarios: int) -> None:
    """Simulate, and print how long simulating took, set-up and compilation apart."""
    model = build_model(simulator.load_study(EXPORTER))
    if which == "engine":
        seconds = simulate(model, scenarios).seconds
    else:
        begin = time.perf_counter()
        NumpyLedger(model).run(scenarios)
        seconds = time.perf_counter() - begin
    print(json.dumps({"simulating_seconds": seconds}))


if __name__ == "__main__":
    main(sys.argv[1], int(sys.argv[2]))
