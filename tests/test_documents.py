"""What the documents say exists: commands, study keys, messages, links, formulas; their Python runs."""

from __future__ import annotations

import ast
import json
import os
import re
import shlex
from pathlib import Path
from typing import Any

import pytest
from ruamel.yaml import YAML

import simulator
from simulator.cli import cli
from simulator.compare.table import text_of
from simulator.study.fields import slot_at
from simulator.study.scaffold import init_study
from simulator.terms import load_terms

ROOT = Path(__file__).parents[1]
NAMES = ("README.md", "CHANGELOG.md", "docs/ARCHITECTURE.md", "docs/MODEL.md", "docs/USING.md")
TEXTS = {name: (ROOT / name).read_text(encoding="utf-8") for name in NAMES}
FENCE = re.compile(r"^```(\w*)\n(.*?)^```$", re.MULTILINE | re.DOTALL)
FORMULAS = [ROOT / "simulator" / "streams.py", *sorted((ROOT / "simulator").glob("*/*formulas.py"))]


def blocks(language: str, *names: str) -> list[tuple[str, str]]:
    """(where, content) of the fenced blocks of a language."""
    return [
        (f"{name}:{TEXTS[name][: match.start()].count(chr(10)) + 1}", match[2])
        for name in names or NAMES
        for match in FENCE.finditer(TEXTS[name])
        if match[1] == language
    ]


def params(found: list[tuple[str, str]]) -> list[Any]:
    return [pytest.param(content, id=where) for where, content in found]


def commands() -> list[Any]:
    lines = [
        (f"{where}/{line.split('#')[0].strip()}", line.split("#")[0].strip())
        for where, content in blocks("sh")
        for line in content.splitlines()
    ]
    return params([(where, line) for where, line in lines if line.startswith(("simulator", "make"))])


@pytest.mark.parametrize("line", commands())
def test_commands_and_their_options_exist(line: str) -> None:
    program, *arguments = shlex.split(line)
    if program == "make":
        targets = re.findall(r"^([\w-]+):", (ROOT / "Makefile").read_text(encoding="utf-8"), flags=re.MULTILINE)
        assert {a for a in arguments if "=" not in a} <= set(targets)
    elif arguments != ["--help"]:
        command = cli.commands[arguments[0]]
        assert command.make_context(arguments[0], arguments[1:])
        for change in (a for a in arguments if "=" in a and not a.startswith("-")):
            assert known_key(change.partition("=")[0]), change


def known_key(key: str) -> bool:
    """Whether a dotted key, programmes by name or position, is one of the dictionary."""
    plain = re.sub(r"\[\d+\]", "", key)
    plain = re.sub(r"^programmes\.[^.]*[A-Z ][^.]*\.", "programmes.", plain)
    known = {t.name for t in load_terms() if t.kind == "config"}
    return plain in known or plain.rpartition(".")[0] in known


def test_every_command_is_described() -> None:
    text = "".join(content for _, content in blocks("sh", "docs/USING.md")) + TEXTS["docs/USING.md"]
    assert [name for name in cli.commands if f"simulator {name}" not in text and f"`{name}`" not in text] == []


def merged(content: str, folder: Path) -> dict[str, Any]:
    """A fragment of a study laid over the sample study, with every file it names lying there."""
    loader = YAML(typ="safe")
    study: dict[str, Any] = loader.load((folder / "study.yaml").read_text(encoding="utf-8"))
    fragment = loader.load(content)
    study |= fragment
    study["study"]["as_of"] = str(study["study"]["as_of"])
    for name in re.findall(r"[\w/]+\.(?:csv|xlsx)", content):
        (folder / name).touch()
    return study


@pytest.mark.parametrize("content", params(blocks("yaml")))
def test_study_fragments_are_valid(content: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    init_study(tmp_path / "s")
    monkeypatch.chdir(tmp_path / "s")
    study = merged(content, tmp_path / "s")
    loaded = simulator.load_study(study)
    for section in YAML(typ="safe").load(content):
        assert slot_at((section,), study) is not None
    assert loaded.study.study.title


def test_every_key_is_shown() -> None:
    """USING.md names every key of the study file at least once."""
    words = set(re.findall(r"\w+", TEXTS["docs/USING.md"]))
    assert sorted({t.name.rpartition(".")[2] for t in load_terms() if t.kind == "config"} - words) == []


@pytest.fixture(scope="module")
def namespace() -> dict[str, Any]:
    return {}


@pytest.fixture(scope="module")
def workplace(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("documents")
    init_study(folder / "my-study")
    return folder


@pytest.mark.parametrize("content", params(blocks("python")))
def test_python_examples_run(
    content: str, workplace: Path, namespace: dict[str, Any], monkeypatch: pytest.MonkeyPatch
) -> None:
    """In the order of the page, in one session; scenario numbers are those of the page."""
    monkeypatch.chdir(workplace)
    namespace.setdefault("simulator", simulator)
    exec(compile(content, "example", "exec"), namespace)


def anchors(text: str) -> set[str]:
    """The anchors a Markdown page offers, as GitHub makes them."""
    heads = re.findall(r"^#+ (.+)$", FENCE.sub("", text), flags=re.MULTILINE)
    return {re.sub(r"[^\w\- ]", "", head.lower()).replace(" ", "-") for head in heads}


@pytest.mark.parametrize("name", NAMES)
def test_links_resolve(name: str) -> None:
    here = (ROOT / name).parent
    for target in re.findall(r"\]\(([^)\s]+)\)", TEXTS[name]):
        if target.startswith("https://"):
            continue
        path, _, anchor = target.partition("#")
        file = (here / path).resolve() if path else ROOT / name
        assert file.exists(), f"{name}: {target}"
        if anchor:
            assert anchor in anchors(file.read_text(encoding="utf-8")), f"{name}: {target}"


@pytest.mark.parametrize("name", NAMES)
def test_named_files_exist(name: str) -> None:
    for path in re.findall(r"`((?:simulator|tests|configs|docs|benchmarks|reports)/[\w./*-]+)`", TEXTS[name]):
        assert list(ROOT.glob(path.rstrip("/"))), f"{name}: {path}"


def scalars() -> set[str]:
    """Names of all formulas: functions under ``@scalar``."""
    found = set()
    for path in FORMULAS:
        for node in ast.parse(path.read_text(encoding="utf-8")).body:
            if isinstance(node, ast.FunctionDef) and any(
                isinstance(d, ast.Name) and d.id == "scalar" for d in node.decorator_list
            ):
                found.add(node.name)
    return found


def test_every_formula_is_in_the_model() -> None:
    named = set(re.findall(r"`(\w+)`", TEXTS["docs/MODEL.md"]))
    assert sorted(scalars() - named) == []


def test_every_name_in_the_model_exists() -> None:
    """What stands in backticks is a formula, a word of the dictionary, a choice, or a place in the repository."""
    terms = load_terms()
    known = scalars() | {t.name for t in terms} | {part for t in terms for part in t.name.split(".")}
    known |= {word for t in terms for word in re.findall(r"\w+", t.bounds)}
    known |= {"constant", "ledger", "rank_error", "ecb", "sp_1981_2024", "fed_h10_2005_2025"}
    source = "".join(p.read_text(encoding="utf-8") for p in (ROOT / "tests").glob("test_*.py"))
    named = set(re.findall(r"`([a-z]\w+)`", TEXTS["docs/MODEL.md"]))
    assert sorted(n for n in named - known if f"def {n}(" not in source) == []


def test_dotted_keys_in_the_model_exist() -> None:
    known = {t.name for t in load_terms() if t.kind == "config"} | {"stresses.<name>"}
    known |= {f"portfolio.defaults.{t.name}" for t in load_terms() if t.kind == "column"}
    ends = {name[at:] for name in known for at in range(len(name)) if at == 0 or name[at - 1] == "."}
    for name in ("docs/MODEL.md", "docs/USING.md"):
        for key in re.findall(r"`([a-z_]+(?:\.[a-z_<>]+)+)(?::[^`]*)?`", TEXTS[name]):
            if not re.search(r"\.(py|md|csv|nc|json|yaml|html|xlsx)$", key) and not key.startswith("simulator."):
                assert key in ends, f"{name}: {key}"


def test_sections_named_by_the_dictionary_exist() -> None:
    numbers = set(re.findall(r"^## (\d+)\.", TEXTS["docs/MODEL.md"], flags=re.MULTILINE))
    for entry in load_terms():
        assert entry.source, entry.name
        if entry.source.startswith("docs/MODEL.md §"):
            assert entry.source.removeprefix("docs/MODEL.md §") in numbers, entry.name
        elif entry.source.startswith("docs/"):
            assert (ROOT / entry.source).is_file(), entry.name


def test_sources_named_by_code_and_model_are_listed() -> None:
    model = TEXTS["docs/MODEL.md"]
    body, _, listed = model.partition("## 16. Sources")
    known = set(re.findall(r"\bS\d+[a-z]?\b", listed)) | set(re.findall(r"\*\*\[(\w+)\]\*\*", listed))
    code = "".join(p.read_text(encoding="utf-8") for p in (ROOT / "simulator").rglob("*.py"))
    cited = set(re.findall(r"\[(S\d+[a-z]?)\]", body + code))
    cited |= set(re.findall(r"\[([A-Z][A-Z0-9]?)\](?!\()", body))
    assert sorted(cited - known) == []


def test_messages_of_the_table_are_those_of_the_program() -> None:
    source = "".join(p.read_text(encoding="utf-8") for p in (ROOT / "simulator").rglob("*.py"))
    source = re.sub(r"\"\s*\n\s*f?\"", "", source)  # literals of one message stand together
    table = TEXTS["docs/USING.md"].partition("## Messages and what to do")[2]
    cells = [row.split(" | ")[0] for row in re.findall(r"^\| (`.*) \|$", table, re.MULTILINE)]
    assert len(cells) > 10
    for message in (m for cell in cells for m in re.findall(r"`([^`]+)`", cell)):
        for piece in re.split(r"^must be |…|; did you mean [^?]*\?|for USD|oecd_2026", message):
            assert piece.strip(" ;") in source, message


@pytest.mark.parametrize("name", NAMES)
def test_nothing_of_this_machine(name: str) -> None:
    """No machine paths, no package registries, no private documents."""
    assert not re.search(
        r"(?<![\w.])/(?:home|root|work|tmp|Users|opt|mnt)/|pypi|index-url|conda|DESIGN\.md|DOMAIN\.md|STYLE\.md|shared/",
        TEXTS[name],
        flags=re.IGNORECASE,
    )


def test_no_reference_leads_outside_the_project() -> None:
    offenders = []
    for path in [*(ROOT / "simulator").rglob("*"), *(ROOT / "configs").rglob("*.yaml"), *(ROOT / "tests").glob("*.py")]:
        if path.suffix in {".py", ".csv", ".md", ".yaml", ".html"} and path.name != Path(__file__).name:
            text = path.read_bytes().decode("utf-8", "replace")
            if re.search(r"\b(?:DESIGN|DOMAIN|STYLE)(?:\.md| §| C?\d)", text):
                offenders.append(str(path.relative_to(ROOT)))
    assert offenders == []


def test_version_is_in_the_changelog() -> None:
    assert f"## {simulator.__version__}" in TEXTS["CHANGELOG.md"]
    first = re.search(r"^### (.+)$", TEXTS["CHANGELOG.md"], flags=re.MULTILINE)
    assert first is not None
    assert first[1] == "Numbers"


REPORT = ROOT / "reports" / "exporter"
FIGURE = ROOT / "docs" / "exceedance.svg"
HEADLINES = (
    ("retained_loss_mean", None, "Retained loss, expected"),
    ("retained_loss_value_at_risk", 0.99, "VaR 99 %"),
    ("retained_loss_tail_value_at_risk", 0.99, "Tail VaR 99 %"),
    ("shortfall_probability", None, "P(shortfall)"),
    ("liquidity_at_risk", 0.99, "Cash for 99 %"),
    ("premium_mean", None, "Premium"),
    ("cost_of_risk_mean", None, "**Cost of risk**"),
    ("cost_of_risk_mean_difference", None, "… against self-insurance"),
)


def headline_table(rows: list[dict[str, Any]]) -> str:
    """The README's table from the rows of a summary.json."""
    base = [row for row in rows if row["stress"] == ""]
    programmes = list(dict.fromkeys(row["programme"] for row in base if row["programme"]))
    lines = [["", *programmes], ["---"] + ["---:"] * len(programmes)]
    for measure, level, label in HEADLINES:
        found = {r["programme"]: r for r in base if r["measure"] == measure and r["level"] == level}
        cells = [text_of(found[p], "EUR").replace("\N{NO-BREAK SPACE}", " ") if p in found else "" for p in programmes]
        lines.append([label, *cells])
    return "\n".join("| " + " | ".join(line) + " |" for line in lines)


def test_readme_shows_the_shipped_report() -> None:
    """Table and figure of the README are those of reports/exporter.

    After a change of numbers run ``make reports``, then ``UPDATE_DOCUMENTS=1 pytest tests/test_documents.py``.
    """
    study = simulator.load_study(ROOT / "configs" / "exporter" / "study.yaml").study
    said = " ".join(TEXTS["README.md"].split())
    assert f"{study.simulation.scenarios:,} scenarios of {study.study.horizon}" in said
    if not (REPORT / "summary.json").is_file():
        pytest.skip("the shipped report has not been rendered")
    table = headline_table(json.loads((REPORT / "summary.json").read_text(encoding="utf-8")))
    figure = (REPORT / "exceedance.svg").read_bytes()
    if os.environ.get("UPDATE_DOCUMENTS") == "1":
        write_numbers(table, figure)
        return
    assert table in TEXTS["README.md"]
    assert FIGURE.read_bytes() == figure


def write_numbers(table: str, figure: bytes) -> None:
    head, mark, rest = TEXTS["README.md"].partition("<!-- numbers")
    start, arrow, _ = rest.partition("-->")
    _, end, tail = rest.partition("<!-- end of numbers -->")
    (ROOT / "README.md").write_text(f"{head}{mark}{start}{arrow}\n{table}\n{end}{tail}", encoding="utf-8")
    FIGURE.write_bytes(figure)
