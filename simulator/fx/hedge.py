"""Forward sales of foreign collections: they settle at their date whether or not the buyer has paid."""

from __future__ import annotations

import numpy as np

from simulator.fx.kernels import settle_forwards
from simulator.fx.plan import FxPlan
from simulator.ledger.portfolio import Floats, Portfolio
from simulator.study.calendar import FX_STEP_DAYS, Calendar
from simulator.study.schema import Study


def build_hedge(study: Study, portfolio: Portfolio, calendar: Calendar, fx_plan: FxPlan) -> tuple[Floats, Floats]:
    """Forwards concluded on day 0 for the collections expected by due date.

    The share ``fx.hedge`` of every invoice (open and planned) is sold for the end of the period it falls due in;
    what is overdue on day 0 for the first period; what falls due after the horizon is not hedged. The forward
    rate is the model's expected rate of that day, spot·(1 + drift)^years, before any stress shock.

    Args:
        study: ``fx.hedge`` is read.
        portfolio: invoices.
        calendar: periods.
        fx_plan: spot and drift.

    Returns:
        Notional in foreign units and forward rate, each float64[n_currencies, n_periods].
    """
    invoices, codes = portfolio.invoices, portfolio.currencies
    share = np.array([0.0] + [study.fx.hedge.get(code, 0.0) for code in codes[1:]])
    notional = np.zeros((len(codes), calendar.n_periods))
    due = np.flatnonzero(invoices.due_day <= calendar.horizon_days)
    period = calendar.period_of_day[np.maximum(invoices.due_day[due], 0)]
    currency = invoices.currency[due]
    np.add.at(notional, (currency, period), share[currency] * invoices.amount[due])
    steps = -(-calendar.period_end // FX_STEP_DAYS)
    forward = fx_plan.spot[:, None] * fx_plan.step_growth[:, None] ** steps[None, :]
    return notional, forward


def settle_hedge(notional: Floats, forward: Floats, calendar: Calendar, rates: Floats) -> Floats:
    """Cash of the forwards by period, study currency, float64[n_scenarios, n_periods]; they settle at period ends."""
    cash = np.zeros((len(rates), calendar.n_periods))
    settle_forwards(notional, forward, calendar.period_end, rates, cash)
    return cash
