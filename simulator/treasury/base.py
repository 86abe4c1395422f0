"""The borrowing base as arrays: which receivables a bank counts under which programme, and what it lends on them."""

from __future__ import annotations

import math
from typing import NamedTuple

import numpy as np

from simulator.constants import NEVER
from simulator.ledger.codes import country_code
from simulator.ledger.portfolio import Flags, Floats, Ints, Portfolio
from simulator.losses.balances import BalancePlan, no_balances, prepare
from simulator.losses.plan import Book, build_clock
from simulator.losses.regimes import FACTORED, RegimePlan, intensity_of
from simulator.policy.codes import INSOLVENCY, PROTRACTED
from simulator.policy.records import PolicyPlan
from simulator.study.calendar import Calendar
from simulator.study.schema import Policy, Study
from simulator.study.schema_finance import BorrowingBase


class BasePlan(NamedTuple):
    """Terms of lending, by programme (P) and view of the ledger (V).

    ``of_programme`` int32[P] is the view a programme's base is taken from, empty without a borrowing base;
    ``first_loss`` float64[V] is taken off its insured receivables. Advance rates and ``concentration`` are shares.
    """

    of_programme: Ints
    first_loss: Floats
    advance_rate: float
    insured_advance_rate: float
    concentration: float


def no_base() -> BasePlan:
    """The whole line can be drawn, whatever is owed."""
    return BasePlan(np.zeros(0, np.int32), np.zeros(0), 0.0, 0.0, 1.0)


def build_base(
    study: Study,
    portfolio: Portfolio,
    calendar: Calendar,
    book: Book,
    policy: PolicyPlan,
    regimes: RegimePlan | None = None,
) -> tuple[BalancePlan, BasePlan]:
    """The study's borrowing base; without one both plans are empty.

    Programmes that trade alike share a view of the ledger, except those whose policy names the bank as loss payee.

    Args:
        study: the study.
        portfolio: its buyers, for their countries.
        calendar: ends of periods.
        book: invoices by buyer.
        policy: what is insured.
        regimes: how the seller trades under each programme; alike under all by default.
    """
    n = len(study.programmes)
    terms = study.liquidity.credit_line.borrowing_base
    if terms is None:
        return no_balances(), no_base()
    trades = np.zeros(n, np.int32) if regimes is None else regimes.of_programme
    payee = lent_on_cover(study, policy)
    views: dict[tuple[int, int], int] = {}
    of_programme = [views.setdefault((int(trades[p]), p if payee[p] else -1), len(views)) for p in range(n)]
    share = terms.concentration
    segments, limit = _limits(policy, [p for _, p in views])
    balances = no_balances(len(views), len(portfolio.buyers), len(book.amount))._replace(
        segments=segments,
        from_day=np.ascontiguousarray(policy.segment["from_day"]),
        limit=limit,
        changes=np.ascontiguousarray(policy.segment["changes"]),
        run_off=terms.cancelled_limits == "run_off",
        maximum_overdue=NEVER if terms.maximum_overdue is None else terms.maximum_overdue.days,
        ages_across=terms.cross_ageing is not None and terms.maximum_overdue is not None,
        cross_ageing=1.0 if terms.cross_ageing is None else terms.cross_ageing,
        n_largest=0 if share is None else most_over(share, len(portfolio.buyers)),
    )
    first_loss = np.zeros(len(views))
    for (trade, p), v in views.items():
        balances.regime[v] = trade
        _fill_uninsured(balances, v, terms, portfolio, book)
        programme = study.programmes[p]
        if p >= 0 and isinstance(programme, Policy):
            _fill_insured(balances, v, p, terms, programme, book, policy)
            if terms.insured_value == "indemnifiable":
                first_loss[v] = policy.terms["aggregate_first_loss"][p] / policy.terms["turnover_rate"][p]
            if terms.within_maximum_liability:
                # the first loss is taken off afterwards
                most = policy.terms["maximum_liability"][p] / policy.terms["turnover_rate"][p]
                balances.liability[v] = most + first_loss[v]
        if regimes is not None:
            gone = sold(regimes, trade, book)
            balances.value[v, gone] = balances.uninsured_value[v, gone] = 0.0
    if np.isfinite(balances.liability).any() or (balances.group_pool >= 0).any() or (balances.country_pool >= 0).any():
        balances = balances._replace(n_pools=1 + policy.n_pools)
    return prepare(balances, book, build_clock(calendar)), BasePlan(
        of_programme=np.array(of_programme, dtype=np.int32),
        first_loss=first_loss,
        advance_rate=terms.advance_rate,
        insured_advance_rate=terms.insured_advance_rate,
        concentration=1.0 if share is None else share,
    )


def most_over(share: float, n_buyers: int) -> int:
    """Most buyers that can each be more than a share of the whole: 4 at 20 %, 9 at 10 %."""
    if share <= 0.0:
        return n_buyers
    return min(n_buyers, math.ceil(1.0 / share - 1e-9) - 1)


def sold(regimes: RegimePlan, regime: int, book: Book) -> Flags:
    """Which invoices a factor buys under a regime: they are no longer the seller's to borrow on."""
    factored = np.repeat(regimes.form[regime] == FACTORED, np.diff(book.start))
    return np.asarray(factored & (~book.open_item | (regimes.sells_open[regime] & (book.due_day > 0))))


def eligible_buyers(terms: BorrowingBase, portfolio: Portfolio) -> Flags:
    """Whom a bank lends on without insurance: buyers at home or, where foreign ones are eligible, anywhere; never
    related companies."""
    buyers = portfolio.buyers
    home = country_code(terms.home_country or "")
    eligible = [
        kind != "related" and (terms.foreign or country in ("", home))
        for kind, country in zip(buyers.buyer_type, buyers.country, strict=True)
    ]
    return np.array(eligible, np.bool_)


def lent_on_cover(study: Study, policy: PolicyPlan) -> Flags:
    """Programmes whose policy insures some buyer and has the bank as loss payee, bool[P]."""
    payee = [isinstance(programme, Policy) and programme.loss_payee for programme in study.programmes]
    return np.array([asked and bool(lowest_percentage(policy, p).any()) for p, asked in enumerate(payee)], np.bool_)


def lowest_percentage(policy: PolicyPlan, p: int) -> Floats:
    """Insured percentage a bank can count on by buyer, 0 where it is not insured.

    The lower one of insolvency and protracted default, for nobody knows which it will be, and the lowest of limits that
    have one of their own.
    """
    usual = policy.cover["percentage"][p][:, [INSOLVENCY, PROTRACTED]].min(axis=1)
    begin, end = policy.cover["segments"][p].T
    limits = policy.segment[begin[0] : end[-1]]
    general = np.repeat(usual, end - begin)
    own = np.where(np.isnan(limits["percentage"]), general, limits["percentage"])
    none = (general <= 0.0) | (own <= 0.0) | (limits["limit"] <= 0.0)
    lowest = np.minimum.reduceat(np.where(none, np.inf, own), begin - begin[0])
    return np.where(policy.cover["insurable"][p] & np.isfinite(lowest), lowest, 0.0)


def _fill_uninsured(balances: BalancePlan, v: int, terms: BorrowingBase, portfolio: Portfolio, book: Book) -> None:
    """Count every buyer as uninsured: at home or, where foreign receivables are eligible, anywhere; never related."""
    balances.counts[v] = eligible_buyers(terms, portfolio)
    balances.value[v] = np.where(book.disputed & (not terms.disputed), 0.0, book.book_value)
    balances.uninsured_value[v] = balances.value[v]


def _fill_insured(
    balances: BalancePlan, v: int, p: int, terms: BorrowingBase, programme: Policy, book: Book, policy: PolicyPlan
) -> None:
    """Count the buyers a policy insures by what it covers instead; nobody is insured at 0 %."""
    percentage = lowest_percentage(policy, p)
    insured = percentage > 0.0
    balances.insured[v] = insured
    if terms.uninsured_rest == "eligible":
        balances.rest[v] = balances.counts[v] & insured
    balances.counts[v] |= insured
    by_invoice = np.repeat(insured, np.diff(book.start))
    net = 1.0 if programme.vat_covered else 1.0 - book.vat / np.where(book.amount == 0.0, 1.0, book.amount)
    covered = np.where(eligible_at_issue(policy, p, book), net * book.book_value, 0.0)
    balances.value[v] = np.where(by_invoice, covered, balances.value[v])
    full = 1.0 if terms.insured_value == "indemnifiable" else terms.full_cover
    balances.weight[v] = np.where(insured & (percentage < full), percentage / (full or 1.0), 1.0)
    # row 0 is the maximum liability's
    balances.group_pool[v] = policy.cover["group_pool"][p] + (policy.cover["group_pool"][p] >= 0)
    balances.country_pool[v] = policy.cover["country_pool"][p] + (policy.cover["country_pool"][p] >= 0)
    balances.country_maximum[v] = policy.cover["country_maximum"][p] / policy.terms["turnover_rate"][p]
    if (changes := programme.limit_changes) is not None:
        balances.intensity[v] = intensity_of(changes)
        balances.notice[v] = changes.notice.days
        balances.change_to[v] = changes.to


def _limits(policy: PolicyPlan, views: list[int]) -> tuple[Ints, Floats]:
    """Where the limits of the views' policies (-1: none) begin, and the limits in study currency."""
    bounds = policy.cover["segments"]
    limit = np.where(policy.segment["percentage"] == 0.0, 0.0, policy.segment["limit"])
    for p in set(views) - {-1}:
        limit[bounds[p, 0, 0] : bounds[p, -1, 1]] /= policy.terms["turnover_rate"][p]  # study currency
    of_view = [[*bounds[p, :, 0], bounds[p, -1, 1]] if p >= 0 else [0] * (bounds.shape[1] + 1) for p in views]
    return np.array(of_view, np.int32), limit


def eligible_at_issue(policy: PolicyPlan, p: int, book: Book) -> Flags:
    """Which invoices a policy insures as shipped, its limits apart."""
    return np.asarray(policy.eligible[p] & ~book.disputed)
