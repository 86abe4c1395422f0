"""One run at a time in a run folder: two would remove each other's files."""

from __future__ import annotations

import os
import threading
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import Any

from simulator.errors import SimulatorError, display_path
from simulator.results.files import cannot_write

fcntl: Any
try:
    import fcntl
except ImportError:  # a system without such locks
    fcntl = None

#: File in a run folder that is locked while a run writes there; gone when it is done.
LOCK = ".lock"


class _Held(threading.local):
    """Folders that this thread holds."""

    def __init__(self) -> None:
        self.folders: set[Path] = set()


_HELD = _Held()


@contextmanager
def writing(folder: str | Path) -> Iterator[None]:
    """Hold a folder, made if need be, for this thread; the system lets go of it when the process ends, however it does.

    Who holds it may ask again. Folders made here that are still empty at the end are removed.

    Raises:
        SimulatorError: another run writes there, or the folder cannot be written.
    """
    target = Path(folder).absolute()
    if fcntl is None or target in _HELD.folders:
        yield
        return
    missing = [place for place in (target, *target.parents) if not place.exists()]
    descriptor = _locked(target, Path(folder))
    _HELD.folders.add(target)
    try:
        yield
    finally:
        _HELD.folders.discard(target)
        with suppress(OSError):
            (target / LOCK).unlink()  # while it is still locked: who opened it before sees that it is gone
        os.close(descriptor)
        with suppress(OSError):
            for place in missing:
                place.rmdir()


def _locked(target: Path, named: Path) -> int:
    """The open lock file; not locked where the file system knows no locks."""
    try:
        while True:
            target.mkdir(parents=True, exist_ok=True)
            descriptor = os.open(target / LOCK, os.O_RDWR | os.O_CREAT, 0o666)
            try:
                fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
            except BlockingIOError:
                os.close(descriptor)
                raise SimulatorError(
                    f"another run is writing to {display_path(named)}; wait for it or give another --out"
                ) from None
            except OSError:
                return descriptor
            with suppress(FileNotFoundError):
                if os.path.samestat(os.fstat(descriptor), os.stat(target / LOCK)):
                    return descriptor
            os.close(descriptor)  # of a run that ended just now, and removed it
    except OSError as error:
        raise cannot_write(named, error) from error
