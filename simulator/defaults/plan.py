"""From ratings, PDs or curves to the latent threshold of every buyer and day.

One latent draw per buyer over the whole horizon decides whether and *when* it fails (a copula of default times,
Li 2000): default on or before day d ⇔ mixing · X ≤ threshold(d), with threshold(d) the copula's quantile at F(d).
The grid on which cash is measured plays no part, so weekly and monthly studies have the same losses.
"""

from __future__ import annotations

from pathlib import Path
from typing import NamedTuple

import numpy as np

from simulator.defaults.curves import buyer_hazards
from simulator.errors import Problems
from simulator.factors.copulas import COPULAS
from simulator.ledger.portfolio import Floats, Ints, Portfolio
from simulator.study.calendar import Calendar
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
    row, hazard = buyer_hazards(study, portfolio.buyers, days, folder, problems)
    problems.raise_if_any()
    pd = -np.expm1(-pd_multiplier * study.credit.pd.multiplier * hazard)
    dependence = study.credit.dependence
    threshold = COPULAS[dependence.copula].quantile(pd, dependence)
    # a quantile routine may wobble in its last digit; a threshold may not fall from one day to the next
    return DefaultPlan(row, np.maximum.accumulate(threshold, axis=1))
