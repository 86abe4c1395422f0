"""What cover is worth: the waterfall on average and in the tail, the share of debts paid, when claims money comes."""

from __future__ import annotations

import math
from collections.abc import Iterator

import numpy as np

from simulator.measures.columns import Columns
from simulator.measures.estimate import Estimate, Functional
from simulator.measures.estimates import conditional_mean, mean, ratio
from simulator.measures.sample import Sample
from simulator.measures.tail import value_at_risk
from simulator.policy.gaps import GAP_STEPS

#: Quantiles of the share of the debt that is paid, over the scenarios with a debt.
RATIO_LEVELS = (0.05, 0.5, 0.95)
#: Terms that every policy has; the others have rows only where they take something from somebody.
USUAL = (
    "debt", "not_covered", "over_limit", "non_qualifying", "coinsurance", "each_and_every", "aggregate_first_loss",
    "maximum_liability",
)  # fmt: skip
NO_LEVEL = math.nan
Row = tuple[str, float, Estimate]


def steps(columns: Columns) -> list[str]:
    """Steps of the waterfall a result has something to say of, in its order, the indemnity left out."""
    return [name for name in GAP_STEPS if name in USUAL or columns.takes(f"gap_{name}")]


def is_insured(columns: Columns, programme: int) -> bool:
    """Whether the programme has a policy."""
    from simulator.study.schema import Policy

    return isinstance(columns.result.study.programmes[programme], Policy)


def insurance_rows(columns: Columns, programme: int) -> Iterator[Row]:
    """Indemnity, the waterfall and its ratios for one programme."""
    yield from _mean_rows(columns, programme)
    if is_insured(columns, programme):
        yield from _tail_rows(columns, programme)
        yield from _ratio_rows(columns, programme)
        yield from _lost_rows(columns, programme)
        yield from _timing_rows(columns, programme)


def _mean_rows(columns: Columns, programme: int) -> Iterator[Row]:
    """Means; each has a number per scenario, which is let go before the tail is looked at."""
    indemnity = mean(columns.sample("indemnity", programme))
    gross = mean(columns.sample("indemnity_gross", programme))
    premium = mean(columns.sample("premium", programme))
    yield "indemnity_mean", NO_LEVEL, indemnity.estimate()
    yield "indemnity_gross_mean", NO_LEVEL, gross.estimate()
    if columns.has("indemnity_in_horizon"):
        yield "indemnity_in_horizon_mean", NO_LEVEL, mean(columns.sample("indemnity_in_horizon", programme)).estimate()
    for step in steps(columns):
        yield f"gap_{step}_mean", NO_LEVEL, mean(columns.sample(f"gap_{step}", programme)).estimate()
    debt = mean(columns.sample("gap_debt", programme))
    yield "indemnity_ratio", NO_LEVEL, ratio(gross, debt).estimate("1")
    if premium.value > 0.0:
        yield "loss_ratio", NO_LEVEL, ratio(indemnity, premium).estimate("1")


def _tail_rows(columns: Columns, programme: int) -> Iterator[Row]:
    """The waterfall in the worst 1 % of scenarios by gross loss: the terms that matter then are not the usual ones."""
    for step in steps(columns):
        if columns.takes(f"gap_{step}"):
            yield f"gap_{step}_tail_mean", NO_LEVEL, tail_mean(columns, f"gap_{step}", programme).estimate()
    yield "indemnity_gross_tail_mean", NO_LEVEL, tail_mean(columns, "indemnity_gross", programme).estimate()
    paid, debt = (tail_mean(columns, name, programme) for name in ("indemnity_gross", "gap_debt"))
    yield "indemnity_tail_ratio", NO_LEVEL, ratio(paid, debt).estimate("1")


def tail_mean(columns: Columns, name: str, programme: int) -> Functional:
    """Mean of a variable over the worst 1 % of scenarios by gross loss."""
    return columns.tail_part(columns.values(name, programme))


def share_paid(columns: Columns, programme: int) -> Sample | None:
    """Gross claims over the debt claimed, in the scenarios with a debt; nothing where no scenario has one."""
    debt = columns.values("gap_debt", programme)
    owed = debt > 0.0
    weight = columns.p[owed] if columns.p is not None else None
    if not owed.any() or (weight is not None and weight.max() <= 0.0):
        return None
    return Sample.weighted(columns.values("indemnity_gross", programme)[owed] / debt[owed], weight)


def _ratio_rows(columns: Columns, programme: int) -> Iterator[Row]:
    paid = share_paid(columns, programme)
    if paid is not None:
        for level in RATIO_LEVELS:
            yield "effective_indemnity_ratio", level, value_at_risk(paid, level, "1")


def _lost_rows(columns: Columns, programme: int) -> Iterator[Row]:
    """Cover lost because the insurer took limits back, or failed: share of the debt, on average."""
    for step in ("limit_cancelled", "insurer_default"):
        if columns.takes(f"gap_{step}"):
            lost, debt = (mean(columns.sample(name, programme)) for name in (f"gap_{step}", "gap_debt"))
            yield f"{step}_ratio", NO_LEVEL, ratio(lost, debt).estimate("1")


def _timing_rows(columns: Columns, programme: int) -> Iterator[Row]:
    """Claims money where cash runs short: what had come by the end of the first period of shortfall, what came later.

    Over the scenarios with a shortfall, net of shares of recoveries paid over by then. The ratio is to the net claims
    of the same scenarios: what is handed back does not come late.
    """
    if not columns.takes("claims_before_shortfall") and not columns.takes("claims_after_shortfall"):
        return
    struck = (columns.values("shortfall_amount", programme) > 0.0).astype(np.float64)
    if not struck.any():
        return
    for when in ("before", "after"):
        name = f"claims_{when}_shortfall"
        yield f"{name}_mean", NO_LEVEL, conditional_mean(columns.sample(name, programme), struck).estimate()
    net = mean(columns.derived(columns.values("indemnity", programme) * struck))
    if net.value > 0.0:
        before = mean(columns.sample("claims_before_shortfall", programme))
        yield "claims_in_time_ratio", NO_LEVEL, ratio(before, net).estimate("1")
