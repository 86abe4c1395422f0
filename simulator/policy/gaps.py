"""The steps from the debt a buyer leaves to what the insurer pays: where cover is lost, one name per step.

The first entry is the debt claimed or lost, the others are its parts; they add up to it. New terms add their step
before ``indemnity``.
"""

from __future__ import annotations

#: Names of the steps, in the order of the last axis of every ``gap`` array.
GAP_STEPS = (
    "debt",
    "not_covered",
    "over_limit",
    "non_qualifying",
    "coinsurance",
    "each_and_every",
    "aggregate_first_loss",
    "maximum_liability",
    "indemnity",
)

DEBT = 0
NOT_COVERED = 1
OVER_LIMIT = 2
NON_QUALIFYING = 3
COINSURANCE = 4
EACH_AND_EVERY = 5
AGGREGATE_FIRST_LOSS = 6
MAXIMUM_LIABILITY = 7
INDEMNITY = 8
