"""Files as text: encodings, separators, headers, and where a cell stands."""

from __future__ import annotations

import datetime as dt
from pathlib import Path

import pytest
import xlsxwriter

from simulator.errors import Problems
from simulator.ledger.headers import ALL_FIELDS, ITEM_FIELDS, map_headers, normal, recogniser, synonyms
from simulator.ledger.reading import read_table
from simulator.ledger.text_table import Collector, Table
from simulator.study.schema import FileFormat

TEXT = "Debitor;Belegnr;Fälligkeit;Betrag\n0001;R1;01.02.2026;1.234,56\n"


def read(path: Path, found: Collector | None = None, **form: str) -> Table | None:
    return read_table(
        path,
        path.name,
        FileFormat(**form),
        recogniser(ITEM_FIELDS, {}),
        Collector(Problems()) if found is None else found,
    )


def written(tmp_path: Path, data: str | bytes, encoding: str = "utf-8") -> Path:
    path = tmp_path / "f.csv"
    path.write_bytes(data if isinstance(data, bytes) else data.encode(encoding))
    return path


@pytest.mark.parametrize("encoding", ["utf-8", "utf-8-sig", "cp1252", "utf-16"])
def test_encodings_are_found_out(tmp_path: Path, encoding: str) -> None:
    table = read(written(tmp_path, TEXT, encoding))
    assert table is not None
    assert table.header == ["Debitor", "Belegnr", "Fälligkeit", "Betrag"]
    assert table.encoding == encoding
    assert table.rows == [["0001", "R1", "01.02.2026", "1.234,56"]]


def test_gb18030_is_told_from_cp1252(tmp_path: Path) -> None:
    table = read(written(tmp_path, "客户编号,发票号码,到期日,金额\n001,A,2026年1月2日,5\n", "gb18030"))
    assert table is not None
    assert (table.encoding, table.header[0]) == ("gb18030", "客户编号")


def test_an_encoding_that_is_neither_is_a_problem(tmp_path: Path) -> None:
    found = Collector(Problems())
    assert read(written(tmp_path, b"a;b\n\x81\x20\xc4\xe3;\xfc\n"), found) is None
    (problem,) = found.problems
    assert "portfolio.format.encoding" in problem.message


@pytest.mark.parametrize(("encoding", "says"), [("ascii", "not valid ascii"), ("klingon", "unknown encoding")])
def test_a_wrong_encoding_setting_is_a_problem(tmp_path: Path, encoding: str, says: str) -> None:
    found = Collector(Problems())
    assert read(written(tmp_path, TEXT), found, encoding=encoding) is None
    assert says in next(iter(found.problems)).message


@pytest.mark.parametrize("delimiter", [",", ";", "\t", "|"])
def test_separators_are_found_out(tmp_path: Path, delimiter: str) -> None:
    text = f'buyer_id{delimiter}amount{delimiter}due_date\nA{delimiter}"1,5;2|3"{delimiter}2026-01-01\n'
    table = read(written(tmp_path, text))
    assert table is not None
    assert table.delimiter == delimiter
    assert table.rows[0][1] == "1,5;2|3"


def test_excels_separator_line_and_titles_above_the_header(tmp_path: Path) -> None:
    table = read(written(tmp_path, "sep=;\nOpen items 30.10.2026;;\n\nKunde;Betrag;Datum fällig\n\nA;1;2\n"))
    assert table is not None
    assert (table.header_line, table.header, table.lines) == (4, ["Kunde", "Betrag", "Datum fällig"], [6])


def test_a_cell_knows_its_line_and_column(tmp_path: Path) -> None:
    text = 'buyer_id,name,amount\nA,"two\nlines, and a comma",5\nB,x,"7,5"\n'
    table = read(written(tmp_path, text))
    assert table is not None
    first, second = table.problem(0, 2, "m"), table.problem(1, 2, "m", "amount_open")
    assert (first.line, first.column, first.source, first.width) == (3, 21, 'lines, and a comma",5', 1)
    assert (second.line, second.column, second.value, second.width) == (4, 5, "7,5", 5)
    assert second.path == "amount (amount_open)"


def test_short_lines_are_padded_long_ones_refused(tmp_path: Path) -> None:
    found = Collector(Problems())
    table = read(written(tmp_path, "buyer_id,amount,due_date\nA,1\nB,1,234.50,2026-01-01\nC,1,2,,\n"), found)
    assert table is not None
    assert table.rows[0] == ["A", "1", ""]
    (problem,) = found.problems
    assert (problem.line, problem.column) == (3, 12)
    assert "needs quotes" in problem.message


@pytest.mark.parametrize(
    ("data", "says"),
    [
        ("", "empty"),
        (" \n\n", "empty"),
        ("buyer_id,amount\n", "no lines below the header"),
        ('buyer_id,amount\nA,"1\nB,2\n', "not closed"),
        (b"buyer_id,amount\n\x00\x01", "zero bytes"),
        (b"PK\x03\x04rubbish", "Excel"),
    ],
)
def test_files_that_cannot_be_read(tmp_path: Path, data: str | bytes, says: str) -> None:
    found = Collector(Problems())
    assert read(written(tmp_path, data), found) is None
    (problem,) = found.problems
    assert says in problem.message


def test_excel(tmp_path: Path) -> None:
    path = tmp_path / "ledger.xlsx"
    with xlsxwriter.Workbook(path) as book:
        book.add_worksheet("notes").write(0, 0, "nothing here")
        sheet = book.add_worksheet("items")
        for column, head in enumerate(("buyer_id", "amount", "due_date", "disputed")):
            sheet.write(0, column, head)
        sheet.write_string(1, 0, "007")
        sheet.write_number(1, 1, 1.234)
        sheet.write_datetime(1, 2, dt.datetime(2026, 10, 30), book.add_format({"num_format": "dd.mm.yyyy"}))
        sheet.write_boolean(1, 3, True)
        sheet.write_number(2, 0, 7)
    table = read(path, sheet="items")
    assert table is not None
    assert table.rows[0] == ["007", "1.234", "2026-10-30", "true"]
    assert table.rows[1][0] == "7"
    assert table.file == "ledger.xlsx[items]"
    assert table.problem(0, 1, "m").line == 2
    found = Collector(Problems())
    assert read(path, found, sheet="other") is None
    assert "no worksheet" in next(iter(found.problems)).message


# --- headers --------------------------------------------------------------------------------------------------------


def mapped(
    *headers: str, columns: dict[str, str] | None = None, required: tuple[str, ...] = ()
) -> tuple[dict[str, str], list[str]]:
    found = Collector(Problems())
    table = Table("f.csv", list(headers), 1, [[""] * len(headers)], [2])
    mapping = map_headers(table, ALL_FIELDS, [(name,) for name in required], columns or {}, found)
    return mapping.headers, [str(problem) for problem in found.problems]


@pytest.mark.parametrize(
    ("headers", "expected"),
    [
        (("Customer", "Document Number", "Doc. type", "Document Date", "Net due date", "Amount in doc. curr.",
          "Document currency"),
         ("buyer_id", "invoice_id", "document_type", "issue_date", "due_date", "amount", "currency")),
        (("Kunden-Nr.", "Rechnungsnr", "Belegart", "Rechnungsdatum", "Faelligkeit", "Offener Betrag", "Waehrung"),
         ("buyer_id", "invoice_id", "document_type", "issue_date", "due_date", "amount_open", "currency")),
        (("客户编号", "发票号", "单据类型", "开票日期", "到期日", "未收金额", "币种"),
         ("buyer_id", "invoice_id", "document_type", "issue_date", "due_date", "amount_open", "currency")),
        (("Account Number", "Transaction Number", "Transaction Type", "Trx Date", "Due Date", "Amount Due Remaining",
          "Currency Code"),
         ("buyer_id", "invoice_id", "document_type", "issue_date", "due_date", "amount_open", "currency")),
        (("Entity ID", "Document Number", "Type", "Date", "Date Due", "Amount Remaining", "Currency"),
         ("buyer_id", "invoice_id", "document_type", "issue_date", "due_date", "amount_open", "currency")),
        (("KUNNR", "BELNR", "BLART", "BLDAT", "FAEDT", "WRBTR", "WAERS"),
         ("buyer_id", "invoice_id", "document_type", "issue_date", "due_date", "amount", "currency")),
    ],
)  # fmt: skip
def test_headers_of_erp_systems(headers: tuple[str, ...], expected: tuple[str, ...]) -> None:
    found, trouble = mapped(*headers)
    assert found == dict(zip(expected, headers, strict=True))
    assert not trouble


def test_no_synonym_means_two_fields_of_one_rank() -> None:
    seen: dict[tuple[str, int], str] = {}
    for name, ranks in synonyms().items():
        for header, rank in ranks.items():
            other = seen.setdefault((header, rank), name)
            assert other == name or rank == 2, (header, other, name)
    assert set(synonyms()) == set(ALL_FIELDS)


def test_posting_date_counts_only_without_a_document_date() -> None:
    assert mapped("Posting date", "Document date")[0] == {"issue_date": "Document date"}
    assert mapped("Posting date")[0] == {"issue_date": "Posting date"}
    assert mapped("Customer", "Customer ID")[0] == {"buyer_id": "Customer ID", "name": "Customer"}


def test_the_users_mapping_comes_first() -> None:
    found, trouble = mapped("Kunde", "Due", "Zahlbar bis", columns={"due_date": "Zahlbar bis"})
    assert (found["due_date"], trouble) == ("Zahlbar bis", [])


def test_ambiguous_missing_and_misspelt_headers_are_problems() -> None:
    assert "could each be due_date" in mapped("Fälligkeit", "Net due date")[1][0]
    assert "did you mean due_dat?" in mapped("buyer_id", "due_dat", required=("due_date",))[1][0]
    assert "did you mean credit_limit?" in mapped("buyer_id", "credit_limt")[1][0]
    assert "stands over 2 columns" in mapped("a", "a", columns={"buyer_id": "a"})[1][0]


def test_the_exact_name_wins_over_a_synonym() -> None:
    assert mapped("due_date", "Fälligkeit") == ({"due_date": "due_date"}, [])


def test_normal() -> None:
    assert normal("Rechnungs-Nr.") == "rechnungsnr"
    assert normal("Straße") == "strasse"
