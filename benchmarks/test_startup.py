"""Start-up in fresh processes: the fastest of five."""

from __future__ import annotations

import pytest

from benchmarks.measure import EXPORTER, in_fresh_process
from benchmarks.tasks import QUICK

COMMANDS = {
    "python": ["-c", "pass"],
    "import": ["-c", "import simulator"],
    "help": ["-m", "simulator", "--help"],
    "check": ["-m", "simulator", "check", str(EXPORTER)],
    "run": ["-m", "simulator", "run", str(EXPORTER.parent.parent / "sme_domestic" / "study.yaml"), "--quiet", "--out"],
}


def test_first_compile(benchmark, tmp_path, monkeypatch):
    """`simulator warmup` with nothing in the cache: what the very first run costs."""
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path))
    found = benchmark.pedantic(in_fresh_process, args=(["-m", "simulator", "warmup"],), rounds=1)
    benchmark.extra_info.update({k: found[k] for k in ("wall_seconds", "cpu_seconds", "peak_mib")})


@pytest.mark.parametrize("what", COMMANDS)
def test_startup(benchmark, tmp_path, what):
    command = [*COMMANDS[what], *([str(tmp_path)] if what == "run" else [])]
    found = []
    rounds = 1 if QUICK and what == "run" else 5
    benchmark.pedantic(lambda: found.append(in_fresh_process(command)), rounds=rounds, iterations=1, warmup_rounds=1)
    benchmark.extra_info.update({k: min(f[k] for f in found[1:]) for k in ("wall_seconds", "cpu_seconds", "peak_mib")})
