"""The cash path: interest, line, headroom, shortfall, and its identity."""

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from simulator.jit import set_threads
from simulator.losses.balances import allocate_balances, no_balances
from simulator.losses.rows import allocate_rows as allocate_ledger
from simulator.policy.apply import allocate_rows as allocate_policy
from simulator.treasury import formulas as f
from simulator.treasury.base import BasePlan, no_base
from simulator.treasury.plan import CashPlan
from simulator.treasury.run import allocate_rows, run_treasury
from tests.balance_cases import by_scenario
from tests.twins import treasury as twin


def flows(n, n_periods):
    """A ledger in which nothing happens."""
    return allocate_ledger(n, n_periods)


def policies(n, n_programmes, n_periods):
    """Programmes that pay and cost nothing."""
    rows = allocate_policy(n, n_programmes, n_periods)
    for values in rows:
        values[:] = 0.0
    return rows


def plan(n_periods, n_programmes=1, **terms):
    """Weeks in which a firm has nothing, owes nothing and pays nothing, but for the terms given."""
    t, p = n_periods, n_programmes
    built = CashPlan(
        opening_cash=0.0, minimum_cash=0.0, line_limit=0.0, line_rate=0.0, cash_rate=0.0, outflow=np.zeros(t),
        purchases=np.zeros(t), reserve=np.zeros(p), cost_of_capital=np.zeros(p), period_years=np.full(t, 7 / 365),
        regime=np.zeros(p, np.int32), step_from=np.zeros(0), step_rate=np.zeros(0), saving=np.zeros(p),
        loss_payee=np.zeros(p, np.bool_), funded=np.zeros(p, np.bool_), top_up=np.zeros((p, t)),
        fund_interest=np.zeros(p), standing_reserve_cost=np.zeros(p),
    )  # fmt: skip
    return built._replace(**terms)


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


# --- the reserve fund ---


def fund_case(claims=(0.0,) * 5, **terms):
    """Five weeks with a loss of 30 in the second; a fund of 50, topped up by at most 8 a week, and cash of 100."""
    about = {
        "opening_cash": 100.0, "minimum_cash": 80.0, "reserve": np.array([50.0]), "funded": np.array([True]),
        "top_up": np.full((1, 5), 8.0),
    }  # fmt: skip
    ledger, policy = flows(1, 5), policies(1, 1, 5)
    ledger.losses[0] = [0.0, 30.0, 0.0, 0.0, 0.0]
    ledger.collections[0] = [0.0, -30.0, 0.0, 0.0, 0.0]  # the debt that does not come in
    policy.claim_cash[0, 0] = claims
    return run_treasury(plan(5, **(about | terms)), ledger, np.zeros((1, 5)), policy)


def test_a_fund_pays_for_losses_and_is_topped_up_from_cash_above_the_minimum():
    rows = fund_case()
    # week 2: the fund pays 30 and gets 8; then 8, then the last 4 that cash has above its minimum of 80
    assert rows.fund[0, 0].tolist() == [50, 28, 36, 40, 40]
    assert rows.cash[0, 0].tolist() == [100, 92, 84, 80, 80]
    assert rows.minimum_fund[0, 0] == 20, "before the top-up of the same week"
    assert rows.periods_below_reserve[0, 0] == 4


def test_claims_refill_the_fund_and_the_rest_is_cash():
    rows = fund_case(claims=(0.0, 0.0, 0.0, 27.0, 0.0), top_up=np.zeros((1, 5)))
    assert rows.fund[0, 0].tolist() == [50, 20, 20, 47, 47]
    rows = fund_case(claims=(0.0, 0.0, 0.0, 45.0, 0.0), top_up=np.zeros((1, 5)))
    assert rows.fund[0, 0].tolist() == [50, 20, 20, 50, 50]
    assert rows.cash[0, 0].tolist() == [100, 100, 100, 115, 115]


def test_a_fund_can_be_exhausted():
    rows = fund_case(reserve=np.array([25.0]), minimum_cash=200.0)
    assert rows.fund[0, 0].tolist() == [25, 0, 0, 0, 0]
    assert rows.minimum_fund[0, 0] == 0
    assert rows.cash[0, 0].tolist() == [100, 95, 95, 95, 95], "no top-up while cash is below its minimum"
    rows = fund_case(reserve=np.array([25.0]), minimum_cash=80.0)
    assert rows.fund[0, 0, 1] == 8, "topped up in the week"
    assert rows.minimum_fund[0, 0] == 0, "in which it was exhausted"


def test_a_fund_is_not_cash():
    """The same money as a reserve in cash keeps the firm above its minimum; in a fund it pays for losses only."""
    rows = fund_case(opening_cash=60.0, top_up=np.zeros((1, 5)))
    assert rows.headroom[0, 0].tolist() == [-20] * 5
    rows = fund_case(opening_cash=60.0, funded=np.array([False]))
    assert rows.headroom[0, 0].tolist() == [30, 0, 0, 0, 0]
    assert rows.fund.shape == (1, 1, 0)


def test_interest_fills_the_fund_and_goes_to_cash_where_it_is_full():
    rows = fund_case(
        fund_interest=np.array([0.1]),
        cost_of_capital=np.array([0.08]),
        period_years=np.ones(5),
        top_up=np.zeros((1, 5)),
    )
    # 5 earned and released; week 2: 5 earned while 30 is paid out; then 10 % of what is there
    assert rows.fund[0, 0].tolist() == pytest.approx([50, 25, 27.5, 30.25, 33.275])
    assert rows.cash[0, 0].tolist() == [105] * 5
    assert rows.financing_cost[0, 0] == pytest.approx(-(5 + 5 + 2.5 + 2.75 + 3.025))
    assert rows.reserve_cost[0, 0] == pytest.approx(0.08 * (50 + 50 + 25 + 27.5 + 30.25))


def test_with_a_loss_payee_the_fund_gets_what_the_bank_leaves():
    """A claim of 45 on a line drawn by 20: 20 to the bank, 25 of the 30 that the fund lacks."""
    rows = fund_case(
        claims=(0.0, 0.0, 45.0, 0.0, 0.0), opening_cash=60.0, line_limit=100.0, top_up=np.zeros((1, 5)),
        loss_payee=np.array([True]),
    )  # fmt: skip
    assert rows.line[0, 0].tolist() == [20, 20, 0, 0, 0]
    assert rows.fund[0, 0].tolist() == [50, 20, 45, 45, 45]
    assert rows.cash[0, 0].tolist() == [80] * 5


def test_a_reserve_in_cash_has_its_constant_cost():
    rows = fund_case(funded=np.array([False]), standing_reserve_cost=np.array([4.0]))
    assert rows.reserve_cost[0, 0] == 4
    assert rows.periods_below_reserve[0, 0] == 0


# --- laws ---


def random_case(seed, n=8, n_periods=13, n_programmes=3):
    rng = np.random.default_rng(seed)
    ledger = flows(2 * n, n_periods)
    ledger.losses[:] = rng.gamma(0.2, 60.0, ledger.recoveries.shape) - 1.0
    ledger.trade_cost[:] = rng.gamma(0.2, 5.0, ledger.recoveries.shape)
    ledger.collections[:] = rng.gamma(1.0, 100.0, ledger.collections.shape)
    ledger.recoveries[:] = rng.gamma(0.2, 20.0, ledger.recoveries.shape)
    ledger.purchases_saved[:] = rng.gamma(0.2, 5.0, ledger.recoveries.shape)
    policy = policies(n, n_programmes, n_periods)
    policy.claim_cash[:] = rng.normal(5.0, 30.0, policy.claim_cash.shape)
    policy.premium_cash[:] = rng.gamma(1.0, 5.0, policy.claim_cash.shape)
    cash = CashPlan(
        rng.uniform(-100, 500), rng.uniform(0, 200), rng.choice([0.0, 150.0, 1e4]), 0.07, rng.choice([0.0, 0.03]),
        rng.gamma(2.0, 40.0, n_periods), rng.gamma(1.0, 40.0, n_periods), rng.choice([0.0, 80.0], n_programmes),
        np.full(n_programmes, 0.08), rng.uniform(0.01, 0.1, n_periods),
        regime=rng.integers(0, 2, n_programmes).astype(np.int32), step_from=np.array([0.0, 0.4, 0.9]),
        step_rate=np.array([0.05, 0.06, 0.1]), saving=rng.choice([0.0, 0.01, 0.2], n_programmes),
        loss_payee=rng.random(n_programmes) < 0.5, funded=rng.random(n_programmes) < 0.5,
        top_up=rng.gamma(1.0, 5.0, (n_programmes, n_periods)), fund_interest=rng.choice([0.0, 0.1], n_programmes),
        standing_reserve_cost=rng.uniform(0, 9, n_programmes),
    )  # fmt: skip
    return cash, ledger, rng.normal(0.0, 20.0, (n, n_periods)), policy


@given(st.integers(0, 10**9))
@settings(max_examples=60, deadline=None)
def test_opening_cash_and_all_flows_make_closing_cash(seed):
    cash, ledger, hedge, policy = random_case(seed)
    rows = run_treasury(cash, ledger, hedge, policy)
    n, n_programmes, n_periods = policy.claim_cash.shape
    traded = ledger.collections + ledger.recoveries + ledger.purchases_saved - ledger.trade_cost
    traded = traded.reshape(2, n, n_periods)[cash.regime].swapaxes(0, 1)
    shared = hedge - cash.outflow - cash.purchases
    total = (traded + shared[:, None] + policy.claim_cash - policy.premium_cash).sum(axis=2)
    opening = cash.opening_cash + cash.reserve
    fund = rows.fund[:, :, -1] if cash.funded.any() else np.zeros((n, n_programmes))
    np.testing.assert_allclose(
        opening + total - rows.financing_cost + rows.line[:, :, -1], rows.ending_cash + fund, rtol=1e-9, atol=1e-7
    )


@given(st.integers(0, 10**9))
@settings(max_examples=40, deadline=None)
def test_a_fund_stays_between_nothing_and_its_target(seed):
    cash, ledger, hedge, policy = random_case(seed)
    rows = run_treasury(cash._replace(funded=np.array([True, True, False])), ledger, hedge, policy)
    assert (rows.fund >= 0).all()
    assert (rows.fund <= cash.reserve[:, None] + 1e-9).all()
    assert (rows.fund[:, 2] == 0).all()
    assert (rows.minimum_fund[:, :2] <= np.minimum(rows.fund[:, :2].min(axis=2), cash.reserve[:2])).all()
    assert (rows.minimum_fund >= 0).all()
    below = (rows.fund < cash.reserve[:, None]).sum(axis=2)
    np.testing.assert_array_equal(rows.periods_below_reserve[:, :2], below[:, :2])
    # the reserve costs at least what its lowest balance would, and at most what a full one would
    years = cash.period_years.sum()
    assert (rows.reserve_cost[:, :2] >= 0.08 * rows.minimum_fund[:, :2] * years - 1e-9).all()
    assert (rows.reserve_cost[:, :2] <= 0.08 * cash.reserve[:2] * years + 1e-9).all()
    np.testing.assert_array_equal(rows.reserve_cost[:, 2], cash.standing_reserve_cost[2])


@given(st.integers(0, 10**9))
@settings(max_examples=60, deadline=None)
def test_line_and_shortfall(seed):
    cash, ledger, hedge, policy = random_case(seed)
    rows = run_treasury(cash, ledger, hedge, policy)
    assert (rows.line >= 0).all()
    assert (rows.line <= cash.line_limit).all()
    np.testing.assert_allclose(
        rows.headroom, rows.cash + cash.line_limit - rows.line - cash.minimum_cash, rtol=1e-9, atol=1e-7
    )
    # the line is only drawn where cash would be below the minimum, and then up to it
    drawn = rows.line > 0
    full = rows.line == cash.line_limit
    free = ~cash.loss_payee[None, :, None]  # with the bank as loss payee a claim may repay the line first
    assert (rows.cash[drawn & ~full & free] <= cash.minimum_cash + 1e-7).all()
    assert (rows.cash[~full & free] >= cash.minimum_cash - 1e-7).all()
    short = rows.headroom < 0
    first = np.where(short.any(axis=2), short.argmax(axis=2), -1)
    np.testing.assert_array_equal(rows.first_shortfall_period, first)
    np.testing.assert_array_equal(rows.shortfall_amount, np.maximum(0, -rows.headroom.min(axis=2)))
    np.testing.assert_array_equal(rows.shortfall_amount > 0, first >= 0)
    np.testing.assert_array_equal(rows.minimum_cash, rows.cash.min(axis=2))
    np.testing.assert_array_equal(rows.ending_cash, rows.cash[:, :, -1])


@given(st.integers(0, 10**9))
@settings(max_examples=40, deadline=None)
def test_nothing_is_drawn_beyond_the_base(seed):
    cash, ledger, hedge, policy = random_case(seed)
    base, balances = random_base(seed)
    rows = run_treasury(cash, ledger, hedge, policy, base, balances)
    available = np.minimum(cash.line_limit, rows.borrowing_base)
    assert (rows.line <= available).all()
    np.testing.assert_allclose(
        rows.headroom, rows.cash + available - rows.line - cash.minimum_cash, rtol=1e-9, atol=1e-7
    )
    # a base that is never short is no base
    balances.uninsured[:] = 1e12
    balances.largest[:] = 0.0
    rich, plain = run_treasury(cash, ledger, hedge, policy, base, balances), run_treasury(cash, ledger, hedge, policy)
    for name in set(plain._fields) - {"borrowing_base"}:
        np.testing.assert_array_equal(getattr(rich, name), getattr(plain, name), err_msg=name)


@given(st.integers(0, 10**9), st.floats(0, 1e4))
@settings(max_examples=40, deadline=None)
def test_more_money_never_hurts(seed, gift):
    """Free interest aside: more cash at the start raises every headroom."""
    cash, ledger, hedge, policy = random_case(seed)
    # a fund takes a gift for later losses; it is left out
    cash = cash._replace(funded=np.zeros(3, np.bool_))
    less = run_treasury(cash, ledger, hedge, policy)
    more = run_treasury(cash._replace(opening_cash=cash.opening_cash + gift), ledger, hedge, policy)
    assert (more.headroom >= less.headroom - 1e-7).all()
    assert (more.shortfall_amount <= less.shortfall_amount + 1e-7).all()


# --- twins and threads ---

numbers = st.floats(-1e9, 1e9, allow_nan=False)
shares = st.floats(0, 1)


@given(numbers, numbers, st.floats(0, 1e9), st.floats(0, 1e9), shares)
@settings(deadline=None)
def test_formulas_equal_their_twins(cash, drawn, minimum, limit, rate):
    for name, arguments in {
        "opening_balance": (cash, minimum),
        "line_interest": (drawn, rate, 7 / 365),
        "cash_interest": (cash, rate, 7 / 365),
        "drawn_after": (drawn, cash, minimum, limit),
        "headroom": (cash, drawn, limit, minimum),
        "shortfall": (cash,),
        "utilisation": (minimum, limit),
        "price_of_line": (rate, 0.3),
        "assigned_claims": (cash, drawn > 0),
        "paid_by_fund": (minimum, drawn),
        "into_fund": (minimum, limit, cash),
        "cost_of_fund": (minimum, rate, 7 / 365),
    }.items():
        assert getattr(f, name)(*arguments) == getattr(twin, name)(*arguments), name


def random_base(seed, n=8, n_periods=13, n_programmes=3):
    """Receivables in two views in tiles of four scenarios, and terms of lending on them."""
    rng = np.random.default_rng(seed)
    rows = allocate_balances(no_balances(2)._replace(n_largest=2), n, n_periods, 4)
    rows.uninsured[:] = rng.gamma(1.0, 300.0, rows.uninsured.shape)
    rows.insured[:] = rng.gamma(1.0, 200.0, rows.insured.shape)
    shares = -np.sort(-rng.dirichlet([1, 1, 1], rows.uninsured.shape)[..., :2])
    rows.largest[:] = np.moveaxis(rows.uninsured[..., None] * shares, -1, 3)
    view = rng.integers(0, 2, n_programmes).astype(np.int32)
    return BasePlan(view, rng.choice([0.0, 50.0], 2), 0.8, 0.9, 0.25), rows


@pytest.mark.parametrize("seed", range(8))
def test_kernel_equals_its_twin(seed):
    cash, ledger, hedge, policy = random_case(seed)
    base, balances = random_base(seed) if seed % 2 else (no_base(), allocate_balances(no_balances(), 8, 13))
    rows = run_treasury(cash, ledger, hedge, policy, base, balances)
    slow = allocate_rows(*policy.claim_cash.shape, funded=bool(cash.funded.any()), based=seed % 2 == 1)
    twin.run_cash(cash, base, ledger, by_scenario(balances, 8), hedge, policy.claim_cash, policy.premium_cash, slow)
    for name, fast, plain in zip(rows._fields, rows, slow, strict=True):
        np.testing.assert_array_equal(fast, plain, err_msg=name)


def test_same_bytes_for_any_number_of_threads():
    cash, ledger, hedge, policy = random_case(7, n=1_000)
    try:
        found = []
        for threads in (1, 2):
            set_threads(threads)
            found.append(b"".join(values.tobytes() for values in run_treasury(cash, ledger, hedge, policy)))
    finally:
        set_threads(None)
    assert found[0] == found[1]
