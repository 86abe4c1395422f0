"""Studies made ready once for all benchmarks of a run."""

from __future__ import annotations

import pytest

import simulator
from benchmarks.measure import EXPORTER
from benchmarks.numpy_exposures import one_factor_study
from simulator.engine.model import build_model


@pytest.fixture(scope="session")
def exporter():
    return build_model(simulator.load_study(EXPORTER))


@pytest.fixture(scope="session")
def exposures(tmp_path_factory):
    return build_model(simulator.load_study(one_factor_study(tmp_path_factory.mktemp("exposures"))))
