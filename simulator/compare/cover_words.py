"""The answer's sentences on cover: what claims pay, when, what stays, what is taken back, what safer trade costs."""

from __future__ import annotations

from collections.abc import Iterator

import numpy as np

from simulator.compare.words import amount, is_clear, listed, name_of, share
from simulator.measures.columns import FEWEST, HALF_A_CENT, Columns
from simulator.measures.estimate import Estimate
from simulator.measures.estimates import mean
from simulator.study.schema import Policy, Programme

GAP_WORDS = {
    "conversion": "the policy's conversion rate",
    "vat": "value added tax",
    "disputed": "disputed debt",
    "not_covered": "uncovered shipments",
    "limit_cancelled": "debt above limits that the insurer took back",
    "over_limit": "debt above the buyers' credit limits",
    "non_qualifying": "losses too small to qualify",
    "coinsurance": "the uninsured percentage",
    "each_and_every": "the first loss on each claim",
    "minimum_retention": "the minimum retention",
    "aggregate_first_loss": "the aggregate first loss",
    "maximum_liability": "losses above the insurer's maximum liability",
    "notification": "debt that was notified too late",
    "insurer_default": "claims that the insurer fails to pay",
}
#: Terms of trade that a programme may have, limits taken back apart.
TRADE_TERMS = ("prepayment", "letter_of_credit", "factoring", "early_payment_discount", "collection")


def cover_sentences(columns: Columns, programme: int) -> Iterator[str]:
    """When claims are paid under one programme, and what part of the debt they are."""
    yield from _timing(columns, programme)
    yield from _gap(columns, programme)


def _timing(columns: Columns, programme: int) -> Iterator[str]:
    """Cover protects the result before it protects cash: what has arrived of the claims money, when it matters.

    Net money is compared with net money: what is handed back to the insurer is not late, it is gone.
    """
    if not (columns.has("indemnity_in_horizon") and columns.has("shortfall_amount")):
        return
    gross, net = (mean(columns.sample(name, programme)) for name in ("indemnity_gross", "indemnity"))
    here = mean(columns.sample("indemnity_in_horizon", programme))
    if gross.value <= 0.0:
        return
    back = (gross - net).estimate()
    sentence = f"{name_of(columns, programme)} pays {amount(columns, gross.estimate())} of gross claims on average"
    if back.value >= HALF_A_CENT:
        sentence += (
            f"; {amount(columns, back)} goes back to the insurer from recoveries and later payments, which leaves "
            f"{amount(columns, net.estimate())} net"
        )
    sentence += f". {amount(columns, here.estimate())}"
    if 0.0 <= here.value <= net.value and net.value > 0.0:
        sentence += f" ({share(here.value / net.value)})"
    sentence += f" net arrives within the {columns.result.study.study.horizon}"
    if here.value - net.value >= HALF_A_CENT:
        sentence += ", more than stays in the end: further shares go back later"
    yield f"{sentence}.{_where_short(columns, programme)}"


def _where_short(columns: Columns, programme: int) -> str:
    """What of the net claims comes in time where cash still runs short; empty where it never does."""
    short = columns.values("shortfall_amount", programme) > 0.0
    count, sample = int(short.sum()), columns.sample("indemnity", programme)
    if count == 0:
        return ""
    if count < FEWEST:
        return f" Too few scenarios ({count}) still run short of cash to say what part comes in time."
    owed = sample.average(np.where(short, sample.values, 0.0))
    if owed <= 0.0:
        return ""
    arrived = sample.average(np.where(short, columns.values("indemnity_in_horizon", programme), 0.0))
    info, early = columns.result.study.study, ""
    if columns.takes("claims_before_shortfall"):
        before = sample.average(columns.values("claims_before_shortfall", programme))
        early = f"{_of_net(before / owed)} of net claims by the end of the first {info.period} of shortfall, "
    within = f"{_of_net(arrived / owed)} {'' if early else 'of net claims '}within the {info.horizon}"
    return f" Where cash still runs short, {early}{within}."


def _of_net(part: float) -> str:
    """What has come as share of net claims; more than all of them where shares are handed back later."""
    return share(part) if part <= 1.0 else "more than 100 %"


def _gap(columns: Columns, programme: int) -> Iterator[str]:
    debt, paid, net = (
        mean(columns.sample(name, programme)).value for name in ("gap_debt", "indemnity_gross", "indemnity")
    )
    if debt <= 0.0 or paid <= 0.0:
        return
    taken = [step for step in GAP_WORDS if columns.takes(f"gap_{step}")]
    parts = {step: mean(columns.sample(f"gap_{step}", programme)).value / debt for step in taken}
    if not parts:
        return
    largest = max(parts, key=lambda step: parts[step])
    shared = f", {share(net / debt)} after recoveries are shared" if paid - net >= HALF_A_CENT else ""
    yield (
        f"{name_of(columns, programme)} pays {share(paid / debt)} of the debt claimed, or lost without a claim{shared}"
        f"; the largest part that stays is {GAP_WORDS[largest]}, {share(parts[largest])} of the debt."
    )


def lost_cover(columns: Columns) -> Iterator[str]:
    """Cover that is taken back, or not paid for, when it is needed most, under every programme concerned."""
    for step, words in (
        ("limit_cancelled", "Limits that the insurer takes back leave"),
        ("insurer_default", "The insurer's own default leaves"),
    ):
        found = []
        for k in range(columns.n_programmes) if columns.takes(f"gap_{step}") else ():
            lost = mean(columns.sample(f"gap_{step}", k)).estimate()
            if lost.value > 0.0 and is_clear(lost):
                found.append(_lost(columns, k, step, lost))
        if found:
            yield f"{words} unpaid {listed(found)}."
    yield from _lost_sales(columns)


def _lost(columns: Columns, programme: int, step: str, lost: Estimate) -> str:
    worst, owed = (columns.tail_part(columns.values(name, programme)).value for name in (f"gap_{step}", "gap_debt"))
    part = share(lost.value / mean(columns.sample("gap_debt", programme)).value)
    tail = f", {share(worst / owed)} in the worst 1 % of scenarios" if owed > 0.0 else ""
    return f"{amount(columns, lost)} under {name_of(columns, programme)} ({part} of the debt claimed{tail})"


def _lost_sales(columns: Columns) -> Iterator[str]:
    """A seller who stops shipping has nothing uninsured: it loses sales instead."""
    found, mixed = [], []
    for k, terms in enumerate(columns.result.study.programmes):
        if not (columns.takes("lost_sales") and stops_with_limits(terms)):
            continue
        sales, margin = (mean(columns.sample(name, k)).estimate() for name in ("lost_sales", "lost_margin"))
        if sales.value > 0.0:
            name = name_of(columns, k)
            found.append(f"{amount(columns, sales)} of sales, with a margin of {amount(columns, margin)}, under {name}")
            mixed += [name] if has_trade_terms(terms) else []
    if found:
        besides = f"; under {listed(mixed)} its terms of trade are part of the reason" if mixed else ""
        yield f"Because the insurer takes limits back, the firm does not make {listed(found)}{besides}."


def stops_with_limits(terms: Programme) -> bool:
    """Whether the seller ships no more than a limit that has been taken back covers."""
    return isinstance(terms, Policy) and terms.limit_changes is not None and terms.limit_changes.seller == "stops"


def has_trade_terms(terms: Programme) -> bool:
    """Whether a programme asks anything else of buyers than the study as written."""
    return any(getattr(terms, name) is not None for name in TRADE_TERMS)


def trade(columns: Columns, best: int) -> Iterator[str]:
    """What the way of trading costs under the cheapest programme that does not trade as the study is written.

    Programmes that differ only because limits are taken back are told in :func:`lost_cover`.
    """
    if not (columns.takes("trade_cost") or columns.takes("lost_margin")):
        return
    names = ("trade_cost", "lost_margin")
    costs = [sum(abs(mean(columns.sample(name, k)).value) for name in names) for k in range(columns.n_programmes)]
    programmes = columns.result.study.programmes
    trading = [
        k
        for k, cost in enumerate(costs)
        if cost > 0.0 and (has_trade_terms(programmes[k]) or not stops_with_limits(programmes[k]))
    ]
    if not trading:
        return
    chosen = best if best in trading else min(trading, key=lambda k: columns.cost_of_risk(k).value)
    fees, margin = (mean(columns.sample(name, chosen)).estimate() for name in names)
    saved = (mean(columns.sample("gross_loss")) - mean(columns.sample("credit_loss", chosen))).estimate()
    parts = [f"{amount(columns, fees)} in fees, interest and discounts"] if fees.value else []
    parts += [f"{amount(columns, margin)} of margin on sales not made"] if margin.value > 0.0 else []
    if not parts:
        return
    verb = "less" if saved.value >= 0.0 else "more"
    doubt = "" if is_clear(saved) else ", which is within sampling noise"
    yield (
        f"The way {name_of(columns, chosen)} has the firm trade costs {listed(parts)}; the credit loss is "
        f"{amount(columns, saved)} {verb} than under the study's own terms{doubt}."
    )
