"""The borrowing base held against the ledger: under which programmes nothing is eligible, and why."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np

from simulator.fx.spot import resolve_spot
from simulator.ledger.portfolio import Flags, Portfolio
from simulator.study.calendar import Calendar
from simulator.study.schema import Study
from simulator.study.schema_finance import BorrowingBase

if TYPE_CHECKING:
    from simulator.losses.balances import BalancePlan


def base_notes(study: Study, portfolio: Portfolio, calendar: Calendar, folder: Path) -> Iterator[str]:
    """A note for all programmes under which the bank lends nothing whatever happens.

    Args:
        study: a study without mistakes.
        portfolio: its ledger.
        calendar: its days.
        folder: where its files are.
    """
    line = study.liquidity.credit_line
    terms = line.borrowing_base
    if terms is None or line.limit == 0 or study.portfolio.exposure != "ledger":
        return
    # slow to load, and other studies need not wait for it
    from simulator.losses.plan import build_book
    from simulator.losses.regimes import build_regimes
    from simulator.policy.plan import build_policies
    from simulator.policy.records import changeable_limits
    from simulator.treasury.base import build_base, eligible_buyers

    found = resolve_spot(study, folder, portfolio.currencies)
    spot = np.array([found[code] for code in portfolio.currencies])
    policy = build_policies(study, portfolio, calendar, spot, folder, priced=False)
    book = build_book(portfolio, spot, policy.insurable_value)
    regimes = build_regimes(study, portfolio, calendar, changeable_limits(policy))
    counting, base = build_base(study, portfolio, calendar, book, policy, regimes)
    lent = [_lends(counting, v, portfolio, terms) for v in range(len(counting.regime))]
    without = [p.name for p, v in zip(study.programmes, base.of_programme, strict=True) if not lent[v]]
    if without:
        reason = _reason(terms, eligible_buyers(terms, portfolio), portfolio)
        yield f"{', '.join(without)}: nothing is eligible for the borrowing base, so nothing can be drawn: {reason}"


def _lends(counting: BalancePlan, v: int, portfolio: Portfolio, terms: BorrowingBase) -> bool:
    """Whether any invoice of a view counts at an advance rate above zero."""
    buyer = np.repeat(np.arange(len(portfolio.buyers)), np.diff(counting.start))
    insured, plain = counting.insured[v], counting.counts[v] & ~counting.insured[v]
    by_cover = insured[buyer] & (counting.value[v] > 0.0)
    otherwise = (plain[buyer] & (counting.value[v] > 0.0)) | (
        counting.rest[v][buyer] & (counting.uninsured_value[v] > 0.0)
    )
    return bool((by_cover.any() and terms.insured_advance_rate > 0.0) or (otherwise.any() and terms.advance_rate > 0.0))


def _reason(terms: BorrowingBase, eligible: Flags, portfolio: Portfolio) -> str:
    """Why nothing counts without insurance."""
    if eligible.any():
        return "see advance_rate, disputed and what is sold to a factor"
    if terms.foreign or not any(kind != "related" for kind in portfolio.buyers.buyer_type):
        return "all buyers are related companies"
    return f"no buyer is in {terms.home_country}, and foreign is false"
