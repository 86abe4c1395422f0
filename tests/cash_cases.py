"""Flows, programmes, cash plans and borrowing bases, plain and random, for the tests of the treasury room."""

import numpy as np

from simulator.losses.balances import allocate_balances, no_balances
from simulator.losses.rows import allocate_rows as allocate_ledger
from simulator.policy.apply import allocate_rows as allocate_policy
from simulator.treasury.base import BasePlan
from simulator.treasury.plan import CashPlan


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
