"""Blocks on several threads at once: any order of blocks gives the same bytes, and every thread comes to its end."""

import math
import threading
import time
from contextlib import closing

import numpy as np
import pytest

import simulator
from benchmarks.numpy_terms import policy_study
from simulator.engine import blocks
from simulator.engine.block import memory_per_scenario, run_block
from simulator.engine.blocks import Engine, largest_block
from simulator.engine.chunk import Chunk
from simulator.engine.lanes import Lanes
from simulator.engine.model import build_model
from simulator.engine.spans import spans
from simulator.jit import set_threads, shared_by, thread_info
from simulator.losses.failure_kernels import close_ranks, share_out
from simulator.losses.sieve import Failures
from tests.studies import random_study
from tests.test_losses_sieve import random_constant_study

N = 4096 + 1500
COUNT = 1501  # a chunk's last block may be padded to four


@pytest.fixture(scope="module")
def ledger(tmp_path_factory):
    return build_model(simulator.load_study(random_study(tmp_path_factory.mktemp("lanes"), 4)))


@pytest.fixture(scope="module")
def weighted(tmp_path_factory):
    """Constant exposures with weights that differ."""
    return build_model(simulator.load_study(random_constant_study(tmp_path_factory.mktemp("weighted"), 3)))


def equal(left, right):
    assert list(left) == list(right)
    for name, values in left.items():
        assert values.shape == right[name].shape, name
        assert values.dtype == right[name].dtype, name
        assert values.tobytes() == right[name].tobytes(), name


def alone(model):
    engine = Engine(model)
    return [engine.chunk(span.first, span.count, lambda done: None) for span in spans(0, N)]


def lanes_of(threads):
    return [thread for thread in threading.enumerate() if thread.name.startswith("lane ")][:threads]


@pytest.mark.parametrize("which", ["ledger", "weighted"])
def test_blocks_may_come_in_any_order(which, request):
    model, finished = request.getfixturevalue(which), []
    whole = [run_block(model, first, 500 + 4 * (first == 1000), 500, brief=True) for first in (0, 500, 1000)]
    for order in ((0, 1, 2), (2, 1, 0), (1, 2, 0)):
        chunk = Chunk(model, 0, COUNT)
        for k in order:
            chunk.add(whole[k])
        finished.append(chunk.finish())
    assert finished[0]["tail/loss"].size
    assert "sum/cash" in finished[0] or which == "weighted"
    for other in finished[1:]:
        equal(other, finished[0])
    at_once = Chunk(model, 0, COUNT)
    at_once.add(run_block(model, 0, 1504, 500, brief=True))
    equal(at_once.finish(), finished[0])


@pytest.mark.parametrize("which", ["ledger", "weighted"])
@pytest.mark.parametrize("block", [None, 100])
def test_any_number_of_lanes_gives_the_same_bytes(which, block, request):
    """More of them than this machine has processors, too; chunks come in order, and what is told of them rises."""
    model, told = request.getfixturevalue(which), []
    wanted = spans(0, N)
    found = list(Lanes(Engine(model, block, 5), wanted).chunks(lambda span, done: told.append((span.first, done))))
    assert [span for span, _ in found] == wanted
    assert told == sorted(told)
    assert told[-1] == (4096, 1500)
    assert not lanes_of(1)
    for (_, arrays), expected in zip(found, alone(model), strict=True):
        equal(arrays, expected)


def test_lanes_end_when_nobody_wants_more(weighted):
    """They stop behind a reader who does not fetch what is finished, and when he goes away."""
    lanes = Lanes(Engine(weighted, 256, 2), spans(0, 40 * 4096))
    with closing(lanes.chunks(lambda span, done: None)) as chunks:
        next(chunks)
        for _ in range(2000):
            with lanes.state:
                if lanes.begun == 4 and lanes.current is None:
                    break
            time.sleep(0.005)
        begun = 40 - len(lanes.waiting)
        assert begun == 5, "one was fetched, and four wait: twice as many as there are lanes"
        assert len(lanes_of(2)) == 2
    assert not lanes_of(1)


def test_an_error_in_a_lane_ends_the_run(weighted, monkeypatch):
    def fail(*_, **__):
        raise MemoryError("no room")

    engine = Engine(weighted, 256, 2)
    monkeypatch.setattr(blocks, "run_block", fail)
    with pytest.raises(MemoryError, match="no room"):
        list(Lanes(engine, spans(0, N)).chunks(lambda span, done: None))
    assert not lanes_of(1)


def test_blocks_become_smaller_towards_the_end(weighted):
    engine = Engine(weighted, None, 2)
    engine.block, engine.seconds_per_scenario, left, sizes = 1024, 1.0, 6000, []
    while left > 0:
        sizes.append(engine.size(left, left))
        left -= sizes[-1]
    assert left == 0
    assert sizes == sorted(sizes, reverse=True)
    assert sizes[0] == 1024
    assert sizes[-2] == 128, "an eighth at least"
    assert all(size % 4 == 0 for size in sizes)
    engine.seconds_per_scenario = 2e-6
    assert engine.size(900, 900) == 500, "a thousandth of a second at least"
    assert Engine(weighted, 600, 2).size(4096, 4096) == Engine(weighted, 600, 2).size(700, 700) == 600


def test_a_block_whose_lists_grow_too_long_is_divided(tmp_path, monkeypatch):
    """Memory stays within what a block may take, and the bytes are the same."""
    model = build_model(simulator.load_study(policy_study(tmp_path)))
    expected = Engine(model, 2000).chunk(0, 2000, lambda done: None)
    monkeypatch.setattr(blocks, "BLOCK_BYTES", 12 * 2**20)
    sizes = []

    def noted(*arguments, **more):
        block = run_block(*arguments, **more)
        sizes.append((len(block.states.weight), block.events.buyer.shape[1]))
        return block

    monkeypatch.setattr(blocks, "run_block", noted)
    engine = Engine(model)
    assert engine.capacity == 64
    engine.block = 1500
    found = engine.chunk(0, 2000, lambda done: None)
    equal(found, expected)
    assert sum(size for size, _ in sizes) == 2000
    assert len(sizes) > 4
    assert max(capacity for _, capacity in sizes) == engine.capacity >= found["n_defaults"].max() > 64
    assert all(size * (90 * capacity) < 12 * 2**20 for size, capacity in sizes)


def test_blocks_fit_the_memory_and_the_cache(ledger, monkeypatch):
    """The rows of a thread's scenarios are in its cache; lists, and blocks of more lanes, share the memory."""
    dense, listed = memory_per_scenario(ledger, 0), memory_per_scenario(ledger, 1000)
    monkeypatch.setattr(blocks, "CACHE_BYTES", 150 * dense)
    assert largest_block(ledger, 1000, math.inf, blocks.CACHE_BYTES) == 148
    assert largest_block(ledger, 1000, 50 * listed, blocks.CACHE_BYTES) == 48
    assert largest_block(ledger, 1000, 0, 0) == 4
    monkeypatch.setattr(blocks, "BLOCK_BYTES", 300 * memory_per_scenario(ledger, 64))
    for lanes, most in ((1, 148), (2, 148), (4, 72)):
        with shared_by(1):
            engine = Engine(ledger, lanes=lanes)
        engine.block = 4096
        sizes = []
        engine.simulate(0, 400, engine.spare, lambda block, sizes=sizes: sizes.append(len(block.states.weight)))
        assert sum(sizes) == 400
        assert sizes[0] == most


def test_a_thread_may_keep_its_kernels_to_itself():
    before, seen = set_threads(None), []
    with shared_by(1):
        assert thread_info()["threads"] == 1
        with shared_by(7):
            assert thread_info()["threads"] == 7
        assert thread_info()["threads"] == 1
        other = threading.Thread(target=lambda: seen.append(thread_info()["threads"]))
        other.start()
        other.join()
    assert seen == [before]
    assert thread_info()["threads"] == before


@pytest.mark.parametrize("seed", range(5))
def test_failures_are_shared_out(seed):
    """Against plain dictionaries: sums by buyer in order of scenarios, losses of picked scenarios in order."""
    rng = np.random.default_rng(seed)
    n_tiles, room, start, size, n_buyers = 3, 60, 5, 40, 7
    listed = np.array([rng.integers(0, room + 1), 0, rng.integers(1, room + 1)])
    scenario, buyer = np.zeros((n_tiles, room), np.int32), np.zeros((n_tiles, room), np.int32)
    loss = np.round(rng.gamma(1.0, 10.0, (n_tiles, room)), 1) * (rng.random((n_tiles, room)) < 0.8)
    for t in range(n_tiles):
        # the last tile ends with padding, whose scenarios do not count
        pairs = sorted(
            {(int(rng.integers(n_buyers)), int(rng.integers(15 * t, 15 * t + 15))) for _ in range(listed[t])}
        )
        listed[t] = len(pairs)
        for k, (b, s) in enumerate(pairs):
            buyer[t, k], scenario[t, k] = b, s
    weight, picked = rng.uniform(0.5, 2.0, start + size), rng.random(start + size) < 0.3
    loss_of, weight_of, chosen = np.zeros(n_buyers), np.zeros(n_buyers), []
    for t in range(n_tiles):
        for k in range(listed[t]):
            s, b, value = int(scenario[t, k]), buyer[t, k], loss[t, k]
            if s < size and value:
                loss_of[b] += value * weight[start + s]
                weight_of[b] += weight[start + s]
                if picked[start + s]:
                    chosen.append((start + s, b, value))
    chosen.sort(key=lambda entry: entry[0])
    scenarios = np.flatnonzero(picked)
    begin = np.arange(len(scenarios)) * room
    place = np.full(start + size, len(scenarios) * room)
    place[scenarios] = begin
    found = np.zeros(n_buyers), np.zeros(n_buyers)
    of = np.empty(len(scenarios) * room + 1, np.int32), np.empty(len(scenarios) * room + 1)
    share_out(start, size, Failures(listed, scenario, buyer, loss), weight, picked, place, *found, *of)
    assert found[0].tolist() == loss_of.tolist()
    assert found[1].tolist() == weight_of.tolist()
    numbers = np.empty(len(of[0]) - 1, np.int64)
    n = close_ranks(scenarios, begin, place[scenarios], numbers, *of)
    assert list(zip(numbers[:n], of[0][:n], of[1][:n], strict=True)) == chosen
    assert chosen
