"""The policy room on simulated ledgers: what full cover pays is what was lost."""

import numpy as np
import pytest

import simulator
from simulator.engine.block import run_block
from simulator.engine.model import build_model
from simulator.jit import NEVER
from tests.studies import random_study

FULL = {
    "type": "whole_turnover",
    "insured_percentage": 1.0,
    "limits": "unlimited",
    "waiting_period": "120 days",
    "settlement": "30 days",
}


def simulate(folder, seed, n=256, sales="run_off", stop=None, **changes):
    """A ledger without disputes or moving rates, under the programmes given; in run-off by default."""
    study = random_study(
        folder, seed, fx={"model": "none", "hedge": {}}, transfer={"annual_probability": {}}, **changes
    )
    study["portfolio"]["sales"] = {"mode": sales}
    study["payment"]["protracted_default"] = {"after": "120 days", "cure_probability": 0.3}
    if stop is not None:
        study["study"] |= {"horizon": "52 weeks", "period": "week"}
        study["payment"]["stop_shipment_after"] = stop
    items = folder / "open_items.csv"
    items.write_text(items.read_text(encoding="utf-8").replace(",yes", ",no"), encoding="utf-8")
    model = build_model(simulator.load_study(study))
    return model, run_block(model, 0, n, 512)


@pytest.mark.parametrize("seed", [1, 2, 3])
def test_full_cover_of_a_run_off_ledger_leaves_no_loss(tmp_path, seed):
    """Every debt is shipped before its date of loss, so cover without terms pays exactly the gross loss.

    No open item is overdue for 180 days: none is a known loss.
    """
    full = FULL | {"waiting_period": "180 days"}
    _, block = simulate(tmp_path, seed, programmes=[{"name": "Full", **full}])
    assert (block.ledger.gross_loss > 0).any()
    np.testing.assert_allclose(block.policy.indemnity[:, 0], block.ledger.gross_loss, rtol=1e-9, atol=1e-4)


@pytest.mark.parametrize("seed", [1, 2, 3, 6])
def test_no_lost_debt_is_invisible(tmp_path, seed):
    """Debt in the waterfall = all debts lost + what was claimed and paid later, whatever ships after a date of loss,
    less what is recovered before the indemnity."""
    from_now = FULL | {"covers_open_items": False}
    programmes = [{"name": "Full", **FULL}, {"name": "New shipments", **from_now}]
    model, block = simulate(tmp_path, seed, programmes=programmes, sales="steady_state")
    events, book, policy = block.events, model.book, model.policy
    unclaimed = 0.0
    for s in range(len(events.n_events)):
        e = np.arange(events.n_events[s])
        i, paid, lost = events.invoice[s, e], events.paid_day[s, e], events.loss_day[s, e]
        for p in range(2):
            covered = policy.eligible[p, i]
            clock = np.where(
                covered & events.protracted[s, e], book.due_day[i] + policy.cover["expiry_days"][p, 0, 0], NEVER
            )
            settled = 30
            clock = np.where(paid > clock + settled, clock, NEVER)
            first = np.minimum(events.default_day[s, e], clock)
            date = np.array([int(first[events.buyer[s, e] == buyer].min()) for buyer in events.buyer[s, e]])
            claimed = (book.issue_day[i] <= date) & (date + settled < paid)
            # what is not due on the date of loss only if it stays unpaid for as long
            due, waiting = book.due_day[i], policy.cover["expiry_days"][p, 0, 0]
            claimed &= (due <= date) | (due + waiting + settled < paid)
            shown = claimed | (lost != NEVER)
            back = claimed & (events.receipt_day[s, e] <= date + settled)  # recovered before the indemnity
            debt = book.book_value[i] * (1.0 - back * events.recovery[s, e])
            np.testing.assert_allclose(block.policy.gap[s, p, 0], debt[shown].sum(), rtol=1e-9)
            unclaimed += book.book_value[i][~claimed & (lost != NEVER)].sum()
    assert unclaimed > 0


@pytest.mark.parametrize(("stop", "off"), [("52 weeks", 1e-9), ("60 days", 0.03)])
def test_turnover_of_half_a_year_is_what_was_shipped_in_it(tmp_path, stop, off):
    """What is withheld in the policy's 26 weeks is known by period from the ledger. Exact where only failed buyers are
    supplied no more; within some percent of sales where buyers are stopped again and again (a half of all sales here).
    """
    policy = {
        "name": "Half", **FULL, "period": "26 weeks", "premium": {"rate_on_turnover": 1.0},
        "insured_percentage": {"protracted_default": 0, "transfer": 0, "contract_frustration": 0},
    }  # fmt: skip
    model, block = simulate(tmp_path, 7, programmes=[policy], sales="steady_state", stop=stop)
    book, weeks = model.book, 26
    planned = book.book_value[~book.open_item & (book.issue_day <= weeks * 7)].sum()
    withheld = block.ledger.stopped[:, :weeks].sum(axis=1)
    assert (withheld > 0.01 * planned).any()
    declared = block.policy.premium[:, 0]
    assert np.abs(declared - (planned - withheld)).mean() < off * planned
    assert (declared - (planned - withheld)).mean() == pytest.approx(0, abs=0.4 * off * planned)


def test_no_cover_is_self_insurance_to_the_byte(tmp_path):
    """0 % at no price leaves the uninsured cash path untouched."""
    none = {"name": "None", "type": "none"}
    zero = {"name": "Zero", **FULL, "insured_percentage": 0.0}
    _, block = simulate(tmp_path, 4, programmes=[none, zero])
    assert not block.policy.indemnity.any()
    for values in block.cash:
        assert values[:, 0].tobytes() == values[:, 1].tobytes()


def test_a_longer_wait_or_settlement_pays_later(tmp_path):
    """Indemnity in the horizon falls, ultimate indemnity on insolvencies alone does not change."""
    slow = FULL | {"settlement": "150 days"}
    _, block = simulate(tmp_path, 5, programmes=[{"name": "Fast", **FULL}, {"name": "Slow", **slow}])
    # a debt paid between the two settlements is claimed under one and not under the other: nothing in the end
    np.testing.assert_allclose(block.policy.indemnity[:, 0], block.policy.indemnity[:, 1], rtol=1e-9, atol=1e-6)
    arrived = np.cumsum(block.policy.claim_cash, axis=2).sum(axis=(0, 2))
    assert arrived[1] < arrived[0]
