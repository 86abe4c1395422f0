"""Formulas of the delays room against their twins and their worked numbers."""

import math

import numpy as np
import pytest

from simulator.delays import formulas
from tests.twins import delays as twins

RANDOM = np.random.default_rng(20261030)


def test_delay_score_equals_its_twin_and_its_worked_number():
    assert formulas.delay_score(-1.0, 0.5, 1.0, 0.0, 0.3, 0.4, 0.5, 0.7) == pytest.approx(0.6)
    for arguments in RANDOM.normal(size=(200, 8)).tolist():
        assert formulas.delay_score(*arguments) == twins.delay_score(*arguments)


def test_unpaid_score_equals_its_twin_and_keeps_the_order():
    assert formulas.unpaid_score(0.0, 0.0) == pytest.approx(0.67448975, abs=1e-8)
    scores = np.sort(RANDOM.normal(size=100) * 3).tolist()
    for lower in (-math.inf, -40.0, -8.0, -6.5, -1.0, 0.3, 6.5):
        mapped = [formulas.unpaid_score(score, lower) for score in scores]
        assert mapped == [twins.unpaid_score(score, lower) for score in scores]
        assert np.all(np.diff(mapped) >= 0)
        assert min(mapped) >= lower - 1e-9


def test_own_noise_equals_its_twin_in_every_branch():
    assert formulas.own_noise(np.uint32(2**31), 0.0, 0.0, 1.0) == pytest.approx(0.67448975, abs=1e-8)
    words = [0, 1, 2**31, 2**32 - 1, *RANDOM.integers(0, 2**32, 60).tolist()]
    for word in words:
        for lower in (-math.inf, -6.5, -1.0, 0.3, 6.5):
            for shared in (-8.0, -0.4, 2.0, 7.0):
                for own in (0.0, 0.05, 0.6, 1.0):
                    value = formulas.own_noise(np.uint32(word), lower, shared, own)
                    assert value == twins.own_noise(word, lower, shared, own)
                    assert math.isfinite(value)


def test_own_noise_of_an_open_item_stays_above_its_cut():
    for word in RANDOM.integers(0, 2**32, 300).tolist():
        for lower, shared, own in ((0.5, -0.3, 0.7), (6.5, -3.0, 0.3), (6.5, -6.5, 0.2), (-2.0, 1.0, 0.9)):
            eta = formulas.own_noise(np.uint32(word), lower, shared, own)
            assert eta >= (lower - shared) / own - 1e-9


def test_own_noise_rises_with_its_word_free_or_cut_off():
    words = np.linspace(0, 2**32 - 1, 50).astype(np.uint32)
    for lower in (-math.inf, -1.0, 1.0, 6.5):
        drawn = [formulas.own_noise(word, lower, 0.0, 1.0) for word in words]
        assert np.all(np.diff(drawn) > 0)


def test_payment_day_equals_its_twin():
    assert formulas.payment_day(30, 0, 12.5, 0) == 43
    assert formulas.payment_day(30, 0, -40.0, 0) == 0
    assert formulas.payment_day(-20, -50, 3.0, 1) == 1
    assert formulas.payment_day(30, 0, math.inf, 0) == 1_000_030
    for _ in range(300):
        due, issue, first = RANDOM.integers(-400, 400, 3).tolist()
        delay = float(RANDOM.standard_cauchy() * 10)
        assert formulas.payment_day(due, issue, delay, first) == twins.payment_day(due, issue, delay, first)


def test_payment_day_rounds_half_up():
    for delay, day in ((-1.5, -1), (-0.51, -1), (-0.5, 0), (0.0, 0), (0.49, 0), (0.5, 1), (1.5, 2)):
        assert formulas.payment_day(0, -100, delay, -100) == day


def test_next_run_equals_its_twin_also_outside_the_table():
    table = np.array([[-2, -1, 0, 1, 2, 3, 4], [-1, -1, 3, 3, 3, 3, 8]], dtype=np.int32)
    assert formulas.next_run(table, 1, 2, 1) == 3
    for rule in (0, 1):
        for day in range(-6, 12):
            run = formulas.next_run(table, rule, 2, day)
            assert run == twins.next_run(table, rule, 2, day)
            assert run >= day
