"""Pay runs and the arrays of the delays room."""

import datetime as dt

import numpy as np
import pytest

from simulator.delays.formulas import next_run, payment_day
from simulator.delays.plan import build_delays
from simulator.delays.runs import last_run_day, run_date, run_number, run_table
from simulator.errors import InputError
from simulator.streams import entity_key, tabulated
from simulator.study.calendar import Calendar
from simulator.study.schema import PayRuns
from tests.small_ledger import common_state, make_portfolio, make_study

FRIDAY = PayRuns(rule="weekly", weekday="friday")
MONTH_END = PayRuns(rule="month_end")


def test_run_dates():
    assert run_date(FRIDAY, dt.date(2026, 11, 2)) == dt.date(2026, 11, 6)
    assert run_date(FRIDAY, dt.date(2026, 11, 6)) == dt.date(2026, 11, 6)
    assert run_date(MONTH_END, dt.date(2028, 2, 10)) == dt.date(2028, 2, 29)
    assert run_date(MONTH_END, dt.date(2027, 2, 28)) == dt.date(2027, 2, 28)
    assert run_date(MONTH_END, dt.date(2027, 2, 1)) == dt.date(2027, 2, 28)
    assert run_date(PayRuns(), dt.date(2027, 2, 1)) == dt.date(2027, 2, 1)


@pytest.mark.parametrize("runs", [PayRuns(), MONTH_END, FRIDAY, PayRuns(rule="weekly", weekday="monday")])
def test_runs_never_come_before_the_raw_day_and_lie_on_run_days(runs):
    as_of = dt.date(2026, 10, 29)
    table = run_table(runs, as_of, -700, 900)
    rule = len(table) - 1
    for day in range(-700, 901):
        assert next_run(table, 0, 700, day) == day
        run = int(next_run(table, rule, 700, day))
        date = as_of + dt.timedelta(days=run)
        assert day <= run <= day + 30
        assert run_date(runs, date) == date
        if runs.rule == "weekly":
            assert date.strftime("%A").lower() == runs.weekday
            assert run - day < 7
        if runs.rule == "month_end":
            assert (date + dt.timedelta(days=1)).day == 1


@pytest.mark.parametrize("runs", [PayRuns(), MONTH_END, FRIDAY])
def test_last_run_and_run_numbers(runs):
    for offset in range(60):
        as_of = dt.date(2026, 10, 1) + dt.timedelta(days=offset)
        last = last_run_day(runs, as_of)
        date = as_of + dt.timedelta(days=last)
        assert last <= 0
        assert run_date(runs, date) == date
        assert run_date(runs, date + dt.timedelta(days=1)) > as_of
        number = run_number(runs, as_of)
        assert number == run_number(runs, run_date(runs, as_of)) >= 0
        assert run_number(runs, run_date(runs, as_of) + dt.timedelta(days=1)) > number


def build(payment, buyers=({},), invoices=(), shares=None, **extra):
    study = make_study(payment=payment, study={"as_of": extra.pop("as_of", "2026-10-30")})
    portfolio = make_portfolio(list(buyers), invoices)
    state = common_state(shares if shares is not None else [0.2] * len(buyers))
    return build_delays(study, portfolio, state, Calendar.of(study), **extra)


def test_location_and_scale_combine_buyer_study_and_stress():
    payment = {"delay": {"model": "none"}, "location": "3 days", "scale": 2.0}
    buyers = ({"delay_location_days": 10.0, "delay_scale": 1.5}, {})
    plan = build(payment, buyers, delay_shift=15, delay_multiplier=1.2)
    assert plan.location.tolist() == [28.0, 18.0]
    assert plan.scale == pytest.approx([3.6, 2.4])


def test_weights_square_to_one_and_no_common_state_becomes_own_noise():
    plan = build({"shares": {"systemic": 0.1, "credit": 0.2, "buyer": 0.3}}, ({}, {}), shares=[0.2, 0.0])
    assert plan.systemic == pytest.approx([np.sqrt(0.1), 0.0])
    total = plan.systemic**2 + plan.credit**2 + plan.buyer**2 + plan.own**2
    assert total == pytest.approx([1.0, 1.0])


def test_shares_up_to_exactly_one_are_allowed_and_above_refused():
    plan = build({"shares": {"systemic": 0.7, "credit": 0.2, "buyer": 0.1}})
    assert plan.own[0] == pytest.approx(0.0, abs=1e-5)
    with pytest.raises(InputError, match="together at most 1"):
        build({"shares": {"systemic": 0.7, "credit": 0.2, "buyer": 0.2}})


MODELS = [
    {"model": "mixture"},
    {"model": "student_t", "scale_days": 5.0, "degrees_of_freedom": 1.5},
    {"model": "empirical", "values": [-5.0, 0.0, 0.0, 3.0, 30.0]},
    {"model": "gamma", "shape": 0.5, "scale_days": 20.0},
]
RULES = [{}, {"rule": "weekly", "weekday": "monday"}, {"rule": "month_end"}]


@pytest.mark.parametrize("model", MODELS, ids=lambda m: m["model"])
@pytest.mark.parametrize("rule", RULES, ids=lambda r: r.get("rule", "none"))
def test_lower_score_separates_paid_from_unpaid(model, rule):
    """Just above an open item's lower score its run comes after today, just below it has come already."""
    dues = [-400, -120, -31, -30, -29, -7, -3, -1, 0, 2, 25]
    invoices = [(0, due - 60, due, 0, 100.0, True) for due in dues]
    plan = build({"delay": model, "pay_runs": rule, "location": 1, "scale": 1.3}, invoices=invoices)
    for i, due in enumerate(sorted(dues)):
        lower = plan.lower_score[i]

        def run_after(score, due=due):
            delay = plan.location[0] + plan.scale[0] * tabulated(plan.quantile, 0, score)
            return next_run(plan.run_day, plan.run_rule[0], plan.run_offset, payment_day(due, due - 60, delay, -9999))

        if lower > -6.5:
            assert run_after(lower - 1e-6) <= 0
        if lower < 6.5:
            assert run_after(max(lower, -6.5) + 1e-6) >= 1


def test_open_items_that_could_not_have_been_paid_yet_and_planned_ones_are_not_conditioned():
    invoices = [(0, 5, 35, 0, 1.0, False), (0, -3, 30, 0, 1.0, True)]
    plan = build({"pay_runs": {"rule": "month_end"}}, invoices=invoices, as_of="2026-10-15")
    assert np.all(np.isneginf(plan.lower_score))


def test_one_draw_per_invoice_or_per_buyer_and_run():
    # 30 October 2026 is a Friday: days 1 … 7 belong to the run of day 7
    invoices = [(0, -30, 1, 0, 1.0, True), (0, -20, 7, 0, 1.0, True), (0, -10, 8, 0, 1.0, True), (1, 0, 3, 0, 1.0, 0)]
    per_invoice = build({}, ({}, {}), invoices)
    assert len(set(per_invoice.draw_entity.tolist())) == 4
    assert not per_invoice.draw_index.any()
    runs = {"rule": "weekly", "weekday": "friday", "draw": "run"}
    per_run = build({"pay_runs": runs}, ({}, {}), invoices)
    assert per_run.draw_entity.tolist() == [entity_key("buyer:B0")] * 3 + [entity_key("buyer:B1")]
    first, second, third, other = per_run.draw_index.tolist()
    assert first == second == other
    assert third == first + 1


def test_plan_arrays_have_the_agreed_types():
    plan = build({}, ({}, {}), [(0, -30, 1, 0, 1.0, True)])
    assert plan.run_day.dtype == plan.run_rule.dtype == plan.draw_index.dtype == np.int32
    assert plan.draw_entity.dtype == np.uint64
    assert plan.quantile.dtype == plan.location.dtype == plan.lower_score.dtype == np.float64
    assert build({}).lower_score.shape == (0,)
