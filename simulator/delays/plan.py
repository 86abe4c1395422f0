"""From study and ledger to the arrays that payment days are drawn with."""

from __future__ import annotations

from pathlib import Path
from typing import NamedTuple

import numpy as np

from simulator.delays.marginals import quantile_table
from simulator.delays.runs import last_run_day, run_number, run_table
from simulator.errors import InputError, Problem
from simulator.factors.plan import FactorPlan
from simulator.ledger.portfolio import Floats, Ints, Keys, Portfolio
from simulator.streams import TABLE_EDGE, TABLE_PER_UNIT
from simulator.study.calendar import Calendar
from simulator.study.schema import DelayShares, Study

#: Least weight of an invoice's own noise: enough for an open item's score to be moved to where it is unpaid today,
#: while the variance of scores stays 1 to twelve digits.
_LEAST_OWN = 1e-6
#: Delays are kept below this in numbers of 32 bits, so that steps between them have a size; far beyond what is rounded.
_FARTHEST_DELAY = 1e30
#: Pay runs are tabulated this far past the horizon; a later payment day is kept as it is.
_DAYS_PAST_HORIZON = 800


class DelayPlan(NamedTuple):
    """Arrays of the delays room; money and currencies play no part here.

    Attributes:
        quantile: delay in days by normal score, float64[1, TABLE_SIZE].
        lines: the same between knots, uint64[TABLE_SIZE - 1]: two numbers of 32 bits in each, the delay at a knot and
            what is added up to the next.
        location: days added to every delay of a buyer, float64[n_buyers].
        scale: factor on the tabulated delay, float64[n_buyers].
        systemic: √r_s, float64[n_buyers]; 0 for a buyer without a common state.
        credit: √r_c.
        buyer: √r_b.
        own: weight of the invoice's own noise, float64[n_buyers]; squares of the four add to 1.
        run_day: next pay run by rule and ``day + run_offset``, int32[n_rules, n_days]; row 0 is every day.
        run_rule: the buyer's row of ``run_day``, int32[n_buyers].
        run_offset: index of day 0 in ``run_day``.
        lower_score: score above which an open item is still unpaid today, −∞ for planned invoices,
            float64[n_invoices].
        draw_entity: whose draw an invoice uses, uint64[n_invoices].
        draw_index: which draw of that entity, int32[n_invoices].
    """

    quantile: Floats
    lines: Keys
    location: Floats
    scale: Floats
    systemic: Floats
    credit: float
    buyer: float
    own: Floats
    run_day: Ints
    run_rule: Ints
    run_offset: int
    lower_score: Floats
    draw_entity: Keys
    draw_index: Ints


def build_delays(
    study: Study,
    portfolio: Portfolio,
    factor_plan: FactorPlan,
    calendar: Calendar,
    delay_shift: int = 0,
    delay_multiplier: float = 1.0,
    folder: Path = Path(),
) -> DelayPlan:
    """Prepare payment days.

    A buyer's delay is location + scale·Q: its ``delay_location_days`` (blank: 0), the study's ``payment.location``
    and the stress shift add up; its ``delay_scale`` (blank: 1), the study's ``payment.scale`` and the stress
    multiplier multiply.

    Args:
        study: ``payment`` is read.
        portfolio: buyers and invoices.
        factor_plan: says which buyers have a common state; the others' systemic share becomes their own noise.
        calendar: days of the study.
        delay_shift: stress, days.
        delay_multiplier: stress, factor.
        folder: the study's folder, for an empirical delay file.

    Raises:
        InputError: shares that add to more than 1, or an unusable delay law.
    """
    payment, buyers, invoices = study.payment, portfolio.buyers, portfolio.invoices
    common, credit, persistent = _shares(payment.shares)
    systemic = np.where(factor_plan.systematic_share > 0.0, common, 0.0)
    table = quantile_table(payment.delay, folder)
    location = np.nan_to_num(buyers.delay_location_days, nan=0.0) + payment.location + delay_shift
    scale = np.nan_to_num(buyers.delay_scale, nan=1.0) * payment.scale * delay_multiplier
    runs = payment.pay_runs
    first_day = min([0, *invoices.due_day.tolist(), *invoices.issue_day.tolist()])
    entity, index = _draws(study, portfolio, calendar)
    return DelayPlan(
        quantile=table,
        lines=table_lines(table[0]),
        location=location,
        scale=scale,
        systemic=np.sqrt(systemic),
        credit=float(np.sqrt(credit)),
        buyer=float(np.sqrt(persistent)),
        own=np.sqrt(np.maximum(_LEAST_OWN**2, 1.0 - systemic - credit - persistent)),
        run_day=run_table(runs, calendar.as_of, first_day, calendar.horizon_days + _DAYS_PAST_HORIZON),
        run_rule=np.full(len(buyers), 0 if runs.rule == "none" else 1, dtype=np.int32),
        run_offset=-first_day,
        lower_score=_lower_scores(portfolio, table[0], location, scale, last_run_day(runs, calendar.as_of)),
        draw_entity=entity,
        draw_index=index,
    )


def table_lines(days: Floats) -> Keys:
    """Lines between the knots of a table of delays, packed: see :class:`DelayPlan`."""
    value = np.clip(days, -_FARTHEST_DELAY, _FARTHEST_DELAY).astype(np.float32)
    step = np.diff(value.astype(np.float64)).astype(np.float32)
    return np.ascontiguousarray(np.stack([value[:-1], step], axis=1)).view(np.uint64).ravel()


def _shares(shares: DelayShares) -> tuple[float, float, float]:
    total = shares.systemic + shares.credit + shares.buyer
    if total > 1.0 + 1e-12:
        text = "systemic, credit and buyer are variance shares: together at most 1"
        raise InputError([Problem(text, path="payment.shares", value=f"{total:g}")])
    return shares.systemic, shares.credit, shares.buyer


def _draws(study: Study, portfolio: Portfolio, calendar: Calendar) -> tuple[Keys, Ints]:
    """Entity and number of each invoice's own draw: its own, or its buyer's for the run it falls due in."""
    invoices = portfolio.invoices
    if study.payment.pay_runs.draw == "invoice":
        return invoices.entity, np.zeros(len(invoices), dtype=np.int32)
    runs = study.payment.pay_runs
    number = [run_number(runs, calendar.date(day)) for day in invoices.due_day.tolist()]
    return portfolio.buyers.entity[invoices.buyer], np.array(number, dtype=np.int32)


def _lower_scores(portfolio: Portfolio, days: Floats, location: Floats, scale: Floats, last_run: int) -> Floats:
    """Score at which the tabulated payment day of an open item passes the last pay run up to day 0.

    Paid by then means: max(issue day, due day + delay rounded) ≤ last run, so the delay is below
    ``last_run − due_day + ½``. The score is where the table, linear between its knots, reaches that delay.
    """
    invoices = portfolio.invoices
    lower = np.full(len(invoices), -np.inf)
    # an item issued after the last run cannot have been paid: nothing to condition on
    held = np.flatnonzero(invoices.open_item & (invoices.issue_day <= last_run))
    buyer = invoices.buyer[held]
    with np.errstate(divide="ignore", invalid="ignore"):
        limit = (last_run - invoices.due_day[held] + 0.5 - location[buyer]) / scale[buyer]
    right = np.searchsorted(days, limit, side="left")
    inside = (right > 0) & (right < len(days))
    left = np.clip(right - 1, 0, len(days) - 2)
    step = np.where(inside, days[left + 1] - days[left], 1.0)
    position = np.where(inside, left + (limit - days[left]) / step, right - 1.0)
    score = position / TABLE_PER_UNIT - TABLE_EDGE
    lower[held] = np.where(right == 0, -np.inf, np.minimum(score, TABLE_EDGE))
    return lower
