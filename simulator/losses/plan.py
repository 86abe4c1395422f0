"""The static side of a simulated ledger: invoices, recovery laws and the rules that turn lateness into loss."""

from __future__ import annotations

from collections.abc import Sequence
from typing import NamedTuple

import numpy as np

from simulator.constants import NEVER, TABLE_SIZE, table_grid
from simulator.keys import stream_key
from simulator.ledger.portfolio import Floats, Ints, Keys, Portfolio
from simulator.study.calendar import Calendar
from simulator.study.schema import NoCover, Policy, Programme, Study
from simulator.study.schema_terms import Notification


class Book(NamedTuple):
    """Invoices, grouped by buyer and in issue order within a buyer.

    ``start`` int32[n_buyers + 1] bounds each buyer's invoices; the other arrays have one entry per invoice.
    ``by_due`` lists a buyer's invoices in order of their due day. ``book_value`` is the amount at the budget
    rate (the spot of day 0), in study currency. ``group`` int32[n_buyers] numbers groups of several buyers
    and is -1 for a buyer that stands alone. ``vat`` is the part of ``amount`` that is value added tax;
    ``insurable_value`` float64[K, I] is the book value of which each of K premiums on balances is charged.
    """

    start: Ints
    by_due: Ints
    issue_day: Ints
    due_day: Ints
    currency: Ints
    amount: Floats
    book_value: Floats
    open_item: np.ndarray
    disputed: np.ndarray
    buyer_entity: Keys
    group: Ints
    vat: Floats
    insurable_value: Floats


class LossRules(NamedTuple):
    """How debts are lost and recovered.

    ``recovery`` float64[n_classes, TABLE_SIZE] tabulates the recovery rate by normal score, ``recovery_class``
    int32[n_buyers] picks a row. Days are whole numbers; ``stop_shipment_after`` is NEVER without such a rule.
    ``scripted_recovery`` and ``scripted_receipt``, by invoice, are the rate and the day of arrival where a script tells
    them (float64 and int32 [n_invoices]), and empty where recoveries are drawn. ``frustration`` is the chance that a
    transfer event frustrates the contracts with a buyer there. Recovery rates are net of recovery costs.
    ``lists_newer``: some policy counts payments for the oldest debts, so those for newer ones are listed too.
    """

    recovery: Floats
    recovery_class: Ints
    recovery_systematic: float
    recovery_lag: int
    protracted_after: int
    cure_probability: float
    stop_shipment_after: int
    waiting_span: int
    variable_cost_rate: float
    supplier_terms_days: int
    cost_of_delay: float
    scripted_recovery: Floats
    scripted_receipt: Ints
    frustration: float
    lists_newer: bool


class Luck(NamedTuple):
    """What a buyer draws in a scenario, the same under every regime.

    ``insolvent_on`` is NEVER for a solvent buyer; ``frustrated`` marks it as the day of a contract frustration;
    ``limit_score`` is 9.0 where none is drawn; ``cured``: protracted defaults are paid in the end.
    """

    insolvent_on: int
    frustrated: bool
    limit_score: float
    recovery: float
    cured: bool


class Clock(NamedTuple):
    """Days and periods as the kernels need them: ``period_of_day`` int32[horizon + 1]."""

    horizon: int
    period_of_day: Ints


class Keys4(NamedTuple):
    """Philox keys (uint32[2]) of the streams drawn per buyer and invoice."""

    default: np.ndarray
    recovery: np.ndarray
    buyer_delay: np.ndarray
    invoice_delay: np.ndarray
    cure: np.ndarray
    limit: np.ndarray
    frustration: np.ndarray
    acceptance: np.ndarray
    discount: np.ndarray


def stream_keys(seed: int) -> Keys4:
    """Keys of the streams used per buyer and invoice, for a study's seed."""
    return Keys4(*(stream_key(seed, name) for name in Keys4._fields))


def build_clock(calendar: Calendar) -> Clock:
    """The calendar as plain arrays."""
    return Clock(calendar.horizon_days, calendar.period_of_day)


def build_book(portfolio: Portfolio, spot: Floats, insurable_value: Floats | None = None) -> Book:
    """Arrange a portfolio's invoices for the kernels.

    Args:
        portfolio: buyers and invoices; with no invoices at all every buyer gets one pseudo-invoice for its
            constant ``exposure``, issued the day before ``as_of`` and never due.
        spot: study currency per unit of each of the portfolio's currencies, float64[n_currencies].
        insurable_value: of each invoice, for each premium on balances, float64[K, I]; there is none by default.
    """
    buyers, invoices = portfolio.buyers, portfolio.invoices
    n = len(buyers)
    if len(invoices) == 0:
        return _constant_book(portfolio)
    start = np.searchsorted(invoices.buyer, np.arange(n + 1)).astype(np.int32)
    by_due = np.lexsort((invoices.issue_day, invoices.due_day, invoices.buyer)).astype(np.int32)
    return Book(
        start,
        by_due,
        invoices.issue_day,
        invoices.due_day,
        invoices.currency,
        invoices.amount,
        invoices.amount * spot[invoices.currency],
        invoices.open_item,
        invoices.disputed,
        buyers.entity,
        _groups(buyers.group_id),
        invoices.vat,
        np.zeros((0, len(invoices))) if insurable_value is None else insurable_value,
    )


def _constant_book(portfolio: Portfolio) -> Book:
    buyers = portfolio.buyers
    n = len(buyers)
    index = np.arange(n, dtype=np.int32)
    exposure = np.asarray(buyers.exposure, dtype=np.float64)
    return Book(
        np.arange(n + 1, dtype=np.int32),
        index,
        np.full(n, -1, np.int32),
        np.full(n, NEVER, np.int32),
        np.zeros(n, np.int32),
        exposure,
        exposure,
        np.ones(n, np.bool_),
        np.zeros(n, np.bool_),
        buyers.entity,
        _groups(buyers.group_id),
        np.zeros(n),
        np.zeros((0, n)),
    )


def _groups(group_id: Sequence[str]) -> Ints:
    """Number groups with several members from 0; buyers alone get -1."""
    names, inverse, counts = np.unique(np.array(group_id, dtype=object), return_inverse=True, return_counts=True)
    shared = np.flatnonzero((counts > 1) & (names != ""))
    number = np.full(len(names), -1, np.int32)
    number[shared] = np.arange(len(shared), dtype=np.int32)
    return number[inverse].astype(np.int32)


def clock_offset(policy: Policy) -> int:
    """Days from the due date to where the waiting clock starts: at once, at the overdue notice, or at collection."""
    if policy.waiting_clock == "notice":
        return (policy.notification or Notification()).after.days
    return policy.collection_after.days if policy.waiting_clock == "collection" else 0


def waiting_days(programmes: Sequence[Programme]) -> Ints:
    """Longest time in days from a due date to a date of loss under every programme, int32[n_programmes].

    A country's own waiting period counts. NEVER without insurance.
    """
    return np.array([NEVER if isinstance(p, NoCover) else _longest_wait(p) for p in programmes], dtype=np.int32)


def _longest_wait(policy: Policy) -> int:
    own = [policy.waiting("protracted_default"), policy.waiting("transfer")]
    abroad = [terms.waiting_period for terms in policy.countries.values() if terms.waiting_period is not None]
    return clock_offset(policy) + max(length.days for length in own + abroad)


def build_rules(study: Study, portfolio: Portfolio, recovery_multiplier: float = 1.0) -> LossRules:
    """Loss rules of a study.

    Args:
        study: the study.
        portfolio: its ledger; a buyer's ``lgd`` sets its mean recovery to 1 - lgd.
        recovery_multiplier: stress on the mean recovery rate, which stays at most 1.
    """
    recovery, payment, cash = study.credit.recovery, study.payment, study.liquidity
    lgd = np.asarray(portfolio.buyers.lgd, dtype=np.float64)
    mean = np.where(np.isnan(lgd), recovery.mean, 1.0 - lgd)
    mean = np.clip(mean * recovery_multiplier, 0.0, 1.0)
    levels, row = np.unique(mean, return_inverse=True)
    after = payment.protracted_default.after.days
    insured = [int(w) for w in waiting_days(study.programmes) if w != NEVER]
    stop = payment.stop_shipment_after
    delay_rate = cash.cost_of_delay if cash.cost_of_delay is not None else cash.credit_line.rate
    return LossRules(
        np.vstack([recovery_table(float(m), recovery.sd) for m in levels]) * (1.0 - recovery.costs),
        row.astype(np.int32),
        float(np.sqrt(recovery.systematic)),
        recovery.lag.days,
        after,
        payment.protracted_default.cure_probability,
        NEVER if stop is None else stop.days,
        max([w - after for w in insured], default=0),
        cash.variable_cost_rate,
        cash.supplier_terms_days,
        delay_rate,
        np.zeros(0),
        np.zeros(0, np.int32),
        study.transfer.frustration,
        any(isinstance(p, Policy) and p.payment_allocation == "oldest_first" for p in study.programmes),
    )


def recovery_table(mean: float, sd: float) -> Floats:
    """Recovery rate by normal score on :func:`simulator.constants.table_grid`: a Beta law, or its mean if sd is 0.

    The Beta parameters match mean and sd (``a = mean·k``, ``b = (1 - mean)·k``, ``k = mean(1 - mean)/sd² - 1``).
    An sd that no law on [0, 1] can have at this mean (sd² ≥ mean(1 - mean)) is reduced to 99 % of the largest
    possible one.

    Returns:
        float64[TABLE_SIZE].
    """
    if sd <= 0.0 or mean <= 0.0 or mean >= 1.0:
        return np.full(TABLE_SIZE, mean)
    from scipy.special import betaincinv, ndtr  # slow to load, and not needed to check a study

    sd = min(sd, 0.99 * float(np.sqrt(mean * (1.0 - mean))))
    k = mean * (1.0 - mean) / sd**2 - 1.0
    return np.asarray(betaincinv(mean * k, (1.0 - mean) * k, ndtr(table_grid())), dtype=np.float64)
