"""Limits that are taken back, with a seller that stops or goes on, and contracts that are frustrated."""

import numpy as np
import pytest

import simulator
from simulator.engine.model import build_model
from simulator.factors.plan import draw_states
from simulator.fx.plan import draw_rates
from simulator.fx.transfer import draw_transfers
from simulator.jit import NEVER
from simulator.losses import formulas
from tests.regime_cases import simulate, week
from tests.studies import random_study
from tests.test_losses import scripted_study


def test_limit_change_day():
    """q = 5 % a year; with Φ(V) = 0.02: 365·log 0.98 / log 0.95 = 143.8 days."""
    intensity = -np.log(0.95)
    score = -2.0537489106318225
    assert formulas.limit_change_day(score, intensity, 364) == 144
    assert formulas.limit_change_day(score, intensity, 143) == NEVER
    assert formulas.limit_change_day(score, 0.0, 364) == NEVER
    assert formulas.limit_change_day(3.0, np.inf, 364) == 1, "a chance of 100 % means at once"
    assert formulas.limit_score(-1.0, -2.0, 0.5, 0.6, 0.5, np.sqrt(0.39)) == pytest.approx(-1.2877501, abs=1e-7)


def limited(folder, to, seller="stops"):
    """One buyer with a limit of 250 that is reduced on day 1, known on day 31; six invoices of 100, paid 45 late."""
    changes = {"annual_probability": 1.0, "to": to, "notice": "30 days", "seller": seller}
    policy = {"name": "P", "type": "whole_turnover", "limit_changes": changes}
    study = scripted_study(folder, late=45, limit="250")
    study["programmes"] = [{"name": "None", "type": "none"}, policy]
    return simulate(build_model(simulator.load_study(study)), 4)


def test_seller_stops_when_a_limit_is_cancelled(tmp_path):
    """Issued on days 2, 32, 63, 94, 122: from day 31 on nothing is shipped."""
    rows, events = limited(tmp_path, 0.0)
    assert rows.billed.tolist() == [600.0] * 4 + [200.0] * 4
    assert np.flatnonzero(rows.stopped[4]).tolist() == [week(32), week(63), week(94), week(122)]
    assert events.stopped_value[4, 0] == 400.0
    assert events.weak_count.tolist() == [1] * 8


def test_seller_ships_up_to_a_reduced_limit(tmp_path):
    """150 are left: on day 32 the open item (paid on day 46) and the first (day 77) are unpaid, so nothing ships; on
    day 63 the first alone: nothing; on day 94 nothing is unpaid: 100 ship, paid on day 169; on day 122 nothing."""
    rows, _ = limited(tmp_path, 0.6)
    assert np.flatnonzero(rows.stopped[4]).tolist() == [week(32), week(63), week(122)]
    assert rows.billed[4] == 300.0


def test_seller_continues_uncovered(tmp_path):
    rows, events = limited(tmp_path, 0.0, seller="continues")
    assert rows.billed.tolist() == [600.0] * 4, "one regime: shipments do not depend on the limit"
    assert events.weak_count.tolist() == [1] * 4, "but the policy is told whose limit changes"


def test_frustration_loses_what_a_buyer_owes(tmp_path):
    """A transfer event frustrates every contract: what is unpaid is lost on its first day, and it is no insolvency."""
    study = random_study(
        tmp_path, 3, transfer={"annual_probability": {"TR": 0.9, "CN": 0.9}, "frustration": 1.0},
        programmes=[{"name": "None", "type": "none"}],
    )  # fmt: skip
    model = build_model(simulator.load_study(study))
    n, side = 64, model.cash_side
    rows, events = simulate(model, n)
    states = draw_states(model.factor, model.seed, 0, n)
    rates = draw_rates(side.fx, model.seed, 0, states.drivers, model.calendar.fx_steps)
    blocked = draw_transfers(side.transfer, model.seed, 0, states.drivers, rates, model.calendar.horizon_days)
    listed = np.arange(events.buyer.shape[1]) < events.n_events[:, None]
    scenario, place = np.nonzero(listed & events.frustrated)
    assert len(scenario) > 100
    country = side.transfer.buyer_country[events.buyer[scenario, place]]
    assert (country >= 0).all()
    assert (events.default_day[scenario, place] == blocked[scenario, country]).all()
    lost, paid = events.loss_day[scenario, place], events.paid_day[scenario, place]
    day, protracted = blocked[scenario, country], events.protracted[scenario, place]
    assert (lost[(paid == NEVER) & ~protracted] == day[(paid == NEVER) & ~protracted]).all()
    assert (paid[paid != NEVER] <= day[paid != NEVER]).all(), "nothing is paid after it"
    failed = listed & ~events.frustrated & (events.default_day < NEVER)
    buyers_failed = [len(set(events.buyer[s][failed[s]])) for s in range(n)]
    assert (rows.n_defaults >= buyers_failed).all()
    study["transfer"]["frustration"] = 0.0
    calm, none = simulate(build_model(simulator.load_study(study)), n)
    assert (calm.n_defaults == rows.n_defaults).all(), "insolvencies are counted, frustrations are not"
    assert not (none.frustrated & (np.arange(none.buyer.shape[1]) < none.n_events[:, None])).any()
