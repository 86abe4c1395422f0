"""One scripted scenario in words and tables: what happens, what each programme pays, how cash goes."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from typing import TYPE_CHECKING

import numpy as np

from simulator.measures.columns import Columns
from simulator.measures.cost_of_risk import reserve_in_cash
from simulator.policy.gaps import GAP_STEPS
from simulator.study.calendar import Calendar
from simulator.study.schema import Policy

if TYPE_CHECKING:
    import pandas as pd
    from rich.console import Console
    from rich.table import Table

    from simulator.results.result import Result

#: Amounts smaller than that are rounding.
CENT = 0.005
NOTHING_DRAWN = "One scripted scenario: nothing is drawn, so there are no probabilities and no standard errors."
#: Steps of the waterfall as they are read.
STEP_WORDS = {
    "debt": "Debt on the date of loss",
    "conversion": "at the policy's rate",
    "vat": "value added tax",
    "disputed": "disputed",
    "not_covered": "not covered",
    "limit_cancelled": "limit taken back",
    "over_limit": "above the limit",
    "non_qualifying": "non-qualifying",
    "coinsurance": "co-insurance",
    "each_and_every": "each-and-every first loss",
    "minimum_retention": "minimum retention",
    "aggregate_first_loss": "aggregate first loss",
    "maximum_liability": "above maximum liability",
    "notification": "notified too late",
    "insurer_default": "insurer's default",
    "indemnity": "Indemnity",
}


def verdict_of_script(result: Result) -> list[str]:
    """Sentences on a scripted scenario: what is lost, what each programme pays and costs, when cash runs short."""
    columns, currency = Columns(result), result.currency
    loss = float(columns.values("gross_loss")[0])
    sentences = [NOTHING_DRAWN, f"Debts of {money(loss)} {currency} are lost, recoveries deducted."]
    if columns.has("fx_loss") and abs(fx := float(columns.values("fx_loss")[0])) >= CENT:
        sentences[-1] += f" Exchange rates {'take' if fx > 0 else 'add'} {money(abs(fx))} more."
    for k, programme in enumerate(result.study.programmes):
        if isinstance(programme, Policy):
            sentences.append(_paid(columns, k))
    costs = [columns.cost_of_risk(k).value for k in range(columns.n_programmes)]
    best = int(np.argmin(costs))
    if columns.n_programmes > 1:
        listed = "; ".join(f"{name} {money(costs[k])}" for k, name in enumerate(result.programmes))
        sentences.append(f"{result.programmes[best]} costs least if this happens. Cost of risk: {listed}.")
    return [*sentences, *_shortfalls(columns)]


def _paid(columns: Columns, programme: int) -> str:
    name = columns.result.programmes[programme]
    gross, net, premium, debt = (
        float(columns.values(key, programme)[0]) for key in ("indemnity_gross", "indemnity", "premium", "gap_debt")
    )
    debt -= float(columns.values("gap_conversion", programme)[0])
    share = f" ({gross / debt:.0%} of the debt claimed or lost, at the policy's rate)" if debt > CENT else ""
    shared = f" and takes {money(gross - net)} of what is recovered" if gross - net >= CENT else ""
    return f"{name} pays {money(gross)}{share}{shared}, for a premium of {money(premium)}."


def _shortfalls(columns: Columns) -> Iterator[str]:
    if not columns.has("shortfall_amount"):
        return
    period = columns.result.study.study.period
    short: list[str] = []
    for k, name in enumerate(columns.result.programmes):
        depth = float(columns.values("shortfall_amount", k)[0])
        if depth > 0.0:
            first = int(columns.values("first_shortfall_period", k)[0]) + 1
            short.append(f"{name} from {period} {first}, at worst by {money(depth)}")
    if not short:
        yield "Cash and undrawn credit stay above the minimum under every programme."
    else:
        yield f"Cash and undrawn credit fall below the minimum: {'; '.join(short)}."


#: What is told of each programme: words, variable.
OUTCOMES = (
    ("Claims paid", "indemnity_gross"),
    ("Claims less the insurer's share of recoveries", "indemnity"),
    ("Premium, tax and fees", "premium"),
    ("Retained loss", "retained_loss"),
    ("Net interest", "financing_cost"),
    ("Cost of trade terms", "trade_cost"),
    ("Lost margin", "lost_margin"),
    ("Cost of reserve", "reserve_cost"),
    ("Cost of risk", "cost_of_risk"),
    ("Lowest cash", "minimum_cash"),
    ("Deepest shortfall", "shortfall_amount"),
    ("Closing cash", "ending_cash"),
)


def outcome_rows(result: Result) -> Iterator[tuple[str, list[str]]]:
    """What comes out under each programme: words and one text per programme; rows that are nothing are left out."""
    columns = Columns(result)
    everyone = range(columns.n_programmes)
    yield "Gross loss", [money(float(columns.values("gross_loss", k)[0])) for k in everyone]
    for words, name in OUTCOMES:
        if columns.takes(name):
            yield words, [money(float(np.atleast_1d(columns.values(name, k))[0])) for k in everyone]
    if columns.takes("shortfall_amount"):
        period, first = result.study.study.period, [columns.values("first_shortfall_period", k)[0] for k in everyone]
        yield "First shortfall", [f"{period} {int(t) + 1}" if t >= 0 else "never" for t in first]


def money(amount: float) -> str:
    """An amount, with its cents where it has any: 60,000 or 2,333.33. None (NaN) is blank."""
    if np.isnan(amount):
        return ""
    amount = round(amount, 2) + 0.0
    return f"{amount:,.0f}" if amount == int(amount) else f"{amount:,.2f}"


def cash_rows(result: Result) -> Iterator[tuple[int, str, list[float]]]:
    """Closing cash by period: its number, its last day, and the amount under each programme; first the opening."""
    paths, study = result.paths, result.study
    opening = study.liquidity.opening_cash
    yield 0, study.study.as_of.isoformat(), [opening + reserve_in_cash(study, p) for p in range(len(study.programmes))]
    cash = paths["mean_cash"].transpose("period", "programme").to_numpy()
    for t, day in enumerate(Calendar.of(result.study).period_dates):
        yield t + 1, day.isoformat(), cash[t].tolist()


def render_script(result: Result, console: Console) -> None:
    """Print the scenario: the answer in words, its events, the claims of every policy, cash by period."""
    from rich.text import Text

    console.print(Text(result.study.study.title, style="bold"))
    for sentence in verdict_of_script(result):
        console.print(Text("• " + sentence))
    rows = [[words, *texts] for words, texts in outcome_rows(result)]
    console.print(Text(f"\nWhat comes out ({result.currency})", style="bold"))
    _print(console, ["", *result.programmes], rows, numbers=len(result.programmes))
    period = result.study.study.period
    console.print(Text("\nWhat happens", style="bold"))
    events = result.story["events"]
    _print(console, [period, "date", "buyer", "", "invoice", "amount", result.currency], event_rows(events), numbers=2)
    claims = result.story["claims"]
    for programme, of_programme in claims.groupby("programme", sort=False):
        console.print(Text(f"\nClaims, {programme} ({result.currency})", style="bold"))
        named = [f"{c['buyer']} {c['date_of_loss']}".strip() for c in of_programme.to_dict("records")]
        _print(console, ["", *named, "total"], claim_rows(of_programme), numbers=len(named) + 1)
    if result.has_cash:
        console.print(Text(f"\nCash at the end of each {period} ({result.currency})", style="bold"))
        rows = [[str(t), day, *(money(a) for a in amounts)] for t, day, amounts in cash_rows(result)]
        _print(console, [period, "date", *result.programmes], rows, numbers=len(result.programmes))


def event_rows(events: pd.DataFrame) -> list[list[str]]:
    """The events as texts: period, date, buyer, what, invoice, amount, value in study currency."""
    texts = ("buyer", "what", "invoice_id", "currency")
    rows = []
    for event in events.to_dict("records"):
        buyer, what, invoice, currency = (str(event[key]) for key in texts)
        amount, value = float(event["amount"]), float(event["value"])
        shown = f"{amount:.6g}" if what.startswith("rate") else money(amount)
        written = f"{shown} {currency}".strip() if shown else ""
        rows.append([str(event["period"]), str(event["date"]), buyer, what, invoice, written, money(value)])
    return rows


def claim_rows(claims: pd.DataFrame) -> list[list[str]]:
    """Steps of one programme's waterfall as texts, one column per claim and their total; empty steps are left out."""
    rows = []
    for step in GAP_STEPS:
        amounts = [*claims[step].tolist(), float(claims[step].sum())]
        if step in ("debt", "indemnity") or any(abs(a) >= CENT for a in amounts):
            sign = 1.0 if step in ("debt", "indemnity") else -1.0
            rows.append([STEP_WORDS[step], *(money(sign * a) for a in amounts)])
    return rows


def _print(console: Console, heads: list[str], rows: Iterable[list[str]], numbers: int) -> None:
    from rich.table import Table
    from rich.text import Text

    table: Table = Table(box=None, pad_edge=False, header_style="dim")
    for at, head in enumerate(heads):
        table.add_column(Text(head), justify="right" if at >= len(heads) - numbers else "left")
    for row in rows:
        table.add_row(*(Text(cell) for cell in row))
    console.print(table)
