"""Random streams: known answers, twins, distribution, independence of everything but the key."""

import numpy as np
import pytest
from scipy.special import ndtr, ndtri

from simulator import streams
from simulator.jit import kernel, prange, row
from tests.twins import streams as twins

#: Random123 kat_vectors, philox4x32 with 10 rounds: counter, key → words.
KNOWN = [
    ((0, 0, 0, 0), (0, 0), (0x6627E8D5, 0xE169C58D, 0xBC57AC4C, 0x9B00DBD8)),
    ((0xFFFFFFFF,) * 4, (0xFFFFFFFF,) * 2, (0x408F276D, 0x41C83B0E, 0xA20BC7C6, 0x6D5451FD)),
    (
        (0x243F6A88, 0x85A308D3, 0x13198A2E, 0x03707344), (0xA4093822, 0x299F31D0),
        (0xD16CFE09, 0x94FDCCEB, 0x5001E420, 0x24126EA1),
    ),
]  # fmt: skip


@kernel
def fill(key, first_quad, entity, draw, out):
    for q in prange(out.shape[0] // 4):
        drawn = streams.words(key, first_quad + q, entity, draw)
        for lane in range(4):
            out[4 * q + lane] = drawn[lane]


@kernel
def invert(p, out):
    for i in prange(p.shape[0]):
        out[i] = streams.inverse_normal(p[i])


@kernel
def tails(x, out):
    for i in prange(x.shape[0]):
        out[i] = streams.normal_tail(x[i])


def draws(stream, entity, n, first_quad=0, draw=0, seed=7):
    out = np.empty(n, dtype=np.uint32)
    fill(streams.stream_key(seed, stream), first_quad, np.uint64(streams.entity_key(entity)), draw, out)
    return out


def as_words(values):
    return tuple(np.uint32(v) for v in values)


@pytest.mark.parametrize(("counter", "key", "expected"), KNOWN)
def test_random123_known_answers(counter, key, expected):
    assert tuple(int(w) for w in streams.philox4x32(*as_words(counter), *as_words(key))) == expected
    assert twins.philox4x32(*counter, *key) == expected


def test_philox_and_words_equal_their_twins():
    rng = np.random.default_rng(3)
    for _ in range(300):
        state = rng.integers(0, 2**32, size=6, dtype=np.uint32)
        assert tuple(map(int, streams.philox4x32(*state))) == twins.philox4x32(*state)
        entity = rng.integers(0, 2**64, dtype=np.uint64)
        quad, draw = int(rng.integers(0, 2**31)), int(rng.integers(0, 2**31))
        expected = twins.words(state[:2], quad, entity, draw)
        assert tuple(map(int, streams.words(state[:2], quad, entity, draw))) == expected


def test_uniform_and_normal_equal_their_twins():
    rng = np.random.default_rng(4)
    for word in (0, 1, 2**31 - 1, 2**31, 2**32 - 1, *rng.integers(0, 2**32, size=3000)):
        word = np.uint32(word)
        assert streams.uniform(word) == twins.uniform(word)
        assert 0.0 < streams.uniform(word) < 1.0
        assert streams.normal(word) == twins.normal(word)
        p = streams.uniform(word)
        assert streams.inverse_normal(p) == twins.inverse_normal(p)


def test_tables_equal_their_twins():
    rng = np.random.default_rng(5)
    table = rng.normal(size=(2, streams.TABLE_SIZE))
    rows = table.tolist()
    for z in (-9.0, -6.5, 6.5, 9.0, 0.0, *rng.normal(size=500)):
        assert streams.tabulated(table, 1, z) == twins.tabulated(rows, 1, z)
        assert streams.place(z) == twins.place(z)
    assert streams.tabulated(table, 0, -6.5) == table[0, 0]
    assert streams.tabulated(table, 0, 9.0) == pytest.approx(table[0, -1], abs=1e-11)
    assert (twins.TABLE_EDGE, twins.TABLE_PER_UNIT) == (streams.TABLE_EDGE, streams.TABLE_PER_UNIT)
    grid = streams.table_grid()
    assert (grid[0], grid[-1], len(grid)) == (-streams.TABLE_EDGE, streams.TABLE_EDGE, streams.TABLE_SIZE)


def test_inverse_normal_against_scipy():
    edge = 2.0**-33
    tail = np.geomspace(edge, 0.5, 200_000)
    p = np.concatenate([tail, 1.0 - tail, np.linspace(edge, 1.0 - edge, 200_001), np.geomspace(2.0**-64, edge, 1000)])
    found = np.empty_like(p)
    invert(p, found)
    assert np.abs(found - ndtri(p)).max() <= 1e-10
    assert found[0] == -found[len(tail)]
    assert np.all(np.diff(found[: len(tail)]) > -1e-10)
    assert streams.inverse_normal(0.0) == streams.inverse_normal(2.0**-64)


def test_normal_tail_against_scipy():
    x = np.linspace(-9.5, 9.5, 400_001)
    found = np.empty_like(x)
    tails(x, found)
    assert np.abs(found / ndtr(-x) - 1.0).max() <= 1e-10
    assert streams.normal_tail(12.0) == streams.normal_tail(9.5)
    for value in (-20.0, -9.5, -1.0, 0.0, 1.8911824, 8.0, *np.random.default_rng(6).normal(size=1000) * 3):
        assert streams.normal_tail(value) == twins.normal_tail(value)


@row
def draw(first_quad, n_quads, key, entity, number, pair):
    streams.draw_words(first_quad, n_quads, key, entity, number, pair)


def test_words_of_many_quads_are_the_words_of_each():
    rng = np.random.default_rng(7)
    for n_quads in (1, 3, 32):
        key = rng.integers(0, 2**32, size=2, dtype=np.uint32)
        entity = rng.integers(0, 2**64, dtype=np.uint64)
        first, number = int(rng.integers(0, 2**31)), int(rng.integers(0, 2**31))
        pair = np.zeros(2 * n_quads + 1, np.uint64)
        draw(first, n_quads, key, entity, number, pair)
        each = [twins.words(key, first + q, entity, number) for q in range(n_quads)]
        assert pair[:-1].view(np.uint32).tolist() == np.ravel(each).tolist()
        assert pair[-1] == 0


@row
def draw_one_each(count, quad, key, entity, number, position, word):
    streams.draw_each(count, quad, key, entity, number, position, word)


def test_one_word_for_each_of_many_pairs():
    rng = np.random.default_rng(8)
    key, quad, number = rng.integers(0, 2**32, size=2, dtype=np.uint32), 2**31 + 5, 1
    entity = rng.integers(0, 2**64, size=100, dtype=np.uint64)
    position = rng.integers(0, 4096, size=100).astype(np.int32)
    word = np.zeros(101, np.uint32)
    draw_one_each(100, quad, key, entity, number, position, word)
    each = [twins.words(key, quad + p // 4, e, number)[p % 4] for p, e in zip(position.tolist(), entity, strict=True)]
    assert word.tolist() == [*each, 0]


def test_a_round_keeps_noise_above():
    rng = np.random.default_rng(9)
    for state in rng.integers(0, 2**64, (100, 6), dtype=np.uint64):
        found = [int(c) for c in streams.masked_round(*state)]
        assert found == list(twins.masked_round(*state))
        low = [int(c) & (2**32 - 1) for c in state]
        clean = [c & (2**32 - 1) for c in twins.masked_round(*low)]
        assert [c & (2**32 - 1) for c in found] == clean
    assert streams.masked_round(*(np.uint64(c) for c in (1, 2, 3, 4, 5, 6)))[0] == 5


def test_uniforms_fill_the_interval():
    u = (draws("driver", "driver:global", 1_000_000).astype(np.float64) + 0.5) * 2.0**-32
    counts = np.bincount((u * 1000).astype(int), minlength=1000)
    chi_square = ((counts - 1000.0) ** 2 / 1000.0).sum()
    assert abs(chi_square - 999.0) < 4.5 * np.sqrt(2 * 999.0)
    assert abs(np.corrcoef(u[:-1], u[1:])[0, 1]) < 4.5 / np.sqrt(len(u))


def test_normals_are_standard_normal():
    p = (draws("default", "buyer:1", 400_000).astype(np.float64) + 0.5) * 2.0**-32
    z = np.empty_like(p)
    invert(p, z)
    n = len(z)
    assert abs(z.mean()) < 4.5 / np.sqrt(n)
    assert abs(z.var() - 1.0) < 4.5 * np.sqrt(2.0 / n)
    assert np.max(np.abs(ndtr(np.sort(z)) - (np.arange(n) + 0.5) / n)) < 2.2 / np.sqrt(n)


def test_a_draw_depends_on_each_part_of_its_key_and_on_nothing_else():
    base = draws("default", "buyer:1", 4096)
    others = [
        draws("driver", "buyer:1", 4096),
        draws("default", "buyer:01", 4096),
        draws("default", "buyer:1", 4096, draw=1),
        draws("default", "buyer:1", 4096, first_quad=1024),
        draws("default", "buyer:1", 4096, seed=8),
    ]
    for other in others:
        assert np.mean(base == other) < 0.001
        assert abs(np.corrcoef(base, other)[0, 1]) < 4.5 / np.sqrt(4096)
    assert np.array_equal(base, draws("default", "buyer:1", 4096))
    assert np.array_equal(base, draws("default", "buyer:1", 8192)[:4096])
    assert np.array_equal(base[1000:], draws("default", "buyer:1", 3096, first_quad=250))


def test_draws_are_distinct():
    """Over entities, scenarios and draws: as many coincidences as chance allows, no worker repeating another."""
    blocks = [draws("default", f"buyer:{i}", 1000, draw=j).astype(np.uint64) for i in range(50) for j in range(2)]
    pairs = (np.concatenate(blocks[::2]) << np.uint64(32)) | np.concatenate(blocks[1::2])
    assert len(np.unique(pairs)) == len(pairs)


def test_keys_are_stable_across_machines_and_versions():
    assert streams.stream_key(20261030, "default").tolist() == [2214647839, 2717782902]
    assert streams.entity_key("buyer:0004711") == 0xBED8829C86DA8F94
    assert streams.entity_key("buyer:0004711") != streams.entity_key("buyer:4711")
    keys = {tuple(streams.stream_key(seed, name)) for seed in (0, 1, 2**63 - 1) for name in streams.STREAMS}
    assert len(keys) == 3 * len(streams.STREAMS)
    with pytest.raises(KeyError):
        streams.stream_key(1, "weather")
