"""The command line. Every command imports what it needs when it runs, so that ``--help`` answers at once."""

from __future__ import annotations

import json as json_text
import os
from contextlib import AbstractContextManager, nullcontext
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

if TYPE_CHECKING:
    from simulator.report.figures.artist import Artist

STUDY = click.argument("study", type=click.Path(path_type=Path))
OVERRIDES = click.option(
    "--set", "overrides", multiple=True, metavar="KEY=VALUE", help="Change one value: --set simulation.scenarios=50k."
)


EXECUTORS = ["threads", "processes", "dask"]


class Folder(click.Path):
    """A folder named on the command line; an empty name, as of an unset variable in a script, is refused."""

    def convert(self, value: Any, param: click.Parameter | None, ctx: click.Context | None) -> Path:
        """The folder as a path."""
        if not str(value).strip():
            self.fail("the name of the folder is empty", param, ctx)
        return Path(str(value))


FOLDER = Folder()


@click.group(context_settings={"help_option_names": ["-h", "--help"], "max_content_width": 100})
@click.version_option(package_name="trade-credit-simulator", prog_name="simulator")
def cli() -> None:
    """Trade-credit risk: buyer defaults, payment delays and FX shocks, with and without credit insurance.

    Start with `simulator init my-study`, then `simulator run my-study/study.yaml`.
    """


@cli.command()
@click.argument("folder", type=click.Path(path_type=Path))
@click.option("--policy", help="Kind of policy: whole_turnover, excess_of_loss, single_buyer, sme_simple or top_up.")
def init(folder: Path, policy: str | None) -> None:
    """Write a commented study with sample ledgers into FOLDER; it runs as it is."""
    from simulator.errors import display_path
    from simulator.study.scaffold import init_study

    for path in init_study(folder, policy):
        click.echo(f"wrote {display_path(path)}")
    click.echo(f"\nnow: simulator run {display_path(folder / 'study.yaml')}")


@cli.command()
@STUDY
@OVERRIDES
def check(study: Path, overrides: tuple[str, ...]) -> None:
    """Check a study and its ledger in every room, and print what the ledger holds."""
    from rich.console import Console

    from simulator.api import load_study
    from simulator.engine.check import check_study
    from simulator.ledger.profile import profile_text

    portfolio = check_study(load_study(study, overrides))
    console = Console(emoji=False)
    profile_text(portfolio.profile, console)
    console.print(f"[bold]{study}[/bold]: no problems", highlight=False)


@cli.command()
@STUDY
@OVERRIDES
@click.option("--out", type=FOLDER, help="Run folder; reports/<study>/<run> by default.")
@click.option("--scenarios", help="Number of scenarios, such as 100k.")
@click.option("--threads", type=click.IntRange(1), help="Number of threads or processes; all by default.")
@click.option(
    "--executor", type=click.Choice(["threads", "processes", "dask"]), default="threads", help="Who simulates."
)
@click.option("--scheduler", metavar="ADDRESS", help="Scheduler of a Dask cluster; one on this machine by default.")
@click.option("--block-size", type=click.IntRange(4), help="Scenarios per block; no influence on the numbers.")
@click.option("--json", "as_json", is_flag=True, help="Print the summary rows as JSON on standard output.")
@click.option("--dry-run", is_flag=True, help="Only say what the run would take.")
@click.option("--quiet", is_flag=True, help="No progress display.")
def run(
    study: Path,
    overrides: tuple[str, ...],
    out: Path | None,
    scenarios: str | None,
    threads: int | None,
    executor: str,
    scheduler: str | None,
    block_size: int | None,
    as_json: bool,
    dry_run: bool,
    quiet: bool,
) -> None:
    """Run STUDY: simulate, compare the programmes, write the report.

    A run that was stopped goes on where it was when the same command is given again.
    """
    from simulator.api import CHUNK_FOLDER, load_study, run_identity
    from simulator.errors import display_path
    from simulator.progress import compilation_noted, progress_display

    changes = [*overrides, *([f"simulation.scenarios={scenarios}"] if scenarios else [])]
    loaded = load_study(study, changes)
    if dry_run:
        _dry_run(loaded, block_size)
        return
    formats = loaded.study.report.formats
    with _artist("html" in formats and threads != 1) as artist:
        _without_dask()
        from rich.console import Console

        from simulator.api import run as run_study
        from simulator.compare.table import render
        from simulator.engine.checkpoint import remove_chunks
        from simulator.report.write import write_report
        from simulator.results.files import check_folder
        from simulator.results.lock import writing

        identity = run_identity(loaded)
        folder = out or Path("reports") / (study.resolve().parent.name or "study") / identity
        check_folder(folder)
        with writing(folder):
            with compilation_noted(quiet), progress_display(quiet) as watch:
                result = run_study(
                    loaded,
                    executor,
                    scheduler=scheduler,
                    threads=threads,
                    folder=folder,
                    block=block_size,
                    watch=watch,
                    note=None if quiet else partial(click.echo, err=True),
                )
            if "html" in formats:
                artist.begin(result)
            result.save(folder)
            written = write_report(result, folder, formats=formats, artist=artist)
            remove_chunks(folder / CHUNK_FOLDER)
    if as_json:
        click.echo(json_text.dumps(json_rows(result.summary()), ensure_ascii=False, indent=1))
        return
    render(result, Console(emoji=False))
    for kind, path in written.items():
        if kind in ("html", "xlsx"):
            click.echo(f"{kind:>5}  {display_path(path)}")


def _alone() -> bool:
    """Whether this process was started for one command, and may be arranged for it."""
    return click.get_current_context().obj is True


def _without_dask() -> None:
    if _alone():
        from simulator.results.dataset import without_dask

        without_dask()


def _artist(wanted: bool) -> AbstractContextManager[Artist]:
    """Who draws the figures: a process beside this one where a core is left for it."""
    from simulator.report.figures.artist import Artist, drawing_beside

    cores = len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count() or 1
    return drawing_beside() if wanted and _alone() and cores > 1 else nullcontext(Artist())


def json_rows(frame: Any) -> list[dict[str, Any]]:
    """A table as JSON rows, absent numbers as null."""
    rows: list[dict[str, Any]] = json_text.loads(frame.to_json(orient="records", double_precision=15))
    return rows


def _dry_run(loaded: Any, block_size: int | None) -> None:
    from simulator.api import scenario_counts
    from simulator.engine.model import build_model
    from simulator.engine.run import outlook, shortage
    from simulator.progress import compilation_noted

    counts = scenario_counts(loaded)
    total = sum(counts.values())
    with compilation_noted():
        model = build_model(loaded)
        ahead = outlook(model, total, block_size)
    lines = [
        f"scenarios   {counts['']:,} of the study, {total - counts['']:,} of stresses",
        f"ledger      {len(model.portfolio.buyers):,} buyers, {len(model.portfolio.invoices):,} invoices",
        f"programmes  {model.n_programmes}",
        f"blocks      {-(-total // ahead.block):,} of {ahead.block:,} scenarios, "
        f"{ahead.block_bytes / 2**20:,.0f} MiB each",
        f"results     {ahead.result_bytes / 2**20:,.0f} MiB, kept in {'files' if ahead.in_files else 'memory'}",
        f"time        about {ahead.seconds:,.1f} s, compilation and report apart",
    ]
    problem = shortage(max(counts.values()))
    if problem:
        lines.append(f"too large   {problem}")
    click.echo("\n".join(lines))


@cli.command()
@click.argument("folder", type=FOLDER)
def report(folder: Path) -> None:
    """Render the report of a saved run FOLDER again."""
    from simulator.api import open_result
    from simulator.errors import display_path
    from simulator.report.write import write_report
    from simulator.results.lock import writing
    from simulator.results.store import write_summary

    _without_dask()
    result = open_result(folder)
    with writing(folder):
        write_summary(result, folder)
        written = write_report(result, folder, formats=result.study.report.formats)
    for kind, path in written.items():
        click.echo(f"{kind:>5}  {display_path(path)}")


@cli.command()
@click.argument("folder", type=FOLDER)
def compare(folder: Path) -> None:
    """Print the comparison of programmes of a saved run FOLDER."""
    from rich.console import Console

    from simulator.api import open_result
    from simulator.compare.table import render

    _without_dask()
    render(open_result(folder), Console(emoji=False))


@cli.command()
@STUDY
@OVERRIDES
@click.option("--scenario", type=click.IntRange(0), help="Number of the scenario, from 0; a script has only 0.")
@click.option("--stress", help="A stress of the study; the study itself by default.")
def replay(study: Path, overrides: tuple[str, ...], scenario: int | None, stress: str | None) -> None:
    """Compute one scenario of STUDY again and tell its story: who failed, what was paid, lost and claimed."""
    from rich.console import Console

    from simulator.api import load_study, scenario_counts
    from simulator.compare.story import tell
    from simulator.engine.model import build_model
    from simulator.engine.replay import replay_scenario
    from simulator.errors import SimulatorError, closest
    from simulator.progress import compilation_noted

    loaded = load_study(study, overrides)
    stresses, counts = loaded.study.stresses, scenario_counts(loaded)
    if stress is not None and stress not in stresses:
        hint = closest(stress, stresses)
        raise SimulatorError(f"no stress named {stress!r}" + (f"; did you mean {hint}?" if hint else ""))
    if stress is not None and stress not in counts:
        raise SimulatorError("no stress runs beside a script: leave out --stress")
    if scenario is None and loaded.study.script is None:
        raise SimulatorError("say which scenario: --scenario, from 0")
    scenario, count = scenario or 0, counts[stress or ""]
    if scenario >= count:
        whose = "this study" if stress is None else f"the stress {stress}"
        raise SimulatorError(f"{whose} has scenarios 0 to {count - 1:,}; there is no scenario {scenario:,}")
    with compilation_noted():
        model = build_model(loaded, None if stress is None else stresses[stress])
        replayed = replay_scenario(model, scenario)
    tell(replayed, Console(emoji=False))


@cli.command()
@click.argument("word", required=False)
def terms(word: str | None) -> None:
    """Explain a WORD of study files, ledgers and results; without one, list them all."""
    from simulator.terms import describe, load_terms

    if word is None:
        width = max(len(term.name) for term in load_terms())
        for term in load_terms():
            click.echo(f"{term.name:<{width}}  {term.kind}")
    else:
        click.echo(describe(word))


@cli.command()
def schema() -> None:
    """Print the JSON schema of study files, for completion in editors."""
    from simulator.study.resolve import json_schema

    click.echo(json_text.dumps(json_schema(), indent=1, ensure_ascii=False))


@cli.command()
def warmup() -> None:
    """Compile every kernel once, so that the first run does not have to."""
    from simulator.progress import compilation_noted, warm_up

    with compilation_noted():
        seconds, folder = warm_up()
    click.echo(f"kernels ready in {seconds:.1f} s; cached in {folder or 'memory only'}")
