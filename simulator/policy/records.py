"""The terms of all programmes as arrays and records: what :func:`~simulator.policy.plan.build_policies` fills.

Kernels take a programme's terms, a buyer's cover and a limit as records: ``terms.settlement_days`` reads as it is said.
"""

from __future__ import annotations

from typing import NamedTuple

import numpy as np

from simulator.constants import NEVER
from simulator.ledger.portfolio import Flags, Floats, Ints, Keys
from simulator.policy.codes import MOST_STEPS, PERILS, STUDY_CURRENCY, steps_of
from simulator.policy.work import Records

#: One record per programme. Money in policy currency, days count from the ledger's date.
TERMS = np.dtype(
    [
        # order of terms and what they take
        ("steps", np.int32, (MOST_STEPS,)),
        ("non_qualifying_loss", np.float64),
        ("non_qualifying_deducted", np.bool_),  # taken off every claim instead of a gate
        ("equality_fails", np.bool_),  # a loss of exactly the non-qualifying loss does not count
        ("each_and_every_first_loss", np.float64),
        ("minimum_retention", np.float64),
        ("aggregate_first_loss", np.float64),
        ("eroded_ground_up", np.bool_),
        ("maximum_liability", np.float64),
        ("liability_multiple", np.float64),  # of the scenario's own premium, instead of an amount; 0: not so
        # when
        ("first_day", np.int32),  # of the policy period
        ("last_day", np.int32),
        ("losses_occurring", np.bool_),
        ("waiting_insolvency", np.int32),
        ("waiting_frustration", np.int32),
        ("settlement_days", np.int32),
        ("notify_after", np.int32),
        # what is insured
        ("extension_days", np.int32),  # NEVER: no maximum extension period
        ("vat_covered", np.bool_),
        ("disputes_suspended", np.bool_),
        ("oldest_first", np.bool_),  # payments before the date of loss fill the oldest invoices
        ("currency", np.int32),  # STUDY_CURRENCY, or an index of the ledger's currencies
        ("conversion", np.int32),
        ("change_intensity", np.float64),  # of limit changes, per year; 0: none
        ("change_to", np.float64),
        ("change_notice", np.int32),
        ("top_up_multiple", np.float64),  # 0: no top-up
        ("top_up_maximum", np.float64),
        ("top_up_percentage", np.float64),
        # afterwards
        ("missed", np.float64),
        ("reduction", np.float64),
        ("recovery_rule", np.int32),
        ("recovery_costs", np.int32),
        ("insurer_intensity", np.float64),  # of its failure, per year; 0: it never fails
        ("insurer_systemic", np.float64),
        ("insurer_recovery", np.float64),
        # premium
        ("premium_rate", np.float64),
        ("on_balance", np.bool_),
        ("premium_minimum", np.float64),  # of the part of the period that lies in the horizon
        ("minimum_of_year", np.float64),
        ("year_share", np.float64),  # that part of the period as part of a policy year
        ("premium_tax", np.float64),
        ("premium_fees", np.float64),  # and other prices that are paid on the first day and taxed
        ("untaxed_fees", np.float64),
        ("planned_turnover", np.float64),  # insurable, if nobody fails
        ("turnover_rate", np.float64),  # policy currency per unit of study currency, at the spot of day 0
        ("bonus_steps", np.int32),
        ("fee_period", np.int32),
        ("adjustment_period", np.int32),
    ],
    align=True,
)

#: One record per programme and buyer.
COVER = np.dtype(
    [
        ("percentage", np.float64, (len(PERILS),)),  # 0: the peril is not insured
        ("expiry_days", np.int32, (2,)),  # from the due date to the date of loss: protracted default, transfer
        ("segments", np.int32, (2,)),  # first of the buyer's limits, and one beyond its last
        ("group_pool", np.int32),  # limit shared with others, -1: none
        ("country_pool", np.int32),
        ("country_maximum", np.float64),
        ("insurable", np.bool_),  # some sale to the buyer may be insured
        ("sold_whole", np.bool_),  # every planned sale is insurable turnover in full
    ],
    align=True,
)

#: One record per limit and the day it holds from.
SEGMENT = np.dtype(
    [
        ("from_day", np.int32),
        ("limit", np.float64),  # at the rates of day 0; infinite: no limit, 0: no cover
        ("highest", np.float64),  # highest limit of the buyer until then
        ("currency", np.int32),  # its own, as that of TERMS: where it is another, the limit follows the debt's day
        ("rate_of_day_0", np.float64),  # policy currency per unit of its own on day 0
        ("percentage", np.float64),  # NaN: that of the peril
        ("named", np.bool_),
        ("changes", np.bool_),  # the insurer may change it
    ],
    align=True,
)


class PolicyPlan(NamedTuple):
    """Everything claims and premium need; P programmes, B buyers, I invoices, T periods, K premiums on balances.

    ``insured`` is false for programmes without a policy: their other entries mean nothing. ``regime`` is the row
    block of the ledger that a programme trades under. ``eligible`` [P, I] is what of an invoice is known before
    anything happens (:mod:`~simulator.policy.eligibility`), ``sale`` [P, I] the insurable turnover of each planned one
    (:func:`~simulator.policy.sales.sales_in_period`); ``sales_from`` [P, I + B] is the sum of that and the buyer's
    later ones, each buyer's followed by a 0, and ``planned_from`` [I + B] the same of all that is planned, book value.
    Programmes of one view (``view_of`` [P], -1 without insurance) see the same claims, ``order`` [P] takes them
    together; both are filled last (:mod:`~simulator.policy.views`). ``instalment`` [P, T] are deposits before tax;
    ``month_ends`` [P, T] counts the month ends of the policy period in each period; ``insurable_value`` [K, I] is what
    of an invoice's book value is in the balances a premium is charged on, ``balance_of`` [P] a programme's row of it.
    ``buyer_rank`` orders claims of one day: rank of the buyer's id.
    Numbers that are the study's: chance of a dispute, chance that it is upheld, days until then, cost of recovering.
    """

    insured: Flags
    view_of: Ints
    order: Ints
    regime: Ints
    terms: Records
    cover: Records
    segment: Records
    eligible: Flags
    sale: Floats
    sales_from: Floats
    planned_from: Floats
    month_end: Ints
    invoice_entity: Keys
    buyer_rank: Ints
    n_pools: int
    instalment: Floats
    period_start: Ints
    month_ends: Floats
    insurable_value: Floats
    balance_of: Ints
    bonus_ratio: Floats
    bonus_change: Floats
    dispute_probability: float
    dispute_upheld: float
    dispute_days: int
    recovery_cost: float
    dispute_key: np.ndarray
    notification_key: np.ndarray
    insurer_key: np.ndarray
    insurer_entity: np.uint64


def blank_terms(n_programmes: int) -> Records:
    """Terms that take nothing away and cost nothing."""
    terms = np.zeros(n_programmes, TERMS).view(np.recarray)
    terms["steps"] = steps_of("percent_first")
    terms["maximum_liability"] = np.inf
    terms["first_day"], terms["last_day"] = 1, NEVER
    terms["extension_days"] = NEVER
    terms["currency"] = STUDY_CURRENCY
    terms["top_up_maximum"] = np.inf
    terms["year_share"] = terms["turnover_rate"] = 1.0
    return terms


def blank_cover(n_programmes: int, n_buyers: int) -> Records:
    """Full cover of every buyer and peril; the limits are still missing."""
    cover = np.zeros((n_programmes, n_buyers), COVER).view(np.recarray)
    cover["percentage"] = 1.0
    cover["group_pool"] = cover["country_pool"] = -1
    cover["country_maximum"] = np.inf
    cover["insurable"] = cover["sold_whole"] = True
    return cover


def changeable_limits(plan: PolicyPlan) -> Floats:
    """Limits that an insurer can change as they are on day 1, study currency at the spot of day 0, float64[P, B].

    Infinite where unlimited; NaN where a buyer has no such limit.
    """
    found = np.full(plan.cover.shape, np.nan)
    for p in np.flatnonzero(plan.insured):
        begin, end = plan.cover["segments"][p].T
        for k in range(int((end - begin).max(initial=0))):
            inside = np.flatnonzero(begin + k < end)
            segment = plan.segment[begin[inside] + k]
            held = segment["from_day"] <= 1
            limit = np.where(segment["changes"] & (segment["limit"] > 0.0), segment["limit"], np.nan)
            found[p, inside[held]] = limit[held] / plan.terms["turnover_rate"][p]
    return found


def blank_plan(n_programmes: int, n_buyers: int, n_invoices: int, n_periods: int) -> PolicyPlan:
    """A plan in which no programme insures anything, for users who start from arrays."""
    p, b, t = n_programmes, n_buyers, n_periods
    no_key = np.zeros(2, np.uint32)
    return PolicyPlan(
        insured=np.zeros(p, np.bool_),
        view_of=np.zeros(0, np.int32),
        order=np.zeros(0, np.int32),
        regime=np.zeros(p, np.int32),
        terms=blank_terms(p),
        cover=blank_cover(p, b),
        segment=np.zeros(0, SEGMENT).view(np.recarray),
        eligible=np.ones((p, n_invoices), np.bool_),
        sale=np.zeros((p, n_invoices)),
        sales_from=np.zeros((p, n_invoices + b)),
        planned_from=np.zeros(n_invoices + b),
        month_end=np.zeros(n_invoices, np.int32),
        invoice_entity=np.zeros(n_invoices, np.uint64),
        buyer_rank=np.arange(b, dtype=np.int32),
        n_pools=1,
        instalment=np.zeros((p, t)),
        period_start=np.zeros(t, np.int32),
        month_ends=np.zeros((p, t)),
        insurable_value=np.zeros((0, n_invoices)),
        balance_of=np.zeros(p, np.int32),
        bonus_ratio=np.zeros((p, 1)),
        bonus_change=np.zeros((p, 1)),
        dispute_probability=0.0,
        dispute_upheld=0.0,
        dispute_days=0,
        recovery_cost=0.0,
        dispute_key=no_key,
        notification_key=no_key,
        insurer_key=no_key,
        insurer_entity=np.uint64(0),
    )
