"""What cover pays, over what is lost and over what it costs: ratios the summary does not hold, both bases of each."""

from __future__ import annotations

from collections.abc import Iterator

from simulator.measures.columns import Columns
from simulator.measures.estimates import mean, ratio
from simulator.results.result import Result
from simulator.study.schema import Policy

NET_RATIO = "net_indemnity_ratio"
NET_LOSS_RATIO = "untaxed_loss_ratio"


def ratios(result: Result) -> Iterator[tuple[str, str, float, float]]:
    """Tuples measure, programme, value, standard error.

    ``net_indemnity_ratio``: expected indemnity net of shared recoveries over expected debt claimed, or lost
    without a claim.
    ``untaxed_loss_ratio``: the same indemnity over the expected premium without tax and fees, which are known terms:
    premium ÷ (1 + tax) − fees.
    """
    columns = Columns(result)
    for index, terms in enumerate(result.study.programmes):
        net = mean(columns.sample("indemnity", index))
        debt = mean(columns.sample("gap_debt", index))
        if debt.value > 0.0:
            found = ratio(net, debt).estimate("1")
            yield NET_RATIO, terms.name, found.value, found.standard_error
        if isinstance(terms, Policy):
            paid = mean(columns.sample("premium", index))
            bare = ((1.0 / (1.0 + terms.premium.tax)) * paid).shifted(-terms.premium.fees)
            if bare.value > 0.0:
                found = ratio(net, bare).estimate("1")
                yield NET_LOSS_RATIO, terms.name, found.value, found.standard_error
