"""Typical mistakes in ledger files: each lands on its line and column with a text that helps."""

from __future__ import annotations

import random
from pathlib import Path

import numpy as np
import pytest

from simulator.errors import InputError
from simulator.ledger.load import load_portfolio
from tests.ledger_files import BUYERS, ITEMS_HEAD, load, problems, study

HEAD = ITEMS_HEAD
GOOD = "A,1,invoice,2026-09-01,2026-10-01,EUR,100.00,no\n"

#: (what, the line itself, (line, column, value shown), part of the text)
ITEM_MISTAKES = [
    (
        "due before issue",
        "A,2,invoice,2026-09-01,2026-08-01,EUR,5,no",
        (3, 24, "2026-08-01"),
        "due 2026-08-01 before it was issued on 2026-09-01",
    ),
    (
        "unknown currency",
        "A,2,invoice,2026-09-01,2026-10-01,EUF,5,no",
        (3, 35, "EUF"),
        "not an ISO 4217 currency code; did you mean EUR?",
    ),
    (
        "NaN",
        "A,2,invoice,2026-09-01,2026-10-01,EUR,NaN,no",
        (3, 39, "NaN"),
        "NaN, infinity and Excel errors are not amounts",
    ),
    (
        "infinity",
        "A,2,invoice,2026-09-01,2026-10-01,EUR,inf,no",
        (3, 39, "inf"),
        "NaN, infinity",
    ),
    (
        "decimal comma",
        'A,2,invoice,2026-09-01,2026-10-01,EUR,"5,5",no',
        (3, 39, "5,5"),
        "has a decimal comma, the rest of the file a decimal point",
    ),
    (
        "negative invoice",
        "A,2,invoice,2026-09-01,2026-10-01,EUR,-5,no",
        (3, 39, "-5"),
        "negative, but the document type says invoice",
    ),
    (
        "duplicate",
        "A,1,invoice,2026-09-01,2026-10-01,EUR,100.00,no",
        (3, 3, "1"),
        "the same invoice of this buyer is already on line 2",
    ),
    (
        "unknown buyer",
        "C,2,invoice,2026-09-01,2026-10-01,EUR,5,no",
        (3, 1, "C"),
        "this buyer is not in",
    ),
    (
        "leading zeros",
        "007,2,invoice,2026-09-01,2026-10-01,EUR,5,no",
        (3, 1, "007"),
        "'7' is there: leading zeros must agree",
    ),
    (
        "unknown type",
        "A,2,invioce,2026-09-01,2026-10-01,EUR,5,no",
        (3, 5, "invioce"),
        "unknown document type",
    ),
    (
        "bad date",
        "A,2,invoice,2026-02-30,2026-10-01,EUR,5,no",
        (3, 13, "2026-02-30"),
        "not a date",
    ),
    (
        "blank amount",
        "A,2,invoice,2026-09-01,2026-10-01,EUR,,no",
        (3, 39, ""),
        "amount_open is blank",
    ),
    (
        "blank buyer",
        ",2,invoice,2026-09-01,2026-10-01,EUR,5,no",
        (3, 1, ""),
        "buyer_id is blank",
    ),
    (
        "dispute flag",
        "A,2,invoice,2026-09-01,2026-10-01,EUR,5,maybe",
        (3, 41, "maybe"),
        "neither yes nor no",
    ),
    (
        "two currencies",
        "A,2,invoice,2026-09-01,2026-10-01,EUR,USD 5,no",
        (3, 35, "EUR"),
        "written in USD, the currency column says EUR",
    ),
    (
        "separator in a cell",
        "A,2,invoice,2026-09-01,2026-10-01,EUR,1,234.50,no",
        (3, 48, "no"),
        "a separator inside a cell needs quotes",
    ),
]


@pytest.mark.parametrize(("what", "line_text", "place", "text"), ITEM_MISTAKES)
def test_a_mistake_in_the_open_items(
    tmp_path: Path, what: str, line_text: str, place: tuple[int, int, str], text: str
) -> None:
    found = problems(tmp_path, HEAD + GOOD + line_text + "\n", buyers=BUYERS + "7,Seven,FR,EUR,BB,30,0\n")
    problem = found[0]
    assert (problem.line, problem.column, problem.value) == place, what
    assert text in str(problem)
    assert problem.file.endswith("open_items.csv")
    assert problem.source == line_text


def problems_of_buyers(folder: Path, lines: str, head: str = "", **more: object) -> list[object]:
    text = (head or "buyer_id,name,rating,pd_annual,lgd,credit_limit,payment_terms_days\n") + lines
    return problems(folder, HEAD + GOOD, buyers=text, **more)


BUYER_MISTAKES = [
    ("duplicate buyer", "A,,BB,,,,\nA,,B,,,,\n", 3, 1, "A", "already on line 2"),
    ("007 and 7", "A,,BB,,,,\n007,,BB,,,,\n7,,BB,,,,\n", 4, 1, "7", "differ only in leading zeros"),
    ("pd above 1", "A,,BB,2.5,,,\n", 2, 7, "2.5", "did you mean 2.5 %?"),
    ("lgd 45", "A,,BB,,45,,\n", 2, 8, "45", "did you mean 45 %?"),
    ("negative limit", "A,,BB,,,-5,\n", 2, 9, "-5", "credit_limit must be zero (no cover) or more"),
    ("limit text", "A,,BB,,,lots,\n", 2, 9, "lots", "not a number"),
    ("no rating", "A,,,,,,\n", 2, 4, "", "portfolio.defaults.rating"),
    ("negative terms", "A,,BB,,,,-30\n", 2, 10, "-30", "days from 0 to 1825"),
    ("blank id", "A,,BB,,,,\n,x,BB,,,,\n", 3, 1, "", "buyer_id is blank"),
]


@pytest.mark.parametrize(("what", "lines", "line", "column", "value", "text"), BUYER_MISTAKES)
def test_a_mistake_in_the_buyers(
    tmp_path: Path, what: str, lines: str, line: int, column: int, value: str, text: str
) -> None:
    problem = problems_of_buyers(tmp_path, lines)[0]
    assert (problem.line, problem.column, problem.value) == (line, column, value), what
    assert text in str(problem)


def test_the_whole_text_of_several_problems(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    items = HEAD + "A,1,invoice,2026-09-01,2026-08-01,EUF,100.00,no\nA,2,invoice,2026-09-01,2026-10-01,EUR,1.234.5,no\n"
    with pytest.raises(InputError) as raised:
        load_portfolio(study(tmp_path, items=items))
    assert str(raised.value) == (
        "3 problems, nothing was run\n"
        "\n"
        "open_items.csv:2:24  due_date = 2026-08-01\n"
        "    2 | A,1,invoice,2026-09-01,2026-08-01,EUF,100.00,no\n"
        "      |                        ^^^^^^^^^^\n"
        "      due 2026-08-01 before it was issued on 2026-09-01\n"
        "\n"
        "open_items.csv:2:35  currency = EUF\n"
        "    2 | A,1,invoice,2026-09-01,2026-08-01,EUF,100.00,no\n"
        "      |                                   ^^^\n"
        "      not an ISO 4217 currency code; did you mean EUR?\n"
        "\n"
        "open_items.csv:3:39  amount_open = 1.234.5\n"
        "    3 | A,2,invoice,2026-09-01,2026-10-01,EUR,1.234.5,no\n"
        "      |                                       ^^^^^^^\n"
        "      not a number with a decimal point"
    )


def test_unproved_signs_and_orders_name_the_setting(tmp_path: Path) -> None:
    items = "Kunde;Belegnr;Rechnungsdatum;Fälligkeit;Betrag\nA;1;03/04/2026;05/06/2026;1.234\n"
    found = problems(tmp_path, items)
    assert [(p.line, p.column) for p in found] == [(2, 5), (2, 16), (2, 27)]
    assert "portfolio.format.dates" in found[0].message
    assert "portfolio.format.decimal" in found[2].message
    portfolio = load(tmp_path, items, format={"dates": "day_first", "decimal": "comma"})
    assert portfolio.invoices.amount.tolist() == [1234.0]
    assert portfolio.invoices.due_day.tolist() == [-147]


def test_a_missing_column_names_the_closest_header(tmp_path: Path) -> None:
    found = problems(tmp_path, "buyer_id,invoice_id,issue_date,amuont_open\nA,1,2026-01-01,5\n")
    assert any("amount_open" in p.message and p.suggestion == "amuont_open" and p.line == 1 for p in found)


def test_many_problems_of_a_kind_are_counted_not_listed(tmp_path: Path) -> None:
    items = HEAD + "".join(f"A,{n},invoice,2026-09-01,2026-10-01,EUR,x,no\n" for n in range(300))
    found = problems(tmp_path, items)
    assert [p.line for p in found] == list(range(2, 22))
    assert found[-1].message.endswith("(and 280 more like this)")


def test_credits_of_both_signs_are_a_problem(tmp_path: Path) -> None:
    items = HEAD + "".join(f"A,{n},credit note,2026-09-01,,EUR,{v},no\n" for n, v in enumerate(("-5", "-6", "7")))
    (problem,) = problems(tmp_path, items + GOOD)
    assert (problem.line, problem.column, problem.value) == (4, 33, "7")


def test_an_empty_ledger_is_a_problem(tmp_path: Path) -> None:
    items = HEAD + "A,1,invoice,2026-12-01,2026-12-31,EUR,5,no\n"
    (problem,) = problems(tmp_path, items)
    assert "the ledger is empty (1 issued after as_of)" in problem.message


def test_study_keys_of_the_ledger_are_checked(tmp_path: Path) -> None:
    found = problems(
        tmp_path, HEAD + GOOD, columns={"buyerid": "x", "rating": "Bonitätsnote"}, defaults={"ratin": "BB", "lgd": 60}
    )
    text = "\n".join(str(p) for p in found)
    assert "did you mean buyer_id?" in text
    assert "no file has this header" in text
    assert "did you mean rating?" in text
    assert "a fraction from 0 to 1" in text


def test_a_rating_default_mends_blanks(tmp_path: Path) -> None:
    assert not problems_of_buyers(tmp_path, "A,,,,,,\n", defaults={"rating": "BB"})
    assert not problems_of_buyers(tmp_path, "A,,,2 %,,,\n")
    (problem,) = problems_of_buyers(tmp_path, "A\n", head="buyer_id,name\n")
    assert "no rating for 1 of 1 buyers (A)" in problem.message


def test_constant_exposure_needs_exposures_and_checks_loadings(tmp_path: Path) -> None:
    head = "buyer_id,exposure,pd_annual,lgd,credit_limit,loading_x,loading_y\n"
    text = head + "A,100,1 %,1,,0.8,-0.7\nB,,2 %,0.5,0,0.1,0.2\n"
    more = {"exposure": "constant", "__credit": {"pd": {"source": "column"}}}
    found = problems(tmp_path, None, buyers=text, **more)
    assert [(p.line, p.column) for p in found] == [(2, 14), (3, 3)]
    assert "squares of this buyer's loadings sum to 1.13" in found[0].message
    portfolio = load(tmp_path, None, buyers=text.replace("0.8,-0.7", "0.6,-0.7").replace("B,,", "B,50,"), **more)
    assert portfolio.buyers.exposure.tolist() == [100.0, 50.0]
    assert {k: v.tolist() for k, v in portfolio.buyers.loadings.items()} == {"x": [0.6, 0.1], "y": [-0.7, 0.2]}
    assert len(portfolio.invoices) == 0
    assert portfolio.currencies == ["EUR"]


_RUBBISH = (
    b"NaN", b"inf", b'""', b'"', b",", b";", b"\n", b"\r", b"\xff", b"\xe4", b"%", b"-", b"(", b")", b"1e400", b" ",
    b"\t", b"9" * 400, b"0000-00-00", b"Total", b"\xe6\xb1\x89", b"\x00", b"2026-02-30", b"99/99/9999", b"unlimited",
    b"\xc2\xb2", b"\xd9\xa3", b"9999-12-31", b"0001-01-01",
)  # fmt: skip


def test_mutilated_files_are_read_or_refused_never_a_traceback(tmp_path: Path) -> None:
    draw = random.Random(20261030)
    items = HEAD + GOOD + 'A,2,credit note,2026-09-01,,EUR,-5,no\nB,3,invoice,2026-10-26,,USD,"1,234.50",yes\n'

    def mutilated(text: str) -> bytes:
        data = bytearray(text.encode())
        for _ in range(draw.randrange(4)):
            at = draw.randrange(len(data))
            data[at : at + draw.randrange(12)] = draw.choice(_RUBBISH)
        return bytes(data)

    outcomes = set()
    for _ in range(400):
        loaded = study(tmp_path, mutilated(BUYERS), mutilated(items), sales={"mode": "steady_state"})
        try:
            portfolio = load_portfolio(loaded)
        except InputError:
            outcomes.add("refused")
        else:
            assert np.isfinite(portfolio.invoices.amount).all()
            assert (portfolio.invoices.amount > 0).all()
            assert (portfolio.invoices.due_day >= portfolio.invoices.issue_day).all()
            outcomes.add("read")
    assert outcomes == {"refused", "read"}
