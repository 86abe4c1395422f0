"""The shipped ledgers: the same bytes as the code makes today, and as realistic as they claim to be."""

from __future__ import annotations

from io import StringIO
from pathlib import Path
from typing import Any

import pytest
from rich.console import Console

from simulator.ledger.exports import write_shipped
from simulator.ledger.load import load_portfolio
from simulator.ledger.profile import profile_text
from simulator.ledger.synthetic import main
from simulator.study.load import load_study

CONFIGS = Path(__file__).parents[1] / "configs"


def profile(name: str) -> dict[str, Any]:
    return load_portfolio(load_study(CONFIGS / name / "study.yaml")).profile


def test_the_committed_ledgers_are_what_the_code_makes(tmp_path: Path) -> None:
    written = write_shipped(tmp_path)
    assert len(written) == 6
    for path in written:
        assert path.read_bytes() == (CONFIGS / path.relative_to(tmp_path)).read_bytes(), path.name


def test_the_command(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert main([]) == 2
    assert "usage" in capsys.readouterr().err
    assert main([str(tmp_path)]) == 0
    assert len(capsys.readouterr().out.splitlines()) == 6


@pytest.mark.parametrize(
    ("name", "buyers", "countries", "currencies", "top_10", "dso", "planned"),
    [
        ("sme_domestic", 60, 1, 1, (0.40, 0.60), (80, 100), (1_000, 1_600)),
        ("exporter", 600, 25, 6, (0.35, 0.45), (45, 65), (7_400, 8_600)),
        ("multinational", 5_000, 25, 12, (0.14, 0.22), (50, 70), (40_000, 60_000)),
    ],
)
def test_the_books_are_realistic(
    name: str, buyers: int, countries: int, currencies: int, top_10: tuple[float, float], dso: tuple[float, float],
    planned: tuple[int, int],
) -> None:  # fmt: skip
    book = profile(name)
    study = load_study(CONFIGS / name / "study.yaml").study
    days = study.study.horizon.days_from(study.study.as_of)
    rate = book["planned"]["amount"] / (1 + study.portfolio.sales.growth) / days
    assert book["buyers"] == buyers
    assert len(book["by_country"]) == countries
    assert len(book["by_currency"]) == currencies
    assert top_10[0] <= book["concentration"]["top_10_share"] <= top_10[1]
    assert dso[0] <= book["exposure"] / rate <= dso[1]
    assert planned[0] <= book["planned"]["invoices"] <= planned[1]
    assert all(row["difference"] == 0.0 for row in book["reconciliation"])
    ageing = {row["bucket"]: row["share"] for row in book["ageing"]}
    assert 0.80 <= ageing["not due"] <= 0.93
    assert ageing["> 180"] < 0.01
    assert book["limits"]["no_cover"] > 0
    assert book["limits"]["no_named_limit"] > 0
    assert book["disputed"] > 0
    assert sum(row["applied"] for row in book["reconciliation"]) > 0


def test_the_shapes_erps_export_are_recognised() -> None:
    files = {file["what"]: file for file in profile("exporter")["files"]}
    assert (files["buyers"]["encoding"], files["open_items"]["encoding"]) == ("cp1252", "utf-8-sig")
    assert files["open_items"]["columns"]["due_date"] == "Nettofälligkeit"
    files = {file["what"]: file for file in profile("sme_domestic")["files"]}
    assert {file["encoding"] for file in files.values()} == {"gb18030"}
    assert files["buyers"]["columns"]["sector"] == "省份"


@pytest.mark.parametrize("name", ["sme_domestic", "exporter"])
def test_the_profile_prints(name: str) -> None:
    console = Console(width=140, file=StringIO())
    book = profile(name)
    book["top_buyers"][0]["name"] = "[red]=1+1[/red]<script>"
    profile_text(book, console)
    text = console.file.getvalue()  # type: ignore[attr-defined]
    assert "[red]=1+1[/red]<script>" in text
    for word in ("Ageing", "Reconciliation", "Largest buyers", "Planned sales", "columns:", "Limits:"):
        assert word in text
