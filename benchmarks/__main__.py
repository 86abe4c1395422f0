"""Run all benchmarks and write what they found: ``python -m benchmarks [--quick]`` (also ``make bench``).

``benchmarks/results/latest.json`` keeps every number of the last full run, ``history.jsonl`` a line for each, and the
tables in ``benchmarks/README.md`` between the markers are written from it. ``--quick`` takes smaller sizes and
only prints its tables, unless ``--keep`` is given too. ``--gate`` is the check that CI makes, see
:mod:`benchmarks.gate`.
"""

from __future__ import annotations

import argparse
import datetime as dt
import json
import os
import sys
import tempfile
import time
from pathlib import Path
from typing import Any

FOLDER = Path(__file__).parent
RESULTS = FOLDER / "results"


def main() -> int:
    """Run, keep, write; the exit code is pytest's, or the gate's."""
    parser = argparse.ArgumentParser(prog="python -m benchmarks", description="Measure speed beside plain NumPy.")
    parser.add_argument("--quick", action="store_true", help="smaller sizes; the tables of README.md stay")
    parser.add_argument("--keep", action="store_true", help="with --quick: write as a full run does")
    parser.add_argument("--only", help="names of benchmarks to run, as pytest -k; nothing is written then")
    parser.add_argument("--gate", action="store_true", help="fail where the engine has become slower")
    parser.add_argument("--update", action="store_true", help="with --gate: keep what is measured")
    parser.add_argument("--twice", action="store_true", help="with --gate: do all work twice, which must fail")
    asked = parser.parse_args()
    with tempfile.TemporaryDirectory() as folder:
        os.environ["BENCHMARK_FOLDER"] = folder
        if asked.gate:
            from benchmarks.gate import main as gate

            return gate(asked.update, asked.twice)
        return _run(asked, Path(folder))


def _run(asked: argparse.Namespace, folder: Path) -> int:
    os.environ["BENCHMARK_QUICK"] = "1" if asked.quick else "0"
    # kernels of their own, apart from the usual folder
    os.environ["XDG_CACHE_HOME"] = str(Path.home() / ".cache" / "trade-credit-simulator-benchmarks")
    import pytest

    from benchmarks.measure import in_fresh_process, machine, reference_seconds
    from benchmarks.tables import in_short, tables, write_tables

    before, begin = machine(), time.perf_counter()
    in_fresh_process(["-m", "simulator", "warmup"])
    print(f"kernels ready after {time.perf_counter() - begin:.0f} s")
    raw = folder / "raw.json"
    options = ["-q", "-p", "no:cacheprovider", f"--benchmark-json={raw}", "--benchmark-columns=min,mean,rounds"]
    named = " and ".join(f"({part})" for part in (asked.only, "not first_compile" if asked.quick else None) if part)
    code = int(pytest.main([str(FOLDER), *options, "--durations=12", *(["-k", named] if named else [])]))
    if code or asked.only:
        return code
    result: dict[str, Any] = {
        "date": dt.datetime.now(dt.UTC).isoformat(timespec="minutes"),
        "machine": before | {"load_average_after": machine()["load_average"]},
        "quick": asked.quick,
        "seconds": round(time.perf_counter() - begin),
        "reference_seconds": reference_seconds(),
        "benchmarks": {
            bench["fullname"].rpartition("/")[2]: bench["extra_info"]
            for bench in json.loads(raw.read_text())["benchmarks"]
        },
    }
    print(tables(result))
    if asked.keep or not asked.quick:
        _write(RESULTS / "latest.json", json.dumps(result, indent=1) + "\n")
        write_tables(result, FOLDER / "README.md")
        about = {"date": result["date"], "quick": asked.quick, "cpu": before["cpu"], "load": before["load_average"][0]}
        with (RESULTS / "history.jsonl").open("a", encoding="utf-8") as history:
            history.write(json.dumps(about | in_short(result)) + "\n")
        print("written: benchmarks/results, benchmarks/README.md")
    print(f"after {result['seconds']} s")
    return 0


def _write(path: Path, text: str) -> None:
    unfinished = path.with_suffix(".tmp")
    unfinished.write_text(text, encoding="utf-8")
    unfinished.replace(path)


if __name__ == "__main__":
    sys.exit(main())
