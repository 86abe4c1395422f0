"""What a study may say of the bank line: its price, and the receivables it is lent against."""

from __future__ import annotations

from typing import Literal

from pydantic import Field

from simulator.study.amounts import Duration, Fraction, Length, PositiveMoney
from simulator.study.section import Section


class MarginStep(Section):
    """One step of a margin grid."""

    used_above: Fraction
    """Utilisation of the limit from which the step's rate holds."""
    rate: Fraction
    """Annual interest on everything drawn at that utilisation."""


class BorrowingBase(Section):
    """What the bank lends against: eligible receivables times an advance rate."""

    advance_rate: Fraction = 0.8
    """Lent on eligible receivables that are not insured."""
    insured_advance_rate: Fraction = 0.9
    """Lent on insured receivables of a policy with the bank as loss payee."""
    insured_value: Literal["covered", "indemnifiable"] = "covered"
    """covered: debts up to their limits, by full_cover; indemnifiable: times insured percentage, less first loss."""
    full_cover: Fraction = 1.0
    """Insured percentage from which covered debts count in full as insured; with a lower one they do in proportion."""
    within_maximum_liability: bool = True
    """Whether all that counts as insured is at most the maximum liability of the policy."""
    uninsured_rest: Literal["eligible", "ineligible"] = "eligible"
    """What does not count as insured of an insured buyer's debt: eligible: as an uninsured buyer's; or not at all."""
    maximum_overdue: Length | None = Duration(90, "day")
    """Invoices overdue for longer are not eligible; blank: all are."""
    cross_ageing: Fraction | None = None
    """A buyer is not eligible at all once this share of its debt is overdue for longer than maximum_overdue."""
    concentration: Fraction | None = None
    """One buyer counts for at most this share of all eligible receivables; insured ones are not cut."""
    foreign: bool = False
    """Whether uninsured receivables on buyers outside the home country are eligible."""
    home_country: str | None = None
    """The seller's country (ISO 3166), for `foreign: false`."""
    disputed: bool = False
    """Whether disputed invoices are eligible."""
    cancelled_limits: Literal["ineligible", "run_off"] = "ineligible"
    """ineligible: from the day a limit is cut, debt above the new one no longer counts as insured; run_off: it does."""


class CreditLine(Section):
    """Committed bank line."""

    limit: PositiveMoney = 0.0
    """Most that can be drawn."""
    rate: Fraction = 0.06
    """Annual interest on what is drawn, margin included."""
    margin_grid: tuple[MarginStep, ...] = ()
    """Rates by utilisation, ascending; below the first step `rate` holds."""
    insured_rate: Fraction | None = None
    """Annual interest under a programme with the bank as loss payee of its policy; `rate` by default."""
    borrowing_base: BorrowingBase | None = Field(default=None)
    """What the line is lent against; where left out the whole limit is available."""
