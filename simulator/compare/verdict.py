"""The answer in plain words, from the numbers: which programme costs least, what cover changes, when claims pay."""

from __future__ import annotations

import math
from collections.abc import Iterator
from typing import TYPE_CHECKING

import numpy as np

from simulator.compare.cover_words import cover_sentences, lost_cover, trade
from simulator.compare.paired import BASELINE, difference
from simulator.compare.scripted import verdict_of_script
from simulator.compare.words import amount, doubt_of, is_clear, listed, money, name_of, share
from simulator.measures.columns import Columns
from simulator.measures.cost_of_risk import reserve_in_cash
from simulator.measures.digits import format_estimate, format_value
from simulator.measures.estimates import mean, probability
from simulator.measures.scripted import is_scripted
from simulator.measures.tail import tail_value_at_risk
from simulator.study.schema import Policy

if TYPE_CHECKING:
    from simulator.results.result import Result

TAIL_LEVEL = 0.99


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
    sentences += cover_sentences(columns, subject if _is_policy(columns, subject) else _most_cover(columns))
    sentences += lost_cover(columns)
    sentences += trade(columns, best)
    sentences += _funds(columns)
    return [*sentences, *_stresses(result, best)]


def cheapest(columns: Columns) -> int:
    """Index of the programme with the lowest expected cost of risk; the earlier one on a tie."""
    return int(np.argmin([columns.cost_of_risk(k).value for k in range(columns.n_programmes)]))


def _most_cover(columns: Columns) -> int:
    """Index of the programme with the largest expected indemnity; the baseline if nothing is ever paid."""
    return int(np.argmax([mean(columns.sample("indemnity", k)).value for k in range(columns.n_programmes)]))


def _cost(columns: Columns, best: int) -> Iterator[str]:
    cost = columns.cost_of_risk(best).estimate()
    head = f"{name_of(columns, best)} has the lowest cost of risk, {amount(columns, cost)}"
    if columns.n_programmes == 1:
        yield f"{name_of(columns, best)} costs {amount(columns, cost)} in all."
        return
    if best == BASELINE:
        yield f"{head}: no other programme is cheaper than the baseline."
    else:
        saving = difference(columns, "cost_of_risk_mean", best, BASELINE)
        noise = "an error that so few scenarios do not tell" if math.isnan(saving.standard_error) else "sampling noise"
        doubt = (
            "more than sampling noise can explain"
            if is_clear(saving)
            else f"within {noise}, so that more scenarios are needed to tell them apart"
        )
        yield f"{head}, {amount(columns, saving)} less than {name_of(columns, BASELINE)}: {doubt}."
    yield from _rivals(columns, best)


def _rivals(columns: Columns, best: int) -> Iterator[str]:
    """Programmes that cannot be told from the cheapest, or by how much the second and the next policy are dearer."""
    gaps = {
        k: difference(columns, "cost_of_risk_mean", k, best)
        for k in range(columns.n_programmes)
        if k not in (best, BASELINE)
    }
    if not gaps:
        return
    close = [name_of(columns, k) for k, gap in gaps.items() if not is_clear(gap)]
    if close:
        verb = "is" if len(close) == 1 else "are"
        known = not any(math.isnan(gap.standard_error) for gap in gaps.values())
        why = "on the same scenarios the difference is within noise" if known else "there are too few scenarios to say"
        yield f"{listed(close)} {verb} not clearly dearer: {why}."
        return
    second = min(gaps, key=lambda k: gaps[k].value)
    name, more = name_of(columns, second), amount(columns, gaps[second])
    if _is_policy(columns, second):
        which = "next best" if _is_policy(columns, best) else "cheapest"
        yield f"The {which} policy, {name}, costs {more} more."
        return
    if best == BASELINE or gaps[second].value <= difference(columns, "cost_of_risk_mean", BASELINE, best).value:
        sentence = f"The next best programme, {name}, costs {more} more"
    else:
        sentence = f"After {name_of(columns, BASELINE)} comes {name}, which costs {more} more"
    policies = [k for k in gaps if _is_policy(columns, k)]
    if policies:
        third = min(policies, key=lambda k: gaps[k].value)
        which = "next best" if _is_policy(columns, best) else "cheapest"
        sentence += f"; the {which} policy, {name_of(columns, third)}, {amount(columns, gaps[third])} more"
    yield sentence + "."


def _is_policy(columns: Columns, programme: int) -> bool:
    return isinstance(columns.result.study.programmes[programme], Policy)


def _tail(columns: Columns, programme: int) -> Iterator[str]:
    before = tail_value_at_risk(columns.sample("retained_loss", BASELINE), TAIL_LEVEL).estimate()
    change = difference(columns, "retained_loss_tail_value_at_risk", programme, BASELINE, TAIL_LEVEL)
    part = abs(change.value) / before.value if before.value > 0.0 else math.nan
    verb = "takes" if change.value < 0.0 else "adds"
    relative = f" ({share(part)})" if math.isfinite(part) else ""
    off = "off" if change.value < 0.0 else "to"
    doubt = doubt_of(change)
    yield (
        f"In the worst 1 % of scenarios the retained loss averages {amount(columns, before)} under "
        f"{name_of(columns, BASELINE)}; {name_of(columns, programme)} {verb} {amount(columns, change)}{relative} {off} "
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
            f"The probability that cash runs short hardly moves: {texts[0]} under {name_of(columns, BASELINE)}, "
            f"{texts[1]} under {name_of(columns, programme)}, a change within sampling noise."
        )
        yield from _reserves(columns, programme)
        return
    word = "falls" if change.value < 0.0 else "rises"
    yield (
        f"The probability that cash runs short {word} from {texts[0]} under {name_of(columns, BASELINE)} to {texts[1]} "
        f"under {name_of(columns, programme)}."
    )
    yield from _reserves(columns, programme)


def _reserves(columns: Columns, programme: int) -> Iterator[str]:
    """A reserve is cash too: say so where it differs, or the comparison of shortfalls misleads."""
    held = [reserve_in_cash(columns.result.study, k) for k in (BASELINE, programme)]
    if held[0] == held[1]:
        return
    texts = [money(columns, reserve) if reserve else "none" for reserve in held]
    yield (
        f"A reserve counts as cash from the first day: {texts[0]} under "
        f"{name_of(columns, BASELINE)}, {texts[1]} under {name_of(columns, programme)}."
    )


def _stresses(result: Result, best: int) -> Iterator[str]:
    """Whether the answer stands when the world is worse, or better."""
    if len(result.programmes) == 1 or not result.stresses:
        return
    answers = {name: cheapest(Columns(stress)) for name, stress in result.stresses.items()}
    kept = [name for name, index in answers.items() if index == best]
    if kept:
        yield f"{result.programmes[best]} has the lowest cost of risk under {listed(kept)} conditions too."
    for name, index in answers.items():
        if index != best:
            yield f"Under {name} conditions it is {result.programmes[index]} that has the lowest cost of risk."


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
