"""Reading a ledger file as a table of text cells.

CSV through the ``csv`` module, Excel through calamine. Nothing is interpreted here: an id keeps its leading zeros
and Namibia stays ``NA``. Encoding and separator are found out from the bytes; where they cannot be, that is a problem
which names the setting to give, never a guess.
"""

from __future__ import annotations

import csv
import datetime as dt
import io
import re
from collections import Counter
from collections.abc import Callable, Iterable, Sequence
from pathlib import Path
from typing import Any

from simulator.errors import Problem
from simulator.ledger.text_table import Collector, Number, Table
from simulator.study.schema import FileFormat

DELIMITERS = (",", ";", "\t", "|")
EXCEL_SUFFIXES = (".xlsx", ".xlsm", ".xlsb", ".xls", ".ods")
#: Title lines an export may carry above its header.
PREAMBLE = 20
_BYTE_ORDER_MARKS = ((b"\xef\xbb\xbf", "utf-8-sig"), (b"\xff\xfe", "utf-16"), (b"\xfe\xff", "utf-16"))
_CHINESE_PAIRS = re.compile(rb"(?:[\xa1-\xf7][\xa1-\xfe])+")
_HIGH_BYTES = re.compile(rb"[\x80-\xff]")

RecognisedHeaders = Callable[[Sequence[str]], int]


def read_table(path: Path, shown: str, form: FileFormat, known: RecognisedHeaders, found: Collector) -> Table | None:
    """Read a CSV or Excel file; ``None`` when it cannot be read, with the reason among the problems.

    Args:
        path: the file.
        shown: the file as the user would type it.
        form: what the study says about the way files are written.
        known: how many cells of a line are recognised column names; the header is the first line with at least two.
        found: where problems go.
    """
    if not path.is_file():
        found.add("missing file", Problem(f"no such file: {path}", file=shown))
        return None
    try:
        data = path.read_bytes()
    except OSError as error:
        found.add("unreadable file", Problem(f"cannot be read: {error.strerror}", file=shown))
        return None
    if path.suffix.casefold() in EXCEL_SUFFIXES or data[:4] in (b"PK\x03\x04", b"\xd0\xcf\x11\xe0"):
        return _read_excel(path, shown, form, known, found)
    text = _decode(data, shown, form.encoding, found)
    return None if text is None else _read_csv(*text, shown, form, known, found)


def _decode(data: bytes, shown: str, encoding: str | None, found: Collector) -> tuple[str, str] | None:
    if encoding:
        marked = next((name for mark, name in _BYTE_ORDER_MARKS if data.startswith(mark)), encoding)
        encoding = "utf-8-sig" if marked == "utf-8-sig" and encoding.casefold() in ("utf-8", "utf8") else encoding
    else:
        encoding = _find_encoding(data)
    if not encoding:
        message = "text encoding not recognised; set portfolio.format.encoding (utf-8, cp1252, gb18030 …)"
        found.add("encoding", Problem(message, file=shown))
        return None
    try:
        text = data.decode(encoding)
    except LookupError:
        found.add("encoding", Problem(f"unknown encoding {encoding!r} in portfolio.format.encoding", file=shown))
        return None
    except UnicodeDecodeError as error:
        line = data.count(b"\n", 0, error.start) + 1
        found.add("encoding", Problem(f"not valid {encoding} text (byte {error.start})", file=shown, line=line))
        return None
    if "\x00" in text:
        found.add("encoding", Problem("not a text file: it contains zero bytes", file=shown))
        return None
    return text, encoding


def _find_encoding(data: bytes) -> str:
    """utf-8 if valid; else gb18030 if its non-ASCII bytes come as Chinese pairs, cp1252 if they stand alone."""
    for mark, name in _BYTE_ORDER_MARKS:
        if data.startswith(mark):
            return name
    try:
        data.decode("utf-8")
    except UnicodeDecodeError:
        pass
    else:
        return "utf-8"
    high = len(_HIGH_BYTES.findall(data))
    paired = sum(len(run) for run in _CHINESE_PAIRS.findall(data)) / high
    candidate = "gb18030" if paired >= 0.8 else "cp1252" if paired <= 0.2 else ""
    try:
        data.decode(candidate or "ascii")
    except UnicodeDecodeError:
        return ""
    return candidate


def _read_csv(
    text: str, encoding: str, shown: str, form: FileFormat, known: RecognisedHeaders, found: Collector
) -> Table | None:
    source = list(io.StringIO(text, newline=""))
    skipped = 0
    delimiter = form.delimiter.replace("\\t", "\t") if form.delimiter else ""
    if delimiter and len(delimiter) != 1:
        message = f"portfolio.format.delimiter must be one character, not {form.delimiter!r}"
        found.add("delimiter", Problem(message, file=shown))
        return None
    if source and (match := re.fullmatch(r"sep=(.)\s*", source[0], flags=re.IGNORECASE)):
        delimiter, skipped = delimiter or match[1], 1
    delimiter = delimiter or _find_delimiter(source, known)
    reader = csv.reader(source[skipped:], delimiter=delimiter, strict=True)
    rows: list[list[str]] = []
    starts: list[int] = []
    start = skipped + 1
    try:
        for row in reader:
            rows.append(row)
            starts.append(start)
            start = skipped + reader.line_num + 1
    except csv.Error as error:
        message = f"cannot be read as CSV from here: {error}; a quotation mark is not closed or stands inside a cell"
        found.add("csv", Problem(message, file=shown, line=start, source=source[start - 1] if source else ""))
        return None
    return _shape(rows, starts, shown, known, found, source, delimiter, encoding)


def _find_delimiter(source: Sequence[str], known: RecognisedHeaders) -> str:
    """The separator under which most column names are recognised, then under which lines are most alike."""
    head = source[: PREAMBLE * 2]

    def score(delimiter: str) -> tuple[int, int, int]:
        try:
            rows = [row for row in csv.reader(head, delimiter=delimiter) if row]
        except csv.Error:
            return (-1, 0, 0)
        widths = Counter(len(row) for row in rows if len(row) > 1)
        width, count = widths.most_common(1)[0] if widths else (1, 0)
        return (max((known(row) for row in rows[:PREAMBLE]), default=0), count, width)

    return max(DELIMITERS, key=score)


def _read_excel(path: Path, shown: str, form: FileFormat, known: RecognisedHeaders, found: Collector) -> Table | None:
    from python_calamine import CalamineError, CalamineWorkbook  # only where a study has Excel files

    try:
        with CalamineWorkbook.from_path(str(path)) as book:
            names = list(book.sheet_names)
            if form.sheet is not None and form.sheet not in names:
                message = f"no worksheet {form.sheet!r} (portfolio.format.sheet); it has {', '.join(names)}"
                found.add("worksheet", Problem(message, file=shown))
                return None
            name = form.sheet or names[0]
            cells = book.get_sheet_by_name(name).to_python(skip_empty_area=False)
    except (CalamineError, OSError) as error:
        found.add("excel", Problem(f"cannot be read as an Excel file: {error}", file=shown))
        return None
    rows = [[_cell_text(cell) for cell in row] for row in cells]
    lines = list(range(1, len(rows) + 1))
    return _shape(rows, lines, f"{shown}[{name}]", known, found, [], "", "excel")


def _cell_text(cell: Any) -> str:
    if isinstance(cell, str):
        return cell
    if isinstance(cell, bool):
        return "true" if cell else "false"
    if isinstance(cell, int | float):
        whole = isinstance(cell, int) or (cell.is_integer() and abs(cell) < 1e15)
        return Number(int(cell)) if whole else Number(repr(cell))
    if isinstance(cell, dt.datetime):
        return cell.date().isoformat()
    return cell.isoformat() if isinstance(cell, dt.date | dt.time) else str(cell)


def _shape(
    rows: list[list[str]],
    lines: list[int],
    shown: str,
    known: RecognisedHeaders,
    found: Collector,
    source: list[str],
    delimiter: str,
    encoding: str,
) -> Table | None:
    """Split header from body, drop blank lines, pad short lines, refuse long ones."""
    filled = [i for i, row in enumerate(rows) if any(cell.strip() for cell in row)]
    if not filled:
        found.add("empty file", Problem("the file is empty: a header line and at least one line are needed", shown))
        return None
    head = next((i for i in filled[:PREAMBLE] if known(rows[i]) >= 2), filled[0])
    header = [cell.strip() for cell in rows[head]]
    while header and not header[-1]:
        header.pop()
    width = len(header)
    body = [i for i in filled if i > head]
    table = Table(
        shown, header, lines[head], [rows[i] for i in body], [lines[i] for i in body], source, delimiter, encoding
    )
    broken = []
    for at, row in enumerate(table.rows):
        if len(row) == width:
            continue
        if len(row) > width and any(cell.strip() for cell in row[width:]):
            message = f"this line has {len(row)} cells, the header has {width}: a separator inside a cell needs quotes"
            found.add("cells beyond the header", table.problem(at, width, message, value=row[width]))
            broken.append(at)
        table.rows[at] = row[:width] + [""] * (width - len(row))
    for at in reversed(broken):  # their cells are shifted: further problems on these lines would mislead
        del table.rows[at], table.lines[at]
    if not table.rows and not broken:
        message = "no lines below the header: the ledger is empty"
        found.add("empty file", Problem(message, shown, lines[head]))
        return None
    return table


def numbered(items: Iterable[str]) -> str:
    """A short list for a message: the first five, then how many more."""
    listed = list(items)
    return ", ".join(listed[:5]) + (f" and {len(listed) - 5} more" if len(listed) > 5 else "")
