"""The same tables as an Excel workbook: plain values, no formulas, no links, whatever a buyer is called."""

from __future__ import annotations

import datetime as dt
import math
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import xlsxwriter

from simulator.report.assumptions import assumptions
from simulator.report.figures import claims_in_time, gap, share_paid
from simulator.report.figures.style import display_width
from simulator.results.files import replace_file
from simulator.results.result import Result

OPTIONS = {"strings_to_formulas": False, "strings_to_urls": False, "strings_to_numbers": False, "in_memory": True}
FORMATS = {
    "money": "#,##0;[Red]-#,##0",
    "share": "0.00%",
    "number": "#,##0.####",
    "count": "#,##0",
    "date": "yyyy-mm-dd",
}
_MONEY_COLUMNS = {"exposure", "mean_loss", "tail_loss", "amount", "amount_error", "claim_cash"}
_SHARE_COLUMNS = {
    "share_of_tail", "quantile", "level", "share", "start", "end", "claims_come", "first_shortfalls",
    "shortfalls_come", "headline", "mean", "mean_error", "low", "lower", "median", "upper", "high", "scenarios",
}  # fmt: skip
_LONGEST_TEXT = 32_767
_WIDEST = 60


def sheets(result: Result, summary: pd.DataFrame, comparison: pd.DataFrame) -> dict[str, pd.DataFrame]:
    """Every sheet's table by name; what a mode does not have (paths without cash) is left out."""
    tables = {"comparison": comparison, "summary": summary}
    drivers = ("buyers", "countries", "currencies", "sectors")
    tables |= {name: result.contributions[name] for name in drivers if name in result.contributions}
    tables |= cover_sheets(result)
    tables |= {"paths": path_rows(result), "assumptions": assumptions(result.study)}
    tables["provenance"] = pd.DataFrame(flatten(result.manifest), columns=["key", "value"])
    return {name: table for name, table in tables.items() if not table.empty}


def cover_sheets(result: Result) -> dict[str, pd.DataFrame]:
    """The policies at work, as the figures show them: waterfall, share of the debts paid, claims money in time."""
    found = {"waterfall": gap.data(result), "share_paid": share_paid.data(result)}
    if "mean_claim_cash" in result.paths:
        found["claims_in_time"] = claims_in_time.data(result)
    return found


def path_rows(result: Result) -> pd.DataFrame:
    """Paths in tidy form: variable, programme, quantile, date, value, unit; empty without cash."""
    frames = []
    for name, variable in result.paths.data_vars.items():
        if "period" not in variable.dims:
            continue
        rows = variable.rename("value").to_series().reset_index().rename(columns={"period": "date"})
        rows.insert(0, "variable", str(name))
        frames.append(rows.assign(unit=str(variable.attrs.get("units", ""))))
    if not frames:
        return pd.DataFrame()
    rows = pd.concat(frames, ignore_index=True)
    columns = [c for c in ("variable", "programme", "quantile", "date", "value", "unit") if c in rows]
    return rows[columns]


def flatten(value: Any, path: str = "") -> Iterator[tuple[str, str]]:
    """Nested mappings and lists as (dotted key, text) pairs."""
    if isinstance(value, Mapping):
        for key, entry in value.items():
            yield from flatten(entry, f"{path}.{key}" if path else str(key))
    elif isinstance(value, list | tuple) and any(isinstance(v, Mapping | list | tuple) for v in value):
        for position, entry in enumerate(value):
            yield from flatten(entry, f"{path}[{position}]")
    elif isinstance(value, list | tuple):
        yield path, ", ".join(str(v) for v in value)
    else:
        yield path, "" if value is None else str(value)


def write_workbook(result: Result, summary: pd.DataFrame, comparison: pd.DataFrame, path: Path) -> None:
    """Write report.xlsx atomically."""
    replace_file(path, lambda temporary: _write(sheets(result, summary, comparison), temporary, result))


def _write(tables: Mapping[str, pd.DataFrame], path: Path, result: Result) -> None:
    info = result.study.study
    with xlsxwriter.Workbook(str(path), OPTIONS) as book:
        book.set_properties({"title": info.title[:255], "created": dt.datetime.combine(info.as_of, dt.time())})
        formats = {name: book.add_format({"num_format": text}) for name, text in FORMATS.items()}
        formats["head"] = book.add_format({"bold": True, "bottom": 1, "text_wrap": True, "valign": "top"})
        formats["wrap"] = book.add_format({"text_wrap": True, "valign": "top"})
        for name, table in tables.items():
            _sheet(book.add_worksheet(name), table.reset_index(drop=True), formats)


def _sheet(sheet: Any, table: pd.DataFrame, formats: Mapping[str, Any]) -> None:
    units = [str(u) for u in table["unit"]] if "unit" in table else None
    for column, name in enumerate(table.columns):
        sheet.write_string(0, column, str(name), formats["head"])
        longest = display_width(str(name))
        for row, value in enumerate(table[name].tolist()):
            longest = max(longest, _cell(sheet, row + 1, column, value, _format(str(name), units, row), formats))
        sheet.set_column(column, column, min(_WIDEST, max(9, longest + 2)))
    sheet.freeze_panes(1, 1)
    sheet.autofilter(0, 0, len(table), len(table.columns) - 1)
    sheet.set_landscape()
    sheet.fit_to_pages(1, 0)
    sheet.repeat_rows(0)


def _format(column: str, units: list[str] | None, row: int) -> str:
    if column in _MONEY_COLUMNS:
        return "money"
    if column in _SHARE_COLUMNS:
        return "share"
    if units is None or column in {"n_defaults"}:
        return "number"
    unit = units[row]
    if len(unit) == 3 and unit.isupper():
        return "money"
    return "share" if unit in {"1", "share", "probability"} else "number"


def _cell(sheet: Any, row: int, column: int, value: Any, style: str, formats: Mapping[str, Any]) -> int:
    """Write one cell as what it is; returns the width it wants."""
    if isinstance(value, bool | np.bool_):
        sheet.write_boolean(row, column, bool(value))
        return 6
    if isinstance(value, int | float | np.number):
        number = float(value)
        if math.isfinite(number):
            sheet.write_number(row, column, number, formats[style])
        else:
            sheet.write_blank(row, column, None)
        return 14 if style == "money" else 11
    if isinstance(value, pd.Timestamp | dt.date):
        sheet.write_datetime(row, column, pd.Timestamp(value).to_pydatetime(), formats["date"])
        return 11
    if value is None or value is pd.NaT:
        sheet.write_blank(row, column, None)
        return 0
    text = str(value)[:_LONGEST_TEXT]
    wide = display_width(text)
    sheet.write_string(row, column, text, *([formats["wrap"]] if wide > _WIDEST else []))
    return wide
