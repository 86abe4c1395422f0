"""Claims built by hand: a list of debts per scenario becomes the arrays the policy room works on.

Terms are given by the names of :data:`simulator.policy.records.TERMS`, and by a few that belong to buyers or invoices:
``percentage`` (one, or by peril), ``percentage_by_buyer``, ``limit`` (one, or by buyer; a list of (day, limit) for one
that changes), ``limit_currency`` (number and rate of day 0), ``named``, ``waiting_days``, ``group_pool``,
``country_pool``, ``country_maximum``, ``order``, ``conversion``, ``recovery_rule``, ``recovery_costs``, ``bonus``,
``covers_open_items``, ``eligible``.
"""

import types
from typing import NamedTuple

import numpy as np

from simulator.jit import NEVER
from simulator.losses.plan import Book, Clock
from simulator.losses.rows import allocate_events
from simulator.policy.apply import allocate_rows, apply_policies
from simulator.policy.codes import CONVERSIONS, PERILS, RECOVERY_COSTS, RECOVERY_RULES, STUDY_CURRENCY, steps_of
from simulator.policy.eligibility import Shipments, is_known_loss, within_period
from simulator.policy.gaps import GAP_STEPS
from simulator.policy.limits import ALWAYS
from simulator.policy.records import SEGMENT, TERMS, blank_plan
from simulator.policy.sales import insurable_value, sales_in_period, sums_from

WEEK = 7
MONTH = 28


class Debt(NamedTuple):
    """One unpaid invoice of a buyer in one scenario; days count from the ledger's date.

    ``drawn``: the buyer's own payment day, ``paid`` by default; ``receipt``: day of the recovery of a lost debt.
    """

    buyer: int
    amount: float
    issue: int = 1
    due: int = 1
    paid: int = NEVER
    lost: int = NEVER
    recovery: float = 0.0
    insolvent: int = NEVER
    protracted: bool = False
    currency: int = 0
    open_item: bool = False
    disputed: bool = False
    vat: float = 0.0
    drawn: int | None = None
    receipt: int | None = None
    overdue: int = -NEVER
    score: float = 9.0
    frustrated: bool = False
    share: float = 1.0


class Stopped(NamedTuple):
    """Book value of planned invoices that were not shipped to a buyer, planned from one day to another."""

    buyer: int
    value: float
    since: int = 1
    until: int = NEVER


class Weak(NamedTuple):
    """A buyer whose limit may change, with its score."""

    buyer: int
    score: float


def arrays(scenarios, stopped=None, capacity=None, recovery_lag=0, n_buyers=None, weak=None):
    """Book and events of a block; every debt is an invoice of its own."""
    n_rows = len(scenarios)
    stopped, weak = stopped or [[]] * n_rows, weak or [[]] * n_rows
    listed = [(s, debt) for s, debts in enumerate(scenarios) for debt in debts]
    number = sorted(
        range(len(listed)), key=lambda k: (listed[k][1].buyer, listed[k][1].issue)
    )  # as a ledger lists them
    every = [listed[k][1] for k in number]
    room = capacity or max(1, *(len(rows) for part in (scenarios, stopped, weak) for rows in part))
    n_buyers = n_buyers or 1 + max((d.buyer for d in every), default=0)

    def column(name, dtype):
        return np.array([getattr(d, name) for d in every], dtype=dtype)

    amount = column("amount", np.float64)
    book = Book(
        start=np.searchsorted(column("buyer", np.int32), np.arange(n_buyers + 1)).astype(np.int32),
        by_due=np.arange(len(every), dtype=np.int32),
        issue_day=column("issue", np.int32),
        due_day=column("due", np.int32),
        currency=column("currency", np.int32),
        amount=amount,
        book_value=amount,
        open_item=column("open_item", np.bool_),
        disputed=column("disputed", np.bool_),
        buyer_entity=np.arange(n_buyers, dtype=np.uint64),
        group=np.full(n_buyers, -1, np.int32),
        vat=column("vat", np.float64),
        insurable_value=np.zeros((0, len(every))),
    )
    events = allocate_events(n_rows, room)
    for values in events:
        values[:] = -1
    of_row = [[] for _ in range(n_rows)]
    for i, k in enumerate(number):
        of_row[listed[k][0]].append((i, every[i]))
    for s, mine in enumerate(of_row):
        events.n_events[s] = len(mine)
        events.stopped_count[s], events.weak_count[s] = len(stopped[s]), len(weak[s])
        for k, (buyer, value, since, until) in enumerate(stopped[s][:room]):
            events.stopped_buyer[s, k], events.stopped_value[s, k] = buyer, value
            events.stopped_from[s, k], events.stopped_until[s, k] = since, until
        for k, (buyer, score) in enumerate(weak[s][:room]):
            events.weak_buyer[s, k], events.weak_score[s, k] = buyer, score
        for e, (invoice, debt) in enumerate(mine[:room]):
            events.buyer[s, e], events.invoice[s, e] = debt.buyer, invoice
            events.default_day[s, e], events.paid_day[s, e] = debt.insolvent, debt.paid
            events.loss_day[s, e], events.recovery[s, e] = debt.lost, debt.recovery
            events.protracted[s, e], events.frustrated[s, e] = debt.protracted, debt.frustrated
            events.drawn_day[s, e] = debt.paid if debt.drawn is None else debt.drawn
            back = NEVER if debt.lost == NEVER else debt.lost + recovery_lag
            events.receipt_day[s, e] = back if debt.receipt is None else debt.receipt
            events.overdue_at_issue[s, e], events.limit_score[s, e] = debt.overdue, debt.score
            events.share[s, e] = debt.share
    return book, events


def clock(horizon=364, period=WEEK):
    """Equal periods of some days, and months of four weeks."""
    days = np.arange(horizon + 1)
    month = np.minimum(np.maximum(np.arange(horizon + 2) - 1, 0) // MONTH, horizon // MONTH)
    return Clock(horizon, (np.maximum(days - 1, 0) // period).astype(np.int32), month.astype(np.int32))


def plan(programmes, n_buyers, book, n_periods=52, period=WEEK, **study):
    """A policy plan from one mapping of terms per programme; what is left out does not exist.

    Args:
        programmes: terms by name.
        n_buyers: number of buyers.
        book: the invoices.
        n_periods, period: periods and their length in days.
        study: fields of the plan that are not a programme's, such as ``dispute_probability``.
    """
    n_invoices = len(book.amount)
    built = blank_plan(len(programmes), n_buyers, n_invoices, n_periods, n_periods * period // MONTH)._replace(
        period_start=np.maximum(0, np.arange(n_periods) * period + 1 - (np.arange(n_periods) == 0)).astype(np.int32),
        month_end=(book.issue_day // 30 * 30 + 30).astype(np.int32),
        invoice_entity=np.arange(n_invoices, dtype=np.uint64),
        bonus_ratio=np.full((len(programmes), 4), np.inf),
        bonus_change=np.zeros((len(programmes), 4)),
    )
    segments = []
    for p, given in enumerate(programmes):
        terms = {"insured": True, "limit": np.inf, "named": True, "waiting_days": 0, "covers_open_items": True, **given}
        built.insured[p] = terms.pop("insured")
        built.terms["adjustment_period"][p] = n_periods - 1
        built.terms["currency"][p] = terms.pop("currency", STUDY_CURRENCY)
        _fill_buyers(built, p, terms, n_buyers, segments)
        _fill_invoices(built, p, terms, book)
        for name, value in terms.items():
            _fill_term(built, p, name, value)
    records = np.array([tuple(one) for one in segments], SEGMENT).view(np.recarray)
    pools = 1 + int(max(built.cover["group_pool"].max(), built.cover["country_pool"].max(), 0))
    invoices = types.SimpleNamespace(**book._asdict(), buyer=np.repeat(np.arange(n_buyers), np.diff(book.start)))
    for p in range(len(programmes)):
        bounds = built.cover["segments"][p]
        worth = insurable_value(built.terms[p], bounds, records, built.eligible[p], invoices, book.book_value)
        built.sale[p] = sales_in_period(built.terms[p], invoices, worth)
        built.sales_from[p] = sums_from(built.sale[p], book.start)
    planned = sums_from(np.where(book.open_item, 0.0, book.book_value), book.start)
    return built._replace(segment=records, planned_from=planned, n_pools=pools, **study)


def _fill_buyers(built, p, terms, n_buyers, segments):
    """Limits (``limit``: amount or list of (day, amount) by buyer), percentages, waiting periods, pools."""
    cover = built.cover
    percentage = terms.pop("percentage", 1.0)
    by_peril = isinstance(percentage, dict)
    cover["percentage"][p] = [percentage.get(peril, 0.0) if by_peril else percentage for peril in PERILS]
    own = terms.pop("percentage_by_buyer", None)
    if own is not None:
        cover["percentage"][p] = np.where(np.isnan(own)[:, None], cover["percentage"][p], np.asarray(own)[:, None])
    cover["expiry_days"][p] = terms.pop("waiting_days")
    for name in ("group_pool", "country_pool", "country_maximum", "sold_whole"):
        if name in terms:
            cover[name][p] = terms.pop(name)
    limit, named = terms.pop("limit"), np.broadcast_to(terms.pop("named"), n_buyers)
    limit_currency = terms.pop("limit_currency", None)
    limits = limit if isinstance(limit, list | np.ndarray) else [limit] * n_buyers
    for b, own in enumerate(limits):
        dated = own if isinstance(own, list) else [(ALWAYS, own)]
        cover["segments"][p, b] = len(segments), len(segments) + len(dated)
        highest = 0.0
        for day, amount, *rest in dated:
            highest = max(highest, amount)
            share = rest[0] if rest else np.nan
            currency = limit_currency or (built.terms["currency"][p], 1.0)
            segments.append((day, amount, highest, *currency, share, named[b], named[b]))
        cover["insurable"][p, b] = highest > 0


def _fill_invoices(built, p, terms, book):
    shipments = Shipments(np.zeros(len(book.amount), np.int32), book.issue_day, book.due_day, book.open_item, None)
    first, last = terms.get("first_day", 1), terms.get("last_day", NEVER)
    covered = within_period(
        shipments, first, last, terms.pop("covers_open_items"), terms.get("losses_occurring", False)
    )
    known = is_known_loss(book.due_day, built.cover["expiry_days"][p, 0, 0], first)
    built.eligible[p] = covered & ~known & np.asarray(terms.pop("eligible", True))


def _fill_term(built, p, name, value):
    if name == "order":
        built.terms["steps"][p] = steps_of(value)
    elif name == "conversion":
        built.terms[name][p] = CONVERSIONS.index(value)
    elif name == "recovery_rule":
        built.terms[name][p] = RECOVERY_RULES.index(value)
    elif name == "recovery_costs":
        built.terms[name][p] = RECOVERY_COSTS.index(value)
    elif name == "bonus":
        built.terms["bonus_steps"][p] = len(value)
        for k, (ratio, change) in enumerate(value):
            built.bonus_ratio[p, k], built.bonus_change[p, k] = ratio, change
    elif name in TERMS.names:
        built.terms[name][p] = value
    else:
        getattr(built, name)[p] = value


def terms(percentage=0.9, **more):
    """Terms with one percentage for all perils."""
    return {"percentage": percentage, **more}


def constant_rates(n, values=(1.0,), steps=60):
    """Rates that never move."""
    return np.ascontiguousarray(np.broadcast_to(np.array(values)[None, :, None], (n, len(values), steps + 1)))


def settle(
    programmes, scenarios, n_buyers=None, rates=None, recovery_lag=0, when=None, stopped=None, weak=None, drivers=None,
    ledger=None, **study
):  # fmt: skip
    """Run the policy room on hand-made debts."""
    n_buyers = n_buyers or 1 + max((d.buyer for debts in scenarios for d in debts), default=0)
    when = when or clock()
    book, events = arrays(scenarios, stopped, recovery_lag=recovery_lag, n_buyers=n_buyers, weak=weak)
    period = int(np.bincount(when.period_of_day[1:]).max())
    built = plan(programmes, n_buyers, book, int(when.period_of_day[-1]) + 1, period, **study)
    if rates is None:
        rates = constant_rates(len(scenarios))
    return apply_policies(built, book, when, events, rates, drivers=drivers, ledger=ledger)


def gaps(rows, s=0, p=0):
    """The waterfall of one scenario and programme by name."""
    return dict(zip(GAP_STEPS, rows.gap[s, p].tolist(), strict=True))


def waterfall(**steps):
    """A whole waterfall of which only these steps are not zero."""
    return {**dict.fromkeys(GAP_STEPS, 0.0), **steps}


def empty_rows(n, n_programmes, n_periods):
    """Rows full of rubbish, so that a forgotten write shows."""
    rows = allocate_rows(n, n_programmes, n_periods)
    for values in rows:
        values[:] = -1e99
    return rows
