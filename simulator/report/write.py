"""Write the report of a result: page, workbook, summary, figures and their data."""

from __future__ import annotations

import re
from collections.abc import Sequence
from pathlib import Path

import pandas as pd

from simulator.compare.paired import SUFFIX, differences, full_summary
from simulator.compare.table import comparison_table
from simulator.compare.verdict import verdict
from simulator.engine.spill import releasing
from simulator.report.figures.artist import Artist
from simulator.report.figures.catalogue import FIGURES
from simulator.report.page import render
from simulator.report.sections import Material
from simulator.results.files import prepare_folder, together, write_json, write_table, write_text
from simulator.results.result import Result

FOLDER = "figures"
XML = '<?xml version="1.0" encoding="utf-8"?>\n'


@releasing()
def write_report(
    result: Result,
    folder: str | Path,
    summary: pd.DataFrame | None = None,
    formats: Sequence[str] = ("html", "xlsx", "json"),
    artist: Artist | None = None,
) -> dict[str, Path]:
    """Write what was asked for into a folder, made if need be; every file whole or not at all.

    ``html`` writes report.html and figures/ (each figure as SVG, its data as CSV; those of an earlier report go),
    ``xlsx`` report.xlsx, ``json`` summary.json.

    Args:
        result: what is reported.
        folder: where to.
        summary: its tidy summary; the result's own, or a fresh one, when None.
        formats: any of html, xlsx, json.
        artist: draws the figures, and may have begun; draws them here when None.

    Returns:
        the file of each format.

    Raises:
        SimulatorError: when the folder cannot be written.
    """
    target = prepare_folder(folder)
    rows = summary if summary is not None else result.summary_rows
    rows = full_summary(result) if rows is None else rows
    measured = result.with_summary(with_differences(result, rows))
    files = {"html": "report.html", "xlsx": "report.xlsx", "json": "summary.json"}
    written = {kind: target / name for kind, name in files.items() if kind in formats}
    artist = artist or Artist()
    if "html" in written and not artist.data:
        artist.begin(measured)
    with together():
        if "xlsx" in written:
            from simulator.report.workbook import write_workbook

            write_workbook(measured, measured.summary(), comparison_table(measured), written["xlsx"])
        if "json" in written:
            write_json(written["json"], measured.summary())
        if "html" in written:
            _write_page(measured, written["html"], artist)
    return written


def with_differences(result: Result, rows: pd.DataFrame) -> pd.DataFrame:
    """A summary with the paired differences to the baseline, which it may have already."""
    if len(result.programmes) == 1 or rows["measure"].str.endswith(SUFFIX).any():
        return rows
    return pd.concat([rows, differences(result)], ignore_index=True)


def earlier_figures(folder: Path) -> list[Path]:
    """Files in a folder that a report wrote there: the data and drawings of its figures, nothing else."""
    names = "|".join(figure.name for figure in FIGURES)
    owned = re.compile(rf"({names})(\.csv|(-\d+)?\.svg)")
    return sorted(p for p in folder.iterdir() if owned.fullmatch(p.name) and p.is_file())


def _write_page(result: Result, path: Path, artist: Artist) -> None:
    """The page, its figures as files beside it, and the data of each."""
    folder = prepare_folder(path.parent / FOLDER)
    for name, table in artist.data.items():
        write_table(folder / f"{name}.csv", table)
    answer = verdict(result)
    drawings, files = artist.drawn()
    wanted = {f"{name}.csv" for name in artist.data} | {f"{name}.svg" for name in files}
    for stale in earlier_figures(folder):
        if stale.name not in wanted:
            stale.unlink(missing_ok=True)
    for name, svg in files.items():
        write_text(folder / f"{name}.svg", XML + svg + "\n")
    write_text(path, render(Material(result, result.summary(), answer, artist.data, drawings)))
