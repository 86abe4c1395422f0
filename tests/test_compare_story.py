"""The story of one scenario agrees with the numbers of the run."""

import numpy as np
import pytest
from rich.console import Console

import simulator
from simulator.compare.story import debt_lines, debt_table, programme_table, tell
from simulator.engine.model import build_model
from simulator.engine.replay import replay_scenario
from simulator.engine.run import simulate
from tests.studies import random_study
from tests.test_losses import constant_study


@pytest.mark.parametrize("scenario", [0, 5, 130])
def test_story_agrees_with_the_run(tmp_path, scenario):
    model = build_model(simulator.load_study(random_study(tmp_path, 4)))
    rows = simulate(model, 200).rows
    replay = replay_scenario(model, scenario)
    debts, programmes = debt_table(replay), programme_table(replay).set_index("result")
    assert debts["loss"].sum() == pytest.approx(rows["gross_loss"][scenario], abs=1e-6)
    assert programmes.columns.tolist() == ["None", "First", "Second"]
    for name in programmes.index:
        np.testing.assert_array_equal(programmes.loc[name].to_numpy(dtype=float), rows[name][scenario])
    text = "\n".join(debt_lines(debts))
    for buyer in debts["buyer_id"].unique():
        assert buyer in text


def test_story_of_constant_exposures(tmp_path):
    replay = replay_scenario(build_model(simulator.load_study(constant_study(tmp_path, 40))), 2)
    console = Console(record=True, width=90)
    tell(replay, console)
    said = console.export_text()
    assert "retained loss" in said
    assert "minimum cash" not in said
