"""Formulas of the losses room: when lateness is loss, what a debt is worth, what late payment costs."""

import numpy as np

from simulator.jit import NEVER, scalar
from simulator.streams import tabulated


@scalar
def protracted_day(due_day, after):
    """First day on which an unpaid invoice counts as a protracted default; at the earliest day 1.

    Worked value: due on day 20, 180 days → day 200. An open item due on day -300 → day 1.
    """
    day = due_day + after
    return day if day > 1 else 1


@scalar
def is_protracted(paid_day, due_day, after, default_day, horizon):
    """Whether an invoice is still unpaid ``after`` days past due, within the horizon, its buyer not insolvent before.

    Worked value: due 20, paid 250, after 180, never insolvent, horizon 364 → True (day 200).
    """
    day = due_day + after
    first = day if day > 1 else 1
    return paid_day > day and first <= horizon and first < default_day


@scalar
def standard_state(common, systematic_share):
    """The buyer's common part scaled to variance 1, or 0 where nothing is common. 0.3 at share 0.09 → 1."""
    return common / np.sqrt(systematic_share) if systematic_share > 0.0 else 0.0


@scalar
def recovery_rate(table, row, state, noise, systematic):
    """Recovery rate in [0, 1] at the normal score ``systematic·state + √(1 - systematic²)·noise``.

    Bad states are low, so a systematic weight above 0 lowers recoveries when many fail. With systematic 0 and
    noise 0 it is the median of the tabulated Beta law.
    """
    return tabulated(table, row, systematic * state + np.sqrt(1.0 - systematic * systematic) * noise)


@scalar
def cost_of_lateness(book_value, due_day, end_day, annual_rate):
    """Money cost of the days from due date (or day 0) to the end, at a simple annual rate of 365 days.

    Worked value: 36,500 paid 10 days late at 6 % → 60.
    """
    first = due_day if due_day > 0 else 0
    late = end_day - first
    return book_value * annual_rate * late / 365.0 if late > 0 else 0.0


@scalar
def within(day, horizon):
    """Whether something happens on a day of the simulated horizon, 1 … horizon (earlier days count as day 1)."""
    return day != NEVER and day <= horizon
