"""A maximum liability that is a multiple of premium needs a premium.

Nothing here needs compiled code, so ``simulator check`` can use it.
"""

from __future__ import annotations

import numpy as np

from simulator.errors import Problem, Problems
from simulator.ledger.portfolio import Flags, Portfolio
from simulator.ledger.selection import select
from simulator.study.amounts import Multiple
from simulator.study.calendar import Calendar
from simulator.study.paths import show_path
from simulator.study.schema import Policy, Study


def check_multiples(study: Study, portfolio: Portfolio, calendar: Calendar) -> None:
    """Check that no programme's maximum liability is a multiple of a premium that is zero.

    Raises:
        InputError: naming each such programme.
    """
    problems = Problems()
    for p, programme in enumerate(study.programmes):
        if not isinstance(programme, Policy) or not isinstance(programme.maximum_liability, Multiple):
            continue
        premium = programme.premium
        if premium.minimum > 0:
            continue
        rate, base = premium.rate_on_turnover, _sold(programme, portfolio, calendar)
        if premium.base == "balance":
            rate, base = premium.rate_on_balance, base | _owing(portfolio)
        if rate <= 0 or not (_insurable(programme, portfolio) & base).any():
            what = "sales" if premium.base == "turnover" else "receivables"
            problems.add(
                Problem(
                    "a multiple of premium needs a premium, and that of this programme is zero: "
                    f"give premium.minimum, or premium.rate_on_{premium.base} with insurable {what}, "
                    "or an amount of money",
                    path=f"programmes[{p}].maximum_liability",
                    value=str(programme.maximum_liability),
                )
            )
        elif not (premium.base == "balance" and (_insurable(programme, portfolio) & _owing(portfolio)).any()):
            for name, stress in study.stresses.items():
                if stress.sales_multiplier == 0 and study.portfolio.exposure == "ledger":
                    text = f"leaves no sales, so no premium for a maximum_liability of {programme.maximum_liability}"
                    problems.add(Problem(text, path=show_path(("stresses", name, "sales_multiplier"))))
    problems.raise_if_any()


def _insurable(programme: Policy, portfolio: Portfolio) -> Flags:
    """Buyers that the policy may cover: selected, of a kind and country it insures, with a limit above zero."""
    buyers = portfolio.buyers
    closed = {code for code, terms in programme.countries.items() if not terms.covered}
    open_to = [
        kind not in programme.excludes and country not in closed
        for kind, country in zip(buyers.buyer_type, buyers.country, strict=True)
    ]
    insured = select(programme.buyers, portfolio) & np.array(open_to, dtype=np.bool_)
    if programme.limits == "column":
        unnamed = max(programme.discretionary_limit or 0.0, programme.blind_limit or 0.0)
        insured &= np.where(np.isnan(buyers.credit_limit), unnamed, buyers.credit_limit) > 0.0
    return insured


def _sold(programme: Policy, portfolio: Portfolio, calendar: Calendar) -> Flags:
    """Buyers to whom something is planned to be shipped within the policy period and the horizon, bool[n_buyers]."""
    buyers, invoices = portfolio.buyers, portfolio.invoices
    if len(invoices) == 0:
        return np.asarray(np.nan_to_num(buyers.annual_sales) > 0.0)
    starts = programme.starts or calendar.date(1)
    first, last = calendar.day(starts), calendar.horizon_days
    if programme.period is not None:
        last = min(last, first + programme.period.days_from(starts) - 1)
    shipped = ~invoices.open_item & (invoices.issue_day >= max(1, first)) & (invoices.issue_day <= last)
    return _owners(portfolio, shipped)


def _owing(portfolio: Portfolio) -> Flags:
    """Buyers with open items, bool[n_buyers]."""
    return _owners(portfolio, portfolio.invoices.open_item)


def _owners(portfolio: Portfolio, which: Flags) -> Flags:
    owners = np.zeros(len(portfolio.buyers), dtype=np.bool_)
    owners[portfolio.invoices.buyer[which & (portfolio.invoices.amount > 0.0)]] = True
    return owners
