"""Repeatability on the whole road: same bytes for threads, blocks, resumption; luck stays with its buyer."""

import csv
import os
import signal
import subprocess
import sys
import time
from pathlib import Path

import numpy as np
import pytest

import simulator
from simulator.engine.block import run_block
from simulator.engine.checkpoint import Checkpoint, chunk_identity, run_identity
from simulator.engine.model import build_model
from simulator.engine.run import simulate
from simulator.jit import set_threads
from tests.studies import random_study, write_csv

N = 9_000  # two whole chunks and a part


@pytest.fixture(scope="module")
def study(tmp_path_factory):
    return random_study(tmp_path_factory.mktemp("repeat"), 4)


@pytest.fixture(scope="module")
def model(study):
    return build_model(simulator.load_study(study))


@pytest.fixture(scope="module")
def straight(model):
    return simulate(model, N, block=1000)


def same(left, right):
    """Every array of two runs, byte for byte."""
    assert left.rows.keys() == right.rows.keys()
    for name in left.rows:
        assert left.rows[name].tobytes() == right.rows[name].tobytes(), name
    assert left.sums.keys() == right.sums.keys()
    for name in left.sums:
        assert left.sums[name].tobytes() == right.sums[name].tobytes(), name
    levels = [0.01, 0.05, 0.5, 0.99]
    assert left.quantiles.quantile(levels).tobytes() == right.quantiles.quantile(levels).tobytes()
    for name in left.tail:
        assert np.concatenate(left.tail[name]).tobytes() == np.concatenate(right.tail[name]).tobytes()


@pytest.mark.parametrize("block", [64, 4096, None])
def test_block_size_has_no_influence(model, straight, block):
    same(simulate(model, N, block=block), straight)


@pytest.mark.parametrize("threads", [1, 2])
def test_threads_have_no_influence(model, straight, threads):
    before = set_threads(None)
    try:
        set_threads(threads)
        same(simulate(model, N, block=1000), straight)
    finally:
        set_threads(before)


def test_event_capacity_has_no_influence(model):
    tight, roomy = run_block(model, 0, 400, 1), run_block(model, 0, 400, 2000)
    for name in ("gross_loss", "collections", "billed"):
        assert getattr(tight.ledger, name).tobytes() == getattr(roomy.ledger, name).tobytes()
    assert tight.policy.indemnity.tobytes() == roomy.policy.indemnity.tobytes()


def test_first_scenarios_stay_when_more_are_asked_for(model, straight):
    short = simulate(model, 1000, block=400)
    for name, values in short.rows.items():
        assert values.tobytes() == straight.rows[name][:1000].tobytes(), name


def test_scenarios_are_distinct(straight):
    """No two scenarios share their randomness (a known failure of per-worker seeds)."""
    collected = straight.rows["collected"]
    assert len(np.unique(collected)) == len(collected)


def test_resumed_chunks_end_with_the_same_bytes(model, straight, tmp_path):
    seen = []

    def stop_after_first_chunk(done, total):
        seen.append(done)
        if done > 4096:
            raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        simulate(model, N, checkpoint=Checkpoint(tmp_path / "c", "x"), progress=stop_after_first_chunk)
    again = simulate(model, N, checkpoint=Checkpoint(tmp_path / "c", "x"))
    assert again.resumed == 4096
    same(again, straight)


def test_a_damaged_or_foreign_chunk_is_computed_again(model, straight, tmp_path):
    folder = tmp_path / "c"
    simulate(model, N, checkpoint=Checkpoint(folder, "x"))
    damaged = sorted(folder.glob("chunk-*.npz"))[1]
    damaged.write_bytes(damaged.read_bytes()[:1000])
    again = simulate(model, N, checkpoint=Checkpoint(folder, "x"))
    assert again.resumed == N - 4096
    same(again, straight)
    damaged.write_bytes(b"")
    assert simulate(model, N, checkpoint=Checkpoint(folder, "x")).resumed == N - 4096
    simulate(model, 100, checkpoint=Checkpoint(folder, "x"))  # the chunks of the longer run stay
    assert simulate(model, N, checkpoint=Checkpoint(folder, "x")).resumed == N
    assert simulate(model, 100, checkpoint=Checkpoint(folder, "y")).resumed == 0
    (folder / "identity.json").write_text('"y')
    assert simulate(model, 100, checkpoint=Checkpoint(folder, "y")).resumed == 0


def run_kept(path, scenarios, folder=None, **changes):
    return simulator.run(simulator.load_study(path, {"simulation.scenarios": scenarios} | changes), folder=folder)


def test_another_number_of_scenarios_takes_over_whole_chunks(study, tmp_path):
    """More scenarios, then fewer, in the folder of a run: the same bytes as at once, stresses included."""
    path = study_file(study | {"stresses": {"Worse": {"pd_multiplier": 2}}}, tmp_path)
    for n, resumed in ((5_000, 0), (9_000, 4_096), (8_300, 8_192), (6_000, 4_096)):
        found = run_kept(path, n, tmp_path / "run")
        straight = run_kept(path, n)
        for one, other in ((found, straight), (found.stresses["Worse"], straight.stresses["Worse"])):
            assert one.manifest["resumed_scenarios"] == resumed
            assert one.scenarios.sizes["scenario"] == n
            for kept in ("scenarios", "paths"):
                assert getattr(one, kept).identical(getattr(other, kept)), (n, kept)
            for name, table in one.contributions.items():
                assert table.equals(other.contributions[name]), (n, name)
        assert found.summary().equals(straight.summary())
    again = run_kept(path, 4_096, tmp_path / "run", **{"simulation.seed": 99, "stresses": {}})
    assert again.manifest["resumed_scenarios"] == 0


def test_what_chunks_and_runs_are_kept_for(study, tmp_path):
    """A chunk fits whatever the number of scenarios; the run's name tells it, and anything else tells both."""
    path = study_file(study, tmp_path)
    identities = {}
    for name, value in {
        "simulation.scenarios": 77, "simulation.stress_scenarios": 5, "simulation.seed": 99,
        "simulation.tail": "importance", "simulation.paths": "exact", "credit.recovery.mean": 0.123,
        "simulation.precision": {"measure": "expected_loss", "relative_error": 0.1}, "nothing": None,
    }.items():  # fmt: skip
        loaded = simulator.load_study(path, None if name == "nothing" else {name: value})
        identities[name] = chunk_identity(loaded, [], "source"), run_identity(loaded, [], "source")
    as_written = identities.pop("nothing")
    assert {name for name, found in identities.items() if found[0] == as_written[0]} == {
        "simulation.scenarios", "simulation.stress_scenarios", "simulation.precision",
    }  # fmt: skip
    assert as_written[1] not in {found[1] for found in identities.values()}


def write_ledger(folder, buyers, items):
    write_csv(folder / "buyers.csv", buyers)
    write_csv(folder / "open_items.csv", items)


def ledger_rows(study):
    files = study["portfolio"]["buyers"], study["portfolio"]["open_items"]
    return [list(csv.DictReader(Path(f).read_text(encoding="utf-8").splitlines())) for f in files]


def moved(study, folder):
    return study | {
        "portfolio": study["portfolio"]
        | {"buyers": str(folder / "buyers.csv"), "open_items": str(folder / "open_items.csv")}
    }


def test_a_sorted_ledger_gives_the_same_results(study, straight, tmp_path):
    buyers, items = ledger_rows(study)
    write_ledger(tmp_path, buyers[::-1], items[::-1])
    again = simulate(build_model(simulator.load_study(moved(study, tmp_path))), 4096)
    for name, values in again.rows.items():
        np.testing.assert_allclose(values, straight.rows[name][:4096], rtol=1e-12, atol=1e-6, err_msg=name)


def default_days(model, n=2000):
    """(scenario, buyer id) → (default day, invoice id) of every listed debt."""
    block = run_block(model, 0, n, 2000)
    events, buyers, invoices = block.events, model.portfolio.buyers, model.portfolio.invoices
    return {
        (s, buyers.buyer_id[events.buyer[s, j]], invoices.invoice_id[events.invoice[s, j]]): (
            int(events.default_day[s, j]), int(events.paid_day[s, j]), float(events.recovery[s, j]),
        )
        for s in range(n)
        for j in range(events.n_events[s])
    }  # fmt: skip


def test_a_buyer_more_changes_nobody_elses_luck(study, model, tmp_path):
    buyers, items = ledger_rows(study)
    new = buyers[0] | {"buyer_id": "A-new", "name": "New", "country": "PT", "sector": "shipping", "group_id": ""}
    bill = items[0] | {"buyer_id": "A-new", "invoice_id": "N-1", "currency": new["currency"]}
    write_ledger(tmp_path, [new, *buyers], [bill, *items])
    more = default_days(build_model(simulator.load_study(moved(study, tmp_path))))
    before = default_days(model)
    assert {key: value for key, value in more.items() if key[1] != "A-new"} == before
    assert any(key[1] == "A-new" for key in more)


COMMAND = [sys.executable, "-m", "simulator", "run"]
#: For runs whose page nobody reads: drawing it takes longer than the run.
NO_PAGE = {"report": {"formats": ["json"]}}


def files_of(folder):
    """Bytes of the numbers a run leaves behind."""
    names = ("scenarios.nc", "paths.nc", "summary.json", "summary.csv")
    return {name: (folder / name).read_bytes() for name in names}


def wait_for_chunk(folder, process, seconds=120):
    for _ in range(int(seconds / 0.02)):
        if any(folder.rglob("chunk-*.npz")):
            return
        assert process.poll() is None, process.communicate()
        time.sleep(0.02)
    raise AssertionError("no finished chunk in time")


def study_file(study, folder):
    from ruamel.yaml import YAML

    path = folder / "study.yaml"
    with path.open("w", encoding="utf-8") as file:
        YAML().dump(study, file)
    return path


@pytest.fixture(scope="module")
def undisturbed(study, tmp_path_factory):
    """The file of a study, and what a run leaves that nobody stops."""
    folder = tmp_path_factory.mktemp("undisturbed")
    path = study_file(study | {"simulation": {"scenarios": 40_000, "seed": 4}} | NO_PAGE, folder)
    subprocess.run([*COMMAND, str(path), "--quiet", "--out", str(folder / "run")], check=True, capture_output=True)
    return path, files_of(folder / "run")


@pytest.mark.parametrize("sign", [signal.SIGKILL, signal.SIGINT])
def test_a_killed_run_goes_on_and_ends_with_the_same_bytes(undisturbed, tmp_path, sign):
    path, expected = undisturbed
    arguments = [*COMMAND, str(path), "--quiet"]
    process = subprocess.Popen(
        [*arguments, "--out", str(tmp_path / "killed")],
        stderr=subprocess.PIPE,
        text=True,
        # a background job of a shell starts with interrupts ignored, and so would this process
        preexec_fn=lambda: signal.signal(signal.SIGINT, signal.SIG_DFL),
    )
    wait_for_chunk(tmp_path / "killed", process)
    begin = time.perf_counter()
    os.kill(process.pid, sign)
    _, errors = process.communicate(timeout=60)
    assert process.returncode == (130 if sign == signal.SIGINT else -9)
    if sign == signal.SIGINT:
        assert "finished chunks (4,096 scenarios) are kept" in errors
        assert time.perf_counter() - begin < 20  # no timing claim: only that it does not run to its end
    assert any((tmp_path / "killed").rglob("chunk-*.npz"))
    subprocess.run([*arguments, "--out", str(tmp_path / "killed")], check=True, capture_output=True)
    assert files_of(tmp_path / "killed") == expected
    assert not any((tmp_path / "killed").rglob("chunk-*.npz"))
