"""Large arrays outside of memory: in files without a name, which are gone when nobody holds the array any more.

What is read of such an array counts as memory of this process until :func:`release` is called; nothing is lost by it,
and what is needed again is read again. Arrays look and behave like any other: a sum over one has the same bytes as the
sum over the same numbers in memory.
"""

from __future__ import annotations

import mmap
import os
import tempfile
import threading
import weakref
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import BinaryIO, cast

import numpy as np
from numpy.typing import DTypeLike

from simulator.errors import SimulatorError, display_path

#: Bytes of results that are held in memory; where there are more, all are kept in files.
HELD_BYTES = 192 * 2**20
#: Seconds between two times that memory is given back while others read spilled arrays.
PAUSE = 0.02

_MAPPED: weakref.WeakSet[mmap.mmap] = weakref.WeakSet()
_LOCK = threading.Lock()  # a set must not be gone through while another thread adds to it


def spilled(shape: tuple[int, ...], dtype: DTypeLike, folder: Path | None = None) -> np.ndarray:
    """A new array of zeros in a file of its own.

    Args:
        shape, dtype: of the array.
        folder: where the file is made; the system's place for temporary files when None.

    Raises:
        SimulatorError: there is no room for the file.
    """
    size = max(1, int(np.prod(shape)) * np.dtype(dtype).itemsize)
    try:
        with tempfile.TemporaryFile(dir=folder) as file:
            _reserve(cast("BinaryIO", file), size)
            mapped = mmap.mmap(file.fileno(), size)
    except OSError as error:
        place = display_path(folder or Path(tempfile.gettempdir()))
        raise SimulatorError(
            f"no room for results in {place}: a file of {size / 2**20:,.0f} MiB cannot be made there "
            f"({(error.strerror or str(error)).lower()}); make room, or ask for fewer scenarios"
        ) from error
    with _LOCK:
        _MAPPED.add(mapped)
    return np.frombuffer(mapped, dtype, count=int(np.prod(shape))).reshape(shape)


def _reserve(file: BinaryIO, size: int) -> None:
    """Take all the room at once: a disk that fills up later would end the process where it writes to the array."""
    if hasattr(os, "posix_fallocate"):
        os.posix_fallocate(file.fileno(), 0, size)
    else:
        file.truncate(size)


def room(shape: tuple[int, ...], dtype: DTypeLike, in_files: bool, folder: Path | None = None) -> np.ndarray:
    """A new array to be filled, in a file or in memory."""
    return spilled(shape, dtype, folder) if in_files else np.empty(shape, dtype)


def release() -> None:
    """Let the system take back the memory that holds parts of spilled arrays; their content stays."""
    if not hasattr(mmap, "MADV_DONTNEED"):
        return
    with _LOCK:
        held = list(_MAPPED)
    for mapped in held:
        mapped.madvise(mmap.MADV_DONTNEED)


@contextmanager
def releasing() -> Iterator[None]:
    """Release every now and then while the body reads spilled arrays; does nothing where there are none."""
    if not _MAPPED:
        yield
        return
    done = threading.Event()

    def tick() -> None:
        while not done.wait(PAUSE):
            release()

    ticking = threading.Thread(target=tick, name="release", daemon=True)
    ticking.start()
    try:
        yield
    finally:
        done.set()
        ticking.join()
        release()
