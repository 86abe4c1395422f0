"""Which PD curve each buyer has: by rating, by its own PD, or from a curve file.

Nothing here needs compiled code, so ``simulator check`` can use it.
"""

from __future__ import annotations

from pathlib import Path

import numpy as np

from simulator.defaults.curve_files import Curve, cumulative_hazard, file_curves, find, hazard_on, rating_curves
from simulator.errors import Problem, Problems, closest
from simulator.factors.drivers import name_some
from simulator.ledger.portfolio import Buyers, Floats, Ints, Portfolio
from simulator.study.calendar import DAYS_PER_YEAR
from simulator.study.schema import Study


def buyer_hazards(study: Study, buyers: Buyers, days: Floats, folder: Path, problems: Problems) -> tuple[Ints, Floats]:
    """Cumulative hazards of all buyers, before any multiplier.

    Args:
        study: ``credit.pd`` is read.
        buyers: their ratings, PDs or ids are read.
        days: days on which the hazard is wanted, float64[n_days].
        folder: the study's folder, which file names are relative to.
        problems: where mistakes are added; after one, the hazards are incomplete.

    Returns:
        The row of each buyer, int32[n_buyers], and cumulative hazards, float64[n_curves, n_days].
    """
    if study.credit.pd.source == "column":
        return _by_column(study, buyers, days, problems)
    return _by_curve(study, buyers, days, folder, problems)


def check_ratings(study: Study, portfolio: Portfolio, folder: Path = Path()) -> None:
    """Check that every buyer has a probability of default.

    Raises:
        InputError: a rating or PD that is missing, unknown or out of range, or a table that cannot be read.
    """
    problems = Problems()
    buyer_hazards(study, portfolio.buyers, np.ones(1), folder, problems)
    problems.raise_if_any()


def known_ratings(study: Study, folder: Path = Path()) -> set[str]:
    """Ratings (or grades) that this study's PD source understands; empty when it does not go by rating.

    Raises:
        InputError: if the table or curve file cannot be read.
    """
    problems = Problems()
    known: set[str] = set()
    if study.credit.pd.source == "rating":
        known = set(rating_curves(study.credit.pd.table, folder, problems))
    elif study.credit.pd.source == "curve":
        key, curves = file_curves(study.credit.pd.file, folder, problems)
        known = set(curves) if key == "grade" else set()
    problems.raise_if_any()
    return known


def _by_column(study: Study, buyers: Buyers, days: Floats, problems: Problems) -> tuple[Ints, Floats]:
    """Constant hazard from ``pd_annual``; one row per distinct value."""
    blank = np.isnan(buyers.pd_annual)
    outside = ~blank & ~((buyers.pd_annual >= 0.0) & (buyers.pd_annual <= 1.0))
    reasons = (
        (blank, "blank for buyer {}; fill it in, or give portfolio.defaults.pd_annual"),
        (outside, "a probability of default lies between 0 and 1; it does not for buyer {}"),
    )
    for wrong, reason in reasons:
        if wrong.any():
            at = np.flatnonzero(wrong).tolist()
            text = reason.format(name_some([buyers.buyer_id[b] for b in at]))
            problems.add(buyers.problem(at[0], "pd_annual", text))
    values, row = np.unique(np.where(blank | outside, 0.0, buyers.pd_annual), return_inverse=True)
    return row.astype(np.int32), cumulative_hazard(values)[:, None] * (days / DAYS_PER_YEAR)


def _by_curve(study: Study, buyers: Buyers, days: Floats, folder: Path, problems: Problems) -> tuple[Ints, Floats]:
    """Hazards by rating, grade or buyer; one row per curve that is used."""
    before = len(problems)
    if study.credit.pd.source == "rating":
        key, curves = "rating", rating_curves(study.credit.pd.table, folder, problems)
    else:
        key, curves = file_curves(study.credit.pd.file, folder, problems)
    by_buyer = key == "buyer_id"
    wanted = buyers.buyer_id if by_buyer else [text.strip() for text in buyers.rating]
    match = {text: (text if text in curves else None) if by_buyer else find(text, curves) for text in set(wanted)}
    if len(problems) == before:
        missing = sorted(text for text, found in match.items() if found is None)
        if by_buyer and missing:
            text = f"has no curve for buyer {name_some(missing)}"
            first = buyers.buyer_id.index(missing[0])
            near = closest(missing[0], curves)
            text = f"{study.credit.pd.file} {text}; it needs one for every buyer_id"
            problems.add(buyers.problem(first, "buyer_id", text, near, missing[0]))
        for text in missing if not by_buyer else ():
            of = [buyer for buyer, rating in enumerate(wanted) if rating == text]
            problems.add(_unknown_rating(study, buyers, text, of, curves))
    used = sorted({found for found in match.values() if found is not None})
    index = {name: i for i, name in enumerate(used)}
    row = np.array([index.get(match[text] or "", 0) for text in wanted], dtype=np.int32)
    hazard = np.array([hazard_on(curves[name], days) for name in used]).reshape(len(used), len(days))
    return row, hazard


def _unknown_rating(study: Study, buyers: Buyers, text: str, of: list[int], curves: dict[str, Curve]) -> Problem:
    """The problem of buyers whose rating is blank or not in the table, at the first one's cell."""
    pd = study.credit.pd
    known = f"known in {pd.table if pd.source == 'rating' else pd.file}: {', '.join(curves)}"
    names = name_some([buyers.buyer_id[b] for b in of])
    if not text:
        message = f"blank for buyer {names}; fill it in, or give portfolio.defaults.rating; {known}"
        return buyers.problem(of[0], "rating", message)
    return buyers.problem(of[0], "rating", f"unknown rating of buyer {names}; {known}", closest(text, curves), text)
