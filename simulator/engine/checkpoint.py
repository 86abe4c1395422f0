"""Finished chunks on disk, so that a run that is killed goes on where it was and ends with the same bytes."""

from __future__ import annotations

import hashlib
import json
import os
import shutil
import zipfile
from collections.abc import Iterable, Mapping
from contextlib import suppress
from pathlib import Path

import numpy as np

from simulator.errors import SimulatorError
from simulator.study.load import LoadedStudy

Arrays = dict[str, np.ndarray]
#: In a chunk's file: the entry with its number of scenarios, and the mark of one with the same row throughout.
COUNT, SAME = "count", "same|"


#: What says how many scenarios there are, and nothing about any of them.
HOW_MANY = {"simulation": {"scenarios", "stress_scenarios", "precision"}}


def run_identity(loaded: LoadedStudy, inputs: Iterable[Path], source: str) -> str:
    """What a run's numbers depend on, as 12 hex digits: resolved study, input files, package source and versions.

    Args:
        loaded: the study.
        inputs: every file that is read.
        source: digest of the package's sources and of the compiler.
    """
    return _identity(loaded, inputs, source, {})


def chunk_identity(loaded: LoadedStudy, inputs: Iterable[Path], source: str) -> str:
    """The same for a scenario of the run: it is what it is whatever the number of scenarios, so a longer run, or one
    to another precision, goes on with the chunks of a shorter one.

    Args:
        loaded: the study.
        inputs: every file that is read but the study's own, which the resolved study stands for.
        source: digest of the package's sources and of the compiler.
    """
    return _identity(loaded, inputs, source, HOW_MANY)


def _identity(loaded: LoadedStudy, inputs: Iterable[Path], source: str, leave_out: Mapping[str, set[str]]) -> str:
    digest = hashlib.sha256(source.encode())
    digest.update(loaded.study.model_dump_json(by_alias=True, exclude={"report": {"formats"}, **leave_out}).encode())
    for path in sorted(inputs):
        digest.update(path.name.encode())
        digest.update(path.read_bytes())
    return digest.hexdigest()[:12]


class Checkpoint:
    """Chunks of one run in one folder; a folder that belongs to another run is emptied first.

    Raises:
        SimulatorError: if the folder cannot be written.
    """

    def __init__(self, folder: Path, identity: str) -> None:
        self.folder = folder
        mark = folder / "identity.json"
        try:
            if folder.exists() and not _says(mark, identity):
                shutil.rmtree(folder)
            folder.mkdir(parents=True, exist_ok=True)
            _write(mark, json.dumps(identity).encode())
        except OSError as error:
            raise SimulatorError(f"cannot keep finished chunks in {folder}: {error.strerror or error}") from error

    def _path(self, index: int, count: int) -> Path:
        return self.folder / f"chunk-{index:06d}-{count}.npz"

    def load(self, index: int, count: int) -> Arrays | None:
        """A finished chunk of so many scenarios, or None where it is missing or damaged and has to be computed."""
        path = self._path(index, count)
        if not path.exists():
            return None
        try:
            with path.open("rb") as file, np.load(file, allow_pickle=False) as data:
                if int(data[COUNT]) != count:
                    return None
                return dict(_unpacked(name, data[name], count) for name in data.files if name != COUNT)
        except (OSError, ValueError, zipfile.BadZipFile, KeyError, EOFError, NotImplementedError):
            return None

    def save(self, index: int, arrays: Arrays) -> None:
        """Write a finished chunk: temporary name, fsync, rename."""
        count = len(arrays["weight"])
        path = self._path(index, count)
        temporary = path.with_suffix(".tmp")
        try:
            with temporary.open("wb") as file:
                packed = dict(_packed(name, values, count) for name, values in arrays.items())
                np.savez(file, **packed, **{COUNT: np.array(count)})  # type: ignore[arg-type]
                file.flush()
                os.fsync(file.fileno())
            temporary.replace(path)
        except OSError as error:
            with suppress(OSError):
                temporary.unlink(missing_ok=True)  # it holds the room that is missing
            raise SimulatorError(f"cannot write {path}: {error.strerror or error}") from error


def _says(mark: Path, identity: str) -> bool:
    """Whether a mark is there, whole, and of this identity."""
    try:
        return bool(json.loads(mark.read_text()) == identity)
    except (FileNotFoundError, ValueError):
        return False


def same_rows(array: np.ndarray, row: np.ndarray | None = None) -> bool:
    """Whether all rows are the same, or the same as a given one, bit by bit (0 is not −0, a NaN is one)."""
    if array.strides[0] == 0 and row is not None and row.shape == array[:1].shape:
        return array[:1].tobytes() == row.tobytes()
    bits = _bits(array)
    return bool((bits == (bits[:1] if row is None else _bits(row))).all())


def _bits(array: np.ndarray) -> np.ndarray:
    return np.ascontiguousarray(array).view(f"u{array.itemsize}")


def _packed(name: str, values: np.ndarray, count: int) -> tuple[str, np.ndarray]:
    """Name and content in the file: of rows that are all the same, as of a term that takes nothing, only the first."""
    if "/" not in name and len(values) == count and same_rows(values):
        return SAME + name, values[:1]
    return name.replace("/", "|"), values


def _unpacked(name: str, values: np.ndarray, count: int) -> tuple[str, np.ndarray]:
    if name.startswith(SAME):
        return name.removeprefix(SAME), np.broadcast_to(values, (count, *values.shape[1:]))
    return name.replace("|", "/"), values


def _write(path: Path, content: bytes) -> None:
    temporary = path.with_suffix(".tmp")
    with temporary.open("wb") as file:
        file.write(content)
        file.flush()
        os.fsync(file.fileno())
    temporary.replace(path)


def remove_chunks(folder: Path) -> None:
    """Remove the finished chunks of a run that is complete."""
    shutil.rmtree(folder, ignore_errors=True)
