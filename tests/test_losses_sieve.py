"""Constant exposures through the sieve: bit for bit what the exact formulas say of every buyer in every scenario."""

import math

import numpy as np
import pytest
from scipy.special import ndtr, ndtri

import simulator
from benchmarks.numpy_exposures import one_factor_study
from simulator.defaults.formulas import default_day
from simulator.engine.model import build_model
from simulator.factors.plan import draw_states
from simulator.jit import NEVER, row, set_threads
from simulator.losses import exposure_kernels, mark_kernels
from simulator.losses.rows import allocate_events, allocate_rows, allocate_scratch, constant_events, event_lists
from simulator.losses.sieve import (
    TOUCH,
    Failures,
    allocate_bench,
    allocate_failures,
    build_sieve,
    guess_days,
    line_at,
)
from tests import plain_exposures
from tests.studies import write_csv
from tests.test_losses import compare_rows, constant_study
from tests.twins import losses as twin
from tests.twins.losses_exposures import lose_exposures

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
    """Rows, events and failures through the sieve and by the exact formulas alone."""
    states = draw_states(model.factor, model.seed, first, n)
    common = (first // 4, model.keys, states.drivers, states.mixing, model.factor, model.default, model.rules)
    found = []
    for sieved in (True, False):
        rows = allocate_rows(n, 1)
        events = constant_events(n, capacity, None) if sieved else allocate_events(n, capacity)
        scratch, bench = allocate_scratch(n, 1, model.n_groups), allocate_bench(n, len(model.drivers))
        failures = allocate_failures(bench, capacity)
        if sieved:
            exposure_kernels.lose_exposures(*common, model.sieve, model.book, rows, events, scratch, failures, bench)
        else:
            failures = Failures(failures.listed[:1], *(values.reshape(1, -1) for values in failures[1:]))
            plain_exposures.lose_exposures(*common, model.book, rows, events, scratch, failures)
        found.append((rows, events, failures))
    return found


def compare(found, expected):
    """Rows and events bit by bit, and failures in order of scenarios and buyers."""
    compare_rows(found[:2], expected[:2])
    lists = []
    for failures in (found[2], expected[2]):
        parts = [[values[t, :count] for t, count in enumerate(failures.listed)] for values in failures[1:]]
        scenario, buyer, loss = (np.concatenate(part) for part in parts)
        order = np.lexsort((buyer, scenario))
        lists.append((scenario[order], buyer[order], loss[order]))
    for left, right in zip(*lists, strict=True):
        assert left.tobytes() == right.tobytes()


@pytest.mark.parametrize("seed", range(24))
def test_sieve_equals_the_exact_formulas(seed, tmp_path):
    model = build_model(simulator.load_study(random_constant_study(tmp_path, seed)))
    n = int(np.random.default_rng(seed).choice([4, 20, 1000, 4444]))
    sieved, plain = both_ways(model, 4 * seed, n, len(model.book.amount))
    assert plain[0].n_defaults.sum() > 0 or n < 1000
    compare(sieved, plain)


def test_large_numbers_and_far_scenarios(tmp_path):
    """A million pairs each, and quads beyond 2³¹, whose counters have their highest bit set."""
    for seed in (3, 5, 7):
        model = build_model(simulator.load_study(random_constant_study(tmp_path, seed)))
        for first in (0, 4 * (2**32 - 1000)):
            compare(*both_ways(model, first, 4000 if first else 8192, len(model.book.amount)))


def test_any_number_of_threads(tmp_path):
    model = build_model(simulator.load_study(constant_study(tmp_path, 40, sd=0.2)))
    before, found = set_threads(None), []
    try:
        for threads in (1, 2):
            set_threads(threads)
            found.append(both_ways(model, 0, 2000, 40)[0])
    finally:
        set_threads(before)
    compare(*found)


def test_short_lists_still_count(tmp_path):
    """Who has no room in a list is counted, so that the block is run again with enough."""
    model = build_model(simulator.load_study(constant_study(tmp_path, 40)))
    (_, short, few), (_, whole, all_failed) = both_ways(model, 0, 400, 1)[0], both_ways(model, 0, 400, 40)[1]
    assert whole.n_events.max() > 1
    assert (short.n_events == whole.n_events).all()
    assert few.loss.size < few.listed.sum() == all_failed.listed.sum()


def test_constant_lists_are_used_again():
    """What is the same for all failures is filled in once and stays."""
    spare = constant_events(8, 5, None)
    spare.n_events[:] = 3
    lists = constant_events(4, 5, spare)
    assert np.shares_memory(lists.loss, spare.loss)
    assert np.shares_memory(lists.loss_day, lists.default_day)
    assert lists.n_events.tolist() == [0] * 4
    assert (lists.share == 1.0).all()
    assert (lists.paid_day == NEVER).all()
    assert constant_events(9, 5, spare).share.shape == (9, 5)


def test_spare_lists_are_used_again():
    spare = allocate_events(8, 5)
    spare.n_events[:] = 3
    lists = event_lists(4, 5, spare)
    assert np.shares_memory(lists.loss, spare.loss)
    assert lists.n_events.tolist() == [0] * 4
    for rows, capacity in ((4, 6), (12, 5)):
        assert not np.shares_memory(event_lists(rows, capacity, spare).loss, spare.loss)


@pytest.mark.parametrize("listed", [True, False])
def test_kernel_equals_its_twin(listed, tmp_path):
    model = build_model(simulator.load_study(constant_study(tmp_path, 40, sd=0.2)))
    n, first = 40, 28
    states = draw_states(model.factor, model.seed, first, n)
    found = []
    for simulate in (exposure_kernels.lose_exposures, lose_exposures):
        rows, events = allocate_rows(n, 1), constant_events(n, 60, None)
        scratch, bench = allocate_scratch(n, 1, model.n_groups), allocate_bench(n, len(model.drivers))
        failures = allocate_failures(bench, 60)
        simulate(
            first // 4, model.keys, states.drivers, states.mixing, model.factor, model.default, model.rules,
            model.sieve, model.book, rows, events if listed else None, scratch, failures, bench,
        )  # fmt: skip
        found.append((rows, events, failures))
    assert bool(found[0][1].n_events.any()) == listed
    assert found[0][0].n_defaults.sum() == found[0][2].listed.sum() > 10
    compare(*found)


def test_formulas_equal_their_twins():
    rng = np.random.default_rng(1)
    for byte, word in rng.integers(0, (256, 2**32), (2000, 2)):
        assert exposure_kernels.fine_uniform(np.uint8(byte), np.uint32(word)) == twin.fine_uniform(byte, word)
    for a, b in rng.integers(-32768, 32768, (2000, 2)):
        assert mark_kernels.scaled(np.int16(a), np.int16(b)) == twin.scaled(a, b)
    for line in rng.integers(-32768, 32768, 2000):
        power = int(rng.integers(0, 13))
        asked = [np.int16(v) for v in (line, 1 << power, 16384 >> power, 0, 1)]
        assert mark_kernels.byte_bound(*asked) == twin.byte_bound(*asked)
    half = [np.int16(v) for v in (1024, 2048, 8, 0, 1)]
    assert mark_kernels.byte_bound(*half) == 16
    assert exposure_kernels.fine_uniform(0, 0) == 2.0**-41
    assert exposure_kernels.fine_uniform(255, 2**32 - 1) == 1.0 - 2.0**-41


def test_the_line_lies_above():
    """Wherever more than byte 0 can fail, and until every byte passes; elsewhere it tells nothing."""
    constant, slope = line_at(TOUCH)
    x = np.linspace(ndtri(1 / 256), 8.0, 400_001)
    assert (constant + slope * x >= ndtr(x) ** 0.25 - 1e-12).all()
    assert line_at(-1.0) == pytest.approx((0.87176, 0.24064), abs=1e-5)


@row
def bounds(line, most, gain, steps, bound):
    for p in range(len(line)):
        bound[p] = mark_kernels.byte_bound(line[p], most, gain, steps[0], steps[1])


def test_bounds_are_never_too_low():
    """For every line that a 16-bit number holds, at every scale; and hardly more than a byte too high."""
    line = np.arange(-32768, 32768).astype(np.int16)
    for power in range(13):
        bound = np.zeros(len(line), np.int16)
        bounds(line, np.int16(1 << power), np.int16(16384 >> power), np.array([0, 1], np.int16), bound)
        exact = np.minimum(256.0 * np.maximum(line / 2.0**power, 0.0) ** 4, 255.0)
        assert (bound >= np.floor(exact)).all()
        assert (bound <= 1.003 * exact + 1.0).all()


@row
def marked(first, n, b, mixed, drivers, mixing, factor, sieve, driver, largest, steps, line, byte, mark):
    mark_kernels.prepare_tile(first, n, drivers, mixing, driver, largest)
    mark_kernels.mark_buyer(n, b, mixed, factor, sieve, driver, largest, steps, line, byte, mark)


@pytest.mark.parametrize("seed", range(12))
def test_bytes_of_failures_pass(seed, tmp_path):
    """The largest byte with which a buyer can fail passes in every scenario, and so do lower ones; few others do."""
    model = build_model(simulator.load_study(random_constant_study(tmp_path, seed)))
    n, factor, sieve = 512, model.factor, model.sieve
    states, bench = draw_states(factor, model.seed, 0, n), allocate_bench(n, len(model.drivers))
    mixed, width = bool((states.mixing != 1.0).any()), bench.line.shape[1]
    for b in np.flatnonzero(np.isfinite(sieve.level)):
        part = slice(factor.loading_start[b], factor.loading_start[b + 1])
        common = states.drivers[:, factor.loading_driver[part]] @ factor.loading[part]
        x = (sieve.last[b] / states.mixing - common) / np.sqrt(1.0 - factor.systematic_share[b])
        last = np.minimum(np.floor(256.0 * ndtr(x)), 255).astype(np.uint8)
        for byte in (last, last // 2, np.zeros(n, np.uint8)):
            mark = np.zeros(n, np.uint8)
            for first in range(0, n, width):
                part = slice(first, min(first + width, n))
                marked(
                    first, part.stop - first, b, mixed, states.drivers, states.mixing, factor, sieve, bench.driver[0],
                    bench.largest[0], bench.steps, bench.line[0], byte[part], mark[part],
                )  # fmt: skip
            assert mark.all()


def test_few_others_pass(tmp_path):
    """Of the pairs that do not fail, less than one in 200 is looked at, on top of byte 0."""
    model = build_model(simulator.load_study(one_factor_study(tmp_path, 100)))
    n, factor = 2048, model.factor
    states, bench = draw_states(factor, model.seed, 0, n), allocate_bench(n, 1)
    byte = np.random.default_rng(5).integers(0, 256, n).astype(np.uint8)
    passed, failed = 0, 0.0
    for b in range(100):
        mark = np.zeros(n, np.uint8)
        marked(
            0, n, b, False, states.drivers, states.mixing, factor, model.sieve, bench.driver[0], bench.largest[0],
            bench.steps, bench.line[0], byte, mark,
        )  # fmt: skip
        passed += mark.sum()
        failed += ndtr((model.sieve.last[b] - np.sqrt(0.2) * states.drivers[:, 0]) / np.sqrt(0.8)).sum()
    assert failed < passed < failed + 100 * n * (1 / 256 + 1 / 200)


@row
def day_guessed(value, b, threshold, curve, sieve):
    return exposure_kernels.guessed_day(value, b, threshold, curve, sieve)


@pytest.mark.parametrize("kind", ["smooth", "kinked", "flat", "late", "short", "none", "sure"])
def test_guessed_days_are_the_days(kind, tmp_path):
    days = np.arange(1.0, (3 if kind == "short" else 365) + 1)
    pd = {
        "smooth": -np.expm1(-0.01 * days / 365),
        "kinked": np.where(days < 100, 1e-5 * days, 1e-3 + 3e-4 * (days - 100)),
        "flat": 0.01 * np.ceil(days / 91), "late": np.where(days < 200, 0.0, 1e-4 * (days - 199)),
        "short": 1e-4 * days, "none": 0.0 * days, "sure": 0.0 * days + 1.0,
    }[kind]  # fmt: skip
    threshold = np.maximum.accumulate(ndtri(pd))[None, :]
    places, table = guess_days(threshold)
    sieve = build_model(simulator.load_study(constant_study(tmp_path, 2))).sieve._replace(range=places, day=table)
    low, last = threshold[0][np.isfinite(threshold[0])][[0, -1]] if kind not in ("none", "sure") else (-3.0, 3.0)
    values = np.concatenate([np.random.default_rng(3).uniform(low - 1.0, last, 5000), threshold[0], [-1e300]])
    near = 0
    for value in values[values <= threshold[0, -1]]:
        if np.isinf(value):
            continue  # a latent variable is finite
        day = day_guessed(value, 0, threshold, np.zeros(1, np.int32), sieve)
        assert day == default_day(threshold, 0, value)
        knot, part = divmod(min(max((value - places[0, 0]) * places[0, 1], 0.0), len(table[0]) - 1e-6), 1.0)
        guess, slope, bend = (float(c) for c in table[0, int(knot)])
        near += abs(guess + part * (slope + part * bend) - (day - 1)) <= 1.5
    assert near > 0.9 * len(values) or kind in ("flat", "late", "kinked", "none")


def test_nothing_is_looked_at_where_nothing_can_fail(tmp_path):
    model = build_model(simulator.load_study(constant_study(tmp_path, 5)))
    for buyer, threshold in ((0, -np.inf), (1, np.inf), (3, -np.inf)):
        model.default.threshold[model.default.curve[buyer]] = threshold
    sieve = build_sieve(model.factor, model.default, model.rules)
    assert np.isneginf(sieve.level).tolist() == [True, False, False, True, False]
    assert np.isposinf(sieve.level).tolist() == [False, True, False, False, False], "PD 1: all fail, all are looked at"
    rows, events, _ = both_ways(model, 0, 400, 5)[0]
    assert (rows.n_defaults >= 1).all()
    assert NEVER not in events.default_day[np.arange(5) < events.n_events[:, None]]
