"""From content to study: every mistake of form, in plain words and at its place, all at once.

:func:`validate` never raises on a user's mistake. It returns the study if the content fits the schema; if not, it
returns what fits once the offending values are set aside, so that the cross-field rules can still be checked and
reported in the same breath.
"""

from __future__ import annotations

import copy
import math
import re
from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field
from typing import Any

from pydantic import ValidationError
from pydantic_core import ErrorDetails

from simulator.errors import Problem, closest
from simulator.study.document import Document
from simulator.study.fields import Slot, allowed, choose, keys, one_of, slot_at, slot_of, slots, tags
from simulator.study.paths import KeyPath, at
from simulator.study.schema import NoCover, Study
from simulator.study.schema_cover import TYPE_CODES, WORDING_CODES
from simulator.terms import ALSO_CALLED

#: Words that are spelt right and mean something else than what is nearest to them.
_REAL_WORDS = {"saturday", "sunday"}

#: Sections and values a study cannot do without, and what stands in while the rest is checked.
_STAND_INS: dict[KeyPath, Any] = {
    ("study",): {"title": "-", "as_of": "2000-01-01", "currency": "XXX"},
    ("study", "title"): "-",
    ("study", "as_of"): "2000-01-01",
    ("study", "currency"): "XXX",
    ("portfolio",): {},
    ("programmes",): [{"name": "-", "type": "none"}],
}
_ROUNDS = 12


@dataclass
class Findings:
    """What checking found.

    Attributes:
        study: the study, or what of it could be understood; ``None`` when too little fits.
        problems: every problem of form.
        broken: paths that were set aside; rules about them are not checked.
    """

    study: Study | None = None
    problems: list[Problem] = field(default_factory=list)
    broken: list[KeyPath] = field(default_factory=list)

    def touches_broken(self, path: KeyPath) -> bool:
        """Whether a path lies on, above or below something set aside."""
        return any(path[: len(b)] == b or b[: len(path)] == path for b in self.broken)


def validate(document: Document, broken: Iterable[KeyPath] = ()) -> Findings:
    """Check content against the schema.

    Args:
        document: the content, ``extends`` resolved.
        broken: paths already reported; nothing more is said about them.
    """
    findings = Findings(broken=list(broken))
    data = copy.deepcopy(document.data)
    for path, message in _odd_values(data):
        findings.problems.append(document.problem(path, message))
        findings.broken += [path, _set_aside(data, path)]
    for _ in range(_ROUNDS):
        try:
            findings.study = Study.model_validate(data)
            break
        except ValidationError as error:
            _note(document, data, error.errors(include_url=False), findings)
    return findings


def _note(document: Document, data: Any, errors: list[ErrorDetails], findings: Findings) -> None:
    """Turn errors into problems, and set what is wrong aside so that the next round can look further."""
    mistakes = [m for m in (_mistake(document.data, data, e) for e in errors) if m is not None]
    misspelt = {(m.path[:-1], m.suggestion) for m in mistakes if m.unknown}
    for mistake in mistakes:
        known = any(mistake.path[: len(b)] == b for b in findings.broken)
        renamed = mistake.missing and (mistake.path[:-1], mistake.path[-1]) in misspelt
        if not known and not renamed:
            findings.problems.append(
                document.problem(
                    mistake.path, mistake.message, suggestion=mistake.suggestion, at_key=mistake.unknown
                )
            )  # fmt: skip
        if mistake.path not in findings.broken:
            findings.broken.append(mistake.path)
    done: list[KeyPath] = []
    for mistake in mistakes:
        if not any(mistake.path[: len(head)] == head for head in done):
            done.append(_set_aside(data, mistake.path))
    findings.broken += [head for head in done if head not in findings.broken]


@dataclass(frozen=True)
class _Mistake:
    path: KeyPath
    message: str
    suggestion: str = ""
    unknown: bool = False
    missing: bool = False


def _odd_values(data: Any, path: KeyPath = ()) -> Iterator[tuple[KeyPath, str]]:
    """Values YAML can write but a study cannot use: infinities, not-a-number, true and false for numbers."""
    if isinstance(data, dict | list):
        for step, item in list(data.items() if isinstance(data, dict) else enumerate(data)):
            yield from _odd_values(item, (*path, step))
    elif isinstance(data, float) and not math.isfinite(data):
        yield path, "must be a finite number"
    elif isinstance(data, bool):
        slot = slot_at(path, None)
        if slot is not None and slot.kind in ("number", "whole"):
            yield path, f"must be {allowed(slot)}, not true or false"


def _follow(error: ErrorDetails, data: Any) -> tuple[KeyPath, Slot] | None:
    """The key path and slot of an error; ``None`` for the branch of a union that was not meant."""
    path: KeyPath = ()
    slot = slot_of(Study)
    location = list(error["loc"])
    while location:
        if slot.kind == "union":
            label = str(location.pop(0))
            meant = choose(slot, at(data, path))
            if meant is None or not _is_branch(meant, label, slot):
                return None
            slot = meant
            continue
        step = location.pop(0)
        if slot.model is not None:
            found = slots(slot.model)
            step = str(step)
            path = (*path, step)
            if step not in found:
                return path, Slot(None)
            slot = found[step]
        elif slot.kind in ("mapping", "list"):
            path = (*path, step)
            slot = slot.item
        else:
            break
    return path, slot


def _is_branch(meant: Slot, label: str, union: Slot) -> bool:
    if union.discriminator:
        return True
    if meant.model is not None:
        return label == meant.model.__name__
    if meant.kind in ("mapping", "list"):
        return label.startswith("dict[" if meant.kind == "mapping" else "tuple[")
    return not label.startswith(("dict[", "tuple[")) and not any(
        m.model is not None and m.model.__name__ == label for m in union.members
    )


def _mistake(written: Any, data: Any, error: ErrorDetails) -> _Mistake | None:
    """One error of the validator, in plain words."""
    found = _follow(error, data)
    if found is None:
        return None
    path, slot = found
    kind, value = error["type"], error.get("input")
    if kind == "too_short" and isinstance(at(data, path), list) and at(data, path):
        return None  # counts only the items that are right; the wrong ones are reported themselves
    if kind == "extra_forbidden":
        return _unknown_key(path, data)
    if kind == "missing":
        meaning = slot.info.description if slot.info is not None and slot.info.description else ""
        example = f" ({meaning[0].lower()}{meaning[1:].rstrip('.')})" if meaning else ""
        return _Mistake(path, f"`{path[-1]}` is missing here{example}; it must be {allowed(slot)}", missing=True)
    if kind in ("union_tag_not_found", "union_tag_invalid"):
        return _bad_tag(path, slot, at(data, path), written)
    if kind == "value_error":
        text = str(error.get("ctx", {}).get("error", error["msg"]))
        text, _, suggestion = text.partition("; did you mean ")
        return _Mistake(path, text if text.startswith("must") else f"must be {text}", suggestion)
    return _bad_value(path, slot, kind, value)


def _bad_value(path: KeyPath, slot: Slot, kind: str, value: Any) -> _Mistake:
    if value is None:
        return _Mistake(path, f"nothing stands here; it must be {allowed(slot)}")
    if slot.kind == "choice" and isinstance(value, str | int | float):
        near = closest(str(value), slot.options)
        if path[-1] == "order":
            near = WORDING_CODES.get(_folded(str(value)), near)
        right = str(value).casefold() in _REAL_WORDS and str(value).casefold() != near.casefold()
        return _Mistake(path, f"must be {allowed(slot)}", "" if right else near)
    if kind == "string_pattern_mismatch":
        near = str(value).strip().upper()
        near = near if near != value and re.fullmatch(str(slot.bound("pattern")), near) else ""
        return _Mistake(path, f"must be {allowed(slot)}", near)
    if kind in ("string_too_short", "too_short"):
        return _Mistake(path, "must not be empty")
    if slot.kind == "text" and isinstance(value, int | float):
        return _Mistake(path, "must be text; put quotes round it")
    if slot.kind in ("section", "union") and isinstance(value, str):
        return _Mistake(path, f"must be {allowed(slot)}", _section_for(slot, value))
    if slot.kind == "list" and isinstance(value, str | int | float):
        return _Mistake(path, f"must be {allowed(slot)}", f"[{value}]")
    if slot.kind == "list" and isinstance(value, dict):
        return _Mistake(path, "must be a list: each entry starts with a dash and a blank")
    if slot.kind in ("section", "mapping", "union") and isinstance(value, list):
        return _Mistake(path, f"must be {allowed(slot)}; a list stands here")
    comma = isinstance(value, str) and re.fullmatch(r"[-+]?\d+,\d+", value)
    if comma and slot.kind in ("number", "whole"):
        return _Mistake(path, f"must be {allowed(slot)} (with a decimal point)", value.replace(",", "."))
    return _Mistake(path, f"must be {allowed(slot)}")


def _section_for(slot: Slot, word: str) -> str:
    """The section a single word was probably meant to be: ``pay_runs: weekly`` is ``{rule: weekly}``."""
    for member in slot.members:
        for key, field_slot in slots(member.model).items() if member.model is not None else ():
            options = tags(slot) if key == slot.discriminator else field_slot.options
            near = closest(word, options)
            if near:
                return f"{{{key}: {near}}}"
    return ""


def _bad_tag(path: KeyPath, slot: Slot, value: Any, written: Any) -> _Mistake:
    """``type:`` of a programme or ``model:`` of the delay is missing or unknown."""
    known, name = tags(slot), slot.discriminator
    if isinstance(value, dict) and value.get(name) is not None:
        tag = str(value[name])
        return _Mistake((*path, name), f"must be {one_of(known)}", _tag_for(tag, known))
    if isinstance(value, dict):
        return _Mistake((*path, name), f"`{name}` is missing here; it must be {one_of(known)}", missing=True)
    return _Mistake(path, f"must be {allowed(slot)}", _section_for(slot, value) if isinstance(value, str) else "")


def _tag_for(tag: str, known: list[str]) -> str:
    """The kind that was probably meant by a word."""
    near = TYPE_CODES.get(_folded(tag), "")
    return near if near in known else closest(tag, known)


def _folded(word: str) -> str:
    return re.sub(r"[\s-]+", "_", word.strip().casefold())


def _unknown_key(path: KeyPath, data: Any) -> _Mistake:
    parent = slot_at(path[:-1], data) or slot_of(Study)
    parent = choose(parent, at(data, path[:-1])) or parent
    known = list(slots(parent.model)) if parent.model is not None else []
    word = str(path[-1])
    if word[:1].isdigit():
        return _Mistake(
            path, "a number stands where a key is expected; decimals have a point, not a comma", unknown=True
        )
    folded = _folded(word)
    near = ALSO_CALLED.get(folded, "")
    near = folded if folded in known else near if near in known else closest(folded, known)
    if not near and folded.endswith("_days") and folded.removesuffix("_days") in known:
        near = folded.removesuffix("_days")
    if near:
        return _Mistake(path, "unknown key", near, unknown=True)
    elsewhere = [name for name, _ in keys() if name.rpartition(".")[2] in (folded, ALSO_CALLED.get(folded))]
    if path[0] == "programmes" and any(name.startswith("programmes.") for name in elsewhere):
        kind = str((at(data, path[:-1]) or {}).get("type", ""))
        if kind == "none" and elsewhere and len(path) == 3:
            hint = f"a programme of type none is no policy and has no such term; its keys are {', '.join(known)}"
            return _Mistake(path, hint, unknown=True)
    if len(elsewhere) == 1:
        return _Mistake(path, f"unknown key here; there is `{elsewhere[0]}`", unknown=True)
    return _Mistake(path, f"unknown key; the keys here are {', '.join(known)}", unknown=True)


def _set_aside(data: Any, path: KeyPath) -> KeyPath:
    """Take a wrong value out, so that its default holds; what cannot be left out gets a stand-in.

    Returns:
        The path that was taken out: the value itself, or the smallest section that can do without it.
    """
    for cut in range(len(path), 0, -1):
        head = path[:cut]
        holder, last = at(data, head[:-1]), head[-1]
        if head in _STAND_INS and isinstance(holder, dict):
            holder[str(last)] = copy.deepcopy(_STAND_INS[head])
            return head
        if head[0] == "programmes" and len(head) == 2:
            if isinstance(holder, list) and isinstance(last, int) and last < len(holder):
                holder[last] = {"name": f"- {last}", "type": "none"}
            return head
        if head[0] == "programmes" and len(head) == 3 and isinstance(holder, dict) and last in ("name", "type"):
            holder[str(last)] = f"- {head[1]}" if last == "name" else _likely_type(holder)
            return head
        if isinstance(holder, dict) and last in holder:
            del holder[last]
            return head
    return path


def _likely_type(programme: dict[str, Any]) -> str:
    """The type a programme without a valid one was probably meant to have, so that its terms can be checked."""
    known = tags(slot_of(Study.model_fields["programmes"].annotation).item)
    near = _tag_for(str(programme.get("type", "")), known)
    return near or ("none" if set(programme) <= set(NoCover.model_fields) else "whole_turnover")
