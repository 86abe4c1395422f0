"""The answer in plain words, from the numbers: which programme costs least, what cover changes, when claims pay."""

from __future__ import annotations

import math
from collections.abc import Iterator
from typing import TYPE_CHECKING

import numpy as np

from simulator.compare.paired import BASELINE, difference
from simulator.compare.scripted import verdict_of_script
from simulator.measures.columns import Columns
from simulator.measures.cost_of_risk import reserve_in_cash
from simulator.measures.digits import format_estimate, format_value
from simulator.measures.estimate import Estimate
from simulator.measures.estimates import mean, probability
from simulator.measures.scripted import is_scripted
from simulator.measures.tail import tail_value_at_risk

if TYPE_CHECKING:
    from simulator.results.result import Result

TAIL_LEVEL = 0.99
CLEAR = 1.959963984540054
GAP_WORDS = {
    "conversion": "the policy's conversion rate",
    "vat": "value added tax",
    "disputed": "disputed debt",
    "not_covered": "debt that no claim covers",
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


def verdict(result: Result) -> list[str]:
    """Sentences that answer the study's question, the most important first.

    Each number carries its standard error; "clear" means beyond 1.96 standard errors of the paired difference.
    """
    if is_scripted(result):
        return verdict_of_script(result)
    columns = Columns(result)
    best = cheapest(columns)
    sentences = [*_cost(columns, best)]
    subject = best if best != BASELINE else _most_cover(columns)
    if subject != BASELINE:
        sentences += _tail(columns, subject)
        if columns.has("shortfall_amount"):
            sentences += _shortfall(columns, subject)
            sentences += _timing(columns, subject)
        sentences += _gap(columns, subject)
        sentences += _lost_cover(columns, subject)
    sentences += _trade(columns, best)
    sentences += _funds(columns)
    return [*sentences, *_stresses(result, best)]


def cheapest(columns: Columns) -> int:
    """Index of the programme with the lowest expected cost of risk; the earlier one on a tie."""
    return int(np.argmin([columns.cost_of_risk(k).value for k in range(columns.n_programmes)]))


def _most_cover(columns: Columns) -> int:
    """Index of the programme with the largest expected indemnity; the baseline if nothing is ever paid."""
    return int(np.argmax([mean(columns.sample("indemnity", k)).value for k in range(columns.n_programmes)]))


def _name(columns: Columns, programme: int) -> str:
    return columns.result.programmes[programme]


def _money(columns: Columns, value: float, error: float = 0.0) -> str:
    return format_value(value, error, currency=columns.result.currency)


def _share(value: float) -> str:
    return format_value(round(value, 2), 0.0, "1", percent=True)


def _amount(columns: Columns, estimate: Estimate) -> str:
    return _money(columns, abs(estimate.value), estimate.standard_error)


def is_clear(estimate: Estimate) -> bool:
    """Whether a difference is beyond sampling noise at 95 %."""
    return abs(estimate.value) > CLEAR * estimate.standard_error


def _cost(columns: Columns, best: int) -> Iterator[str]:
    cost = columns.cost_of_risk(best).estimate()
    head = f"{_name(columns, best)} has the lowest cost of risk, {_amount(columns, cost)}"
    if columns.n_programmes == 1:
        yield f"{_name(columns, best)} costs {_amount(columns, cost)} in all."
        return
    if best == BASELINE:
        yield f"{head}: no other programme is cheaper than the baseline."
    else:
        saving = difference(columns, "cost_of_risk_mean", best, BASELINE)
        doubt = (
            "more than sampling noise can explain"
            if is_clear(saving)
            else "within sampling noise, so that more scenarios are needed to tell them apart"
        )
        yield f"{head}, {_amount(columns, saving)} less than {_name(columns, BASELINE)}: {doubt}."
    yield from _rivals(columns, best)


def _rivals(columns: Columns, best: int) -> Iterator[str]:
    """Programmes that cannot be told from the cheapest, or by how much the second is dearer."""
    gaps = {
        k: difference(columns, "cost_of_risk_mean", k, best)
        for k in range(columns.n_programmes)
        if k not in (best, BASELINE)
    }
    if not gaps:
        return
    close = [_name(columns, k) for k, gap in gaps.items() if not is_clear(gap)]
    if close:
        verb = "is" if len(close) == 1 else "are"
        yield f"{_listed(close)} {verb} not clearly dearer: on the same scenarios the difference is within noise."
        return
    second = min(gaps, key=lambda k: gaps[k].value)
    yield f"The next best policy, {_name(columns, second)}, costs {_amount(columns, gaps[second])} more."


def _listed(names: list[str]) -> str:
    return names[0] if len(names) == 1 else ", ".join(names[:-1]) + " and " + names[-1]


def _tail(columns: Columns, programme: int) -> Iterator[str]:
    before = tail_value_at_risk(columns.sample("retained_loss", BASELINE), TAIL_LEVEL).estimate()
    change = difference(columns, "retained_loss_tail_value_at_risk", programme, BASELINE, TAIL_LEVEL)
    share = abs(change.value) / before.value if before.value > 0.0 else math.nan
    verb = "takes" if change.value < 0.0 else "adds"
    relative = f" ({_share(share)})" if math.isfinite(share) else ""
    off = "off" if change.value < 0.0 else "to"
    doubt = "" if is_clear(change) else ", which is within sampling noise"
    yield (
        f"In the worst 1 % of scenarios the retained loss averages {_amount(columns, before)} under "
        f"{_name(columns, BASELINE)}; {_name(columns, programme)} {verb} {_amount(columns, change)}{relative} {off} "
        f"it{doubt}."
    )


def _shortfall(columns: Columns, programme: int) -> Iterator[str]:
    before, after = (
        probability(columns.event(columns.sample("shortfall_amount", k).values > 0.0)) for k in (BASELINE, programme)
    )
    change = difference(columns, "shortfall_probability", programme, BASELINE)
    if before.value == 0.0 and after.value == 0.0:
        most = format_value(float(f"{before.ci_high:.2g}"), 0.0, "1", percent=True)
        yield f"Cash never runs short in any scenario (probability below {most} at 95 % confidence)."
        return
    texts = [format_estimate(p, percent=True) for p in (before, after)]
    if not is_clear(change):
        yield (
            f"The probability that cash runs short hardly moves: {texts[0]} under {_name(columns, BASELINE)}, "
            f"{texts[1]} under {_name(columns, programme)}."
        )
        yield from _reserves(columns, programme)
        return
    word = "falls" if change.value < 0.0 else "rises"
    yield (
        f"The probability that cash runs short {word} from {texts[0]} under {_name(columns, BASELINE)} to {texts[1]} "
        f"under {_name(columns, programme)}."
    )
    yield from _reserves(columns, programme)


def _reserves(columns: Columns, programme: int) -> Iterator[str]:
    """A reserve is cash too: say so where it differs, or the comparison of shortfalls misleads."""
    held = [reserve_in_cash(columns.result.study, k) for k in (BASELINE, programme)]
    if held[0] == held[1]:
        return
    texts = [_money(columns, amount) if amount else "none" for amount in held]
    yield (
        f"A reserve counts as cash from the first day: {texts[0]} under "
        f"{_name(columns, BASELINE)}, {texts[1]} under {_name(columns, programme)}."
    )


def _timing(columns: Columns, programme: int) -> Iterator[str]:
    """Cover protects the result before it protects cash: what has arrived of the claims money, when it matters."""
    if not (columns.has("indemnity_in_horizon") and columns.has("shortfall_amount")):
        return
    due = columns.sample("indemnity_gross", programme)
    here = columns.sample("indemnity_in_horizon", programme)
    total = mean(due)
    if total.value <= 0.0:
        return
    share = mean(here).value / total.value
    horizon = columns.result.study.study.horizon
    sentence = (
        f"Of {_amount(columns, total.estimate())} of expected gross claims under {_name(columns, programme)}, "
        f"{_amount(columns, mean(here).estimate())} ({_share(share)}) arrives within the {horizon}"
    )
    short = columns.sample("shortfall_amount", programme).values > 0.0
    owed = due.average(np.where(short, due.values, 0.0))
    if short.any() and owed > 0.0:
        arrived = due.average(np.where(short, here.values, 0.0)) / owed
        sentence += f"; in the scenarios where cash still runs short it is {_share(arrived)}"
        if columns.takes("claims_before_shortfall"):
            early = due.average(columns.values("claims_before_shortfall", programme)) / owed
            period = columns.result.study.study.period
            sentence += f", {_share(early)} by the end of the first {period} of shortfall"
    yield sentence + "."


def _stresses(result: Result, best: int) -> Iterator[str]:
    """Whether the answer stands when the world is worse, or better."""
    if len(result.programmes) == 1 or not result.stresses:
        return
    answers = {name: cheapest(Columns(stress)) for name, stress in result.stresses.items()}
    kept = [name for name, index in answers.items() if index == best]
    if kept:
        yield f"{result.programmes[best]} has the lowest cost of risk under {_listed(kept)} conditions too."
    for name, index in answers.items():
        if index != best:
            yield f"Under {name} conditions it is {result.programmes[index]} that has the lowest cost of risk."


def _gap(columns: Columns, programme: int) -> Iterator[str]:
    debt = mean(columns.sample("gap_debt", programme)).value
    paid = mean(columns.sample("indemnity_gross", programme)).value
    if debt <= 0.0 or paid <= 0.0:
        return
    taken = [step for step in GAP_WORDS if columns.takes(f"gap_{step}")]
    parts = {step: mean(columns.sample(f"gap_{step}", programme)).value / debt for step in taken}
    if not parts:
        return
    largest = max(parts, key=lambda step: parts[step])
    yield (
        f"{_name(columns, programme)} pays {_share(paid / debt)} of the debt that is lost, before recoveries are "
        f"shared; the largest part that stays is {GAP_WORDS[largest]}, {_share(parts[largest])} of the debt."
    )


def _lost_cover(columns: Columns, programme: int) -> Iterator[str]:
    """Cover that is taken back, or not paid for, when it is needed most."""
    name = _name(columns, programme)
    for step, words in (
        ("limit_cancelled", "limits that the insurer takes back leave"),
        ("insurer_default", "the insurer's own default leaves"),
    ):
        if not columns.takes(f"gap_{step}"):
            continue
        lost = mean(columns.sample(f"gap_{step}", programme)).estimate()
        if lost.value <= 0.0 or not is_clear(lost):
            continue
        tails = [columns.tail_part(columns.values(part, programme)).value for part in (f"gap_{step}", "gap_debt")]
        debt = mean(columns.sample("gap_debt", programme)).value
        worst = f", and {_share(tails[0] / tails[1])} of it in the worst 1 % of scenarios" if tails[1] > 0.0 else ""
        yield f"Under {name} {words} {_amount(columns, lost)} unpaid, {_share(lost.value / debt)} of the debt{worst}."


def _trade(columns: Columns, best: int) -> Iterator[str]:
    """What the way of trading costs under the cheapest programme that does not trade as the study is written."""
    if not (columns.takes("trade_cost") or columns.takes("lost_margin")):
        return
    names = ("trade_cost", "lost_margin")
    costs = [sum(abs(mean(columns.sample(name, k)).value) for name in names) for k in range(columns.n_programmes)]
    trading = [k for k, cost in enumerate(costs) if cost > 0.0]
    chosen = best if best in trading else min(trading, key=lambda k: columns.cost_of_risk(k).value)
    fees, margin = (mean(columns.sample(name, chosen)).estimate() for name in names)
    saved = (mean(columns.sample("gross_loss")) - mean(columns.sample("credit_loss", chosen))).estimate()
    parts = [f"{_amount(columns, fees)} in fees, interest and discounts"] if fees.value else []
    parts += [f"{_amount(columns, margin)} of margin on sales not made"] if margin.value > 0.0 else []
    if not parts:
        return
    verb = "less" if saved.value >= 0.0 else "more"
    doubt = "" if is_clear(saved) else ", which is within sampling noise"
    yield (
        f"The way {_name(columns, chosen)} has the firm trade costs {_listed(parts)}; the credit loss is "
        f"{_amount(columns, saved)} {verb} than under the study's own terms{doubt}."
    )


def _funds(columns: Columns) -> Iterator[str]:
    """How safe reserve funds are."""
    if not columns.has("minimum_fund"):
        return
    for k, terms in enumerate(columns.result.study.programmes):
        if terms.reserve_fund is not None:
            empty = probability(columns.event(columns.values("minimum_fund", k) <= 0.0))
            if empty.value == 0.0:
                yield f"The reserve fund of {terms.name} is never exhausted in any scenario."
                continue
            chance = format_estimate(empty, percent=True)
            yield f"The reserve fund of {terms.name} is exhausted with a probability of {chance}."
