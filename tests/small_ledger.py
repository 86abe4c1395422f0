"""Small studies and portfolios, made in memory, for the tests of the delays and fx rooms."""

from __future__ import annotations

from types import SimpleNamespace

import numpy as np

from simulator.ledger.portfolio import Buyers, Invoices, Portfolio
from simulator.streams import entity_key
from simulator.study.schema import Study

AS_OF = "2026-10-30"


def make_study(**sections):
    """A study with only a ledger and self-insurance; sections are given as in the YAML file."""
    info = {"title": "Test", "as_of": AS_OF, "currency": "EUR", "horizon": "52 weeks", **sections.pop("study", {})}
    document = {
        "schema": 1,
        "study": info,
        "portfolio": {"buyers": "buyers.csv"},
        "programmes": [{"name": "Self-insurance", "type": "none"}],
        **sections,
    }
    return Study.model_validate(document)


def make_portfolio(buyers, invoices=(), currencies=("EUR",)):
    """A portfolio from a list of buyer dicts and of (buyer, issue, due, currency, amount, open_item) tuples."""
    n = len(buyers)

    def texts(name):
        return [str(b.get(name, "")) for b in buyers]

    def numbers(name, default=np.nan):
        return np.array([b.get(name, default) for b in buyers], dtype=np.float64)

    ids = [b.get("buyer_id", f"B{i}") for i, b in enumerate(buyers)]
    book = Buyers(
        buyer_id=ids, name=ids, entity=np.array([entity_key(f"buyer:{i}") for i in ids], dtype=np.uint64),
        country=texts("country"), sector=texts("sector"), currency=texts("currency"), rating=texts("rating"),
        group_id=texts("group_id"), pd_annual=numbers("pd_annual"), lgd=numbers("lgd"),
        credit_limit=numbers("credit_limit"), annual_sales=numbers("annual_sales", 0.0),
        payment_terms_days=numbers("payment_terms_days", 30.0), exposure=numbers("exposure", 0.0),
        delay_location_days=numbers("delay_location_days"), delay_scale=numbers("delay_scale"),
    )  # fmt: skip
    rows = sorted(enumerate(invoices), key=lambda pair: (pair[1][0], pair[1][1], pair[0]))
    names = [f"I{number}" for number, _ in rows]
    items = [row for _, row in rows]
    assert all(row[0] < n for row in items)
    return Portfolio(
        currency=currencies[0],
        currencies=list(currencies),
        buyers=book,
        invoices=Invoices(
            invoice_id=names,
            entity=np.array(
                [entity_key(f"invoice:{ids[r[0]]}/{x}") for r, x in zip(items, names, strict=True)], dtype=np.uint64
            ),
            buyer=np.array([r[0] for r in items], dtype=np.int32),
            issue_day=np.array([r[1] for r in items], dtype=np.int32),
            due_day=np.array([r[2] for r in items], dtype=np.int32),
            currency=np.array([r[3] for r in items], dtype=np.int32),
            amount=np.array([r[4] for r in items], dtype=np.float64),
            open_item=np.array([r[5] for r in items], dtype=np.bool_),
            disputed=np.zeros(len(items), dtype=np.bool_),
        ),
    )


def common_state(systematic_share):
    """What the delays room reads of a factor plan."""
    return SimpleNamespace(systematic_share=np.array(systematic_share, dtype=np.float64))
