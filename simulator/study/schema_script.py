"""What a study may say instead of drawing: one scenario's events, as a user asks "what if A fails in week 10?".

Days are written as dates or as days or weeks from the ledger's date: ``2027-01-08``, ``70 days``, ``10 weeks``.
"""

from __future__ import annotations

from typing import Literal

from pydantic import Field

from simulator.study.amounts import Duration, Fraction, Length, Moment, PositiveMoney
from simulator.study.section import Section

#: In a script nothing is left to chance: what is at least as likely as not happens.
LIKELY = 0.5


class ScriptedPayment(Section):
    """Money that arrives from a buyer before its debts are lost.

    It says nothing of the invoices it does not reach: those are paid when due, or never, as ``otherwise`` says.
    """

    buyer: str
    """Who pays (buyer_id)."""
    on: Moment
    """When."""
    amount: PositiveMoney
    """How much, in the currency of the invoices it pays."""
    invoice: str | None = None
    """Which invoice it pays (invoice_id); the oldest unpaid ones where left out."""
    currency: str | None = Field(default=None, pattern=r"^[A-Z]{3}$")
    """Currency of the amount; that of the buyer's invoices by default."""


class ScriptedRecovery(Section):
    """Money that arrives on debts already lost, shared over them in proportion."""

    buyer: str
    """From whose debts (buyer_id)."""
    on: Moment
    """When."""
    amount: PositiveMoney | None = None
    """How much, in the currency of the lost invoices."""
    share: Fraction | None = None
    """How much, as share of the lost debts; instead of an amount."""


class ScriptedRate(Section):
    """The rate of a currency from a week on."""

    currency: str = Field(pattern=r"^[A-Z]{3}$")
    """Which currency (ISO 4217)."""
    on: Moment
    """From the week that holds this day."""
    rate: float = Field(gt=0)
    """Study currency per unit, until the next entry."""


class ScriptedLimit(Section):
    """A limit the insurer changes; a seller with `limit_changes: {seller: stops}` ships no more than it allows."""

    buyer: str
    """Whose limit (buyer_id)."""
    on: Moment
    """Day from which it holds, notice included."""
    limit: PositiveMoney
    """The new limit in policy currency, a named one with the percentage of named limits; 0 cancels it."""
    programmes: tuple[str, ...] | None = None
    """Names of the programmes it happens in; all policies by default."""


class Script(Section):
    """One scenario as a user tells it; everything else in the study works on it as on a drawn one."""

    otherwise: Literal["pays_when_due", "never_pays"] = "pays_when_due"
    """What happens to invoices that no payment of the script pays a part of, until their buyer fails."""
    failures: dict[str, Moment] = {}
    """Day of insolvency by buyer_id."""
    stops_paying: Length = Duration(0, "day")
    """How long before its insolvency a buyer pays nothing more but what the script says."""
    payments: tuple[ScriptedPayment, ...] = ()
    """Payments; one in part leaves the rest of its invoice unpaid, invoices none reaches are as `otherwise` says."""
    recoveries: tuple[ScriptedRecovery, ...] = ()
    """Money that arrives on lost debts; where a buyer has none, nothing is recovered from it."""
    rates: tuple[ScriptedRate, ...] = ()
    """Rates by period; a currency that is not mentioned stays at its spot."""
    limits: tuple[ScriptedLimit, ...] = ()
    """Limits reduced or cancelled; the seller goes on shipping, or stops if the policy's `limit_changes` say so."""
