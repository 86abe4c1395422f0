"""Who a selection means, and what is said of one that names nobody."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from simulator.errors import Problems
from simulator.ledger.portfolio import Portfolio
from simulator.ledger.selection import check_selection, select
from simulator.study.schema_trade import Selection
from tests import small_books

BOOK = small_books.portfolio(
    ["007", "B", "A", "D", "E"],
    exposure=[10.0, 30.0, 30.0, 5.0, 0.0],
    rating=["BB", "b", "BB", "CCC/C", ""],
    country=["DE", "US", "DE", "Hansa", ""],
    sector=["Steel", "Food", "steel", "Food", ""],
)


def chosen(**conditions: object) -> list[str]:
    mask = select(Selection.model_validate(conditions), BOOK)
    assert mask.dtype == np.bool_
    return [buyer for buyer, taken in zip(BOOK.buyers.buyer_id, mask, strict=True) if taken]


@pytest.mark.parametrize(
    ("conditions", "buyers"),
    [
        ({}, ["007", "B", "A", "D", "E"]),
        ({"ids": ["E", "007"]}, ["007", "E"]),
        ({"ids": ["7"]}, []),
        ({"ids": []}, []),
        ({"top": 1}, ["A"]),  # A and B are equal: the smaller id comes first
        ({"top": 2}, ["B", "A"]),
        ({"top": 3}, ["007", "B", "A"]),
        ({"top": 9}, ["007", "B", "A", "D", "E"]),
        ({"except_top": 3}, ["D", "E"]),
        ({"except_top": 1, "top": 3}, ["007", "B"]),  # ranks 2 and 3
        ({"except_top": 3, "top": 3}, []),
        ({"ratings": ["B"]}, ["B"]),
        ({"ratings": ["bb", "CCC/C"]}, ["007", "A", "D"]),
        ({"countries": ["DEU"]}, ["007", "A"]),
        ({"countries": ["hansa", "us"]}, ["B", "D"]),
        ({"sectors": ["STEEL"]}, ["007", "A"]),
        ({"sectors": ["food"], "countries": ["US"]}, ["B"]),
        ({"sectors": ["steel"], "top": 1}, ["A"]),  # the largest of those in steel
        ({"sectors": ["steel"], "except_top": 1}, ["007"]),
    ],
)
def test_who_is_selected(conditions, buyers):
    assert chosen(**conditions) == buyers


@given(st.integers(1, 6), st.permutations(range(5)), st.lists(st.sampled_from([0.0, 1.0, 2.0]), min_size=5, max_size=5))
def test_top_and_the_rest_are_everybody_in_any_order(count, order, volume):
    book = replace(BOOK, volume=np.array(volume))
    top, rest = select(Selection(top=count), book), select(Selection(except_top=count), book)
    assert (top ^ rest).all()
    assert top.sum() == min(count, 5)
    ids = [BOOK.buyers.buyer_id[b] for b in order]
    turned = Portfolio("EUR", ["EUR"], small_books.portfolio(ids).buyers, BOOK.invoices, volume=book.volume[order])
    assert select(Selection(top=count), turned).tolist() == top[order].tolist()


def said(**conditions: object) -> list[tuple]:
    problems = Problems()
    check_selection(Selection.model_validate(conditions), BOOK, "programmes[0].buyers", problems, {"AAA", "BB"})
    return [(p.path, p.value, p.suggestion) for p in problems]


@pytest.mark.parametrize(
    ("conditions", "problems"),
    [
        ({}, []),
        ({"ids": ["007", "7", "a", "X9"]}, [("ids[1]", "7", "007"), ("ids[2]", "a", "A"), ("ids[3]", "X9", "")]),
        ({"ratings": ["BB", "AA"]}, [("ratings[1]", "AA", "AAA")]),
        ({"countries": ["FR", "UX", "Hanso"]}, [("countries[1]", "UX", "US"), ("countries[2]", "Hanso", "Hansa")]),
        ({"sectors": ["stel", "food"]}, [("sectors[0]", "stel", "Steel")]),
        ({"ratings": ["AAA"]}, [("", None, "")]),  # known, but nobody has it
        ({"top": 2, "sectors": ["food"], "ratings": ["BB"]}, [("", None, "")]),
    ],
)  # fmt: skip
def test_what_is_said(conditions, problems):
    prefix = "programmes[0].buyers"
    expected = [(f"{prefix}.{key}" if key else prefix, value, near) for key, value, near in problems]
    found = said(**conditions)
    if conditions.get("sectors") == ["stel", "food"]:
        found = [(path, value, near.title()) for path, value, near in found]
    assert found == expected
