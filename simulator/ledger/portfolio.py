"""What is owed: the ledger as plain arrays, ready for the model rooms.

Nothing here knows files or randomness. Days count from the study's ``as_of`` (day 0); money of an invoice is
in its own currency; ``exposure`` is in study currency, ``credit_limit`` in ``limit_currency``.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any

import numpy as np
from numpy.typing import NDArray

from simulator.errors import Problem

Floats = NDArray[np.float64]
Ints = NDArray[np.int32]
Flags = NDArray[np.bool_]
Keys = NDArray[np.uint64]
#: (buyer, column, message, suggestion) → a problem at that cell of the buyer file.
CellProblem = Callable[[int, str, str, str], Problem]


@dataclass(frozen=True)
class Buyers:
    """One entry per buyer, in ledger order (length n_buyers).

    ``credit_limit`` is infinite for "unlimited" and NaN where blank (no named limit); ``pd_annual`` and ``lgd``
    are NaN where the ledger says nothing; texts are empty where blank. ``buyer_type`` is company (also where it is not
    given at all), related, public or private; ``credit_limit`` is in ``limit_currency``, the study currency where that
    is empty. ``at_cell`` points back to the buyer file
    (see :meth:`problem`); it is ``None`` for buyers that were made without one.
    """

    buyer_id: list[str]
    name: list[str]
    entity: Keys
    country: list[str]
    sector: list[str]
    currency: list[str]
    rating: list[str]
    group_id: list[str]
    pd_annual: Floats
    lgd: Floats
    credit_limit: Floats
    annual_sales: Floats
    payment_terms_days: Floats
    exposure: Floats
    delay_location_days: Floats
    delay_scale: Floats
    loadings: dict[str, Floats] = field(default_factory=dict)
    buyer_type: list[str] = field(default_factory=list)
    limit_currency: list[str] = field(default_factory=list)
    at_cell: CellProblem | None = field(default=None, repr=False, compare=False)

    def __post_init__(self) -> None:
        for name, usual in (("buyer_type", "company"), ("limit_currency", "")):
            if not getattr(self, name):
                object.__setattr__(self, name, [usual] * len(self.buyer_id))

    def __len__(self) -> int:
        return len(self.buyer_id)

    def problem(self, buyer: int, column: str, message: str, suggestion: str = "", value: str | None = None) -> Problem:
        """A problem at a buyer's cell: with file, line, column and the line itself where the buyers come from a file.

        Args:
            buyer: which buyer.
            column: name of the column, such as ``rating``; where the file has none, its line is shown, and where
                the value comes from ``portfolio.defaults``, that key of the study.
            message: what is wrong and what is allowed.
            suggestion: what was probably meant.
            value: the offending value, for buyers that come from no file.
        """
        if self.at_cell is None:
            return Problem(message, path=column, value=value, suggestion=suggestion)
        return self.at_cell(buyer, column, message, suggestion)


@dataclass(frozen=True)
class Invoices:
    """Open items and planned sales, sorted by buyer, issue day, invoice id (length n_invoices).

    ``vat`` is the part of ``amount`` that is value added tax; zeros where it is not given.
    """

    invoice_id: list[str]
    entity: Keys
    buyer: Ints
    issue_day: Ints
    due_day: Ints
    currency: Ints
    amount: Floats
    open_item: Flags
    disputed: Flags
    vat: Floats = field(default_factory=lambda: np.zeros(0))

    def __post_init__(self) -> None:
        if len(self.vat) == 0:
            object.__setattr__(self, "vat", np.zeros(len(self.invoice_id)))

    def __len__(self) -> int:
        return len(self.invoice_id)


@dataclass(frozen=True)
class Portfolio:
    """Buyers, their invoices, and what reading them found.

    Attributes:
        currency: study currency.
        currencies: codes that ``invoices.currency`` indexes; the study currency is always index 0. Currencies in
            which only policies or limits are follow those of the invoices.
        buyers: the buyers.
        invoices: open items and planned sales; empty in constant-exposure mode.
        profile: tables and notes of the portfolio profile (see :mod:`simulator.ledger.profile`).
        volume: what is open and planned within the horizon by buyer, study currency at spot, before any stress
            (the exposure in constant-exposure mode); it ranks buyers. Of a portfolio made without one, the sum of
            the buyer's amounts as they stand.
    """

    currency: str
    currencies: list[str]
    buyers: Buyers
    invoices: Invoices
    profile: dict[str, Any] = field(default_factory=dict)
    volume: Floats = field(default_factory=lambda: np.zeros(0))

    def __post_init__(self) -> None:
        if len(self.volume) == 0 and len(self.buyers):
            owed = np.bincount(self.invoices.buyer, self.invoices.amount, len(self.buyers))
            volume = owed if len(self.invoices) else np.nan_to_num(self.buyers.exposure)
            object.__setattr__(self, "volume", volume.astype(np.float64))
