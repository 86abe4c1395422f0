"""What the policy room lists of a scenario once for all programmes that see the same debts, and its working space.

Kernels hand each other these lists and numbers: handing all plans and rows to a function costs more than a claim.
"""

from __future__ import annotations

from typing import Any, NamedTuple

import numpy as np

from simulator.ledger.portfolio import Floats, Ints
from simulator.policy.gaps import GAP_STEPS

Records = np.recarray[Any, np.dtype[Any]]

#: One record per unpaid invoice of a troubled buyer: what of the event and its invoice claims need.
DEBT = np.dtype(
    [
        ("amount", np.float64),  # at the seller's risk, invoice currency
        ("value", np.float64),  # the same at the budget rate, study currency
        ("vat_share", np.float64),
        ("share", np.float64),  # part of the invoice that is the seller's risk
        ("recovery", np.float64),
        ("invoice", np.int32),
        ("currency", np.int32),
        ("issue_day", np.int32),
        ("month_end", np.int32),
        ("due_day", np.int32),
        ("drawn_day", np.int32),
        ("paid_day", np.int32),
        ("loss_day", np.int32),
        ("receipt_day", np.int32),
        ("overdue", np.int32),  # of the buyer when this was shipped
        ("dispute", np.int32),  # where cover is suspended while a debt is disputed
        ("protracted", np.bool_),
    ],
    align=True,
)

#: One record per troubled buyer, in order of buyers: its debts are those from ``begin`` to ``end``. The last three are
#: a programme's: date of loss (NEVER: no claim), the day whose debts the claim holds, and its peril.
OWING = np.dtype(
    [
        ("limit_score", np.float64),
        ("entity", np.uint64),
        ("loss_day", np.int64),
        ("debts_on", np.int64),
        ("peril", np.int64),
        ("buyer", np.int32),
        ("begin", np.int32),
        ("end", np.int32),
        ("default_day", np.int32),
        ("frustrated", np.bool_),
        ("late", np.bool_),  # some debt is a protracted default
        ("lost", np.bool_),  # some debt is lost
    ],
    align=True,
)

#: One record per buyer of whom less may be insured than planned, in order of buyers.
UNSOLD = np.dtype(
    [
        ("withheld", np.float64),  # book value of what was planned from ``since`` to ``until`` and is not shipped
        ("limit_score", np.float64),
        ("buyer", np.int32),
        ("since", np.int32),
        ("until", np.int32),
        ("owing", np.int32),  # its place among those who owe, -1: it does not
        ("weak", np.bool_),  # its limit may change
    ],
    align=True,
)

#: One record per debt of a claim: the debt, its covered part and that of the first insurer, and the number of the limit
#: it falls under among the buyer's own (-1: none); later money on it and the insurer's share of that, with its day.
PART = np.dtype(
    [
        ("debt", np.float64),
        ("covered", np.float64),
        ("first_covered", np.float64),
        ("money", np.float64),
        ("share", np.float64),
        ("segment", np.int64),
        ("day", np.int64),
    ],
    align=True,
)

#: One record per claim with covered debt, in the order claims are settled; policy currency.
CLAIM = np.dtype(
    [
        ("debt", np.float64),
        ("total", np.float64),  # covered within the limits that hold, top-up included
        ("covered", np.float64),  # of that, for the first insurer
        ("uncapped", np.float64),  # the same before a country's maximum
        ("upheld", np.float64),  # of ``total``: what is covered only with debts disputed and settled later
        ("rate", np.float64),  # study currency per unit on the date of loss
        ("limit_score", np.float64),
        ("entity", np.uint64),
        ("buyer", np.int64),
        ("begin", np.int64),  # its debts
        ("end", np.int64),
        ("loss_day", np.int64),
        ("debts_on", np.int64),  # day whose debts it holds: that of the event
        ("peril", np.int64),
        ("payment_day", np.int64),  # what is paid by then makes it smaller
        ("grace_days", np.int64),  # after its due day a debt not due on the date of loss is a loss too
        ("overdue_since", np.int64),  # the oldest due day
        ("segment", np.int64),  # number of the one limit its debts fall under; SEVERAL, or -1 for none
    ],
    align=True,
)
#: Debts of a claim fall under limits of different days.
SEVERAL = -2

#: What one programme pays in one scenario, study currency.
PAID = np.dtype(
    [(name, np.float64) for name in ("indemnity", "indemnity_gross", "indemnity_in_horizon", "insurer_loss")],
    align=True,
)


class Work(NamedTuple):
    """Working space, one row per group of scenarios: the lists; claims to sort and their place among those who owe;
    what claims have used of limits that buyers share; steps of the waterfall that come before the terms."""

    debts: Records
    owing: Records
    unsold: Records
    parts: Records
    claims: Records
    paid: Records
    key: np.ndarray
    place: Ints
    used: Floats
    gap: Floats


class Scene(NamedTuple):
    """What money and days are worth in one scenario: rates, its number, and the clock."""

    rates: Floats
    scenario: int
    horizon: int
    period_of_day: Ints


def allocate_lists(groups: int, debts: int, buyers: int, unsold: int, pools: int) -> Work:
    """Working space for scenarios with at most so many debts, buyers who owe them, and buyers who buy less."""

    def records(kind: np.dtype[Any], *shape: int) -> Records:
        return np.empty((groups, *shape), kind).view(np.recarray)

    return Work(
        records(DEBT, max(1, debts)),
        records(OWING, max(1, buyers)),
        records(UNSOLD, max(1, unsold)),
        records(PART, max(1, debts)),
        records(CLAIM, max(1, buyers)),
        records(PAID),
        np.empty((groups, max(1, buyers)), np.int64),
        np.empty((groups, max(1, buyers)), np.int32),
        np.empty((groups, pools)),
        np.empty((groups, len(GAP_STEPS))),
    )
