"""What a waiting user sees: compilation notices and progress, always on standard error."""

from __future__ import annotations

import tempfile
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING

import click

if TYPE_CHECKING:
    from simulator.api import Watcher


def note_compilation(quiet: bool) -> None:
    """Say that kernels are being compiled, when none are cached for these sources."""
    from simulator.jit import cache_folder

    folder = cache_folder()
    cold = folder is None or not any(folder.rglob("*.nbi"))
    if cold and not quiet:
        click.echo("compiling (once)…", err=True)


@contextmanager
def progress_display(quiet: bool) -> Iterator[Watcher | None]:
    """A progress line with rate and time left; nothing when quiet or when nobody watches."""
    if quiet:
        yield None
        return
    from rich.console import Console
    from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn, TimeRemainingColumn

    console = Console(stderr=True)
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


def warm_up() -> tuple[float, Path | None]:
    """Compile every kernel on the sample study, in ledger and in constant-exposure mode.

    Returns:
        Seconds it took, and the folder of the cache (None when caching is off).
    """
    from simulator.api import load_study
    from simulator.engine.blocks import Engine
    from simulator.engine.model import build_model
    from simulator.jit import cache_folder, prune_caches
    from simulator.study.scaffold import init_study

    begin = time.perf_counter()
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name) / "sample"
        init_study(folder)
        loaded = load_study(folder / "study.yaml")
        Engine(build_model(loaded)).warm_up()
        buyers = folder / "constant.csv"
        buyers.write_text("buyer_id,exposure,pd_annual\na,100,1 %\nb,200,2 %\n", encoding="utf-8")
        constant = {
            "schema": 1,
            "study": {"title": "warm-up", "as_of": "2026-10-30", "currency": "EUR"},
            "portfolio": {"exposure": "constant", "buyers": str(buyers)},
            "credit": {"pd": {"source": "column"}},
            "programmes": [{"name": "none", "type": "none"}],
        }
        Engine(build_model(load_study(constant))).warm_up()
    prune_caches()
    return time.perf_counter() - begin, cache_folder()
