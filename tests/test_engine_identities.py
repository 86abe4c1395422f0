"""Money identities (docs/MODEL.md §2) on fifty random studies: for every scenario and programme, to rounding."""

import numpy as np
import pytest

import simulator
from simulator.engine.block import run_block
from simulator.engine.model import build_model
from tests.studies import random_study

SEEDS = range(50)


@pytest.fixture(scope="module", params=SEEDS)
def block(request, tmp_path_factory):
    folder = tmp_path_factory.mktemp(f"study{request.param}")
    model = build_model(simulator.load_study(random_study(folder, request.param)))
    return model, run_block(model, 0, 64, 512)


def close(left, right, scale):
    np.testing.assert_allclose(left, right, rtol=0, atol=1e-9 * float(np.max(scale, initial=1.0)))


def test_every_bill_ends_somewhere(block):
    """billed + fx result = collected + recovered + lost + still outstanding."""
    _, b = block
    rows = b.ledger
    ends = rows.collected + rows.recovered + rows.gross_loss + rows.outstanding
    close(rows.billed + rows.fx_result, ends, rows.billed)


def test_ledger_rolls_forward(block):
    """Opening ledger + billing - settled = outstanding, at book value; collections by period add up."""
    model, b = block
    side, rows = model.cash_side, b.ledger
    billed = side.opening_book + side.planned_billing.sum() - rows.stopped.sum(axis=(1, 2))
    close(rows.billed, billed, rows.billed)
    close(rows.collections.sum(axis=1), rows.collected, rows.billed)
    left = rows.billed - rows.settled.sum(axis=(1, 2))
    assert (left > -1e-6 * rows.billed.max()).all()


def test_gross_loss_is_retained_or_indemnified(block):
    """The indemnity never exceeds the debts, and the waterfall adds up to the debt claimed."""
    _, b = block
    gap = b.policy.gap
    close(gap[:, :, 0], gap[:, :, 1:].sum(axis=2), gap)
    close(gap[:, :, -1], b.policy.indemnity_gross, gap)
    assert (gap > -1e-6 * gap.max()).all()
    assert (b.policy.indemnity <= b.policy.indemnity_gross + 1e-6).all()
    assert (b.policy.indemnity >= -1e-6).all()


def test_events_explain_the_loss(block):
    """The losses listed event by event are the gross loss; the largest buyer's is no larger than those above zero.

    A loss can be below zero: a debt nearly all recovered, in a currency that has risen since it was lost.
    """
    _, b = block
    listed = np.arange(b.events.loss.shape[1]) < b.events.n_events[:, None]
    loss = np.where(listed, b.events.loss, 0.0)
    close(loss.sum(axis=1), b.ledger.gross_loss, b.ledger.billed)
    assert (b.ledger.largest_loss <= np.maximum(loss, 0.0).sum(axis=1) + 1e-6).all()


def test_cash_flows_close(block):
    """Opening cash (and the reserve held beside it) + all flows + draws = closing cash."""
    model, b = block
    plan, cash = model.cash_side.cash, b.cash
    rows, policy = b.ledger, b.policy
    common = rows.collections + rows.recoveries + b.hedge - plan.outflow - plan.purchases + rows.purchases_saved
    flows = common[:, None, :] + policy.claim_cash - policy.premium_cash
    total = plan.opening_cash + plan.reserve + flows.sum(axis=2) - cash.financing_cost + cash.line[:, :, -1]
    close(cash.cash[:, :, -1], total, np.abs(flows).sum(axis=2))
    close(cash.ending_cash, cash.cash[:, :, -1], np.abs(flows).sum(axis=2))


def test_premium_is_paid_in_full(block):
    _, b = block
    close(b.policy.premium_cash.sum(axis=2), b.policy.premium, b.policy.premium)
