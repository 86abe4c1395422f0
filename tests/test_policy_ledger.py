"""The policy room on simulated ledgers: what full cover pays is what was lost."""

import numpy as np
import pytest

import simulator
from simulator.engine.block import run_block
from simulator.engine.model import build_model
from tests.studies import random_study

FULL = {
    "type": "whole_turnover",
    "insured_percentage": 1.0,
    "limits": "unlimited",
    "waiting_period": "120 days",
    "settlement": "30 days",
}


def simulate(folder, seed, n=256, **changes):
    """A run-off ledger without disputes or moving rates, under the programmes given."""
    study = random_study(
        folder, seed, fx={"model": "none", "hedge": {}}, transfer={"annual_probability": {}}, **changes
    )
    study["portfolio"]["sales"] = {"mode": "run_off"}
    study["payment"]["protracted_default"] = {"after": "120 days", "cure_probability": 0.3}
    items = folder / "open_items.csv"
    items.write_text(items.read_text(encoding="utf-8").replace(",yes", ",no"), encoding="utf-8")
    model = build_model(simulator.load_study(study))
    return model, run_block(model, 0, n, 512)


@pytest.mark.parametrize("seed", [1, 2, 3])
def test_full_cover_of_a_run_off_ledger_leaves_no_loss(tmp_path, seed):
    """Every debt is shipped before its date of loss, so cover without terms pays exactly the gross loss."""
    _, block = simulate(tmp_path, seed, programmes=[{"name": "Full", **FULL}])
    assert (block.ledger.gross_loss > 0).any()
    np.testing.assert_allclose(block.policy.indemnity[:, 0], block.ledger.gross_loss, rtol=1e-9, atol=1e-4)


def test_no_cover_is_self_insurance_to_the_byte(tmp_path):
    """0 % at no price leaves the uninsured cash path untouched."""
    none = {"name": "None", "type": "none"}
    zero = {"name": "Zero", **FULL, "insured_percentage": 0.0}
    _, block = simulate(tmp_path, 4, programmes=[none, zero])
    assert not block.policy.indemnity.any()
    for values in block.cash:
        assert values[:, 0].tobytes() == values[:, 1].tobytes()


def test_a_longer_wait_or_settlement_pays_later(tmp_path):
    """Indemnity in the horizon falls, ultimate indemnity on insolvencies alone does not change."""
    slow = FULL | {"settlement": "150 days"}
    _, block = simulate(tmp_path, 5, programmes=[{"name": "Fast", **FULL}, {"name": "Slow", **slow}])
    np.testing.assert_array_equal(block.policy.indemnity[:, 0], block.policy.indemnity[:, 1])
    arrived = np.cumsum(block.policy.claim_cash, axis=2).sum(axis=(0, 2))
    assert arrived[1] < arrived[0]
