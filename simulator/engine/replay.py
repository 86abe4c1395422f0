"""One scenario again, alone: the same draws give the same fate, now with every debt listed."""

from __future__ import annotations

from dataclasses import dataclass

from simulator.engine.block import Block, run_block
from simulator.engine.blocks import FIRST_CAPACITY
from simulator.engine.model import Model


@dataclass(frozen=True)
class Replay:
    """A scenario's block (four scenarios share their random words) and its row in it."""

    model: Model
    scenario: int
    block: Block
    row: int


def replay_scenario(model: Model, scenario: int) -> Replay:
    """Compute one scenario of a model again.

    Args:
        model: the study made ready.
        scenario: its number, from 0; it need not be one of the run's scenarios.
    """
    first = scenario - scenario % 4
    return Replay(model, scenario, run_block(model, first, 4, FIRST_CAPACITY), scenario - first)
