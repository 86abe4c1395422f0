"""What is owed: the ledger as plain arrays, ready for the model rooms.

Nothing here knows files or randomness. Days count from the study's ``as_of`` (day 0); money of an invoice is
in its own currency; ``credit_limit`` and ``exposure`` are in study currency.
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
    are NaN where the ledger says nothing; texts are empty where blank. ``at_cell`` points back to the buyer file
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
    at_cell: CellProblem | None = field(default=None, repr=False, compare=False)

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
    """Open items and planned sales, sorted by buyer, issue day, invoice id (length n_invoices)."""

    invoice_id: list[str]
    entity: Keys
    buyer: Ints
    issue_day: Ints
    due_day: Ints
    currency: Ints
    amount: Floats
    open_item: Flags
    disputed: Flags

    def __len__(self) -> int:
        return len(self.invoice_id)


@dataclass(frozen=True)
class Portfolio:
    """Buyers, their invoices, and what reading them found.

    Attributes:
        currency: study currency.
        currencies: codes that ``invoices.currency`` indexes; the study currency is always index 0.
        buyers: the buyers.
        invoices: open items and planned sales; empty in constant-exposure mode.
        profile: tables and notes of the portfolio profile (see :mod:`simulator.ledger.profile`).
    """

    currency: str
    currencies: list[str]
    buyers: Buyers
    invoices: Invoices
    profile: dict[str, Any] = field(default_factory=dict)
