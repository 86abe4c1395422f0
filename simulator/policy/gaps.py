"""The steps from the debt a buyer leaves to what the insurer pays: where cover is lost, one name per step.

The first entry is the debt claimed or lost, the others are its parts; they add up to it. New terms add their step
before ``indemnity``.
"""

from __future__ import annotations

#: Names of the steps, in the order of the last axis of every ``gap`` array.
GAP_STEPS = (
    "debt",
    "conversion",
    "vat",
    "disputed",
    "not_covered",
    "limit_cancelled",
    "over_limit",
    "non_qualifying",
    "coinsurance",
    "each_and_every",
    "minimum_retention",
    "aggregate_first_loss",
    "maximum_liability",
    "notification",
    "insurer_default",
    "indemnity",
)

DEBT = 0
CONVERSION = 1
VAT = 2
DISPUTED = 3
NOT_COVERED = 4
LIMIT_CANCELLED = 5
OVER_LIMIT = 6
NON_QUALIFYING = 7
COINSURANCE = 8
EACH_AND_EVERY = 9
MINIMUM_RETENTION = 10
AGGREGATE_FIRST_LOSS = 11
MAXIMUM_LIABILITY = 12
NOTIFICATION = 13
INSURER_DEFAULT = 14
INDEMNITY = 15
