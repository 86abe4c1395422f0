"""From simulated events to what each programme pays: the result rows of the policy kernel, and the call."""

from __future__ import annotations

from typing import NamedTuple

import numpy as np

from simulator.jit import NEVER
from simulator.ledger.portfolio import Floats
from simulator.losses.plan import Book, Clock
from simulator.losses.rows import Events, LedgerRows
from simulator.policy.claim_kernels import find_claims
from simulator.policy.debt_kernels import list_debts
from simulator.policy.gaps import GAP_STEPS
from simulator.policy.kernels import apply_programmes
from simulator.policy.records import PolicyPlan
from simulator.policy.views import with_views
from simulator.policy.work import Work, allocate_lists

#: Groups of neighbouring scenarios that share working space: enough for any number of threads, few enough to be small.
_GROUPS = 64


class PolicyRows(NamedTuple):
    """Results by scenario (n), programme (P), period (T) and waterfall step (:data:`~simulator.policy.gaps.GAP_STEPS`).

    All in study currency. ``indemnity`` is ultimate and net of the insurer's share of later money,
    ``indemnity_gross`` is what was paid, at the rate of the payment day, ``indemnity_in_horizon`` is cash received less
    shares paid over by the horizon, [n, P]. ``premium`` includes fees and tax. ``claim_cash`` is claims received less
    shares paid over, ``premium_cash`` what is paid for cover, [n, P, T]. ``gap`` [n, P, G] is at the rate of the dates
    of loss, before later money; lost debts that no claim holds are in it as not covered, at the day they are lost.
    ``insurer_loss`` [n, P] is indemnity not paid because the insurer had failed.
    """

    indemnity: Floats
    indemnity_gross: Floats
    indemnity_in_horizon: Floats
    premium: Floats
    claim_cash: Floats
    premium_cash: Floats
    gap: Floats
    insurer_loss: Floats


def allocate_rows(n_scenarios: int, n_programmes: int, n_periods: int) -> PolicyRows:
    """Unfilled result rows for :func:`apply_policies`; a later block of the same size may use them again."""
    n, p, t = n_scenarios, n_programmes, n_periods
    return PolicyRows(
        np.empty((n, p)),
        np.empty((n, p)),
        np.empty((n, p)),
        np.empty((n, p)),
        np.empty((n, p, t)),
        np.empty((n, p, t)),
        np.empty((n, p, len(GAP_STEPS))),
        np.empty((n, p)),
    )


def allocate_work(plan: PolicyPlan, events: Events, n_scenarios: int) -> Work:
    """Working space of the policy kernel for a block."""
    debts, stopped, weak = (
        int(min(count.max(initial=0), events.buyer.shape[1]))
        for count in (events.n_events, events.stopped_count, events.weak_count)
    )
    n_buyers = plan.cover.shape[1]
    groups = max(1, min(_GROUPS, n_scenarios))
    return allocate_lists(groups, debts, min(debts, n_buyers), min(debts + stopped + weak, n_buyers), plan.n_pools)


def nothing_insured(n_scenarios: int, n_programmes: int) -> PolicyRows:
    """Result rows where no programme insures anything: one zero seen from everywhere, and no periods to ask for."""
    each = np.broadcast_to(0.0, (n_scenarios, n_programmes))
    paths = np.broadcast_to(0.0, (n_scenarios, n_programmes, 0))
    gap = np.broadcast_to(0.0, (n_scenarios, n_programmes, len(GAP_STEPS)))
    return PolicyRows(each, each, each, each, paths, paths, gap, each)


def apply_policies(
    plan: PolicyPlan,
    book: Book,
    clock: Clock,
    events: Events,
    rates: Floats,
    rows: PolicyRows | None = None,
    *,
    first: int = 0,
    drivers: Floats | None = None,
    ledger: LedgerRows | None = None,
) -> PolicyRows:
    """Evaluate every programme on every scenario of a block.

    Args:
        plan: the programmes.
        book: the invoices that events point to.
        clock: horizon and periods.
        events: unpaid invoices of troubled buyers. Where a count exceeds what the arrays hold, only what they hold
            is used and the block must be run again with more room.
        rates: study currency per unit by weekly step, float64[n, n_currencies, steps + 1].
        rows: rows to write into; new ones by default.
        first: number of the first scenario, a multiple of four; what is drawn here depends on it.
        drivers: common state, float64[n, n_drivers], the global driver first; needed for insurers that may fail.
        ledger: rows of the ledger; needed for a premium on balances.

    Returns:
        the rows.
    """
    n_scenarios, n_periods = rates.shape[0], plan.instalment.shape[1]
    rows = rows if rows is not None else allocate_rows(n_scenarios, len(plan.insured), n_periods)
    if drivers is None:
        if (plan.terms["insurer_intensity"] > 0.0).any():
            raise ValueError("insurers that may fail need the scenarios' common state")
        drivers = np.zeros((n_scenarios, 1))
    balance: Floats = np.zeros((1, 1, 1))
    if plan.terms["on_balance"].any():
        if ledger is None:
            raise ValueError("a premium on balances needs the rows of the ledger")
        balance = insurable_balances(book, clock, ledger)
    if len(plan.view_of) == 0:
        plan = with_views(plan)
    work = allocate_work(plan, events, n_scenarios)
    apply_programmes(first // 4, plan, book, events, balance, rates, drivers, clock, work, rows)
    return rows


def claims_in_order(
    plan: PolicyPlan, book: Book, events: Events, row: int, scenario: int, programme: int
) -> list[tuple[int, int | None]]:
    """Buyers with a claim or a lost debt, in the order they are settled, with their date of loss (None without one).

    Args:
        plan, book, events: as in :func:`apply_policies`.
        row: of the events.
        scenario: its number, counted from the first of all.
        programme: one that insures.
    """
    work = allocate_work(plan, events, 1)
    debts, owing, key, place = work.debts[0], work.owing[0], work.key[0], work.place[0]
    n_owing = list_debts(
        events, row, book, plan.month_end, plan.invoice_entity, plan.dispute_key, plan.dispute_probability,
        plan.dispute_upheld, scenario // 4, scenario % 4, debts, owing,
    )  # fmt: skip
    found = find_claims(
        plan.terms[programme], plan.cover[programme], plan.eligible[programme], plan.buyer_rank, debts, owing, n_owing,
        key, place,
    )  # fmt: skip
    listed = owing[place[:found][np.argsort(key[:found], kind="stable")]]
    days = [None if day == NEVER else day for day in listed["loss_day"].tolist()]
    return list(zip(listed["buyer"].tolist(), days, strict=True))


def insurable_balances(book: Book, clock: Clock, ledger: LedgerRows) -> Floats:
    """Receivables that each premium on balances is charged on at each month end, float64[rows, K, M - 1].

    Book value in study currency, invoice by invoice what is insurable of it.
    """
    planned, months = ~book.open_item, ledger.insurable_gone.shape[2]
    opening = book.insurable_value[:, ~planned].sum(axis=1)
    month = clock.month_of_day[book.issue_day[planned]]
    billed = np.zeros((len(opening), months))
    for k, value in enumerate(book.insurable_value[:, planned]):
        billed[k] = np.bincount(month, weights=value, minlength=months)
    moved = (billed - ledger.insurable_gone)[:, :, :-1]
    return np.asarray(opening[:, None] + np.cumsum(moved, axis=2), dtype=np.float64)


def bytes_per_scenario(n_programmes: int, n_periods: int) -> int:
    """Memory one scenario takes in these rows, for planning blocks."""
    return 8 * n_programmes * (5 + 2 * n_periods + len(GAP_STEPS))
