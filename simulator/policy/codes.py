"""Codes by which kernels know the choices a policy makes: steps, perils, conversions, recovery rules."""

from __future__ import annotations

#: Steps of an order of terms; -1 fills the rest of a row of steps. The maximum liability always comes last.
NON_QUALIFYING_STEP = 0
PERCENTAGE_STEP = 1
EACH_AND_EVERY_STEP = 2
MINIMUM_RETENTION_STEP = 3
FIRST_LOSS_STEP = 4
NO_STEP = -1
MOST_STEPS = 6
STEP_CODES = {
    "non_qualifying_loss": NON_QUALIFYING_STEP,
    "insured_percentage": PERCENTAGE_STEP,
    "each_and_every_first_loss": EACH_AND_EVERY_STEP,
    "minimum_retention": MINIMUM_RETENTION_STEP,
    "aggregate_first_loss": FIRST_LOSS_STEP,
}

_PERCENT_FIRST = ("non_qualifying_loss", "insured_percentage", "each_and_every_first_loss", "aggregate_first_loss")
_DEDUCTIBLE_FIRST = ("non_qualifying_loss", "each_and_every_first_loss", "aggregate_first_loss", "insured_percentage")
#: Wordings: W1 percent_first, W2 deductible_first, W3 minimum_retention; an excess of loss goes in the order of W2.
WORDINGS = {
    "percent_first": _PERCENT_FIRST,
    "deductible_first": _DEDUCTIBLE_FIRST,
    "minimum_retention": (
        "non_qualifying_loss",
        "insured_percentage",
        "minimum_retention",
        "each_and_every_first_loss",
        "aggregate_first_loss",
    ),
    "excess_of_loss": _DEDUCTIBLE_FIRST,
}

#: Perils, as the last axis of ``percentage``.
INSOLVENCY = 0
PROTRACTED = 1
TRANSFER = 2
FRUSTRATION = 3
PERILS = ("insolvency", "protracted_default", "transfer", "contract_frustration")

#: Day whose rate turns a debt into policy currency.
AT_DATE_OF_LOSS = 0
AT_INVOICE_DATE = 1
AT_MONTH_END = 2
AT_DUE_DATE = 3
AT_PAYMENT = 4
AT_LOWER = 5
CONVERSIONS = ("date_of_loss", "invoice_date", "shipment_month_end", "due_date", "payment_date", "lower_of")

#: How money after the date of loss is shared, and who bears the costs of the insurer's share.
BY_INDEMNITY = 0
BY_COVERED_DEBT = 1
TO_THE_OLDEST = 2
INSURER_FIRST = 3
RECOVERY_RULES = ("by_indemnity", "by_covered_debt", "oldest_first", "insurer_first")
COSTS_SHARED = 0
COSTS_POLICYHOLDER = 1
COSTS_INSURER = 2
RECOVERY_COSTS = ("shared", "policyholder", "insurer")

#: What a dispute does to an invoice.
UNDISPUTED = 0
UPHELD = 1
EXCLUDED = 2

#: Currency of a policy that is written in the study's.
STUDY_CURRENCY = -1


def steps_of(order: str | tuple[str, ...]) -> list[int]:
    """Step codes of a wording or of a list of steps, filled up to :data:`MOST_STEPS` with :data:`NO_STEP`.

    ``maximum_liability`` may stand in the list, where it is last anyway.
    """
    names = WORDINGS[order] if isinstance(order, str) else order
    codes = [STEP_CODES[name] for name in names if name != "maximum_liability"]
    return codes + [NO_STEP] * (MOST_STEPS - len(codes))
