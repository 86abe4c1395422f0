"""Ways the seller trades: what each programme changes in whom is supplied, on which terms, and how payments are chased.

A *regime* is one such way. Regime 0 is the study as written; programmes that trade alike share a regime. Every regime
lives through the same scenarios, so programmes differ only in what they do with them.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, NamedTuple

import numpy as np

from simulator.constants import NEVER
from simulator.errors import InputError, Problem
from simulator.ledger.portfolio import Flags, Floats, Ints, Portfolio
from simulator.ledger.selection import select
from simulator.losses.rows import LedgerRows
from simulator.losses.stops import Stops, ToldLimits, no_stops, stopping, stops_of
from simulator.study.calendar import DAYS_PER_YEAR, Calendar
from simulator.study.schema import Policy, Programme, Study
from simulator.study.schema_script import LIKELY
from simulator.study.schema_terms import LimitChanges

if TYPE_CHECKING:
    from simulator.factors.plan import FactorPlan  # loads the compiler

#: How a buyer is supplied. A buyer that refuses a letter of credit or prepayment is not supplied.
OPEN_ACCOUNT, FACTORED, LETTER_OF_CREDIT, PREPAID, REFUSED = range(5)


class RegimePlan(NamedTuple):
    """Regimes (R) by buyer (B) as the kernels need them.

    ``of_programme`` int32[P] is the regime of each programme. ``affects`` bool[R, B] says which buyers a regime trades
    with differently whatever happens, ``touched`` bool[B] whether any does.

    ``form`` int32[R, B] how the buyer is supplied, ``accepted`` float64[R, B] the chance that it agrees, ``fee``
    float64[R, B] share of its invoices. Factoring: ``advance_rate``, ``interest``, ``protection`` float64[R],
    ``guarantee`` int32[R] days past due, ``sells_open`` bool[R].
    Early payment: ``discount`` float64[R, B] (0: none offered), ``within`` int32[R] days after issue, ``take_up``
    float64[R], the share of buyers that takes it, promptest payers first. Collection: ``chased`` bool[R, B],
    ``earlier`` int32[R] days, ``stage_after`` and ``stage_factor`` float64[R, n_stages] (unused stages begin at
    infinity), ``collection_cost`` float64[R, n_periods].
    Limits taken back: ``allowed`` float64[R, B], the debt up to which the seller goes on shipping once a buyer's limit
    has changed (study currency, infinite: it does not stop), ``stop_intensity`` float64[R] and ``stop_notice``
    int32[R] days; ``stop_threshold`` is the highest score at which any regime stops. In a script instead ``told_day``
    int32[R, B, K] and ``told_allowed`` float64[R, B, K], as in :class:`ToldLimits`.
    """

    count: int  # type: ignore[assignment]  # hides tuple.count
    of_programme: Ints
    affects: Flags
    touched: Flags
    form: Ints
    accepted: Floats
    fee: Floats
    advance_rate: Floats
    interest: Floats
    protection: Floats
    guarantee: Ints
    sells_open: Flags
    discount: Floats
    within: Ints
    take_up: Floats
    chased: Flags
    earlier: Ints
    stage_after: Floats
    stage_factor: Floats
    collection_cost: Floats
    allowed: Floats
    stop_intensity: Floats
    stop_notice: Ints
    stop_threshold: float
    told_day: Ints
    told_allowed: Floats


class LimitPlan(NamedTuple):
    """The buyers' scores of limit changes: weights ``systemic`` float64[B], ``credit`` and ``own`` float64[B].

    Buyers with a score up to ``threshold`` are listed as weak; -inf: no limits change, no scores are drawn.
    """

    systemic: Floats
    credit: float
    own: Floats
    threshold: float


class Deal(NamedTuple):
    """How the seller trades with one buyer in one scenario under one regime.

    Fields as in :class:`RegimePlan`, with what the buyer decides: ``form`` REFUSED if it does not agree, ``discount`` 0
    unless it takes it. From ``stops_on`` it is supplied only up to ``allowed``.
    """

    form: int
    fee: float
    advance_rate: float
    interest: float
    protection: float
    guarantee: int
    sells_open: bool
    discount: float
    within: int
    stops_on: int
    allowed: float


def build_regimes(
    study: Study, portfolio: Portfolio, calendar: Calendar, named_limits: Floats, told: ToldLimits | None = None
) -> RegimePlan:
    """Sort the programmes into regimes.

    Args:
        study: its programmes.
        portfolio: buyers to choose from.
        calendar: for the horizon and the cost of collection by period.
        named_limits: limits that an insurer can change, study currency, infinite where unlimited, NaN where a buyer has
            no named limit under a programme, float64[n_programmes, n_buyers].
        told: limits that the study's script changes; where scenarios are drawn, none.
    """
    n_buyers = len(portfolio.buyers)
    regimes: list[tuple[Programme | None, Stops]] = [(None, no_stops(n_buyers, told))]
    of_programme = np.zeros(len(study.programmes), np.int32)
    for p, programme in enumerate(study.programmes):
        stops = stops_of(programme, p, named_limits[p], told)
        if study.portfolio.exposure == "constant" or not (_trades(programme) or stops.any()):
            continue
        for g, (other, same) in enumerate(regimes):
            if other is not None and _terms(other) == _terms(programme) and stops.equal(same):
                of_programme[p] = g
                break
        else:
            of_programme[p] = len(regimes)
            regimes.append((programme, stops))
    plan = _empty(
        len(regimes), of_programme, n_buyers, calendar.n_periods, _most_stages(study), regimes[0][1].day.shape[1]
    )
    for g, (member, stops) in enumerate(regimes):
        if member is not None:
            _fill(plan, g, member, stops, portfolio, calendar)
    if told is not None:
        plan.accepted[:], plan.take_up[:] = plan.accepted >= LIKELY, plan.take_up >= LIKELY
    intensities = [intensity for g, intensity in enumerate(plan.stop_intensity) if np.isfinite(plan.allowed[g]).any()]
    touched = np.asarray(plan.affects.any(axis=0) | np.isfinite(plan.told_allowed).any(axis=(0, 2)))
    return plan._replace(touched=touched, stop_threshold=change_threshold(intensities, calendar.horizon_days))


def build_limits(study: Study, calendar: Calendar, factor: FactorPlan) -> LimitPlan:
    """Prepare the scores of limit changes.

    Args:
        study: programmes, and what decides whose limit is changed.
        calendar: for the horizon.
        factor: says which buyers have a common state; the others' systemic share becomes chance.

    Raises:
        InputError: shares that add to more than 1.
    """
    shares = study.credit.dependence.limit_changes
    if shares.systemic + shares.credit > 1.0 + 1e-12:
        text = "systemic and credit are variance shares: together at most 1"
        total = f"{shares.systemic + shares.credit:g}"
        raise InputError([Problem(text, path="credit.dependence.limit_changes", value=total)])
    systemic = np.where(factor.systematic_share > 0.0, shares.systemic, 0.0)
    own = np.sqrt(np.maximum(0.0, 1.0 - systemic - shares.credit))
    every = [intensity_of(p.limit_changes) for p in study.programmes if isinstance(p, Policy) and p.limit_changes]
    return LimitPlan(
        np.sqrt(systemic), float(np.sqrt(shares.credit)), own, change_threshold(every, calendar.horizon_days)
    )


def if_several(plan: RegimePlan) -> RegimePlan | None:
    """The regimes as the kernels take them: None where there is only the study as written, so that what it does not
    need is not compiled."""
    return plan if plan.count > 1 else None


def rows_needed(plan: RegimePlan) -> int:
    """Rows of results per scenario: one per regime, and one for buyers with whom all regimes trade alike."""
    return 1 if plan.count == 1 else plan.count + 1


def complete_rows(rows: LedgerRows, plan: RegimePlan) -> LedgerRows:
    """Add to every regime's rows what is common to all, and its cost of collection; the common rows are left out.

    Args:
        rows: as the kernel filled them, :func:`rows_needed` blocks of n rows; changed in place.
        plan: the regimes.
    """
    if plan.count == 1:
        return rows
    for values in rows:
        blocks = values.reshape(plan.count + 1, -1, *values.shape[1:])
        blocks[:-1] += blocks[-1]
    kept: dict[str, Any] = {f: v[: len(v) // (plan.count + 1) * plan.count] for f, v in rows._asdict().items()}
    rows = LedgerRows(**kept)
    cost = rows.trade_cost.reshape(plan.count, -1, rows.trade_cost.shape[1])
    cost += plan.collection_cost[:, None, :]
    return rows


def intensity_of(changes: LimitChanges) -> float:
    """Intensity per year of a chance within a year: -log(1 - q). 0.05 → 0.0512933."""
    with np.errstate(divide="ignore"):
        return float(-np.log1p(-changes.annual_probability))


def change_threshold(intensities: list[float], horizon: int) -> float:
    """Score up to which a change comes within the horizon at the highest intensity; -inf if there is none."""
    hazard = max(intensities, default=0.0) * horizon / DAYS_PER_YEAR
    probability = -np.expm1(-hazard)
    if probability <= 0.0:
        return -np.inf
    from scipy.special import ndtri  # slow to load, and not needed to check a study

    # a hair more than exact: listing a buyer whose change comes a moment too late does no harm
    return float(ndtri(probability)) + 1e-9 if probability < 1.0 else np.inf


def _terms(programme: Programme) -> tuple[object, ...]:
    """What makes programmes trade alike, beside the limits they stop at."""
    return (
        programme.factoring,
        programme.letter_of_credit,
        programme.prepayment,
        programme.early_payment_discount,
        programme.collection,
        stopping(programme),
    )


def _trades(programme: Programme) -> bool:
    return any(term is not None for term in _terms(programme)[:-1])


def _most_stages(study: Study) -> int:
    return max([1, *(len(p.collection.stages) for p in study.programmes if p.collection is not None)])


def _empty(count: int, of_programme: Ints, n_buyers: int, n_periods: int, n_stages: int, n_told: int) -> RegimePlan:
    """Regimes that change nothing."""

    def real(*shape: int, value: float = 0.0) -> Floats:
        return np.full((count, *shape), value)

    def whole(*shape: int) -> Ints:
        return np.zeros((count, *shape), np.int32)

    def flag(*shape: int) -> Flags:
        return np.zeros((count, *shape), np.bool_)

    return RegimePlan(
        count=count,
        of_programme=of_programme,
        affects=flag(n_buyers),
        touched=np.zeros(n_buyers, np.bool_),
        form=whole(n_buyers),
        accepted=real(n_buyers, value=1.0),
        fee=real(n_buyers),
        advance_rate=real(),
        interest=real(),
        protection=real(),
        guarantee=whole(),
        sells_open=flag(),
        discount=real(n_buyers),
        within=whole(),
        take_up=real(),
        chased=flag(n_buyers),
        earlier=whole(),
        stage_after=real(n_stages, value=np.inf),
        stage_factor=real(n_stages, value=1.0),
        collection_cost=real(n_periods),
        allowed=real(n_buyers, value=np.inf),
        stop_intensity=real(),
        stop_notice=whole(),
        stop_threshold=-np.inf,
        told_day=np.full((count, n_buyers, n_told), NEVER, np.int32),
        told_allowed=real(n_buyers, n_told, value=np.inf),
    )


def _fill(
    plan: RegimePlan, g: int, programme: Programme, stops: Stops, portfolio: Portfolio, calendar: Calendar
) -> None:
    """Write a programme's way of trading into regime g. A buyer is supplied in one way only: checked with the study."""
    factoring, letter, prepayment = programme.factoring, programme.letter_of_credit, programme.prepayment
    if factoring is not None:
        chosen = select(factoring.buyers, portfolio)
        plan.form[g, chosen], plan.fee[g, chosen] = FACTORED, factoring.fee
        plan.advance_rate[g], plan.interest[g] = factoring.advance_rate, factoring.interest
        plan.protection[g], plan.guarantee[g] = factoring.protection, factoring.guarantee.days
        plan.sells_open[g] = factoring.open_items
    if letter is not None:
        chosen = select(letter.buyers, portfolio)
        plan.form[g, chosen], plan.fee[g, chosen] = LETTER_OF_CREDIT, letter.fee
        plan.accepted[g, chosen] = letter.accepted
    if prepayment is not None:
        chosen = select(prepayment.buyers, portfolio)
        plan.form[g, chosen], plan.accepted[g, chosen] = PREPAID, prepayment.accepted
    if (offer := programme.early_payment_discount) is not None:
        plan.discount[g, select(offer.buyers, portfolio)] = offer.discount
        plan.within[g], plan.take_up[g] = offer.within.days, offer.take_up
    if (collection := programme.collection) is not None:
        plan.chased[g] = select(collection.buyers, portfolio)
        plan.earlier[g] = collection.earlier
        for k, stage in enumerate(collection.stages):
            plan.stage_after[g, k], plan.stage_factor[g, k] = stage.after.days, stage.factor
        plan.collection_cost[g] = collection.cost * calendar.period_years
    if (changes := stopping(programme)) is not None:
        plan.allowed[g], plan.told_day[g], plan.told_allowed[g] = stops
        plan.stop_intensity[g] = intensity_of(changes)
        plan.stop_notice[g] = changes.notice.days
    plan.affects[g] = (plan.form[g] != OPEN_ACCOUNT) | (plan.discount[g] > 0.0) | plan.chased[g]
