"""What a waiting user sees: compilation notices and progress, always on standard error."""

from __future__ import annotations

import datetime as dt
import tempfile
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

if TYPE_CHECKING:
    from simulator.api import Watcher


@contextmanager
def compilation_noted(quiet: bool = False) -> Iterator[None]:
    """Say so when kernels are compiled in here rather than loaded from the cache; say nothing when quiet."""
    if quiet:
        yield
        return
    from simulator.jit import told_of_compilation

    with told_of_compilation(lambda: click.echo("compiling (once)…", err=True)):
        yield


@contextmanager
def progress_display(quiet: bool) -> Iterator[Watcher | None]:
    """A progress line with rate and time left; nothing when quiet or when nobody watches."""
    if quiet:
        yield None
        return
    from rich.console import Console
    from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn, TimeRemainingColumn

    console = Console(stderr=True, emoji=False)
    columns = (
        TextColumn("{task.description:<12}"),
        BarColumn(bar_width=30),
        MofNCompleteColumn(),
        TextColumn("{task.fields[rate]}"),
        TimeRemainingColumn(),
    )
    with Progress(*columns, console=console, disable=not console.is_terminal) as progress:
        tasks: dict[str, tuple[object, float]] = {}

        def watch(label: str, done: int, total: int) -> None:
            if label not in tasks:
                tasks[label] = (progress.add_task(label, total=total, rate=""), time.perf_counter())
            task, begin = tasks[label]
            spent = max(time.perf_counter() - begin, 1e-9)
            progress.update(task, completed=done, total=total, rate=f"{done / spent:,.0f} scenarios/s")  # type: ignore[arg-type]

        yield watch


#: The sample study changed so that each loop is compiled for all it may be given: ways to trade that differ between
#: programmes, a borrowing base, a script, returns drawn from history. What a study does not use is compiled without it.
_TRADING = {"programmes[1].factoring": {"buyers": {"countries": ["DE"]}, "advance_rate": "80 %"}}
_LENDING = {"liquidity.credit_line.borrowing_base": {"advance_rate": "80 %", "home_country": "DE"}}
_SCRIPT = {"script": {"otherwise": "pays_when_due"}}
_SAMPLES: tuple[dict[str, Any], ...] = (
    {"transfer.table": "oecd_2026"},
    {"fx.model": "bootstrap", "fx.history": "rates.csv"},
    _TRADING,
    _LENDING,
    {**_TRADING, **_LENDING},
    _SCRIPT,
    {**_SCRIPT, **_TRADING},
    {**_SCRIPT, **_LENDING},
    {**_SCRIPT, **_TRADING, **_LENDING},
)
_CONSTANT = {
    "schema": 1,
    "study": {"title": "warm-up", "as_of": "2026-10-30", "currency": "EUR"},
    "portfolio": {"exposure": "constant", "buyers": "constant.csv"},
    "credit": {"pd": {"source": "column"}},
    "programmes": [{"name": "none", "type": "none"}],
}
_INSURED = {"programmes": [{"name": "none", "type": "none"}, {"name": "policy", "type": "whole_turnover"}]}
_FEW = {"simulation.scenarios": 8, "stresses": {}}


def _history() -> str:
    """Two years of weekly rates, up and down."""
    day, lines = dt.date(2026, 10, 30), ["date,EUR per USD,EUR per GBP"]
    for week in range(104, -1, -1):
        lines.append(f"{day - dt.timedelta(weeks=week)},{0.86 + 0.01 * (week * week % 7)},{1.14 + 0.01 * (week % 5)}")
    return "\n".join(lines) + "\n"


def warm_up() -> tuple[float, Path | None]:
    """Compile every kernel on variants of the sample study, and remove kernels of other sources long unused.

    Returns:
        Seconds it took, and the folder of the cache (None when caching is off).
    """
    from simulator.api import load_study, run
    from simulator.engine.model import build_model
    from simulator.engine.replay import replay_scenario
    from simulator.jit import cache_folder, prune_caches
    from simulator.study.scaffold import init_study

    begin = time.perf_counter()
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name) / "sample"
        init_study(folder)
        (folder / "constant.csv").write_text("buyer_id,exposure,pd_annual\na,100,1 %\nb,200,2 %\n", encoding="utf-8")
        constant = {**_CONSTANT, "portfolio": {"exposure": "constant", "buyers": str(folder / "constant.csv")}}
        (folder / "rates.csv").write_text(_history(), encoding="utf-8")
        samples = [load_study(folder / "study.yaml", changes | _FEW) for changes in _SAMPLES]
        samples += [load_study(constant, _FEW), load_study(constant | _INSURED, _FEW)]
        for loaded in samples:
            run(loaded)
            replay_scenario(build_model(loaded), 0)
    prune_caches()
    return time.perf_counter() - begin, cache_folder()
