"""From ratings, PDs or curves to the latent threshold of every buyer and day.

One latent draw per buyer over the whole horizon decides whether and *when* it fails (a copula of default times,
Li 2000): default on or before day d ⇔ mixing · X ≤ threshold(d), with threshold(d) the copula's quantile at F(d).
The grid on which cash is measured plays no part, so weekly and monthly studies have the same losses.
"""

from __future__ import annotations

from pathlib import Path
from typing import NamedTuple

import numpy as np

from simulator.defaults.curves import Curve, cumulative_hazard, file_curves, find, hazard_on, rating_curves
from simulator.errors import Problem, Problems, closest
from simulator.factors.copulas import COPULAS
from simulator.factors.drivers import name_some
from simulator.ledger.portfolio import Buyers, Floats, Ints, Portfolio
from simulator.study.calendar import DAYS_PER_YEAR, Calendar
from simulator.study.schema import Study


class DefaultPlan(NamedTuple):
    """Arrays of the default times.

    Attributes:
        curve: row of ``threshold`` of each buyer, int32[n_buyers].
        threshold: latent threshold by curve and day, float64[n_curves, horizon_days], nondecreasing along days;
            default on or before day d ⇔ mixing · latent ≤ threshold[curve, d − 1]; −∞ where the PD is 0.
    """

    curve: Ints
    threshold: Floats


def build_defaults(
    study: Study, portfolio: Portfolio, calendar: Calendar, pd_multiplier: float, folder: Path = Path()
) -> DefaultPlan:
    """Prepare the default times.

    Args:
        study: ``credit.pd`` and ``credit.dependence`` are read.
        portfolio: ratings or PDs of the buyers are read.
        calendar: the horizon.
        pd_multiplier: of a stress, times the study's own multiplier, on every hazard.
        folder: the study's folder, which file names are relative to.

    Raises:
        InputError: a rating or PD that is missing, unknown or out of range, or a table that cannot be read.
    """
    problems = Problems()
    days = np.arange(1.0, calendar.horizon_days + 1.0)
    if study.credit.pd.source == "column":
        row, hazard = _by_column(study, portfolio.buyers, days, problems)
    else:
        row, hazard = _by_curve(study, portfolio.buyers, days, folder, problems)
    problems.raise_if_any()
    pd = -np.expm1(-pd_multiplier * study.credit.pd.multiplier * hazard)
    dependence = study.credit.dependence
    threshold = COPULAS[dependence.copula].quantile(pd, dependence)
    # a quantile routine may wobble in its last digit; a threshold may not fall from one day to the next
    return DefaultPlan(row, np.maximum.accumulate(threshold, axis=1))


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
    file = study.portfolio.buyers or ""
    blank = np.isnan(buyers.pd_annual)
    outside = ~blank & ~((buyers.pd_annual >= 0.0) & (buyers.pd_annual <= 1.0))
    reasons = (
        (blank, "blank for buyer {}; fill it in, or give portfolio.defaults.pd_annual"),
        (outside, "a probability of default lies between 0 and 1; it does not for buyer {}"),
    )
    for wrong, reason in reasons:
        if wrong.any():
            names = name_some([buyers.buyer_id[b] for b in np.flatnonzero(wrong)])
            problems.add(Problem(reason.format(names), file=file, path="pd_annual"))
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
            problems.add(Problem(text, file=study.credit.pd.file or "", path="buyer_id"))
        for text in missing if not by_buyer else ():
            of = [buyer for buyer, rating in zip(buyers.buyer_id, wanted, strict=True) if rating == text]
            problems.add(_unknown_rating(study, text, of, curves))
    used = sorted({found for found in match.values() if found is not None})
    index = {name: i for i, name in enumerate(used)}
    row = np.array([index.get(match[text] or "", 0) for text in wanted], dtype=np.int32)
    hazard = np.array([hazard_on(curves[name], days) for name in used]).reshape(len(used), len(days))
    return row, hazard


def _unknown_rating(study: Study, text: str, of: list[str], curves: dict[str, Curve]) -> Problem:
    """The problem of buyers whose rating is blank or not in the table."""
    pd = study.credit.pd
    known = f"known in {pd.table if pd.source == 'rating' else pd.file}: {', '.join(curves)}"
    file = study.portfolio.buyers or ""
    if not text:
        message = f"blank for buyer {name_some(of)}; fill it in, or give portfolio.defaults.rating; {known}"
        return Problem(message, file=file, path="rating")
    message = f"unknown rating of buyer {name_some(of)}; {known}"
    return Problem(message, file=file, path="rating", value=text, suggestion=closest(text, curves))
