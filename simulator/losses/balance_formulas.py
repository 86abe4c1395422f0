"""Which receivables a bank counts, one rule each: until when, under which limit, of which buyer."""

from simulator.jit import NEVER, scalar


@scalar
def counts_until(final_day, lost_on, due_day, maximum_overdue):
    """First day on which an invoice no longer counts: it is paid, lost, or overdue for longer than the bank allows.

    Source: invoices overdue too long are ineligible (60 or 90 days past due are usual [S56]).
    Worked number: due day 20, at most 90 days overdue, paid on day 300 → 111; paid on day 50 → 50; lost on day 30 → 30.
    """
    day = final_day if final_day < lost_on else lost_on
    if maximum_overdue == NEVER:
        return day
    overdue = due_day + maximum_overdue + 1
    return overdue if overdue < day else day


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
def is_cross_aged(aged, debt, share):
    """Whether so large a share of a buyer's debt is overdue too long that none of its debt counts any more.

    Source: cross-ageing clauses at 10 to 50 % of the debt [S56][S57].
    Worked number: 6,000 of 50,000 aged at a share of 10 % → True; 4,000 → False.
    """
    return aged > 0.0 and aged >= share * debt
