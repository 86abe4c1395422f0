"""The dictionary knows every key of a study file, and nothing that is not one."""

from __future__ import annotations

import pytest

from simulator.errors import SimulatorError
from simulator.study.fields import keys
from simulator.terms import KINDS, SHOWN_AS, describe, find, load_terms, term


def test_every_key_has_its_row_and_every_row_its_key():
    written = {t.name for t in load_terms() if t.kind == "config"}
    known = {name for name, _ in keys()}
    assert known - written == set()
    assert written - known == set()


def test_meanings_are_those_of_the_schema():
    meanings = {t.name: t.meaning for t in load_terms() if t.kind == "config"}
    assert {name: slot.info.description for name, slot in keys()} == meanings


def test_rows_are_whole():
    terms = load_terms()
    assert len({(t.name, t.kind) for t in terms}) == len(terms)
    for entry in terms:
        assert entry.kind in KINDS
        assert entry.meaning, entry.name
        assert None not in entry, entry.name


def test_look_up():
    assert term("programmes.insured_percentage").bounds == "0..1"
    assert term("insured_percentage").name == "programmes.insured_percentage"
    assert term("premium", "config").name == "programmes.premium"
    assert term("premium").kind == "variable"
    assert [t.name for t in find("waiting period")] == [
        "programmes.countries.waiting_period",
        "programmes.waiting_period",
    ]
    assert "From the waiting clock to the date of loss" in describe("waiting_period")
    assert "unit: money" in describe("gross_loss")


def test_words_of_the_report_and_of_elsewhere():
    names = {t.name for t in load_terms()}
    for word, meant in SHOWN_AS.items():
        assert set(meant) <= names, word
        assert tuple(t.name for t in find(word.replace("_", " "))) == meant
        assert word not in names, "a term of its own needs no other"
    assert "Country schedule" in describe("country_schedule")
    assert "took a limit back" in describe("cover lost")
    assert [t.name for t in find("AFL")] == ["programmes.aggregate_first_loss"]


def test_unknown_words():
    with pytest.raises(SimulatorError, match="did you mean waiting_period"):
        describe("wating_period")
    with pytest.raises(SimulatorError, match="no ledger column is called 'waiting_period'"):
        term("waiting_period", "column")
    with pytest.raises(SimulatorError, match="no term 'zzzzzz'"):
        term("zzzzzz")
