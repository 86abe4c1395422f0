"""The tables of benchmarks/README.md, written from the numbers of a run."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from pathlib import Path
from typing import Any

BEGIN, END = "<!-- measured: begin -->", "<!-- measured: end -->"
Found = dict[str, Any]

#: What a task is, for the tables.
TITLES = {
    "T1": "T1: 1,000 buyers, one factor → loss, VaR 99.9; per buyer-scenario",
    "T2": "T2: 10,000 buyers, five factors → loss, VaR 99.9; per buyer-scenario",
    "S1": "S1: exporter, 600 buyers, 52 weeks, 5 programmes; per invoice-scenario",
    "S2": "S2: 5,000 buyers, 52 weeks, 5 programmes; per invoice-scenario",
}
#: Tasks whose rooms are shown.
ROOMS_OF = ("S1", "S2", "T1", "T2")
#: Rooms below this many CPU-ns per unit are added up.
SMALL = 0.05


def write_tables(result: Found, page: Path) -> None:
    """Replace what stands between the markers of a page."""
    text = page.read_text(encoding="utf-8")
    head, _, rest = text.partition(BEGIN)
    _, _, tail = rest.partition(END)
    page.write_text(f"{head}{BEGIN}\n{tables(result)}\n{END}{tail}", encoding="utf-8")


def tables(result: Found) -> str:
    """All tables as text."""
    found = result["benchmarks"]
    parts = (_machine(result), _bars(found), _speed(found), _terms(found), _runs(found), _scaling(found),
             _growth(found), _rooms(found), _parts(found), _startup(found))  # fmt: skip
    return "\n\n".join("\n".join(part) for part in parts)


def table(header: Sequence[str], rows: Iterable[Sequence[str]], texts: int = 1) -> list[str]:
    """A table; the first ``texts`` columns are text, the others numbers."""
    rule = ["---"] * texts + ["--:"] * (len(header) - texts)
    return [f"| {' | '.join(line)} |" for line in (header, rule, *rows)]


def _machine(result: Found) -> list[str]:
    about = result["machine"]
    load, after = about["load_average"][0], about["load_average_after"][0]
    noise = (
        f"**The machine was busy with other work** (load average {load} before, {after} after): "
        "wall times are too long; compare processor time"
        if load > 0.5
        else f"Load average {load} before the run"
    )
    return [
        f"Measured {result['date'][:10]}{' with the smaller sizes of --quick' if result['quick'] else ''} "
        f"on {about['cores']} cores of {about['cpu']}, Python {about['python']}, "
        f"NumPy {about['numpy']}, numba {about['numba']}. {noise}. Reference loop "
        f"(10 million NumPy normals, partitioned): {result['reference_seconds']:.3f} s of processor time."
    ]


def _times(plain: Found, one: Found) -> float:
    return float(plain["cpu_ns_per_unit"] / one["cpu_ns_per_unit"])


def _bars(found: Found) -> list[str]:
    """What was aimed at, and what was reached: one thread, processor time."""
    rows = []
    for name, most, least in (("T1", 0.5, 40.0), ("T2", 1.5, 15.0), ("S1", 5.0, 30.0)):
        plain, one = found[f"test_tasks.py::test_numpy[{name}]"], found[f"test_tasks.py::test_engine[{name}-1]"]
        cost = one["cpu_ns_per_unit"]
        rows += [(f"{name}, ns per {one['unit']}-scenario", f"≤ {most:g}", f"{cost:.2f}", _reached(cost <= most)),
                 (f"{name}, times NumPy", f"≥ {least:g}", f"{_times(plain, one):.1f}",
                  _reached(_times(plain, one) >= least))]  # fmt: skip
    times = _times(found["test_terms.py::test_numpy"], found["test_terms.py::test_loop[1]"])
    rows.append(("T3, times NumPy (loop over the formulas)", "≥ 4", f"{times:.1f}", _reached(times >= 4.0)))
    more = found["test_runs.py::test_one_more_programme"]["cost_of_one_more"]
    rows.append(("S1, one more programme", "< 3 %", f"{more:.1%}", _reached(more < 0.03)))
    threads = found["test_scaling.py::test_threads[S1-4096]"]["wall_seconds"]
    if len(threads) > 1:
        times = threads[0] / threads[1]
        rows.append(
            ("S1, two threads against one, wall (quiet machine)", "≥ 1.8", f"{times:.2f}", _reached(times >= 1.8))
        )
    for name in CURVES:
        slope = found[f"test_scaling.py::test_curve[{name}]"]["exponent"]
        rows.append((f"exponent, {name}", "0.95 – 1.05", f"{slope:.3f}", _reached(0.95 <= slope <= 1.05)))
    return table(("what (processor time of one thread where nothing else is said)", "aimed at", "measured", ""), rows)


def _reached(reached: bool) -> str:
    return "reached" if reached else "**not reached**"


def _speed(found: Found) -> list[str]:
    rows = []
    for name, title in TITLES.items():
        plain = found[f"test_tasks.py::test_numpy[{name}]"]
        engines = {"engine": found[f"test_tasks.py::test_engine[{name}-1]"],
                   "engine, all threads": found[f"test_tasks.py::test_engine[{name}-None]"]}  # fmt: skip
        for version, one in {"NumPy": plain, **engines}.items():
            wall = plain["core_ns_per_unit"] / one["core_ns_per_unit"] * one["threads"]
            rows.append((
                title, f"{version} ({one['threads']})", f"{one['scenarios']:,}", f"{one['core_ns_per_unit']:.2f}",
                f"{one['cpu_ns_per_unit']:.2f}", f"{one['scenarios_per_second']:,.0f}", f"{_times(plain, one):.2f}",
                f"{wall:.2f}",
            ))  # fmt: skip
    header = ("work", "version (threads)", "scenarios", "core-ns (threads × wall)", "CPU-ns", "scenarios/s",
              "× NumPy, CPU", "× NumPy, wall")  # fmt: skip
    return table(header, rows, 2)


def _terms(found: Found) -> list[str]:
    plain = found["test_terms.py::test_numpy"]
    rows = []
    versions = {"NumPy": plain, "loop over the formulas": found["test_terms.py::test_loop[1]"],
                "loop over the formulas, all threads": found["test_terms.py::test_loop[None]"]}  # fmt: skip
    for version, one in versions.items():
        rows.append((
            f"{version} ({one['threads']})", f"{one['scenarios']:,}", f"{one['wall_seconds']:.4f}",
            f"{one['cpu_ns_per_unit']:.1f}", f"{one['cpu_ns_per_unit'] / one['claims_per_year']:.2f}",
            f"{one['gigabytes_per_second']:.1f}", f"{_times(plain, one):.2f}",
            f"{plain['wall_seconds'] / one['wall_seconds']:.2f}",
        ))  # fmt: skip
    room = found["test_terms.py::test_policy_room"]
    ns = room["cpu_ns_per_unit"]
    title = "policy room of a study (1): dates, cash, recoveries, each step"
    by_claim = f"{ns / plain['claims_per_year']:.2f}"
    rows.append((title, f"{room['scenarios']:,}", "", f"{ns:.1f}", by_claim, "", f"{_times(plain, room):.2f}", ""))
    header = (f"T3: terms on {plain['claims_per_year']:.1f} claims a year", "years", "wall s", "CPU-ns per year",
              "CPU-ns per claim", "GB/s", "× NumPy, CPU", "× NumPy, wall")  # fmt: skip
    return table(header, rows)


def _runs(found: Found) -> list[str]:
    rows = []
    for name in TITLES:
        for title, key in (("engine", "whole_run"), ("engine", "engine_memory"), ("NumPy", "numpy_memory")):
            one = found[f"test_tasks.py::test_{key}[{name}]"]
            rate = one["scenarios"] / one["simulating_seconds"]
            rows.append((f"{name}, {title}", f"{one['scenarios']:,}", f"{one['wall_seconds']:.1f}",
                         f"{one['cpu_seconds']:.1f}", f"{rate:,.0f}", f"{one['peak_mib']:,.0f}"))  # fmt: skip
    for title, key in (("S1, `simulator run`: also stresses, run folder, reports", "run_with_report"),
                       ("R: `simulator report` on it", "report")):  # fmt: skip
        one = found[f"test_runs.py::test_{key}"]
        rows.append((title, f"{one['scenarios']:,}", f"{one['wall_seconds']:.1f}", f"{one['cpu_seconds']:.1f}", "",
                     f"{one['peak_mib']:,.0f}"))  # fmt: skip
    header = ("fresh process, kernels cached, all threads", "scenarios", "wall s", "CPU s", "scenarios/s simulating",
              "peak MiB")  # fmt: skip
    return table(header, rows)


#: Curves of test_scaling.py.
CURVES = ("T1 scenarios", "T1 buyers", "ledger scenarios", "ledger buyers", "ledger invoices")


def _scaling(found: Found) -> list[str]:
    rows = []
    for name in CURVES:
        one = found[f"test_scaling.py::test_curve[{name}]"]
        cost = [second / size for second, size in zip(one["cpu_seconds"], one["sizes"], strict=True)]
        rows.append((name, " · ".join(f"{size:,}" for size in one["sizes"]),
                     " · ".join(f"{value / cost[0]:.2f}" for value in cost), f"{one['exponent']:.3f}"))  # fmt: skip
    return table(("cost against", "sizes", "CPU time by size, first is 1", "fitted exponent"), rows, 3)


def _growth(found: Found) -> list[str]:
    one = found["test_scaling.py::test_programmes"]
    sizes, seconds = one["sizes"], one["cpu_seconds"]
    five = seconds[sizes.index(5)]
    slope = (seconds[-1] - seconds[0]) / (sizes[-1] - sizes[0]) / five
    more = found["test_runs.py::test_one_more_programme"]["cost_of_one_more"]
    lines = [
        f"Programmes {' · '.join(map(str, sizes))}: CPU time {' · '.join(f'{s / five:.2f}' for s in seconds)}, "
        f"five are 1; each {slope:.1%} of a run with five. A sixth beside the five: {more:+.1%}.",
    ]
    for key in ("T1-100000", "S1-4096"):
        one = found[f"test_scaling.py::test_threads[{key}]"]
        wall, cpu = one["wall_seconds"], one["cpu_seconds"]
        lines.append(
            f"Threads {' · '.join(map(str, one['sizes']))}, {key[:2]}: "
            f"{' · '.join(f'{wall[0] / w:.2f}' for w in wall)} times as fast, "
            f"CPU time {' · '.join(f'{c / cpu[0]:.2f}' for c in cpu)}."
        )
    return ["\n\n".join(lines)]


def _rooms(found: Found) -> list[str]:
    """Rooms of the tasks side by side, in order of what they cost in S1."""
    costs = {name: dict(found[f"test_profile.py::test_rooms[{name}]"]["cpu_ns_per_unit"]) for name in ROOMS_OF}
    for cost in costs.values():
        small = [room for room, value in cost.items() if value < SMALL and room not in ("in all", "the rest")]
        cost["the rest"] += sum(cost.pop(room) for room in small)
    rooms = dict.fromkeys(sorted(costs["S1"], key=lambda room: -costs["S1"][room]))
    rooms |= dict.fromkeys(room for name in ROOMS_OF for room in costs[name])
    rows = [(room, *(f"{cost[room]:.2f}" if room in cost else "" for cost in costs.values())) for room in rooms]
    return table(("one thread, CPU-ns per unit, by function", *ROOMS_OF), rows)


def _parts(found: Found) -> list[str]:
    parts = found["test_profile.py::test_parts"]["cpu_ns_per_unit"]
    kernel = found["test_profile.py::test_rooms[S1]"]["cpu_ns_per_unit"]["simulate_ledger"]
    rows = [(name, f"{value:.2f}") for name, value in parts.items()]
    rows.append(("the rest: troubled buyers", f"{kernel - sum(parts.values()):.2f}"))
    rows.append(("`simulate_ledger`", f"{kernel:.2f}"))
    return table(("S1, parts of the ledger's kernel, each alone", "CPU-ns per invoice-scenario"), rows)


def _startup(found: Found) -> list[str]:
    titles = {"python": "`python -c pass`", "import": "`import simulator`", "help": "`simulator --help`",
              "check": "`simulator check configs/exporter/study.yaml`",
              "run": "`simulator run configs/sme_domestic/study.yaml`"}  # fmt: skip
    timed = {title: found[f"test_startup.py::test_startup[{what}]"] for what, title in titles.items()}
    first = found.get("test_startup.py::test_first_compile")
    if first is not None:
        timed["`simulator warmup`, nothing cached (once)"] = first
    rows = [(title, f"{one['wall_seconds']:.3f}", f"{one['cpu_seconds']:.3f}", f"{one['peak_mib']:.0f}")
            for title, one in timed.items()]  # fmt: skip
    return table(("start-up, fastest of five fresh processes", "wall s", "CPU s", "peak MiB"), rows)


def in_short(result: Found) -> dict[str, float]:
    """The numbers that are followed from run to run."""
    found = result["benchmarks"]
    short = {}
    for name in TITLES:
        plain, one = found[f"test_tasks.py::test_numpy[{name}]"], found[f"test_tasks.py::test_engine[{name}-1]"]
        short |= {f"{name} CPU-ns": one["cpu_ns_per_unit"], f"{name} times NumPy": _times(plain, one)}
    loop = found["test_terms.py::test_loop[1]"]
    short |= {"T3 CPU-ns": loop["cpu_ns_per_unit"], "T3 times NumPy": _times(found["test_terms.py::test_numpy"], loop)}
    short["one more programme"] = found["test_runs.py::test_one_more_programme"]["cost_of_one_more"]
    return {name: round(value, 3) for name, value in short.items()}
