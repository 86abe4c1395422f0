"""The run folder: every part of a result as a file that can be read without this package, and back again.

``study.resolved.yaml``, ``manifest.json``, ``profile.json``, ``summary.json`` and ``summary.csv``,
``scenarios.nc``, ``paths.nc`` (NetCDF), ``contributions/*.csv``, and one such folder for each stress under
``stresses/``. The manifest is written last: a folder without it is not a finished run.
"""

from __future__ import annotations

import json
import re
from pathlib import Path
from typing import TYPE_CHECKING, Any

from simulator.errors import SimulatorError, display_path
from simulator.results.dataset import stamp
from simulator.results.files import prepare_folder, read_table, replace_file, write_json, write_table, write_text
from simulator.results.result import Result

if TYPE_CHECKING:
    import xarray as xr

    from simulator.study.schema import Study

STUDY, MANIFEST, PROFILE = "study.resolved.yaml", "manifest.json", "profile.json"
SUMMARY_JSON, SUMMARY_CSV = "summary.json", "summary.csv"
SCENARIOS, PATHS = "scenarios.nc", "paths.nc"
CONTRIBUTIONS, STRESSES, INDEX = "contributions", "stresses", "index.json"
DATES = {"units": "days since 1970-01-01", "dtype": "int64"}
PACKED = {"zlib": True, "complevel": 1, "shuffle": False}  # mostly zeros and full doubles: shuffling costs, gains none


def save(result: Result, folder: str | Path, *, resolved_study: str | None = None) -> Path:
    """Write a result into a folder, made if need be, and return the folder.

    Every file is written to a temporary name, synced and renamed, so that a reader never sees half a file.

    Args:
        result: what is saved; its datasets are stamped with units first.
        folder: where to.
        resolved_study: text of ``study.resolved.yaml``; made from the study where left out.

    Raises:
        SimulatorError: the folder cannot be written, or a variable is not in the dictionary.
    """
    target = prepare_folder(folder)
    scenarios = stamp(result.scenarios, result.currency)
    paths = stamp(result.paths, result.currency)
    write_text(target / STUDY, resolved_study if resolved_study is not None else _resolved(result.study))
    write_json(target / PROFILE, result.profile)
    replace_file(target / SCENARIOS, lambda temporary: _write_dataset(scenarios, temporary))
    replace_file(target / PATHS, lambda temporary: _write_dataset(paths, temporary))
    if result.summary_rows is not None:
        write_json(target / SUMMARY_JSON, result.summary_rows)
        write_table(target / SUMMARY_CSV, result.summary_rows)
    if result.contributions:
        tables = prepare_folder(target / CONTRIBUTIONS)
        for name, table in result.contributions.items():
            write_table(tables / f"{name}.csv", table)
    if result.stresses:
        _save_stresses(result, prepare_folder(target / STRESSES))
    write_json(target / MANIFEST, result.manifest)
    return target


def _resolved(study: Study) -> str:
    from simulator.study.resolve import resolved_yaml

    return resolved_yaml(study)


def _save_stresses(result: Result, folder: Path) -> None:
    """One run folder per stress; the index keeps their names and order, which a folder name may not be able to."""
    index = []
    for number, (name, stress) in enumerate(result.stresses.items(), start=1):
        place = f"{number:02d}-" + re.sub(r"[^a-z0-9]+", "-", name.casefold()).strip("-")
        save(stress, folder / place)
        index.append({"name": name, "folder": place})
    write_json(folder / INDEX, index)


def _write_dataset(dataset: xr.Dataset, path: Path) -> None:
    encoding: dict[str, dict[str, Any]] = {}
    for name, variable in dataset.variables.items():
        if variable.dtype.kind == "M":
            encoding[str(name)] = dict(DATES)
        elif variable.dtype.kind in "fiu" and variable.size > 1:
            encoding[str(name)] = dict(PACKED)
    # the file keeps no NaN marker of its own: a NaN is stored as a NaN
    for settings in encoding.values():
        settings["_FillValue"] = None
    dataset.to_netcdf(path, engine="h5netcdf", encoding=encoding)


def open_result(folder: str | Path) -> Result:
    """Read a run folder back, stresses included.

    Raises:
        SimulatorError: the folder is missing, unfinished, or a file in it cannot be read.
    """
    source = Path(folder)
    if not source.is_dir():
        raise SimulatorError(f"there is no run folder {display_path(source)}")
    if not (source / MANIFEST).is_file():
        raise SimulatorError(f"{display_path(source)} is not a finished run: it has no {MANIFEST}")
    try:
        return _read(source)
    except (OSError, ValueError, KeyError) as error:
        raise SimulatorError(f"cannot read the run folder {display_path(source)}: {error}") from error


def _read(source: Path) -> Result:
    summary = source / SUMMARY_CSV
    tables = sorted((source / CONTRIBUTIONS).glob("*.csv"))
    index = source / STRESSES / INDEX
    stresses = _read_json(index) if index.is_file() else []
    return Result(
        study=_read_study(source / STUDY),
        scenarios=_read_dataset(source / SCENARIOS),
        paths=_read_dataset(source / PATHS),
        contributions={table.stem: read_table(table) for table in tables},
        manifest=_read_json(source / MANIFEST),
        profile=_read_json(source / PROFILE),
        stresses={entry["name"]: open_result(source / STRESSES / entry["folder"]) for entry in stresses},
        summary_rows=read_table(summary) if summary.is_file() else None,
    )


def _read_json(path: Path) -> Any:
    return json.loads(path.read_text(encoding="utf-8"))


def _read_study(path: Path) -> Study:
    """The study as it was run; the files it names need not exist any more."""
    from simulator.study.resolve import read_resolved

    return read_resolved(path)


def _read_dataset(path: Path) -> xr.Dataset:
    """Read a dataset whole, so that the file is closed and may be replaced."""
    import xarray as xr

    with xr.open_dataset(path, engine="h5netcdf") as file:
        dataset = file.load()
    for variable in dataset.variables.values():
        variable.encoding = {}
    dataset.encoding = {}
    return dataset
