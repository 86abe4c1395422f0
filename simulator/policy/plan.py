"""The programmes of a study as plain arrays: what is insured, on which terms, at which price.

Blank is not zero: a buyer without a named limit is covered only under a discretionary limit; a named limit of zero
is no cover, and no discretionary limit replaces it (a limit the insurer has issued, zero included, ends the
policyholder's discretion [S10]). "No limit" and "no maximum" are infinity.
"""

from __future__ import annotations

import math
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from simulator.errors import Problem, Problems
from simulator.ledger.portfolio import Flags, Floats, Ints, Portfolio
from simulator.policy.formulas import DEDUCTIBLE_FIRST, PERCENT_FIRST, premium_on_turnover, share_of_policy_year
from simulator.study.amounts import Multiple
from simulator.study.calendar import Calendar
from simulator.study.schema import Policy, Study

#: Code of each named wording.
ORDERS = {
    "percent_first": PERCENT_FIRST,
    "deductible_first": DEDUCTIBLE_FIRST,
    "excess_of_loss": DEDUCTIBLE_FIRST,
}


class PolicyPlan(NamedTuple):
    """Terms by programme (P), buyer (B) and period (T); money in policy currency, which is the study's.

    ``insured`` is false for programmes without a policy: their other entries mean nothing. ``limit`` is infinite
    for no limit and 0 for no cover; ``discretionary`` marks limits of that kind. ``percentage_discretionary`` is NaN
    where the percentage of the peril applies. ``premium_minimum`` is the horizon's part of the policy year's minimum,
    ``instalment`` are deposits of it before tax, ``planned_turnover`` is the insurable book value shipped if nobody
    fails. First losses and maximum liability are the policy year's, in full. ``buyer_rank`` orders claims of one day:
    rank of the buyer's id.
    """

    insured: Flags
    order: Ints
    percentage_insolvency: Floats
    percentage_protracted: Floats
    percentage_discretionary: Floats
    limit: Floats
    discretionary: Flags
    non_qualifying_loss: Floats
    each_and_every_first_loss: Floats
    aggregate_first_loss: Floats
    maximum_liability: Floats
    waiting_days: Ints
    settlement_days: Ints
    covers_open_items: Flags
    premium_rate: Floats
    premium_minimum: Floats
    premium_tax: Floats
    premium_fees: Floats
    instalment: Floats
    planned_turnover: Floats
    insurable: Flags
    buyer_rank: Ints


def empty_plan(n_programmes: int, n_buyers: int, n_periods: int) -> PolicyPlan:
    """A plan in which nothing is insured, for :func:`build_policies` to fill and for users who start from arrays."""
    p, b, t = n_programmes, n_buyers, n_periods
    return PolicyPlan(
        insured=np.zeros(p, np.bool_),
        order=np.full(p, PERCENT_FIRST, np.int32),
        percentage_insolvency=np.ones(p),
        percentage_protracted=np.ones(p),
        percentage_discretionary=np.full(p, np.nan),
        limit=np.full((p, b), np.inf),
        discretionary=np.zeros((p, b), np.bool_),
        non_qualifying_loss=np.zeros(p),
        each_and_every_first_loss=np.zeros(p),
        aggregate_first_loss=np.zeros(p),
        maximum_liability=np.full(p, np.inf),
        waiting_days=np.zeros(p, np.int32),
        settlement_days=np.zeros(p, np.int32),
        covers_open_items=np.ones(p, np.bool_),
        premium_rate=np.zeros(p),
        premium_minimum=np.zeros(p),
        premium_tax=np.zeros(p),
        premium_fees=np.zeros(p),
        instalment=np.zeros((p, t)),
        planned_turnover=np.zeros(p),
        insurable=np.ones((p, b), np.bool_),
        buyer_rank=np.arange(b, dtype=np.int32),
    )


def build_policies(study: Study, portfolio: Portfolio, calendar: Calendar, spot: Floats) -> PolicyPlan:
    """The study's programmes as arrays.

    Args:
        study: the study; ``extends`` between programmes is already resolved.
        portfolio: buyers with their limits, invoices with planned sales.
        calendar: days and periods.
        spot: study currency per unit of each of the portfolio's currencies on day 0.

    Raises:
        InputError: a maximum liability is a multiple of a premium that is zero.
    """
    plan = empty_plan(len(study.programmes), len(portfolio.buyers), calendar.n_periods)
    plan.buyer_rank[np.argsort(np.array(portfolio.buyers.buyer_id, dtype=object), kind="stable")] = np.arange(
        len(portfolio.buyers), dtype=np.int32
    )
    turnover = planned_turnover_by_buyer(portfolio, calendar, spot)
    problems = Problems()
    for p, programme in enumerate(study.programmes):
        if isinstance(programme, Policy):
            _fill_terms(plan, p, programme)
            _fill_limits(plan, p, programme, portfolio.buyers.credit_limit)
            _fill_premium(plan, p, programme, calendar, turnover)
            _fill_liability(plan, p, programme, calendar, problems)
    problems.raise_if_any()
    return plan


def planned_turnover_by_buyer(portfolio: Portfolio, calendar: Calendar, spot: Floats) -> Floats:
    """Book value planned to be shipped to each buyer within the horizon, float64[n_buyers].

    Planned sales at the spot of day 0. Without any invoice (constant exposure) a buyer's ``annual_sales``, where
    given, over the horizon.
    """
    buyers, invoices = portfolio.buyers, portfolio.invoices
    if len(invoices) == 0:
        return np.nan_to_num(np.asarray(buyers.annual_sales, dtype=np.float64)) * calendar.horizon_years
    shipped = ~invoices.open_item & (invoices.issue_day >= 1) & (invoices.issue_day <= calendar.horizon_days)
    value = np.where(shipped, invoices.amount * spot[invoices.currency], 0.0)
    return np.bincount(invoices.buyer, weights=value, minlength=len(buyers)).astype(np.float64)


def limits(programme: Policy, credit_limit: Floats) -> tuple[Floats, Flags]:
    """Limit of each buyer and whether it is a discretionary one.

    Args:
        programme: the policy.
        credit_limit: named limits; NaN where blank, infinite for unlimited, 0 for no cover.
    """
    if programme.limits == "unlimited":
        return np.full(len(credit_limit), np.inf), np.zeros(len(credit_limit), np.bool_)
    blank = np.isnan(credit_limit)
    discretionary = blank & (programme.discretionary_limit is not None)
    fallback = programme.discretionary_limit or 0.0
    return np.where(blank, fallback, credit_limit), discretionary


def instalments(minimum: float, count: int, calendar: Calendar) -> NDArray[np.float64]:
    """Deposits by period, before tax: equal parts of the minimum premium, paid in advance.

    Deposit k of N falls on day ⌊k·H/N⌋; the first, on day 0, is booked in the first period.

    Returns:
        float64[n_periods].
    """
    deposit = np.zeros(calendar.n_periods)
    for k in range(count):
        deposit[calendar.period_of_day[k * calendar.horizon_days // count]] += minimum / count
    return deposit


def _fill_terms(plan: PolicyPlan, p: int, programme: Policy) -> None:
    plan.insured[p] = True
    plan.order[p] = ORDERS[str(programme.resolved_order)]
    plan.percentage_insolvency[p] = programme.percentage("insolvency")
    plan.percentage_protracted[p] = programme.percentage("protracted_default")
    if programme.discretionary_percentage is not None:
        plan.percentage_discretionary[p] = programme.discretionary_percentage
    plan.non_qualifying_loss[p] = programme.non_qualifying_loss
    plan.each_and_every_first_loss[p] = programme.each_and_every_first_loss
    plan.aggregate_first_loss[p] = programme.aggregate_first_loss
    plan.waiting_days[p] = programme.waiting("protracted_default").days
    plan.settlement_days[p] = programme.settlement.days
    plan.covers_open_items[p] = programme.covers_open_items


def _fill_limits(plan: PolicyPlan, p: int, programme: Policy, credit_limit: Floats) -> None:
    plan.limit[p], plan.discretionary[p] = limits(programme, np.asarray(credit_limit, dtype=np.float64))
    plan.insurable[p] = plan.limit[p] > 0.0


def _fill_premium(plan: PolicyPlan, p: int, programme: Policy, calendar: Calendar, turnover: Floats) -> None:
    premium = programme.premium
    plan.premium_rate[p] = premium.rate_on_turnover
    plan.premium_minimum[p] = premium.minimum * share_of_policy_year(calendar.horizon_days)
    plan.premium_tax[p] = premium.tax
    plan.premium_fees[p] = premium.fees
    plan.instalment[p] = instalments(plan.premium_minimum[p], premium.instalments, calendar)
    # fsum is exact, so the sum does not depend on the order of buyers in the ledger
    plan.planned_turnover[p] = math.fsum(turnover[plan.insurable[p]])


def _fill_liability(plan: PolicyPlan, p: int, programme: Policy, calendar: Calendar, problems: Problems) -> None:
    liability = programme.maximum_liability
    if liability is None:
        return
    if not isinstance(liability, Multiple):
        plan.maximum_liability[p] = liability
        return
    # a multiple of the whole year's premium: planned turnover goes on as in the horizon
    year = plan.planned_turnover[p] / share_of_policy_year(calendar.horizon_days)
    premium = premium_on_turnover(year, plan.premium_rate[p], programme.premium.minimum)
    plan.maximum_liability[p] = liability.factor * premium
    if premium <= 0.0:
        problems.add(
            Problem(
                f"a multiple of premium needs a premium, and that of {programme.name!r} is zero: "
                "give premium.minimum, or premium.rate_on_turnover with insurable sales, or an amount of money",
                path=f"programmes[{p}].maximum_liability",
                value=str(liability),
            )
        )
