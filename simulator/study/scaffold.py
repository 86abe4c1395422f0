"""``simulator init``: a commented study with sample files that runs as it is."""

from __future__ import annotations

import json
import os
from importlib import resources
from pathlib import Path

from simulator.errors import InputError, Problem, display_path
from simulator.study.resolve import json_schema

TEMPLATES = ("study.yaml", "buyers.csv", "open_items.csv")
SCHEMA = "study.schema.json"


def init_study(folder: str | Path) -> list[Path]:
    """Write a study to start from into a folder, which is made where needed.

    Nothing that exists is overwritten; if one file is in the way, none is written.

    Returns:
        The files written, the study first.

    Raises:
        InputError: when a file exists already or the folder cannot be written.
    """
    target = Path(folder).expanduser()
    contents = {name: _template(name) for name in TEMPLATES}
    contents[SCHEMA] = json.dumps(json_schema(), indent=1, ensure_ascii=False) + "\n"
    try:
        taken = [target / name for name in contents if os.path.lexists(target / name)]
        if taken:
            message = "exists already and is not overwritten; choose another folder"
            raise InputError([Problem(message, display_path(path)) for path in taken])
        target.mkdir(parents=True, exist_ok=True)
        return [_write(target / name, text) for name, text in contents.items()]
    except (OSError, ValueError) as error:
        reason = (getattr(error, "strerror", None) or str(error)).lower()
        raise InputError([Problem(f"the folder cannot be written: {reason}", display_path(target))]) from None


def _template(name: str) -> str:
    return (resources.files("simulator.study") / "templates" / name).read_text(encoding="utf-8")


def _write(path: Path, text: str) -> Path:
    with open(path, "x", encoding="utf-8", newline="\n") as file:  # "x": never over somebody's file
        file.write(text)
    return path
