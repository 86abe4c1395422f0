"""Which receivables a bank counts, one rule each: under which limit, and of which buyer."""

import numpy as np

from simulator.jit import scalar


@scalar
def limit_on(limit, change_to, change_day, day):
    """Credit limit that holds on a day: the share that remains from the day a change takes effect.

    Worked number: 150,000 cancelled (to 0) from day 42: on day 14 → 150,000; on day 42 or 49 → 0.
    """
    if day < change_day:
        return limit
    return change_to * limit if change_to > 0.0 else 0.0


@scalar
def covered_more(value, covered, limit):
    """What an invoice adds to the covered debt of its buyer: at most what the limit of its issue still leaves.

    Invoices are taken in the order of their issue. With one limit for all the sum is the debt up to the limit.
    Worked number: 50,000 more on 50,000 covered under 90,000 → 40,000; under a limit cut to 30,000 → 0.
    """
    left = limit - covered
    if left <= 0.0:
        return 0.0
    return value if value < left else left


@scalar
def within_liability(counted, weight, left):
    """What counts of a covered debt where the insurer pays no more than is left of its maximum liability.

    Worked number: 100,000 at a weight of 90 % with 45,000 left → 50,000; with 120,000 left → 100,000.
    """
    if weight * counted <= left:
        return counted
    return np.floor(left / weight * 1024.0) / 1024.0  # balances are multiples of 1/1024


@scalar
def not_covered(owed, counted):
    """What a bank counts of an insured buyer's debt as it would an uninsured one's: all that does not count as insured.

    Worked number: 119,000 owed, tax included, of which 90,000 count → 29,000; 90 % of these, 81,000 → 38,000.
    """
    return owed - counted if owed > counted else 0.0


@scalar
def is_cross_aged(aged, debt, share):
    """Whether so large a share of a buyer's debt is overdue too long that none of its debt counts any more.

    Source: cross-ageing clauses at 10 to 50 % of the debt [S56][S57].
    Worked number: 6,000 of 50,000 aged at a share of 10 % → True; 4,000 → False.
    """
    return aged > 0.0 and aged >= share * debt
