"""The dictionary: every configuration key, ledger column, result variable, measure and axis, in one table.

``simulator/terms.csv`` holds name, kind, unit, dims, bounds, meaning and source. Configuration keys carry their
dotted name (``programmes.insured_percentage``), everything else its own.
"""

from __future__ import annotations

import csv
from functools import cache
from importlib import resources
from typing import NamedTuple

from simulator.errors import SimulatorError, closest

KINDS = ("config", "column", "variable", "measure", "axis", "constant")

_KIND_WORDS = {
    "config": "key of the study file",
    "column": "ledger column",
    "variable": "result variable",
    "measure": "measure",
    "axis": "axis",
    "constant": "constant",
}


class Term(NamedTuple):
    """One word and what it stands for; the columns of ``terms.csv``, empty where they do not apply."""

    name: str
    kind: str
    unit: str
    dims: str
    bounds: str
    meaning: str
    source: str


@cache
def load_terms() -> tuple[Term, ...]:
    """Every term, in the order of the table."""
    text = resources.files("simulator").joinpath("terms.csv").read_text(encoding="utf-8")
    return tuple(Term(**row) for row in csv.DictReader(text.splitlines()))


def find(word: str) -> tuple[Term, ...]:
    """The terms a word may mean: those of this name, else configuration keys that end in it.

    Raises:
        SimulatorError: when there is none, with the nearest known word.
    """
    wanted = word.strip()
    terms = load_terms()
    exact = tuple(term for term in terms if term.name == wanted)
    ending = tuple(term for term in terms if term.kind == "config" and term.name.endswith("." + wanted))
    if exact or ending:
        return exact + ending
    folded = wanted.casefold().replace(" ", "_").replace("-", "_")
    known = {name: name for term in terms for name in (term.name, term.name.rpartition(".")[2])}
    if folded != wanted and folded in known:
        return find(folded)
    near = closest(folded, known)
    raise SimulatorError(f"no term {wanted!r}" + (f"; did you mean {near}?" if near else ""))


def term(name: str, kind: str | None = None) -> Term:
    """The term of a name: of the given kind, or the first found.

    Raises:
        SimulatorError: when there is none, with the nearest known word.
    """
    found = [entry for entry in find(name) if kind is None or entry.kind == kind]
    if not found:
        raise SimulatorError(f"no {_KIND_WORDS.get(kind or '', kind)} is called {name!r}")
    return found[0]


def describe(name: str) -> str:
    """What a word means, its unit, bounds and source, for every thing that carries it.

    Raises:
        SimulatorError: when nothing does, with the nearest known word.
    """
    return "\n\n".join(_entry(found) for found in find(name))


def _entry(found: Term) -> str:
    facts = {"unit": found.unit, "by": found.dims, "bounds": found.bounds, "source": found.source}
    lines = [f"{found.name}  ({_KIND_WORDS.get(found.kind, found.kind)})", f"  {found.meaning}"]
    lines += [f"  {label}: {fact}" for label, fact in facts.items() if fact]
    return "\n".join(lines)
