"""Constant exposures through the sieve: bit for bit what the exact formulas say of every buyer in every scenario."""

import math

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from scipy.special import log_ndtr, ndtri

import simulator
from simulator.defaults.formulas import default_day
from simulator.engine.model import build_model
from simulator.factors.plan import draw_states
from simulator.jit import NEVER, set_threads
from simulator.losses import exposure_kernels
from simulator.losses.rows import allocate_events, allocate_rows, allocate_scratch, event_lists
from simulator.losses.sieve import KNOTS, MARGIN, SLACK, allocate_bench, build_sieve, guess_days, tangent_at
from tests import plain_exposures
from tests.studies import write_csv
from tests.test_losses import compare_rows, constant_study
from tests.twins import losses as twin

ODD_PDS = [0.0, 1e-9, 1e-5, 0.5, 0.9, 0.999, 1.0 - 1e-9]


def random_constant_study(folder, seed):
    """Loadings of any sign on up to six drivers, shared residuals, odd PDs, both copulas, tilts, chance recoveries."""
    rng = np.random.default_rng(seed)
    n, n_drivers = int(rng.integers(1, 150)), int(rng.integers(0, 7))
    names = ["global", *(f"f{j}" for j in range(1, n_drivers))][:n_drivers]
    buyers = []
    for i in range(n):
        loading = rng.standard_normal(n_drivers) * (rng.random(n_drivers) < 0.7)
        size = float((loading**2).sum())
        share = rng.choice([0.0, 0.1, 0.4, 0.97, 1.0 - 1e-12])
        loading *= math.sqrt(share / size) if size else 0.0
        if n_drivers and i == 0:
            loading[:] = 0.0
            loading[0] = 0.6
        pd = rng.choice(ODD_PDS) if rng.random() < 0.3 else 10 ** rng.uniform(-4, -0.5)
        group = f"g{rng.integers(4)}" if rng.random() < 0.2 else ""
        buyers.append(
            {
                "buyer_id": f"b{i}", "exposure": f"{rng.uniform(1, 100):.3f}", "pd_annual": f"{pd:.12f}",
                "lgd": f"{rng.choice([0.3, 0.6, 1.0])}", "group_id": group,
            }
            | {f"loading_{name}": f"{a:.15f}" for name, a in zip(names, loading, strict=True)}
        )  # fmt: skip
    write_csv(folder / "buyers.csv", buyers)
    dependence = {"copula": "gaussian"}
    if seed % 3:
        dependence = {"copula": "student_t", "degrees_of_freedom": float(rng.choice([0.4, 1, 4, 30]))}
    if not n_drivers:
        dependence |= {"shares": {"global": 0.0, "country": 0.0, "sector": 0.0}}
    return {
        "schema": 1,
        "study": {"title": "Sieve", "as_of": "2026-10-30", "currency": "EUR",
                  "horizon": str(rng.choice(["1 weeks", "26 weeks", "1 year", "3 years"]))},
        "portfolio": {"exposure": "constant", "buyers": str(folder / "buyers.csv")},
        "credit": {"pd": {"source": "column"}, "dependence": dependence,
                   "recovery": {"sd": float(rng.choice([0.0, 0.2])), "systematic": float(rng.choice([0.0, 0.3]))}},
        "programmes": [{"name": "none", "type": "none"}],
        "simulation": {"seed": seed, "tail": "importance" if n_drivers and seed % 2 else "plain"},
    }  # fmt: skip


def both_ways(model, first, n, capacity):
    """Rows and events through the sieve and by the exact formulas alone."""
    states = draw_states(model.factor, model.seed, first, n)
    common = (first // 4, model.keys, states.drivers, states.mixing, model.factor, model.default, model.rules)
    found = []
    for sieved in (True, False):
        rows, events = allocate_rows(n, 1), allocate_events(n, capacity)
        scratch = allocate_scratch(n, 1, model.n_groups)
        if sieved:
            bench = allocate_bench(n, len(model.drivers))
            exposure_kernels.lose_exposures(*common, model.sieve, model.book, rows, events, scratch, bench)
        else:
            plain_exposures.lose_exposures(*common, model.book, rows, events, scratch)
        found.append((rows, events))
    return found


@pytest.mark.parametrize("seed", range(24))
def test_sieve_equals_the_exact_formulas(seed, tmp_path):
    model = build_model(simulator.load_study(random_constant_study(tmp_path, seed)))
    n = int(np.random.default_rng(seed).choice([4, 20, 1000, 4444]))
    sieved, plain = both_ways(model, 4 * seed, n, len(model.book.amount))
    assert plain[0].n_defaults.sum() > 0 or n < 1000
    compare_rows(sieved, plain)


def test_large_numbers_and_far_scenarios(tmp_path):
    """A million pairs each, and quads beyond 2³¹, whose counters have their highest bit set."""
    for seed in (3, 5, 7):
        model = build_model(simulator.load_study(random_constant_study(tmp_path, seed)))
        for first in (0, 4 * (2**32 - 1000)):
            compare_rows(*both_ways(model, first, 4000 if first else 8192, len(model.book.amount)))


def test_any_number_of_threads(tmp_path):
    model = build_model(simulator.load_study(constant_study(tmp_path, 40, sd=0.2)))
    before, found = set_threads(None), []
    try:
        for threads in (1, 2):
            set_threads(threads)
            found.append(both_ways(model, 0, 2000, 40)[0])
    finally:
        set_threads(before)
    compare_rows(*found)


def test_short_lists_still_count(tmp_path):
    """Who has no room in a list is counted, so that the block is run again with enough."""
    model = build_model(simulator.load_study(constant_study(tmp_path, 40)))
    (_, short), (_, whole) = both_ways(model, 0, 400, 2)[0], both_ways(model, 0, 400, 40)[1]
    assert whole.n_events.max() > 2
    assert (short.n_events == whole.n_events).all()


def test_spare_lists_are_used_again():
    spare = allocate_events(8, 5)
    spare.n_events[:] = 3
    lists = event_lists(4, 5, spare)
    assert np.shares_memory(lists.loss, spare.loss)
    assert lists.n_events.tolist() == [0] * 4
    for rows, capacity in ((4, 6), (12, 5)):
        assert not np.shares_memory(event_lists(rows, capacity, spare).loss, spare.loss)


def test_kernel_equals_its_twin(tmp_path):
    model = build_model(simulator.load_study(constant_study(tmp_path, 40, sd=0.2)))
    n = 40
    states = draw_states(model.factor, model.seed, 0, n)
    found = []
    for simulate in (exposure_kernels.lose_exposures, twin.lose_exposures):
        rows, events = allocate_rows(n, 1), allocate_events(n, 60)
        scratch, bench = allocate_scratch(n, 1, model.n_groups), allocate_bench(n, len(model.drivers))
        simulate(
            0, model.keys, states.drivers, states.mixing, model.factor, model.default, model.rules, model.sieve,
            model.book, rows, events, scratch, bench,
        )  # fmt: skip
        found.append((rows, events))
    compare_rows(*found)


def test_formulas_equal_their_twins():
    rng = np.random.default_rng(1)
    words = [0, 1, 2, 2**31, 2**32 - 1, *(int(w) for w in 2 ** rng.uniform(0, 32, 3000))]
    for word in words:
        near, expected = exposure_kernels.near_normal(np.uint32(word)), twin.near_normal(word)
        assert near == expected or (math.isnan(near) and math.isnan(expected))
        tangent = np.float32(rng.uniform(-1, 6) * 2**11.5)
        assert exposure_kernels.passes(np.uint32(word), tangent) == twin.passes(word, tangent)
    for n_quads in (1, 2, 7):
        order = [exposure_kernels.scenario_at(p, n_quads) for p in range(4 * n_quads)]
        assert order == [twin.scenario_at(p, n_quads) for p in range(4 * n_quads)]
        assert sorted(order) == list(range(4 * n_quads))
    assert [exposure_kernels.scenario_at(p, 2) for p in range(8)] == [1, 0, 5, 4, 3, 2, 7, 6]


def test_near_normals_are_near():
    words = np.unique((2.0 ** np.random.default_rng(2).uniform(0, 32, 100_000)).astype(np.uint32))
    uniform = (words + 0.5) / 2**32
    near = np.array([exposure_kernels.near_normal(w) for w in words])
    assert np.nanmax(np.abs(near - ndtri(uniform))) < 2e-7
    assert (np.isnan(near) == (np.sqrt(-np.log2(uniform)) < 0.5)).all()
    assert exposure_kernels.near_normal(np.uint32(42949672)) == pytest.approx(-2.326348, abs=1e-6)


def test_tangents_lie_below():
    """√bits is convex: a tangent anywhere is below it everywhere, so no word that fails is lost."""
    t = np.linspace(-6.0, 7.0, 4001)
    bits = np.sqrt(-log_ndtr(-t) / np.log(2.0))
    for touch in np.linspace(0.0, 5.5, 23):
        value, slope = tangent_at(np.array(touch))
        assert (value + slope * (t - touch) <= bits + 1e-12).all()
    assert tangent_at(np.array(2.0))[0] == pytest.approx(2.336, abs=1e-3)


@given(st.floats(-6.2, 2.0), st.floats(0.0, 5.5), st.integers(-3, 3))
def test_the_last_word_that_fails_passes(x, touch, steps):
    """The largest word with Φ⁻¹ at most x passes every tangent, lowered by the margin, and so do those below it."""
    value, slope = tangent_at(np.array(touch))
    tangent = np.float32((value - MARGIN + slope * (-x - touch)) * 2**11.5)
    last = math.floor(math.exp(log_ndtr(x)) * 2**32 - 0.5)
    for word in (last, max(last - abs(steps), 0), last // 2, 0):
        if word >= 0:
            assert exposure_kernels.passes(np.uint32(word), tangent)


@pytest.mark.parametrize("kind", ["smooth", "kinked", "flat", "late", "short", "none", "sure"])
def test_guessed_days_are_right_or_doubted(kind):
    """Where a parabola is further from whole days than its doubt, its day is that of all values within the slack."""
    days = np.arange(1.0, (3 if kind == "short" else 365) + 1)
    pd = {
        "smooth": -np.expm1(-0.01 * days / 365),
        "kinked": np.where(days < 100, 1e-5 * days, 1e-3 + 3e-4 * (days - 100)),
        "flat": 0.01 * np.ceil(days / 91), "late": np.where(days < 200, 0.0, 1e-4 * (days - 199)),
        "short": 1e-4 * days, "none": 0.0 * days, "sure": 0.0 * days + 1.0,
    }[kind]  # fmt: skip
    threshold = np.maximum.accumulate(ndtri(pd))[None, :]
    (last, low, scale), table = guess_days(threshold)[0][0], guess_days(threshold)[1][0]
    assert last == threshold[0, -1]
    if kind in ("none", "sure"):
        assert np.isnan(scale)
        return
    values = low + np.random.default_rng(3).random(20_000) * (last - low)
    decided = 0
    for value in values:
        position = (value - low) * scale
        if not 0.0 <= position < KNOTS:
            continue
        day, slope, bend, doubt = (float(c) for c in table[int(position)])
        part = position - int(position)
        when = day + part * (slope + part * bend)
        if doubt < when - math.floor(when) < 1.0 - doubt:
            decided += 1
            for within in (value - SLACK, value, value + SLACK):
                assert default_day(threshold, 0, within) == math.floor(when) + 2
    assert decided > 0.9 * len(values) or kind in ("flat", "short", "kinked", "late")


def test_nothing_is_looked_at_where_nothing_can_fail(tmp_path):
    model = build_model(simulator.load_study(constant_study(tmp_path, 5)))
    for buyer, threshold in ((0, -np.inf), (1, np.inf), (3, -np.inf)):
        model.default.threshold[model.default.curve[buyer]] = threshold
    sieve = build_sieve(model.factor, model.default, model.rules)
    assert np.isposinf(sieve.level).tolist() == [True, False, False, True, False]
    assert np.isneginf(sieve.level).tolist() == [False, True, False, False, False], "PD 1: all fail, all are looked at"
    rows, events = both_ways(model, 0, 400, 5)[0]
    assert (rows.n_defaults >= 1).all()
    assert NEVER not in events.default_day[np.arange(5) < events.n_events[:, None]]
