"""Pay runs: on which days buyers pay, and which run an invoice falls due in."""

from __future__ import annotations

import calendar as gregorian
import datetime as dt

import numpy as np

from simulator.ledger.portfolio import Ints
from simulator.study.schema import PayRuns

_WEEKDAYS = ("monday", "tuesday", "wednesday", "thursday", "friday")


def run_date(pay_runs: PayRuns, date: dt.date) -> dt.date:
    """The first pay run on or after a date.

    Worked values: weekly on Friday, Monday 2 November 2026 → Friday the 6th; month end, 10 February 2028 → the 29th.
    """
    if pay_runs.rule == "weekly":
        return date + dt.timedelta(days=(_WEEKDAYS.index(pay_runs.weekday) - date.weekday()) % 7)
    if pay_runs.rule == "month_end":
        return date.replace(day=gregorian.monthrange(date.year, date.month)[1])
    return date


def last_run_day(pay_runs: PayRuns, as_of: dt.date) -> int:
    """Day number (0 or negative) of the last pay run on or before ``as_of``."""
    day = 0
    while run_date(pay_runs, as_of + dt.timedelta(days=day)) > as_of:
        day -= 1
    # every day after the previous run waits for a run after as_of, so this day is a run itself
    return day


def run_table(pay_runs: PayRuns, as_of: dt.date, first_day: int, last_day: int) -> Ints:
    """Next run day on or after each day ``first_day`` … ``last_day``.

    Returns:
        int32[n_rules, n_days]; row 0 is "any day", row 1, where there is one, the study's rule.
    """
    days = np.arange(first_day, last_day + 1, dtype=np.int32)
    if pay_runs.rule == "none":
        return days.reshape(1, -1)
    dates = [as_of + dt.timedelta(days=int(day)) for day in days]
    runs = np.array([(run_date(pay_runs, date) - as_of).days for date in dates], dtype=np.int32)
    return np.vstack([days, runs])


def run_number(pay_runs: PayRuns, date: dt.date) -> int:
    """A non-negative number of the run that serves a date, the same for all dates of one run.

    It counts calendar weeks, months or days from the calendar's beginning, not from ``as_of``.
    """
    run = run_date(pay_runs, date)
    if pay_runs.rule == "weekly":
        return run.toordinal() // 7
    if pay_runs.rule == "month_end":
        return run.year * 12 + run.month - 1
    return run.toordinal()
