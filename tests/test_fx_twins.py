"""Formulas and loops of the fx room against their plain-Python twins, exactly."""

import math

import numpy as np
import pytest

from simulator.fx import formulas, kernels
from simulator.fx.plan import allocate_tiles, mixing_table
from simulator.jit import NEVER, set_threads
from simulator.streams import entity_key, stream_key
from tests.twins import fx as twins

RANDOM = np.random.default_rng(20261030)
KEYS = {name: stream_key(7, name) for name in ("fx", "fx_mixing", "fx_bootstrap", "transfer")}
SCENARIO = np.uint64(entity_key("scenario"))


def entities(*names):
    return np.array([entity_key(name) for name in names], dtype=np.uint64)


def test_rate_on_equals_its_twin_and_the_weekly_grid():
    rates = RANDOM.lognormal(size=(2, 3, 5))
    for day in range(-20, 60):
        assert formulas.rate_on(rates, 1, 2, day) == twins.rate_on(rates, 1, 2, day)
    assert formulas.rate_on(rates, 0, 1, 0) == rates[0, 1, 0]
    assert formulas.rate_on(rates, 0, 1, 7) == rates[0, 1, 1]
    assert formulas.rate_on(rates, 0, 1, 8) == rates[0, 1, 2]


def test_hedge_settlement_equals_its_twin():
    assert formulas.hedge_settlement(100_000.0, 0.92, 0.90) == pytest.approx(2000)
    for row in RANDOM.lognormal(size=(50, 3)).tolist():
        assert formulas.hedge_settlement(*row) == twins.hedge_settlement(*row)


def test_exponential_equals_its_twin_and_the_library():
    assert formulas.exponential(1.0) == pytest.approx(2.71828182845905, rel=1e-14)
    for x in [-800.0, -700.0, -0.0, 0.0, 700.0, 800.0, *(RANDOM.normal(size=2_000) * 40).tolist()]:
        assert formulas.exponential(x) == twins.exponential(x)
        held = min(max(x, -700.0), 700.0)
        assert formulas.exponential(x) == pytest.approx(math.exp(held), rel=1e-15, abs=0.0)


def test_transfer_day_equals_its_twin_and_its_worked_number():
    assert formulas.transfer_day(-0.6744897501960818, 0.5, 100) == 42
    for probability in (1e-6, 0.0002, 0.3, 0.999, 1.0):
        for score in [-40.0, -8.0, 8.0, *RANDOM.normal(size=100).tolist()]:
            day = formulas.transfer_day(score, probability, 364)
            assert day == twins.transfer_day(score, probability, 364)
            assert day == NEVER or 1 <= day <= 364


def test_transfer_release_equals_its_twin_and_waits_only_inside_the_block():
    assert formulas.transfer_release(100, 100, 182) == 282
    assert formulas.transfer_release(281, 100, 182) == 282
    assert formulas.transfer_release(99, 100, 182) == 99
    assert formulas.transfer_release(282, 100, 182) == 282
    days = [-5, 1, 99, 100, 281, 282, 1_000_000, NEVER]
    for pay in days:
        for start in days:
            for duration in (0, 1, 182):
                value = formulas.transfer_release(pay, start, duration)
                assert value == twins.transfer_release(pay, start, duration)
                assert value >= pay


def test_transfer_release_does_not_overflow_32_bit_days():
    pay, start = np.array([NEVER, 5], dtype=np.int32), np.array([NEVER, 1], dtype=np.int32)
    assert formulas.transfer_release(pay[0], start[0], 182) == NEVER
    assert formulas.transfer_release(pay[0], start[1], 182) == NEVER
    assert formulas.transfer_release(pay[1], start[0], 182) == 5


def test_next_week_equals_its_twin():
    assert formulas.next_week(3, 0.1, 100, 4) == 40
    assert formulas.next_week(99, 0.6, 100, 4) == 0
    for week in (-1, 0, 7, 51):
        for u in [2.0**-33, 1 - 2.0**-33, 0.25, *RANDOM.uniform(size=100).tolist()]:
            for block in (1, 4):
                value = formulas.next_week(week, u, 52, block)
                assert value == twins.next_week(week, u, 52, block)
                assert 0 <= value < 52


def diffusion_arguments(nu=None):
    k = 4
    spot = np.array([1.0, 0.92, 1.17, 0.0061])
    weight = np.array([0.0, 0.3, 0.0, -0.4])
    root = np.tril(RANDOM.normal(size=(k, k)))
    table = mixing_table(nu) if nu else np.zeros((1, 3329))
    return (
        KEYS["fx"], KEYS["fx_mixing"], 5, SCENARIO, entities("currency:EUR", "currency:USD", "currency:GBP", "x"),
        spot, np.array([1.0, 0.9, 1.0, 1.0]), RANDOM.normal(size=k) / 1000, np.array([0.0, 0.01, 0.02, 0.03]),
        weight, root, table,
    )  # fmt: skip


@pytest.mark.parametrize("nu", [None, 5.0])
def test_draw_diffusion_equals_its_twin_for_any_number_of_threads(nu):
    arguments = diffusion_arguments(nu)
    drivers = RANDOM.normal(size=(12, 2))
    expected = np.zeros((12, 4, 7))
    twins.draw_diffusion(*arguments, drivers, None, None, None, None, expected)
    for threads in (1, 2):
        set_threads(threads)
        rates = np.full((12, 4, 7), np.nan)
        kernels.draw_diffusion(*arguments, drivers, *allocate_tiles(12, 4, 6), rates)
        assert rates.tobytes() == expected.tobytes()
    set_threads(None)


def test_draw_bootstrap_equals_its_twin():
    arguments = (
        KEYS["fx"], KEYS["fx_bootstrap"], 3, SCENARIO, np.array([1.0, 0.92, 0.0061]), np.array([1.0, 1.1, 1.0]),
        np.array([0.0, 0.001, 0.0]), np.array([0.0, 0.3, 0.1]), RANDOM.normal(size=(60, 3)),
        np.array([0.0, 1e-4, 4e-4]), 0.97, 4,
    )  # fmt: skip
    drivers = RANDOM.normal(size=(8, 1))
    rates, expected = np.full((8, 3, 9), np.nan), np.zeros((8, 3, 9))
    variance, expected_variance = np.full((8, 3), np.nan), np.zeros((8, 3))
    kernels.draw_bootstrap(*arguments, drivers, variance, rates)
    twins.draw_bootstrap(*arguments, drivers, expected_variance, expected)
    assert rates.tobytes() == expected.tobytes()
    assert variance.tobytes() == expected_variance.tobytes()


def test_draw_events_equals_its_twin():
    arguments = (
        KEYS["transfer"], 2, entities("country:BR", "country:TR"), np.array([0.4, 0.7]),
        np.array([1, -1], dtype=np.int32), math.sqrt(0.2), 0.3, np.array([-1, 0, 1, -1], dtype=np.int32), 60,
    )  # fmt: skip
    drivers = RANDOM.normal(size=(40, 2))
    rates = RANDOM.lognormal(size=(40, 4, 10))
    expected = rates.copy()
    start, expected_start = np.zeros((40, 2), np.int32), np.zeros((40, 2), np.int32)
    kernels.draw_events(*arguments, drivers, rates, start)
    twins.draw_events(*arguments, drivers, expected, expected_start)
    assert start.tobytes() == expected_start.tobytes()
    assert rates.tobytes() == expected.tobytes()
    assert (start != NEVER).any()
    assert (start == NEVER).any()


def test_settle_forwards_equals_its_twin():
    notional, forward = RANDOM.lognormal(size=(2, 3, 5))
    rates = RANDOM.lognormal(size=(6, 3, 8))
    day = np.array([7, 14, 21, 30, 49], dtype=np.int32)
    cash, expected = np.empty((6, 5)), np.empty((6, 5))
    kernels.settle_forwards(notional, forward, day, rates, cash)
    twins.settle_forwards(notional, forward, day, rates, expected)
    assert cash.tobytes() == expected.tobytes()
