"""A maximum liability that is a multiple of premium needs a premium.

Nothing here needs compiled code, so ``simulator check`` can use it.
"""

from __future__ import annotations

import numpy as np

from simulator.errors import Problem, Problems
from simulator.ledger.portfolio import Flags, Portfolio
from simulator.study.amounts import Multiple
from simulator.study.calendar import Calendar
from simulator.study.paths import show_path
from simulator.study.schema import Policy, Study


def check_multiples(study: Study, portfolio: Portfolio, calendar: Calendar) -> None:
    """Check that no programme's maximum liability is a multiple of a premium that is zero.

    Raises:
        InputError: naming each such programme.
    """
    sold = _has_sales(portfolio, calendar)
    problems = Problems()
    for p, programme in enumerate(study.programmes):
        if not isinstance(programme, Policy) or not isinstance(programme.maximum_liability, Multiple):
            continue
        premium = programme.premium
        on_turnover = premium.rate_on_turnover > 0 and bool((_insurable(programme, portfolio) & sold).any())
        if premium.minimum <= 0 and not on_turnover:
            problems.add(
                Problem(
                    f"a multiple of premium needs a premium, and that of {programme.name!r} is zero: "
                    "give premium.minimum, or premium.rate_on_turnover with insurable sales, or an amount of money",
                    path=f"programmes[{p}].maximum_liability",
                    value=str(programme.maximum_liability),
                )
            )
        elif premium.minimum <= 0:
            for name, stress in study.stresses.items():
                if stress.sales_multiplier == 0 and study.portfolio.exposure == "ledger":
                    text = f"leaves no sales, so no premium for the {programme.maximum_liability} of {programme.name!r}"
                    problems.add(Problem(text, path=show_path(("stresses", name, "sales_multiplier"))))
    problems.raise_if_any()


def _insurable(programme: Policy, portfolio: Portfolio) -> Flags:
    """Buyers with a limit above zero, bool[n_buyers]."""
    limit = portfolio.buyers.credit_limit
    if programme.limits == "unlimited":
        return np.ones(len(limit), dtype=np.bool_)
    return np.asarray(np.where(np.isnan(limit), programme.discretionary_limit or 0.0, limit) > 0.0)


def _has_sales(portfolio: Portfolio, calendar: Calendar) -> Flags:
    """Buyers to whom something is planned to be shipped within the horizon, bool[n_buyers]."""
    buyers, invoices = portfolio.buyers, portfolio.invoices
    if len(invoices) == 0:
        return np.asarray(np.nan_to_num(buyers.annual_sales) > 0.0)
    shipped = ~invoices.open_item & (invoices.issue_day >= 1) & (invoices.issue_day <= calendar.horizon_days)
    sold = np.zeros(len(buyers), dtype=np.bool_)
    sold[invoices.buyer[shipped & (invoices.amount > 0.0)]] = True
    return sold
