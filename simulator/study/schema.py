"""What a study may say: the one-page YAML file as frozen pydantic models.

The docstring under each field is the reference manual (``simulator schema`` exports it for editors).
Blank is not zero: a field left out of a policy means the term does not exist (no limit, no deductible);
a zero credit limit means no cover. Cross-field rules live in :mod:`simulator.study.rules`.
"""

from __future__ import annotations

from typing import Literal

from pydantic import ConfigDict, Field

from simulator.study.amounts import Day, Days, Duration, Fraction, Length, Money, Multiple, PositiveMoney, Share
from simulator.study.schema_cover import NoCover, Policy, Programme
from simulator.study.schema_finance import CreditLine
from simulator.study.schema_risk import (
    Credit,
    DelayModel,
    DelayShares,
    Dependence,
    EmpiricalDelay,
    Fx,
    GammaDelay,
    LognormalDelay,
    MixtureDelay,
    NoDelay,
    Payment,
    PayRuns,
    PdSection,
    ProtractedDefault,
    Recovery,
    Shares,
    StudentTDelay,
    Transfer,
    WeibullDelay,
)
from simulator.study.schema_script import Script
from simulator.study.schema_simulation import Precision, Simulation
from simulator.study.schema_terms import PercentageByPeril, Premium
from simulator.study.section import Section


class StudyInfo(Section):
    """What is asked, by whom, about which day and how far ahead."""

    title: str = Field(min_length=1)
    """Title of the study, as it heads the report."""
    description: str = ""
    """The question in a sentence or two."""
    authors: tuple[str, ...] = ()
    """Who stands behind the study."""
    as_of: Day
    """The ledger's date: day 0 of every scenario."""
    currency: str = Field(pattern=r"^[A-Z]{3}$")
    """Study, home and policy currency (ISO 4217); every amount in this file is in it."""
    horizon: Length = Duration(52, "week")
    """How far ahead scenarios run."""
    period: Literal["week", "month"] = "week"
    """The grid on which cash, receivables and shortfalls are measured."""


class FileFormat(Section):
    """How the ledger files are written, where reading them would otherwise be a guess."""

    dates: Literal["iso", "day_first", "month_first"] | None = None
    """Order of day and month; needed only where the file itself does not tell."""
    decimal: Literal["point", "comma"] | None = None
    """Decimal sign; needed only where the file itself does not tell."""
    encoding: str | None = None
    """Text encoding; found out by default (utf-8, cp1252, gb18030)."""
    delimiter: str | None = None
    """Column separator; found out by default."""
    sheet: str | None = None
    """Worksheet of an Excel file; the first by default."""


class Sales(Section):
    """What will be shipped after the ledger's date."""

    mode: Literal["run_off", "steady_state", "plan"] = "steady_state"
    """run_off: nothing more; steady_state: each buyer keeps invoicing at its rate and terms; plan: from a file."""
    file: str | None = None
    """Plan file with buyer_id, issue_date, amount and optionally currency, due_date (mode: plan)."""
    growth: Share = 0.0
    """Change of all planned sales against the buyers' annual sales."""
    seasonality: tuple[float, ...] | None = None
    """Twelve monthly weights, January first; they are scaled to a mean of 1."""
    invoices_per_year: int | None = Field(default=None, ge=1, le=366)
    """Invoices each buyer receives a year; by default from the buyer's own ledger, 12 where that is silent."""


class PortfolioSection(Section):
    """Where the ledger is and how it is read."""

    exposure: Literal["ledger", "constant"] = "ledger"
    """ledger: invoices and cash; constant: one exposure per buyer, no cash (the classic credit portfolio model)."""
    buyers: str | None = None
    """Buyer file (CSV or Excel); may be left out when open_items and defaults say everything."""
    open_items: str | None = None
    """Open-item file (CSV or Excel), one line per invoice, credit note or payment on account."""
    sales: Sales = Sales()
    """Planned sales."""
    columns: dict[str, str] = {}
    """Header of a column where it is not recognised: {buyer_id: Kunde}."""
    defaults: dict[str, str | float | int] = {}
    """Value of a buyer column where the file has none: {rating: B, payment_terms_days: 30}."""
    format: FileFormat = FileFormat()
    """How the files are written."""


class Liquidity(Section):
    """What is in the bank and what leaves it."""

    opening_cash: Money = 0.0
    """Cash on the ledger's date."""
    minimum_cash: PositiveMoney = 0.0
    """Least cash to operate; a shortfall is cash and undrawn line falling below it."""
    credit_line: CreditLine = CreditLine()
    """Committed bank line."""
    operating_costs: PositiveMoney = 0.0
    """Fixed outflows per month."""
    outflows: str | None = None
    """CSV with date, amount of further known outflows (negative amounts are inflows)."""
    variable_cost_rate: Fraction = 0.0
    """Purchases caused by a sale, as share of its amount."""
    supplier_terms_days: int = Field(default=0, ge=-365, le=365)
    """Days from shipment to paying for those purchases; negative pays ahead."""
    interest_on_cash: Fraction = 0.0
    """Annual interest earned on positive cash."""
    cost_of_delay: Fraction | None = None
    """Annual cost of money tied up by late payment, for the delay cost; the credit line's rate by default."""


class Stress(Section):
    """A named variant of the study, run beside it on the same random numbers."""

    pd_multiplier: float = Field(default=1.0, gt=0, le=1000)
    """Multiplies every hazard."""
    delay_shift: Days = 0
    """Added to every delay."""
    delay_multiplier: float = Field(default=1.0, gt=0)
    """Multiplies every delay."""
    recovery_multiplier: float = Field(default=1.0, ge=0)
    """Multiplies the mean recovery rate (at most 1)."""
    sales_multiplier: float = Field(default=1.0, ge=0)
    """Multiplies planned sales."""
    fx_shock: dict[str, Share] = {}
    """Immediate change of a currency: {USD: -10 %}."""
    state_shift: dict[str, float] = {}
    """Shift of a common driver in standard deviations: {global: -1.5}."""


class ReportSection(Section):
    """What the report shows."""

    levels: tuple[Fraction, ...] = (0.95, 0.99, 0.995)
    """Confidence levels, ascending between 0 and 1, of value at risk, tail value at risk and liquidity at risk."""
    language: Literal["en"] = "en"
    """Language of the report."""
    formats: tuple[Literal["html", "xlsx", "json"], ...] = ("html", "xlsx", "json")
    """What is written."""


class Study(Section):
    """A whole study file."""

    model_config = ConfigDict(
        extra="forbid",
        frozen=True,
        populate_by_name=True,
        use_attribute_docstrings=True,
        arbitrary_types_allowed=True,
    )

    schema_: Literal[1] = Field(default=1, alias="schema")
    """Version of this file format."""
    study: StudyInfo
    """What is asked: title, day, currency, horizon."""
    portfolio: PortfolioSection
    """The ledger: where it is and how it is read."""
    credit: Credit = Credit()
    """Who fails, when, and what is recovered."""
    payment: Payment = Payment()
    """Who pays when: delays, pay runs, when lateness becomes loss."""
    fx: Fx = Fx()
    """Currencies: law, volatility, correlation, hedges."""
    transfer: Transfer = Transfer()
    """Transfer events: payments blocked by a country."""
    liquidity: Liquidity = Liquidity()
    """Cash: what is in the bank and what leaves it."""
    programmes: tuple[Programme, ...] = Field(min_length=1)
    """Arrangements compared on the same scenarios; the first is the baseline."""
    script: Script | None = None
    """One scenario's events as told, instead of drawing them."""
    stresses: dict[str, Stress] = {}
    """Named variants of the study, run beside it on the same random numbers."""
    simulation: Simulation = Simulation()
    """How many scenarios, and from which seed."""
    report: ReportSection = ReportSection()
    """What the report shows."""

    def reserve(self, programme: int) -> float:
        """Reserve of a programme in money (``programmes[programme].reserve`` may be a multiple of operating costs)."""
        return self.programmes[programme].reserve_amount(self.liquidity.operating_costs)


__all__ = [
    "Credit",
    "CreditLine",
    "DelayModel",
    "DelayShares",
    "Dependence",
    "Duration",
    "EmpiricalDelay",
    "FileFormat",
    "Fx",
    "GammaDelay",
    "Liquidity",
    "LognormalDelay",
    "MixtureDelay",
    "Multiple",
    "NoCover",
    "NoDelay",
    "PayRuns",
    "Payment",
    "PdSection",
    "PercentageByPeril",
    "Policy",
    "PortfolioSection",
    "Precision",
    "Premium",
    "Programme",
    "ProtractedDefault",
    "Recovery",
    "ReportSection",
    "Sales",
    "Script",
    "Section",
    "Shares",
    "Simulation",
    "Stress",
    "StudentTDelay",
    "Study",
    "StudyInfo",
    "Transfer",
    "WeibullDelay",
]
