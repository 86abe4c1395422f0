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


#: What people call a key of the study file elsewhere → its name here.
ALSO_CALLED = {
    "afl": "aggregate_first_loss",
    "aggregate_deductible": "aggregate_first_loss",
    "annual_aggregate_deductible": "aggregate_first_loss",
    "aggregate_limit": "maximum_liability",
    "policy_limit": "maximum_liability",
    "ml": "maximum_liability",
    "coverage": "insured_percentage",
    "cover": "insured_percentage",
    "insured_share": "insured_percentage",
    "percentage_of_cover": "insured_percentage",
    "indemnity_percentage": "insured_percentage",
    "deductible": "each_and_every_first_loss",
    "excess": "each_and_every_first_loss",
    "nql": "non_qualifying_loss",
    "claims_threshold": "non_qualifying_loss",
    "dcl": "discretionary_limit",
    "rate": "rate_on_turnover",
    "insurance_premium_tax": "tax",
    "credit_limits": "limits",
    "retention": "reserve",
    "lgd": "mean",
    "dof": "degrees_of_freedom",
    "df": "degrees_of_freedom",
    "n_scenarios": "scenarios",
    "date": "as_of",
    "policies": "programmes",
    "programs": "programmes",
    "scenarios": "stresses",
}
#: Words of the report, and short ones for what it shows → the terms that hold them.
SHOWN_AS = {
    "country_schedule": ("programmes.countries",),
    "cover_lost": ("limit_cancelled_ratio", "insurer_default_ratio", "gap_limit_cancelled", "gap_insurer_default"),
    "net_interest": ("financing_cost",),
    "net_claims": ("indemnity",),
    "gross_claims": ("indemnity_gross",),
    "tvar": ("retained_loss_tail_value_at_risk", "gross_loss_tail_value_at_risk"),
    "var": ("retained_loss_value_at_risk", "gross_loss_value_at_risk"),
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
    """The terms a word may mean: those of this name, else keys that end in it, else what is meant by it.

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
    meant = SHOWN_AS.get(folded) or ((ALSO_CALLED[folded],) if folded in ALSO_CALLED else ())
    if meant:
        return tuple(term for name in meant for term in find(name))
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
