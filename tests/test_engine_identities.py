"""Money identities (docs/MODEL.md §2) on random studies: for every scenario, regime and programme, to rounding.

Fifty studies as simple as may be, and ten whose programmes have every term of a policy, alternatives and a borrowing
base.
"""

import numpy as np
import pytest

import simulator
from simulator.engine.block import run_block
from simulator.engine.chunk import Chunk
from simulator.engine.model import build_model
from simulator.policy.gaps import GAP_STEPS
from tests.studies import random_study, written_study

SEEDS = [*(("plain", seed) for seed in range(50)), *(("written", seed) for seed in range(10))]


@pytest.fixture(scope="module", params=SEEDS, ids=lambda case: f"{case[0]}-{case[1]}")
def block(request, tmp_path_factory):
    kind, seed = request.param
    folder = tmp_path_factory.mktemp(f"{kind}{seed}")
    made = random_study(folder, seed) if kind == "plain" else written_study(folder, seed)
    model = build_model(simulator.load_study(made))
    return model, run_block(model, 0, 64, 512)


def close(left, right, scale):
    np.testing.assert_allclose(left, right, rtol=0, atol=1e-9 * float(np.max(scale, initial=1.0)))


def by_programme(model, values):
    """Rows by regime and scenario as each programme sees them, [n, P, …]."""
    regimes = values.reshape(model.regime.count, -1, *values.shape[1:])
    return np.swapaxes(regimes[model.regime.of_programme], 0, 1)


def test_every_bill_ends_somewhere(block):
    """billed + fx result = collected + recovered + lost + still outstanding + conceded for early payment."""
    _, b = block
    rows = b.ledger
    ends = rows.collected + rows.recovered + rows.gross_loss + rows.outstanding + rows.conceded
    close(rows.billed + rows.fx_result, ends, rows.billed)


def test_ledger_rolls_forward(block):
    """Opening ledger + billing - settled = outstanding, at book value; collections by period add up."""
    model, b = block
    side, rows = model.cash_side, b.ledger
    billed = side.opening_book + side.planned_billing.sum() - rows.stopped.sum(axis=1)
    close(rows.billed, billed, rows.billed)
    close(rows.collections.sum(axis=1), rows.collected, rows.billed)
    left = rows.billed - rows.settled.sum(axis=1)
    assert (left > -1e-6 * rows.billed.max()).all()


def test_gross_loss_is_retained_or_indemnified(block):
    """The indemnity never exceeds the debts, and the waterfall adds up to the debt claimed."""
    _, b = block
    gap = b.policy.gap
    close(gap[:, :, 0], gap[:, :, 1:].sum(axis=2), gap)
    close(gap[:, :, -1], b.policy.indemnity_gross, gap)
    taken = np.delete(gap, GAP_STEPS.index("conversion"), axis=2)  # below zero where the policy's rate is the higher
    assert (taken > -1e-6 * gap.max()).all()
    assert (b.policy.indemnity <= b.policy.indemnity_gross + 1e-6).all()
    assert (b.policy.indemnity >= -1e-6).all()
    close(b.policy.insurer_loss, gap[:, :, GAP_STEPS.index("insurer_default")], gap)


def test_credit_loss_is_retained_or_indemnified(block):
    """Kept rows: the loss as the seller trades under a programme = what is retained + net indemnity."""
    model, b = block
    chunk = Chunk(model, 0, 64)
    chunk.add(b)
    rows = chunk.rows
    credit_loss = by_programme(model, b.ledger.gross_loss)
    close(rows["retained_loss"] + rows["indemnity"], credit_loss, b.ledger.billed)
    np.testing.assert_array_equal(rows["gross_loss"], b.ledger.gross_loss[:64])
    if model.regime.count == 1:
        assert {"credit_loss", "trade_cost", "lost_sales", "lost_margin"}.isdisjoint(rows)
        return
    np.testing.assert_array_equal(rows["credit_loss"], credit_loss)
    sold = by_programme(model, b.ledger.billed)
    close(rows["lost_sales"], b.ledger.billed[:64, None] - sold, b.ledger.billed)
    margin = 1.0 - model.study.liquidity.variable_cost_rate
    close(rows["lost_margin"], margin * rows["lost_sales"], b.ledger.billed)
    paid = by_programme(model, b.ledger.trade_cost).sum(axis=2) + by_programme(model, b.ledger.conceded)
    close(rows["trade_cost"], paid, b.ledger.billed)


def test_claims_around_the_first_shortfall(block):
    """What comes up to it and after it is all claims money within the horizon; nothing where cash never runs short."""
    model, b = block
    chunk = Chunk(model, 0, 64)
    chunk.add(b)
    before, after = (chunk.rows[f"claims_{when}_shortfall"] for when in ("before", "after"))
    struck = b.cash.first_shortfall_period >= 0
    close(np.where(struck, b.policy.claim_cash.sum(axis=2), 0.0), before + after, np.abs(before + after) + 1e6)
    for s, p in np.argwhere(struck)[:20]:
        first = b.cash.first_shortfall_period[s, p]
        assert before[s, p] == pytest.approx(b.policy.claim_cash[s, p, : first + 1].sum(), abs=1e-6)


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
    """Opening cash and reserve + all flows + draws = closing cash and fund."""
    model, b = block
    plan, cash = model.cash_side.cash, b.cash
    rows, policy = b.ledger, b.policy
    money = rows.collections + rows.recoveries + rows.purchases_saved - rows.trade_cost
    flows = by_programme(model, money) + (b.hedge - plan.outflow - plan.purchases)[:, None, :]
    flows = flows + policy.claim_cash - policy.premium_cash
    total = plan.opening_cash + plan.reserve + flows.sum(axis=2) - cash.financing_cost + cash.line[:, :, -1]
    fund = cash.fund[:, :, -1] if cash.fund.shape[2] else np.zeros_like(total)
    apart = np.where(plan.funded, fund, 0.0)
    close(cash.cash[:, :, -1] + apart, total, np.abs(flows).sum(axis=2))
    close(cash.ending_cash, cash.cash[:, :, -1], np.abs(flows).sum(axis=2))


def test_premium_is_paid_in_full(block):
    _, b = block
    close(b.policy.premium_cash.sum(axis=2), b.policy.premium, b.policy.premium)
