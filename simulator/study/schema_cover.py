"""What a study may say of programmes: self-insurance and insurance policies.

Blank is not zero: a term left out does not exist; a zero credit limit means no cover.
"""

from __future__ import annotations

from typing import Annotated, Literal

from pydantic import Field

from simulator.study.amounts import Duration, Fraction, Length, Liability, PositiveMoney
from simulator.study.section import Section


class Premium(Section):
    """Price of cover."""

    rate_on_turnover: Fraction = 0.0
    """On insurable turnover shipped within the horizon."""
    minimum: PositiveMoney = 0.0
    """Least premium of the policy year, due pro rata (days / 364, at most 1), in equal instalments in advance."""
    instalments: int = Field(default=4, ge=1, le=52)
    """Number of deposit instalments over the horizon, the first on day 0."""
    tax: Fraction = 0.0
    """Insurance premium tax on everything paid."""
    fees: PositiveMoney = 0.0
    """Limit and policy fees, paid on day 0."""


class PercentageByPeril(Section):
    """Insured percentage by peril."""

    insolvency: Fraction = 0.9
    """Insured percentage when the buyer is insolvent."""
    protracted_default: Fraction = 0.9
    """Insured percentage when the buyer does not pay within the waiting period."""


class NoCover(Section):
    """Self-insurance: losses are borne, if wanted against a reserve."""

    name: str = Field(min_length=1)
    """Name in tables and figures."""
    type: Literal["none"]
    """Kind of arrangement; none: self-insurance, no policy; the others are policies."""
    extends: str | None = None
    """Name of a programme whose terms are taken over first."""
    reserve: PositiveMoney = 0.0
    """Self-insurance reserve held in cash beside the minimum; it costs its capital and absorbs losses."""
    cost_of_capital: Fraction = 0.08
    """Annual cost of capital, on the reserve and on TVaR minus mean of retained loss."""


class Policy(Section):
    """A trade credit insurance policy."""

    name: str = Field(min_length=1)
    """Name in tables and figures."""
    type: Literal["whole_turnover", "excess_of_loss"]
    """whole_turnover: every buyer, each claim shared; excess_of_loss: cover above an aggregate first loss."""
    extends: str | None = None
    """Name of a programme whose terms are taken over first."""
    insured_percentage: Fraction | PercentageByPeril = 0.9
    """Share of the covered debt the insurer bears."""
    limits: Literal["column", "unlimited"] = "column"
    """column: the buyers' credit_limit (blank: no named limit); unlimited: no limit per buyer."""
    discretionary_limit: PositiveMoney | None = None
    """Limit for buyers without a named one; where left out, a buyer without a named limit is not covered."""
    discretionary_percentage: Fraction | None = None
    """Insured percentage under the discretionary limit; insured_percentage by default."""
    non_qualifying_loss: PositiveMoney = 0.0
    """Losses below it do not count; larger ones count in full."""
    each_and_every_first_loss: PositiveMoney = 0.0
    """Borne by the policyholder on each buyer's claim."""
    aggregate_first_loss: PositiveMoney = 0.0
    """Borne by the policyholder in total over the policy year, in full however short the horizon."""
    maximum_liability: Liability | None = None
    """Most the insurer pays in the policy year, in full however short the horizon; no maximum where left out."""
    order: Literal["percent_first", "deductible_first"] | None = None
    """Order of terms; percent_first for whole_turnover, deductible_first for excess_of_loss."""
    waiting_period: Length = Duration(180, "day")
    """From the oldest unpaid due date to the date of loss of a protracted default."""
    settlement: Length = Duration(30, "day")
    """From date of loss to payment of the indemnity."""
    covers_open_items: bool = True
    """Whether invoices issued before the ledger's date are covered; never where the waiting period is over by then."""
    premium: Premium = Premium()
    """Price of cover."""
    reserve: PositiveMoney = 0.0
    """Self-insurance reserve held beside the policy."""
    cost_of_capital: Fraction = 0.08
    """Annual cost of capital, on the reserve and on TVaR minus mean of retained loss."""

    @property
    def resolved_order(self) -> str:
        """The order of terms in force."""
        default = "deductible_first" if self.type == "excess_of_loss" else "percent_first"
        return self.order or default

    def percentage(self, peril: Literal["insolvency", "protracted_default"]) -> float:
        """Insured percentage of a peril under named limits."""
        value = self.insured_percentage
        return float(getattr(value, peril)) if isinstance(value, PercentageByPeril) else value


Programme = Annotated[NoCover | Policy, Field(discriminator="type")]
