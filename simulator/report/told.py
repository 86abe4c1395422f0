"""The page's parts for a scripted scenario: no probabilities, no errors, but every event and every claim."""

from __future__ import annotations

from collections.abc import Sequence

from simulator.compare.scripted import (
    abroad,
    cash_rows,
    claim_rows,
    event_rows,
    money,
    outcome_rows,
    shown_claims,
    shown_events,
)
from simulator.report.blocks import Block, Cell, Column, Row, Section, Table
from simulator.results.result import Result


def told_sections(result: Result, answer: Sequence[str], cash_path: Sequence[Block]) -> list[Section]:
    """The answer, what happens, what each policy pays, and cash period by period."""
    outcome = Block("table", _outcome(result))
    made = [
        Section("answer", "The answer", blocks=[Block("answer", list(answer)), outcome]),
        Section("events", "What happens", _LEAD, [Block("table", _events(result))]),
        Section("claims", "What each policy pays", blocks=[Block("table", table) for table in _claims(result)]),
    ]
    if result.has_cash:
        table = Block("table", _cash(result))
        made.append(Section("cash", "What happens to cash", blocks=[*cash_path, table]))
    return made


_LEAD = "As the script tells it, and what follows from it. Invoices that are paid as agreed are not listed."


def _outcome(result: Result) -> Table:
    rows = [Row(label, [Cell(text) for text in texts]) for label, texts in outcome_rows(result)]
    columns = [Column("", number=False), *(Column(name) for name in result.programmes)]
    note = f"{result.currency}. One scenario as told: every number is what happens in it."
    return Table("The programmes compared", columns, rows, note=note, full=True, stacked=True)


def _events(result: Result) -> Table:
    period = result.study.study.period.capitalize()
    heads = ("Date", "Buyer", "Event", "Invoice")
    columns = [Column(period, number=False), *(Column(head, number=False) for head in heads)]
    events, notes = shown_events(result, "page")
    if abroad(events, result.currency):
        columns += [Column("Amount"), Column("Value", unit=result.currency)]
        notes = ["Value at the day's exchange rate.", *notes]
    else:
        columns.append(Column("Amount", unit=result.currency))
    rows = []
    for number, *texts in event_rows(events, result.currency):
        words, amounts = texts[: len(heads)], texts[len(heads) :]
        rows.append(Row(number, [*(Cell(text, "text") for text in words), *(Cell(amount) for amount in amounts)]))
    return Table("Events in order", columns, rows, note=" ".join(notes), full=True)


def _claims(result: Result) -> list[Table]:
    tables = []
    claims = result.story["claims"]
    for programme, of_programme in claims.groupby("programme", sort=False):
        own = shown_claims(of_programme)
        named = [Column(str(claim["buyer"]), unit=_when_paid(claim["paid_on"])) for claim in own.to_dict("records")]
        rows = [Row(step, [Cell(text) for text in texts]) for step, *texts in claim_rows(own)]
        note = f"{result.currency}, in the order the claims are settled."
        if len(own) < len(of_programme):
            note += " The largest debts; every claim is in story/claims.csv in the run folder."
        columns = [Column("", number=False), *named, Column("Together")]
        tables.append(Table(str(programme), columns, rows, note=note, full=True, stacked=True))
    return tables


def _when_paid(day: object) -> str:
    """Below a buyer's name; nothing where several are summed up."""
    if not isinstance(day, str):
        return ""
    return f"paid {day}" if day else "not paid"


def _cash(result: Result) -> Table:
    period = result.study.study.period
    rows = []
    for number, day, amounts in cash_rows(result):
        rows.append(Row(str(number), [Cell(day, "text"), *(Cell(money(amount)) for amount in amounts)]))
    columns = [Column(period.capitalize(), number=False), Column("Date", number=False)]
    columns += [Column(name) for name in result.programmes]
    return Table(f"Cash at the end of each {period}", columns, rows, note=f"{result.currency}.", full=True, pinned=True)
