"""Studies made ready once for all benchmarks of a run."""

from __future__ import annotations

import pytest

import simulator
from benchmarks.measure import EXPORTER
from benchmarks.numpy_exposures import many_factor_study, one_factor_study
from simulator.engine.model import build_model


@pytest.fixture(scope="session")
def exporter():
    return build_model(simulator.load_study(EXPORTER))


@pytest.fixture(scope="session", params=["T1", "T2"])
def exposures(request, tmp_path_factory):
    write = one_factor_study if request.param == "T1" else many_factor_study
    return build_model(simulator.load_study(write(tmp_path_factory.mktemp(request.param))))
