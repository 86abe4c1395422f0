"""What a study may say of alternatives to insurance: how the seller trades, collects and provides under a programme.

Each is a section of a programme, alone or beside a policy. What is left out does not exist.
"""

from __future__ import annotations

from pydantic import Field

from simulator.study.amounts import Days, Duration, Fraction, Length, PositiveMoney
from simulator.study.section import Section


class Selection(Section):
    """Some of the buyers: those that meet every condition given; all where none is."""

    ids: tuple[str, ...] | None = None
    """These buyers, by buyer_id."""
    top: int | None = Field(default=None, ge=1)
    """The largest so many, by planned sales plus what is open (of those that meet the other conditions)."""
    except_top: int | None = Field(default=None, ge=1)
    """All but the largest so many."""
    ratings: tuple[str, ...] | None = None
    """Buyers with one of these ratings."""
    countries: tuple[str, ...] | None = None
    """Buyers in one of these countries (ISO 3166)."""
    sectors: tuple[str, ...] | None = None
    """Buyers in one of these sectors."""


class Factoring(Section):
    """Non-recourse sale of receivables: money at once, the factor bears what it protects."""

    buyers: Selection = Selection()
    """Whose invoices are sold."""
    advance_rate: Fraction = 0.85
    """Share of an invoice paid out when it is issued."""
    fee: Fraction = 0.008
    """Factoring fee on every invoice sold."""
    interest: Fraction = 0.06
    """Annual interest on the advance, until the buyer or the guarantee pays."""
    protection: Fraction = 1.0
    """Share of an unpaid invoice the factor bears; the rest falls back on the seller."""
    guarantee: Length = Duration(90, "day")
    """Days past due after which the factor pays for an invoice the buyer has not paid."""
    open_items: bool = False
    """Whether invoices not yet due on the ledger's date are sold too, on day 1."""


class LetterOfCredit(Section):
    """A bank pays on the due date whatever the buyer does."""

    buyers: Selection = Selection()
    """Who must give one."""
    fee: Fraction = 0.01
    """Bank charges borne by the seller, on every invoice."""
    accepted: Fraction = 0.9
    """Chance that a buyer agrees, else it is no longer supplied; in a script all agree or none, from 50 % on all."""


class Prepayment(Section):
    """Goods only against money."""

    buyers: Selection = Selection()
    """Who must pay in advance."""
    accepted: Fraction = 0.7
    """Chance that a buyer agrees, else it is no longer supplied; in a script all agree or none, from 50 % on all."""


class EarlyPaymentDiscount(Section):
    """A discount for early payment, such as 2/10 net 30."""

    buyers: Selection = Selection()
    """Who is offered it."""
    discount: Fraction = 0.02
    """Deducted from the invoice by a buyer that pays early."""
    within: Length = Duration(10, "day")
    """Days after issue by which the buyer must pay to deduct it."""
    take_up: Fraction = 0.3
    """Share of buyers that takes the discount, the promptest payers; in a script all or none, from 50 % on all."""


class DunningStage(Section):
    """One stage of reminders: what it does to lateness beyond a number of days."""

    after: Length
    """Days past due from which the stage works."""
    factor: Fraction
    """Every further day of lateness counts as this part of a day (0.8: a fifth faster)."""


class Collection(Section):
    """Faster collection: e-invoicing and staged dunning, as a change of the delay distribution."""

    buyers: Selection = Selection()
    """Whose payments are chased."""
    earlier: Days = 0
    """Days by which new invoices are paid earlier, because they arrive and are approved sooner."""
    stages: tuple[DunningStage, ...] = ()
    """Stages of dunning by days past due, ascending."""
    cost: PositiveMoney = 0.0
    """Cost of it per year."""


class ReserveFund(Section):
    """The reserve as a fund apart: it pays for losses as they happen and is topped up from cash."""

    top_up: PositiveMoney = 0.0
    """Most that is paid into the fund per month while it is below its target (the reserve)."""
    interest: Fraction = 0.0
    """Annual interest the fund earns."""
