"""The cash path by hand: interest, line, headroom and shortfall."""

import numpy as np
import pytest

from simulator.treasury import formulas as f
from simulator.treasury.run import run_treasury
from tests.cash_cases import flows, plan, policies


def run(cash, collections):
    """Cash rows of one scenario and programme with given collections."""
    ledger = flows(1, len(collections))
    ledger.collections[0] = collections
    return run_treasury(cash, ledger, np.zeros((1, len(collections))), policies(1, 1, len(collections)))


def test_worked_numbers_of_the_docstrings():
    assert f.opening_balance(150_000.0, 50_000.0) == 200_000
    assert f.line_interest(520_000.0, 0.06, 7 / 365) == pytest.approx(598.36, abs=0.005)
    assert f.cash_interest(365_000.0, 0.02, 7 / 365) == pytest.approx(140)
    assert f.cash_interest(-365_000.0, 0.02, 7 / 365) == 0
    assert f.drawn_after(10_000.0, 12_500.0, 32_500.0, 25_000.0) == 25_000
    assert f.headroom(30_600.0, 0.0, 10_000.0, 32_500.0) == 8_100
    assert f.shortfall(-114_900.0) == 114_900
    assert f.shortfall(100.0) == 0
    assert f.utilisation(60_000.0, 100_000.0) == 0.6
    assert f.utilisation(0.0, 0.0) == 0
    assert f.price_of_line(0.07, 0.01) == pytest.approx(0.06)
    assert f.price_of_line(0.01, 0.02) == 0
    assert f.assigned_claims(59_400.0, True) == 59_400
    assert f.assigned_claims(59_400.0, False) == f.assigned_claims(-100.0, True) == 0
    assert f.paid_by_fund(50_000.0, 62_000.0) == 50_000
    assert f.paid_by_fund(50_000.0, 20_000.0) == 20_000
    assert f.into_fund(30_000.0, 50_000.0, 8_600.0) == 8_600
    assert f.into_fund(30_000.0, 50_000.0, 60_000.0) == 20_000
    assert f.into_fund(30_000.0, 50_000.0, -5_000.0) == 0
    assert f.cost_of_fund(365_000.0, 0.09, 7 / 365) == pytest.approx(630)


def test_line_is_drawn_to_the_minimum_then_repaid_first():
    cash = plan(5, opening_cash=100.0, minimum_cash=50.0, line_limit=80.0)
    rows = run(cash, [-30.0, -40.0, -70.0, 60.0, 100.0])
    assert rows.cash[0, 0].tolist() == [70, 50, 40, 50, 120]
    assert rows.line[0, 0].tolist() == [0, 20, 80, 30, 0]
    assert rows.headroom[0, 0].tolist() == [100, 60, -10, 50, 150]
    assert rows.first_shortfall_period[0, 0] == 2
    assert rows.shortfall_amount[0, 0] == 10
    assert rows.minimum_headroom[0, 0] == -10
    assert rows.minimum_cash[0, 0] == 40
    assert rows.ending_cash[0, 0] == 120


def test_interest_is_on_balances_the_period_began_with():
    cash = plan(3, opening_cash=1_000.0, line_limit=500.0, line_rate=0.1, cash_rate=0.05, period_years=np.ones(3))
    rows = run(cash, [-1_150.0, 0.0, 1_000.0])
    assert rows.line[0, 0].tolist() == pytest.approx([100, 110, 0])
    assert rows.ending_cash[0, 0] == pytest.approx(1_000 - 110 - 11)
    assert rows.financing_cost[0, 0] == pytest.approx(-50 + 10 + 11)


def test_a_reserve_is_cash_beside_the_firms_own_and_is_spent_when_needed():
    cash = plan(2, n_programmes=2, opening_cash=100.0, minimum_cash=50.0, reserve=np.array([0.0, 60.0]))
    ledger = flows(1, 2)
    ledger.collections[0] = [-90.0, 0.0]
    rows = run_treasury(cash, ledger, np.zeros((1, 2)), policies(1, 2, 2))
    assert rows.cash[0, :, -1].tolist() == [10, 70]
    assert rows.shortfall_amount[0].tolist() == [40, 0]
    assert rows.first_shortfall_period[0].tolist() == [0, -1]


def test_every_flow_has_its_sign():
    cash = plan(1, outflow=np.array([1e1]), purchases=np.array([1e2]))
    ledger = flows(1, 1)
    ledger.collections[:], ledger.recoveries[:], ledger.purchases_saved[:], ledger.trade_cost[:] = 1e3, 1e4, 1e5, 1e9
    policy = policies(1, 1, 1)
    policy.claim_cash[:], policy.premium_cash[:] = 1e6, 1e7
    rows = run_treasury(cash, ledger, np.full((1, 1), 1e8), policy)
    assert rows.ending_cash[0, 0] == -1e1 - 1e2 + 1e3 + 1e4 + 1e5 + 1e6 - 1e7 + 1e8 - 1e9


def test_a_programme_reads_the_ledger_of_its_regime():
    """Regime 1 is another way of trading: row 1·2 + scenario of the ledger."""
    cash = plan(1, n_programmes=2, regime=np.array([0, 1], np.int32))
    ledger = flows(4, 1)
    ledger.collections[:, 0] = [10.0, 20.0, 31.0, 42.0]
    ledger.trade_cost[:, 0] = [0.0, 0.0, 1.0, 2.0]
    rows = run_treasury(cash, ledger, np.zeros((2, 1)), policies(2, 2, 1))
    assert rows.ending_cash.tolist() == [[10, 30], [20, 40]]


def test_margin_grid():
    """A line of 100: 4 % up to 30 drawn, then 5 %, from 80 on 7 %; years for weeks, so interest is round."""
    cash = plan(
        4, opening_cash=0.0, line_limit=100.0, line_rate=0.04, step_from=np.array([0.3, 0.8]),
        step_rate=np.array([0.05, 0.07]), period_years=np.ones(4),
    )  # fmt: skip
    rows = run(cash, [-20.0, -9.2, -68.5, 0.0])
    # 20 drawn; 0.8 interest and 9.2 more: 30 drawn, the step begins; 1.5 interest and 68.5 more: 100; 7 interest
    assert rows.line[0, 0].tolist() == pytest.approx([20, 30, 100, 100])
    assert rows.financing_cost[0, 0] == pytest.approx(0.04 * 20 + 0.05 * 30 + 0.07 * 100)


def test_a_loss_payee_saves_its_part_at_every_step_of_the_grid():
    """Insured at 3 % where the line costs 4 %: one point less from the first euro to the last."""
    cash = plan(
        2, n_programmes=2, line_limit=100.0, line_rate=0.04, step_from=np.array([0.5]), step_rate=np.array([0.06]),
        saving=np.array([0.0, 0.01]), loss_payee=np.array([False, True]), period_years=np.ones(2),
    )  # fmt: skip
    for drawn, rates in ((10.0, (0.04, 0.03)), (60.0, (0.06, 0.05))):
        ledger = flows(1, 2)
        ledger.collections[0] = [-drawn, 0.0]
        rows = run_treasury(cash, ledger, np.zeros((1, 2)), policies(1, 2, 2))
        assert rows.financing_cost[0] == pytest.approx([drawn * rate for rate in rates])


def test_a_loss_payee_is_repaid_before_cash_is_lifted():
    """Cash 30 short of its minimum, line full at 80, a claim of 50: to the bank, or to the firm."""
    cash = plan(
        3, n_programmes=2, minimum_cash=40.0, line_limit=80.0, opening_cash=10.0, loss_payee=np.array([False, True])
    )
    ledger = flows(1, 3)
    ledger.collections[0] = [-80.0, 0.0, 0.0]
    policy = policies(1, 2, 3)
    policy.claim_cash[0, :, 1] = 50.0
    rows = run_treasury(cash, ledger, np.zeros((1, 3)), policy)
    assert rows.cash[0].tolist() == [[10, 40, 40], [10, 10, 40]]
    assert rows.line[0].tolist() == [[80, 60, 60], [80, 30, 60]]
    assert rows.headroom[0].tolist() == [[-30, 20, 20], [-30, 20, 20]], "who holds the money does not change headroom"
