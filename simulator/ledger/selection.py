"""Some of the buyers: who is insured, whose invoices are sold, who must pay in advance."""

from __future__ import annotations

from collections.abc import Collection, Sequence

import numpy as np

from simulator.errors import Problem, Problems, closest
from simulator.ledger.codes import countries, country_code, likely_country
from simulator.ledger.portfolio import Buyers, Flags, Portfolio
from simulator.ledger.reading import numbered
from simulator.study.schema_trade import Selection


def select(selection: Selection, portfolio: Portfolio) -> Flags:
    """The buyers that meet every condition given, bool[n_buyers]; all of them where none is.

    ``top`` and ``except_top`` rank the buyers that meet the other conditions by ``portfolio.volume`` (what is open
    and planned within the horizon, study currency at the ledger date's rates, before any stress), equal ones by id.
    Ratings, countries and sectors compare without case.

    Args:
        selection: the conditions.
        portfolio: its buyers.
    """
    buyers = portfolio.buyers
    chosen = np.ones(len(buyers), dtype=np.bool_)
    if selection.ids is not None:
        chosen &= _among(buyers.buyer_id, selection.ids)
    for wanted, texts in _labels(selection, buyers):
        if wanted is not None:
            chosen &= _among([_plain(text) for text in texts], [_plain(text) for text in wanted])
    if selection.top is not None or selection.except_top is not None:
        candidates = np.flatnonzero(chosen).tolist()
        ranked = sorted(candidates, key=lambda b: (-portfolio.volume[b], buyers.buyer_id[b]))
        chosen[:] = False
        chosen[ranked[selection.except_top or 0 : selection.top]] = True
    return chosen


def check_selection(
    selection: Selection, portfolio: Portfolio, path: str, problems: Problems, ratings: Collection[str] = ()
) -> None:
    """Check that a selection names what there is, and that somebody is left.

    Args:
        selection: the conditions.
        portfolio: its buyers.
        path: key of the selection, such as ``programmes[1].factoring.buyers``.
        problems: where mistakes are added.
        ratings: ratings that are known though no buyer may have them.
    """
    buyers, before = portfolio.buyers, len(problems)

    def tell(key: str, at: int, value: str, message: str, near: str) -> None:
        problems.add(Problem(message, path=f"{path}.{key}[{at}]", value=value, suggestion=near))

    known = set(buyers.buyer_id)
    for at, buyer in enumerate(selection.ids or ()):
        if buyer not in known:
            tell("ids", at, buyer, "no buyer has this buyer_id; leading zeros count", _near_id(buyer, buyers.buyer_id))
    have = {_plain(text) for text in (*buyers.rating, *ratings)}
    for at, rating in enumerate(selection.ratings or ()):
        if _plain(rating) not in have:
            among = sorted({*buyers.rating, *ratings} - {""})
            tell("ratings", at, rating, f"no such rating; there are {numbered(among)}", closest(rating, among))
    have = {_plain(text) for text in (*buyers.country, *countries())}
    for at, country in enumerate(selection.countries or ()):
        if _plain(country_code(country)) not in have:
            message = "not an ISO 3166 country code, and no buyer is in a country of this name"
            near = likely_country(country, sorted(set(buyers.country))) or closest(country, set(buyers.country))
            tell("countries", at, country, message, near)
    have = {_plain(text) for text in buyers.sector}
    for at, sector in enumerate(selection.sectors or ()):
        if _plain(sector) not in have:
            among = sorted(set(buyers.sector) - {""})
            message = f"no buyer is in this sector; there are {numbered(among)}" if among else "no buyer has a sector"
            tell("sectors", at, sector, message, closest(sector, among))
    if len(problems) == before and not select(selection, portfolio).any():
        problems.add(Problem("selects no buyer: none meets all of its conditions", path=path))


def _labels(selection: Selection, buyers: Buyers) -> list[tuple[Sequence[str] | None, list[str]]]:
    countries_wanted = selection.countries and [country_code(text) for text in selection.countries]
    return [
        (selection.ratings, buyers.rating),
        (countries_wanted, buyers.country),
        (selection.sectors, buyers.sector),
    ]


def _among(texts: Sequence[str], wanted: Collection[str]) -> Flags:
    names = set(wanted)
    return np.fromiter((text in names for text in texts), dtype=np.bool_, count=len(texts))


def _plain(text: str) -> str:
    return text.strip().casefold()


def _near_id(buyer: str, known: list[str]) -> str:
    """The id that differs in leading zeros alone, else the nearest one."""
    same = [other for other in known if other.lstrip("0") == buyer.lstrip("0")]
    return same[0] if same else closest(buyer, known)
