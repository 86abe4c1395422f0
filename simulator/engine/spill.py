"""Large arrays outside of memory: in files without a name, which are gone when nobody holds the array any more.

What is read of such an array counts as memory of this process until :func:`release` is called; nothing is lost by it,
and what is needed again is read again. Arrays look and behave like any other.
"""

from __future__ import annotations

import mmap
import tempfile
import threading
import weakref
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import numpy as np
from numpy.typing import DTypeLike

#: Larger arrays than this are kept in files by :func:`roomy`.
LARGE_BYTES = 64 * 2**20
#: Seconds between two times that memory is given back while others read spilled arrays.
PAUSE = 0.05

_MAPPED: weakref.WeakSet[mmap.mmap] = weakref.WeakSet()


def spilled(shape: tuple[int, ...], dtype: DTypeLike, folder: Path | None = None) -> np.ndarray:
    """A new array of zeros in a file of its own.

    Args:
        shape, dtype: of the array.
        folder: where the file is made; the system's place for temporary files when None.

    Raises:
        OSError: the file cannot be made as large.
    """
    size = max(1, int(np.prod(shape)) * np.dtype(dtype).itemsize)
    with tempfile.TemporaryFile(dir=folder) as file:
        file.truncate(size)
        mapped = mmap.mmap(file.fileno(), size)
    _MAPPED.add(mapped)
    return np.frombuffer(mapped, dtype, count=int(np.prod(shape))).reshape(shape)


def release() -> None:
    """Let the system take back the memory that holds parts of spilled arrays; their content stays."""
    if hasattr(mmap, "MADV_DONTNEED"):
        for mapped in list(_MAPPED):
            mapped.madvise(mmap.MADV_DONTNEED)


def roomy(shape: tuple[int, ...], dtype: DTypeLike, folder: Path | None = None) -> np.ndarray:
    """A new array of zeros: in memory, or in a file where it is large."""
    if int(np.prod(shape)) * np.dtype(dtype).itemsize <= LARGE_BYTES:
        return np.zeros(shape, dtype)
    return spilled(shape, dtype, folder)


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

    ticking = threading.Thread(target=tick, daemon=True)
    ticking.start()
    try:
        yield
    finally:
        done.set()
        ticking.join()
        release()
