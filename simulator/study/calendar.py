"""The grid of a study: days after ``as_of``, the periods they fall in, and the weekly currency grid.

Events happen on whole days 1 … ``horizon_days``; periods only say where cash, receivables and shortfalls are
*measured*. Currency rates always move weekly, so that the choice of period does not change their law.
"""

from __future__ import annotations

import calendar as gregorian
import datetime as dt
from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np
from numpy.typing import NDArray

if TYPE_CHECKING:
    from simulator.study.schema import Study

DAYS_PER_YEAR = 365.0
FX_STEP_DAYS = 7


@dataclass(frozen=True)
class Calendar:
    """Days and periods of a study.

    Attributes:
        as_of: day 0.
        period: ``week`` or ``month``.
        horizon_days: last day on which anything happens.
        period_end: last day of each period, int32[n_periods]; the last one is ``horizon_days``.
        period_of_day: period of each day, int32[horizon_days + 1]; day 0 belongs to the first period.
    """

    as_of: dt.date
    period: str
    horizon_days: int
    period_end: NDArray[np.int32]
    period_of_day: NDArray[np.int32]

    @classmethod
    def of(cls, study: Study) -> Calendar:
        """The calendar of a study: weeks count from ``as_of``; months end with the calendar month."""
        info = study.study
        horizon = info.horizon.days_from(info.as_of)
        ends = _weeks(horizon) if info.period == "week" else _months(info.as_of, horizon)
        end = np.array(ends, dtype=np.int32)
        of_day = np.searchsorted(end, np.arange(horizon + 1), side="left").astype(np.int32)
        return cls(info.as_of, info.period, horizon, end, of_day)

    @property
    def n_periods(self) -> int:
        """Number of periods."""
        return len(self.period_end)

    @property
    def month_ends(self) -> list[int]:
        """Last days of calendar months within the horizon, whatever the period is."""
        ends = _months(self.as_of, self.horizon_days)
        return ends if self.date(ends[-1] + 1).day == 1 else ends[:-1]

    @property
    def horizon_years(self) -> float:
        """Length of the horizon in years of 365 days."""
        return self.horizon_days / DAYS_PER_YEAR

    @property
    def fx_steps(self) -> int:
        """Number of weekly currency steps that cover the horizon."""
        return -(-self.horizon_days // FX_STEP_DAYS)

    @property
    def period_years(self) -> NDArray[np.float64]:
        """Length of each period in years, float64[n_periods]."""
        return np.diff(self.period_end, prepend=0) / DAYS_PER_YEAR

    @property
    def period_dates(self) -> list[dt.date]:
        """Last date of each period."""
        return [self.date(int(day)) for day in self.period_end]

    def date(self, day: int) -> dt.date:
        """The calendar date of a day."""
        return self.as_of + dt.timedelta(days=int(day))

    def day(self, date: dt.date) -> int:
        """The day number of a calendar date."""
        return (date - self.as_of).days


def _weeks(horizon: int) -> list[int]:
    return [*range(FX_STEP_DAYS, horizon, FX_STEP_DAYS), horizon]


def _months(as_of: dt.date, horizon: int) -> list[int]:
    ends: list[int] = []
    year, month = as_of.year, as_of.month
    while not ends or ends[-1] < horizon:
        last = dt.date(year, month, gregorian.monthrange(year, month)[1])
        day = (last - as_of).days
        if day > 0:
            ends.append(min(day, horizon))
        year, month = (year + 1, 1) if month == 12 else (year, month + 1)
    return ends
