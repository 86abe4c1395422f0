"""The portfolio profile: what the ledger holds, reconciled to the file, and what was left out.

A dictionary of plain tables (lists of rows with plain values), so that the command line, the report and a test read
the same thing. Sums are exact: they are made of decimals, never of floating-point numbers.
"""

from __future__ import annotations

import datetime as dt
import math
from bisect import bisect_left
from collections import defaultdict
from decimal import Context, Decimal
from typing import TYPE_CHECKING, Any

from simulator.ledger.buyers import Loaded
from simulator.ledger.codes import INVOICE
from simulator.ledger.items import PART_SETTLED, TOTAL, Items
from simulator.ledger.reading import numbered

if TYPE_CHECKING:
    from rich.console import Console

    from simulator.ledger.load import Ledger
    from simulator.ledger.planned import Planned

AGEING = (("not due", 0), ("1-30", 30), ("31-60", 60), ("61-90", 90), ("91-180", 180), ("> 180", math.inf))
_EXACT = Context(prec=80)
Row = dict[str, Any]


def reconcile(items: Items) -> list[dict[str, Any]]:
    """By currency, in exact decimals: what the file holds and where each part of it went.

    ``invoices = open + applied credits + excluded invoices`` and
    ``credits = applied credits + unused credits + excluded credits``; ``difference`` is what is left and is zero.
    Part payments count as excluded.
    """
    tables: dict[str, dict[str, Decimal]] = {}
    keys = ("invoices", "credits", "open", "applied", "excluded_invoices", "excluded_credits", "unused_credits")
    columns = zip(items.currency, items.kind, items.amount, items.open_, items.net, items.applied, strict=True)
    for currency, kind, whole, left, net, applied in columns:
        sums = tables.setdefault(currency, dict.fromkeys(keys, Decimal(0)))
        if kind == INVOICE:
            _add(sums, "invoices", whole)
            _add(sums, "open", net)
            if whole != left:
                _add(sums, "excluded_invoices", _EXACT.subtract(whole, left))
        else:
            _add(sums, "credits", whole)
            _add(sums, "applied", applied)
            _add(sums, "excluded_credits", _EXACT.subtract(whole, left))
            _add(sums, "unused_credits", _EXACT.subtract(left, applied))
    rows = []
    for currency, sums in sorted(tables.items()):
        both = _EXACT.subtract(sums["invoices"], sums["credits"])
        parts = _EXACT.subtract(sums["open"], sums["unused_credits"])
        parts = _EXACT.add(parts, _EXACT.subtract(sums["excluded_invoices"], sums["excluded_credits"]))
        rows.append({"currency": currency, **sums, "net_of_file": both, "difference": _EXACT.subtract(both, parts)})
    return rows


def _add(sums: dict[str, Decimal], key: str, value: Decimal) -> None:
    sums[key] = _EXACT.add(sums[key], value)


def ledger_profile(loaded: Loaded) -> dict[str, Any]:
    """Profile of a study's ledger without laying out arrays or planning sales: quick, compiles nothing.

    Raises:
        InputError: with every problem of the ledger files.
    """
    from simulator.ledger.load import read_ledger

    return build_profile(loaded, read_ledger(loaded), None)


def build_profile(loaded: Loaded, ledger: Ledger, planned: Planned | None) -> dict[str, Any]:
    """All tables of the profile; amounts without a currency named are in study currency at spot.

    Args:
        loaded: the study.
        ledger: the files as read.
        planned: planned sales, where they are known already.
    """
    items, buyers = ledger.items, ledger.buyers
    constant = loaded.study.portfolio.exposure == "constant"
    open_at = [at for at, net in enumerate(items.net) if net > 0]
    exposure = [0.0] * len(buyers)
    overdue = [0.0] * len(buyers)
    for at in open_at:
        buyer = buyers.index[items.buyer_id[at]]
        value = float(items.net[at]) * _known(ledger.rate(items.currency[at]))
        exposure[buyer] += value
        overdue[buyer] += value if items.due[at] < ledger.as_of else 0.0
    if constant:
        exposure = [0.0 if math.isnan(v) else v for v in buyers.numbers["exposure"]]
    total = math.fsum(exposure)
    unknown = sorted({items.currency[at] for at in open_at} - set(ledger.rates))
    notes = [*ledger.notes, *(planned.notes if planned else [])]
    if unknown:
        notes.append(f"no rate in fx.rates for {', '.join(unknown)}: counted as zero in study currency")
    return {
        "as_of": dt.date.fromordinal(ledger.as_of).isoformat(),
        "currency": ledger.currency,
        "mode": loaded.study.portfolio.exposure,
        "buyers": len(buyers),
        "open_items": len(open_at),
        "exposure": total,
        "disputed": math.fsum(
            float(items.net[at]) * _known(ledger.rate(items.currency[at])) for at in open_at if items.disputed[at]
        ),
        "files": _files(ledger),
        "by_currency": _by_currency(ledger, open_at),
        "ageing": _ageing(ledger, open_at),
        "concentration": _concentration(exposure, total),
        "top_buyers": _top_buyers(ledger, exposure, overdue, total),
        "by_country": _grouped(buyers.texts["country"], exposure, overdue, total, "country"),
        "by_sector": _grouped(buyers.texts["sector"], exposure, overdue, total, "sector"),
        "by_rating": _grouped(buyers.texts["rating"], exposure, overdue, total, "rating"),
        "missing": _missing(loaded, ledger, exposure, total),
        "limits": _limits(ledger, exposure),
        "excluded": _excluded(ledger),
        "reconciliation": [
            {key: value if key == "currency" else float(value) for key, value in row.items()}
            for row in reconcile(items)
        ],
        "buyers_without_items": _silent(ledger, exposure) if not constant else {"buyers": 0, "first": ""},
        "planned": _planned(loaded, planned),
        "notes": notes,
    }


def _known(rate: float) -> float:
    return 0.0 if math.isnan(rate) else rate


def _share(part: float, total: float) -> float:
    return part / total if total > 0 else 0.0


def _files(ledger: Ledger) -> list[Row]:
    return [
        {
            "what": what,
            "file": table.file,
            "encoding": table.encoding,
            "delimiter": table.delimiter,
            "lines": len(table),
            "columns": dict(columns.headers),
            "unused": list(columns.unused),
        }
        for what, table, columns in ledger.files
    ]


def _by_currency(ledger: Ledger, open_at: list[int]) -> list[Row]:
    items = ledger.items
    sums: dict[str, Decimal] = defaultdict(Decimal)
    lines: dict[str, int] = defaultdict(int)
    owners: dict[str, set[str]] = defaultdict(set)
    for at in open_at:
        code = items.currency[at]
        sums[code] = _EXACT.add(sums[code], items.net[at])
        lines[code] += 1
        owners[code].add(items.buyer_id[at])
    rows = []
    for code in sums:
        rate = ledger.rate(code)
        own = float(sums[code])
        rows.append(
            {
                "currency": code,
                "items": lines[code],
                "buyers": len(owners[code]),
                "own": own,
                "rate": None if math.isnan(rate) else rate,
                "amount": own * _known(rate),
            }
        )
    return sorted(rows, key=lambda row: (-row["amount"], row["currency"]))


def _ageing(ledger: Ledger, open_at: list[int]) -> list[Row]:
    """Days past the due date; an item due on ``as_of`` is not overdue yet."""
    items = ledger.items
    limits = [most for _, most in AGEING]
    amounts, counts = [0.0] * len(AGEING), [0] * len(AGEING)
    disputed = [0.0] * len(AGEING)
    for at in open_at:
        late = ledger.as_of - items.due[at]
        bucket = bisect_left(limits, late)
        value = float(items.net[at]) * _known(ledger.rate(items.currency[at]))
        amounts[bucket] += value
        counts[bucket] += 1
        disputed[bucket] += value if items.disputed[at] else 0.0
    total = math.fsum(amounts)
    return [
        {
            "bucket": name,
            "items": counts[i],
            "amount": amounts[i],
            "share": _share(amounts[i], total),
            "disputed": disputed[i],
        }
        for i, (name, _) in enumerate(AGEING)
    ]


def _concentration(exposure: list[float], total: float) -> Row:
    """Shares of the largest buyers and the Herfindahl-Hirschman index, the sum of squared shares."""
    ranked = sorted(exposure, reverse=True)
    hhi = math.fsum(_share(value, total) ** 2 for value in ranked)
    return {
        "largest_share": _share(ranked[0], total) if ranked else 0.0,
        "top_10_share": _share(math.fsum(ranked[:10]), total),
        "top_50_share": _share(math.fsum(ranked[:50]), total),
        "hhi": hhi,
        "effective_buyers": 1.0 / hhi if hhi > 0 else 0.0,
    }


def _top_buyers(ledger: Ledger, exposure: list[float], overdue: list[float], total: float) -> list[Row]:
    buyers = ledger.buyers
    order = sorted(range(len(buyers)), key=lambda b: (-exposure[b], buyers.buyer_id[b]))[:10]
    return [
        {
            "buyer_id": buyers.buyer_id[b],
            "name": buyers.texts["name"][b],
            "country": buyers.texts["country"][b],
            "rating": buyers.texts["rating"][b],
            "exposure": exposure[b],
            "share": _share(exposure[b], total),
            "overdue": _share(overdue[b], exposure[b]),
            "credit_limit": _limit_text(buyers.numbers["credit_limit"][b]),
        }
        for b in order
        if exposure[b] > 0
    ]


def _limit_text(limit: float) -> float | str:
    return "" if math.isnan(limit) else "unlimited" if math.isinf(limit) else limit


def _grouped(labels: list[str], exposure: list[float], overdue: list[float], total: float, key: str) -> list[Row]:
    groups: dict[str, list[int]] = defaultdict(list)
    for at, label in enumerate(labels):
        groups[label].append(at)
    rows = []
    for label, members in groups.items():
        amount = math.fsum(exposure[b] for b in members)
        late = math.fsum(overdue[b] for b in members)
        rows.append(
            {
                key: label or "(blank)",
                "buyers": len(members),
                "exposure": amount,
                "share": _share(amount, total),
                "overdue": _share(late, amount),
            }
        )
    return sorted(rows, key=lambda row: (-row["exposure"], row[key]))


def _missing(loaded: Loaded, ledger: Ledger, exposure: list[float], total: float) -> list[Row]:
    """Columns with blanks that the defaults do not fill, and how much exposure stands behind them.

    ``pd_annual`` counts only where PDs come from it; a wholly blank ``lgd`` means that the study's recovery applies.
    """
    buyers = ledger.buyers
    blanks = {name: [not text for text in buyers.texts[name]] for name in ("country", "sector", "rating")}
    for name in ("pd_annual", "lgd", "credit_limit", "annual_sales", "payment_terms_days"):
        blanks[name] = [math.isnan(value) for value in buyers.numbers[name]]
    source = loaded.study.credit.pd.source
    rows = []
    for name, blank in blanks.items():
        irrelevant = (name, source) in (("pd_annual", "rating"), ("pd_annual", "curve"), ("rating", "column"))
        if irrelevant or not any(blank) or (name == "lgd" and all(blank)):
            continue
        behind = math.fsum(value for value, missing in zip(exposure, blank, strict=True) if missing)
        rows.append({"column": name, "buyers": sum(blank), "share": _share(behind, total)})
    return rows


def _limits(ledger: Ledger, exposure: list[float]) -> Row:
    limits = ledger.buyers.numbers["credit_limit"]
    return {
        "named": sum(0 < v < math.inf for v in limits),
        "no_cover": sum(v == 0 for v in limits),
        "unlimited": sum(v == math.inf for v in limits),
        "no_named_limit": sum(math.isnan(v) for v in limits),
        "over_limit_buyers": sum(e > v for e, v in zip(exposure, limits, strict=True)),
        "over_limit": math.fsum(max(0.0, e - v) for e, v in zip(exposure, limits, strict=True) if v < math.inf),
    }


def _excluded(ledger: Ledger) -> list[Row]:
    items, table = ledger.items, ledger.item_table
    rows: dict[tuple[str, str, str], list[Any]] = {}
    for at, (whole, left) in enumerate(zip(items.amount, items.open_, strict=True)):
        reason = items.excluded[at] or (PART_SETTLED if whole != left else "")
        if reason and table is not None:
            kind = "" if reason == TOTAL else items.kind[at]
            row = rows.setdefault((reason, kind, items.currency[at]), [0, Decimal(0), table.lines[items.row[at]]])
            row[0] += 1
            row[1] = _EXACT.add(row[1], _EXACT.subtract(whole, left))
    return [
        {"reason": reason, "kind": kind, "currency": code, "lines": n, "own": float(amount), "first_line": line}
        for (reason, kind, code), (n, amount, line) in sorted(rows.items())
    ]


def _silent(ledger: Ledger, exposure: list[float]) -> Row:
    buyers = ledger.buyers
    without = [b for b in range(len(buyers)) if exposure[b] == 0.0]
    places = [f"{buyers.buyer_id[b]} (line {buyers.table.lines[buyers.rows[b]]})" for b in without]
    return {"buyers": len(without), "first": numbered(places)}


def _planned(loaded: Loaded, planned: Planned | None) -> Row:
    mode = loaded.study.portfolio.sales.mode
    if planned is None:
        return {"mode": mode}
    sources: dict[str, int] = defaultdict(int)
    for source in planned.sources:
        sources[source] += 1
    return {
        "mode": mode,
        "invoices": len(planned),
        "amount": math.fsum(planned.value),
        "annual_sales_from": dict(sources),
    }


def profile_text(profile: dict[str, Any], console: Console) -> None:
    """Print the profile for ``simulator check``."""
    from simulator.ledger.profile_text import show

    show(profile, console)
