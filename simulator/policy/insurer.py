"""How likely the insurer fails: its own annual probability, or that of its rating.

Nothing here needs compiled code, so ``simulator check`` can use it.
"""

from __future__ import annotations

from pathlib import Path

import numpy as np

from simulator.defaults.curve_files import cumulative_hazard, find, hazard_on, rating_curves
from simulator.errors import Problem, Problems, closest
from simulator.study.calendar import DAYS_PER_YEAR
from simulator.study.schema import Policy, Study
from simulator.study.schema_terms import Insurer


def annual_intensity(study: Study, p: int, insurer: Insurer, folder: Path, problems: Problems) -> float:
    """-log(1 - PD) of a programme's insurer, for one year; 0 with a problem where its rating is unknown.

    Args:
        study: ``credit.pd.table`` is read for a rating.
        p: the programme.
        insurer: its insurer.
        folder: the study's folder.
        problems: where an unknown rating goes.
    """
    if insurer.annual_pd is not None:
        return float(cumulative_hazard(np.array([insurer.annual_pd]))[0])
    unread = Problems()
    curves = rating_curves(study.credit.pd.table, folder, unread)
    rating = find(insurer.rating, curves)
    if rating is not None:
        return float(hazard_on(curves[rating], np.array([DAYS_PER_YEAR]))[0])
    if curves:
        message = f"no such rating in the table {study.credit.pd.table}, which has {', '.join(curves)}"
        near = closest(insurer.rating, curves)
        problems.add(Problem(message, path=f"programmes[{p}].insurer.rating", value=insurer.rating, suggestion=near))
    return 0.0


def check_insurers(study: Study, folder: Path = Path()) -> None:
    """Check that every insurer's rating is known.

    Raises:
        InputError: naming each that is not.
    """
    problems = Problems()
    for p, policy in enumerate(study.programmes):
        if isinstance(policy, Policy) and policy.insurer is not None:
            annual_intensity(study, p, policy.insurer, folder, problems)
    problems.raise_if_any()
