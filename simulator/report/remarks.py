"""Sentences that keep a reader from comparing what cannot be compared as it stands."""

from __future__ import annotations

import math

import numpy as np
import pandas as pd

from simulator.compare.scale import common_scale, scaled, with_unit
from simulator.measures.cost_of_risk import reserve_in_cash
from simulator.measures.estimate import effective_size
from simulator.report.numbers import full_money, long_date, short_percent
from simulator.results.result import Result

NOTABLE = 0.2  # of the highest probability: a smaller step needs no word
CLEAR = 2.0


def reserves(result: Result) -> str:
    """Reserves are cash, so shortfalls are not compared on equal cash where they differ; empty where they do not."""
    held = {
        p.name: reserve_in_cash(result.study, k)
        for k, p in enumerate(result.study.programmes)
        if p.name in result.programmes
    }
    if not result.has_cash or len(set(held.values())) < 2:
        return ""
    amounts: dict[float, list[str]] = {}
    for name, amount in held.items():
        amounts.setdefault(amount, []).append(name)
    parts = [
        (f"{result.currency} {full_money(amount)}" if amount else "none") + f" under {listed(names)}"
        for amount, names in amounts.items()
    ]
    return (
        "A programme's reserve counts as cash from the first day: "
        + "; ".join(parts)
        + ". Shortfalls, depths and liquidity at risk include it, so part of what sets programmes apart there is money "
        "set aside and not cover."
    )


def listed(names: list[str]) -> str:
    """Names as an enumeration: ``A, B and C``."""
    return names[0] if len(names) == 1 else ", ".join(names[:-1]) + " and " + names[-1]


def steepest_rise(result: Result) -> str:
    """The period in which the probability of a shortfall rises most under the baseline, and what is paid out in it.

    Outflows are read off the paths: mean collections less the change of median headroom, which drawing the line
    does not move. Empty where no step stands out of the noise, or where more comes in than goes out.
    """
    paths, name = result.paths, result.programmes[0]
    if "mean_collections" not in paths or paths.sizes["period"] < 2:
        return ""
    probability = paths["shortfall_probability"].sel(programme=name).to_numpy()
    rises = np.diff(probability)
    place = int(np.argmax(rises)) + 1
    rise = float(rises[place - 1])
    error = math.sqrt(max(rise, 0.0) / effective_size(result.scenarios["weight"].to_numpy()))
    if rise <= CLEAR * error or rise < NOTABLE * float(probability.max()):
        return ""
    headroom = paths["headroom"].sel(programme=name).sel(quantile=0.5, method="nearest").to_numpy()
    fall = float(headroom[place - 1] - headroom[place])
    collected = float(paths["mean_collections"].to_numpy()[place])
    if fall <= 0.0:
        return ""
    amounts = (collected, collected + fall)
    scale = common_scale(amounts)
    coming, going = (
        f"{result.currency} {with_unit(scaled(float(f'{a:.3g}'), 0.0, scale), scale)}" if round(a) else "nothing"
        for a in amounts
    )
    period = result.study.study.period
    day = long_date(pd.Timestamp(paths["period"].to_numpy()[place]).date())
    before, after = (short_percent(float(p)) for p in probability[place - 1 : place + 1])
    return (
        f"The steepest step under {name} is in the {period} to {day}, from {before} to {after}: about {going} leaves "
        f"the bank in that {period}, {coming} is collected on average. Supplier payments, operating costs, other "
        "planned outflows and premium instalments are known in advance and lumpy; such a step is theirs as much as the "
        "buyers'."
    )


def worth(result: Result) -> str:
    """Number of scenarios, with the number of equal ones they are worth where they are weighted."""
    weight = result.scenarios["weight"].to_numpy()
    size = effective_size(weight)
    text = full_money(weight.size)
    return text if size >= weight.size - 0.5 else f"{text}, weighted: worth {full_money(size)} equal ones"
