"""Trade-credit risk simulator: correlated buyer defaults, payment delays and FX shocks, and the insurance of them.

>>> study = simulator.load_study("configs/exporter/study.yaml", overrides={"simulation.scenarios": 5000})
>>> result = simulator.run(study)
>>> result.summary()
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from simulator.api import load_study, open_result, run
    from simulator.errors import InputError, SimulatorError
    from simulator.results.result import Result

__version__ = "0.2.0"
__all__ = ["InputError", "Result", "SimulatorError", "__version__", "load_study", "open_result", "run"]

_WHERE = {
    "load_study": "simulator.api",
    "run": "simulator.api",
    "open_result": "simulator.api",
    "InputError": "simulator.errors",
    "SimulatorError": "simulator.errors",
    "Result": "simulator.results.result",
}


def __getattr__(name: str) -> Any:
    """Import a public name when it is first used: ``import simulator`` alone loads nothing heavy."""
    if name not in _WHERE:
        raise AttributeError(f"module 'simulator' has no attribute {name!r}")
    import importlib

    return getattr(importlib.import_module(_WHERE[name]), name)
