"""Kinds of buyers that policies treat differently, in the words that ledgers use for them."""

from __future__ import annotations

import csv
from functools import cache
from importlib import resources

from simulator.ledger.headers import normal
from simulator.ledger.values import parse_flag

#: Kinds that a column of yes and no may name; every other buyer is a company.
FLAGS = ("related", "public", "private")


@cache
def buyer_types() -> dict[str, str]:
    """Spelling without case, spaces and punctuation → company, related, public or private."""
    text = (resources.files("simulator.ledger") / "tables" / "buyer_types.csv").read_text(encoding="utf-8")
    return {normal(row["spelling"]): row["type"] for row in csv.DictReader(text.splitlines())}


def buyer_type(text: str) -> str:
    """The kind a word stands for, or an empty string; blank is a company: ``Konzern`` → related."""
    return buyer_types().get(normal(text), "") if text.strip() else "company"


def flagged(text: str, name: str) -> bool | None:
    """Whether a cell of the column ``name`` says yes; the kind's own word counts as yes, ``None`` is neither."""
    return True if text.strip() and buyer_type(text) == name else parse_flag(text)
