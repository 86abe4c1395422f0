"""Every study that `simulator init` writes runs, and its policy does what it is bought for."""

from __future__ import annotations

import numpy as np
import pytest

from simulator.api import run
from simulator.study.load import load_study
from simulator.study.scaffold import POLICIES, init_study

SCENARIOS = 200


@pytest.mark.parametrize("policy", POLICIES)
def test_policies_of_a_template_count_payments_alike(policy, tmp_path):
    programmes = load_study(init_study(tmp_path, policy)[0]).study.programmes
    assert {p.payment_allocation for p in programmes if p.type != "none"} == {"oldest_first"}


@pytest.fixture(scope="module", params=POLICIES)
def result(request, tmp_path_factory):
    study = init_study(tmp_path_factory.mktemp("templates") / request.param, request.param)[0]
    return run(load_study(study, {"simulation.scenarios": SCENARIOS, "stresses": {}}))


def test_every_scenario_of_every_programme_has_its_numbers(result):
    found = result.scenarios
    assert found.sizes["scenario"] == SCENARIOS
    assert result.programmes == [p.name for p in result.study.programmes]
    for name in ("retained_loss", "premium", "indemnity", "cost_of_risk", "minimum_headroom"):
        assert np.isfinite(found[name].values).all(), name


def test_policies_cost_premium_and_pay_claims_and_nothing_else_does(result):
    insured = np.array([p.type != "none" for p in result.study.programmes])
    for name in ("premium", "indemnity"):
        mean = result.scenarios[name].mean("scenario").values
        assert (mean[insured] > 0).all(), name
        assert not mean[~insured].any(), name


def test_the_alternatives_change_something(result):
    """Factoring, letters of credit, reminders, a fund: their programme is not the baseline with another name."""
    programmes = result.study.programmes
    retained = result.scenarios["retained_loss"].values
    base = list(result.scenarios["retained_loss"].dims).index("programme")
    for at, programme in enumerate(programmes):
        if programme.type == "none" and at:
            assert not np.array_equal(np.take(retained, at, base), np.take(retained, 0, base)), programme.name
