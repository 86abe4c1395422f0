"""What each figure says, in a sentence or two of numbers: for those who hear the page instead of seeing it."""

from __future__ import annotations

from collections.abc import Callable, Mapping

import pandas as pd

from simulator.report.blocks import records
from simulator.report.figures.contributions import TABLES
from simulator.report.figures.cost import COMPONENTS
from simulator.report.figures.gap import STEPS
from simulator.report.numbers import short_date, short_money, short_percent


def _curves(data: pd.DataFrame) -> str:
    parts = []
    for name, rows in data.groupby("curve", sort=False):
        at = rows.iloc[(rows["probability"] - 0.01).abs().to_numpy().argmin()]
        chance = short_percent(float(at["probability"]))
        parts.append(f"{name}: more than {short_money(float(at['loss']))} with a probability of {chance}")
    return "; ".join(parts) + "."


def _fan(data: pd.DataFrame) -> str:
    last = data.iloc[-1]
    low, high, median = (short_money(float(last[c])) for c in ("low", "high", "median"))
    return f"On {short_date(last['date'])} the median is {median}, the pale band runs from {low} to {high}."


def _path(data: pd.DataFrame) -> str:
    parts = []
    for name, rows in data.groupby("programme", sort=False):
        cash, dates = rows["cash"].to_numpy(), rows["date"].tolist()
        lowest, day = short_money(float(cash.min())), short_date(dates[int(cash.argmin())])
        parts.append(f"{name}: lowest {lowest} on {day}, {short_money(float(cash[-1]))} at the end")
    return "; ".join(parts) + "."


def _over_time(data: pd.DataFrame) -> str:
    last = data.groupby("programme", sort=False).tail(1)
    listed = "; ".join(f"{r.programme} {short_percent(r.probability)}" for r in records(last))
    return f"On {short_date(last['date'].iloc[0])}: {listed}."


def _gap(data: pd.DataFrame) -> str:
    parts = []
    for view, words in (("average", "all scenarios"), ("tail", "worst 1 %")):
        rows = data[(data["view"] == view) & (data["step"] != "debt")]
        sizes = rows["start"] - rows["end"]
        shown = [f"{STEPS[s]} {short_percent(float(v))}" for s, v in zip(rows["step"], sizes, strict=True) if v != 0]
        parts.append(f"Of the debt, {words}: {', '.join(shown)}")
    return "; ".join(parts) + "."


def _timing(data: pd.DataFrame) -> str:
    parts = (
        f"{r.programme}: {short_money(r.in_horizon)} within the horizon, {short_money(r.indemnity)} in the end, "
        f"{short_money(r.handed_back)} handed back"
        for r in records(data)
    )
    return "; ".join(parts) + "."


def _paid(data: pd.DataFrame) -> str:
    parts = []
    for r in records(data):
        shares = [short_percent(v) for v in (r.headline, r.mean, r.median, r.low, r.high)]
        parts.append("{}: headline {}, mean {}, median {}, nine in ten between {} and {}".format(r.programme, *shares))
    return "; ".join(parts) + "."


def _in_time(data: pd.DataFrame) -> str:
    last = data.iloc[-1]
    come, short = short_percent(float(last["claims_come"])), float(last["first_shortfalls"])
    said = f"By {short_date(last['date'])} {come} of the net claims money has come"
    if short == 0.0:
        return said + "; cash never runs short."
    if not data["shortfalls_come"].notna().all():
        return said + "; too few scenarios run short of cash to say when."
    half = data[data["shortfalls_come"] >= 0.5].iloc[0]
    return (
        f"{said}. Half of the first shortfalls have happened by {short_date(half['date'])}, when "
        f"{short_percent(float(half['claims_come']))} of the claims money has come."
    )


def _cost(data: pd.DataFrame) -> str:
    parts = []
    for name, rows in data.groupby("programme", sort=False):
        listed = ", ".join(f"{COMPONENTS[r.component].casefold()} {short_money(r.amount)}" for r in records(rows))
        parts.append(f"{name}: {short_money(float(rows['amount'].sum()))} ({listed})")
    return "; ".join(parts) + "."


def _contributions(data: pd.DataFrame) -> str:
    listed = "; ".join(f"{r.name} {short_percent(r.tail_share)}" for r in records(data.head(5)))
    return f"{TABLES[data['table'].iloc[0]]} with the largest share of the worst 1 %: {listed}."


def _stresses(data: pd.DataFrame) -> str:
    share = data["measure"].iloc[0] == "shortfall_probability"
    written = short_percent if share else short_money
    listed = (f"{r.programme}, {r.stress}: {written(r.value)}" for r in records(data))
    return "; ".join(listed) + "."


#: Sentences by figure name; each takes the data that its drawing shows.
SAID: Mapping[str, Callable[[pd.DataFrame], str]] = {
    "exceedance": _curves,
    "largest_loss": _curves,
    "cash_fan": _fan,
    "cash_path": _path,
    "headroom_fan": _fan,
    "availability_fan": _fan,
    "shortfall": _over_time,
    "first_shortfall": _over_time,
    "gap": _gap,
    "share_paid": _paid,
    "claim_timing": _timing,
    "claims_in_time": _in_time,
    "cost": _cost,
    "contributions": _contributions,
    "stresses": _stresses,
}
