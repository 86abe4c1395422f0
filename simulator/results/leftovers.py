"""What an earlier run left in a run folder, known by its name: a folder used again holds one run, never parts of two.

Only files this package writes are removed, and only where ``study.resolved.yaml`` shows that a run was saved there;
whatever else lies in the folder stays.
"""

from __future__ import annotations

import re
from collections.abc import Callable
from pathlib import Path

from simulator.results.files import cannot_write

STUDY, MANIFEST, PROFILE = "study.resolved.yaml", "manifest.json", "profile.json"
SUMMARY_JSON, SUMMARY_CSV = "summary.json", "summary.csv"
SCENARIOS, PATHS = "scenarios.nc", "paths.nc"
CONTRIBUTIONS, STRESSES, INDEX = "contributions", "stresses", "index.json"
REPORTS = ("report.html", "report.xlsx")
TABLES = ("buyers", "countries", "currencies", "sectors")
#: What a scripted run tells, and its tables.
STORY, STORY_TABLES = "story", ("events", "claims")
FIGURES = "figures"
#: Names of the figures of the report; each is one SVG or several numbered ones, and one CSV.
FIGURE_NAMES = (
    "exceedance", "largest_loss", "contributions", "cash_fan", "cash_path", "headroom_fan", "availability_fan",
    "shortfall", "first_shortfall", "gap", "share_paid", "claim_timing", "claims_in_time", "cost", "stresses",
)  # fmt: skip

_RUN = {MANIFEST, PROFILE, SUMMARY_JSON, SUMMARY_CSV, SCENARIOS, PATHS, *REPORTS}
_TABLES = {f"{name}.csv" for name in TABLES}
_FIGURE = re.compile(rf"({'|'.join(FIGURE_NAMES)})((-\d+)?\.svg|\.csv)")
_PLACE = re.compile(r"\d{2,}-[a-z0-9-]*")
_TEMPORARY = re.compile(r"\.(.+)\.\d+\.tmp")


def clear(folder: Path) -> None:
    """Remove what an earlier run left in a folder: its manifest first, so that what remains is no finished run.

    Raises:
        SimulatorError: when something cannot be removed.
    """
    try:
        (folder / MANIFEST).unlink(missing_ok=True)
        if _is_saved(folder):
            _clear_run(folder)
    except OSError as error:
        raise cannot_write(folder, error) from error


def _is_saved(folder: Path) -> bool:
    """Whether a run was saved in a folder, or its saving was killed: the study is written first."""
    return folder.is_dir() and any(_named(path) == STUDY for path in folder.iterdir() if path.is_file())


def _named(path: Path) -> str:
    """The name of a file, without what marks it as half-written."""
    half = _TEMPORARY.fullmatch(path.name)
    return half[1] if half else path.name


def _clear_run(folder: Path) -> None:
    stresses = folder / STRESSES
    if stresses.is_dir() and not stresses.is_symlink():
        for place in sorted(stresses.iterdir()):
            if _PLACE.fullmatch(place.name) and not place.is_symlink() and _is_saved(place):
                clear(place)
                _remove_if_empty(place)
    _clear_files(stresses, lambda name: name == INDEX)
    _clear_files(folder / CONTRIBUTIONS, _TABLES.__contains__)
    _clear_files(folder / STORY, {f"{name}.csv" for name in STORY_TABLES}.__contains__)
    _clear_files(folder / FIGURES, lambda name: _FIGURE.fullmatch(name) is not None)
    _clear_files(folder, _RUN.__contains__, keep=True)
    # last: while it stands, a clearing that was stopped can be gone on with
    _clear_files(folder, lambda name: name == STUDY, keep=True)


def _clear_files(folder: Path, is_ours: Callable[[str], bool], keep: bool = False) -> None:
    """Remove files of ours, half-written ones included, and the folder itself when that leaves it empty."""
    if not folder.is_dir() or folder.is_symlink():
        return
    for path in sorted(folder.iterdir()):
        if is_ours(_named(path)) and (path.is_file() or path.is_symlink()):
            path.unlink()
    if not keep:
        _remove_if_empty(folder)


def _remove_if_empty(folder: Path) -> None:
    if not any(folder.iterdir()):
        folder.rmdir()
