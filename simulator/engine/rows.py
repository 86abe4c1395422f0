"""What a run keeps: chunks are merged in order; more than about 200 megabytes are kept in files, not in memory."""

from __future__ import annotations

import tempfile
from collections.abc import Callable
from dataclasses import dataclass, field
from pathlib import Path

import numpy as np

from simulator.engine import spill
from simulator.engine.checkpoint import Arrays, same_rows
from simulator.engine.exact_paths import ExactPaths
from simulator.engine.sketch import PathQuantiles
from simulator.errors import display_path

#: Bytes that are written before what was written is let go, and losses of the tail that are collected before that.
PIECE_BYTES = 16 * 2**20


def bytes_per_scenario(kept: Arrays) -> float:
    """Bytes that a chunk's rows take, and its paths where they are kept whole, by scenario."""
    wanted = (array.nbytes for name, array in kept.items() if "/" not in name or name == "path/series")
    return sum(wanted) / len(kept["gross_loss"])


@dataclass
class RunRows:
    """What a run keeps.

    Attributes:
        n_scenarios: number of scenarios.
        folder: where large arrays are kept; the system's place for temporary files when None.
        beside: number of scenarios of other runs whose rows are held at the same time.
        note: told, in a sentence, when rows are kept in files.
        in_files: whether rows are kept in files, because together they would take too much memory.
        rows: per scenario, or per scenario and programme; float64 or int32 [n] or [n, n_programmes]. An array whose
            entries are all the same takes no memory.
        quantiles: path quantiles; None in constant-exposure mode.
        sums: weighted sums over scenarios, such as ``sum/cash`` [n_programmes, n_periods], ``buyer/loss`` [n_buyers].
        tail: ``scenario``, ``buyer``, ``loss`` of the losses in the worst scenarios, each in parts.
        weight: total weight of all scenarios.
        resumed: number of scenarios taken over from a checkpoint.
        seconds: time spent simulating.
    """

    n_scenarios: int
    folder: Path | None = None
    beside: int = 0
    note: Callable[[str], None] | None = None
    in_files: bool = False
    rows: Arrays = field(default_factory=dict)
    quantiles: PathQuantiles | ExactPaths | None = None
    sums: Arrays = field(default_factory=dict)
    tail: dict[str, list[np.ndarray]] = field(default_factory=dict)
    weight: float = 0.0
    resumed: int = 0
    seconds: float = 0.0
    _same: set[str] = field(default_factory=set)
    _each: float = 0.0
    _written: int = 0
    _loose: int = 0
    _pieces: int = 0

    def take(self, first: int, kept: Arrays) -> None:
        """Merge a finished chunk; chunks arrive in order."""
        values, total = kept.get("path/values"), kept.get("path/weight")
        if values is not None and total is not None:
            if not isinstance(self.quantiles, PathQuantiles):
                self.quantiles = PathQuantiles(values.shape[1])
            self.quantiles.add_summary(values, float(total[0]))
        columns = {name: array for name, array in kept.items() if "/" not in name}
        if not self.rows:
            self._each = bytes_per_scenario(kept)
            self._choose()
        if "path/series" in kept:
            self._put_paths(first, kept["path/series"], kept["weight"])
        for name, array in columns.items():
            self._put(name, first, array)
        for name, array in kept.items():
            kind, _, rest = name.partition("/")
            if kind == "tail":
                self.tail.setdefault(rest, []).append(array)
                self._loose += array.nbytes
            elif kind in {"sum", "buyer"}:
                self.sums[name] = self.sums[name] + array if name in self.sums else array
        self.weight += float(kept["weight"].sum())
        if self.in_files:
            self._let_go()

    def grow(self, n_scenarios: int) -> None:
        """Make room for more scenarios after those there are."""
        before, self.n_scenarios = self.n_scenarios, max(n_scenarios, self.n_scenarios)
        if self.n_scenarios == before:
            return
        self._choose()
        if isinstance(self.quantiles, ExactPaths):
            self.quantiles.grow(self.n_scenarios, self.in_files, self.folder)
        for name, old in list(self.rows.items()):
            if name in self._same:
                self.rows[name] = np.broadcast_to(old[:1], (self.n_scenarios, *old.shape[1:]))
            else:
                self.rows[name] = self._room(old)
                self.rows[name][:before] = old
        spill.release()

    def _choose(self) -> None:
        """Decide where rows are kept; what is in files stays there."""
        if self.in_files or self._each * (self.n_scenarios + self.beside) <= spill.HELD_BYTES:
            return
        self.in_files = True
        if self.note is not None:
            n_bytes, place = self._each * self.n_scenarios, display_path(self.folder or Path(tempfile.gettempdir()))
            self.note(
                f"the results of {self.n_scenarios:,} scenarios take up to {n_bytes / 2**30:,.1f} GiB: until the study "
                f"is finished they are kept in files in {place}, not in memory"
            )

    def _put_paths(self, first: int, series: np.ndarray, weight: np.ndarray) -> None:
        """Write a chunk's paths, which are kept whole."""
        if not isinstance(self.quantiles, ExactPaths):
            self.quantiles = ExactPaths(len(series), self.n_scenarios, self.in_files, self.folder)
        self.quantiles.put(first, series, weight)
        self._written += series.nbytes

    def _put(self, name: str, first: int, array: np.ndarray) -> None:
        """Write a chunk's entries of one array; nothing is made for one as long as all scenarios have the same."""
        held = self.rows.get(name)
        if held is None or name in self._same:
            row = array[:1] if held is None else held[:1]
            if same_rows(array, row):
                if held is None:
                    self.rows[name] = np.broadcast_to(row.copy(), (self.n_scenarios, *array.shape[1:]))
                    self._same.add(name)
                return
            self._same.discard(name)
            self.rows[name] = self._room(array)
            self.rows[name][:first] = row
        self.rows[name][first : first + len(array)] = array
        self._written += array.nbytes

    def _room(self, like: np.ndarray) -> np.ndarray:
        """An array for all scenarios; in memory the scenarios of a programme stand together."""
        shape = (*like.shape[1:], self.n_scenarios)
        return spill.room(shape, like.dtype, self.in_files, self.folder).T

    def _let_go(self) -> None:
        """Bring losses of the tail into a file when they are many; take written parts of rows out of memory."""
        if self._loose > PIECE_BYTES:
            for name, parts in self.tail.items():
                loose = np.concatenate(parts[self._pieces :])
                piece = spill.spilled(loose.shape, loose.dtype, self.folder)
                piece[:] = loose
                self.tail[name] = [*parts[: self._pieces], piece]
            self._pieces += 1
            self._loose = 0
            spill.release()
        if self._written > PIECE_BYTES:
            self._written = 0
            spill.release()
