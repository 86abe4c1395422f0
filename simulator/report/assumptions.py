"""Every parameter of the study, with the words of its schema: nothing the numbers rest on is left unsaid."""

from __future__ import annotations

import datetime as dt
from collections.abc import Iterator, Mapping
from typing import Any, get_args

import pandas as pd
from pydantic import BaseModel
from pydantic.fields import FieldInfo

from simulator.report.numbers import full_money, long_date, short_percent
from simulator.study import amounts
from simulator.study.schema import Study

PARTS = {
    "portfolio": "Portfolio",
    "credit": "Who fails",
    "payment": "Who pays when",
    "fx": "Currencies",
    "transfer": "Transfer events",
    "liquidity": "Cash",
    "stresses": "Stresses",
    "simulation": "Simulation",
}
CASH_ONLY = ("payment", "fx", "transfer", "liquidity")
_PERCENT = {amounts.parse_fraction, amounts.parse_share}
_MONEY = {amounts.parse_money, amounts.parse_positive_money, amounts.parse_liability, amounts.parse_reserve}


def assumptions(study: Study) -> pd.DataFrame:
    """Columns part, key, value, meaning: one row per parameter in force, in the order of the schema.

    In constant-exposure mode the parts that only move cash are left out.
    """
    constant = study.portfolio.exposure == "constant"
    rows: list[dict[str, str]] = []
    for name, title in PARTS.items():
        if constant and name in CASH_ONLY:
            continue
        rows += ({"part": title} | row for row in _walk(getattr(study, name), name, study.study.currency))
    return pd.DataFrame(rows, columns=["part", "key", "value", "meaning"])


def programme_terms(study: Study) -> pd.DataFrame:
    """Terms of every programme: columns key, meaning, then one column per programme; terms nobody uses left out.

    A term that does not exist in a programme shows as an empty text.
    """
    found: dict[str, dict[str, str]] = {}
    meanings: dict[str, str] = {}
    for position, programme in enumerate(study.programmes):
        for row in _walk(programme, "", study.study.currency):
            key = row["key"]
            if key in {"name", "extends"}:
                continue
            found.setdefault(key, {})[str(position)] = row["value"]
            meanings.setdefault(key, row["meaning"])
            if row["meaning"]:
                meanings[key] = row["meaning"]
    rows = []
    for key, values in found.items():
        if all(v in {"0", "none", "–", "0\u202f%"} for v in values.values()):
            continue
        cells = {str(p): values.get(str(p), "") for p in range(len(study.programmes))}
        rows.append({"key": key, "meaning": meanings[key]} | cells)
    return pd.DataFrame(rows, columns=["key", "meaning", *(str(p) for p in range(len(study.programmes)))])


def _walk(model: BaseModel | Mapping[str, Any], path: str, currency: str) -> Iterator[dict[str, str]]:
    if isinstance(model, BaseModel):
        for name, field in type(model).model_fields.items():
            key = f"{path}.{field.alias or name}".lstrip(".")
            yield from _field(getattr(model, name), field, key, currency)
        return
    for name, value in model.items():
        if isinstance(value, BaseModel):
            yield from _walk(value, f"{path}.{name}", currency)


def _field(value: Any, field: FieldInfo, key: str, currency: str) -> Iterator[dict[str, str]]:
    meaning = " ".join((field.description or "").split())
    nested = isinstance(value, Mapping) and any(isinstance(v, BaseModel) for v in value.values())
    if nested or isinstance(value, BaseModel):
        yield from _walk(value, key, currency)
    elif isinstance(value, tuple) and any(isinstance(v, BaseModel) for v in value):
        listed = (", ".join(f"{row['key']} {row['value']}" for row in _walk(v, "", currency)) for v in value)
        yield {"key": key, "value": "; ".join(listed), "meaning": meaning}
    else:
        kinds = set(_parsers(field))
        percent, money = bool(kinds & _PERCENT), bool(kinds & _MONEY)
        yield {"key": key, "value": in_words(value, percent, money, currency), "meaning": meaning}


def _parsers(field: FieldInfo) -> Iterator[Any]:
    """Functions that parse a field's value, however deep its annotation hides them."""
    pending: list[Any] = [field.annotation, *field.metadata]
    while pending:
        item = pending.pop()
        if hasattr(item, "func"):
            yield item.func
        else:
            pending += [*get_args(item), *getattr(item, "__metadata__", ())]


def in_words(value: Any, percent: bool, money: bool, currency: str) -> str:
    """A parameter's value as a reader writes it: ``90 %``, ``EUR 250 000``, ``26 weeks``, ``yes``, ``–`` for blank."""
    if value is None:
        return "–"
    if isinstance(value, bool):
        return "yes" if value else "no"
    if isinstance(value, dt.date):
        return long_date(value)
    if isinstance(value, int | float):
        if percent:
            return short_percent(float(value), 4)
        if money:
            return "0" if value == 0 else f"{currency} {full_money(float(value))}"
        return full_money(value) if isinstance(value, int) and abs(value) < 10**7 else f"{value:.12g}"
    if isinstance(value, Mapping):
        listed = (f"{k}: {in_words(v, percent, money, currency)}" for k, v in value.items())
        return ", ".join(listed) or "–"
    if isinstance(value, tuple | list):
        shown = [in_words(v, percent, money, currency) for v in value[:12]]
        rest = len(value) - len(shown)
        return ", ".join([*shown, f"and {rest} more"] if rest else shown) or "–"
    return str(value)
