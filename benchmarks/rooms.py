"""Where the time of a simulation goes, room by room: every function that a block calls, timed as it is called."""

from __future__ import annotations

import time
from collections import defaultdict
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import Any

from simulator.engine import block, chunk, run
from simulator.engine.model import Model
from simulator.engine.run import simulate

#: What chunks and runs do with a finished block.
KEEPING = ((chunk.Chunk, "add"), (chunk.Chunk, "finish"), (run.RunRows, "take"))


def time_by_room(model: Model, n_scenarios: int, rounds: int = 3, block_size: int | None = None) -> dict[str, float]:
    """Processor seconds of each function, of the fastest of several simulations; ``in all`` and ``the rest`` too."""
    simulate(model, 64)
    tries = []
    for _ in range(rounds):
        spent: dict[str, float] = defaultdict(float)
        with _watched(spent):
            begin = time.process_time()
            simulate(model, n_scenarios, block=block_size)
            total = time.process_time() - begin
        tries.append(spent | {"the rest": total - sum(spent.values()), "in all": total})
    return min(tries, key=lambda spent: spent["in all"])


@contextmanager
def _watched(spent: dict[str, float]) -> Iterator[None]:
    """Put a stopwatch around what :mod:`simulator.engine.block` imported from the rooms, and around keeping."""
    rooms = [(block, name) for name, value in vars(block).items() if _is_of_a_room(value)]
    originals = [(owner, name, getattr(owner, name)) for owner, name in (*rooms, *KEEPING) if hasattr(owner, name)]
    for owner, name, function in originals:
        title = name if owner is block else f"{owner.__name__}.{name}"
        setattr(owner, name, _stopwatch(function, title, spent))
    try:
        yield
    finally:
        for owner, name, function in originals:
            setattr(owner, name, function)


def _is_of_a_room(value: Any) -> bool:
    module = str(getattr(value, "__module__", ""))
    own = module in ("", block.__name__) or not module.startswith("simulator.")
    return callable(value) and not isinstance(value, type) and not own


def _stopwatch(function: Callable[..., Any], name: str, spent: dict[str, float]) -> Callable[..., Any]:
    def timed(*args: Any, **kwargs: Any) -> Any:
        begin = time.process_time()
        result = function(*args, **kwargs)
        spent[name] += time.process_time() - begin
        return result

    return timed
