"""The only importer of numba: how formulas and loops are compiled, where they are cached.

``@scalar``  a formula: numbers in, number out (or a fixed tuple of numbers).
``@row``     the serial part of a loop that belongs to one scenario: reads plans, writes that scenario's rows.
``@kernel``  a loop: ``prange`` over scenarios, writing only rows it owns into arrays of the caller.

Numba does not see that a function *called by* a cached kernel has changed, so a stale cache gives silently
wrong numbers. The cache folder is therefore named by a hash of every source file of this package and of the
numba and Python versions: any edit leads to a new folder. ``SIMULATOR_JIT_CACHE=0`` turns caching off;
a user's own ``NUMBA_CACHE_DIR`` is respected. No ``fastmath`` anywhere: "no limit" is infinity here.
"""

from __future__ import annotations

import hashlib
import os
import platform
import shutil
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any, TypeVar, cast

import numba
from numba import prange

# Read by the thread pool when its first loop starts. Threads that spin while they wait cost other programs (and, on a
# busy machine, ourselves: 2.5 times here) more than waking them up does.
os.environ.setdefault("OMP_WAIT_POLICY", "PASSIVE")

_NUMBA: Any = numba
_CONFIG: Any = numba.config
F = TypeVar("F", bound=Callable[..., Any])

__all__ = [
    "CACHING",
    "NEVER",
    "cache_folder",
    "kernel",
    "prange",
    "prune_caches",
    "scalar",
    "set_threads",
    "thread_info",
]


def source_digest() -> str:
    """Hash of all package sources and of the versions that shape machine code (16 hex digits)."""
    digest = hashlib.blake2b(digest_size=8)
    root = Path(__file__).parent
    for path in sorted(root.rglob("*.py")):
        digest.update(str(path.relative_to(root)).encode())
        digest.update(path.read_bytes())
    digest.update(f"{numba.__version__} {sys.version} {platform.machine()}".encode())
    return digest.hexdigest()


def _cache_root() -> Path:
    base = os.environ.get("XDG_CACHE_HOME") or str(Path.home() / ".cache")
    return Path(base) / "trade-credit-simulator" / "jit"


def _choose_cache() -> tuple[bool, Path | None]:
    if os.environ.get("SIMULATOR_JIT_CACHE", "1") == "0":
        return False, None
    if os.environ.get("NUMBA_CACHE_DIR"):
        return True, Path(os.environ["NUMBA_CACHE_DIR"])
    folder = _cache_root() / source_digest()
    try:
        folder.mkdir(parents=True, exist_ok=True)
    except OSError:
        return False, None
    _CONFIG.CACHE_DIR = str(folder)
    return True, folder


#: "No day": a date that never comes.
NEVER = 2147483647

CACHING, _FOLDER = _choose_cache()

#: Flags of serial code. ``_nrt=False`` leaves out reference counts: arrays are borrowed from the caller. Counting them
#: on every call makes two threads fight over the same counters (measured: 10 times slower), and nothing here allocates.
#: ``no_cfunc_wrapper`` saves compiling an entry point for C that nobody calls.
_SERIAL: dict[str, Any] = {"error_model": "numpy", "nogil": True, "_nrt": False, "no_cfunc_wrapper": True}
_PARALLEL: dict[str, Any] = {"error_model": "numpy", "nogil": True, "no_cfunc_wrapper": True, "parallel": True}


def cache_folder() -> Path | None:
    """The folder compiled kernels are cached in, or ``None`` when caching is off."""
    return _FOLDER


def prune_caches() -> int:
    """Remove kernel caches of other source versions; returns how many were removed."""
    root = _cache_root()
    if _FOLDER is None or _FOLDER.parent != root or not root.is_dir():
        return 0
    stale = [p for p in root.iterdir() if p.is_dir() and p != _FOLDER]
    for path in stale:
        shutil.rmtree(path, ignore_errors=True)
    return len(stale)


def scalar(function: F) -> F:
    """Compile a formula: pure, scalar arguments, no allocation, division by zero gives infinity.

    It is always put in place of its call: a loop that calls a function is not made into vector instructions.
    """
    compiled: Any = numba.njit(cache=CACHING, forceinline=True, **_SERIAL)(function)
    compiled.role = "scalar"
    return cast("F", compiled)


def row(function: F) -> F:
    """Compile the part of a kernel that handles one scenario: serial, no allocation, writes only its rows."""
    compiled: Any = numba.njit(cache=CACHING, **_SERIAL)(function)
    compiled.role = "row"
    return cast("F", compiled)


def kernel(function: F) -> F:
    """Compile a loop over scenarios: parallel, deterministic, no raising, no allocation.

    The body of the loop is one call of a :func:`row`, its index cast to int64: numba makes the index of a parallel
    loop unsigned and would otherwise compile the row twice; and what the body itself writes into an array of a
    NamedTuple is lost without a word.
    """
    compiled: Any = numba.njit(cache=CACHING, **_PARALLEL)(function)
    compiled.role = "kernel"
    return cast("F", compiled)


def set_threads(count: int | None) -> int:
    """Use ``count`` threads (all allowed ones when ``None``); returns the number in use."""
    limit = int(_CONFIG.NUMBA_NUM_THREADS)
    numba.set_num_threads(limit if count is None else max(1, min(count, limit)))
    return int(numba.get_num_threads())


def thread_info() -> dict[str, Any]:
    """Number of threads and threading layer, for the provenance record."""
    try:
        layer: str = _NUMBA.threading_layer()
    except ValueError:  # no parallel kernel has run yet
        layer = "not started"
    return {"threads": int(numba.get_num_threads()), "layer": layer, "numba": numba.__version__}
