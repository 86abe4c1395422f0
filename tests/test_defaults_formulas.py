"""The day of default against its twin and its definition."""

import numpy as np
import pytest

from simulator.defaults.formulas import default_day
from simulator.jit import NEVER
from tests.twins import defaults as twins


def test_worked_number():
    threshold = np.array([[-3.0, -2.5, -2.0]])
    assert default_day(threshold, 0, -2.7) == 2


@pytest.mark.parametrize("n_days", [1, 2, 3, 7, 364])
def test_default_day_equals_its_twin(n_days):
    rng = np.random.default_rng(n_days)
    threshold = np.sort(rng.normal(-2.0, 0.5, size=(3, n_days)), axis=1)
    threshold[1, : n_days // 2] = -np.inf
    threshold[2, n_days // 2 :] = threshold[2, n_days // 2]
    rows = threshold.tolist()
    values = np.concatenate([rng.normal(-2.0, 0.7, size=300), threshold.ravel(), [np.inf, -np.inf, np.nan]])
    for row in range(3):
        for value in values:
            assert default_day(threshold, row, value) == twins.default_day(rows, row, value)


def test_impossible_and_certain_defaults():
    threshold = np.array([[-np.inf, -np.inf], [np.inf, np.inf], [-np.inf, np.inf]])
    for value in (-40.0, 0.0, 40.0):
        assert default_day(threshold, 0, value) == NEVER
        assert default_day(threshold, 1, value) == 1
        assert default_day(threshold, 2, value) == 2
