"""What a study may say of programmes: self-insurance and insurance policies.

Blank is not zero: a term left out does not exist; a zero credit limit means no cover.
"""

from __future__ import annotations

from typing import Annotated, Literal, get_args

from pydantic import Field

from simulator.study.amounts import Day, Duration, Fraction, Length, Liability, Multiple, PositiveMoney, Reserve
from simulator.study.schema_terms import (
    CountryTerms,
    Insurer,
    LimitChanges,
    Notification,
    PercentageByPeril,
    Premium,
    Recoveries,
    TopUp,
    WaitingByPeril,
)
from simulator.study.schema_trade import (
    Collection,
    EarlyPaymentDiscount,
    Factoring,
    LetterOfCredit,
    Prepayment,
    ReserveFund,
    Selection,
)
from simulator.study.section import Section

#: Steps of a custom order of terms; `maximum_liability` always comes last.
Step = Literal[
    "non_qualifying_loss",
    "insured_percentage",
    "each_and_every_first_loss",
    "minimum_retention",
    "aggregate_first_loss",
    "maximum_liability",
]
#: Wordings: named orders of terms.
Wording = Literal["percent_first", "deductible_first", "minimum_retention", "excess_of_loss"]
#: What wordings are called for short; a message says the name to write instead.
WORDING_CODES = {
    "w1": "percent_first", "w2": "deductible_first", "w3": "minimum_retention", "xol": "excess_of_loss",
}  # fmt: skip
#: What kinds of programmes are called elsewhere; a message says the name to write instead.
TYPE_CODES = {
    "xol": "excess_of_loss", "xl": "excess_of_loss", "catastrophe": "excess_of_loss",
    "wto": "whole_turnover", "turnover": "whole_turnover", "multi_buyer": "whole_turnover",
    "single": "single_buyer", "single_risk": "single_buyer", "single_debtor": "single_buyer",
    "self_insurance": "none", "self_insured": "none", "uninsured": "none", "no_cover": "none", "no_insurance": "none",
}  # fmt: skip
Peril = Literal["insolvency", "protracted_default", "transfer", "contract_frustration"]
PERIL_NAMES: tuple[Peril, ...] = get_args(Peril)


class Arrangement(Section):
    """What every programme may have, with or without a policy: a reserve, and ways to trade more safely."""

    name: str = Field(min_length=1)
    """Name in tables and figures."""
    extends: str | None = None
    """Name of a programme whose terms are taken over first."""
    reserve: Reserve = 0.0
    """Self-insurance reserve in cash beside the minimum, an amount or `1.5 x operating costs`; it absorbs losses."""
    reserve_fund: ReserveFund | None = None
    """Keeps the reserve as a fund apart, which only losses draw on and which is topped up."""
    cost_of_capital: Fraction = 0.08
    """Annual cost of capital, on the reserve and on TVaR minus mean of retained loss."""
    factoring: Factoring | None = None
    """Invoices of some buyers are sold without recourse."""
    letter_of_credit: LetterOfCredit | None = None
    """Some buyers must give a letter of credit."""
    prepayment: Prepayment | None = None
    """Some buyers must pay in advance."""
    early_payment_discount: EarlyPaymentDiscount | None = None
    """A discount for early payment is offered."""
    collection: Collection | None = None
    """Payments are chased harder than today."""

    def reserve_amount(self, operating_costs: float) -> float:
        """The reserve in money.

        Args:
            operating_costs: of one month, which a multiple refers to.
        """
        reserve = self.reserve
        return reserve.factor * operating_costs if isinstance(reserve, Multiple) else reserve


class NoCover(Arrangement):
    """No policy: losses are borne, if wanted against a reserve or with safer terms of trade."""

    type: Literal["none"]
    """Kind of arrangement; none: self-insurance, no policy; the others are policies."""


class Policy(Arrangement):
    """A trade credit insurance policy."""

    type: Literal["whole_turnover", "excess_of_loss", "single_buyer"]
    """whole_turnover: every buyer, each claim shared; excess_of_loss: cover above a first loss; single_buyer: some."""
    starts: Day | None = None
    """First day of the policy period; the day after the ledger's date by default."""
    period: Length | None = None
    """Length of the policy period; by default one year, or the horizon where that is at most 53 weeks."""
    basis: Literal["risk_attaching", "losses_occurring"] = "risk_attaching"
    """risk_attaching: covers shipments of the period; losses_occurring: covers dates of loss in the period."""
    covers_open_items: bool = True
    """Whether invoices issued before the period are covered; never where the waiting period is over by its start."""
    buyers: Selection = Selection()
    """Who is insured; every buyer by default (`top: 10` insures the ten largest)."""
    excludes: tuple[Literal["related", "public", "private"], ...] = ("related", "public", "private")
    """Kinds of buyers (column buyer_type) that are not insured."""
    currency: str | None = Field(default=None, pattern=r"^[A-Z]{3}$")
    """Currency of the policy's limits, first losses, liability and premium; the study's by default."""
    conversion: Literal[
        "date_of_loss", "invoice_date", "shipment_month_end", "due_date", "payment_date", "lower_of"
    ] = "date_of_loss"
    """Day whose rate turns a debt into policy currency; lower_of: the lower of invoice date and date of loss."""
    insured_percentage: Fraction | PercentageByPeril = 0.9
    """Share of the covered debt the insurer bears; by peril if wanted, where 0 leaves a peril out."""
    limits: str = "column"
    """column: the buyers' credit_limit (blank: no named limit); unlimited: none per buyer; or a CSV file of limits."""
    shared_limits: bool = False
    """Whether buyers of one group_id share the largest limit among them."""
    discretionary_limit: PositiveMoney | None = None
    """Limit for buyers without a named one; where left out, a buyer without a named limit is not covered."""
    discretionary_percentage: Fraction | None = None
    """Insured percentage under the discretionary limit; insured_percentage by default."""
    discretionary_needs: Literal["nothing", "rating"] = "nothing"
    """rating: only buyers with a rating qualify for the discretionary limit."""
    blind_limit: PositiveMoney | None = None
    """Limit for buyers with neither a named nor a discretionary one, insured without being checked."""
    blind_percentage: Fraction | None = None
    """Insured percentage under the blind limit; insured_percentage by default."""
    limit_changes: LimitChanges | None = None
    """The insurer reduces or cancels named limits when a buyer weakens or times turn bad; never where left out."""
    countries: dict[str, CountryTerms] = {}
    """Country schedule: terms of buyers in a country (ISO 3166) that differ."""
    maximum_terms: Length | None = None
    """Invoices with longer payment terms are not covered."""
    maximum_extension_period: Length | None = None
    """Shipments to a buyer whose oldest unpaid invoice is overdue by more are not covered."""
    notification: Notification | None = None
    """Duty to notify overdue debts."""
    vat_covered: bool = False
    """Whether value added tax in an invoice is insured."""
    disputes: Literal["excluded", "suspended"] = "excluded"
    """excluded: disputed invoices are not covered; suspended: covered once settled for the seller, and paid then."""
    waiting_period: Length | WaitingByPeril = Duration(180, "day")
    """From the waiting clock to the date of loss of a debt that is merely unpaid; by peril if wanted."""
    waiting_clock: Literal["due_date", "notice", "collection"] = "due_date"
    """Where the waiting period starts: the oldest unpaid due date, its notification, or hand-over to collection."""
    collection_after: Length = Duration(60, "day")
    """Days past due at which debts are handed to collection (waiting_clock: collection)."""
    settlement: Length = Duration(30, "day")
    """From date of loss to payment of the indemnity."""
    order: Wording | tuple[Step, ...] | None = None
    """Order of terms, a wording or a list of steps; percent_first, but excess_of_loss for an excess_of_loss policy."""
    non_qualifying_loss: PositiveMoney = 0.0
    """Losses below it do not count; larger ones count in full (franchise), or it is deducted from them."""
    non_qualifying_mode: Literal["franchise", "deduction"] = "franchise"
    """franchise: a gate on the covered debt; deduction: taken off every claim at its place in the order."""
    non_qualifying_equal: Literal["counts", "fails"] = "counts"
    """Whether a loss of exactly that amount counts."""
    each_and_every_first_loss: PositiveMoney = 0.0
    """Borne by the policyholder on each buyer's claim."""
    minimum_retention: PositiveMoney = 0.0
    """Least the policyholder bears of a claim: tops up what it bears by then, in its own wording the co-insurance."""
    aggregate_first_loss: PositiveMoney = 0.0
    """Borne by the policyholder in total over the policy year, in full however short the horizon."""
    first_loss_eroded_by: Literal["approved_claims", "ground_up_losses"] = "approved_claims"
    """approved_claims: by what it takes of each claim; ground_up_losses: by each qualifying covered debt in full."""
    maximum_liability: Liability | None = None
    """Most the insurer pays in the policy year, in full however short the horizon; no maximum where left out."""
    payment_allocation: Literal["as_paid", "oldest_first"] = "as_paid"
    """How a buyer's payments before the date of loss count: for the invoices paid, or for the oldest ones."""
    recoveries: Recoveries = Recoveries()
    """How money after the date of loss is shared with the insurer."""
    premium: Premium = Premium()
    """Price of cover."""
    insurer: Insurer | None = None
    """Who the insurer is and how it may fail; it never fails where left out."""
    loss_payee: bool = False
    """Whether claims are assigned to the bank, which then lends against insured receivables."""
    top_up: TopUp | None = None
    """A second insurer covers debts above the named limits."""

    @property
    def resolved_order(self) -> str | tuple[str, ...]:
        """The order of terms in force: a wording's name or the steps given."""
        default = "excess_of_loss" if self.type == "excess_of_loss" else "percent_first"
        return self.order or default

    def percentage(self, peril: Peril) -> float:
        """Insured percentage of a peril under named limits."""
        value = self.insured_percentage
        return float(getattr(value, peril)) if isinstance(value, PercentageByPeril) else value

    def waiting(self, peril: Peril) -> Duration:
        """Waiting period of a peril; a bare length is that of debts that are merely unpaid, insolvency waits none."""
        value = self.waiting_period
        if isinstance(value, WaitingByPeril):
            return getattr(value, peril)  # type: ignore[no-any-return]
        return value if peril in ("protracted_default", "transfer") else Duration(0, "day")


Programme = Annotated[NoCover | Policy, Field(discriminator="type")]
