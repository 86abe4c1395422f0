"""The losses room against its twin, its rules by hand, and the classic model it reduces to."""

import dataclasses

import numpy as np
import pytest
from scipy.special import betaincinv

import simulator
from simulator.engine.block import run_block
from simulator.engine.model import build_model
from simulator.factors.plan import draw_states
from simulator.fx.plan import draw_rates
from simulator.fx.transfer import draw_transfers
from simulator.jit import NEVER
from simulator.losses import formulas, kernels
from simulator.losses.balances import allocate_balances
from simulator.losses.plan import recovery_table
from simulator.losses.rows import allocate_events, allocate_rows, allocate_scratch
from simulator.losses.tiles import allocate_tiles
from simulator.streams import table_grid
from tests.balance_cases import KEPT, by_scenario, plain_rows, random_views
from tests.studies import random_study, write_csv
from tests.twins import losses as twin
from tests.twins.losses_scenario import simulate_ledger


@pytest.mark.parametrize("seed", range(8))
def test_ledger_equals_its_twin(seed, tmp_path):
    """Every row and every event, bit for bit, on random studies with all features."""
    told_twice(random_study(tmp_path, seed), seed)


@pytest.mark.parametrize("seed", range(6))
def test_troubled_buyers_equal_their_twin(seed, tmp_path):
    """Bit for bit where nearly every buyer is in trouble: withheld, lost, cured, held up by a block, frustrated."""
    study = random_study(tmp_path, seed)
    study["portfolio"]["sales"] = {"mode": "steady_state"}
    study["study"] |= {"horizon": "52 weeks", "period": ["week", "month"][seed % 2]}
    study["transfer"] |= {"annual_probability": {"TR": 0.5, "CN": 0.4}, "frustration": [0.0, 0.5][seed % 2]}
    study["payment"] |= {
        "delay": {"model": "lognormal", "median_days": 40.0, "sigma": 1.3},
        "stop_shipment_after": ["20 days", "60 days"][seed % 2],
        "protracted_default": {"after": "60 days", "cure_probability": 0.5},
    }
    rows, events = told_twice(study, seed)
    assert (rows.n_protracted > 0).all()
    assert (rows.stopped.sum(axis=1) > 0).all()
    assert (rows.n_defaults > 0).any()
    assert (rows.gross_loss > 0).any()
    listed = np.arange(events.buyer.shape[1]) < events.n_events[:, None]
    cured = events.protracted & (events.loss_day == NEVER)
    assert (cured & (events.drawn_day == events.paid_day))[listed].any()
    assert (events.drawn_day < events.paid_day)[listed & cured].any(), "only held up by a block"
    assert events.frustrated[listed].any() == (seed % 2 == 1)


def told_twice(study, seed):
    """Compare what a study's kernel and its twin make of twelve scenarios; returns rows and events."""
    model = charged_on_balances(build_model(simulator.load_study(study)), seed % 3)
    side, n = model.cash_side, 12
    states = draw_states(model.factor, model.seed, 8, n)
    rates = draw_rates(side.fx, model.seed, 8, states.drivers, model.calendar.fx_steps)
    blocked = draw_transfers(side.transfer, model.seed, 8, states.drivers, rates, model.calendar.horizon_days)
    rng = np.random.default_rng(seed)
    views = tuple(v % model.regime.count for v in range(seed % 4))
    counting = random_views(rng, model.book, model.clock, views)
    found = []
    tiled = allocate_balances(counting, n, model.calendar.n_periods, 8)
    plain = plain_rows(counting, n, model.calendar.n_periods)
    for simulate, balances in ((kernels.simulate_ledger, tiled), (simulate_ledger, plain)):
        rows, events = allocate_rows(n, model.calendar.n_periods, model.balances), allocate_events(n, 120)
        scratch = allocate_scratch(n, model.longest, model.n_groups)
        simulate(
            2, model.keys, states.drivers, states.mixing, rates, blocked, model.factor, model.default, side.delay,
            side.transfer, model.rules, model.clock, model.book, model.limits, None, rows, events, scratch,
            working_tiles(model, n), *((counting, balances) if views else (None, None)),
        )  # fmt: skip
        found.append((rows, events, balances))
    compare_rows(*found)
    return found[0][:2]


def charged_on_balances(model, count):
    """A model with that many premiums on balances, of which each is charged on another part of each invoice."""
    book = model.book
    part = np.random.default_rng(count).choice([0.0, 0.84, 1.0], (count, len(book.book_value)))
    return dataclasses.replace(model, book=book._replace(insurable_value=part * book.book_value))


def working_tiles(model, n):
    """Working arrays of the ledger's loops for n scenarios, several tiles if there are more than eight."""
    countries, currencies = len(model.cash_side.transfer.probability), len(model.portfolio.currencies)
    tiles = allocate_tiles(
        n, model.longest, len(model.drivers), countries, currencies, model.clock, model.balances, width=8
    )  # fmt: skip
    assert n <= 8 or len(tiles.word) > 1
    return tiles


def compare_rows(left, right):
    """Rows and events of two ways to simulate, and balances if they come third: tiles, and rows by scenario."""
    for tiled, expected in zip(left[2:], right[2:], strict=True):
        counted = by_scenario(tiled, len(expected.used))
        for name in KEPT:
            assert getattr(counted, name).tobytes() == getattr(expected, name).tobytes(), name
    for name, values in left[0]._asdict().items():
        assert values.tobytes() == getattr(right[0], name).tobytes(), name
    for name, values in left[1]._asdict().items():
        other = getattr(right[1], name)
        if values.ndim == 1:
            assert (values == other).all(), name
            continue
        prefix = name.split("_")[0]
        count = getattr(left[1], f"{prefix}_count" if prefix in ("stopped", "weak") else "n_events")
        listed = np.arange(values.shape[1]) < count[:, None]
        assert (values[listed] == other[listed]).all(), name


def test_formulas_equal_their_twins():
    rng = np.random.default_rng(1)
    for _ in range(2000):
        due, after, horizon = int(rng.integers(-300, 400)), int(rng.integers(0, 200)), 364
        paid, failed = int(rng.integers(-10, 900)), [NEVER, int(rng.integers(1, 365))][rng.integers(2)]
        assert formulas.protracted_day(due, after) == twin.protracted_day(due, after)
        assert formulas.is_protracted(paid, due, after, failed, horizon) == twin.is_protracted(
            paid, due, after, failed, horizon
        )
        drawn, cured = min(paid, int(rng.integers(-10, 900))), bool(rng.integers(2))
        paid = paid if rng.random() < 0.9 else NEVER
        assert formulas.day_lost(paid, drawn, due, after, failed, cured, horizon) == twin.day_lost(
            paid, drawn, due, after, failed, cured, horizon
        )
        value, rate = rng.uniform(0, 1e6), rng.uniform(0, 0.2)
        assert formulas.cost_of_lateness(value, due, paid, rate) == twin.cost_of_lateness(value, due, paid, rate)
        state, share = rng.standard_normal(), [0.0, rng.uniform(0, 1)][rng.integers(2)]
        assert formulas.standard_state(state, share) == twin.standard_state(state, share)
        assert formulas.within(paid, horizon) == twin.within(paid, horizon)
    table = recovery_table(0.4, 0.25)[None, :]
    for z, w in rng.standard_normal((200, 2)):
        weight = abs(np.tanh(w))
        assert formulas.recovery_rate(table, 0, z, w, weight) == twin.recovery_rate(table, 0, z, w, weight)


def test_worked_numbers():
    assert formulas.protracted_day(20, 180) == 200
    assert formulas.protracted_day(-300, 180) == 1
    assert formulas.is_protracted(250, 20, 180, NEVER, 364)
    assert not formulas.is_protracted(200, 20, 180, NEVER, 364), "paid on the very day"
    assert not formulas.is_protracted(250, 20, 180, 199, 364), "insolvent before"
    assert not formulas.is_protracted(900, 200, 180, NEVER, 364), "after the horizon"
    assert formulas.day_lost(250, 250, 20, 180, NEVER, False, 364) == 200
    assert formulas.day_lost(250, 250, 20, 180, NEVER, True, 364) == NEVER, "cured"
    assert formulas.day_lost(250, 250, 20, 180, 240, True, 364) == 240, "cured, but the buyer fails first"
    assert formulas.day_lost(250, 200, 20, 180, NEVER, False, 364) == NEVER, "only held up by a block"
    assert formulas.day_lost(NEVER, NEVER, 20, 180, NEVER, True, 364) == 200, "never paid"
    assert formulas.day_lost(210, 210, 20, 200, 205, False, 364) == 205, "with its buyer"
    assert formulas.cost_of_lateness(36_500.0, 20, 30, 0.06) == pytest.approx(60.0)
    assert formulas.cost_of_lateness(36_500.0, -50, 10, 0.06) == pytest.approx(60.0), "lateness before day 0 is past"
    assert formulas.standard_state(0.3, 0.09) == pytest.approx(1.0)


@pytest.mark.parametrize(("mean", "sd"), [(0.35, 0.25), (0.1, 0.1), (0.8, 0.3), (0.5, 0.45), (0.25, 0.0)])
def test_recovery_law(mean, sd):
    """The tabulated law has the mean and sd asked for (integrated over normal scores), and is the Beta law."""
    table = recovery_table(mean, sd)
    z = table_grid()
    density = np.exp(-0.5 * z**2)
    density /= density.sum()
    assert (table * density).sum() == pytest.approx(mean, abs=2e-4)
    assert np.sqrt((table**2 * density).sum() - (table * density).sum() ** 2) == pytest.approx(sd, abs=2e-4)
    if sd:
        k = mean * (1 - mean) / sd**2 - 1
        assert table[len(table) // 2] == pytest.approx(betaincinv(mean * k, (1 - mean) * k, 0.5))


def constant_study(folder, n, sd=0.0, **changes):
    rng = np.random.default_rng(n)
    rows = [
        {
            "buyer_id": f"b{i}", "exposure": f"{rng.uniform(1, 100):.3f}", "pd_annual": f"{rng.uniform(0.01, 0.3):.4f}",
            "lgd": f"{rng.uniform(0.3, 1):.3f}", "group_id": "g" if i < 3 else "",
        }
        for i in range(n)
    ]  # fmt: skip
    write_csv(folder / "constant.csv", rows)
    study = {
        "schema": 1,
        "study": {"title": "Constant", "as_of": "2026-10-30", "currency": "EUR", "horizon": "1 year"},
        "portfolio": {"exposure": "constant", "buyers": str(folder / "constant.csv")},
        "credit": {"pd": {"source": "column"}, "recovery": {"sd": sd}},
        "programmes": [{"name": "none", "type": "none"}],
        "simulation": {"seed": 3},
    }
    return study | changes


def scripted_study(folder, *, late, limit="", **payment):
    """One buyer, one invoice of 100 a month, every payment ``late`` days after due, nothing random."""
    write_csv(folder / "buyers.csv", [{"buyer_id": "A", "country": "DE", "sector": "x", "currency": "EUR",
                                       "pd_annual": "0", "payment_terms_days": "30",
                                       "credit_limit": limit}])  # fmt: skip
    plan = [{"buyer_id": "A", "issue_date": f"2026-{m:02d}-01" if m <= 12 else f"2027-{m - 12:02d}-01",
             "amount": "100"} for m in range(11, 16)]  # fmt: skip
    write_csv(folder / "plan.csv", plan)
    open_items = [{"buyer_id": "A", "invoice_id": "1", "document_type": "invoice", "issue_date": "2026-10-01",
                   "due_date": "2026-10-31", "currency": "EUR", "amount_open": "100", "disputed": "no"}]  # fmt: skip
    write_csv(folder / "items.csv", open_items)
    return {
        "schema": 1,
        "study": {"title": "Scripted", "as_of": "2026-10-30", "currency": "EUR", "horizon": "52 weeks"},
        "portfolio": {
            "buyers": str(folder / "buyers.csv"),
            "open_items": str(folder / "items.csv"),
            "sales": {"mode": "plan", "file": str(folder / "plan.csv")},
        },
        "credit": {"pd": {"source": "column"}, "recovery": {"mean": 0.25, "sd": 0.0, "lag": "10 weeks"}},
        "payment": {"delay": {"model": "none"}, "location": late} | payment,
        "fx": {"model": "none"},
        "programmes": [{"name": "none", "type": "none"}],
        "simulation": {"scenarios": 4, "seed": 3},
    }


def scripted(folder, **asked):
    """Four scenarios of it."""
    return run_block(build_model(simulator.load_study(scripted_study(folder, **asked))), 0, 4, 50)


def test_everybody_pays_late_but_pays(tmp_path):
    rows = scripted(tmp_path, late=20).ledger
    assert rows.gross_loss.tolist() == [0.0] * 4
    assert rows.collected.tolist() == [600.0] * 4
    assert rows.collections[0, 2] == 100.0, "due on day 1, paid on day 21: the third week"


def test_protracted_default_is_lost_unless_cured(tmp_path):
    """All six invoices are 61 days late: each is lost on its day 60 past due, a quarter recovered ten weeks later."""
    rule = {"after": "60 days", "cure_probability": 0.0}
    rows = scripted(tmp_path, late=61, protracted_default=rule).ledger
    assert rows.n_protracted.tolist() == [6] * 4
    assert rows.gross_loss.tolist() == [450.0] * 4
    assert rows.recoveries[0].sum() == 150.0
    first = 1 + 60 + 70
    assert rows.recoveries[0, (first - 1) // 7] == 25.0
    cured = scripted(tmp_path, late=61, protracted_default=rule | {"cure_probability": 1.0}).ledger
    assert cured.gross_loss.tolist() == [0.0] * 4
    assert cured.collected.tolist() == [600.0] * 4
    assert cured.n_protracted.tolist() == [6] * 4


def test_stop_shipment_withholds_while_overdue(tmp_path):
    """The open item (due day 1) is paid on day 51; with a rule of 10 days nothing ships on days 12 … 50."""
    block = scripted(tmp_path, late=50, stop_shipment_after="10 days")
    # issued on days 2 (shipped), 32 (blocked: the open item is overdue from day 12 to 50), 63 (blocked: the first
    # one, due on day 32, is overdue from day 43 to 81), 94 and 122 (nothing is overdue for longer: shipped)
    stopped = np.flatnonzero(block.ledger.stopped[0])
    assert stopped.tolist() == [(32 - 1) // 7, (63 - 1) // 7]
    assert block.ledger.billed.tolist() == [400.0] * 4
    assert block.events.stopped_value[0, 0] == 200.0


def test_every_lost_debt_is_listed(tmp_path):
    """Six debts are lost, 60 days past due each; a claim can only hold the three issued by its date of loss."""
    block = scripted(tmp_path, late=61, protracted_default={"after": "60 days", "cure_probability": 0.0})
    events = block.events
    assert events.n_events.tolist() == [6] * 4
    assert events.protracted[0, :6].all()
    assert events.loss_day[0, :6].tolist() == [61, 92, 122, 153, 184, 212]
