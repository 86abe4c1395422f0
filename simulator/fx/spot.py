"""The ledger date's exchange rates."""

from __future__ import annotations

import math
from pathlib import Path

from simulator.errors import Problem, Problems
from simulator.fx.history import History, load_history
from simulator.study.schema import Study

#: A given rate and the history's may differ by this factor before one of them is taken to be upside down.
_UPSIDE_DOWN = 1.5


def resolve_spot(study: Study, folder: Path, codes: list[str]) -> dict[str, float]:
    """Study currency per unit of each currency on the ledger's date.

    A rate given in ``fx.rates`` counts; else the last rate of ``fx.history`` up to ``as_of``, not older than 31 days.

    Args:
        study: the study.
        folder: the study's folder, where a history file is looked up.
        codes: ISO codes; the study currency is always 1.

    Raises:
        InputError: listing every currency without a rate, and every given rate the history contradicts.
    """
    return rates_of(study, load_history(study, folder, codes), codes)


def rates_of(study: Study, history: History | None, codes: list[str]) -> dict[str, float]:
    """As :func:`resolve_spot`, with the history already loaded (``None``: there is none)."""
    own, given = study.study.currency, study.fx.rates
    problems = Problems()
    spot = {own: 1.0}
    for code in dict.fromkeys(codes):
        if code == own:
            continue
        known = history.spot(code) if history is not None else math.nan
        if code in given:
            spot[code] = given[code]
            if max(known / given[code], given[code] / known) > _UPSIDE_DOWN:
                text = (
                    f"contradicts the rate history, where one {code} is {known:.6g} {own}: is one of them upside down?"
                )
                problems.add(Problem(text, path=f"fx.rates.{code}", value=f"{given[code]:g}"))
        elif math.isnan(known):
            text = f"no exchange rate for {code}: give fx.rates: {{{code}: <{own} per one {code}>}}"
            if history is not None:
                text += f" (the history has none in the month up to {study.study.as_of})"
            problems.add(Problem(text, path=f"fx.rates.{code}"))
        else:
            spot[code] = known
    problems.raise_if_any()
    return spot
