"""The portfolio profile on a terminal, with rich. Names from the ledger are printed as plain text, never as markup."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from rich.console import Console
from rich.table import Table
from rich.text import Text

Row = dict[str, Any]
#: Rows of the longer tables that a terminal shows.
SHOWN = 10


def show(profile: Row, console: Console) -> None:
    """Print every table of a profile (see :func:`simulator.ledger.profile.build_profile`)."""
    code = profile["currency"]
    head = f"Portfolio on {profile['as_of']}: {profile['buyers']:,} buyers, "
    if profile["mode"] == "ledger":
        head += f"{profile['open_items']:,} open items, "
    console.print(Text(head + f"{code} {_money(profile['exposure'])} exposure", style="bold"))
    for file in profile["files"]:
        _file(file, console)
    if profile["mode"] == "ledger":
        _ledger_tables(profile, code, console)
    spread = profile["concentration"]
    console.print(
        Text(
            f"Concentration: largest {_percent(spread['largest_share'])}, ten largest "
            f"{_percent(spread['top_10_share'])}, HHI {spread['hhi']:.4f} "
            f"(as {spread['effective_buyers']:.0f} equal buyers)"
        )
    )
    top = [[r["buyer_id"], r["name"], r["country"], r["rating"], _money(r["exposure"]), _percent(r["share"]),
            _percent(r["overdue"]), _limit(r["credit_limit"])] for r in profile["top_buyers"]]  # fmt: skip
    heads = ("buyer", "name", "country", "rating", code, "share", "overdue", "limit")
    _table(console, "Largest buyers", heads, top, 4)
    for key, name in (("by_country", "country"), ("by_sector", "sector"), ("by_rating", "rating")):
        rows = profile[key]
        if len(rows) > 1:
            body = [[r[name], f"{r['buyers']:,}", _money(r["exposure"]), _percent(r["share"]), _percent(r["overdue"])]
                    for r in rows[:SHOWN]]  # fmt: skip
            title = f"By {name}" + (f" ({SHOWN} of {len(rows)})" if len(rows) > SHOWN else "")
            _table(console, title, (name, "buyers", code, "share", "overdue"), body, 1)
    _closing(profile, code, console)


def _file(file: Row, console: Console) -> None:
    how = file["encoding"] + (f", separated by {file['delimiter']!r}" if file["delimiter"] else "")
    console.print(Text(f"{file['what']}: {file['file']}, {file['lines']:,} lines ({how})"))
    mapped = ", ".join(f"{name} ← {header}" if name != header else name for name, header in file["columns"].items())
    console.print(Text(f"  columns: {mapped}"))
    if file["unused"]:
        console.print(Text(f"  not used: {', '.join(file['unused'])}"))


def _ledger_tables(profile: Row, code: str, console: Console) -> None:
    rows = [[r["currency"], f"{r['items']:,}", f"{r['buyers']:,}", _money(r["own"], 2),
             "no rate" if r["rate"] is None else f"{r['rate']:.6g}", _money(r["amount"])]
            for r in profile["by_currency"]]  # fmt: skip
    _table(console, "Open by currency", ("currency", "items", "buyers", "own currency", "rate", code), rows, 1)
    rows = [[r["bucket"], f"{r['items']:,}", _money(r["amount"]), _percent(r["share"]), _money(r["disputed"])]
            for r in profile["ageing"]]  # fmt: skip
    _table(console, "Ageing (days past due)", ("days", "items", code, "share", "disputed"), rows, 1)
    rows = [[r["currency"], _money(r["invoices"]), _less(r["excluded_invoices"]), _less(r["applied"]),
             _money(r["open"]), _dash(r["unused_credits"]), _money(r["difference"], 2)]
            for r in profile["reconciliation"]]  # fmt: skip
    heads = ("currency", "invoices", "left out", "credits", "= open", "unused credits", "difference")
    _table(console, "Reconciliation to the file (own currency)", heads, rows, 1)
    rows = [[r["reason"], r["kind"], r["currency"], f"{r['lines']:,}", _money(r["own"], 2), str(r["first_line"])]
            for r in profile["excluded"]]  # fmt: skip
    if rows:
        _table(console, "Left out", ("reason", "kind", "currency", "lines", "amount", "first line"), rows, 3)


def _closing(profile: Row, code: str, console: Console) -> None:
    for row in profile["missing"]:
        console.print(
            Text(f"Blank: {row['column']} for {row['buyers']:,} buyers ({_percent(row['share'])} of exposure)")
        )
    limits = profile["limits"]
    console.print(
        Text(
            f"Limits: {limits['named']:,} named, {limits['no_cover']:,} zero (no cover), {limits['unlimited']:,} "
            f"unlimited, {limits['no_named_limit']:,} blank; {limits['over_limit_buyers']:,} buyers stand "
            f"{code} {_money(limits['over_limit'])} above theirs"
        )
    )
    silent = profile["buyers_without_items"]
    if silent["buyers"]:
        console.print(Text(f"Buyers without open items: {silent['buyers']:,}: {silent['first']}"))
    planned = profile["planned"]
    if "invoices" in planned:
        sources = ", ".join(f"{count:,} from {name}" for name, count in planned["annual_sales_from"].items())
        text = (
            f"Planned sales ({planned['mode']}): {planned['invoices']:,} invoices, {code} {_money(planned['amount'])}"
        )
        console.print(Text(text + (f"; annual sales: {sources}" if sources else "")))
    for note in profile["notes"]:
        console.print(Text(f"Note: {note}"))


def _money(value: float, digits: int = 0) -> str:
    return f"{value:,.{digits}f}"


def _dash(value: float) -> str:
    return _money(value) if value else "–"


def _less(value: float) -> str:
    return "−" + _money(value) if value else "–"


def _percent(value: float) -> str:
    return f"{100 * value:.1f} %"


def _limit(value: float | str) -> str:
    return value if isinstance(value, str) else _money(value)


def _table(console: Console, title: str, heads: Sequence[str], rows: Sequence[Sequence[str]], texts: int) -> None:
    """A table; the first ``texts`` columns are words, the rest numbers."""
    table = Table(title=Text(title), title_justify="left", box=None, pad_edge=False, header_style="dim")
    for at, head in enumerate(heads):
        table.add_column(Text(head), justify="left" if at < texts else "right", no_wrap=at >= texts)
    for row in rows:
        table.add_row(*(Text(cell) for cell in row))
    console.print(table)
