"""Where a result comes from: versions, commit, inputs, machine and time."""

from __future__ import annotations

import datetime as dt
import hashlib
import platform
import subprocess
import sys
from collections.abc import Iterable, Mapping
from functools import cache
from importlib import metadata
from pathlib import Path
from typing import Any

from simulator.errors import display_path

DISTRIBUTION = "trade-credit-simulator"
LIBRARIES = ("numpy", "scipy", "numba", "pandas", "xarray", "pydantic", "ruamel.yaml", "h5netcdf", "matplotlib")
CHUNK_BYTES = 1 << 20
FORMAT = 1


def provenance(
    *,
    seed: int,
    scenarios: int,
    threads: int,
    seconds: float,
    inputs: Iterable[str | Path] = (),
    extra: Mapping[str, Any] | None = None,
) -> dict[str, Any]:
    """The manifest of a run, plain values only.

    Args:
        seed: seed of every random stream.
        scenarios: number of scenarios.
        threads: threads the kernels used.
        seconds: wall-clock seconds of the run.
        inputs: study and ledger files; each is named with its size and SHA-256.
        extra: further entries, such as the block size or the threading layer.
    """
    return {
        "format": FORMAT,
        "finished": dt.datetime.now(dt.UTC).isoformat(timespec="seconds"),
        "seed": seed,
        "scenarios": scenarios,
        "threads": threads,
        "seconds": round(seconds, 3),
        "git_commit": git_commit(),
        "versions": dict(versions()),
        "inputs": [fingerprint(path) for path in inputs],
        **(extra or {}),
    }


@cache
def versions() -> dict[str, str]:
    """Versions of the simulator, Python, the platform and the libraries that make the numbers."""
    found = {"simulator": _version(DISTRIBUTION), "python": platform.python_version()}
    found |= {name: _version(name) for name in LIBRARIES}
    found["platform"] = f"{sys.platform}-{platform.machine()}"
    return found


def _version(distribution: str) -> str:
    try:
        return metadata.version(distribution)
    except metadata.PackageNotFoundError:
        return "not installed"


def fingerprint(path: str | Path) -> dict[str, Any]:
    """Name (relative to the working folder where it lies in it), size and SHA-256 of an input file."""
    digest = hashlib.sha256()
    size = 0
    with Path(path).open("rb") as file:
        while piece := file.read(CHUNK_BYTES):
            digest.update(piece)
            size += len(piece)
    return {"file": display_path(Path(path)), "bytes": size, "sha256": digest.hexdigest()}


@cache
def git_commit() -> str | None:
    """Commit of the simulator's own source tree, ``-dirty`` if changed; ``None`` where it is not under git."""
    folder = Path(__file__).resolve().parent

    def git(*arguments: str) -> str | None:
        try:
            done = subprocess.run(
                ["git", "-C", str(folder), *arguments], capture_output=True, text=True, timeout=5, check=False
            )
        except (OSError, subprocess.SubprocessError):
            return None
        return done.stdout.strip() if done.returncode == 0 else None

    # an installed copy may lie inside somebody else's repository: only a tracked file counts
    if git("ls-files", "--error-unmatch", Path(__file__).name) is None:
        return None
    commit = git("rev-parse", "HEAD")
    changed = git("status", "--porcelain", "--untracked-files=no", "--", "..")
    return f"{commit}-dirty" if commit and changed else commit
