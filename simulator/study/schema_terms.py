"""Terms of a policy that are sections of their own: perils, limits that change, premium, recoveries, the insurer."""

from __future__ import annotations

from typing import Literal

from pydantic import Field

from simulator.study.amounts import Duration, Fraction, Length, PositiveMoney, Share
from simulator.study.section import Section


class PercentageByPeril(Section):
    """Insured percentage by peril; 0 leaves a peril out."""

    insolvency: Fraction = 0.9
    """Insured percentage when the buyer is insolvent."""
    protracted_default: Fraction = 0.9
    """Insured percentage when the buyer does not pay within the waiting period."""
    transfer: Fraction = 0.9
    """Insured percentage when the buyer has paid but its country lets no money out."""
    contract_frustration: Fraction = 0.9
    """Insured percentage when an act of state frustrates the contract."""


class WaitingByPeril(Section):
    """Waiting period by peril."""

    insolvency: Length = Duration(0, "day")
    """From insolvency to the date of loss."""
    protracted_default: Length = Duration(180, "day")
    """From the waiting clock to the date of loss of a debt the buyer does not pay."""
    transfer: Length = Duration(180, "day")
    """From the waiting clock to the date of loss of a debt that a transfer event holds up."""
    contract_frustration: Length = Duration(180, "day")
    """From the act of state to the date of loss."""


class CountryTerms(Section):
    """Terms of buyers in one country; what is left out is as in the policy."""

    covered: bool = True
    """Whether the country is open at all."""
    insured_percentage: Fraction | None = None
    """Insured percentage of every peril there."""
    waiting_period: Length | None = None
    """Waiting period of debts that are merely unpaid there."""
    maximum: PositiveMoney | None = None
    """Most covered debt of all claims in the country together."""


class LimitChanges(Section):
    """The insurer takes limits back when a buyer weakens or the common state turns bad."""

    annual_probability: Fraction = 0.05
    """Chance within a year that a named limit is changed; which and when follows the buyer's and the common state."""
    to: Fraction = 0.0
    """Share of the limit that remains; 0 cancels it."""
    notice: Length = Duration(30, "day")
    """From the insurer's notice to the day it holds; earlier shipments stay covered."""
    seller: Literal["stops", "continues"] = "stops"
    """stops: ships only what the new limit covers; continues: ships at its own risk."""


class Notification(Section):
    """Duty to notify overdue debts."""

    after: Length = Duration(30, "day")
    """Days past due at which debts are notified; the waiting clock may start there."""
    missed: Fraction = 0.0
    """Chance that a buyer's debts are notified too late."""
    reduction: Fraction = 1.0
    """Part of the indemnity that is lost then."""


class Recoveries(Section):
    """How money after the date of loss is shared with the insurer."""

    rule: Literal["by_indemnity", "by_covered_debt", "oldest_first", "insurer_first"] = "by_indemnity"
    """R1 by indemnity in the debt, R2 by covered debt in the debt, R3 to the oldest invoices, R4 insurer first."""
    costs: Literal["shared", "policyholder", "insurer"] = "shared"
    """Who bears the recovery costs of the insurer's share (credit.recovery.costs)."""


class Insurer(Section):
    """The insurer's own credit risk."""

    rating: str = "AA"
    """Its rating, in the study's rating table."""
    annual_pd: Fraction | None = None
    """Its annual probability of default; that of its rating by default."""
    systemic: Fraction = 0.2
    """Variance share of its latent variable tied to the global driver: it fails in bad times."""
    recovery: Fraction = 0.5
    """Share of an unpaid indemnity that its estate pays."""


class TopUp(Section):
    """A second insurer covers debts above the named limits, on the terms of the first one."""

    multiple: float = Field(default=1.0, gt=0)
    """Additional limit as multiple of the named limit."""
    maximum: PositiveMoney | None = None
    """Most additional limit per buyer."""
    insured_percentage: Fraction = 0.9
    """Share of the additionally covered debt it bears; first losses are those of the first policy only."""
    rate: Fraction = 0.02
    """Annual premium on all additional limits, before tax, paid on the first day."""


class BonusStep(Section):
    """One step of a bonus and malus scale."""

    claims_ratio: Share
    """Indemnities over premium up to which the step holds."""
    change: Share
    """Change of the premium: -10 % is a bonus, +20 % a malus."""


class Premium(Section):
    """Price of cover."""

    base: Literal["turnover", "balance"] = "turnover"
    """turnover: on what is shipped; balance: on the insurable receivables at each month end."""
    rate_on_turnover: Fraction = 0.0
    """On insurable turnover shipped within the policy period."""
    rate_on_balance: Fraction = 0.0
    """On insurable receivables at each month end (base: balance), per month."""
    minimum: PositiveMoney = 0.0
    """Least premium of the policy year, due pro rata (days / 364, at most 1), in equal instalments in advance."""
    instalments: int = Field(default=4, ge=1, le=52)
    """Number of deposits over the policy period (the horizon, without `period`), the first on its first day."""
    tax: Fraction = 0.0
    """Insurance premium tax on everything paid."""
    fees: PositiveMoney = 0.0
    """Policy fees, paid on the first day."""
    limit_fee: PositiveMoney = 0.0
    """Fee for each named limit, paid on the first day."""
    tax_on_fees: bool = True
    """Whether the tax is due on fees too."""
    bonus: tuple[BonusStep, ...] = ()
    """No-claims bonus and malus by claims ratio, ascending, settled with the adjustment; the last step is open."""
