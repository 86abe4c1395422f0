"""The Python surface: load a study, run it, open a saved result. The command line is a thin layer over this."""

from __future__ import annotations

import time
from collections.abc import Callable, Mapping, Sequence
from contextlib import nullcontext
from pathlib import Path
from typing import TYPE_CHECKING, Any

from simulator.study.files import named_files
from simulator.study.load import LoadedStudy
from simulator.study.load import load_study as _load

if TYPE_CHECKING:
    import pandas as pd

    from simulator.engine.model import Model
    from simulator.results.result import Result
    from simulator.study.schema import Stress

#: Called with (what is being simulated, scenarios done, scenarios in all).
Watcher = Callable[[str, int, int], None]
#: Most scenarios a stress runs where the study does not say.
STRESS_SCENARIOS = 10_000
#: Folder of finished chunks inside a run folder, removed when the run is complete.
CHUNK_FOLDER = ".chunks"


def load_study(
    source: str | Path | Mapping[str, Any], overrides: Mapping[str, Any] | Sequence[str] | None = None
) -> LoadedStudy:
    """Load and check a study.

    Args:
        source: path of a YAML file, or the study as a mapping (file names are then relative to the working folder).
        overrides: ``{"simulation.scenarios": 50_000}`` or ``["simulation.scenarios=50 k"]``.

    Raises:
        InputError: with every problem found.
    """
    return _load(source, overrides)


def open_result(folder: str | Path) -> Result:
    """Open a saved run. A summary that is missing or damaged is measured again from the scenarios.

    Raises:
        SimulatorError: if the folder holds no complete run, or a file of it is damaged.
    """
    from simulator.results.store import open_result as _open

    result = _open(folder)
    whole = all(part.summary_rows is not None for part in (result, *result.stresses.values()))
    return result if whole else _measured(result)


def stress_scenarios(loaded: LoadedStudy) -> int:
    """How many scenarios each stress runs."""
    settings = loaded.study.simulation
    wanted = settings.stress_scenarios
    return min(settings.scenarios, STRESS_SCENARIOS) if wanted is None else wanted


def scenario_counts(loaded: LoadedStudy) -> dict[str, int]:
    """How many scenarios run, or may run at most: the study's under a blank name, each stress's under its own.

    A script is one scenario, and no stress runs beside it.
    """
    study = loaded.study
    if study.script is not None:
        return {"": 1}
    asked = study.simulation.precision
    most = study.simulation.scenarios if asked is None else asked.max_scenarios
    return {"": most} | dict.fromkeys(study.stresses, stress_scenarios(loaded))


def input_files(loaded: LoadedStudy) -> list[Path]:
    """Every file a study reads, the study file first."""
    paths = [loaded.resolve(name) for name in named_files(loaded.study).values()]
    own = [loaded.file] if loaded.file is not None else []
    return [path for path in [*own, *dict.fromkeys(paths)] if path.is_file()]


def run_identity(loaded: LoadedStudy) -> str:
    """Name of a run: 12 hex digits of everything its numbers depend on."""
    from simulator.engine.checkpoint import run_identity as identity
    from simulator.jit import source_digest

    return identity(loaded, input_files(loaded), source_digest())


def run(
    study: LoadedStudy | str | Path | Mapping[str, Any],
    executor: str = "threads",
    *,
    scheduler: str | None = None,
    threads: int | None = None,
    folder: str | Path | None = None,
    block: int | None = None,
    watch: Watcher | None = None,
    note: Callable[[str], None] | None = None,
) -> Result:
    """Simulate a study and its stresses, and measure them.

    Args:
        study: a loaded study, or what :func:`load_study` takes.
        executor: ``threads`` of this process, ``processes`` on this machine, or ``dask``. No influence on the numbers.
        scheduler: address of a Dask scheduler; a cluster on this machine when None.
        threads: number of threads, or of processes; all allowed ones when None.
        folder: run folder; finished chunks are kept there, so that a run that is stopped can go on, and one with
            another number of scenarios need not begin anew. Nothing is written when None.
        block: scenarios per block; chosen by memory and time when None. No influence on the numbers.
        watch: told about progress.
        note: told, in a sentence, when results are kept in files because they are too large for memory, and when a
            Dask scheduler has no worker yet.

    Returns:
        The result, with its summary attached.

    Raises:
        InputError: problems in study or ledger.
        SimulatorError: an unknown executor, more scenarios than memory can measure, or a folder that cannot be
            written, has no room or is written by another run. Nothing is written before study and ledger are found to
            be in order.
    """
    from contextlib import closing
    from dataclasses import replace

    from simulator.engine.checkpoint import Checkpoint, chunk_identity
    from simulator.engine.executors import make_executor
    from simulator.engine.model import build_models
    from simulator.engine.run import check_memory, simulate
    from simulator.jit import set_threads, source_digest, thread_info
    from simulator.measures.precision import precision_search
    from simulator.results.lock import writing
    from simulator.results.provenance import provenance

    loaded = study if isinstance(study, LoadedStudy) else load_study(study)
    used = set_threads(threads)
    begin = time.perf_counter()
    counts, identity = scenario_counts(loaded), run_identity(loaded)
    of_chunks = chunk_identity(loaded, [path for path in input_files(loaded) if path != loaded.file], source_digest())
    variants: dict[str, Stress | None] = {name: loaded.study.stresses.get(name) for name in counts}
    models = build_models(loaded, variants)
    check_memory(max(counts.values()))
    results: dict[str, Result] = {}
    with (
        nullcontext() if folder is None else writing(folder),
        closing(make_executor(executor, workers=used, block=block, scheduler=scheduler, note=note)) as workers,
    ):
        for name, model in models.items():
            count = counts[name]
            label = name or "base"
            search = None if name else precision_search(loaded.study)
            if search is not None:
                count = search.first(loaded.study.simulation.scenarios)
            kept = None
            if folder is not None:
                kept = Checkpoint(Path(folder) / CHUNK_FOLDER / f"{list(models).index(name):02d}", of_chunks)
            rows = simulate(
                model,
                count,
                executor=workers,
                checkpoint=kept,
                enough=None if search is None else search.enough,
                folder=None if folder is None else Path(folder),
                beside=sum(counts.values()) - counts[name],
                note=None if name else note,
                progress=None if watch is None else lambda done, total, label=label: watch(label, done, total),  # type: ignore[misc]
            )
            manifest = provenance(
                seed=model.seed,
                scenarios=rows.n_scenarios,
                threads=used,
                seconds=rows.seconds,
                inputs=input_files(loaded),
                extra={
                    "run": identity,
                    "stress": label,
                    "resumed_scenarios": rows.resumed,
                    "total_seconds": round(time.perf_counter() - begin, 3),
                    "executor": executor,
                    "threading": thread_info(),
                    **({} if search is None else {"precision": search.told()}),
                },
            )
            results[name] = _assemble(model, rows, manifest)
    base = results.pop("")
    return _measured(replace(base, stresses=results))


def _measured(whole: Result) -> Result:
    """A result and its stresses with their summaries."""
    from dataclasses import replace

    from simulator.compare.paired import full_summary
    from simulator.engine.spill import releasing

    with releasing():
        summary = full_summary(whole)
    named = {name: part.with_summary(summary[summary["stress"] == name]) for name, part in whole.stresses.items()}
    return replace(whole, stresses=named, summary_rows=summary)


def _assemble(model: Any, rows: Any, manifest: dict[str, Any]) -> Result:
    from simulator.engine.spill import releasing
    from simulator.measures.cost_of_risk import with_cost_of_risk
    from simulator.results.assemble import contribution_tables, path_dataset, scenario_dataset
    from simulator.results.result import Result

    with releasing():
        scenarios = with_cost_of_risk(scenario_dataset(model, rows), model.study, rows.in_files, rows.folder)
        contributions, paths = contribution_tables(model, rows), path_dataset(model, rows)
    return Result(
        study=model.study,
        scenarios=scenarios,
        paths=paths,
        contributions=contributions,
        manifest=manifest,
        profile=model.portfolio.profile,
        story=_story(model),
    )


def _story(model: Model) -> dict[str, pd.DataFrame]:
    """What happens in a scripted scenario, as tables; nothing where scenarios are drawn."""
    if model.script is None:
        return {}
    from simulator.compare.told import story_tables
    from simulator.engine.replay import replay_scenario

    return story_tables(replay_scenario(model, 0))
