"""One scripted scenario in words and tables: what happens, what each programme pays, how cash goes."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from typing import TYPE_CHECKING, Literal

import numpy as np

from simulator.compare.words import share
from simulator.measures.columns import Columns
from simulator.measures.cost_of_risk import reserve_in_cash
from simulator.measures.digits import MINUS
from simulator.policy.gaps import GAP_STEPS
from simulator.study.calendar import Calendar

if TYPE_CHECKING:
    import pandas as pd
    from rich.console import Console
    from rich.table import Table

    from simulator.results.result import Result

#: Amounts smaller than that are rounding.
CENT = 0.005
#: Events and claims that are shown one by one; all of them are in the run folder.
MOST_EVENTS = {"console": 40, "page": 200}
MOST_CLAIMS = 6
#: Characters between columns, and down to which labels are wrapped where numbers need the room: a single column of
#: labels, several of them (a date is not wrapped), and what must be.
GAP, ALONE, AMONG, LEAST = 2, 24, 10, 8
NOTHING_DRAWN = "One scripted scenario: nothing is drawn, so there are no probabilities and no standard errors."
#: Steps of the waterfall as they are read.
STEP_WORDS = {
    "debt": "Debt claimed",
    "conversion": "at the policy's rate",
    "vat": "value added tax",
    "disputed": "disputed",
    "not_covered": "uncovered shipments",
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
    from simulator.study.schema import Policy

    columns = Columns(result)
    sentences = [_lost(columns)]
    for k, programme in enumerate(result.study.programmes):
        if isinstance(programme, Policy):
            sentences.append(_paid(columns, k))
    costs = [columns.cost_of_risk(k).value for k in range(columns.n_programmes)]
    best = int(np.argmin(costs))
    if columns.n_programmes > 1:
        listed = "; ".join(f"{name} {money(costs[k])}" for k, name in enumerate(result.programmes))
        sentences.append(f"{result.programmes[best]} costs least if this happens. Cost of risk: {listed}.")
    return [*sentences, *_shortfalls(columns), NOTHING_DRAWN]


def _lost(columns: Columns) -> str:
    loss, fx = (float(columns.sample_or_zero(name, -1).values[0]) for name in ("gross_loss", "fx_loss"))
    sentence = f"Debts of {money(loss)} {columns.result.currency} are lost, recoveries deducted"
    if abs(fx) < CENT:
        return sentence + "."
    verb = "take" if fx > 0 else "give back"
    return f"{sentence}; exchange rates {verb} {money(abs(fx))}, which makes a loss of {money(loss + fx)}."


def _paid(columns: Columns, programme: int) -> str:
    """What a policy pays, takes and costs, and what the loss comes to with it: claims and premium reconciled."""
    name = columns.result.programmes[programme]
    gross, net, premium, debt, conversion, retained = (
        float(columns.values(key, programme)[0])
        for key in ("indemnity_gross", "indemnity", "premium", "gap_debt", "gap_conversion", "retained_loss")
    )
    debt -= conversion
    rate = ", at the policy's rate" if abs(conversion) >= CENT else ""
    part = f" ({share(gross / debt)} of the debt claimed or lost{rate})" if debt > CENT else ""
    shared = f" and takes {money(gross - net)} of what is recovered" if gross - net >= CENT else ""
    retained += float(columns.sample_or_zero("fx_loss", -1).values[0])
    return (
        f"{name} pays {money(gross)}{part}{shared}, for a premium of {money(premium)}: "
        f"a loss of {money(retained + net)} becomes {money(retained + premium)}."
    )


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
    everyone, claims = range(columns.n_programmes), list[str]()
    yield "Gross loss", [money(float(columns.values("gross_loss", k)[0])) for k in everyone]
    for words, name in OUTCOMES:
        texts = (
            [money(float(np.atleast_1d(columns.values(name, k))[0])) for k in everyone] if columns.takes(name) else []
        )
        if texts and not (name == "indemnity" and texts == claims):  # nothing is recovered, or nothing of it shared
            yield words, texts
        if name == "indemnity_gross":
            claims = texts
    if columns.takes("shortfall_amount"):
        period, first = result.study.study.period, [columns.values("first_shortfall_period", k)[0] for k in everyone]
        yield "First shortfall", [f"{period} {int(t) + 1}" if t >= 0 else "never" for t in first]


def money(amount: float) -> str:
    """An amount, with its cents where it has any: 60,000 or 2,333.33. None (NaN) is blank."""
    if np.isnan(amount):
        return ""
    amount = round(amount, 2) + 0.0
    text = f"{abs(amount):,.0f}" if amount == int(amount) else f"{abs(amount):,.2f}"
    return MINUS + text if amount < 0.0 else text


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
    events, more = shown_events(result, "console")
    rows = event_rows(events, result.currency)
    heads = ["amount", result.currency] if abroad(events, result.currency) else [result.currency]
    _print(console, [period, "date", "buyer", "", "invoice", *heads], rows, numbers=len(heads))
    for note in more:
        console.print(Text(note, style="dim"))
    for programme, of_programme in result.story["claims"].groupby("programme", sort=False):
        console.print(Text(f"\nClaims, {programme} ({result.currency})", style="bold"))
        claims = shown_claims(of_programme)
        named = [f"{c['buyer']} {c['date_of_loss']}".strip() for c in claims.to_dict("records")]
        _print(console, ["", *named, "total"], claim_rows(claims), numbers=len(named) + 1)
    if result.has_cash:
        console.print(Text(f"\nCash at the end of each {period} ({result.currency})", style="bold"))
        rows = [[str(t), day, *(money(a) for a in amounts)] for t, day, amounts in cash_rows(result)]
        _print(console, [period, "date", *result.programmes], rows, numbers=len(result.programmes))


def shown_events(result: Result, place: str) -> tuple[pd.DataFrame, list[str]]:
    """The first events, as many as are shown at a place (console or page), and what is to be said of the list."""
    events = result.story["events"]
    most, notes = MOST_EVENTS[place], []
    if len(events) > most:
        notes.append(f"… and {len(events) - most:,} more: story/events.csv in the run folder.")
    shown, script = events.head(most), result.study.script
    if script is not None and (script.payments or script.recoveries):
        numbered = shown["invoice_id"].astype(str).str.extract(r"^(.+)/(\d+)$").dropna()
        if len(numbered):
            name, part = numbered.iloc[0]
            notes.append(f"Invoices that are paid or recovered in parts are numbered: {name}/{part} is part {part} of "
                         f"{name}.")  # fmt: skip
    return shown, notes


def shown_claims(claims: pd.DataFrame) -> pd.DataFrame:
    """One programme's claims as they are shown: the largest debts, in the order they are settled, and the others' sum.

    The sum stands in a last row that has no dates.
    """
    import pandas as pd

    if len(claims) <= MOST_CLAIMS + 1:
        return claims
    largest = claims["debt"].sort_values(ascending=False, kind="stable").index[:MOST_CLAIMS]
    kept, others = claims[claims.index.isin(largest)], claims[~claims.index.isin(largest)]
    rest = others[list(GAP_STEPS)].sum().to_dict() | {"buyer": f"{len(others):,} others", "date_of_loss": ""}
    return pd.concat([kept, pd.DataFrame([rest])], ignore_index=True)


def abroad(events: pd.DataFrame, currency: str) -> bool:
    """Whether any event is in another currency than the study's."""
    return not set(events["currency"].astype(str)) <= {"", currency}


def event_rows(events: pd.DataFrame, home: str) -> list[list[str]]:
    """The events as texts: period, date, buyer, what, invoice, amount; where some are foreign, also value at home."""
    texts = ("buyer", "what", "invoice_id", "currency")
    rows, foreign = [], abroad(events, home)
    for event in events.to_dict("records"):
        buyer, what, invoice, currency = (str(event[key]) for key in texts)
        amount, value = float(event["amount"]), float(event["value"])
        shown = f"{amount:.6g}" if what.startswith("rate") else money(amount)
        written = f"{shown} {currency}".strip() if shown and foreign else shown
        row = [str(event["period"]), str(event["date"]), buyer, what, invoice, written]
        rows.append([*row, money(value)] if foreign else row)
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
    """Print a table whose last columns are numbers: never cut; where they do not fit, they go on in a further table."""
    from rich.table import Table
    from rich.text import Text

    cells = [heads, *rows]
    labels, widths = len(heads) - numbers, _widths(cells, numbers, console.width)
    start = labels
    while start < len(heads):
        stop, room = start + 1, console.width - sum(w + GAP for w in widths[:labels]) - widths[start]
        while stop < len(heads) and (room := room - widths[stop] - GAP) >= 0:
            stop += 1
        shown = [*range(labels), *range(start, stop)]
        table: Table = Table(box=None, pad_edge=False, header_style="dim")
        for at in shown:
            justify: Literal["left", "right"] = "right" if at >= labels else "left"
            table.add_column(Text(heads[at]), justify=justify, width=widths[at], overflow="fold")
        for row in cells[1:]:
            table.add_row(*(Text(row[at]) for at in shown))
        if start > labels:
            console.print()
        console.print(table)
        start = stop


def _widths(cells: list[list[str]], numbers: int, room: int) -> list[int]:
    """Widths of the columns: of numbers what the longest needs, headings wrapped; labels give way down to a least."""
    from rich.cells import cell_len

    labels = len(cells[0]) - numbers
    widths = [max(map(cell_len, column)) for column in zip(*cells, strict=True)]
    for at in range(labels, len(widths)):
        widths[at] = max([cell_len(row[at]) for row in cells[1:]] + [cell_len(word) for word in cells[0][at].split()])
    wide = [at for at in range(labels) if widths[at] > AMONG]
    # several labels make way for all numbers; one alone is printed again beside those that do not fit
    together = numbers if labels > 1 else 1
    for least, shown in ((ALONE if labels == 1 else AMONG, numbers), (LEAST, together)):
        needed = sum(sorted(widths[labels:])[-shown:]) + GAP * (labels + shown - 1)
        while sum(widths[:labels]) + needed > room and any(widths[at] > least for at in wide):
            widths[max(wide, key=lambda at: widths[at])] -= 1
    return widths
