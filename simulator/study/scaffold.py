"""``simulator init``: a commented study with sample files that runs as it is, for any of the usual kinds of policy."""

from __future__ import annotations

import json
import os
import re
from importlib import resources
from pathlib import Path

from simulator.errors import InputError, Problem, SimulatorError, closest, display_path
from simulator.study.resolve import json_schema

TEMPLATES = ("study.yaml", "buyers.csv", "open_items.csv")
SCHEMA = "study.schema.json"
#: Kind of policy → title and question of its study.
POLICIES = {
    "whole_turnover": ("Whole-turnover cover", "Insure all receivables, and with how much first loss?"),
    "excess_of_loss": ("Excess of loss", "Carry the usual losses ourselves and insure only the bad years?"),
    "single_buyer": ("Cover for the largest buyers", "Insure only the buyers that could ruin us?"),
    "sme_simple": ("A simple policy for a small firm", "Is a standard policy worth its premium?"),
    "top_up": ("Limits that are too small", "Is a second insurer above the limits worth its premium?"),
}
#: The programmes of the study template stand between these lines.
_FIRST, _AFTER = "# Compared on the same scenarios", "# Named variants of the whole study"


def init_study(folder: str | Path, policy: str | None = None) -> list[Path]:
    """Write a study to start from into a folder, which is made where needed.

    Nothing that exists is overwritten; if one file is in the way, none is written.

    Args:
        folder: where to write.
        policy: kind of policy the study compares, one of :data:`POLICIES`; several by default.

    Returns:
        The files written, the study first.

    Raises:
        InputError: when a file exists already or the folder cannot be written.
        SimulatorError: when there is no such kind of policy.
    """
    target = Path(folder).expanduser()
    contents = {name: _template(name) for name in TEMPLATES}
    if policy is not None:
        contents["study.yaml"] = _with_policy(contents["study.yaml"], policy)
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


def _with_policy(study: str, policy: str) -> str:
    """The study template with the title, question and programmes of a kind of policy."""
    if policy not in POLICIES:
        near = closest(policy, POLICIES)
        hint = f"did you mean {near}?" if near else f"there are {', '.join(POLICIES)}"
        raise SimulatorError(f"no policy template {policy!r}; {hint}")
    title, question = POLICIES[policy]
    study = re.sub(r"(?m)^  title: .*$", f"  title: {title}", study)
    study = re.sub(r"(?m)^  description: .*$", f"  description: {question}", study)
    before, rest = study[: study.index(_FIRST)], study[study.index(_AFTER) :]
    return f"{before}{_template(f'policies/{policy}.yaml')}\n{rest}"


def _template(name: str) -> str:
    return (resources.files("simulator.study") / "templates" / name).read_text(encoding="utf-8")


def _write(path: Path, text: str) -> Path:
    with open(path, "x", encoding="utf-8", newline="\n") as file:  # "x": never over somebody's file
        file.write(text)
    return path
