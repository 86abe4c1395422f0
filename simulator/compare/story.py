"""One scenario told: who failed or paid late, what was lost, what each programme paid, how cash went."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from simulator.constants import NEVER
from simulator.engine.replay import Replay

#: What is told of each programme; the first four also without cash.
RESULTS = (
    "indemnity", "indemnity_in_horizon", "retained_loss", "premium",
    "minimum_cash", "minimum_headroom", "shortfall_amount", "first_shortfall_period", "ending_cash",
)  # fmt: skip

if TYPE_CHECKING:
    import pandas as pd
    from rich.console import Console


def debt_table(replay: Replay) -> pd.DataFrame:
    """Every debt that went wrong in the scenario, in ledger order.

    Columns: buyer_id, buyer, invoice_id, issued, due, currency, amount (own currency), what_happened, on, paid,
    recovery_rate, loss (study currency).
    """
    import pandas as pd

    events, row, model = replay.block.events, replay.row, replay.model
    buyers, invoices, book, calendar = model.portfolio.buyers, model.portfolio.invoices, model.book, model.calendar
    horizon = calendar.horizon_days

    def date(day: int) -> str:
        return "" if day == NEVER else calendar.date(day).isoformat()

    rows = []
    for j in range(int(events.n_events[row])):
        b, i = int(events.buyer[row, j]), int(events.invoice[row, j])
        lost, paid, failed = (int(a[row, j]) for a in (events.loss_day, events.paid_day, events.default_day))
        if lost != NEVER:
            what = "insolvency" if lost == failed else "protracted default"
        else:
            what = "protracted, then paid" if events.protracted[row, j] else "paid late"
        rows.append(
            {
                "buyer_id": buyers.buyer_id[b],
                "buyer": buyers.name[b],
                "invoice_id": invoices.invoice_id[i] if len(invoices) else "",
                "issued": date(int(book.issue_day[i])) if len(invoices) else "",
                "due": date(int(book.due_day[i])),
                "currency": model.portfolio.currencies[int(book.currency[i])],
                "amount": float(book.amount[i]),
                "what_happened": what,
                "on": date(lost),
                "paid": date(paid) if paid <= horizon else ("after the horizon" if paid != NEVER else ""),
                "recovery_rate": float(events.recovery[row, j]),
                "loss": float(events.loss[row, j]),
            }
        )
    return pd.DataFrame(rows)


def programme_table(replay: Replay) -> pd.DataFrame:
    """What each programme made of the scenario: one row per result, one column per programme, study currency."""
    import pandas as pd

    block, row = replay.block, replay.row
    table = {
        "programme": [p.name for p in replay.model.study.programmes],
        "indemnity": block.policy.indemnity[row],
        "indemnity_in_horizon": block.policy.indemnity_in_horizon[row],
        "retained_loss": credit_loss(replay) - block.policy.indemnity[row],
        "premium": block.policy.premium[row],
    }
    if block.cash is not None:
        for name in RESULTS[4:]:
            table[name] = getattr(block.cash, name)[row]
    columns = pd.DataFrame(table).set_index("programme").T.rename_axis("result").reset_index()
    return columns.rename_axis(columns=None)


def credit_loss(replay: Replay) -> np.ndarray:
    """Gross loss of the scenario as the seller trades under each programme, [n_programmes]."""
    losses = replay.block.ledger.gross_loss.reshape(-1, len(replay.block.states.weight))
    return np.asarray(losses[replay.model.regime.of_programme, replay.row])


def tell(replay: Replay, console: Console) -> None:
    """Print the story of one scenario."""
    from rich.table import Table
    from rich.text import Text

    ledger, row, model = replay.block.ledger, replay.row, replay.model
    currency = model.study.study.currency
    console.print(f"[bold]Scenario {replay.scenario:,}[/bold] of {model.study.study.title}", highlight=False)
    console.print(
        f"{_state(replay)}\n"
        f"gross loss {ledger.gross_loss[row]:,.0f} {currency}; "
        f"{ledger.n_defaults[row]} insolvencies, {ledger.n_protracted[row]} protracted defaults",
        highlight=False,
        markup=False,
    )
    for line in debt_lines(debt_table(replay)):
        console.print(Text(line))
    table = Table(box=None, pad_edge=False, header_style="dim")
    frame = programme_table(replay)
    for column in frame.columns:
        table.add_column(Text(str(column).replace("_", " ")), justify="left" if column == "result" else "right")
    for values in frame.itertuples(index=False):
        table.add_row(*(Text(_shown(v)) for v in values))
    console.print(table)


def _state(replay: Replay) -> str:
    """The common state of the scenario in words."""
    if replay.model.script is not None:
        return "as the script tells it, nothing drawn"
    drivers = replay.block.states.drivers[replay.row]
    listed = ", ".join(
        f"{name} {value:+.2f}"
        for name, value in zip(replay.model.drivers, drivers, strict=True)
        if name == "global" or abs(value) > 2
    )
    return f"common state: {listed} (standard deviations; low is bad)"


def debt_lines(debts: pd.DataFrame) -> list[str]:
    """The debts as lines of text, buyer by buyer."""
    lines = []
    for _, of_buyer in debts.groupby("buyer_id", sort=False) if len(debts) else []:
        first = of_buyer.iloc[0]
        named = f"{first.buyer} ({first.buyer_id})" if first.buyer != first.buyer_id else str(first.buyer)
        lines.append(f"{named}, loss {of_buyer['loss'].sum():,.0f}")
        for debt in of_buyer.to_dict("records"):
            back = f", {debt['recovery_rate']:.0%} recovered" if debt["on"] else ""
            due = f"due {debt['due']}" if debt["due"] else ""
            amount = f"{debt['amount']:,.0f} {debt['currency']}"
            what = f"{debt['what_happened']} {debt['on'] or debt['paid']}{back}"
            lines.append(f"  {debt['invoice_id']:<12} {due:<14} {amount:>15}  {what}")
    return lines


def _shown(value: object) -> str:
    if isinstance(value, str):
        return value.replace("_", " ") if value in RESULTS else value
    number = float(str(value))
    return f"{number:.2f}" if abs(number) < 10 and number != int(number) else f"{number:,.0f}"
