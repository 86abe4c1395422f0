"""The command line as a newcomer uses it: every command, what it prints, and how it ends."""

import json
import os
import re
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

import simulator
from simulator.__main__ import main

ROOT = Path(simulator.__file__).parents[1]


@pytest.fixture(scope="module")
def sample(tmp_path_factory):
    """A study scaffolded by `simulator init`, and a small run of it."""
    folder = tmp_path_factory.mktemp("cli") / "sample"
    assert call("init", folder) == 0
    study = folder / "study.yaml"
    assert call("run", study, "--scenarios", "400", "--out", folder / "run", "--quiet") == 0
    return folder


def call(*arguments):
    """Exit status of a command."""
    with pytest.raises(SystemExit) as stop:
        main([str(a) for a in arguments])
    return stop.value.code


#: For runs whose page and workbook nobody reads: drawing them takes longer than the run.
NO_PAGE = ("--set", "report.formats=[json]")


def test_init_refuses_to_overwrite(sample, capsys):
    assert call("init", sample) == 2
    assert "study.yaml" in capsys.readouterr().err


def test_run_prints_the_comparison_and_the_report(sample, capsys):
    assert call("run", sample / "study.yaml", "--scenarios", "400", "--out", sample / "again", "--quiet") == 0
    out, err = capsys.readouterr()
    assert "Tail VaR 99 %" in out
    assert "Self-insurance" in out
    assert "report.html" in out
    assert err == ""
    for name in ("report.html", "report.xlsx", "scenarios.nc", "paths.nc", "manifest.json", "study.resolved.yaml"):
        assert (sample / "again" / name).stat().st_size > 0
    assert not (sample / "again" / ".chunks").exists()
    for name in ("scenarios.nc", "paths.nc", "summary.json", "summary.csv"):
        assert (sample / "again" / name).read_bytes() == (sample / "run" / name).read_bytes(), name


def test_json_is_the_summary_and_nothing_else(sample, capsys):
    arguments = ("run", sample / "study.yaml", "--scenarios", "400", "--out", sample / "json", "--json", "--quiet")
    arguments += NO_PAGE
    assert call(*arguments) == 0
    rows = json.loads(capsys.readouterr().out)
    assert {"measure", "programme", "level", "value", "standard_error", "unit"} <= set(rows[0])
    assert any(row["measure"] == "retained_loss_tail_value_at_risk" for row in rows)


def test_dry_run_writes_nothing(sample, capsys):
    before = sorted(sample.iterdir())
    assert call("run", sample / "study.yaml", "--dry-run") == 0
    out = capsys.readouterr().out
    for word in ("scenarios", "blocks", "MiB", "time"):
        assert word in out
    assert sorted(sample.iterdir()) == before


def test_default_run_folder_is_named_by_its_inputs(sample, tmp_path, monkeypatch, capsys):
    monkeypatch.chdir(tmp_path)
    arguments = ("run", sample / "study.yaml", "--scenarios", "40", "--quiet", *NO_PAGE)
    assert call(*arguments) == 0
    assert call(*arguments) == 0
    assert call(*arguments, "--set", "simulation.seed=9") == 0
    runs = sorted((tmp_path / "reports" / "sample").iterdir())
    assert len(runs) == 2
    assert all(re.fullmatch("[0-9a-f]{12}", run.name) for run in runs)
    capsys.readouterr()


def test_check_reconciles(sample, capsys):
    assert call("check", sample / "study.yaml") == 0
    out = capsys.readouterr().out
    assert "Ageing" in out
    assert "Reconciliation" in out
    assert "no problems" in out


def test_report_and_compare_of_a_saved_run(sample, capsys):
    page = (sample / "run" / "report.html").read_bytes()
    (sample / "run" / "report.html").unlink()
    assert call("report", sample / "run") == 0
    assert (sample / "run" / "report.html").read_bytes() == page
    assert call("compare", sample / "run") == 0
    assert "Tail VaR 99 %" in capsys.readouterr().out


@pytest.mark.parametrize("command", ["report", "compare"])
def test_a_folder_without_a_run_is_refused(command, tmp_path, capsys):
    assert call(command, tmp_path) == 2
    assert str(tmp_path) in capsys.readouterr().err


def test_replay_tells_the_same_story_as_the_run(sample, capsys):
    import simulator

    result = simulator.open_result(sample / "run")
    worst = int(result.scenarios["gross_loss"].to_numpy().argmax())
    assert call("replay", sample / "study.yaml", "--scenario", worst) == 0
    out = capsys.readouterr().out
    assert f"Scenario {worst:,}" in out
    assert f"gross loss {float(result.scenarios['gross_loss'][worst]):,.0f}" in out
    assert "insolvency" in out or "protracted" in out


def test_replay_of_an_unknown_stress(sample, capsys):
    assert call("replay", sample / "study.yaml", "--scenario", 1, "--stress", "pesimistic") == 2
    assert "pesimistic" in capsys.readouterr().err


def test_terms_and_schema(capsys):
    assert call("terms", "aggregate_first_loss") == 0
    assert "policyholder" in capsys.readouterr().out
    assert call("terms", "agregate_first_loss") == 2
    assert "did you mean" in capsys.readouterr().err
    assert call("terms") == 0
    assert call("schema") == 0
    assert '"properties"' in capsys.readouterr().out


@pytest.mark.parametrize(
    "arguments",
    [
        ("run", "nowhere.yaml"),
        ("run",),
        ("run", "nowhere.yaml", "--threads", "0"),
        ("frobnicate",),
        ("replay", "nowhere.yaml", "--scenario", "-1"),
        ("run", "nowhere.yaml", "--out", ""),
        ("report", ""),
        ("compare", " "),
    ],
)
def test_mistakes_on_the_command_line_end_with_two(arguments, capsys):
    assert call(*arguments) == 2
    err = capsys.readouterr().err
    assert err
    assert "Traceback" not in err


def test_an_output_folder_that_cannot_be_written(sample, tmp_path, capsys):
    blocked = tmp_path / "file"
    blocked.write_text("in the way")
    assert call("run", sample / "study.yaml", "--out", blocked / "run", "--quiet") == 2
    err = capsys.readouterr().err
    assert str(blocked) in err
    assert "Traceback" not in err


def test_an_empty_folder_name_is_refused(sample, tmp_path, monkeypatch, capsys):
    monkeypatch.chdir(tmp_path)
    assert call("run", sample / "study.yaml", "--out", "", "--quiet") == 2
    assert "the name of the folder is empty" in capsys.readouterr().err
    assert list(tmp_path.iterdir()) == []


def test_more_scenarios_than_memory_are_refused_before_anything_is_written(sample, tmp_path, monkeypatch, capsys):
    from simulator.engine import run as engine

    arguments = ("run", sample / "study.yaml", "--out", tmp_path / "run", "--quiet", *NO_PAGE, "--scenarios")
    monkeypatch.setattr(engine, "physical_memory", lambda: 8 * 2**30)
    assert call(*arguments, "1000000000") == 2
    err = capsys.readouterr().err
    assert re.search(
        r"1,000,000,000 scenarios need about 75 GiB of memory to be measured; .* 8 GiB, enough for about 100,000,000",
        err,
    )
    assert "--scenarios" in err
    assert list(tmp_path.iterdir()) == []
    assert call("run", sample / "study.yaml", "--dry-run", "--scenarios", "1000000000") == 0
    assert "too large" in capsys.readouterr().out
    monkeypatch.setattr(engine, "physical_memory", lambda: None)  # a system that does not say
    assert call(*arguments, "40") == 0


def test_results_too_large_for_memory_are_said_to_go_to_files(sample, tmp_path, monkeypatch, capsys):
    from simulator.engine import spill

    monkeypatch.setattr(spill, "HELD_BYTES", 0)
    assert call("run", sample / "study.yaml", "--scenarios", "400", "--out", tmp_path / "run") == 0
    err = capsys.readouterr().err
    assert re.search(
        r"the results of 400 scenarios take up to 0\.0 GiB: .* kept in files in .*run, not in memory\n", err
    )
    assert err.count("kept in files") == 1
    for name in ("scenarios.nc", "paths.nc", "summary.json", "summary.csv"):
        assert (tmp_path / "run" / name).read_bytes() == (sample / "run" / name).read_bytes(), name
    assert call("run", sample / "study.yaml", "--scenarios", "400", "--dry-run") == 0
    assert re.search(r"results +\d+ MiB, kept in files\n", capsys.readouterr().out)
    before = sorted(path.name for path in (tmp_path / "run").iterdir())
    assert call("report", tmp_path / "run") == 0
    assert sorted(path.name for path in (tmp_path / "run").iterdir()) == before


def test_running_out_of_memory_is_said_plainly(sample, tmp_path, monkeypatch, capsys):
    from simulator.engine import run as engine

    def exhausted(*_):
        raise MemoryError("Unable to allocate 1. PiB for an array")

    monkeypatch.setattr(engine.RunRows, "take", exhausted)
    assert call("run", sample / "study.yaml", "--scenarios", "40", "--out", tmp_path / "run", "--quiet") == 2
    assert capsys.readouterr().err == (
        "out of memory: ask for fewer scenarios (--scenarios); finished chunks (4,096 scenarios) are kept\n"
    )


def test_memory_of_this_machine():
    from simulator.engine.run import physical_memory

    assert physical_memory() > 2**28


def test_a_mistake_in_the_ledger_writes_nothing(sample, tmp_path, capsys):
    for name in ("study.yaml", "buyers.csv", "open_items.csv"):
        text = (sample / name).read_text(encoding="utf-8")
        if name == "open_items.csv":
            text = re.sub(r"\d{4}-\d\d-\d\d", "2026-13-45", text, count=1)
        (tmp_path / name).write_text(text, encoding="utf-8")
    before = sorted(tmp_path.iterdir())
    assert call("run", tmp_path / "study.yaml", "--out", tmp_path / "deep" / "run", "--quiet") == 2
    assert "nothing was run" in capsys.readouterr().err
    assert sorted(tmp_path.iterdir()) == before


def test_only_scenarios_of_the_study_are_replayed(sample, capsys):
    study = (sample / "study.yaml", "--set", "simulation.scenarios=400", "--set", "simulation.stress_scenarios=80")
    assert call("replay", *study, "--scenario", "99999999999999999999") == 2
    assert "this study has scenarios 0 to 399; there is no scenario 99,999" in capsys.readouterr().err
    assert call("replay", *study, "--scenario", 400) == 2
    assert call("replay", *study, "--scenario", 399) == 0
    assert call("replay", *study, "--scenario", 80, "--stress", "pessimistic") == 2
    assert "the stress pessimistic has scenarios 0 to 79" in capsys.readouterr().err


def test_a_damaged_run_is_named_and_a_lost_summary_is_written_again(sample, tmp_path, capsys):
    shutil.copytree(sample / "run", tmp_path / "run")
    for name in ("summary.json", "summary.csv"):
        (tmp_path / "run" / name).write_text("{garbage")
    assert call("compare", tmp_path / "run") == 0
    assert "Tail VaR 99 %" in capsys.readouterr().out
    assert call("report", tmp_path / "run") == 0
    for name in ("summary.json", "summary.csv", "report.html"):
        assert (tmp_path / "run" / name).read_bytes() == (sample / "run" / name).read_bytes(), name
    (tmp_path / "run" / "scenarios.nc").write_bytes(b"garbage")
    capsys.readouterr()
    assert call("report", tmp_path / "run") == 2
    err = capsys.readouterr().err
    assert "scenarios.nc is damaged" in err
    assert "HDF" not in err


def test_an_unknown_executor_names_the_known_ones(sample, capsys):
    assert call("run", sample / "study.yaml", "--executor", "fibres") == 2
    assert "'fibres' is not one of 'threads', 'processes', 'dask'" in capsys.readouterr().err


def test_hostile_names_are_harmless_everywhere(sample, tmp_path, capsys):
    """Buyers named as formulas, markup and rich tags reach terminal, page and workbook as text."""
    from python_calamine import CalamineWorkbook

    for name in ("study.yaml", "buyers.csv", "open_items.csv"):
        text = (sample / name).read_text(encoding="utf-8")
        if name == "buyers.csv":
            lines = text.splitlines()
            head = lines[0].split(",")
            at = head.index("name")
            for row, evil in ((1, "=1+1"), (2, "<script>alert(1)</script>"), (3, "[red]not red[/red]")):
                cells = lines[row].split(",")
                cells[at] = evil
                lines[row] = ",".join(cells)
            text = "\n".join(lines) + "\n"
        (tmp_path / name).write_text(text, encoding="utf-8")
    study = tmp_path / "study.yaml"
    assert call("run", study, "--scenarios", "400", "--out", tmp_path / "run", "--quiet") == 0
    assert call("check", study) == 0
    assert "[red]not red[/red]" in capsys.readouterr().out
    page = (tmp_path / "run" / "report.html").read_text(encoding="utf-8")
    assert "<script" not in page
    assert "&lt;script&gt;" in page
    workbook = CalamineWorkbook.from_path(str(tmp_path / "run" / "report.xlsx"))
    cells = [
        cell for sheet in workbook.sheet_names for row in workbook.get_sheet_by_name(sheet).to_python() for cell in row
    ]
    assert "=1+1" in cells
    import zipfile

    with zipfile.ZipFile(tmp_path / "run" / "report.xlsx") as book:
        for name in book.namelist():
            if name.startswith("xl/worksheets/sheet"):
                assert b"<f>" not in book.read(name), "no live formulas"


HEAVY = "{'numba', 'pandas', 'scipy', 'xarray', 'matplotlib', 'numpy', 'pydantic', 'ruamel'}"


SLOW = "{'numba', 'llvmlite', 'pandas', 'xarray', 'matplotlib'}"
BASE = "liquidity.credit_line.borrowing_base"
LENDING = f"'--set', '{BASE}.advance_rate=80 %', '--set', '{BASE}.foreign=true'"


CALL = "from simulator.__main__ import main\ntry: main({})\nexcept SystemExit as stop: assert not stop.code"


@pytest.mark.parametrize(
    ("code", "forbidden"),
    [
        ("import simulator", HEAVY),
        (CALL.format("['--help']"), HEAVY),
        (CALL.format("['check', 'STUDY']"), SLOW),
        (CALL.format(f"['check', 'STUDY', {LENDING}]"), SLOW),
    ],
    ids=["import", "help", "check", "check-with-borrowing-base"],
)
def test_light_commands_import_nothing_heavy(code, forbidden, sample):
    script = code.replace("STUDY", str(sample / "study.yaml"))
    script += f"\nimport sys\nfound = {forbidden} & set(sys.modules)\nassert not found, found"
    done = subprocess.run([sys.executable, "-c", script], capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr


def test_an_interrupted_command_ends_at_once():
    """Taking the interpreter apart takes seconds once kernels are loaded, so an interrupt does not wait for it."""
    script = (
        "import atexit, click, simulator.cli\n"
        "def stop(**_): raise KeyboardInterrupt\n"
        "simulator.cli.cli.main = stop\n"
        "atexit.register(print, 'taken apart')\n"
        "from simulator.__main__ import main\n"
        "print('said before')\n"
        "main()"
    )
    done = subprocess.run([sys.executable, "-c", script], capture_output=True, text=True, check=False)
    assert done.returncode == 130
    assert "finished chunks (4,096 scenarios) are kept" in done.stderr
    assert done.stdout == "said before\n"


@pytest.mark.skipif(os.name != "posix", reason="a POSIX shell")
@pytest.mark.parametrize(
    ("line", "status", "said"),
    [
        ("simulator terms >&-", 0, ""),
        ("simulator check study.yaml 2>&-", 0, ""),
        ("simulator terms | true; test ${PIPESTATUS[0]} = 0", 0, ""),
        ("simulator terms > /dev/full", 2, "cannot write the output: no space left on device\n"),
    ],
)
def test_an_output_that_takes_nothing_is_no_crash(line, status, said, sample):
    """Closed, a reader that has gone, a full disk."""
    if "/dev/full" in line and not os.path.exists("/dev/full"):
        pytest.skip("there is no /dev/full")
    line = line.replace("simulator", f"'{sys.executable}' -m simulator", 1)
    done = subprocess.run(
        ["bash", "-c", line], capture_output=True, text=True, check=False, cwd=sample,
        env=os.environ | {"PYTHONPATH": str(ROOT)},
    )  # fmt: skip
    assert done.returncode == status, done.stderr
    assert done.stderr == said
