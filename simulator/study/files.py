"""Files a study names must exist before anything is run."""

from __future__ import annotations

from pathlib import Path

from simulator.errors import closest
from simulator.study.breaches import Breaches
from simulator.study.fields import one_of
from simulator.study.paths import KeyPath
from simulator.study.schema import EmpiricalDelay, Policy, Study

#: What `limits` says where it names no file.
LIMIT_WORDS = ("column", "unlimited")
#: Rating tables that come with the package, beside the CSV files found there.
_SHIPPED = {"sp_1981_2024"}


def shipped_tables() -> set[str]:
    """Names of the rating tables that come with the package."""
    folder = Path(__file__).parents[1] / "defaults" / "tables"
    return _SHIPPED | {path.stem for path in folder.glob("*.csv")}


def named_files(study: Study) -> dict[KeyPath, str]:
    """Every file a study names, by key path."""
    portfolio, delay = study.portfolio, study.payment.delay
    named: dict[KeyPath, str | None] = {
        ("portfolio", "buyers"): portfolio.buyers,
        ("portfolio", "open_items"): portfolio.open_items,
        ("portfolio", "sales", "file"): portfolio.sales.file,
        ("credit", "pd", "file"): study.credit.pd.file,
        ("payment", "delay", "file"): delay.file if isinstance(delay, EmpiricalDelay) else None,
        ("fx", "history"): None if study.fx.history == "ecb" else study.fx.history,
        ("liquidity", "outflows"): study.liquidity.outflows,
    }
    table = study.credit.pd.table
    if study.credit.pd.source == "rating" and table not in shipped_tables():
        named[("credit", "pd", "table")] = table
    for index, programme in enumerate(study.programmes):
        if isinstance(programme, Policy) and programme.limits not in LIMIT_WORDS:
            named[("programmes", index, "limits")] = programme.limits
    return {path: name for path, name in named.items() if name is not None}


def resolve_file(folder: Path, name: str) -> Path:
    """A file named in a study: absolute, from the home folder (``~``), or relative to the study's folder."""
    try:
        expanded = Path(name).expanduser()
    except RuntimeError:  # ~somebody who does not exist here
        expanded = Path(name)
    return expanded if expanded.is_absolute() else folder / expanded


def check_files(study: Study, found: Breaches, folder: Path) -> None:
    """Breaches each named file that is not there, with the likeliest one that is."""
    for path, name in named_files(study).items():
        target = resolve_file(folder, name)
        try:
            exists, is_folder = target.is_file(), target.is_dir()
        except OSError:
            exists, is_folder = False, False
        if exists:
            continue
        words = {"table": sorted(shipped_tables()), "history": ["ecb"], "limits": list(LIMIT_WORDS)}
        known = words.get(str(path[-1]), [])
        beside = _beside(target)
        near = closest(Path(name).name, beside)
        suggestion = str(Path(name).with_name(near)) if near and Path(name).name else closest(name, known)
        if not name.strip():
            message = "names no file"
        elif is_folder:
            message = "is a folder; a file is needed"
        elif not target.parent.is_dir():
            message = f"no such file: there is no folder {Path(name).parent}"
        elif known:
            message = "no such file" if path[-1] == "history" else f"no such file, and not {one_of(known)}"
        else:
            message = "no such file" + (" beside the study" if not Path(name).is_absolute() and "/" not in name else "")
        found.add(path, message, suggestion)


def _beside(target: Path) -> list[str]:
    try:
        return [path.name for path in target.parent.iterdir() if path.is_file()]
    except (OSError, ValueError):
        return []
