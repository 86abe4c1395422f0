"""A study made ready to run: every room's plan, once for all scenarios."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from functools import cached_property

import numpy as np

from simulator.defaults.plan import DefaultPlan, build_defaults
from simulator.delays.plan import DelayPlan, build_delays
from simulator.engine.check import check_study, raise_placed
from simulator.engine.script import Told, build_script, scripted_rates
from simulator.engine.script_limits import told_limits
from simulator.errors import InputError
from simulator.factors.plan import FactorPlan, build_factors
from simulator.fx.hedge import build_hedge
from simulator.fx.plan import FxPlan, build_fx
from simulator.fx.transfer import TransferPlan, build_transfer
from simulator.ledger.portfolio import Floats, Portfolio
from simulator.losses.balances import BalancePlan, no_balances
from simulator.losses.plan import Book, Clock, Keys4, LossRules, build_book, build_clock, build_rules, stream_keys
from simulator.losses.regimes import LimitPlan, RegimePlan, build_limits, build_regimes
from simulator.losses.sieve import Sieve, build_sieve
from simulator.policy.plan import build_policies
from simulator.policy.records import PolicyPlan, changeable_limits
from simulator.policy.views import with_views
from simulator.study.calendar import Calendar
from simulator.study.load import LoadedStudy
from simulator.study.schema import Stress, Study
from simulator.treasury.base import BasePlan, build_base, lent_on_cover
from simulator.treasury.plan import CashPlan, build_cash


@dataclass(frozen=True)
class CashSide:
    """Plans that only a study with a ledger has: delays, currencies, transfers, hedges, cash."""

    delay: DelayPlan
    fx: FxPlan
    transfer: TransferPlan
    hedge_notional: Floats
    hedge_forward: Floats
    cash: CashPlan
    counting: BalancePlan
    base: BasePlan
    opening_book: float
    planned_billing: Floats


@dataclass(frozen=True)
class Model:
    """Everything a block of scenarios needs.

    ``cash_side`` is None in constant-exposure mode, ``script`` where scenarios are drawn.
    """

    study: Study
    portfolio: Portfolio
    calendar: Calendar
    seed: int
    drivers: list[str]
    factor: FactorPlan
    default: DefaultPlan
    rules: LossRules
    clock: Clock
    keys: Keys4
    book: Book
    policy: PolicyPlan
    cash_side: CashSide | None
    regime: RegimePlan
    limits: LimitPlan
    script: Told | None = None

    @cached_property
    def sieve(self) -> Sieve:
        """Quick bounds on who can fail, for constant exposures."""
        return build_sieve(self.factor, self.default, self.rules)

    @property
    def n_programmes(self) -> int:
        """Number of programmes compared."""
        return len(self.study.programmes)

    @property
    def counting(self) -> BalancePlan:
        """What of the ledger counts for a borrowing base."""
        return no_balances() if self.cash_side is None else self.cash_side.counting

    @property
    def longest(self) -> int:
        """Most invoices of one buyer."""
        return max(1, int(np.diff(self.book.start).max(initial=0)))

    @property
    def balances(self) -> tuple[int, int]:
        """Number of premiums on balances, and of month ends, one for all later days included."""
        return len(self.book.insurable_value), int(self.clock.month_of_day[-1]) + 1

    @property
    def n_groups(self) -> int:
        """Number of buyer groups with several members."""
        return int(self.book.group.max(initial=-1)) + 1


def build_models(loaded: LoadedStudy, stresses: Mapping[str, Stress | None]) -> dict[str, Model]:
    """Models of variants, as :func:`build_model`; the ledger is read once for all that plan the same sales."""
    read: dict[float, Portfolio] = {}
    models = {}
    for name, stress in stresses.items():
        sales = (stress or Stress()).sales_multiplier
        if sales not in read:
            read[sales] = check_study(loaded, sales)
        models[name] = build_model(loaded, stress, read[sales])
    return models


def build_model(loaded: LoadedStudy, stress: Stress | None = None, portfolio: Portfolio | None = None) -> Model:
    """Prepare every room.

    Args:
        loaded: the study and where its files are.
        stress: a named variant, or None for the study itself.
        portfolio: its ledger, checked; read and checked when None.

    Raises:
        InputError: with every problem found in the ledger and in what the rooms need of it, stresses included.
    """
    variant = stress or Stress()
    if portfolio is None:
        portfolio = check_study(loaded, variant.sales_multiplier)
    try:
        return _build(loaded, variant, portfolio)
    except InputError as error:
        raise_placed(loaded, error.problems, next((n for n, s in loaded.study.stresses.items() if s is stress), ""))
        raise


def _build(loaded: LoadedStudy, variant: Stress, portfolio: Portfolio) -> Model:
    study, folder = loaded.study, loaded.folder
    calendar = Calendar.of(study)
    constant = study.portfolio.exposure == "constant"
    scripted = build_script(study, portfolio, calendar)
    if scripted is not None:
        portfolio = scripted.portfolio
    factor, drivers = build_factors(study, portfolio, variant.state_shift)
    default = build_defaults(study, portfolio, calendar, variant.pd_multiplier, folder)
    if constant:
        spot = np.ones(1)
        side = None
    else:
        fx = build_fx(study, portfolio, calendar, variant.fx_shock, folder)
        spot = np.asarray(fx.spot, dtype=np.float64)
        side = None
    changed = () if scripted is None else scripted.limits
    policy = build_policies(study, portfolio, calendar, spot, folder, changed)
    book = build_book(portfolio, spot, policy.insurable_value)
    stops = None
    if scripted is not None:
        as_written = build_policies(study, portfolio, calendar, spot, folder) if changed else policy
        stops = told_limits(as_written, changed)
    regimes = build_regimes(study, portfolio, calendar, changeable_limits(policy), stops)
    policy = policy._replace(regime=regimes.of_programme)
    if scripted is not None:
        policy = untroubled(policy)
    policy = with_views(policy)
    rules = build_rules(study, portfolio, variant.recovery_multiplier)
    told = None
    if scripted is not None:
        told = Told(scripted.plan, scripted_rates(study, portfolio.currencies, spot, calendar), scripted.fate)
        rules = rules._replace(scripted_recovery=scripted.plan.recovery, scripted_receipt=scripted.plan.receipt_day)
    if not constant:
        delay = build_delays(study, portfolio, factor, calendar, variant.delay_shift, variant.delay_multiplier, folder)
        notional, forward = build_hedge(study, portfolio, calendar, fx)
        counting, base = build_base(study, portfolio, calendar, book, policy, regimes)
        on_cover = lent_on_cover(study, policy)
        side = CashSide(
            delay=delay,
            fx=fx,
            transfer=build_transfer(study, portfolio, drivers, calendar),
            hedge_notional=notional,
            hedge_forward=forward,
            cash=build_cash(study, portfolio, calendar, spot, folder, regimes.of_programme, on_cover),
            counting=counting,
            base=base,
            opening_book=float(book.book_value[book.open_item].sum()),
            planned_billing=_planned_billing(book, calendar),
        )
    return Model(
        study,
        portfolio,
        calendar,
        study.simulation.seed,
        drivers,
        factor,
        default,
        rules,
        build_clock(calendar),
        stream_keys(study.simulation.seed),
        book,
        policy,
        side,
        regimes,
        build_limits(study, calendar, factor),
        told,
    )


def untroubled(policy: PolicyPlan) -> PolicyPlan:
    """Policies as in a script, which tells of no insurer that fails, no notice that is missed and no new dispute.

    Disputes in the ledger are all settled for the seller where that is at least as likely as not, else none is.
    """
    terms = policy.terms.copy()
    terms["insurer_intensity"] = terms["missed"] = 0.0
    upheld = 1.0 if policy.dispute_upheld >= 0.5 else 0.0
    return policy._replace(terms=terms, dispute_probability=0.0, dispute_upheld=upheld)


def _planned_billing(book: Book, calendar: Calendar) -> Floats:
    """Book value of planned invoices by issue period, float64[n_periods]."""
    planned = ~book.open_item
    period = calendar.period_of_day[book.issue_day[planned]]
    return np.bincount(period, weights=book.book_value[planned], minlength=calendar.n_periods).astype(np.float64)
