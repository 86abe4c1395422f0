"""Writing a study: fully resolved, in human units, readable back to an equal study; and its JSON schema."""

from __future__ import annotations

import io
import math
import re
from collections.abc import Callable
from pathlib import Path
from typing import Any

from pydantic import BaseModel
from ruamel.yaml import YAML
from ruamel.yaml.comments import CommentedMap, CommentedSeq
from ruamel.yaml.scalarstring import DoubleQuotedScalarString

from simulator.errors import InputError
from simulator.study import amounts
from simulator.study.check import validate
from simulator.study.fields import Slot, choose, slot_of, slots
from simulator.study.schema import Study
from simulator.study.yaml import parse_document, plain_scalar, read_document

_HEADER = "Study with every default filled in and every `extends` resolved, as it was run."
_MULTIPLES = ((1e9, "bn"), (1e6, "M"), (1e3, "k"))
_FLOW_LENGTH = 88
_SAFE = re.compile(r"[^\W\d_]([\w ./%()+-]|:(?=\w))*(?<! )", re.ASCII)


def resolved_yaml(study: Study) -> str:
    """The whole study as YAML text: every key, amounts as ``250 k``, fractions as ``90 %``, times as ``26 weeks``.

    ``read_resolved`` (or ``load_study``, where the files it names are at hand) gives an equal study back.
    """
    yaml = YAML(typ="rt", pure=True)
    yaml.width = 1_000_000
    yaml.indent(mapping=2, sequence=4, offset=2)
    tree = _tree(slot_of(Study), study)
    tree.yaml_set_start_comment(_HEADER)
    text = io.StringIO()
    yaml.dump(tree, text)
    return text.getvalue()


def read_resolved(source: str | Path) -> Study:
    """A study as written by :func:`resolved_yaml`, from its file or its text, without looking for the files it names.

    Raises:
        InputError: when it is not a study.
    """
    document = read_document(source) if isinstance(source, Path) else parse_document(source)
    findings = validate(document)
    if findings.study is None or findings.problems or document.problems:
        raise InputError([*document.problems, *findings.problems])
    return findings.study


def json_schema() -> dict[str, Any]:
    """JSON schema of a study file, for editors: keys, meanings, allowed words."""
    schema = Study.model_json_schema(by_alias=True)
    policy = schema["$defs"]["Policy"]  # a programme that extends another inherits its type
    policy["required"] = [key for key in policy["required"] if key != "type"]
    programmes = schema["properties"]["programmes"]["items"]
    programmes.pop("discriminator", None)
    programmes["anyOf"] = programmes.pop("oneOf")
    return {
        "$schema": "https://json-schema.org/draft/2020-12/schema",
        "title": "Trade-credit risk study",
        **{key: value for key, value in schema.items() if key != "title"},
    }


def _tree(slot: Slot, value: Any) -> Any:
    """A value as it goes into the file."""
    if value is None:
        return None
    if isinstance(value, BaseModel):
        return CommentedMap((key, _tree(inner, getattr(value, _attribute(value, key))))
                            for key, inner in slots(type(value)).items() if key != "extends")  # fmt: skip
    if isinstance(value, dict):
        inner = _branch(slot, value).item
        return _flow(CommentedMap((_text(key), _tree(inner, item)) for key, item in value.items()))
    if isinstance(value, tuple | list):
        inner = _branch(slot, value).item
        return _flow(CommentedSeq(_tree(inner, item) for item in value))
    return _scalar(_branch(slot, value).kind, value)


def _branch(slot: Slot, value: Any) -> Slot:
    return choose(slot, value) or slot


def _attribute(section: BaseModel, key: str) -> str:
    return next(name for name, info in type(section).model_fields.items() if (info.alias or name) == key)


def _flow(collection: Any) -> Any:
    """Short collections of plain values go on one line."""
    values = collection.values() if isinstance(collection, dict) else collection
    plain = not any(isinstance(item, dict | list) for item in values)
    if plain and sum(len(str(item)) + 2 for item in collection) < _FLOW_LENGTH:
        collection.fa.set_flow_style()
    return collection


def _scalar(kind: str, value: Any) -> Any:
    if kind in ("money", "positive_money", "liability", "reserve") and isinstance(value, float):
        return _money(value)
    if kind in ("fraction", "share") and isinstance(value, float):
        return _percent(value)
    if kind == "count":
        return _exact([f"{_number(value / size)} {unit}" for size, unit in _MULTIPLES if value and value % size == 0],
                      value, amounts.parse_count)  # fmt: skip
    if isinstance(value, amounts.Duration | amounts.Multiple):
        return str(value)
    return _text(value) if isinstance(value, str) else value


def _text(value: str) -> str:
    """A text as it is where it cannot be taken for anything else, in quotes otherwise."""
    safe = _SAFE.fullmatch(value) and plain_scalar(value) == value
    return value if safe else DoubleQuotedScalarString(value)


def _money(value: float) -> Any:
    """``250 k`` where that is exactly the same amount, the plain number otherwise."""
    candidates = [f"{_number(value / size)} {unit}" for size, unit in _MULTIPLES if abs(value) >= size]
    short = [c for c in candidates if len(c.split(" ")[0].lstrip("-").replace(".", "")) <= 5]
    plain = int(value) if value.is_integer() and abs(value) < 1e15 else value
    return _exact(short, plain, amounts.parse_money)


def _percent(value: float) -> Any:
    """``90 %`` where that is exactly the same share, the plain number otherwise."""
    if value == 0:
        return 0
    shown = _number(float(f"{value * 100:.12g}"))
    return _exact([f"{shown} %"] if "e" not in shown else [], value, amounts.parse_share)


def _number(value: float) -> str:
    return f"{value:.0f}" if value.is_integer() and abs(value) < 1e15 else repr(value)


def _exact(texts: list[str], value: Any, parse: Callable[[Any], float]) -> Any:
    for text in texts:
        try:
            if parse(text) == value and math.copysign(1, parse(text)) == math.copysign(1, value):
                return text
        except ValueError:
            continue
    return value
