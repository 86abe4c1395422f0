"""Run all benchmarks and write what they found: ``python -m benchmarks [--quick]`` (also ``make bench``).

``benchmarks/results/latest.json`` keeps every number; the tables in ``benchmarks/README.md`` between the markers are
written from it. ``--quick`` does a tenth of the scenarios of the full run.
"""

from __future__ import annotations

import argparse
import datetime as dt
import json
import os
import sys
import tempfile
from pathlib import Path
from typing import Any

import pytest

from benchmarks.measure import ROOT, in_fresh_process, machine, reference_seconds
from benchmarks.tables import write_tables

FOLDER = Path(__file__).parent
LATEST = FOLDER / "results" / "latest.json"


def main() -> int:
    """Run, keep, write; the exit code is pytest's."""
    parser = argparse.ArgumentParser(prog="python -m benchmarks", description="Measure speed beside plain NumPy.")
    parser.add_argument("--quick", action="store_true", help="10,000 scenarios in the full run instead of 100,000")
    parser.add_argument("--only", help="names of benchmarks to run, as pytest -k; nothing is written then")
    asked = parser.parse_args()
    os.environ.setdefault("BENCHMARK_FULL", "10000" if asked.quick else "100000")
    # kernels of their own: a `simulator warmup` elsewhere removes caches of other versions in the usual folder
    os.environ["XDG_CACHE_HOME"] = str(Path.home() / ".cache" / "trade-credit-simulator-benchmarks")
    before = machine()
    in_fresh_process(["-m", "simulator", "warmup"])
    with tempfile.TemporaryDirectory() as folder:
        raw = Path(folder) / "raw.json"
        options = ["-q", "-p", "no:cacheprovider", f"--benchmark-json={raw}", "--benchmark-columns=min,mean,rounds"]
        code = int(pytest.main([str(FOLDER), *options, *(["-k", asked.only] if asked.only else [])]))
        if code:
            return code
        found = {
            bench["fullname"].rpartition("/")[2]: bench["extra_info"]
            for bench in json.loads(raw.read_text())["benchmarks"]
        }
    if asked.only:
        return 0
    result: dict[str, Any] = {
        "date": dt.datetime.now(dt.UTC).isoformat(timespec="minutes"),
        "machine": before | {"load_average_after": machine()["load_average"]},
        "reference_seconds": reference_seconds(),
        "benchmarks": found,
    }
    LATEST.parent.mkdir(exist_ok=True)
    unfinished = LATEST.with_suffix(".tmp")
    unfinished.write_text(json.dumps(result, indent=1, sort_keys=True) + "\n", encoding="utf-8")
    unfinished.replace(LATEST)
    write_tables(result, FOLDER / "README.md")
    print(f"written: {LATEST.relative_to(ROOT)}, benchmarks/README.md")
    return 0


if __name__ == "__main__":
    sys.exit(main())
