"""Where the time goes: by room, and by part of the ledger's kernel."""

from __future__ import annotations

import pytest

from benchmarks.parts import PARTS, time_parts
from benchmarks.rooms import time_by_room
from benchmarks.tasks import QUICK, TASKS, model_of

#: Task: scenarios and scenarios per block, fixed because the engine would choose by the clock.
SIZES = {"S1": (2_048, 128), "S2": (128, 64), "T1": (49_152, 4_096), "T2": (12_288, 4_096)}


@pytest.mark.parametrize("name", SIZES)
def test_rooms(benchmark, one_thread, name):
    scenarios, block = SIZES[name]
    rounds = 2 if QUICK else 5
    found = benchmark.pedantic(time_by_room, args=(model_of(name), scenarios, rounds, block), rounds=1)
    work = scenarios * len(model_of(name).book.amount)
    benchmark.extra_info.update(
        scenarios=scenarios, unit=TASKS[name].unit, cpu_ns_per_unit={k: v / work * 1e9 for k, v in found.items()}
    )


def test_parts(benchmark, one_thread):
    found = benchmark.pedantic(time_parts, args=(model_of("S1"),), rounds=1)
    assert list(found) == list(PARTS)
    benchmark.extra_info.update(cpu_ns_per_unit=found)
