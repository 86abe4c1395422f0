"""Shipped code lists, ISO 4217 currencies and ISO 3166 countries, and the code probably meant by a misspelt one."""

from __future__ import annotations

import csv
from collections.abc import Iterable
from functools import cache
from importlib import resources

from simulator.errors import closest

#: Looked at first for a misspelt currency, because they are what most ledgers hold.
_USUAL = (
    "USD", "EUR", "GBP", "JPY", "CNY", "CHF", "CAD", "AUD", "SEK", "NOK", "DKK",
    "PLN", "CZK", "HUF", "MXN", "BRL", "INR", "KRW", "TRY", "ZAR", "SGD", "HKD",
)  # fmt: skip


def _table(name: str) -> list[list[str]]:
    text = (resources.files("simulator.study") / "tables" / name).read_text(encoding="utf-8")
    return list(csv.reader(text.splitlines()))[1:]


@cache
def currencies() -> frozenset[str]:
    """ISO 4217 alphabetic codes, and CNH, which ledgers show for offshore renminbi."""
    return frozenset(row[0] for row in _table("iso_4217.csv"))


@cache
def countries() -> dict[str, str]:
    """ISO 3166-1 alpha-2 code → alpha-3 code, and XK (Kosovo), which is in common use. ``NA`` is Namibia."""
    return {row[0]: row[1] for row in _table("iso_3166.csv")} | {"XK": "XKX"}


def likely_currency(text: str, used: Iterable[str] = ()) -> str:
    """The code probably meant by a misspelt one: of those in use here if one is close, else of all."""
    return closest(text, sorted(used)) or closest(text, _USUAL) or closest(text, sorted(currencies()))


def likely_country(text: str, used: Iterable[str] = ()) -> str:
    """The country code probably meant: its letters turned round, else one in use here that shares a letter in place."""
    code = text.strip().upper()
    if code in countries():
        return code
    if code[::-1] in countries():
        return code[::-1]
    near = [known for known in used if len(known) == 2 and any(a == b for a, b in zip(known, code, strict=False))]
    return near[0] if near else ""
