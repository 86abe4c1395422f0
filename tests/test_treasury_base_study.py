"""The borrowing base of studies: the worked example week by week, and what terms become."""

from itertools import pairwise
from pathlib import Path

import numpy as np
import pytest

import simulator
from simulator.engine.model import build_model
from simulator.engine.replay import replay_scenario
from simulator.losses.balances import allocate_balances, balance_bytes, no_balances
from simulator.policy.plan import build_policies
from simulator.study.calendar import Calendar
from simulator.treasury.base import build_base
from tests.balance_cases import book
from tests.small_books import study
from tests.small_ledger import make_portfolio

# --- the worked example's study, week by week ---

STUDY = Path(__file__).resolve().parent.parent / "configs" / "worked_example" / "study.yaml"
BASE = {
    "advance_rate": 0.8, "insured_advance_rate": 0.9, "home_country": "DE", "maximum_overdue": None,
    "cancelled_limits": "run_off", "within_maximum_liability": False,
}  # fmt: skip


def cash_of_example(base, line=None, opening_cash=150_000, **terms):
    """Cash rows of the uninsured programme and of "Percent first" with the bank as loss payee."""
    credit_line = {"limit": 100_000, "rate": 0.08, "borrowing_base": BASE | base} | (line or {})
    overrides = {"liquidity.credit_line": credit_line, "liquidity.opening_cash": opening_cash}
    overrides["programmes[1].loss_payee"] = True
    overrides |= {f"programmes[1].{name}": value for name, value in terms.items()}
    return replay_scenario(build_model(simulator.load_study(STUDY, overrides)), 0).block.cash


@pytest.mark.parametrize(
    ("base", "expected"),
    [
        # A 90,000 and B 100,000 at 90 %, C 12,000 at 80 %: 180,600
        ({"uninsured_rest": "ineligible"}, 0.9 * 180_600),
        ({"uninsured_rest": "ineligible", "full_cover": 0.8}, 0.9 * 202_000),
        ({"uninsured_rest": "ineligible", "full_cover": 0.0}, 0.9 * 202_000),
        # … less the first loss of 20,000
        ({"uninsured_rest": "ineligible", "insured_value": "indemnifiable"}, 0.9 * 160_600),
        # the maximum liability
        ({"uninsured_rest": "ineligible", "within_maximum_liability": True}, 0.9 * 128_000),
        ({"uninsured_rest": "ineligible", "within_maximum_liability": True, "insured_value": "indemnifiable"},
         0.9 * 128_000),
        # A owes 120,000 and C 12,000; B is abroad
        ({}, 0.9 * 180_600 + 0.8 * (39_000 + 2_400)),
        ({"full_cover": 0.8}, 0.9 * 202_000 + 0.8 * 30_000),
        ({"foreign": True}, 0.9 * 180_600 + 0.8 * (39_000 + 2_400 + 30_000)),
        # 81,000 on A, 47,000 on B, nothing left for C
        ({"within_maximum_liability": True}, 0.9 * 128_000 + 0.8 * (39_000 + 12_000)),
        # B's limit is gone
        ({"cancelled_limits": "ineligible", "full_cover": 0.8}, 0.9 * 102_000 + 0.8 * 30_000),
        ({"cancelled_limits": "ineligible", "full_cover": 0.8, "foreign": True}, 0.9 * 102_000 + 0.8 * 150_000),
    ],
)  # fmt: skip
def test_terms_of_a_base_in_week_9(base, expected):
    assert cash_of_example(base).borrowing_base[0, 1, 9 - 1] == pytest.approx(expected, abs=0.01)


FREE = {"premium": {}, "discretionary_percentage": None, "maximum_liability": 1e6}


def test_a_policy_that_insures_nothing_is_no_policy():
    """0 % and the bank as loss payee: the uninsured path to the byte, its rate of interest included."""
    line = {"insured_rate": 0.02}
    for base in ({"foreign": True}, {"concentration": 0.3, "within_maximum_liability": True, "cross_ageing": 0.2}):
        cash = cash_of_example(base, line, 20_000, insured_percentage=0, **FREE)
        assert cash.line[0, 0].max() > 0, "the line is used"
        for name in ("borrowing_base", "cash", "line", "headroom", "financing_cost"):
            found = getattr(cash, name)[0]
            assert found[1].tobytes() == found[0].tobytes(), name
    cash = cash_of_example({"foreign": True}, line, 20_000, insured_percentage=0.9, **FREE)
    assert cash.financing_cost[0, 1] < cash.financing_cost[0, 0]


@pytest.mark.parametrize("value", ["covered", "indemnifiable"])
def test_the_base_grows_with_the_insured_percentage(value):
    """From the uninsured one; little cover borrows little.

    Week 9, at home only: 80 % of 132,000 uninsured. 10 % insures 9,000 + 10,000 + 1,200, of which 10,000 abroad, and
    132,000 less 10,200 is left.
    """
    terms = {"insured_value": value}
    paths = [
        cash_of_example(terms, insured_percentage=share, aggregate_first_loss=0, **FREE).borrowing_base[0]
        for share in (0, 0.1, 0.5, 0.9, 1)
    ]
    np.testing.assert_array_equal(paths[0][1], paths[0][0])
    for less, more in pairwise(paths):
        assert (more[1] >= less[1] - 1e-9).all()
        assert more[1].max() > less[1].max() + 5_000
    assert paths[0][1, 9 - 1] == pytest.approx(0.8 * 132_000, abs=0.01)
    assert paths[1][1, 9 - 1] == pytest.approx(0.9 * 20_200 + 0.8 * 121_800, abs=0.01)
    assert paths[3][1, 9 - 1] == pytest.approx(0.9 * 0.9 * 202_000 + 0.8 * (132_000 - 0.9 * 102_000), abs=0.01)


# --- plans ---

LINE = {"credit_line": {"limit": 1_000, "borrowing_base": {"home_country": "DE"}}}


def base_of(programmes, line=None, disputed=(), types=("company",) * 3, groups=("",) * 3):
    asked = study(
        horizon="2 weeks", programmes=programmes, portfolio={"buyers": "buyers.csv"},
        liquidity={"credit_line": LINE["credit_line"] | {"borrowing_base": {"home_country": "DE"} | (line or {})}},
    )  # fmt: skip
    buyers = [
        {"country": "DE", "credit_limit": 300.0, "buyer_type": types[0], "group_id": groups[0]},
        {"country": "FR", "credit_limit": 0.0, "buyer_type": types[1], "group_id": groups[1]},
        {"country": "", "buyer_type": types[2], "group_id": groups[2]},
    ]
    ledger = make_portfolio(
        buyers, [(0, -5, 20, 0, 119.0, True), (1, 1, 30, 0, 100.0, False), (2, 3, 9, 0, 7.0, False)]
    )
    for values, kind in ((ledger.buyers.buyer_type, types),):
        values[:] = kind
    ledger.invoices.disputed[list(disputed)] = True
    items = book([(0, -5, 20, 119.0), (1, 1, 30, 100.0), (2, 3, 9, 7.0)], 3)
    items.disputed[list(disputed)] = True
    items.vat[0] = 19.0
    when = Calendar.of(asked)
    return build_base(asked, ledger, when, items, build_policies(asked, ledger, when, np.ones(1)))


NONE = {"name": "None", "type": "none"}
COVER = {"name": "Cover", "type": "whole_turnover", "discretionary_limit": 50, "aggregate_first_loss": 40}


def test_programmes_share_a_view_but_for_a_loss_payee():
    plain = COVER | {"name": "Plain"}
    counting, base = base_of([NONE, COVER | {"loss_payee": True}, plain])
    assert base.of_programme.tolist() == [0, 1, 0]
    assert counting.insured.tolist() == [[False] * 3, [True, False, True]]
    assert counting.counts.tolist() == [[True, False, True], [True, False, True]]
    assert counting.value.tolist() == [[119, 100, 7], [100, 100, 7]], "insured without value added tax"
    limits = counting.segments[1]
    assert counting.segments[0].tolist() == [0, 0, 0, 0]
    assert np.diff(limits).tolist() == [1, 1, 1]
    assert counting.limit[limits[:3]].tolist() == [300, 0, 50]
    assert counting.changes[limits[:3]].tolist() == [True, True, False], "only named limits change"
    assert base.first_loss.tolist() == [0, 0]
    assert counting.weight.tolist() == [[1, 1, 1], [0.9, 1, 0.9]]
    assert counting.rest.tolist() == [[False] * 3, [True, False, True]]
    assert counting.uninsured_value.tolist() == [[119, 100, 7]] * 2
    assert counting.liability.tolist() == [np.inf, np.inf]
    assert (counting.group_pool == -1).all()
    assert (counting.country_pool == -1).all()
    assert counting.n_pools == 0


@pytest.mark.parametrize(
    ("terms", "line", "weight"),
    [
        ({"insured_percentage": 0.1}, {}, [0.1, 0.1]),
        ({"insured_percentage": 0.1}, {"insured_value": "indemnifiable", "full_cover": 0.05}, [0.1, 0.1]),
        ({"discretionary_percentage": 0.4}, {"full_cover": 0.8}, [1, 0.5]),
        ({"insured_percentage": {"insolvency": 0.9, "protracted_default": 0.6}}, {}, [0.6, 0.6]),
        ({"countries": {"DE": {"insured_percentage": 0.7}}}, {}, [0.7, 0.9]),
    ],
)
def test_weight_is_the_insured_percentage_a_bank_can_count_on(terms, line, weight):
    counting, _ = base_of([COVER | {"loss_payee": True} | terms], line)
    assert counting.insured.tolist() == [[True, False, True]]
    assert counting.weight[0, [0, 2]].tolist() == pytest.approx(weight)


def test_who_is_not_insured_counts_as_uninsured():
    for terms in (
        {"insured_percentage": 0, "discretionary_percentage": 0},
        {"insured_percentage": {"insolvency": 0.9, "protracted_default": 0}},
        {"buyers": {"ids": ["B1"]}},  # its limit is zero
    ):
        counting, base = base_of([NONE, COVER | {"loss_payee": True} | terms])
        assert base.of_programme.tolist() == [0, 0]
        assert counting.insured.tolist() == [[False] * 3]


def test_limits_that_are_shared():
    """The group's largest limit, a country's maximum and the maximum liability, first loss not yet taken off."""
    policy = COVER | {"loss_payee": True, "shared_limits": True, "maximum_liability": 400,
                      "countries": {"DE": {"maximum": 250}}}  # fmt: skip
    counting, _ = base_of([NONE, policy], {"insured_value": "indemnifiable"}, groups=("G", "", "G"))
    assert counting.group_pool.tolist() == [[-1] * 3, [1, -1, 1]]
    assert counting.limit[counting.segments[1, [0, 2]]].tolist() == [300, 300]
    assert counting.country_pool.tolist() == [[-1] * 3, [2, -1, -1]]
    assert counting.country_maximum[1, 0] == 250
    assert counting.liability.tolist() == [np.inf, 440]
    assert counting.n_pools == 3
    counting, _ = base_of([policy | {"shared_limits": False, "countries": {}}], {"within_maximum_liability": False})
    assert (counting.liability.tolist(), counting.n_pools) == ([np.inf], 0)
    counting, _ = base_of([policy], {"uninsured_rest": "ineligible"})
    assert not counting.rest.any()
    assert counting.liability.tolist() == [400]


def test_what_a_bank_counts():
    counting, _ = base_of([NONE], {"foreign": True})
    assert counting.counts.tolist() == [[True, True, True]]
    counting, _ = base_of([NONE], types=("company", "company", "related"))
    assert counting.counts.tolist() == [[True, False, False]], "never debts of related companies"
    counting, _ = base_of([NONE], disputed=[0])
    assert counting.value.tolist() == [[0, 100, 7]]
    counting, _ = base_of([NONE], {"disputed": True}, disputed=[0])
    assert counting.value.tolist() == [[119, 100, 7]]


def test_terms_of_the_base():
    counting, base = base_of(
        [COVER | {"loss_payee": True, "vat_covered": True, "insured_percentage": "90 %",
                  "discretionary_percentage": 0.8,
                  "limit_changes": {"annual_probability": 0.05, "to": 0.5, "notice": 14}}],
        {"insured_value": "indemnifiable", "maximum_overdue": 60, "cross_ageing": 0.1, "concentration": 0.25,
         "cancelled_limits": "run_off", "advance_rate": 0.7, "insured_advance_rate": 0.85},
    )  # fmt: skip
    assert base.first_loss.tolist() == [40]
    assert (base.advance_rate, base.insured_advance_rate, base.concentration) == (0.7, 0.85, 0.25)
    assert counting.weight[0, [0, 2]].tolist() == [0.9, 0.8]
    assert counting.value.tolist() == [[119, 100, 7]]
    assert counting.intensity[0] == pytest.approx(0.0512933)
    assert (counting.notice[0], counting.change_to[0]) == (14, 0.5)
    assert (counting.maximum_overdue, counting.ages_across, counting.cross_ageing) == (60, True, 0.1)
    assert (counting.run_off, counting.n_largest) == (True, 3)
    assert counting.period_end.tolist() == [7, 14]


def test_without_a_base_there_is_nothing():
    asked = study(programmes=[NONE], portfolio={"buyers": "buyers.csv"})
    counting, base = build_base(asked, None, None, None, None)
    assert len(counting.regime) == len(base.of_programme) == 0
    assert balance_bytes(counting, 52) == 0
    assert sum(values.nbytes for values in allocate_balances(counting, 1_000, 52)) == 0


def test_memory_is_counted():
    for terms in (
        {}, {"n_largest": 4}, {"ages_across": True}, {"n_pools": 5}, {"series_value": np.zeros((2, 50))},
    ):  # fmt: skip
        counting = no_balances(3, 10, 50)._replace(**terms)
        taken = sum(values.nbytes for values in allocate_balances(counting, 8, 52))
        assert balance_bytes(counting, 52) == taken / 8
        assert sum(values.nbytes for values in allocate_balances(counting, 8, 52, 4)) <= taken
