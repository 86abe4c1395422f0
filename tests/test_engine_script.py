"""Scripts: payments split invoices, recoveries split what is lost, and what cannot happen is refused."""

import datetime as dt

import numpy as np
import pytest

import simulator
from simulator.engine.model import build_model
from simulator.engine.script import build_script, scripted_rates
from simulator.engine.script_parts import NEVER as NEVER_HERE
from simulator.errors import InputError
from simulator.jit import NEVER
from simulator.study.calendar import Calendar
from tests.scripts import scripted, small


def told(tmp_path, script, **sections):
    """(invoice, amount, paid, recovery, receipt) of each piece."""
    model = build_model(small(tmp_path, script, **sections))
    plan, invoices = model.script.plan, model.portfolio.invoices
    return {
        name: (round(amount, 6), *days)
        for name, amount, *days in zip(
            invoices.invoice_id, invoices.amount.tolist(), plan.paid_day.tolist(), plan.recovery.tolist(),
            plan.receipt_day.tolist(), strict=True,
        )
    }  # fmt: skip


def paid(tmp_path, script, **sections):
    return {name: values[:2] for name, values in told(tmp_path, script, **sections).items()}


def test_nothing_told_is_paid_when_due(tmp_path):
    """What is overdue already is paid on the first day."""
    assert paid(tmp_path, {}) == {
        "A1": (1000, 10), "A2": (2000, 25), "A3": (500, 25), "A4": (4000, 60), "B1": (3000, 20), "B2": (700, 70),
        "C1": (400, 1),
    }  # fmt: skip


def test_never_pays(tmp_path):
    assert {day for _, day in paid(tmp_path, {"otherwise": "never_pays"}).values()} == {NEVER}


def test_a_buyer_that_fails_pays_what_falls_due_before(tmp_path):
    days = paid(tmp_path, {"failures": {"A": "25 days"}})
    assert [days[name][1] for name in ("A1", "A2", "A3", "A4")] == [10, 25, 25, NEVER]
    days = paid(tmp_path, {"failures": {"A": "2026-11-23"}})
    assert [days[name][1] for name in ("A1", "A2", "A3", "A4")] == [10, NEVER, NEVER, NEVER]


def test_a_buyer_may_stop_paying_before_it_fails(tmp_path):
    """A week before day 25 is day 18: A1, due on day 10, is the last it pays. Others are paid on."""
    days = paid(tmp_path, {"failures": {"A": "25 days"}, "stops_paying": "1 week"})
    assert [days[name][1] for name in ("A1", "A2", "A3", "A4")] == [10, NEVER, NEVER, NEVER]
    assert days["B2"][1] == 70


def test_a_payment_pays_the_oldest_invoices_and_leaves_the_rest_unpaid(tmp_path):
    """2,200 on day 30: A1 (due 10) in full, then 1,200 of A2 (due 25, before A3 in the ledger)."""
    found = paid(tmp_path, {"payments": [{"buyer": "A", "on": "30 days", "amount": 2200}]})
    assert found["A1"] == (1000, 30)
    assert found["A2/1"] == (1200, 30)
    assert found["A2/2"] == (800, NEVER)
    assert found["A3"] == (500, 25), "not mentioned"


def test_payments_arrive_in_their_order(tmp_path):
    script = {
        "payments": [{"buyer": "A", "on": "40 days", "amount": 300}, {"buyer": "A", "on": "9 days", "amount": 900}]
    }
    found = paid(tmp_path, script)
    assert found["A1/1"] == (900, 9)
    assert found["A1/2"] == (100, 40)
    assert found["A2/1"] == (200, 40)


def test_what_no_payment_reaches_is_as_otherwise_says(tmp_path):
    """One line for A pays A1 in part: its other invoices are paid when due, or never."""
    script = {"payments": [{"buyer": "A", "on": "30 days", "amount": 400}]}
    found = paid(tmp_path, script)
    assert (found["A1/1"], found["A1/2"]) == ((400, 30), (600, NEVER))
    assert [found[name][1] for name in ("A2", "A3", "A4")] == [25, 25, 60]
    found = paid(tmp_path, script | {"otherwise": "never_pays"})
    assert [found[name][1] for name in ("A1/2", "A2", "A3", "A4")] == [NEVER] * 4


def test_a_payment_may_name_its_invoice(tmp_path):
    """Named payments come first, so that the others find what is left."""
    script = {
        "payments": [
            {"buyer": "A", "on": "30 days", "amount": 1100},
            {"buyer": "A", "on": "31 days", "amount": 400, "invoice": "A1"},
        ]
    }
    found = paid(tmp_path, script)
    assert (found["A1/1"], found["A1/2"]) == ((600, 30), (400, 31))
    assert found["A2/1"] == (500, 30)


def test_pieces_keep_days_and_their_part_of_the_tax(tmp_path):
    model = build_model(small(tmp_path, {"payments": [{"buyer": "A", "on": "30 days", "amount": 250}]}))
    invoices = model.portfolio.invoices
    assert invoices.invoice_id[:2] == ["A1/1", "A1/2"]
    assert invoices.vat[:2].tolist() == [40.0, 120.0]
    assert invoices.issue_day[:2].tolist() == [-20, -20]
    assert invoices.due_day[:2].tolist() == [10, 10]
    assert len(set(invoices.entity.tolist())) == len(invoices)


def test_recoveries_split_what_is_lost_in_proportion(tmp_path):
    """A fails on day 20 owing A2 2,000 and A3 500; 250 on day 100 and 500 on day 200: 30 % back, one third first."""
    script = {
        "failures": {"A": "20 days"},
        "recoveries": [
            {"buyer": "A", "on": "200 days", "amount": 500},
            {"buyer": "A", "on": "100 days", "share": "10 %"},
        ],
    }
    found = told(tmp_path, script)
    assert found["A2/1"] == (pytest.approx(2000 / 3), NEVER, pytest.approx(0.3), 100)
    assert found["A2/2"] == (pytest.approx(4000 / 3), NEVER, pytest.approx(0.3), 200)
    assert found["A3/2"] == (pytest.approx(1000 / 3), NEVER, pytest.approx(0.3), 200)
    assert found["A1"] == (1000, 10, 0.0, NEVER)
    assert found["A4"] == (4000, NEVER, 0.0, NEVER), "never shipped, so never lost"


def test_a_recovery_is_for_debts_lost_by_then(tmp_path):
    """B never pays: B1 is lost on day 200, B2 on day 250; 300 on day 210 are all for B1."""
    script = {"otherwise": "never_pays", "recoveries": [{"buyer": "B", "on": "210 days", "amount": 300}]}
    found = told(tmp_path, script)
    assert found["B1"] == (3000, NEVER, pytest.approx(0.1), 210)
    assert found["B2"] == (700, NEVER, 0.0, NEVER)


def test_rates_hold_from_their_week(tmp_path):
    """Day 15 lies in week 3; until then the spot, from the second entry on its rate."""
    script = {
        "rates": [
            {"currency": "USD", "on": "200 days", "rate": 1.5},
            {"currency": "USD", "on": "15 days", "rate": 0.8},
        ]
    }
    loaded = small(tmp_path, script)
    rates = scripted_rates(loaded.study, ["EUR", "USD"], np.array([1.0, 0.9]), Calendar.of(loaded.study))
    assert rates.shape == (2, 53)
    assert (rates[0] == 1.0).all()
    assert rates[1, [0, 2, 3, 28, 29, 52]].tolist() == [0.9, 0.9, 0.8, 0.8, 1.5, 1.5]


def test_limits_by_programme(tmp_path):
    script = {
        "limits": [
            {"buyer": "B", "on": "30 days", "limit": "10 k"},
            {"buyer": "A", "on": "2026-11-09", "limit": 0, "programmes": ["Policy"]},
        ]
    }
    loaded = small(tmp_path, script)
    model = build_model(loaded)
    limits = build_script(loaded.study, model.portfolio, model.calendar).limits
    assert [tuple(limit) for limit in limits] == [(None, 1, 30, 10_000.0), (1, 0, 10, 0.0)]


@pytest.mark.parametrize(
    ("script", "place", "words"),
    [
        ({"failures": {"Ash": "3 weeks"}}, "script.failures.Ash", "no buyer of the ledger"),
        ({"failures": {"a": "3 weeks"}}, "script.failures.a", "did you mean A?"),
        ({"failures": {"A": "0 days"}}, "script.failures.A", "after the ledger's date, 2026-10-30"),
        ({"failures": {"A": "2028-01-01"}}, "script.failures.A", "ends on 2027-10-29 (day 364)"),
        ({"payments": [{"buyer": "X", "on": "1 week", "amount": 1}]}, "script.payments[0].buyer", "no buyer"),
        (
            {"payments": [{"buyer": "A", "on": "1 week", "amount": 4000}]},
            "script.payments[0].amount",
            "500.00 more than is unpaid by then",
        ),
        (
            {"failures": {"A": "5 days"}, "payments": [{"buyer": "A", "on": "6 days", "amount": 1}]},
            "script.payments[0].on",
            "a recovery",
        ),
        (
            {"payments": [{"buyer": "A", "on": "1 week", "amount": 1, "invoice": "A9"}]},
            "script.payments[0].invoice",
            "no invoice of this number; its invoices are A1, A2",
        ),
        (
            {"payments": [{"buyer": "A", "on": "1 week", "amount": 1, "invoice": "A4"}]},
            "script.payments[0].on",
            "issued later, on 2026-11-29",
        ),
        (
            {"payments": [{"buyer": "B", "on": "1 week", "amount": 1, "currency": "EUR"}]},
            "script.payments[0].currency",
            "what it pays is in USD",
        ),
        (
            {"recoveries": [{"buyer": "A", "on": "8 weeks", "amount": 1}]},
            "script.recoveries[0].on",
            "no debt of this buyer is lost by then",
        ),
        (
            {"failures": {"A": "1 week"}, "recoveries": [{"buyer": "A", "on": "8 weeks"}]},
            "script.recoveries[0].buyer",
            "either an `amount` or a `share`",
        ),
        (
            {"failures": {"A": "1 week"}, "recoveries": [{"buyer": "A", "on": "8 weeks", "amount": 3600}]},
            "script.recoveries[0].amount",
            "only 3,500.00 EUR",
        ),
        (
            {
                "failures": {"A": "1 week"},
                "recoveries": [
                    {"buyer": "A", "on": "8 weeks", "share": 0.6},
                    {"buyer": "A", "on": "9 weeks", "share": 0.6},
                ],
            },
            "script.recoveries[1].buyer",
            "more than the debts they are for",
        ),
        ({"rates": [{"currency": "CHF", "on": "1 week", "rate": 1}]}, "script.rates[0].currency", "than EUR: USD"),
        (
            {"limits": [{"buyer": "A", "on": "1 week", "limit": 0, "programmes": ["None"]}]},
            "script.limits[0].programmes[0]",
            "no policy",
        ),
    ],
)  # fmt: skip
def test_what_cannot_happen_is_refused_at_its_place(tmp_path, script, place, words):
    with pytest.raises(InputError) as error:
        build_model(small(tmp_path, script))
    (problem,) = error.value.problems
    assert problem.path == place
    assert words in str(problem)


def test_several_currencies_of_one_buyer(tmp_path):
    """A payment says which; a recovery on debts in two currencies is a share."""
    plan = "buyer_id,invoice_id,issue_date,due_date,amount,currency\nA,U1,2026-11-01,2026-11-30,100,USD\n"
    script = {"failures": {"A": "20 days"}, "recoveries": [{"buyer": "A", "on": "60 days", "amount": 10}]}
    loaded = small(tmp_path, script)
    (tmp_path / "plan.csv").write_text(plan)
    with pytest.raises(InputError, match="debts in EUR and USD are lost"):
        build_model(loaded)
    loaded = small(tmp_path, {"payments": [{"buyer": "A", "on": "60 days", "amount": 10}]})
    (tmp_path / "plan.csv").write_text(plan)
    with pytest.raises(InputError, match="say with `currency`"):
        build_model(loaded)


def test_a_payment_for_goods_that_are_never_shipped(tmp_path):
    """C pays nothing; 60 days past due nothing more is shipped to it."""
    (tmp_path / "more").mkdir()
    script = {"otherwise": "never_pays", "payments": [{"buyer": "A", "on": "100 days", "amount": 50, "invoice": "A4"}]}
    loaded = small(tmp_path, script, payment={"stop_shipment_after": "10 days"})
    with pytest.raises(InputError, match="A4 is never shipped"):
        build_model(loaded)


def test_constant_exposures_have_no_script(tmp_path):
    (tmp_path / "b.csv").write_text("buyer_id,exposure,pd_annual\nA,100,1 %\n")
    study = {
        "study": {"title": "T", "as_of": "2026-10-30", "currency": "EUR"},
        "portfolio": {"exposure": "constant", "buyers": str(tmp_path / "b.csv")},
        "credit": {"pd": {"source": "column"}},
        "programmes": [{"name": "None", "type": "none"}],
        "script": {"failures": {"A": "10 weeks"}},
    }
    with pytest.raises(InputError, match="has no meaning with `exposure: constant`"):
        build_model(simulator.load_study(study))


@pytest.mark.parametrize("seed", range(4))
def test_pieces_add_up(seed, tmp_path):
    study = scripted(tmp_path, seed)
    model = build_model(simulator.load_study(study))
    whole = build_model(simulator.load_study({k: v for k, v in study.items() if k != "script"})).portfolio.invoices
    invoices = model.portfolio.invoices
    names = [name.split("/")[0] if name not in whole.invoice_id else name for name in invoices.invoice_id]
    for b in range(len(model.portfolio.buyers)):
        for name in {whole.invoice_id[i] for i in np.flatnonzero(whole.buyer == b)}:
            pieces = [i for i in np.flatnonzero(invoices.buyer == b) if names[i] == name]
            (i,) = (i for i in np.flatnonzero(whole.buyer == b) if whole.invoice_id[i] == name)
            assert invoices.amount[pieces].sum() == pytest.approx(whole.amount[i], rel=1e-12)
            assert invoices.amount[pieces].min() > 0
            assert invoices.vat[pieces].sum() == pytest.approx(whole.vat[i])


def test_never_is_never():
    assert NEVER_HERE == NEVER


def test_days_are_dates_or_lengths(tmp_path):
    for moment in ("2027-01-08", "70 days", "10 weeks", dt.date(2027, 1, 8)):
        model = build_model(small(tmp_path, {"failures": {"A": moment}}))
        assert model.script.plan.default_day.tolist() == [70, NEVER, NEVER]
