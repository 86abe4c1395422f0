"""What a study may say: the one-page YAML file as frozen pydantic models.

The docstring under each field is the reference manual (``simulator schema`` exports it for editors).
Blank is not zero: a field left out of a policy means the term does not exist (no limit, no deductible);
a zero credit limit means no cover. Cross-field rules live in :mod:`simulator.study.rules`.
"""

from __future__ import annotations

from typing import Annotated, Any, Literal

from pydantic import BaseModel, ConfigDict, Field, model_validator

from simulator.study.amounts import (
    Count,
    Day,
    Days,
    Duration,
    Fraction,
    Length,
    Liability,
    Money,
    Multiple,
    PositiveMoney,
    Share,
)


class Section(BaseModel):
    """A mapping in the study file: unknown keys are refused, values cannot change after loading."""

    model_config = ConfigDict(
        extra="forbid",
        frozen=True,
        use_attribute_docstrings=True,
        arbitrary_types_allowed=True,
        allow_inf_nan=False,
    )

    @model_validator(mode="before")
    @classmethod
    def _blank_is_left_out(cls, data: Any) -> Any:
        """A key with nothing behind it (``liquidity:``) counts as left out: its default holds."""
        if not isinstance(data, dict):
            return data
        names = {field.alias or name for name, field in cls.model_fields.items()}
        return {key: value for key, value in data.items() if value is not None or key not in names}


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


class PdSection(Section):
    """Probability of default."""

    source: Literal["rating", "column", "curve"] = "rating"
    """rating: a table by rating; column: the buyers' pd_annual; curve: a cumulative curve file."""
    table: str = "sp_1981_2024"
    """Shipped rating table, or a CSV file with rating, year, cumulative_pd."""
    file: str | None = None
    """Curve file with buyer_id or grade, month, cumulative_pd (source: curve)."""
    multiplier: float = Field(default=1.0, gt=0, le=1000)
    """Multiplies every hazard (cumulative PD 1-(1-PD)^multiplier)."""


class Shares(Section):
    """Variance shares of a buyer's latent variable that are common to several buyers."""

    model_config = ConfigDict(extra="forbid", frozen=True, populate_by_name=True, use_attribute_docstrings=True)

    global_: Fraction = Field(default=0.08, alias="global")
    """Share common to all buyers."""
    country: Fraction = 0.05
    """Share common to buyers of one country."""
    sector: Fraction = 0.05
    """Share common to buyers of one sector."""


class Dependence(Section):
    """How buyers fail together."""

    copula: Literal["gaussian", "student_t"] = "gaussian"
    """Law of the latent variables; student_t adds joint extremes."""
    degrees_of_freedom: float = Field(default=6.0, gt=0, le=1000)
    """Degrees of freedom (student_t)."""
    shares: Shares = Shares()
    """Variance shares; ignored for buyers with loading_<driver> columns."""
    correlation: dict[str, dict[str, float]] | None = None
    """Correlation of drivers, {country:DE: {country:FR: 0.5}}; unnamed pairs are 0."""


class Recovery(Section):
    """What is recovered on a lost debt, before insurance."""

    mean: Fraction = 0.35
    """Mean recovery rate; a buyer's lgd column overrides it (mean 1 - lgd)."""
    sd: Fraction = 0.25
    """Standard deviation of the Beta-distributed recovery rate; 0 makes it certain."""
    lag: Length = Duration(52, "week")
    """From loss to receipt of the recovery."""
    systematic: Fraction = 0.0
    """Variance share of recovery tied to the buyer's common state (low state, low recovery)."""


class Credit(Section):
    """Who fails, when, and what is recovered."""

    pd: PdSection = PdSection()
    """Probability of default."""
    dependence: Dependence = Dependence()
    """How buyers fail together."""
    recovery: Recovery = Recovery()
    """What is recovered on a lost debt."""


class NoDelay(Section):
    """Everybody pays on the due date."""

    model: Literal["none"]
    """Law of the delay; none: everybody pays on the due date."""


class LognormalDelay(Section):
    """Delay = shift + log-normal."""

    model: Literal["lognormal"]
    """Law of the delay: shift + log-normal."""
    median_days: float = Field(gt=0)
    """Median of the log-normal part, days."""
    sigma: float = Field(gt=0, le=5)
    """Standard deviation of its logarithm."""
    shift_days: float = 0.0
    """Added to the positive part, days; negative allows early payment."""


class GammaDelay(Section):
    """Delay = shift + gamma."""

    model: Literal["gamma"]
    """Law of the delay: shift + gamma."""
    shape: float = Field(gt=0)
    """Shape of the gamma or Weibull part."""
    scale_days: float = Field(gt=0)
    """Scale of the delay, days."""
    shift_days: float = 0.0
    """Added to it; negative allows early payment."""


class WeibullDelay(Section):
    """Delay = shift + Weibull."""

    model: Literal["weibull"]
    """Law of the delay: shift + Weibull."""
    shape: float = Field(gt=0)
    """Shape."""
    scale_days: float = Field(gt=0)
    """Scale, days."""
    shift_days: float = 0.0
    """Added to it; negative allows early payment."""


class StudentTDelay(Section):
    """Delay = location + scale * Student-t."""

    model: Literal["student_t"]
    """Law of the delay: location + scale * Student-t."""
    location_days: float = 0.0
    """Centre of the delay, days."""
    scale_days: float = Field(gt=0)
    """Scale, days."""
    degrees_of_freedom: float = Field(gt=0)
    """Degrees of freedom; real ledgers show 1 to 2."""


class EmpiricalDelay(Section):
    """Delays as observed."""

    model: Literal["empirical"]
    """Law of the delay: as observed."""
    values: tuple[float, ...] | None = None
    """Observed delays in days."""
    file: str | None = None
    """CSV with a column delay_days, or with due_date and paid_date."""


class MixtureDelay(Section):
    """What real ledgers show: an early part, an atom on the due date, a late part with a heavy tail."""

    model: Literal["mixture"] = "mixture"
    """Law of the delay: early part, atom on the due date, heavy-tailed late part."""
    early_share: Fraction = 0.40
    """Share of invoices paid before the due date."""
    early_mean_days: float = Field(default=6.0, gt=0)
    """Mean days early (exponential)."""
    on_due_date_share: Fraction = 0.21
    """Share paid exactly on the due date."""
    late_scale_days: float = Field(default=9.0, gt=0)
    """Scale of the late part, |Student-t| * scale, days."""
    late_degrees_of_freedom: float = Field(default=2.0, gt=0)
    """Degrees of freedom of the late part; small is heavy."""


DelayModel = Annotated[
    NoDelay | LognormalDelay | GammaDelay | WeibullDelay | StudentTDelay | EmpiricalDelay | MixtureDelay,
    Field(discriminator="model"),
]


class DelayShares(Section):
    """Variance shares of an invoice's delay, in normal scores; the rest is the invoice's own."""

    systemic: Fraction = 0.10
    """Share tied to the buyer's common state: bad times, late payments."""
    credit: Fraction = 0.10
    """Share tied to the buyer's own credit quality: weak buyers pay late."""
    buyer: Fraction = 0.40
    """Share that persists for a buyer over all its invoices."""


class PayRuns(Section):
    """When buyers pay: at once, or at their next pay run."""

    rule: Literal["none", "weekly", "month_end"] = "none"
    """none: any day; weekly: on one weekday; month_end: on the last day of a month."""
    weekday: Literal["monday", "tuesday", "wednesday", "thursday", "friday"] = "friday"
    """Pay day of the weekly rule."""
    draw: Literal["invoice", "run"] = "invoice"
    """run: invoices of one buyer falling due in the same run share their own delay."""


class ProtractedDefault(Section):
    """When a debt that is merely late counts as lost."""

    after: Length = Duration(180, "day")
    """Days overdue at which an unpaid invoice is a protracted default."""
    cure_probability: Fraction = 0.20
    """Chance that such a debt is still paid, on its drawn day."""


class Payment(Section):
    """Who pays when."""

    delay: DelayModel = MixtureDelay()
    """Law of the payment delay around the due date."""
    location: Days = 0
    """Added to every delay."""
    scale: float = Field(default=1.0, gt=0)
    """Multiplies every delay."""
    shares: DelayShares = DelayShares()
    """What delays have in common."""
    pay_runs: PayRuns = PayRuns()
    """When buyers pay: at once, or at their next pay run."""
    protracted_default: ProtractedDefault = ProtractedDefault()
    """When lateness becomes loss."""
    stop_shipment_after: Length | None = None
    """The seller ships no more while an invoice is overdue by longer than this; never by default."""


class Fx(Section):
    """What foreign receivables are worth."""

    model: Literal["none", "gbm", "student_t", "bootstrap"] = "gbm"
    """Law of log rates; none keeps them at their spot."""
    rates: dict[str, float] = {}
    """Spot rates, study currency per one unit: {USD: 0.92}. From the history's last day where not given."""
    volatility: dict[str, Share] = {}
    """Annual volatility against the study currency; from history or the shipped table where not given."""
    correlation: dict[str, dict[str, float]] | None = None
    """Correlation of currencies; from history or the shipped table where not given."""
    degrees_of_freedom: float = Field(default=5.0, gt=2, le=1000)
    """Degrees of freedom (student_t)."""
    history: str | None = None
    """Rate history for volatility, correlation, bootstrap: a CSV file, or `ecb` with the optional extra."""
    drift: dict[str, Share] = {}
    """Expected annual change of a currency against the study currency; 0 by default."""
    wrong_way: Fraction | dict[str, Fraction] = 0.0
    """Correlation of a currency's horizon return with the global credit driver (it falls when buyers fail)."""
    hedge: dict[str, Fraction] = {}
    """Share of expected collections sold forward."""


class Transfer(Section):
    """Payments blocked by a country, with a devaluation."""

    annual_probability: dict[str, Fraction] = {}
    """By country (ISO 3166); overrides the table."""
    table: Literal["oecd_2026", "none"] = "none"
    """Annual probabilities by OECD country risk class, or none."""
    duration: Length = Duration(26, "week")
    """How long payments stay blocked."""
    devaluation: Fraction = 0.30
    """Fall of the country's own currency on the event."""
    systematic: Fraction = 0.20
    """Variance share of the event's latent variable tied to the country's driver."""


class CreditLine(Section):
    """Committed bank line."""

    limit: PositiveMoney = 0.0
    """Most that can be drawn."""
    rate: Fraction = 0.06
    """Annual interest on what is drawn, margin included."""


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


class Premium(Section):
    """Price of cover."""

    rate_on_turnover: Fraction = 0.0
    """On insurable turnover shipped within the horizon."""
    minimum: PositiveMoney = 0.0
    """Least premium, paid in equal instalments in advance."""
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
    """Borne by the policyholder in total over the policy period."""
    maximum_liability: Liability | None = None
    """Most the insurer pays in the period; no maximum where left out."""
    order: Literal["percent_first", "deductible_first"] | None = None
    """Order of terms; percent_first for whole_turnover, deductible_first for excess_of_loss."""
    waiting_period: Length = Duration(180, "day")
    """From the oldest unpaid due date to the date of loss of a protracted default."""
    settlement: Length = Duration(30, "day")
    """From date of loss to payment of the indemnity."""
    covers_open_items: bool = True
    """Whether invoices issued before the ledger's date are covered."""
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


class Simulation(Section):
    """How many scenarios, and from which seed."""

    scenarios: Count = 10_000
    """Number of scenarios."""
    stress_scenarios: Count | None = None
    """Scenarios of each stress; as many as the study, at most 10,000, by default."""
    seed: int = Field(default=1, ge=0, lt=2**63)
    """Seed of every random stream."""
    tail: Literal["plain", "importance"] = "plain"
    """importance: shift the global driver towards bad states and weight scenarios accordingly."""
    importance_shift: float = Field(default=1.5, gt=0, le=5)
    """Size of that shift in standard deviations."""


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
    stresses: dict[str, Stress] = {}
    """Named variants of the study, run beside it on the same random numbers."""
    simulation: Simulation = Simulation()
    """How many scenarios, and from which seed."""
    report: ReportSection = ReportSection()
    """What the report shows."""


__all__ = [
    "Credit", "Dependence", "Duration", "Fx", "Liquidity", "Multiple", "NoCover", "Payment", "Policy",
    "PortfolioSection", "Programme", "Recovery", "Stress", "Study", "Transfer",
]  # fmt: skip
