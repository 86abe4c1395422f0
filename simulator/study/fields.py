"""The schema seen from outside: which keys there are, what each allows, in plain words.

Used to explain mistakes (:mod:`simulator.study.check`), to write studies in human units
(:mod:`simulator.study.resolve`) and to keep the dictionary of terms complete.
"""

from __future__ import annotations

import datetime as dt
import types
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Annotated, Any, Literal, Union, get_args, get_origin

from pydantic import BaseModel, BeforeValidator
from pydantic.fields import FieldInfo

from simulator.study import amounts
from simulator.study.schema import Study

#: How an amount is parsed → what kind of thing it is.
_KINDS = {
    amounts.parse_money: "money",
    amounts.parse_positive_money: "positive_money",
    amounts.parse_share: "share",
    amounts.parse_fraction: "fraction",
    amounts.parse_duration: "length",
    amounts.parse_signed_days: "days",
    amounts.parse_liability: "liability",
    amounts.parse_reserve: "reserve",
    amounts.parse_moment: "moment",
    amounts.parse_count: "count",
    amounts.parse_date: "date",
}

_WORDS = {
    "money": "an amount of money, such as 250 k or 2.5 M",
    "positive_money": "an amount of money of at least 0, such as 250 k or 2.5 M",
    "share": "a number or a percentage, such as 0.9 or 90 %",
    "fraction": "a fraction from 0 to 1, or a percentage with its sign",
    "length": "a length of time, such as 180 days or 26 weeks",
    "days": "a whole number of days, such as 15 days or -3 days",
    "liability": "an amount of money, or a multiple such as 30 x premium",
    "reserve": "an amount of money, or a multiple such as 1.5 x operating costs",
    "moment": "a date such as 2027-01-08, or a time from the ledger's date such as 10 weeks",
    "count": "a whole number, such as 100000 or 100 k",
    "date": "a date written YYYY-MM-DD, such as 2026-10-30",
    "text": "text",
    "flag": "true or false",
}


@dataclass(frozen=True)
class Slot:
    """A place in the schema: what may stand there.

    Attributes:
        annotation: its type, without ``None`` and ``Annotated``.
        metadata: bounds and parsers.
        optional: whether it may be left blank by type.
        info: the field it belongs to, when it is one.
    """

    annotation: Any
    metadata: tuple[Any, ...] = ()
    optional: bool = False
    info: FieldInfo | None = None

    @property
    def members(self) -> tuple[Slot, ...]:
        """The alternatives of a union, itself alone otherwise."""
        if get_origin(self.annotation) not in (Union, types.UnionType):
            return (self,)
        return tuple(slot_of(a) for a in get_args(self.annotation) if a is not types.NoneType)

    @property
    def discriminator(self) -> str:
        """The key that tells the alternatives apart, empty when there is none."""
        sources = (*self.metadata, self.info) if self.info is not None else self.metadata
        for item in sources:
            if isinstance(item, FieldInfo) and isinstance(item.discriminator, str):
                return item.discriminator
        return ""

    @property
    def model(self) -> type[BaseModel] | None:
        """The section that stands here, if it is one."""
        return self.annotation if isinstance(self.annotation, type) and issubclass(self.annotation, BaseModel) else None

    @property
    def kind(self) -> str:
        """One word: money, fraction, length, choice, number, whole, text, flag, list, mapping, section, union …"""
        for item in self.metadata:
            if isinstance(item, BeforeValidator) and item.func in _KINDS:
                return _KINDS[item.func]
        if self.model is not None:
            return "section"
        origin = get_origin(self.annotation)
        if origin in (Union, types.UnionType):
            return "union"
        named = {Literal: "choice", tuple: "list", dict: "mapping"}
        plain = {float: "number", int: "whole", str: "text", bool: "flag", dt.date: "date"}
        return named.get(origin) or plain.get(self.annotation, "any")

    @property
    def item(self) -> Slot:
        """What a list or mapping holds."""
        return slot_of(get_args(self.annotation)[1 if self.kind == "mapping" else 0])

    @property
    def options(self) -> list[str]:
        """Words of a choice."""
        return [str(option) for option in get_args(self.annotation)] if self.kind == "choice" else []

    def bound(self, name: str) -> Any:
        """A bound of the field (``ge``, ``gt``, ``le``, ``lt``, ``pattern``, ``min_length``), or ``None``."""
        for item in self.metadata:
            if getattr(item, name, None) is not None:
                return getattr(item, name)
        return None


def slot_of(annotation: Any, info: FieldInfo | None = None) -> Slot:
    """The slot of a type or a model field."""
    metadata: tuple[Any, ...] = tuple(info.metadata) if info is not None else ()
    optional = False
    while True:
        if get_origin(annotation) is Annotated:
            annotation, *extra = get_args(annotation)
            metadata += tuple(extra)
        elif get_origin(annotation) in (Union, types.UnionType):
            rest = [a for a in get_args(annotation) if a is not types.NoneType]
            optional = optional or len(rest) < len(get_args(annotation))
            if len(rest) != 1:
                break
            annotation = rest[0]
        else:
            break
    return Slot(annotation, metadata, optional, info)


def slots(model: type[BaseModel]) -> dict[str, Slot]:
    """The keys of a section as written in the file."""
    return {info.alias or name: slot_of(info.annotation, info) for name, info in model.model_fields.items()}


def choose(slot: Slot, value: Any) -> Slot | None:
    """The alternative of a union that a value is an attempt at; ``None`` when its discriminator does not tell."""
    if slot.kind != "union":
        return slot
    if slot.discriminator:
        tag = value.get(slot.discriminator) if isinstance(value, dict) else None
        for member in slot.members:
            if member.model is not None and tag in slots(member.model)[slot.discriminator].options:
                return member
        return None
    wanted = ("section", "mapping") if isinstance(value, dict) else ("list",) if isinstance(value, list) else ()
    fitting = [m for m in slot.members if m.kind in wanted]
    return (fitting or [m for m in slot.members if m.kind not in ("section", "mapping", "list")] or [slot])[0]


def tags(slot: Slot) -> list[str]:
    """The words a discriminator may take."""
    return [
        option for member in slot.members if member.model for option in slots(member.model)[slot.discriminator].options
    ]


def slot_at(path: tuple[str | int, ...], data: Any) -> Slot | None:
    """The slot at a key path of a study, ``None`` where the schema has none; ``data`` decides between alternatives."""
    slot: Slot | None = slot_of(Study)
    for step in path:
        slot = choose(slot, data) if slot is not None else None
        if slot is None:
            return None
        if slot.kind == "section" and slot.model is not None:
            slot = slots(slot.model).get(str(step))
        elif slot.kind in ("mapping", "list"):
            slot = slot.item
        else:
            return None
        try:
            data = data[step]
        except (KeyError, IndexError, TypeError):
            data = None
    return slot


def allowed(slot: Slot) -> str:
    """What may stand in a slot, in words that read on from "must be"."""
    kind = slot.kind
    if kind == "text" and slot.bound("pattern") is not None:
        return "a currency code of three capital letters (ISO 4217), such as EUR"
    if kind in _WORDS:
        return _WORDS[kind]
    if kind == "choice":
        return one_of(slot.options)
    if kind in ("number", "whole"):
        return ("a whole number" if kind == "whole" else "a number") + _range(slot)
    if kind == "list":
        return f"a list, each item {allowed(slot.item)}"
    if kind == "mapping":
        return f"a mapping of name: value, each value {allowed(slot.item)}"
    if kind == "section" and slot.model is not None:
        return f"a section with the keys {', '.join(slots(slot.model))}"
    if kind == "union":
        if slot.discriminator:
            return f"a section with the key {slot.discriminator}: {one_of(tags(slot))}"
        return ", or ".join(allowed(member) for member in slot.members)
    return "something else"


def one_of(options: list[str]) -> str:
    """``a``, ``a or b``, ``one of a, b, c``."""
    if len(options) <= 2:
        return " or ".join(options)
    return f"one of {', '.join(options)}"


def _range(slot: Slot) -> str:
    low, above = slot.bound("ge"), slot.bound("gt")
    high, below = slot.bound("le"), slot.bound("lt")
    if below is not None and below > 10**15:
        below = None
    start = f"from {low:g}" if low is not None else f"above {above:g}" if above is not None else ""
    end = f"to {high:g}" if high is not None else f"below {below:g}" if below is not None else ""
    if start and end:
        joiner = " " if start.startswith("from") and end.startswith("to") else " and "
        end = end.replace("to ", "at most ") if joiner == " and " else end
        return f" {start}{joiner}{end}"
    if low is not None:
        return f" of at least {low:g}"
    return f" {start}" if start else f" of at most {high:g}" if high is not None else f" {end}" if end else ""


def keys(slot: Slot | None = None, prefix: str = "") -> Iterator[tuple[str, Slot]]:
    """Every configuration key with its dotted name; list positions and names of mappings are left out.

    ``programmes.insured_percentage`` is the key of any programme, ``stresses.pd_multiplier`` that of any stress.
    Alternatives may repeat a key; the first one stands.
    """
    slot = slot_of(Study) if slot is None else slot
    seen: set[str] = set()
    for member in slot.members:
        if member.kind in ("list", "mapping"):
            found = keys(member.item, prefix)
        elif member.model is not None:
            found = _section_keys(member.model, prefix)
        else:
            continue
        for name, key in found:
            if name not in seen:
                seen.add(name)
                yield name, key


def _section_keys(model: type[BaseModel], prefix: str) -> Iterator[tuple[str, Slot]]:
    for alias, slot in slots(model).items():
        name = f"{prefix}.{alias}" if prefix else alias
        yield name, slot
        yield from keys(slot, name)
