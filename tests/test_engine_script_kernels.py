"""Scripts in the rooms: what is told is booked, as the twin does it, in every regime and block."""

import numpy as np
import pytest

import simulator
from simulator.engine.block import run_block
from simulator.engine.model import build_model
from simulator.engine.script_parts import WITHHELD, Part, fates
from simulator.jit import NEVER
from simulator.losses.balances import allocate_balances
from simulator.losses.regimes import if_several, rows_needed
from simulator.losses.rows import allocate_events, allocate_rows, allocate_scratch
from simulator.losses.script_kernels import follow_script
from tests.balance_cases import plain_rows, random_views
from tests.regime_cases import trading_study
from tests.scripts import scripted, small
from tests.test_losses import compare_rows
from tests.twins import losses_scenario


@pytest.mark.parametrize("seed", range(10))
def test_kernel_equals_its_twin_and_what_the_script_foresaw(seed, tmp_path):
    """Bit for bit; and what the script counted as lost, when it shared out recoveries, is what the ledger loses."""
    model = build_model(simulator.load_study(scripted(tmp_path, seed)))
    n, plan, horizon = 4, model.script.plan, model.calendar.horizon_days
    rates = np.repeat(model.script.rates[None], n, axis=0)
    views = tuple(v % model.regime.count for v in range(seed % 4))
    counting = random_views(np.random.default_rng(seed), model.book, model.clock, views)
    found = []
    for follow, allocate in ((follow_script, allocate_balances), (losses_scenario.follow_script, plain_rows)):
        rows, events = allocate_rows(n, model.calendar.n_periods), allocate_events(n, 200)
        scratch = allocate_scratch(n, model.longest, model.n_groups)
        balances = allocate(counting, n, model.calendar.n_periods)
        follow(
            plan, model.keys, rates, np.empty((n, 0), np.int32), model.cash_side.delay, model.cash_side.transfer,
            model.rules, model.clock, model.book, if_several(model.regime), rows, events, scratch,
            *((counting, balances) if views else (None, None)),
        )  # fmt: skip
        found.append((rows, events, balances))
    compare_rows(*found)
    rows, events, _ = found[0]
    listed = events.invoice[0, : events.n_events[0]]
    lost_on = dict(zip(listed.tolist(), events.loss_day[0, : len(listed)].tolist(), strict=True))
    parts = [Part(i, a, d) for i, (a, d) in enumerate(zip(model.book.amount, plan.paid_day.tolist(), strict=True))]
    payment, stop = model.study.payment, model.study.payment.stop_shipment_after
    expected = fates(
        parts, model.portfolio.invoices, plan.default_day, payment.protracted_default.after.days,
        NEVER if stop is None else stop.days, horizon,
    )  # fmt: skip
    assert {i: d for i, d in lost_on.items() if d != NEVER} == {i: d for i, d in enumerate(expected) if 0 < d < NEVER}
    withheld = sum(v for v, d in zip(model.book.book_value, expected, strict=True) if d == WITHHELD)
    assert rows.stopped[0].sum() == pytest.approx(withheld)
    assert rows.billed[0] + rows.fx_result[0] == pytest.approx(
        rows.collected[0] + rows.recovered[0] + rows.gross_loss[0] + rows.outstanding[0] + rows.conceded[0]
    )
    assert not (plan.recovery[[i for i, d in enumerate(expected) if not 0 < d < NEVER]]).any()
    assert (plan.receipt_day != NEVER).sum() == (plan.recovery > 0).sum()


def traded(folder, seed, lending=False):
    """A random script in which programmes trade in every way and limits change, as a model; a bank may lend on it."""
    changes = {"portfolio": {"sales": {"mode": "steady_state"}}, "payment": {"stop_shipment_after": None}}
    study = scripted(folder, seed, **changes)
    (folder / "other").mkdir()
    rng = np.random.default_rng(seed)
    study["programmes"] = trading_study(folder / "other", seed)["programmes"]
    study["script"]["limits"] = [
        {"buyer": b, "on": f"{int(rng.integers(1, 170))} days", "limit": float(rng.choice([0, 20_000, 60_000]))}
        for b in (f"B{b:03d}" for b in range(12))
    ]
    if lending:
        study["liquidity"]["credit_line"]["borrowing_base"] = {"maximum_overdue": "60 days", "foreign": True}
    return build_model(simulator.load_study(study))


@pytest.mark.parametrize("seed", range(6))
def test_regimes_of_a_script_equal_their_twin(seed, tmp_path):
    """Bit for bit, common rows and balances included; the seller stops where a limit falls, and only there."""
    model = traded(tmp_path, seed)
    regime, n = model.regime, 4
    counting = random_views(np.random.default_rng(seed), model.book, model.clock, range(regime.count))
    found = []
    for follow, allocate in ((follow_script, allocate_balances), (losses_scenario.follow_script, plain_rows)):
        rows = allocate_rows(n * rows_needed(regime), model.calendar.n_periods, model.balances)
        events = allocate_events(n * regime.count, 400)
        scratch = allocate_scratch(n, model.longest, model.n_groups, regime.count)
        balances = allocate(counting, n, model.calendar.n_periods)
        follow(
            model.script.plan, model.keys, np.repeat(model.script.rates[None], n, axis=0), np.empty((n, 0), np.int32),
            model.cash_side.delay, model.cash_side.transfer, model.rules, model.clock, model.book, regime, rows, events,
            scratch, counting, balances,
        )  # fmt: skip
        found.append((rows, events, balances))
    compare_rows(*found)
    assert set(np.unique(regime.accepted)) <= {0.0, 1.0}
    assert set(regime.take_up) <= {0.0, 1.0}
    told = np.isfinite(regime.told_allowed).any(axis=(1, 2))
    assert not told[: regime.of_programme[4]].any()
    assert not np.isfinite(regime.allowed).any(), "nothing is drawn"
    as_written, stops = (found[0][0].stopped[g * n].sum() for g in (0, regime.of_programme[4]))
    assert stops > as_written
    assert found[0][1].n_events.max() <= 400


def test_event_lists_that_are_too_short(tmp_path):
    """A block that overflows its lists, of whatever length, is run again and is the same."""
    model = traded(tmp_path, 3, lending=True)
    enough = run_block(model, 0, 4, 400)
    assert 3 < enough.events.n_events.max() <= 400
    assert enough.events.stopped_count.max() > 3
    assert (enough.cash.borrowing_base > 0.0).any()
    for capacity in (1, 2, 3):
        block = run_block(model, 0, 4, capacity)
        for name, values in enough.ledger._asdict().items():
            assert values.tobytes() == getattr(block.ledger, name).tobytes(), name
        assert (enough.events.n_events == block.events.n_events).all()
        assert enough.cash.borrowing_base.tobytes() == block.cash.borrowing_base.tobytes(), "balances are counted once"
        assert enough.policy.indemnity.tobytes() == block.policy.indemnity.tobytes()


def test_one_scenario_whatever_its_number(tmp_path):
    """Every row of every block is the same scenario, of weight one."""
    model = build_model(simulator.load_study(scripted(tmp_path, 3)))
    first, later = run_block(model, 0, 4, 64), run_block(model, 400, 8, 2)
    assert (first.states.weight == 1.0).all()
    for name in ("gross_loss", "collected", "billed"):
        values = [*getattr(first.ledger, name), *getattr(later.ledger, name)]
        assert len(set(values)) == 1


def test_importance_sampling_changes_nothing_in_a_script(tmp_path):
    one, other = (
        run_block(build_model(small(tmp_path, {"failures": {"A": "5 weeks"}}, simulation={"tail": tail})), 0, 4, 64)
        for tail in ("plain", "importance")
    )
    assert one.ledger.gross_loss.tobytes() == other.ledger.gross_loss.tobytes()
    assert other.states.weight.tolist() == [1.0] * 4
