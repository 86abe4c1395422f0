"""The only importer of numba: how formulas and loops are compiled, where they are cached.

``@scalar``  a formula: numbers in, number out (or a fixed tuple of numbers).
``@row``     the serial part of a loop that belongs to one scenario: reads plans, writes that scenario's rows.
``@kernel``  a loop: ``prange`` over scenarios, writing only rows it owns into arrays of the caller. Each thread takes
             its share of the turns.
``fused``    a·b + c in one step of the processor, for long polynomials.

Numba does not see that a function *called by* a cached kernel has changed, so a stale cache gives silently
wrong numbers. The cache folder is therefore named by a hash of every source file of this package and of the
numba and Python versions: any edit leads to a new folder, below a user's own ``NUMBA_CACHE_DIR`` too.
A folder that nothing has used for :data:`KEPT_DAYS` is removed by the warm-up.
``SIMULATOR_JIT_CACHE=0`` turns caching off. No ``fastmath`` anywhere: "no limit" is infinity here.
"""

from __future__ import annotations

import ast
import hashlib
import inspect
import os
import platform
import shutil
import stat
import sys
import tempfile
import textwrap
import threading
import time
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager, suppress
from functools import cache, cached_property, update_wrapper
from pathlib import Path
from types import CodeType, FunctionType
from typing import Any, TypeVar, cast

import numba
from numba import prange
from numba.core import event
from numba.core.registry import CPUDispatcher
from numba.extending import intrinsic

from simulator.constants import NEVER

_CONFIG: Any = numba.config
F = TypeVar("F", bound=Callable[..., Any])

#: Days that kernels of other sources are kept after their last use: another checkout or environment may go on.
KEPT_DAYS = 30

__all__ = [
    "CACHING",
    "NEVER",
    "cache_folder",
    "fused",
    "kernel",
    "plain",
    "prange",
    "prune_caches",
    "scalar",
    "set_threads",
    "shared_by",
    "thread_info",
    "told_of_compilation",
]


@cache
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
    """Whether to cache, and where: below what the user names, at home, else among the temporary files."""
    if os.environ.get("SIMULATOR_JIT_CACHE", "1") == "0":
        return False, None
    named = os.environ.get("NUMBA_CACHE_DIR")
    shared = Path(tempfile.gettempdir()) / f"trade-credit-simulator-{_user()}"
    for root in [Path(named)] if named else [_cache_root(), shared]:
        folder = root / source_digest()
        try:
            root.mkdir(mode=0o700, parents=True, exist_ok=True)
            if root == shared and not _is_ours(root):
                continue  # what is cached is run: nobody else may have put it there
            folder.mkdir(exist_ok=True)
            if os.access(folder, os.W_OK):
                with suppress(OSError):  # where another user made it
                    os.utime(folder)  # says when it was last used
                _CONFIG.CACHE_DIR = str(folder)
                return True, folder
        except OSError:
            continue
    return False, None


def _user() -> int:
    return os.getuid() if hasattr(os, "getuid") else 0


def _is_ours(folder: Path) -> bool:
    """Whether a folder, itself no link, belongs to this user, and nobody else can write there."""
    state = folder.lstat()
    return stat.S_ISDIR(state.st_mode) and state.st_uid == _user() and not state.st_mode & 0o022


CACHING, _FOLDER = _choose_cache()

#: ``_nrt=False`` leaves out reference counts: arrays are borrowed from the caller. Counting them
#: on every call makes two threads fight over the same counters (measured: 10 times slower), and nothing here allocates.
#: ``no_cfunc_wrapper`` saves compiling an entry point for C that nobody calls.
_FLAGS: dict[str, Any] = {"error_model": "numpy", "nogil": True, "_nrt": False, "no_cfunc_wrapper": True}


def cache_folder() -> Path | None:
    """The folder compiled kernels are cached in, or ``None`` when caching is off."""
    return _FOLDER


def prune_caches() -> int:
    """Remove kernel caches of other source versions that were not used of late; returns how many were removed."""
    root = _cache_root()
    if _FOLDER is None or _FOLDER.parent != root or not root.is_dir():
        return 0
    stale = [p for p in root.iterdir() if p.is_dir() and p != _FOLDER and _unused_days(p) > KEPT_DAYS]
    for path in stale:
        shutil.rmtree(path, ignore_errors=True)
    return len(stale)


def _unused_days(folder: Path) -> float:
    """Days since kernels in a folder were last used; 0 where it is just being removed."""
    try:
        return (time.time() - folder.stat().st_mtime) / 86_400
    except OSError:
        return 0.0


@contextmanager
def told_of_compilation(tell: Callable[[], None]) -> Iterator[None]:
    """Call ``tell`` when something is compiled in here, once; what is loaded from the cache is not compiled."""

    class Listener(event.Listener):
        told = False

        def on_start(self, _event: Any) -> None:
            if not self.told:
                self.told = True
                tell()

        def on_end(self, _event: Any) -> None:
            pass

    with event.install_listener("numba:compile", Listener()):
        yield


def scalar(function: F) -> F:
    """Compile a formula: pure, scalar arguments, no allocation, division by zero gives infinity.

    It is always put in place of its call: a loop that calls a function is not made into vector instructions.
    """
    compiled: Any = numba.njit(cache=CACHING, forceinline=True, **_FLAGS)(function)
    compiled.role = "scalar"
    return cast("F", compiled)


def _fused(_typing: Any, a: Any, _b: Any, _c: Any) -> Any:
    """a·b + c, rounded once, for numbers of the type of a: the time of a product, and the same on every processor."""

    def emit(_context: Any, builder: Any, _signature: Any, numbers: Any) -> Any:
        return builder.fma(*numbers)

    return a(a, a, a), emit


fused: Any = intrinsic(_fused)


def plain(formula: Callable[..., Any]) -> Callable[..., Any]:
    """A formula as it is written, for single numbers: running it takes less time than compiling or loading it."""
    return cast("Callable[..., Any]", formula.py_func)  # type: ignore[attr-defined]


def row(function: F) -> F:
    """Compile the part of a kernel that handles one scenario: serial, no allocation, writes only its rows.

    It is put in place of its call too: records are handed over array by array, some hundred numbers a call, which costs
    a fifth of a ledger with programmes.
    """
    return cast("F", Row(function))


class Row(CPUDispatcher):
    """A compiled function that kernels call.

    It has no entry for Python: code that unpacks some hundred arrays takes a fifth of the compiler's time. What Python
    does call is compiled once more, by itself, with one.
    """

    role = "row"

    def __init__(self, function: Callable[..., Any], *_rebuilt: Any) -> None:
        options = {"nopython": True, "forceinline": True, "no_cpython_wrapper": True}
        super().__init__(function, targetoptions=options | _FLAGS)
        if CACHING:
            self.enable_caching()

    @cached_property
    def for_python(self) -> Any:
        """The same function with an entry, under another name in the cache."""
        of = self.py_func
        twin = FunctionType(of.__code__, of.__globals__, of.__name__, of.__defaults__, of.__closure__)
        twin.__qualname__, twin.__module__ = f"{of.__qualname__}.for_python", of.__module__
        return numba.njit(cache=CACHING, **_FLAGS)(twin)

    def add_overload(self, compiled: Any) -> None:
        """Keep what is compiled for kernels; a call from Python never finds it."""
        self.overloads[tuple(compiled.signature.args)] = compiled

    def _compile_for_args(self, *_arguments: Any) -> Any:
        return self.for_python


def kernel(function: F) -> F:
    """Compile a loop over scenarios, shared out among threads: deterministic, no raising, no allocation.

    The function holds one ``for … in prange(n)``, whose turns may run in any order; what stands around it every thread
    does for itself. The body of the loop is best one call of a :func:`row`.
    """
    return cast("F", Kernel(function))


class Kernel:
    """A loop that every thread takes a share of.

    This is what numba's own ``parallel=True`` does, but for the compiler, which takes half its time to hand over some
    hundred arrays there (SROA, quadratic in their number), and for its threads, which do not outlive a fork and cannot
    be called from several threads at once.
    """

    role = "kernel"

    def __init__(self, function: Callable[..., Any]) -> None:
        update_wrapper(self, function)
        self.compiled: Any = numba.njit(cache=CACHING, **_FLAGS)(_of_a_share(function))

    def __call__(self, *arguments: Any) -> None:
        """Run the whole loop; back when all threads are done with it."""
        shares = _in_use()
        others = [_pool().submit(self.compiled, k, shares, *arguments) for k in range(1, shares)]
        self.compiled(0, shares, *arguments)
        for other in others:
            other.result()


def _of_a_share(function: Callable[..., Any]) -> FunctionType:
    """The same function with two arguments more, in front, that does share k of the turns: k·n//shares and on."""
    tree = ast.parse(textwrap.dedent(inspect.getsource(function)))
    ast.increment_lineno(tree, function.__code__.co_firstlineno - 1)
    body = cast("ast.FunctionDef", tree.body[0])
    body.decorator_list = []
    body.args.args[:0] = [ast.arg("_k"), ast.arg("_shares")]
    loops = [part for part in body.body if isinstance(part, ast.For) and "prange(" in ast.unparse(part.iter)]
    if len(loops) != 1 or function.__closure__:
        raise TypeError(f"{function.__name__} must stand by itself, with one loop over prange(…) in it")
    turns = ast.unparse(cast("ast.Call", loops[0].iter).args[0])
    share = ast.parse(f"range(_k * ({turns}) // _shares, (_k + 1) * ({turns}) // _shares)", mode="eval").body
    for part in ast.walk(share):
        ast.copy_location(part, loops[0].iter)
    loops[0].iter = share
    module = compile(ast.fix_missing_locations(tree), function.__code__.co_filename, "exec")
    code = next(part for part in module.co_consts if isinstance(part, CodeType))
    whole = FunctionType(code, function.__globals__, function.__name__, function.__defaults__)
    whole.__qualname__, whole.__module__ = function.__qualname__, function.__module__
    return whole


_threads = int(_CONFIG.NUMBA_NUM_THREADS)
_OF_THIS_THREAD = threading.local()


def _in_use() -> int:
    return int(getattr(_OF_THIS_THREAD, "shares", _threads))


@contextmanager
def shared_by(threads: int) -> Iterator[None]:
    """Share out kernels that the calling thread runs in here among so many threads, whatever others do."""
    before = vars(_OF_THIS_THREAD).copy()
    _OF_THIS_THREAD.shares = threads
    try:
        yield
    finally:
        vars(_OF_THIS_THREAD).clear()
        vars(_OF_THIS_THREAD).update(before)


@cache
def _pool() -> ThreadPoolExecutor:
    return ThreadPoolExecutor(max(1, int(_CONFIG.NUMBA_NUM_THREADS) - 1), "kernel")


if hasattr(os, "register_at_fork"):
    os.register_at_fork(after_in_child=_pool.cache_clear)  # its threads are the parent's


def set_threads(count: int | None) -> int:
    """Use ``count`` threads (all allowed ones when ``None``); returns the number in use."""
    global _threads
    limit = int(_CONFIG.NUMBA_NUM_THREADS)
    _threads = limit if count is None else max(1, min(count, limit))
    return _threads


def thread_info() -> dict[str, Any]:
    """Number of threads that share a kernel, and what they are."""
    return {"threads": _in_use(), "layer": "python threads", "numba": numba.__version__}
