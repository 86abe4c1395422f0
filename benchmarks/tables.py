"""The tables of benchmarks/README.md, written from the numbers of a run."""

from __future__ import annotations

from pathlib import Path
from typing import Any

BEGIN, END = "<!-- measured: begin -->", "<!-- measured: end -->"
#: What is compared: title, benchmark of NumPy, benchmarks of the engine.
PAIRS = (
    ("exporter, per invoice-scenario", "test_exporter.py::test_numpy",
     {"engine, one thread": "test_exporter.py::test_engine_one_thread",
      "engine, all threads": "test_exporter.py::test_engine_all_threads"}),
    *(
        (f"{task} constant exposures, per buyer-scenario", f"test_exposures.py::test_numpy[{task}]",
         {"engine, one thread": f"test_exposures.py::test_engine[{task}-1]",
          "engine, all threads": f"test_exposures.py::test_engine[{task}-None]"})
        for task in ("T1", "T2")
    ),
)  # fmt: skip


def write_tables(result: dict[str, Any], page: Path) -> None:
    """Replace what stands between the markers of a page."""
    text = page.read_text(encoding="utf-8")
    head, _, rest = text.partition(BEGIN)
    _, _, tail = rest.partition(END)
    body = "\n".join([*_machine(result), "", *_speed(result), "", *_runs(result), "", *_startup(result)])
    page.write_text(f"{head}{BEGIN}\n{body}\n{END}{tail}", encoding="utf-8")


def _machine(result: dict[str, Any]) -> list[str]:
    about = result["machine"]
    load, after = about["load_average"][0], about["load_average_after"][0]
    noise = (
        f"**The machine was busy with other work** (load average {load} before, {after} after): "
        "wall times are too long; compare processor time"
        if load > 0.5
        else f"Load average {load} before the run"
    )
    return [
        f"Measured {result['date'][:10]} on {about['cores']} cores of {about['cpu']}, Python {about['python']}, "
        f"NumPy {about['numpy']}, numba {about['numba']}. {noise}. Reference loop "
        f"(10 million NumPy normals, partitioned): {result['reference_seconds']:.3f} s of processor time."
    ]


def _speed(result: dict[str, Any]) -> list[str]:
    found = result["benchmarks"]
    lines = [
        "| work | version | core-ns (threads × wall) | CPU-ns | scenarios/s | × NumPy, CPU | × NumPy, wall |",
        "|---|---|--:|--:|--:|--:|--:|",
    ]
    for title, numpy_name, engines in PAIRS:
        plain = found[numpy_name]
        for name, key in {"NumPy": numpy_name, **engines}.items():
            one = found[key]
            lines.append(
                f"| {title} | {name} ({one['threads']}) | {one['core_ns_per_unit']:.2f} | "
                f"{one['cpu_ns_per_unit']:.2f} | "
                f"{one['scenarios_per_second']:,.0f} | {plain['cpu_ns_per_unit'] / one['cpu_ns_per_unit']:.2f} | "
                f"{plain['wall_seconds'] / one['wall_seconds'] * one['scenarios'] / plain['scenarios']:.2f} |"
            )
    return lines


def _runs(result: dict[str, Any]) -> list[str]:
    found = result["benchmarks"]
    full = found["test_exporter.py::test_full_simulation"]
    report = found["test_exporter.py::test_full_run_with_report"]
    more = found["test_exporter.py::test_one_more_programme"]
    lines = [
        "| exporter, fresh process, kernels cached | scenarios | wall s | CPU s | peak MiB |",
        "|---|--:|--:|--:|--:|",
    ]
    for title, one in (("simulate and keep", full), ("`simulator run`: also stresses, run folder, reports", report)):
        lines.append(
            f"| {title} | {one['scenarios']:,} | {one['wall_seconds']:.1f} | {one['cpu_seconds']:.1f} | "
            f"{one['peak_mib']:,.0f} |"
        )
    for which in ("engine", "numpy"):
        one = found[f"test_exporter.py::test_peak_memory[{which}]"]
        lines.append(f"| {which}, simulate and keep | 4,096 | | | {one['peak_mib']:,.0f} |")
    lines += [
        "",
        f"One more programme (five to six): {more['cost_of_one_more']:+.1%} of the processor time of a scenario.",
    ]
    return lines


def _startup(result: dict[str, Any]) -> list[str]:
    found = result["benchmarks"]
    lines = ["| start-up, fastest of five fresh processes | wall s | CPU s | peak MiB |", "|---|--:|--:|--:|"]
    titles = {"python": "`python -c pass`", "import": "`import simulator`", "help": "`simulator --help`",
              "check": "`simulator check configs/exporter/study.yaml`"}  # fmt: skip
    for what, title in titles.items():
        one = found[f"test_startup.py::test_startup[{what}]"]
        lines.append(f"| {title} | {one['wall_seconds']:.3f} | {one['cpu_seconds']:.3f} | {one['peak_mib']:.0f} |")
    one = found["test_startup.py::test_first_compile"]
    lines.append(
        f"| `simulator warmup`, nothing cached (once) | {one['wall_seconds']:.1f} | {one['cpu_seconds']:.1f} | "
        f"{one['peak_mib']:.0f} |"
    )
    return lines
