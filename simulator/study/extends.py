"""``extends`` between programmes: the terms of one are laid under those of another before anything is validated."""

from __future__ import annotations

import copy
from typing import Any

from simulator.errors import Problem, closest
from simulator.study.document import Document
from simulator.study.paths import KeyPath


def resolve_extends(document: Document) -> tuple[list[Problem], list[KeyPath]]:
    """Merge extended programmes in place; ``extends`` itself disappears.

    Sections merge key by key; any other value of the extending programme replaces the inherited one, and an empty
    value (``maximum_liability:``) takes the inherited term away. The name is not inherited. Inherited terms keep
    the place where they were written.

    Returns:
        The problems found, and the paths about which nothing more should be said.
    """
    programmes = document.data.get("programmes") if isinstance(document.data, dict) else None
    if not isinstance(programmes, list):
        return [], []
    resolver = _Resolver(document, programmes)
    for index in range(len(programmes)):
        resolver.resolve(index, ())
    return resolver.problems, resolver.broken


class _Resolver:
    def __init__(self, document: Document, programmes: list[Any]) -> None:
        self.document = document
        self.programmes = programmes
        self.problems: list[Problem] = []
        self.broken: list[KeyPath] = []
        self.index: dict[str, int] = {}
        for position, programme in enumerate(programmes):
            if isinstance(programme, dict) and isinstance(programme.get("name"), str):
                self.index.setdefault(programme["name"], position)

    def resolve(self, position: int, chain: tuple[int, ...]) -> None:
        """Merge one programme, those it extends first; ``chain`` are the programmes on the way here."""
        programme = self.programmes[position]
        if not isinstance(programme, dict) or programme.get("extends") is None:
            return
        path: KeyPath = ("programmes", position, "extends")
        wanted = programme["extends"]
        parent = self.index.get(wanted) if isinstance(wanted, str) else None
        if parent is None:
            known = [name for name, at in self.index.items() if at != position]
            near = closest(str(wanted), known)
            names = f"; programmes here: {', '.join(known)}" if known and not near else ""
            self.give_up(position, f"no programme has this name{names}", near)
        elif position in chain or parent == position:
            names = " → ".join(str(self.programmes[p].get("name")) for p in (*chain[chain.index(position) :], position)
                               ) if position in chain else f"{wanted} → {wanted}"  # fmt: skip
            self.give_up(position, f"programmes extend each other in a circle: {names}", "")
        else:
            self.resolve(parent, (*chain, position))
            if "extends" in programme:  # a circle found below was already reported
                self.merge(position, parent, path)

    def merge(self, position: int, parent: int, path: KeyPath) -> None:
        """Lay the terms of ``parent`` under those of the programme at ``position``."""
        programme, base = self.programmes[position], self.programmes[parent]
        if not isinstance(base, dict):
            self.give_up(position, "the programme of this name cannot be read", "")
            return
        own, inherited = programme.get("type"), base.get("type")
        if own is not None and inherited is not None and own != inherited:
            message = f"that programme is of type {inherited}, this one of type {own}; terms pass only within a type"
            self.give_up(position, message, "")
            return
        if ("programmes", parent, "type") in self.broken:  # its own type is missing for the same reason
            self.broken.append(("programmes", position, "type"))
        merged = _merge({k: v for k, v in base.items() if k != "name"}, programme)
        merged.pop("extends", None)
        programme.clear()
        programme.update(merged)
        name_place = self.document.places.get(("programmes", position, "name"))
        self.document.move(("programmes", parent), ("programmes", position))
        if name_place is None:
            self.document.places.pop(("programmes", position, "name"), None)

    def give_up(self, position: int, message: str, suggestion: str) -> None:
        """Report a programme whose terms cannot be taken over, and say nothing more about what it lacks."""
        path: KeyPath = ("programmes", position, "extends")
        self.problems.append(self.document.problem(path, message, suggestion=suggestion))
        self.programmes[position].pop("extends", None)
        self.broken += [path, ("programmes", position, "type")]


def _merge(base: dict[str, Any], over: dict[str, Any]) -> dict[str, Any]:
    merged = copy.deepcopy(base)
    for key, value in over.items():
        if isinstance(value, dict) and isinstance(merged.get(key), dict):
            merged[key] = _merge(merged[key], value)
        else:
            merged[key] = copy.deepcopy(value)
    return merged
