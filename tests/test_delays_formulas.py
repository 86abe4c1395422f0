"""Formulas of the delays room against their twins and their worked numbers."""

import math

import numpy as np
import pytest

from simulator.delays import formulas
from simulator.streams import normal_tail
from tests.twins import delays as twins

RANDOM = np.random.default_rng(20261030)


def test_delay_score_equals_its_twin_and_its_worked_number():
    assert formulas.delay_score(-1.0, 0.5, 1.0, 0.0, 0.3, 0.4, 0.5, 0.7) == pytest.approx(0.6)
    for arguments in RANDOM.normal(size=(200, 8)).tolist():
        assert formulas.delay_score(*arguments) == twins.delay_score(*arguments)


def test_unpaid_score_equals_its_twin_and_keeps_the_order():
    assert formulas.unpaid_score(0.0, 0.5) == pytest.approx(0.67448975, abs=1e-8)
    scores = np.sort(RANDOM.normal(size=100) * 3).tolist()
    for lower in (-40.0, -8.0, -6.5, -1.0, 0.3, 6.5):
        unpaid = normal_tail(lower)
        mapped = [formulas.unpaid_score(score, unpaid) for score in scores]
        assert mapped == [twins.unpaid_score(score, unpaid) for score in scores]
        assert np.all(np.diff(mapped) >= 0)
        assert min(mapped) >= lower - 1e-9


def test_unpaid_score_of_an_item_of_which_nothing_is_known_is_its_score():
    for score in RANDOM.normal(size=200) * 2:
        assert formulas.unpaid_score(score, 1.0) == pytest.approx(score, abs=2e-9 if abs(score) < 5 else 1e-4)


def test_invoice_score_equals_its_twin_and_rises_with_its_word():
    assert formulas.invoice_score(np.uint32(2**31), 0.3, 0.6) == pytest.approx(0.3, abs=1e-9)
    words = [0, 1, 2**31 - 1, 2**31, 2**32 - 1, *RANDOM.integers(0, 2**32, 200).tolist()]
    for shared, own in ((0.0, 1.0), (-3.0, 0.3), (2.0, 1e-6)):
        drawn = [formulas.invoice_score(np.uint32(word), shared, own) for word in sorted(words)]
        assert drawn == [twins.invoice_score(word, shared, own) for word in sorted(words)]
        assert np.all(np.diff(drawn) >= 0)


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
