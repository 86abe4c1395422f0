"""What a study may say of risk: who fails, who pays when, what currencies and countries do."""

from __future__ import annotations

from typing import Annotated, Literal

from pydantic import ConfigDict, Field

from simulator.study.amounts import Days, Duration, Fraction, Length, Share
from simulator.study.section import Section


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


class LimitChangeShares(Section):
    """What decides whose limit the insurer changes first, and when; the rest is chance."""

    systemic: Fraction = 0.3
    """Variance share tied to the buyer's common state: limits go when times turn bad."""
    credit: Fraction = 0.3
    """Variance share tied to the buyer's own credit quality: limits of weak buyers go."""


class Dependence(Section):
    """How buyers fail together."""

    copula: Literal["gaussian", "student_t"] = "gaussian"
    """Law of the latent variables; student_t adds joint extremes."""
    degrees_of_freedom: float = Field(default=6.0, ge=0.1, le=1000)
    """Degrees of freedom (student_t)."""
    shares: Shares = Shares()
    """Variance shares; ignored for buyers with loading_<driver> columns."""
    correlation: dict[str, dict[str, float]] | None = None
    """Correlation of drivers, {country:DE: {country:FR: 0.5}}; unnamed pairs are 0."""
    limit_changes: LimitChangeShares = LimitChangeShares()
    """Variance shares of the moment at which an insurer changes a limit."""


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
    costs: Fraction = 0.0
    """Cost of recovering, as share of what is recovered; taken off it before it arrives."""


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


class Disputes(Section):
    """Invoices the buyer contests."""

    probability: Fraction = 0.0
    """Chance that an unpaid debt is contested, beside those the ledger marks as disputed; none in a script."""
    upheld: Fraction = 0.5
    """Chance that a dispute is settled for the seller; in a script all are from 50 % on, else none."""
    resolution: Length = Duration(180, "day")
    """From the date of loss to the settlement of a dispute."""


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
    disputes: Disputes = Disputes()
    """How often debts are contested, and how that ends."""
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
    """Expected change of a currency over a year against the study currency: 0.1 is a tenth more; 0 by default."""
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
    frustration: Fraction = 0.0
    """Chance that the event frustrates the contracts with a buyer there: what it owes then is lost."""
