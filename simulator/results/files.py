"""Files that are whole or not there: written to a temporary name, synced, renamed."""

from __future__ import annotations

import datetime as dt
import json
import math
import os
import threading
from collections.abc import Callable, Iterator, Mapping
from concurrent.futures import Future, ThreadPoolExecutor
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np

from simulator.errors import SimulatorError, display_path

if TYPE_CHECKING:
    import pandas as pd

#: Files that are synced at a time.
SIDE_BY_SIDE = 8
RISKY_STARTS = ("=", "+", "-", "@", "\t", "\r", "'")
TEXT_COLUMNS = frozenset(
    {
        "name", "buyer_id", "stress", "measure", "programme", "unit",
        "buyer", "what", "invoice_id", "currency", "date_of_loss", "paid_on",
    }
)  # fmt: skip


def prepare_folder(folder: str | Path) -> Path:
    """The folder, made if need be.

    Raises:
        SimulatorError: when it cannot be made or written.
    """
    path = Path(folder)
    try:
        path.mkdir(parents=True, exist_ok=True)
    except OSError as error:
        raise cannot_write(path, error) from error
    if not os.access(path, os.W_OK | os.X_OK):
        raise SimulatorError(f"cannot write to the folder {display_path(path)}: permission denied")
    return path


def check_folder(folder: str | Path) -> None:
    """Find out whether a folder can be made and written, making nothing.

    Raises:
        SimulatorError: when it cannot.
    """
    path = Path(folder)
    try:
        place = path.absolute()
        while not place.exists():
            place = place.parent
        if not place.is_dir():
            raise SimulatorError(f"cannot write {display_path(path)}: {display_path(place)} is a file")
    except OSError as error:
        raise cannot_write(path, error) from error
    if not os.access(place, os.W_OK | os.X_OK):
        raise SimulatorError(f"cannot write {display_path(path)}: permission denied in {display_path(place)}")


class _Batch(threading.local):
    """Files of this thread that are put in place together: path, temporary name, and what syncs it."""

    waiting: dict[Path, tuple[Path, Future[None]]] | None = None
    pool: ThreadPoolExecutor


_BATCH = _Batch()


@contextmanager
def together() -> Iterator[None]:
    """Put the files that are written in here in place at its end, in their order; none of them where the body fails.

    They are synced side by side while the body goes on: one by one, the seventy of a run wait a third of a second for
    the disk.

    Raises:
        SimulatorError: when a file cannot be put in place; those written before it are.
    """
    if _BATCH.waiting is not None:
        yield
        return
    waiting = _BATCH.waiting = {}
    _BATCH.pool = ThreadPoolExecutor(SIDE_BY_SIDE, "sync")
    try:
        yield
        for path, (temporary, synced) in waiting.items():
            with _naming(path):
                synced.result()
                os.replace(temporary, path)
        folders = {path.parent: path for path in waiting}
        for path, synced in [(path, _BATCH.pool.submit(_sync, folder)) for folder, path in folders.items()]:
            with _naming(path):
                synced.result()
    finally:
        _BATCH.waiting = None
        _BATCH.pool.shutdown(cancel_futures=True)
        for temporary, _ in waiting.values():
            temporary.unlink(missing_ok=True)


@contextmanager
def _naming(path: Path) -> Iterator[None]:
    """An error of the system becomes one that names the file."""
    try:
        yield
    except OSError as error:
        raise cannot_write(path, error) from error


def replace_file(path: Path, write: Callable[[Path], None]) -> None:
    """Let ``write`` fill a temporary file beside ``path``, sync it, and put it in place in one step.

    Raises:
        SimulatorError: when the file cannot be written; what stood there before is untouched.
    """
    temporary = path.with_name(f".{path.name}.{os.getpid()}.tmp")
    try:
        with _naming(path):
            write(temporary)
            if _BATCH.waiting is not None:
                _BATCH.waiting[path] = temporary, _BATCH.pool.submit(_sync, temporary)
                return
            _sync(temporary)
            os.replace(temporary, path)
            _sync(path.parent)
    finally:
        if _BATCH.waiting is None or path not in _BATCH.waiting:
            temporary.unlink(missing_ok=True)


def _sync(path: Path) -> None:
    descriptor = os.open(path, os.O_RDONLY)
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)


def cannot_write(path: Path, error: OSError) -> SimulatorError:
    """The error that says which file or folder cannot be written, and why."""
    return SimulatorError(f"cannot write {display_path(path)}: {(error.strerror or str(error)).lower()}")


def write_text(path: Path, text: str) -> None:
    """Write a UTF-8 text file atomically."""
    replace_file(path, lambda temporary: _write_text(temporary, text))


def _write_text(path: Path, text: str) -> None:
    path.write_text(text, encoding="utf-8", newline="\n")


def write_json(path: Path, value: Any) -> None:
    """Write a JSON file atomically; see :func:`plain` for what becomes of other types."""
    write_text(path, json.dumps(plain(value), ensure_ascii=False, indent=1, allow_nan=False) + "\n")


def plain(value: Any) -> Any:
    """The value as JSON can hold it: numpy to Python, NaN and infinities to null, dates to ISO text, tables to rows."""
    if isinstance(value, np.generic):
        value = value.item()
    if isinstance(value, float):
        return value if math.isfinite(value) else None
    if value is None or isinstance(value, str | bool | int):
        return value
    if isinstance(value, dt.date | dt.datetime):
        return value.isoformat()
    if isinstance(value, Mapping):
        return {str(key): plain(entry) for key, entry in value.items()}
    if isinstance(value, np.ndarray):
        return plain(value.tolist())
    if hasattr(value, "to_dict") and hasattr(value, "columns"):
        return plain(value.to_dict("records"))
    if isinstance(value, list | tuple | set | frozenset):
        return [plain(entry) for entry in value]
    return str(value)


def write_table(path: Path, table: pd.DataFrame) -> None:
    """Write a table as CSV atomically; texts a spreadsheet would run as a formula get a leading apostrophe."""
    safe = table.copy()
    for name in safe.columns:
        if safe[name].dtype.kind not in "fiub":
            safe[name] = [_guard(str(text)) for text in safe[name]]
    write_text(path, safe.to_csv(index=False, lineterminator="\n"))


def read_table(path: Path) -> pd.DataFrame:
    """Read a table written by :func:`write_table`, values and texts as they were.

    Columns named in ``TEXT_COLUMNS`` stay text whatever they hold (a buyer may be called 0017 or NA); in the
    others a blank is NaN.
    """
    import pandas as pd

    table = pd.read_csv(path, encoding="utf-8", dtype=str, keep_default_na=False, na_filter=False)
    for name in table.columns:
        texts = [str(text) for text in table[name]]
        numbers = None if name in TEXT_COLUMNS else _numbers(texts)
        if numbers is None:
            table[name] = pd.Series([_unguard(text) for text in texts], dtype=str, index=table.index)
        else:
            table[name] = numbers
    return table


def _numbers(texts: list[str]) -> list[int] | list[float] | None:
    """Texts as whole numbers, else as floats (exactly as written, blank is NaN), else ``None``."""
    try:
        return [int(text) for text in texts]
    except ValueError:
        pass
    try:
        return [float(text) if text else math.nan for text in texts]
    except ValueError:
        return None


def _guard(text: str) -> str:
    return "'" + text if text.startswith(RISKY_STARTS) else text


def _unguard(text: str) -> str:
    return text[1:] if text.startswith("'") else text
