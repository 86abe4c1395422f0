"""The compiler's door: shares of threads, where kernels are cached, and when compiling is said."""

import importlib
import os
import pkgutil
import subprocess
import sys
import time
from collections import Counter
from pathlib import Path

import numpy as np
import pytest

import simulator
from simulator.jit import CACHING, Kernel, Row, kernel, prange, row, scalar, set_threads, told_of_compilation
from simulator.progress import compilation_noted, warm_up

ROOT = Path(__file__).resolve().parent.parent
CONFIGS = sorted(path.parent.name for path in ROOT.glob("configs/*/study.yaml"))
#: Says where kernels are cached.
WHERE = "from simulator.jit import cache_folder\nprint(cache_folder())"


@row
def add_turn(seen, i, width):
    """Add to one turn's place, counting its neighbours' width."""
    seen[i] += width


@kernel
def take_turns(seen, width):
    """Count every turn."""
    n = seen.shape[0]
    for i in prange(n):
        add_turn(seen, i, width)


@scalar
def half(x):
    """Half of a number. half(3) = 1.5."""
    return x / 2.0


@scalar
def third(x):
    """A third of a number. third(3) = 1."""
    return x / 3.0


def python(code, **environment):
    """Run code in a fresh interpreter; its output and what it said on standard error."""
    done = subprocess.run(
        [sys.executable, "-c", code], capture_output=True, text=True, check=False,
        env={k: v for k, v in os.environ.items() if k not in ("NUMBA_CACHE_DIR", "XDG_CACHE_HOME")} | environment,
    )  # fmt: skip
    assert done.returncode == 0, done.stderr
    return done.stdout.strip(), done.stderr


@pytest.mark.parametrize("turns", [0, 1, 2, 3, 7, 64])
def test_every_turn_is_taken_once(turns):
    before = set_threads(None)
    try:
        for threads in range(1, before + 1):
            set_threads(threads)
            seen = np.zeros(turns)
            take_turns(seen, 2.0)
            assert seen.tolist() == [2.0] * turns
        for shares in (1, 2, 3, 5, 8):  # more threads than this machine may have
            seen = np.zeros(turns)
            for k in range(shares):
                part = np.zeros(turns)
                take_turns.compiled(k, shares, part, 1.0)
                assert abs(part.sum() - turns / shares) < 1, "shares are even"
                seen += part
            assert seen.tolist() == [1.0] * turns
    finally:
        set_threads(before)


def test_a_row_is_called_by_kernels_and_from_python():
    """With the same result, and apart: what is compiled for kernels has no entry that Python could call."""
    seen = np.zeros(3)
    for _ in range(2):
        add_turn(seen, 0, 2.0)
        take_turns(seen, 1.0)
    assert seen.tolist() == [6.0, 2.0, 2.0]
    assert len(add_turn.overloads) == len(add_turn.for_python.overloads) == 1
    with pytest.raises(TypeError, match="argument"):
        add_turn(seen, 0)


#: Calls a row from Python, and says whether it was compiled.
ROWS = """
import numpy as np
from simulator.engine.chunk_kernels import add_weighted
from simulator.progress import compilation_noted
total = np.zeros(2)
with compilation_noted():
    add_weighted(np.ones(3), np.ones((3, 2)), total)
print(total)
"""


def test_a_row_called_from_python_is_loaded_from_the_cache(tmp_path):
    first = python(ROWS, XDG_CACHE_HOME=str(tmp_path), PYTHONIOENCODING="utf-8")
    assert first == ("[3. 3.]", "compiling (once)…\n")
    assert python(ROWS, XDG_CACHE_HOME=str(tmp_path), PYTHONIOENCODING="utf-8") == (first[0], "")


def test_a_kernel_has_one_loop_to_share():
    def none(seen):
        seen[0] = 1.0

    def closing(out):
        for i in prange(2):
            out[i] = ROOT if seen is None else 0.0

    seen = None
    for wrong in (none, closing):
        with pytest.raises(TypeError, match="one loop over prange"):
            Kernel(wrong)


def test_what_goes_wrong_in_a_thread_is_told():
    with pytest.raises(Exception, match="shape"):
        take_turns(1.0, 1.0)


def test_compiling_is_said_once_and_only_then(capsys):
    with compilation_noted():
        half(1.0)
        third(1.0)
    assert capsys.readouterr().err == "compiling (once)…\n"
    with compilation_noted():
        half(2.0)
        third(3.0)
    assert capsys.readouterr().err == ""
    with compilation_noted(quiet=True):
        half(1)
    assert capsys.readouterr().err == ""


def test_what_is_loaded_from_the_cache_is_not_said_to_be_compiled(tmp_path):
    code = (
        "from simulator.progress import compilation_noted\n"
        "from simulator.streams import inverse_normal\n"
        "with compilation_noted(): print(inverse_normal(0.5))"
    )
    first = python(code, XDG_CACHE_HOME=str(tmp_path), PYTHONIOENCODING="utf-8")
    again = python(code, XDG_CACHE_HOME=str(tmp_path), PYTHONIOENCODING="utf-8")
    assert first[1] == "compiling (once)…\n"
    assert again == (first[0], "")


def test_the_cache_is_below_what_the_user_names(tmp_path):
    found, _ = python(WHERE, NUMBA_CACHE_DIR=str(tmp_path))
    assert Path(found).parent == tmp_path
    assert len(Path(found).name) == 16
    assert python(WHERE, XDG_CACHE_HOME=str(tmp_path))[0] == str(
        tmp_path / "trade-credit-simulator" / "jit" / Path(found).name
    )


def test_a_home_that_cannot_be_written_is_no_home(tmp_path):
    """Kernels then are cached among the temporary files, unless that folder may be another user's."""
    (tmp_path / "file").touch()
    closed = str(tmp_path / "file" / "home")
    found, _ = python(WHERE, XDG_CACHE_HOME=closed, TMPDIR=str(tmp_path))
    folder = Path(found)
    assert folder.parent.parent == tmp_path
    assert folder.parent.stat().st_mode & 0o777 == 0o700
    folder.parent.chmod(0o777)
    assert python(WHERE, XDG_CACHE_HOME=closed, TMPDIR=str(tmp_path))[0] == "None"


#: Makes folders that were last used so many days ago beside the cache in use, and prunes.
PRUNE = """
import os, time
from simulator.jit import cache_folder, prune_caches
folder = cache_folder()
for days in (0, 29, 31, 400):
    other = folder.with_name(f"unused_{days}")
    other.mkdir()
    (other / "kernel.nbi").touch()
    os.utime(other, (time.time() - 86_400 * days,) * 2)
os.utime(folder, (0, 0))
print(prune_caches(), sorted(path.name for path in folder.parent.iterdir() if path != folder), folder.exists())
"""


def test_kernels_that_were_used_of_late_are_kept(tmp_path):
    """Another checkout on the same machine goes on with its own; the folder in use is kept whatever its time."""
    assert python(PRUNE, XDG_CACHE_HOME=str(tmp_path))[0] == "2 ['unused_0', 'unused_29'] True"


def test_every_use_of_the_cache_tells_its_time(tmp_path):
    folder = Path(python(WHERE, XDG_CACHE_HOME=str(tmp_path))[0])
    os.utime(folder, (0, 0))
    before = time.time()
    python(WHERE, XDG_CACHE_HOME=str(tmp_path))
    assert folder.stat().st_mtime > before - 10


def test_nothing_is_pruned_where_the_user_names_the_folder(tmp_path):
    (tmp_path / "other").mkdir()
    os.utime(tmp_path / "other", (0, 0))
    code = "from simulator.jit import prune_caches\nprint(prune_caches())"
    assert python(code, NUMBA_CACHE_DIR=str(tmp_path))[0] == "0"
    assert (tmp_path / "other").is_dir()


@pytest.mark.slow
def test_warming_up_leaves_nothing_to_compile(tmp_path):
    """Neither for the studies that are shipped, reports included, nor for their stresses."""
    from simulator.report.write import write_report

    warm_up()
    compiled = []
    with told_of_compilation(lambda: compiled.append(name)):
        for name in CONFIGS:
            few = {"simulation.scenarios": 8, "simulation.stress_scenarios": 4}
            result = simulator.run(simulator.load_study(ROOT / "configs" / name / "study.yaml", few))
            write_report(result, tmp_path / name, formats=("html", "xlsx", "json"))
    assert len(CONFIGS) >= 3
    assert compiled == []


#: Functions with more arguments than this are handed whole plans: to compile one takes seconds.
FEW_ARGUMENTS = 12


def large_functions():
    """Kernels and rows of the package that are handed whole plans, as numba knows them, by name."""
    for module in pkgutil.walk_packages(simulator.__path__, "simulator."):
        if module.name.endswith(("kernels", "booking")):
            for name, found in vars(importlib.import_module(module.name)).items():
                compiled = found.compiled if isinstance(found, Kernel) else found
                if isinstance(found, Kernel | Row) and compiled.py_func.__code__.co_argcount > FEW_ARGUMENTS:
                    yield f"{compiled.py_func.__module__}.{name}", compiled


@pytest.mark.slow
@pytest.mark.skipif(not CACHING, reason="read from the cache")
def test_like_work_is_compiled_once():
    """Large functions differ in what a study leaves out (None), not in types of numbers; nor do tests call others."""
    warm_up()
    twice = {}
    functions = dict(large_functions())
    for name, compiled in functions.items():
        signatures = [key[0] for key in compiled._cache._cache_file._load_index()]
        assert signatures, f"{name} is not compiled by warming up"
        left_out = Counter(tuple(str(kind) == "none" for kind in types) for types in signatures)
        if max(left_out.values()) > 1:
            twice[name] = signatures
    assert len(functions) > 20
    assert twice == {}


FORK = """
import os, signal
import numpy as np
from simulator.engine.chunk_kernels import turn
from simulator.jit import set_threads
set_threads(None)
rows, turned = np.arange(12.0).reshape(4, 3), np.zeros((3, 4))
turn(rows, turned, 0)
child = os.fork()
if not child:
    signal.alarm(60)
    turned[:] = 0.0
    turn(rows, turned, 0)
    os._exit(0 if np.array_equal(turned, rows.T) else 1)
print(os.waitpid(child, 0)[1], np.array_equal(turned, rows.T))
"""


@pytest.mark.skipif(not hasattr(os, "fork"), reason="processes are not forked here")
def test_a_forked_process_has_threads_of_its_own():
    assert python(FORK)[0] == "0 True"
