"""Formulas of the delays room against their twins and their worked numbers."""

import math

import numpy as np
import pytest
from scipy.special import ndtr, ndtri

from simulator.delays import formulas, near_formulas
from simulator.jit import row
from simulator.streams import normal_tail
from tests.twins import delays as twins

RANDOM = np.random.default_rng(20261030)


@row
def invert(words, out):
    for i in range(len(words)):
        out[i] = near_formulas.near_normal(words[i])


@row
def tails(x, out):
    for i in range(len(x)):
        out[i] = near_formulas.near_tail(x[i])


@row
def carry(score, unpaid, paid, out):
    for i in range(len(score)):
        out[i] = formulas.unpaid_score(score[i], unpaid, paid)


def test_delay_score_equals_its_twin_and_its_worked_number():
    assert formulas.delay_score(-1.0, 0.5, 1.0, 0.0, 0.3, 0.4, 0.5, 0.7) == pytest.approx(0.6)
    for arguments in RANDOM.normal(size=(200, 8)).tolist():
        assert formulas.delay_score(*arguments) == twins.delay_score(*arguments)


def single(*numbers):
    return [np.float32(x) for x in numbers]


def test_near_normals_against_scipy():
    """The bounds that are promised, on a dense grid, in both tails to the last word, and around the middle."""
    few = np.arange(300_000)
    words = np.unique(np.concatenate([few, 2**32 - 1 - few, 2**31 - 150_000 + few, np.arange(0, 2**32, 2003)]))
    found = np.empty(len(words), np.float32)
    invert(words.astype(np.uint32), found)
    count = np.minimum(words, 2**32 - 1 - words)
    exact = np.where(words < 2**31, 1.0, -1.0) * ndtri((count + 0.5) / 2**32)
    error = np.abs(found - exact)
    assert error.max() <= 2e-6
    assert error[np.abs(exact) < 3].max() <= 1.1e-6
    assert np.all(np.diff(found) > -1.5e-6)
    mirrored = np.empty_like(found)
    invert((2**32 - 1 - words).astype(np.uint32), mirrored)
    assert np.array_equal(found, -mirrored), "both tails alike"


def test_near_normals_and_tails_equal_their_twins():
    assert near_formulas.near_normal(np.uint32(4187593114)) == pytest.approx(1.959964, abs=1e-6)
    assert near_formulas.near_normal(np.uint32(2**31)) == 0.0
    for word in (0, 1, 2**31 - 1, 2**31, 2**32 - 1, *RANDOM.integers(0, 2**32, size=2000)):
        assert near_formulas.near_normal(np.uint32(word)) == twins.near_normal(word)
    tail = single(0.5, 0.25, 0.025, 1e-9, 1e-20, *(0.5 * RANDOM.uniform(size=500) ** 4))
    assert [near_formulas.near_quantile(p) for p in tail] == [twins.near_quantile(p) for p in tail]
    for x in single(0.0, -1.8911824, 6.5, 9.0, 20.0, *RANDOM.normal(size=500) * 3):
        assert near_formulas.near_tail(x) == twins.near_tail(x)
        assert near_formulas.near_place(x) == twins.near_place(x)
    assert near_formulas.near_place(np.float32(1)) == 256
    assert near_formulas.near_tail(np.float32(-1.8911824)) == pytest.approx(0.0293, abs=1e-7)


def test_near_tail_against_scipy():
    x = np.linspace(0, 6.5, 100_001).astype(np.float32)
    found = np.empty_like(x)
    tails(x, found)
    error = np.abs(found / ndtr(-x.astype(np.float64)) - 1)
    assert error.max() <= 7e-6
    assert error[x < 4].max() <= 1e-6


def test_unpaid_score_equals_its_twin_and_keeps_the_order():
    assert formulas.unpaid_score(*single(0.0, 0.5, 0.5)) == pytest.approx(0.67448975, abs=1e-6)
    scores = single(*np.sort(RANDOM.normal(size=100) * 3))
    for lower in (-40.0, -8.0, -6.5, -1.0, 0.3, 6.5):
        unpaid, paid = single(normal_tail(lower), normal_tail(-lower))
        mapped = [formulas.unpaid_score(score, unpaid, paid) for score in scores]
        assert mapped == [twins.unpaid_score(score, unpaid, paid) for score in scores]
        assert np.all(np.diff(mapped) >= 0)
        assert min(mapped) >= lower - 2e-6


def test_unpaid_score_is_exact_enough():
    """Against the formula in 64 bits, from either side: 2.5e-6 wherever the table of delays reaches."""
    y = np.linspace(-6.4, 6.4, 20_001).astype(np.float32)
    found, exact = np.empty_like(y), y.astype(np.float64)
    for lower in (-8.0, -6.4, -3.0, -1.0, 0.0, 0.5, 2.0, 4.0):
        unpaid, paid = ndtr(-lower), ndtr(lower)
        carry(y, np.float32(unpaid), np.float32(paid), found)
        above, below = ndtr(-exact) * unpaid, paid + unpaid * ndtr(exact)
        true = np.where(above < below, -ndtri(above), ndtri(below))
        assert np.abs(found - true)[np.abs(true) < 6.5].max() < 2.5e-6


def test_unpaid_score_of_an_item_of_which_nothing_is_known_is_its_score():
    for score in single(*RANDOM.normal(size=200) * 2):
        assert formulas.unpaid_score(score, *single(1, 0)) == pytest.approx(score, abs=3e-6)


def test_invoice_score_equals_its_twin_and_rises_with_its_word():
    assert formulas.invoice_score(np.uint32(2**31), *single(0.3, 0.6)) == np.float32(0.3)
    words = [0, 1, 2**31 - 1, 2**31, 2**32 - 1, *RANDOM.integers(0, 2**32, 200).tolist()]
    for weights in (single(0.0, 1.0), single(-3.0, 0.3), single(2.0, 1e-6)):
        drawn = [formulas.invoice_score(np.uint32(word), *weights) for word in sorted(words)]
        assert drawn == [twins.invoice_score(word, *weights) for word in sorted(words)]
        assert np.all(np.diff(drawn) >= 0)


def test_delay_on_a_line_of_the_table_equals_its_twin():
    assert formulas.delay_at(*single(10, 4, 0.25, 2, 3)) == 35
    for numbers in RANDOM.normal(size=(200, 5)) * 30:
        assert formulas.delay_at(*single(*numbers)) == twins.delay_at(*single(*numbers))


def test_payment_day_equals_its_twin():
    assert formulas.payment_day(30, 0, 12.5, 0) == 43
    assert formulas.payment_day(30, 0, -40.0, 0) == 0
    assert formulas.payment_day(-20, -50, 3.0, 1) == 1
    assert formulas.payment_day(30, 0, math.inf, 0) == 1_000_030
    for _ in range(300):
        due, issue, first = RANDOM.integers(-400, 400, 3).tolist()
        delay = RANDOM.standard_cauchy() * 10
        for days in (np.float64(delay), np.float32(delay)):
            assert formulas.payment_day(due, issue, days, first) == twins.payment_day(due, issue, days, first)


def test_payment_day_rounds_half_up():
    for delay, day in ((-1.5, -1), (-0.51, -1), (-0.5, 0), (0.0, 0), (0.49, 0), (0.5, 1), (1.5, 2)):
        assert formulas.payment_day(0, -100, delay, -100) == day


def test_next_run_equals_its_twin_also_outside_the_table():
    table = np.array([[-2, -1, 0, 1, 2, 3, 4], [-1, -1, 3, 3, 3, 3, 8]], dtype=np.int32)
    assert formulas.next_run(table, 1, 2, 1) == 3
    for rule in (0, 1):
        for day in range(-6, 12):
            run = formulas.next_run(table, rule, 2, day)
            assert formulas.run_place(2, 6, day) == twins.run_place(2, 6, day)
            assert run == twins.next_run(table, rule, 2, day)
            assert run >= day
