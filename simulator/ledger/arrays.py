"""What was read, laid out as the arrays of a :class:`~simulator.ledger.portfolio.Portfolio`."""

from __future__ import annotations

import contextlib
import math
from collections.abc import Sequence
from functools import partial
from typing import TYPE_CHECKING, Any

import numpy as np

from simulator.errors import InputError, Problem
from simulator.keys import entity_key
from simulator.ledger.buyers import Loaded
from simulator.ledger.codes import INVOICE
from simulator.ledger.items import Items
from simulator.ledger.planned import Planned
from simulator.ledger.portfolio import Buyers, Floats, Invoices
from simulator.ledger.text_table import Collector
from simulator.ledger.vat import vat_part
from simulator.study.schema import Policy

if TYPE_CHECKING:
    from simulator.ledger.load import Ledger, SpotLookup


def with_cover(loaded: Loaded, currencies: list[str], buyers: Buyers) -> list[str]:
    """The invoices' currencies, then those in which only policies or limits are: their rates are needed too."""
    named = {p.currency for p in loaded.study.programmes if isinstance(p, Policy) and p.currency}
    return [*currencies, *sorted((named | set(filter(None, buyers.limit_currency))) - set(currencies))]


def volume_of(ledger: Ledger, planned: Planned | None, buyers: Buyers, lookup: SpotLookup | None) -> Floats:
    """What is open and planned by buyer, study currency, float64[n_buyers]; without a rate it counts as zero."""
    if planned is None:
        return np.nan_to_num(buyers.exposure)
    volume = np.zeros(len(buyers))
    rates: dict[str, float] = {}
    for at, net in enumerate(ledger.items.net):
        if net > 0:
            code = ledger.items.currency[at]
            if code not in rates:
                rates[code] = _rate(ledger, code, lookup)
            volume[ledger.buyers.index[ledger.items.buyer_id[at]]] += float(net) * rates[code]
    for buyer, value in planned.volume.items():
        volume[buyer] += value
    return volume


def _rate(ledger: Ledger, code: str, lookup: SpotLookup | None) -> float:
    rate = ledger.rate(code)
    if math.isnan(rate) and lookup is not None:
        with contextlib.suppress(InputError):  # told by who needs the rate for more than a ranking
            rate = lookup([code])[code]
    return 0.0 if math.isnan(rate) else rate


def _keys(names: Sequence[str], what: Sequence[str], found: Collector) -> np.ndarray[Any, np.dtype[np.uint64]]:
    """Entity keys; two entities with one key are refused, so that no two share their luck."""
    keys = np.fromiter((entity_key(name) for name in names), dtype=np.uint64, count=len(names))
    unique, first = np.unique(keys, return_index=True)
    if len(unique) < len(keys):
        again = sorted(set(range(len(keys))) - set(first.tolist()))[0]
        twin = int(np.flatnonzero(keys == keys[again])[0])
        message = f"{what[twin]!r} and {what[again]!r} get the same random-number key; rename one of them"
        found.add("key collision", Problem(message))
    return keys


def _vat_left(items: Items, at: int, rate: float) -> float:
    """Tax in what is still open of an invoice: its share of the invoice, or else by the buyer's rate."""
    vat = items.vat[at]
    return vat_part(float(items.net[at]), rate) if vat is None else float(items.net[at] * vat / items.amount[at])


def no_invoices() -> Invoices:
    """Invoices where there are none."""
    numbers, flags = np.zeros(0, dtype=np.int32), np.zeros(0, dtype=np.bool_)
    keys, amounts = np.zeros(0, dtype=np.uint64), np.zeros(0)
    return Invoices([], keys, numbers, numbers, numbers, numbers, amounts, flags, flags)


def buyer_arrays(loaded: Loaded, ledger: Ledger, found: Collector) -> Buyers:
    """Buyers as read, with their entity keys and the way back to their cells."""
    rows = ledger.buyers
    numbers = {name: np.array(values, dtype=np.float64) for name, values in rows.numbers.items()}
    names = [f"buyer:{buyer}" for buyer in rows.buyer_id]
    texts = rows.texts
    return Buyers(
        buyer_id=rows.buyer_id,
        name=texts["name"],
        entity=_keys(names, rows.buyer_id, found),
        country=texts["country"],
        sector=texts["sector"],
        currency=texts["currency"],
        rating=texts["rating"],
        group_id=texts["group_id"],
        pd_annual=numbers["pd_annual"],
        lgd=numbers["lgd"],
        credit_limit=numbers["credit_limit"],
        annual_sales=numbers["annual_sales"],
        payment_terms_days=numbers["payment_terms_days"],
        exposure=numbers["exposure"],
        delay_location_days=numbers["delay_location_days"],
        delay_scale=numbers["delay_scale"],
        buyer_type=texts["buyer_type"],
        limit_currency=texts["limit_currency"],
        loadings={driver: np.array(values, dtype=np.float64) for driver, values in rows.loadings.items()},
        at_cell=partial(rows.blame, loaded),
    )


def invoice_arrays(
    ledger: Ledger, planned: Planned | None, buyers: Buyers, found: Collector
) -> tuple[list[str], Invoices]:
    """Open items and planned sales together, sorted by buyer, issue day, invoice id."""
    items, index = ledger.items, ledger.buyers.index
    taken = [at for at, net in enumerate(items.net) if net > 0 and items.kind[at] == INVOICE]
    ids = [items.invoice_id[at] for at in taken]
    owner = [index[items.buyer_id[at]] for at in taken]
    issue = [items.issue[at] - ledger.as_of for at in taken]
    due = [items.due[at] - ledger.as_of for at in taken]
    code = [items.currency[at] for at in taken]
    amount = [float(items.net[at]) for at in taken]
    disputed = [items.disputed[at] for at in taken]
    vat = [_vat_left(items, at, ledger.buyers.numbers["vat_rate"][owner[k]]) for k, at in enumerate(taken)]
    n_open = len(taken)
    if planned is not None:
        ids += planned.invoice_id
        owner += planned.buyer
        issue += planned.issue_day
        due += planned.due_day
        code += planned.currency
        amount += planned.amount
        vat += planned.vat
        disputed += [False] * len(planned)
    currencies = [ledger.currency, *sorted(set(code) - {ledger.currency})]
    number = {currency: at for at, currency in enumerate(currencies)}
    order = sorted(range(len(ids)), key=lambda at: (owner[at], issue[at], ids[at]))
    names = [f"{buyers.buyer_id[owner[at]]}/{ids[at]}" for at in order]
    invoices = Invoices(
        invoice_id=[ids[at] for at in order],
        entity=_keys([f"invoice:{name}" for name in names], names, found),
        buyer=np.array([owner[at] for at in order], dtype=np.int32),
        issue_day=np.array([issue[at] for at in order], dtype=np.int32),
        due_day=np.array([due[at] for at in order], dtype=np.int32),
        currency=np.array([number[code[at]] for at in order], dtype=np.int32),
        amount=np.array([amount[at] for at in order], dtype=np.float64),
        open_item=np.array([at < n_open for at in order], dtype=np.bool_),
        disputed=np.array([disputed[at] for at in order], dtype=np.bool_),
        vat=np.array([vat[at] for at in order], dtype=np.float64),
    )
    return currencies, invoices
