"""The page: complete in every mode, harmless whatever names it holds, the same bytes for the same result."""

import re
from xml.etree import ElementTree

import pytest

from simulator.errors import SimulatorError
from simulator.report.write import write_report
from tests.fake_result import fake_constant_result, fake_result
from tests.report_cases import HOSTILE, Page, hostile_result, lossless_result, single_result

ALWAYS = ["The answer", "How much can be lost", "What each programme costs", "Who drives the loss",
          "What the ledger looks like", "What was assumed", "Definitions and provenance"]  # fmt: skip
CASH = ["What happens to cash", "When cash runs short, and by how much"]


@pytest.fixture(scope="module")
def full(tmp_path_factory):
    folder = tmp_path_factory.mktemp("full")
    result = fake_result(1200, stresses=("pessimistic",))
    return folder, write_report(result, folder), result


@pytest.fixture(scope="module")
def page(full):
    return Page(full[1]["html"].read_text(encoding="utf-8"))


def page_of(result, folder):
    return Page(write_report(result, folder, formats=("html",))["html"].read_text(encoding="utf-8"))


def test_files(full):
    folder, written, _ = full
    assert {kind: path.name for kind, path in written.items()} == {
        "html": "report.html", "xlsx": "report.xlsx", "json": "summary.json",
    }  # fmt: skip
    names = {p.name for p in (folder / "figures").iterdir()}
    assert {"exceedance.svg", "exceedance.csv", "cash_fan.csv", "cash_fan-1.svg", "cash_fan-5.svg"} <= names
    assert not [p for p in folder.rglob("*") if p.suffix == ".tmp"]
    assert {p.stem.split("-")[0] for p in (folder / "figures").glob("*.svg")} == {
        p.stem for p in (folder / "figures").glob("*.csv")
    }


def test_html_is_balanced_and_ids_are_unique(page):
    assert page.faults == []
    assert len(page.ids) == len(set(page.ids))


def test_every_link_has_its_place(page):
    targets = [value[1:] for tag, key, value in page.attributes if key == "href" and value.startswith("#")]
    assert targets
    assert set(targets) <= set(page.ids)
    clips = [value for _, key, value in page.attributes if key == "clip-path"]
    assert {re.fullmatch(r"url\(#(.*)\)", clip)[1] for clip in clips} <= set(page.ids)


def test_nothing_is_fetched(full, page):
    text = full[1]["html"].read_text(encoding="utf-8")
    links = [m[0] for m in re.finditer(r"(https?:)?//[\w.]+[^\s\"'<]*", re.sub(r'xmlns(:\w+)?="[^"]*"', "", text))]
    assert links == []
    assert not {"script", "img", "link", "iframe", "object", "embed", "base", "form"} & set(page.tags)
    assert not re.search(r"@import|url\((?!#)", text)


def test_sections_in_order(page):
    assert page.headings == [
        "The answer", "How much can be lost", "What happens to cash", "When cash runs short, and by how much",
        "What the cover really covers", "What each programme costs", "Who drives the loss",
        "What if times are worse, or better", "What the ledger looks like", "What was assumed",
        "Definitions and provenance",
    ]  # fmt: skip


def test_constant_exposure_has_no_cash(tmp_path):
    page = page_of(fake_constant_result(400), tmp_path)
    assert not set(CASH) & set(page.headings)
    assert set(ALWAYS) <= set(page.headings)
    assert not any("shortfall" in p.name or "cash" in p.name for p in (tmp_path / "figures").iterdir())
    text = " ".join(page.texts)
    assert "liquidity.opening_cash" not in text
    assert "Liquidity at risk" not in text


@pytest.mark.parametrize("position", [0, 2])
def test_one_programme(tmp_path, position):
    page = page_of(single_result(position), tmp_path)
    assert page.faults == []
    assert set(ALWAYS + CASH) <= set(page.headings)
    assert ("What the cover really covers" in page.headings) == (position == 2)
    assert "baseline" not in [text.strip() for text in page.texts]


def test_nothing_lost(tmp_path):
    page = page_of(lossless_result(), tmp_path)
    assert page.faults == []
    assert any("run short of cash" in text for text in page.texts)
    assert not any("nan" in text.casefold().split() for text in page.texts)


def test_weighted_with_a_single_period(tmp_path):
    assert page_of(fake_result(400, periods=1, weighted=True), tmp_path).faults == []


def test_figures_speak(page):
    roles = [value for tag, key, value in page.attributes if tag == "svg" and key == "role"]
    labels = [value for tag, key, value in page.attributes if tag == "svg" and key == "aria-labelledby"]
    assert roles
    assert set(roles) == {"img"}
    assert len(labels) == len(roles)
    assert all(set(label.split()) <= set(page.ids) for label in labels)
    assert page.tags.count("caption") == page.tags.count("table")
    assert [v for t, k, v in page.attributes if t == "html" and k == "lang"] == ["en"]


def test_numbers_have_errors(page):
    text = " ".join(" ".join(page.texts).split())
    assert "The programmes compared" in text
    assert re.search(r"Probability of a shortfall .{0,60}\d\.\d\s% ± 0\.\d ", text)
    assert "the same scenarios" in text


def test_every_parameter_is_listed(full, page):
    _, _, result = full
    text = set(page.texts)
    assert {
        "credit.dependence.copula", "payment.delay.early_share", "fx.wrong_way", "simulation.seed",
        "liquidity.credit_line.limit", "stresses.pessimistic.pd_multiplier", "portfolio.sales.mode",
    } <= text  # fmt: skip
    assert str(result.study.simulation.seed) in text


def test_hostile_names_are_text(tmp_path):
    written = write_report(hostile_result(), tmp_path)
    text = written["html"].read_text(encoding="utf-8")
    page = Page(text)
    assert page.faults == []
    assert "script" not in page.tags
    assert "img" not in page.tags
    assert not [key for _, key, _ in page.attributes if key.startswith("on")]
    assert "<script" not in text
    joined = "".join(page.texts)
    for name in HOSTILE[:6]:
        assert name in joined
    assert "49 }}" not in joined
    for figure in (tmp_path / "figures").glob("*.svg"):
        tags = {element.tag.rpartition("}")[2] for element in ElementTree.parse(figure).iter()}
        assert tags <= {"svg", "title", "desc", "g", "path", "defs", "use", "text", "tspan", "clipPath", "rect"}
    drawn = (tmp_path / "figures" / "contributions.csv").read_text(encoding="utf-8")
    assert not re.search(r"(^|,)\"?[=+@]", drawn, flags=re.MULTILINE)


def test_same_result_same_bytes(tmp_path):
    first, second = (write_report(fake_result(400), tmp_path / name) for name in ("a", "b"))
    for kind in ("html", "xlsx", "json"):
        assert first[kind].read_bytes() == second[kind].read_bytes(), kind
    for figure in (tmp_path / "a" / "figures").iterdir():
        assert figure.read_bytes() == (tmp_path / "b" / "figures" / figure.name).read_bytes(), figure.name


def test_only_what_was_asked_for(tmp_path):
    written = write_report(fake_result(400), tmp_path, formats=("json",))
    assert list(written) == ["json"]
    assert [p.name for p in tmp_path.iterdir()] == ["summary.json"]


def test_folder_that_cannot_be_made(tmp_path):
    (tmp_path / "file").write_text("")
    with pytest.raises(SimulatorError, match="cannot write"):
        write_report(fake_result(400), tmp_path / "file" / "below")
