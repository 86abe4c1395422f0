"""Transfer events: probabilities, timing, dependence on the country's driver, devaluation, and who can have one."""

import math

import numpy as np
import pytest

from simulator.errors import InputError
from simulator.fx.countries import annual_table
from simulator.fx.transfer import build_transfer, draw_transfers
from simulator.jit import NEVER
from simulator.study.calendar import Calendar
from tests.small_ledger import make_portfolio, make_study

LIMIT = 4.5
N = 200_000


def build(countries, currencies=("EUR",), drivers=("global",), study=None, **transfer):
    made = make_study(study=study or {}, transfer=transfer)
    portfolio = make_portfolio([{"country": c} for c in countries], currencies=currencies)
    return build_transfer(made, portfolio, list(drivers), Calendar.of(made))


def test_table_has_the_classes_of_the_sources():
    table = annual_table()
    assert len(table) > 100
    for country, probability in {
        "DE": 0.0002, "SG": 0.0002, "CN": 0.001, "IN": 0.002, "BR": 0.004, "TR": 0.008, "EG": 0.015, "AR": 0.04,
    }.items():  # fmt: skip
        assert table[country] == probability


def test_only_countries_with_a_probability_are_listed():
    plan = build(["TR", "DE", "", "TR", "BR"], annual_probability={"TR": 0.1, "BR": 0.0, "AR": 0.5})
    assert plan.probability.tolist() == pytest.approx([1 - 0.9 ** (364 / 365)])
    assert plan.buyer_country.tolist() == [0, -1, -1, 0, -1]
    assert build(["TR", "DE"]).probability.shape == (0,)


def test_table_probabilities_and_unknown_countries():
    plan = build(["BR", "CN"], table="oecd_2026")
    assert plan.probability == pytest.approx([1 - (1 - p) ** (364 / 365) for p in (0.004, 0.001)])
    with pytest.raises(InputError) as caught:
        build(["BR", "KM", "XK"], table="oecd_2026")
    assert [p.path for p in caught.value.problems] == [
        "transfer.annual_probability.KM",
        "transfer.annual_probability.XK",
    ]
    assert len(build(["BR", "KM"], table="oecd_2026", annual_probability={"KM": 0.0}).probability) == 1


def test_the_home_country_does_not_block_its_own_payments_unless_told_so():
    home = {"currency": "CNY"}
    assert build(["CN", "BR"], ("CNY",), study=home, table="oecd_2026").buyer_country.tolist() == [-1, 0]
    given = build(["CN"], ("CNY",), study=home, annual_probability={"CN": 0.01})
    assert given.buyer_country.tolist() == [0]


def test_a_currency_belongs_to_the_country_it_is_named_after_the_euro_to_none():
    probabilities = dict.fromkeys(("BR", "US", "DE"), 0.1)
    plan = build(["BR", "US", "DE"], ("CNY", "BRL", "EUR", "USD", "XOF", "GBP"), annual_probability=probabilities)
    assert plan.currency_country.tolist() == [-1, 0, -1, 2, -1, -1]


def test_weight_duration_and_drivers():
    plan = build(["BR", "TR"], drivers=("global", "country:TR"), annual_probability={"BR": 0.1, "TR": 0.1},
                 systematic=0.25, duration="6 months", devaluation=0.4)  # fmt: skip
    assert (plan.weight, plan.duration, plan.devaluation) == (0.5, 181 + 1, 0.4)
    assert plan.driver.tolist() == [-1, 1]


@pytest.mark.parametrize("systematic", [0.0, 0.2, 1.0])
def test_frequency_and_timing_are_those_of_a_constant_hazard(systematic):
    p, horizon = 0.3, 364
    plan = build(["BR"], drivers=("global", "country:BR"), annual_probability={"BR": p}, systematic=systematic)
    drivers = np.random.default_rng(1).normal(size=(N, 2))
    rates = np.ones((N, 1, 2))
    start = draw_transfers(plan, 5, 0, drivers, rates, horizon)[:, 0]
    for day in (1, 30, 90, 182, 363, 364):
        expected = 1 - (1 - p) ** (day / 365)
        assert abs(np.mean(start <= day) - expected) < LIMIT * math.sqrt(expected * (1 - expected) / N)
    assert start[start != NEVER].max() <= horizon
    assert start.min() >= 1


def test_events_follow_the_country_s_driver_to_its_share():
    """Given its driver Z the event has probability Φ((Φ⁻¹(p) − √s·Z)/√(1 − s))."""
    from scipy.special import ndtr, ndtri

    plan = build(["BR"], drivers=("global", "country:BR"), annual_probability={"BR": 0.05}, systematic=0.4)
    for z in (-2.0, 1.0):
        drivers = np.tile([0.0, z], (N, 1))
        start = draw_transfers(plan, 6, 0, drivers, np.ones((N, 1, 2)), 364)
        expected = ndtr((ndtri(plan.probability[0]) - math.sqrt(0.4) * z) / math.sqrt(0.6))
        assert abs(np.mean(start != NEVER) - expected) < LIMIT * math.sqrt(expected * (1 - expected) / N)


def test_devaluation_hits_the_own_currency_from_the_event_on_and_no_other():
    plan = build(["BR"], ("EUR", "BRL", "USD"), annual_probability={"BR": 0.6}, devaluation=0.3)
    n = 400
    rates = np.full((n, 3, 53), 2.0)
    start = draw_transfers(plan, 7, 0, np.zeros((n, 1)), rates, 364)[:, 0]
    assert np.all(rates[:, [0, 2]] == 2.0)
    for i in range(n):
        first = 53 if start[i] == NEVER else (start[i] + 6) // 7
        assert np.all(rates[i, 1, :first] == 2.0)
        assert np.all(rates[i, 1, first:] == 2.0 * (1.0 - 0.3))


def test_first_scenarios_and_other_countries_do_not_matter():
    drivers = np.random.default_rng(2).normal(size=(400, 1))
    both = build(["BR", "TR"], annual_probability={"BR": 0.5, "TR": 0.5})
    one = build(["TR"], annual_probability={"TR": 0.5})
    whole = draw_transfers(both, 1, 0, drivers, np.ones((400, 1, 2)), 364)
    alone = draw_transfers(one, 1, 0, drivers, np.ones((400, 1, 2)), 364)
    assert np.all(whole[:, 1] == alone[:, 0])
    part = draw_transfers(both, 1, 200, drivers[200:], np.ones((200, 1, 2)), 364)
    assert np.all(part == whole[200:])
    none = draw_transfers(build(["DE"]), 1, 0, drivers, np.ones((400, 1, 2)), 364)
    assert none.shape == (400, 0)
