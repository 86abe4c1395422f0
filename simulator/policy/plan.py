"""The programmes of a study as plain arrays: what is insured, on which terms, at which price.

Blank is not zero, here as in the study: what a policy does not say does not exist.
"""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

import numpy as np

from simulator.errors import Problem, Problems
from simulator.keys import entity_key, stream_key
from simulator.ledger.portfolio import Flags, Floats, Ints, Portfolio
from simulator.losses.plan import clock_offset
from simulator.losses.regimes import intensity_of
from simulator.policy.codes import CONVERSIONS, PERILS, RECOVERY_COSTS, RECOVERY_RULES, steps_of
from simulator.policy.eligibility import (
    country_terms,
    days_in_horizon,
    eligible_invoices,
    insured_buyers,
    month_ends_of,
    policy_period,
    shipments_of,
)
from simulator.policy.insurer import annual_intensity
from simulator.policy.limits import BuyerLimits, ScriptedLimit, buyer_limits, segments, spot_rates
from simulator.policy.records import SEGMENT, PolicyPlan, blank_plan
from simulator.policy.sales import (
    Sales,
    first_days,
    instalments,
    insurable_sales,
    insurable_value,
    month_ends,
    sales_in_period,
    sums_from,
)
from simulator.policy.work import Records
from simulator.study.amounts import Multiple
from simulator.study.calendar import Calendar
from simulator.study.schema import Policy, Study


def build_policies(
    study: Study,
    portfolio: Portfolio,
    calendar: Calendar,
    spot: Floats,
    folder: Path = Path(),
    scripted: Sequence[ScriptedLimit] = (),
    priced: bool = True,
) -> PolicyPlan:
    """The study's programmes as arrays.

    Args:
        study: the study; ``extends`` between programmes is already resolved.
        portfolio: buyers with their limits, invoices with planned sales.
        calendar: days and periods.
        spot: study currency per unit of each of the portfolio's currencies on day 0.
        folder: the study's folder, where files of limits are looked up.
        scripted: limits that a script changes.
        priced: work out premiums and maximum liabilities; what is insured does not depend on them.

    Raises:
        InputError: a file of limits cannot be used, an insurer's rating is unknown, or a maximum liability is a
            multiple of a premium that is zero.
    """
    shipments = shipments_of(portfolio)
    n_buyers, n_programmes = len(portfolio.buyers), len(study.programmes)
    most_bonus = max((len(p.premium.bonus) for p in study.programmes if isinstance(p, Policy)), default=0)
    seed, disputes = study.simulation.seed, study.payment.disputes
    plan = blank_plan(n_programmes, n_buyers, len(shipments.buyer), calendar.n_periods)._replace(
        month_end=month_ends_of(shipments.issue_day, calendar),
        invoice_entity=shipments.entity,
        buyer_rank=_ranks(portfolio.buyers.buyer_id),
        period_start=first_days(calendar),
        bonus_ratio=np.full((n_programmes, max(1, most_bonus)), np.inf),
        bonus_change=np.zeros((n_programmes, max(1, most_bonus))),
        dispute_probability=disputes.probability,
        dispute_upheld=disputes.upheld,
        dispute_days=disputes.resolution.days,
        recovery_cost=study.credit.recovery.costs,
        dispute_key=stream_key(seed, "dispute"),
        notification_key=stream_key(seed, "notification"),
        insurer_key=stream_key(seed, "insurer"),
        insurer_entity=np.uint64(entity_key("insurer")),
    )
    rates = spot_rates(study, portfolio, spot)
    problems = Problems()
    parts: list[Records] = [np.zeros(0, SEGMENT).view(np.recarray)]
    pools = 1
    balances: dict[bytes, int] = {}  # programmes that insure the same share one
    invoices = portfolio.invoices
    book_value = invoices.amount * spot[invoices.currency]
    first_invoice = np.searchsorted(invoices.buyer, np.arange(n_buyers + 1))
    if len(invoices) > 0:
        plan = plan._replace(planned_from=sums_from(np.where(invoices.open_item, 0.0, book_value), first_invoice))
    for p, policy in enumerate(study.programmes):
        if not isinstance(policy, Policy):
            continue
        plan.insured[p] = True
        unit = rates[policy.currency or study.study.currency]
        limits = buyer_limits(study, p, portfolio, calendar, rates, folder, problems, scripted)
        _fill_terms(plan, p, policy, calendar)
        _fill_insurer(plan, p, policy, study, folder, problems)
        if policy.currency not in (None, study.study.currency):
            plan.terms["currency"][p] = portfolio.currencies.index(policy.currency)
            plan.terms["turnover_rate"][p] = 1.0 / unit
        _fill_cover(plan, p, policy, portfolio, limits)
        groups = _fill_pools(plan, p, policy, portfolio)
        pools = max(pools, int(plan.cover[p]["group_pool"].max()) + 1, int(plan.cover[p]["country_pool"].max()) + 1)
        records, start = segments(limits, groups)
        offset = sum(len(part) for part in parts)
        plan.cover["segments"][p] = np.stack([start[:-1], start[1:]], axis=1) + offset
        parts.append(records)
        plan.eligible[p] = eligible_invoices(policy, portfolio, calendar, plan.cover["expiry_days"][p, :, 0])
        sales = insurable_sales(policy, portfolio, calendar, spot, limits, plan.eligible[p])
        plan.cover["insurable"][p], plan.cover["sold_whole"][p] = sales.insurable, sales.whole
        if priced:
            _fill_premium(plan, p, policy, calendar, sales, limits)
        if len(invoices) > 0:
            held = np.stack([start[:-1], start[1:]], axis=1)
            worth = insurable_value(plan.terms[p], held, records, plan.eligible[p], invoices, book_value)
            plan.sale[p] = sales_in_period(plan.terms[p], invoices, worth)
            plan.sales_from[p] = sums_from(plan.sale[p], first_invoice)
            if policy.premium.base == "balance":
                plan.balance_of[p] = balances.setdefault(worth.tobytes(), len(balances))
        if priced:
            _fill_liability(plan, p, policy, problems)
    problems.raise_if_any()
    worth_of = np.array([np.frombuffer(worth) for worth in balances]).reshape(len(balances), len(shipments.buyer))
    return plan._replace(segment=np.concatenate(parts).view(np.recarray), n_pools=pools, insurable_value=worth_of)


def _ranks(buyer_id: Sequence[str]) -> Ints:
    """Rank of each buyer's id."""
    rank = np.empty(len(buyer_id), np.int32)
    rank[np.argsort(np.array(buyer_id, dtype=object), kind="stable")] = np.arange(len(buyer_id), dtype=np.int32)
    return rank


def _fill_terms(plan: PolicyPlan, p: int, policy: Policy, calendar: Calendar) -> None:
    terms = plan.terms
    terms["steps"][p] = steps_of(policy.resolved_order)
    for name in (
        "non_qualifying_loss", "each_and_every_first_loss", "minimum_retention", "aggregate_first_loss", "vat_covered",
    ):  # fmt: skip
        terms[name][p] = getattr(policy, name)
    terms["non_qualifying_deducted"][p] = policy.non_qualifying_mode == "deduction"
    terms["equality_fails"][p] = policy.non_qualifying_equal == "fails"
    terms["eroded_ground_up"][p] = policy.first_loss_eroded_by == "ground_up_losses"
    terms["first_day"][p], terms["last_day"][p] = policy_period(policy, calendar)
    terms["losses_occurring"][p] = policy.basis == "losses_occurring"
    terms["waiting_insolvency"][p] = policy.waiting("insolvency").days
    terms["waiting_frustration"][p] = policy.waiting("contract_frustration").days
    terms["settlement_days"][p] = policy.settlement.days
    if policy.maximum_extension_period is not None:
        terms["extension_days"][p] = policy.maximum_extension_period.days
    terms["disputes_suspended"][p] = policy.disputes == "suspended"
    terms["oldest_first"][p] = policy.payment_allocation == "oldest_first"
    terms["conversion"][p] = CONVERSIONS.index(policy.conversion)
    if policy.limit_changes is not None:
        terms["change_intensity"][p] = intensity_of(policy.limit_changes)
        terms["change_to"][p] = policy.limit_changes.to
        terms["change_notice"][p] = policy.limit_changes.notice.days
    if policy.top_up is not None:
        terms["top_up_multiple"][p] = policy.top_up.multiple
        terms["top_up_maximum"][p] = np.inf if policy.top_up.maximum is None else policy.top_up.maximum
        terms["top_up_percentage"][p] = policy.top_up.insured_percentage
    if policy.notification is not None:
        terms["notify_after"][p] = policy.notification.after.days
        terms["missed"][p] = policy.notification.missed
        terms["reduction"][p] = policy.notification.reduction
    terms["recovery_rule"][p] = RECOVERY_RULES.index(policy.recoveries.rule)
    terms["recovery_costs"][p] = RECOVERY_COSTS.index(policy.recoveries.costs)


def _fill_insurer(plan: PolicyPlan, p: int, policy: Policy, study: Study, folder: Path, problems: Problems) -> None:
    if policy.insurer is not None:
        plan.terms["insurer_intensity"][p] = annual_intensity(study, p, policy.insurer, folder, problems)
        plan.terms["insurer_systemic"][p] = policy.insurer.systemic
        plan.terms["insurer_recovery"][p] = policy.insurer.recovery


def _fill_cover(plan: PolicyPlan, p: int, policy: Policy, portfolio: Portfolio, limits: BuyerLimits) -> None:
    """Percentages and waiting periods by buyer: a country's take the place of the policy's; of a country's percentage
    and that of a discretionary or blind limit the lower one counts."""
    cover = plan.cover
    own = np.array([policy.percentage(peril) for peril in PERILS])  # type: ignore[arg-type]
    waiting = [policy.waiting(peril).days for peril in ("protracted_default", "transfer")]
    schedule = country_terms(policy, portfolio)
    abroad = [None if terms is None else terms.insured_percentage for terms in schedule]
    country = np.array([np.nan if share is None else share for share in abroad])
    share = np.fmin(country, limits.percentage)  # NaN where neither says anything
    cover["percentage"][p] = np.where((own == 0.0) | np.isnan(share)[:, None], own, share[:, None])
    cover["expiry_days"][p] = waiting
    for b, terms in enumerate(schedule):
        if terms is not None and terms.waiting_period is not None:
            cover["expiry_days"][p, b] = terms.waiting_period.days
    cover["expiry_days"][p] += clock_offset(policy)


def _fill_pools(plan: PolicyPlan, p: int, policy: Policy, portfolio: Portfolio) -> list[list[int]]:
    """Limits that several buyers share, numbered from 0; returns the groups of buyers who share the largest one."""
    groups: dict[str, list[int]] = {}
    if policy.shared_limits:
        for b in np.flatnonzero(insured_buyers(policy, portfolio)).tolist():
            if portfolio.buyers.group_id[b]:
                groups.setdefault(portfolio.buyers.group_id[b], []).append(b)
    shared = [members for members in groups.values() if len(members) > 1]
    for number, members in enumerate(shared):
        plan.cover["group_pool"][p, members] = number
    countries: dict[str, int] = {}
    for b, terms in enumerate(country_terms(policy, portfolio)):
        if terms is not None and terms.maximum is not None:
            country = portfolio.buyers.country[b].casefold()
            plan.cover["country_pool"][p, b] = len(shared) + countries.setdefault(country, len(countries))
            plan.cover["country_maximum"][p, b] = terms.maximum
    return shared


def _fill_premium(
    plan: PolicyPlan,
    p: int,
    policy: Policy,
    calendar: Calendar,
    sales: Sales,
    limits: BuyerLimits,
) -> None:
    from simulator.jit import plain
    from simulator.policy.premium_formulas import share_of_policy_year  # loads the compiler

    terms, premium = plan.terms, policy.premium
    first, last = policy_period(policy, calendar)
    days = days_in_horizon(policy, calendar)
    share = plain(share_of_policy_year)(days)
    terms["on_balance"][p] = premium.base == "balance"
    terms["premium_rate"][p] = premium.rate_on_balance if premium.base == "balance" else premium.rate_on_turnover
    terms["planned_turnover"][p] = sales.base * terms["turnover_rate"][p]
    terms["premium_minimum"][p] = premium.minimum * share
    terms["minimum_of_year"][p] = premium.minimum
    terms["year_share"][p] = share if share > 0.0 else 1.0
    terms["premium_tax"][p] = premium.tax
    named = limits.named & sales.insurable
    fees = premium.fees + premium.limit_fee * int(named.sum())
    if days > 0:
        taxed = fees if premium.tax_on_fees else 0.0
        terms["premium_fees"][p] = taxed + _top_up_premium(policy, limits, named) * share
        terms["untaxed_fees"][p] = fees - taxed
    terms["fee_period"][p] = calendar.period_of_day[min(max(0, first - 1), calendar.horizon_days)]
    terms["adjustment_period"][p] = calendar.period_of_day[min(max(0, last), calendar.horizon_days)]
    plan.instalment[p] = instalments(premium.minimum * share, premium.instalments, calendar, first, last - first + 1)
    plan.month_ends[p] = month_ends(policy, calendar)
    terms["bonus_steps"][p] = len(premium.bonus)
    for k, step in enumerate(premium.bonus):
        plan.bonus_ratio[p, k], plan.bonus_change[p, k] = step.claims_ratio, step.change


def _top_up_premium(policy: Policy, limits: BuyerLimits, named: Flags) -> float:
    """A year's premium on all additional limits, as far as they are finite amounts."""
    if policy.top_up is None:
        return 0.0
    most = np.inf if policy.top_up.maximum is None else policy.top_up.maximum
    limit = limits.base.copy()
    for b, own in limits.dated.items():
        limit[b] = max(one.limit for one in own)
    more = np.minimum(limit[named] * policy.top_up.multiple, most)
    return policy.top_up.rate * float(more[np.isfinite(more)].sum())


def _fill_liability(plan: PolicyPlan, p: int, policy: Policy, problems: Problems) -> None:
    liability, terms = policy.maximum_liability, plan.terms
    if liability is None:
        return
    if not isinstance(liability, Multiple):
        terms["maximum_liability"][p] = liability
        return
    from simulator.jit import plain
    from simulator.policy.premium_formulas import premium_on_turnover  # loads the compiler

    premium = policy.premium.minimum
    if liability.base != "minimum premium":
        # a multiple of the whole year's premium: planned business goes on as in the horizon
        year = terms["planned_turnover"][p] / terms["year_share"][p]
        premium = plain(premium_on_turnover)(year, terms["premium_rate"][p], policy.premium.minimum)
    if liability.base == "premium paid":
        terms["liability_multiple"][p] = liability.factor
    terms["maximum_liability"][p] = liability.factor * premium
    if premium <= 0.0:
        problems.add(
            Problem(
                f"a multiple of premium needs a premium, and that of {policy.name!r} is zero: "
                "give premium.minimum, or a rate with insurable sales, or an amount of money",
                path=f"programmes[{p}].maximum_liability",
                value=str(liability),
            )
        )
