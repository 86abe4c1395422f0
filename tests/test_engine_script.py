"""Scripts: payments split invoices, recoveries split what is lost, and the rooms book what is told."""

import datetime as dt

import numpy as np
import pytest

import simulator
from simulator.engine.block import run_block
from simulator.engine.check import check_study
from simulator.engine.model import build_model
from simulator.engine.script import build_script, scripted_rates
from simulator.engine.script_parts import NEVER as NEVER_HERE
from simulator.engine.script_parts import WITHHELD, Part, fates
from simulator.errors import InputError
from simulator.jit import NEVER
from simulator.losses.balances import allocate_balances
from simulator.losses.regimes import if_several, rows_needed
from simulator.losses.rows import allocate_events, allocate_rows, allocate_scratch
from simulator.losses.script_kernels import follow_script
from simulator.study.calendar import Calendar
from tests.balance_cases import plain_rows, random_views
from tests.scripts import scripted, small
from tests.test_losses import compare_rows
from tests.test_losses_regimes import trading_study
from tests.twins import losses as twin


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


@pytest.mark.parametrize("seed", range(10))
def test_kernel_equals_its_twin_and_what_the_script_foresaw(seed, tmp_path):
    """Bit for bit; and what the script counted as lost, when it shared out recoveries, is what the ledger loses."""
    model = build_model(simulator.load_study(scripted(tmp_path, seed)))
    n, plan, horizon = 4, model.script.plan, model.calendar.horizon_days
    rates = np.repeat(model.script.rates[None], n, axis=0)
    views = tuple(v % model.regime.count for v in range(seed % 4))
    counting = random_views(np.random.default_rng(seed), model.book, model.clock, views)
    found = []
    for follow, allocate in ((follow_script, allocate_balances), (twin.follow_script, plain_rows)):
        rows, events = allocate_rows(n, model.calendar.n_periods), allocate_events(n, 200)
        scratch = allocate_scratch(n, model.longest, model.n_groups)
        balances = allocate(counting, n, model.calendar.n_periods)
        follow(
            plan, model.keys, rates, np.empty((n, 0), np.int32), model.cash_side.delay, model.cash_side.transfer,
            model.rules, model.clock, model.book, if_several(model.regime), rows, events, scratch,
            *((counting, balances) if views else (None, None)),
        )  # fmt: skip
        found.append((rows, events, balances))
    compare_rows(*found)
    rows, events, _ = found[0]
    listed = events.invoice[0, : events.n_events[0]]
    lost_on = dict(zip(listed.tolist(), events.loss_day[0, : len(listed)].tolist(), strict=True))
    parts = [Part(i, a, d) for i, (a, d) in enumerate(zip(model.book.amount, plan.paid_day.tolist(), strict=True))]
    payment, stop = model.study.payment, model.study.payment.stop_shipment_after
    expected = fates(
        parts, model.portfolio.invoices, plan.default_day, payment.protracted_default.after.days,
        NEVER if stop is None else stop.days, horizon,
    )  # fmt: skip
    assert {i: d for i, d in lost_on.items() if d != NEVER} == {i: d for i, d in enumerate(expected) if 0 < d < NEVER}
    withheld = sum(v for v, d in zip(model.book.book_value, expected, strict=True) if d == WITHHELD)
    assert rows.stopped[0].sum() == pytest.approx(withheld)
    assert rows.billed[0] + rows.fx_result[0] == pytest.approx(
        rows.collected[0] + rows.recovered[0] + rows.gross_loss[0] + rows.outstanding[0] + rows.conceded[0]
    )
    assert not (plan.recovery[[i for i, d in enumerate(expected) if not 0 < d < NEVER]]).any()
    assert (plan.receipt_day != NEVER).sum() == (plan.recovery > 0).sum()


def traded(folder, seed, lending=False):
    """A random script in which programmes trade in every way and limits change, as a model; a bank may lend on it."""
    changes = {"portfolio": {"sales": {"mode": "steady_state"}}, "payment": {"stop_shipment_after": None}}
    study = scripted(folder, seed, **changes)
    (folder / "other").mkdir()
    rng = np.random.default_rng(seed)
    study["programmes"] = trading_study(folder / "other", seed)["programmes"]
    study["script"]["limits"] = [
        {"buyer": b, "on": f"{int(rng.integers(1, 170))} days", "limit": float(rng.choice([0, 20_000, 60_000]))}
        for b in (f"B{b:03d}" for b in range(12))
    ]
    if lending:
        study["liquidity"]["credit_line"]["borrowing_base"] = {"maximum_overdue": "60 days", "foreign": True}
    return build_model(simulator.load_study(study))


@pytest.mark.parametrize("seed", range(6))
def test_regimes_of_a_script_equal_their_twin(seed, tmp_path):
    """Bit for bit, common rows and balances included; the seller stops where a limit falls, and only there."""
    model = traded(tmp_path, seed)
    regime, n = model.regime, 4
    counting = random_views(np.random.default_rng(seed), model.book, model.clock, range(regime.count))
    found = []
    for follow, allocate in ((follow_script, allocate_balances), (twin.follow_script, plain_rows)):
        rows = allocate_rows(n * rows_needed(regime), model.calendar.n_periods, model.balances)
        events = allocate_events(n * regime.count, 400)
        scratch = allocate_scratch(n, model.longest, model.n_groups, regime.count)
        balances = allocate(counting, n, model.calendar.n_periods)
        follow(
            model.script.plan, model.keys, np.repeat(model.script.rates[None], n, axis=0), np.empty((n, 0), np.int32),
            model.cash_side.delay, model.cash_side.transfer, model.rules, model.clock, model.book, regime, rows, events,
            scratch, counting, balances,
        )  # fmt: skip
        found.append((rows, events, balances))
    compare_rows(*found)
    assert set(np.unique(regime.accepted)) <= {0.0, 1.0}
    assert set(regime.take_up) <= {0.0, 1.0}
    told = np.isfinite(regime.told_allowed).any(axis=(1, 2))
    assert not told[: regime.of_programme[4]].any()
    assert not np.isfinite(regime.allowed).any(), "nothing is drawn"
    as_written, stops = (found[0][0].stopped[g * n].sum() for g in (0, regime.of_programme[4]))
    assert stops > as_written
    assert found[0][1].n_events.max() <= 400


def test_event_lists_that_are_too_short(tmp_path):
    """A block that overflows its lists, of whatever length, is run again and is the same."""
    model = traded(tmp_path, 3, lending=True)
    enough = run_block(model, 0, 4, 400)
    assert 3 < enough.events.n_events.max() <= 400
    assert enough.events.stopped_count.max() > 3
    assert (enough.cash.borrowing_base > 0.0).any()
    for capacity in (1, 2, 3):
        block = run_block(model, 0, 4, capacity)
        for name, values in enough.ledger._asdict().items():
            assert values.tobytes() == getattr(block.ledger, name).tobytes(), name
        assert (enough.events.n_events == block.events.n_events).all()
        assert enough.cash.borrowing_base.tobytes() == block.cash.borrowing_base.tobytes(), "balances are counted once"
        assert enough.policy.indemnity.tobytes() == block.policy.indemnity.tobytes()


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


def test_one_scenario_whatever_its_number(tmp_path):
    """Every row of every block is the same scenario, of weight one."""
    model = build_model(simulator.load_study(scripted(tmp_path, 3)))
    first, later = run_block(model, 0, 4, 64), run_block(model, 400, 8, 2)
    assert (first.states.weight == 1.0).all()
    for name in ("gross_loss", "collected", "billed"):
        values = [*getattr(first.ledger, name), *getattr(later.ledger, name)]
        assert len(set(values)) == 1


IN_A_SCRIPT = "one scripted scenario: nothing is drawn, and simulation.scenarios is not used"
CHANGES = {"limit_changes": {"annual_probability": "2 %"}}
LIMITS = {"limits": [{"buyer": "A", "on": "4 weeks", "limit": 0, "programmes": ["Policy"]}]}


@pytest.mark.parametrize(
    ("policy", "script", "sections", "expected"),
    [
        ({}, {}, {}, []),
        ({}, {}, {"payment": {"delay": {"model": "none"}, "location": 5}, "credit": {"recovery": {"mean": 0.5}},
                  "simulation": {"tail": "importance"}},
         ["without effect in a script: credit.recovery.mean, payment.delay, payment.location, fx.model, "
          "simulation.tail"]),
        (CHANGES, {}, {}, ["Policy: limit_changes has no effect in a script: script.limits tells what changes"]),
        (CHANGES, LIMITS, {},
         ["Policy: of limit_changes only seller has an effect in a script: script.limits tells what changes"]),
        ({"limit_changes": {"seller": "continues"}}, LIMITS, {},
         ["Policy: limit_changes has no effect in a script: script.limits tells what changes"]),
        ({"early_payment_discount": {}, "prepayment": {}}, {}, {},
         ["Policy: prepayment.accepted is a chance: in a script everybody agrees",
          "Policy: early_payment_discount.take_up is a chance: in a script nobody takes the discount"]),
        ({"early_payment_discount": {"take_up": 0.5}, "letter_of_credit": {"accepted": 0.4}}, {}, {},
         ["Policy: letter_of_credit.accepted is a chance: in a script nobody agrees, so nobody is supplied",
          "Policy: early_payment_discount.take_up is a chance: in a script everybody takes the discount"]),
        ({"early_payment_discount": {"take_up": 1}, "prepayment": {"accepted": 0}}, {}, {}, []),
        ({"insurer": {"rating": "A"}, "notification": {"missed": 0.1}}, {}, {},
         ["Policy: insurer has no effect: in a script no insurer fails",
          "Policy: notification.missed has no effect: in a script no notification is missed"]),
    ],
)  # fmt: skip
def test_what_has_no_effect_in_a_script_is_noted(policy, script, sections, expected, tmp_path):
    programmes = [{"name": "None", "type": "none"}, {"name": "Policy", "type": "whole_turnover"} | policy]
    fx = {"fx": {"model": "gbm" if not sections else "none", "rates": {"USD": 0.9}}}
    study = small(tmp_path, script, **({"programmes": programmes} | fx | sections))
    notes = check_study(study).profile["notes"]
    assert notes[notes.index(IN_A_SCRIPT) + 1 :] == expected


def test_an_excess_of_loss_whose_limits_a_script_changes_is_noted(tmp_path):
    noted = "Policy: insurers can seldom take back limits of an excess of loss; script.limits changes them all the same"
    programmes = [{"name": "None", "type": "none"}, {"name": "Policy", "type": "excess_of_loss"}]
    for limits, expected in ((LIMITS, True), ({}, False)):
        assert (noted in check_study(small(tmp_path, limits, programmes=programmes)).profile["notes"]) == expected


@pytest.mark.parametrize(
    ("change", "refused"),
    [
        ({"limit": 0}, True),
        ({"limit": 49_999}, True),
        ({"limit": 50_000}, False),
        ({"limit": 60_000}, False),
        ({"limit": 0, "buyer": "B"}, False),  # may be cancelled
        ({"limit": 0, "programmes": ["By column"]}, False),
        ({"limit": 0, "programmes": ["By column", "Policy"]}, True),
        ({"limit": 0, "on": "2027-02-01"}, False),  # the later limit, 10,000, may be cancelled
    ],
)
def test_a_script_takes_back_no_limit_that_is_not_cancellable(change, refused, tmp_path):
    limits = tmp_path / "limits.csv"
    lines = ["buyer_id,limit,from,cancellable", "A,50000,,no", "A,10000,2027-01-31,yes", "B,50000,,yes"]
    limits.write_text("\n".join(lines) + "\n", encoding="utf-8")
    programmes = [
        {"name": "Policy", "type": "whole_turnover", "limits": str(limits)},
        {"name": "By column", "type": "whole_turnover"},
    ]
    told = [{"buyer": "C", "on": "4 weeks", "limit": 0}, {"buyer": "A", "on": "4 weeks"} | change]
    study = small(tmp_path, {"limits": told}, programmes=programmes)
    if not refused:
        check_study(study)
        return
    with pytest.raises(InputError, match="limit of Policy, which its file says is not cancellable") as caught:
        check_study(study)
    assert [problem.path for problem in caught.value.problems] == ["script.limits[1].limit"]


def test_without_a_script_nothing_of_it_is_noted(tmp_path):
    assert not [note for note in check_study(small(tmp_path)).profile["notes"] if "script" in note]


def test_importance_sampling_changes_nothing_in_a_script(tmp_path):
    one, other = (
        run_block(build_model(small(tmp_path, {"failures": {"A": "5 weeks"}}, simulation={"tail": tail})), 0, 4, 64)
        for tail in ("plain", "importance")
    )
    assert one.ledger.gross_loss.tobytes() == other.ledger.gross_loss.tobytes()
    assert other.states.weight.tolist() == [1.0] * 4


def test_never_is_never():
    assert NEVER_HERE == NEVER


def test_days_are_dates_or_lengths(tmp_path):
    for moment in ("2027-01-08", "70 days", "10 weeks", dt.date(2027, 1, 8)):
        model = build_model(small(tmp_path, {"failures": {"A": moment}}))
        assert model.script.plan.default_day.tolist() == [70, NEVER, NEVER]
