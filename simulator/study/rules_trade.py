"""Rules for what every programme may have, for the bank line, and for studies without invoices."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from typing import Any

from pydantic import BaseModel

from simulator.study.amounts import Multiple
from simulator.study.breaches import Breaches
from simulator.study.names import check_country
from simulator.study.paths import KeyPath, show_path
from simulator.study.schema import Study
from simulator.study.schema_trade import Selection

#: Sections of a programme that act on invoices or cash.
_TRADE = (
    "reserve_fund",
    "factoring",
    "letter_of_credit",
    "prepayment",
    "early_payment_discount",
    "collection",
    "limit_changes",
    "maximum_extension_period",
    "notification",
)
#: Words of a policy that mean something only where there are invoices, and what they are by default.
_WORDS = (
    "starts",
    "period",
    "currency",
    "conversion",
    "vat_covered",
    "waiting_clock",
    "payment_allocation",
    "loss_payee",
)


def _names(study: Study, found: Breaches) -> None:
    seen: dict[str, int] = {}
    for index, programme in enumerate(study.programmes):
        path: KeyPath = ("programmes", index)
        name = " ".join(programme.name.split()).casefold()
        if name in seen:
            first = show_path(("programmes", seen[name]))
            found.add((*path, "name"), f"must be unique; {first} has this name already")
        seen.setdefault(name, index)
        if not programme.name.isprintable() or not programme.name.strip():
            found.add((*path, "name"), "must be one line of printable text")


def selections(study: Study) -> Iterator[tuple[KeyPath, Selection]]:
    """Every selection of buyers in a study with its key path."""
    for index, programme in enumerate(study.programmes):
        path: KeyPath = ("programmes", index)
        for key in ("factoring", "letter_of_credit", "prepayment", "early_payment_discount", "collection"):
            section = getattr(programme, key)
            if section is not None:
                yield (*path, key, "buyers"), section.buyers
        if programme.type != "none":
            yield (*path, "buyers"), programme.buyers


def _selections(study: Study, found: Breaches) -> None:
    for path, selection in selections(study):
        if selection.top is not None and selection.except_top is not None and selection.top <= selection.except_top:
            message = f"must be above except_top ({selection.except_top}), else nobody is left"
            found.add((*path, "top"), message, reads=[(*path, "except_top")])
        if selection.top is not None and selection.ids is not None and selection.top >= len(selection.ids):
            message = f"must be below the number of ids ({len(selection.ids)}); a blank `ids:` chooses from all buyers"
            found.add((*path, "top"), message, reads=[(*path, "ids")])


def _reserve(study: Study, found: Breaches) -> None:
    costs = study.liquidity.operating_costs
    for index, programme in enumerate(study.programmes):
        path: KeyPath = ("programmes", index)
        if isinstance(programme.reserve, Multiple) and costs == 0:
            message = "is a multiple of a month's operating costs, but these are 0: give liquidity.operating_costs"
            found.add((*path, "reserve"), message, reads=[("liquidity", "operating_costs")])
        if programme.reserve_fund is not None and programme.reserve == 0:
            message = "needs a `reserve` above 0: that is the amount it is kept at"
            found.add((*path, "reserve_fund"), message, at_key=True, reads=[(*path, "reserve")])
        if programme.collection is not None:
            stages = [stage.after.days for stage in programme.collection.stages]
            for at, days in enumerate(stages):
                if at and days <= stages[at - 1]:
                    message = f"stages must ascend; {programme.collection.stages[at - 1].after} stands before it"
                    found.add((*path, "collection", "stages", at, "after"), message)


def _line(study: Study, found: Breaches) -> None:
    line, path = study.liquidity.credit_line, ("liquidity", "credit_line")
    for at, step in enumerate(line.margin_grid):
        if at and step.used_above <= line.margin_grid[at - 1].used_above:
            message = f"steps must ascend; {line.margin_grid[at - 1].used_above:g} stands before it"
            found.add((*path, "margin_grid", at, "used_above"), message)
    base = line.borrowing_base
    if base is None:
        return
    where: KeyPath = (*path, "borrowing_base")
    if base.home_country is not None:
        check_country(found, (*where, "home_country"), base.home_country, at_key=False)
    elif not base.foreign:
        message = "needs `home_country`, the seller's: receivables abroad do not count, unless `foreign: true`"
        found.add(where, message, at_key=True, reads=[(*where, "home_country"), (*where, "foreign")])


def _constant(study: Study, found: Breaches) -> None:
    """With one exposure per buyer nothing is invoiced, paid or kept in a bank: terms of those have no meaning."""
    if study.portfolio.exposure != "constant":
        return
    asked: list[KeyPath] = []
    for index, programme in enumerate(study.programmes):
        path: KeyPath = ("programmes", index)
        asked += [(*path, key) for key in (*_TRADE, *_WORDS) if _differs(programme, key)]
        if getattr(programme, "currency", None) == study.study.currency:
            asked.remove((*path, "currency"))
        if getattr(programme, "disputes", "excluded") == "suspended":
            asked.append((*path, "disputes"))
        if programme.type != "none" and programme.premium.base == "balance":
            asked.append((*path, "premium", "base"))
    if study.liquidity.credit_line.borrowing_base is not None:
        asked.append(("liquidity", "credit_line", "borrowing_base"))
    if study.script is not None:
        asked.append(("script",))
    for path in asked:
        message = "has no meaning with `exposure: constant`, which has no invoices, payments, currencies or cash"
        found.add(path, message, at_key=True, reads=[("portfolio", "exposure")])


def _differs(section: BaseModel, key: str) -> bool:
    fields: dict[str, Any] = type(section).model_fields
    return key in fields and getattr(section, key) != fields[key].default


TRADE_RULES: list[Callable[[Study, Breaches], None]] = [_names, _selections, _reserve, _line, _constant]
