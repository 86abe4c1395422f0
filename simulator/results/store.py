"""The run folder: every part of a result as a file that can be read without this package, and back again.

``study.resolved.yaml``, ``manifest.json``, ``profile.json``, ``summary.json`` and ``summary.csv``,
``scenarios.nc``, ``paths.nc`` (NetCDF), ``contributions/*.csv``, of a scripted run ``story/*.csv``, and one such folder
for each stress under ``stresses/``. What an earlier run left in the folder is removed, its manifest first, and the
manifest is written last: a folder without it is not a finished run.
"""

from __future__ import annotations

import json
import os
import re
from collections.abc import Callable
from pathlib import Path
from typing import TYPE_CHECKING, Any, TypeVar

import numpy as np

from simulator.engine import spill
from simulator.engine.spill import releasing
from simulator.errors import SimulatorError, display_path
from simulator.results.dataset import stamp
from simulator.results.files import (
    prepare_folder,
    read_table,
    replace_file,
    together,
    write_json,
    write_table,
    write_text,
)
from simulator.results.leftovers import (
    CONTRIBUTIONS,
    INDEX,
    MANIFEST,
    PATHS,
    PROFILE,
    SCENARIOS,
    STORY,
    STORY_TABLES,
    STRESSES,
    STUDY,
    SUMMARY_CSV,
    SUMMARY_JSON,
    TABLES,
    clear,
)
from simulator.results.lock import writing
from simulator.results.netcdf import write_dataset
from simulator.results.result import Result

if TYPE_CHECKING:
    import pandas as pd
    import xarray as xr

    from simulator.study.schema import Study

T = TypeVar("T")
SUMMARY_COLUMNS = {"stress", "measure", "programme", "level", "value", "standard_error", "ci_low", "ci_high", "unit"}
#: What reading a damaged file may raise, whichever library reads it.
DAMAGE = (OSError, ValueError, TypeError, AttributeError, LookupError, ArithmeticError, RuntimeError, EOFError)


def save(result: Result, folder: str | Path, *, resolved_study: str | None = None) -> Path:
    """Write a result into a folder, made if need be, and return the folder.

    Every file is written to a temporary name, synced and renamed, so that a reader never sees half a file. Whatever an
    earlier run left in the folder is removed first, its report included; files of others stay.

    Args:
        result: what is saved; its datasets are stamped with units first.
        folder: where to.
        resolved_study: text of ``study.resolved.yaml``; made from the study where left out.

    Raises:
        SimulatorError: the folder cannot be written or a run writes there, or a variable is not in the dictionary.
    """
    with writing(folder), releasing():
        return _save(result, prepare_folder(folder), resolved_study)


def _save(result: Result, target: Path, resolved_study: str | None) -> Path:
    """Write every file of a run folder."""
    scenarios = stamp(result.scenarios, result.currency)
    paths = stamp(result.paths, result.currency)
    clear(target)
    with together():
        text = resolved_study if resolved_study is not None else _resolved(result.study)
        write_text(target / STUDY, text)
        write_json(target / PROFILE, result.profile)
        replace_file(target / SCENARIOS, lambda temporary: write_dataset(scenarios, temporary))
        replace_file(target / PATHS, lambda temporary: write_dataset(paths, temporary))
        if result.summary_rows is not None:
            write_summary(result, target)
        for place, kept in ((CONTRIBUTIONS, result.contributions), (STORY, result.story)):
            if kept:
                tables = prepare_folder(target / place)
                for name, table in kept.items():
                    write_table(tables / f"{name}.csv", table)
        if result.stresses:
            _save_stresses(result, prepare_folder(target / STRESSES), text)
    write_json(target / MANIFEST, result.manifest)
    return target


def write_summary(result: Result, folder: Path) -> None:
    """Write a measured result's summary.json and summary.csv."""
    write_json(folder / SUMMARY_JSON, result.summary())
    write_table(folder / SUMMARY_CSV, result.summary())


def _resolved(study: Study) -> str:
    from simulator.study.resolve import resolved_yaml

    return resolved_yaml(study)


def _save_stresses(result: Result, folder: Path, resolved_study: str) -> None:
    """One run folder per stress, each with the study's text; the index keeps their names and order, which a folder name
    may not be able to."""
    index = []
    for number, (name, stress) in enumerate(result.stresses.items(), start=1):
        place = f"{number:02d}-" + re.sub(r"[^a-z0-9]+", "-", name.casefold()).strip("-")
        save(stress, folder / place, resolved_study=resolved_study if stress.study == result.study else None)
        index.append({"name": name, "folder": place})
    write_json(folder / INDEX, index)


def open_result(folder: str | Path) -> Result:
    """Read a run folder back, stresses included.

    A summary that is missing or damaged is left out: it can be measured again from the scenarios.

    Raises:
        SimulatorError: the folder is missing or unfinished, or a file in it is missing or damaged.
    """
    source = Path(folder)
    if not source.is_dir():
        raise SimulatorError(f"there is no run folder {display_path(source)}")
    if not (source / MANIFEST).is_file():
        raise SimulatorError(f"{display_path(source)} is not a finished run: it has no {MANIFEST}")
    tables = [source / CONTRIBUTIONS / f"{name}.csv" for name in TABLES]
    story = [source / STORY / f"{name}.csv" for name in STORY_TABLES]
    index = source / STRESSES / INDEX
    stresses = _part(index, _read_index) if index.is_file() else {}
    return Result(
        study=_part(source / STUDY, _read_study),
        scenarios=_part(source / SCENARIOS, _read_scenarios),
        paths=_part(source / PATHS, _read_dataset),
        contributions={table.stem: _part(table, read_table) for table in tables if table.is_file()},
        manifest=_part(source / MANIFEST, _read_mapping),
        profile=_part(source / PROFILE, _read_mapping),
        story={table.stem: _part(table, read_table) for table in story if table.is_file()},
        stresses={name: open_result(source / STRESSES / place) for name, place in stresses.items()},
        summary_rows=_read_summary(source / SUMMARY_CSV),
    )


def _part(path: Path, read: Callable[[Path], T]) -> T:
    """What a file of the run folder holds, or an error that names it."""
    if not path.is_file():
        raise SimulatorError(f"cannot read the run folder {display_path(path.parent)}: it has no {path.name}")
    try:
        return read(path)
    except DAMAGE as error:
        raise SimulatorError(
            f"cannot read the run folder {display_path(path.parent)}: {path.name} is damaged; run the study again"
        ) from error


def _read_summary(path: Path) -> pd.DataFrame | None:
    if not path.is_file():
        return None
    try:
        table = read_table(path)
    except DAMAGE:
        return None
    whole = len(table) > 0 and set(table.columns) >= SUMMARY_COLUMNS and table["value"].dtype.kind in "fi"
    return table if whole else None


def _read_mapping(path: Path) -> dict[str, Any]:
    content = json.loads(path.read_text(encoding="utf-8"))
    if not isinstance(content, dict):
        raise ValueError("not a mapping")
    return content


def _read_index(path: Path) -> dict[str, str]:
    """Names of the stresses in order, and the folder of each, which lies beside the index."""
    entries = json.loads(path.read_text(encoding="utf-8"))
    found = {str(entry["name"]): str(entry["folder"]) for entry in entries}
    if any(Path(place).name != place for place in found.values()):
        raise ValueError("a folder elsewhere")
    return found


def _read_study(path: Path) -> Study:
    """The study as it was run; the files it names need not exist any more."""
    from simulator.study.resolve import read_resolved

    return read_resolved(path)


def _read_scenarios(path: Path) -> xr.Dataset:
    """The scenarios as the run left them: what is large in files, and no memory for what is the same in all of them."""
    import pandas as pd
    import xarray as xr

    with xr.open_dataset(path, engine="h5netcdf", cache=False) as file:
        in_files = file.nbytes > spill.HELD_BYTES
        folder = path.parent if os.access(path.parent, os.W_OK) else None
        variables = {
            name: (variable.dims, _compact(variable.to_numpy(), in_files, folder), variable.attrs)
            for name, variable in file.data_vars.items()
        }
        numbers = pd.RangeIndex(file.sizes["scenario"])
        if not np.array_equal(file["scenario"].to_numpy(), numbers):
            raise ValueError("scenarios are numbered otherwise")
        named = ("scenario", numbers, file["scenario"].attrs)
        dataset = file.drop_vars([*file.data_vars, "scenario"]).load().assign(variables).assign_coords(scenario=named)
    _forget_encoding(dataset)
    for name in ("programme", "gross_loss", "retained_loss", "weight"):
        dataset[name]  # a KeyError where it is missing
    return dataset


def _compact(values: np.ndarray, in_files: bool, folder: Path | None) -> np.ndarray:
    """An array as a run holds it, scenarios on the last axis."""
    if not in_files:
        return values
    bits = values.view(f"u{values.itemsize}")  # a zero is not a negative zero, and a NaN is one
    if (bits == bits[..., :1]).all():
        return np.broadcast_to(values[..., :1].copy(), values.shape)
    made = spill.spilled(values.shape, values.dtype, folder)
    made[...] = values
    spill.release()
    return made


def _read_dataset(path: Path) -> xr.Dataset:
    """Read a dataset whole, so that the file is closed and may be replaced."""
    import xarray as xr

    with xr.open_dataset(path, engine="h5netcdf") as file:
        dataset = file.load()
    _forget_encoding(dataset)
    return dataset


def _forget_encoding(dataset: xr.Dataset) -> None:
    for variable in dataset.variables.values():
        variable.encoding = {}
    dataset.encoding = {}
