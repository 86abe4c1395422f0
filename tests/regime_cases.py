"""Studies whose programmes trade in several ways, and their ledgers simulated: for tests of other terms of trade."""

import numpy as np

from simulator.factors.plan import draw_states
from simulator.fx.plan import draw_rates
from simulator.fx.transfer import draw_transfers
from simulator.losses import kernels
from simulator.losses.regimes import complete_rows, if_several, rows_needed
from simulator.losses.rows import allocate_events, allocate_rows, allocate_scratch
from tests.studies import random_study
from tests.test_losses import working_tiles


def trading_study(folder, seed):
    """A random study whose programmes trade in every way, with limits that change and contracts frustrated."""
    rng = np.random.default_rng(seed + 500)
    ids = [f"B{b:03d}" for b in range(12)]

    def some(ids=ids):
        return {"ids": sorted(rng.choice(ids, size=int(rng.integers(2, 9)), replace=False).tolist())}

    stages = [{"after": f"{d} days", "factor": float(f)} for d, f in ((5, 0.8), (20, 0.5), (45, 0.25))]
    changes = {"annual_probability": float(rng.choice([0.3, 0.8])), "notice": f"{int(rng.choice([0, 30]))} days"}
    programmes = [
        {"name": "As today", "type": "none"},
        {"name": "Factoring", "type": "none", "factoring": {
            "buyers": some(), "advance_rate": float(rng.choice([0.7, 0.9])), "fee": 0.01,
            "protection": float(rng.choice([0.0, 0.8, 1.0])), "open_items": bool(rng.random() < 0.5)},
         "early_payment_discount": {"buyers": some(), "take_up": 0.5}},
        {"name": "Safe", "type": "none", "letter_of_credit": {"buyers": some(ids[3:]), "accepted": 0.7},
         "prepayment": {"buyers": {"ids": ids[:3]}, "accepted": 0.5}},
        {"name": "Chased", "type": "none", "early_payment_discount": {"buyers": some(), "within": "14 days"},
         "collection": {"buyers": some(), "stages": stages[: rng.integers(0, 4)], "cost": 5000, "earlier": 2}},
        {"name": "Stops", "type": "whole_turnover", "limit_changes": changes | {"to": 0.0}},
        {"name": "Cuts", "type": "whole_turnover", "limit_changes": changes | {"to": 0.4},
         "collection": {"stages": stages[:1]}},
        {"name": "Runs on", "type": "whole_turnover", "limit_changes": changes | {"seller": "continues"}},
    ]  # fmt: skip
    study = random_study(folder, seed, programmes=programmes)
    study["portfolio"]["sales"] = {"mode": "steady_state"}
    study["transfer"] |= {"frustration": 0.5, "annual_probability": {"TR": 0.6, "CN": 0.4}}
    study["credit"]["recovery"]["costs"] = 0.1
    return study


def simulate(model, n, first=0, simulate_ledger=kernels.simulate_ledger, complete=True, counted=(None, None)):
    """Rows and events of a block of scenarios under every regime; ``counted``: what a bank counts of them."""
    side = model.cash_side
    states = draw_states(model.factor, model.seed, first, n)
    rates = draw_rates(side.fx, model.seed, first, states.drivers, model.calendar.fx_steps)
    blocked = draw_transfers(side.transfer, model.seed, first, states.drivers, rates, model.calendar.horizon_days)
    rows = allocate_rows(n * rows_needed(model.regime), model.calendar.n_periods, model.balances)
    events = allocate_events(n * model.regime.count, 400)
    scratch = allocate_scratch(n, model.longest, model.n_groups, model.regime.count)
    simulate_ledger(
        first // 4, model.keys, states.drivers, states.mixing, rates, blocked, model.factor, model.default, side.delay,
        side.transfer, model.rules, model.clock, model.book, model.limits, if_several(model.regime),
        rows, events, scratch, working_tiles(model, n), *counted,
    )  # fmt: skip
    return (complete_rows(rows, model.regime) if complete else rows), events


def identity(rows):
    """Every bill ends somewhere: billed + fx result = collected + recovered + lost + outstanding + conceded."""
    ends = rows.collected + rows.recovered + rows.gross_loss + rows.outstanding + rows.conceded
    scale = max(1.0, float(rows.billed.max()))
    np.testing.assert_allclose(rows.billed + rows.fx_result, ends, rtol=0, atol=1e-9 * scale)
    np.testing.assert_allclose(rows.collections.sum(axis=1), rows.collected, rtol=0, atol=1e-9 * scale)
    np.testing.assert_allclose(rows.losses.sum(axis=1), rows.gross_loss, rtol=0, atol=1e-9 * scale)


def week(day):
    return (day - 1) // 7
