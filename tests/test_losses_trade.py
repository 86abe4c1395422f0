"""Other terms of trade, each by hand on a few invoices."""

import numpy as np
import pytest

from simulator.engine.model import build_model
from simulator.jit import NEVER
from simulator.losses import formulas, script_kernels
from simulator.losses.regimes import complete_rows, rows_needed
from simulator.losses.rows import LedgerRows, allocate_events, allocate_rows, allocate_scratch
from tests.regime_cases import identity, week
from tests.scripts import small

# --- by hand: the small study of tests/scripts.py, everything as told -----------------------------------------------
# A (EUR): A1 1,000 due on day 10, A2 2,000 and A3 500 due on day 25, A4 4,000 shipped on day 30, due on day 60.
# B (USD at 0.90): B1 3,000 due on day 20, B2 700 shipped on day 40, due on day 70. C (EUR): C1 400, due on day -10.


def trade(folder, programme, script=None, **sections):
    """Rows and events of a scripted study, by regime: [0] as written, [1] under the programme."""
    programmes = [{"name": "As today", "type": "none"}, {"name": "Safer", "type": "none"} | programme]
    model = build_model(small(folder, script or {}, programmes=programmes, **sections))
    assert model.regime.of_programme.tolist() == [0, 1]
    n, side = 4, model.cash_side
    rows = allocate_rows(n * rows_needed(model.regime), model.calendar.n_periods)
    events = allocate_events(n * model.regime.count, 20)
    scratch = allocate_scratch(n, model.longest, model.n_groups, model.regime.count)
    script_kernels.follow_script(
        model.script.plan, model.keys, np.repeat(model.script.rates[None], n, axis=0), np.empty((n, 0), np.int32),
        side.delay, side.transfer, model.rules, model.clock, model.book, model.regime, rows, events, scratch,
        None, None,
    )  # fmt: skip
    rows = complete_rows(rows, model.regime)
    identity(rows)
    return [{name: getattr(rows, name)[g * n] for name in LedgerRows._fields} for g in (0, 1)], events


def by_week(row, name="collections"):
    """{week: money} of what is not zero; week 0 holds days 1 … 7."""
    return {int(t): pytest.approx(float(row[name][t])) for t in np.flatnonzero(np.abs(row[name]) > 1e-9)}


def test_factoring_pays_at_once_and_bears_the_loss(tmp_path):
    """A fails on day 50 owing A4 (shipped on day 30). Sold to a factor: 80 % at once, the rest 90 days after due.

    The fee is 1 % of 4,000; interest runs from day 30 to day 150: 3,200 · 10 % · 120/365.
    """
    factoring = {"advance_rate": 0.8, "fee": 0.01, "interest": 0.1, "guarantee": "90 days", "buyers": {"ids": ["A"]}}
    (today, safer), events = trade(tmp_path, {"factoring": factoring}, {"failures": {"A": "50 days"}})
    assert today["gross_loss"] == 4000.0
    assert safer["gross_loss"] == 0.0
    assert by_week(safer)[week(30)] == 3200.0
    assert by_week(safer)[week(150)] == 800.0
    assert by_week(safer, "trade_cost") == {week(30): 40.0, week(150): 3200.0 * 0.1 * 120 / 365}
    assert events.n_events.tolist() == [1] * 4 + [0] * 4, "what is sold is no debt a policy could answer for"
    assert events.stopped_value[4, 0] == 4000.0, "nor turnover it insures"


def test_factoring_of_a_buyer_that_pays(tmp_path):
    """A4 is paid on its due day, 30 days after it was sold; A1 … A3 were not due on day 0: sold on day 1."""
    factoring = {"advance_rate": 0.5, "fee": 0.0, "interest": 0.073, "buyers": {"ids": ["A"]}, "open_items": True}
    (today, safer), _ = trade(tmp_path, {"factoring": factoring})
    flows = by_week(safer)
    assert flows[week(1)] == 500.0 + 1000.0 + 250.0 + 400.0, "half of the open items, and C1, which nobody bought"
    assert flows[week(10)] == 500.0
    assert flows[week(25)] == 1000.0 + 250.0
    assert flows[week(30)] == 2000.0
    assert flows[week(60)] == 2000.0
    days = 500 * 9 + 1250 * 24 + 2000 * 30
    assert safer["trade_cost"].sum() == pytest.approx(days * 0.073 / 365)
    assert safer["collected"] == pytest.approx(today["collected"])


def test_factoring_with_part_protection(tmp_path):
    """The factor bears 60 % of A4, but has advanced 80 %: on day 150 it takes back 20 %; the seller loses 40 %."""
    factoring = {"advance_rate": 0.8, "fee": 0.0, "interest": 0.0, "protection": 0.6, "buyers": {"ids": ["A"]}}
    recovery = [{"buyer": "A", "on": "200 days", "share": 0.25}]
    (_, safer), events = trade(
        tmp_path, {"factoring": factoring}, {"failures": {"A": "50 days"}, "recoveries": recovery}
    )
    assert by_week(safer)[week(30)] == 3200.0
    assert by_week(safer)[week(150)] == -800.0
    assert safer["gross_loss"] == 1600.0 * 0.75
    assert by_week(safer, "recoveries") == {week(200): 400.0}
    assert events.share[4, 0] == pytest.approx(0.4)
    assert events.loss[4, 0] == pytest.approx(1200.0)
    assert events.stopped_value[4, 0] == pytest.approx(2400.0)


def test_letter_of_credit_pays_when_due_whatever_the_buyer_does(tmp_path):
    """A fails on day 50: the bank pays A4 on day 60; A2 and A3, sold before on open account, are paid as told."""
    letter = {"fee": 0.02, "accepted": 1.0, "buyers": {"ids": ["A"]}}
    (today, safer), events = trade(tmp_path, {"letter_of_credit": letter}, {"failures": {"A": "50 days"}})
    assert today["gross_loss"] == 4000.0
    assert safer["gross_loss"] == 0.0
    assert by_week(safer)[week(60)] == 4000.0
    assert by_week(safer, "trade_cost") == {week(30): 80.0}
    assert events.n_events[4] == 0


def test_prepayment_is_money_on_the_day_of_issue(tmp_path):
    (today, safer), _ = trade(tmp_path, {"prepayment": {"accepted": 1.0, "buyers": {"ids": ["A", "B"]}}})
    assert by_week(safer)[week(30)] == 4000.0
    assert by_week(safer)[week(40)] == pytest.approx(630.0)
    assert safer["collected"] == pytest.approx(today["collected"])


def test_a_buyer_that_refuses_is_not_supplied(tmp_path):
    (_, safer), events = trade(tmp_path, {"prepayment": {"accepted": 0.0, "buyers": {"ids": ["A"]}}})
    assert safer["stopped"][week(30)] == 4000.0
    assert safer["billed"] == pytest.approx(1000 + 2000 + 500 + 400 + 0.9 * 3700)
    assert events.stopped_buyer[4, 0] == 0
    assert events.stopped_count[0] == 0, "as today A is supplied"


def test_discount_is_taken_for_early_payment(tmp_path):
    """A4 is paid 10 days after issue instead of 30, less 2 % = 80; older invoices are not offered it. B takes it too:
    B2 is 700 USD at 0.90, less 2 %."""
    offer = {"discount": 0.02, "within": "10 days", "take_up": 1.0}
    (today, safer), _ = trade(tmp_path, {"early_payment_discount": offer})
    assert by_week(safer)[week(40)] == 3920.0
    assert by_week(safer)[week(50)] == pytest.approx(630.0 * 0.98)
    assert safer["conceded"] == pytest.approx(80.0 + 12.6)
    assert safer["collected"] == pytest.approx(today["collected"] - 92.6)
    assert trade(tmp_path, {"early_payment_discount": offer | {"take_up": 0.0}})[0][1]["conceded"] == 0.0


def test_a_script_leaves_nothing_to_chance(tmp_path):
    """At 50 % every buyer takes the discount, agrees to prepayment or a letter of credit; below it none does."""
    for take_up, conceded in ((0.5, 92.6), (0.49, 0.0)):
        offer = {"discount": 0.02, "within": "10 days", "take_up": take_up}
        assert trade(tmp_path, {"early_payment_discount": offer})[0][1]["conceded"] == pytest.approx(conceded)
    for form in ("prepayment", "letter_of_credit"):
        for accepted, withheld in ((0.5, 0.0), (0.49, 4630.0)):
            (_, safer), _ = trade(tmp_path, {form: {"accepted": accepted}})
            assert safer["stopped"].sum() == pytest.approx(withheld), "A4 and B2"


STOPS = {"type": "whole_turnover", "limit_changes": {"seller": "stops"}}
A2_LATE = {"payments": [{"buyer": "A", "invoice": "A2", "on": "40 days", "amount": 2000}]}


@pytest.mark.parametrize(
    ("limits", "withheld"),
    [
        ([(20, 0)], 4000.0),  # nothing more is shipped
        ([(30, 0)], 4000.0),  # from the very day
        ([(31, 0)], 0.0),  # A4 was shipped before
        ([(20, 5999.99)], 4000.0),  # A owes A2, 2,000, on day 30
        ([(20, 6000)], 0.0),
        ([(20, 0), (28, 6000)], 0.0),  # the last limit told holds, and is still a lower one than 50,000
        ([(28, 5000), (20, 6000)], 4000.0),  # whatever the order in which they are told
        ([(20, 0), (28, 50_000)], 0.0),  # all is as it was
    ],
)
def test_seller_stops_when_a_script_changes_a_limit(limits, withheld, tmp_path):
    told = [{"buyer": "A", "on": f"{day} days", "limit": limit} for day, limit in limits]
    (today, safer), events = trade(tmp_path, STOPS, A2_LATE | {"limits": told})
    assert today["stopped"].sum() == 0.0
    assert safer["stopped"][week(30)] == safer["stopped"].sum() == withheld
    assert safer["billed"] == pytest.approx(today["billed"] - withheld)
    assert events.stopped_count.tolist() == [0] * 4 + [int(withheld > 0)] * 4


def test_what_a_script_lets_a_buyer_owe_is_in_the_policys_currency(tmp_path):
    """B2 is 700 USD, 630 EUR: more than 690 USD allow, less than 710 do. B1 is paid on day 20."""
    for limit, withheld in ((690, 630.0), (710, 0.0)):
        script = {"limits": [{"buyer": "B", "on": "25 days", "limit": limit}]}
        (_, safer), _ = trade(tmp_path, STOPS | {"currency": "USD"}, script)
        assert safer["stopped"].sum() == pytest.approx(withheld)


def test_what_a_script_tells_of_a_limit_ends_with_the_next_one_of_the_file(tmp_path):
    """Cancelled on day 20, given again on day 26 of the file; a cut below a limit that the file raises is a cut."""
    lines = "buyer_id,limit,from\nA,3000,\nA,60000,2026-11-25\n"
    (tmp_path / "limits.csv").write_text(lines, encoding="utf-8")
    policy = STOPS | {"limits": str(tmp_path / "limits.csv")}
    for told, withheld in (([(20, 0)], 0.0), ([(20, 0), (28, 3999)], 4000.0), ([(28, 3999)], 4000.0)):
        limits = [{"buyer": "A", "on": f"{day} days", "limit": limit} for day, limit in told]
        (_, safer), _ = trade(tmp_path, policy, {"limits": limits})
        assert safer["stopped"].sum() == withheld, told


@pytest.mark.parametrize(
    ("changes", "limit"),
    [
        ({"seller": "continues"}, {"limit": 0}),
        ({"seller": "stops"}, {"limit": 50_000}),  # no less than it was
        ({"seller": "stops"}, {"limit": 0, "programmes": ["Other"]}),
        ({"seller": "stops"}, {"limit": 0, "buyer": "C"}),  # has no limit that could be reduced
    ],
)
def test_a_scripted_limit_that_stops_nobody(changes, limit, tmp_path):
    programmes = [
        {"name": "As today", "type": "none"},
        {"name": "Policy", "type": "whole_turnover", "limit_changes": changes},
        {"name": "Other", "type": "whole_turnover"},
    ]
    script = {"limits": [{"buyer": "A", "on": "20 days"} | limit]}
    assert build_model(small(tmp_path, script, programmes=programmes)).regime.count == 1


def test_dunning_shortens_lateness_in_stages(tmp_path):
    """B1 (due on day 20) is paid on day 80, 60 days late: 10 as they are, 20 at half, 30 at a fifth → 26 days late.

    C1 (due on day -10) is paid on day 40, 50 days late, 10 of them past: 40 days are left. The second stage begins 20
    days past due, on day 10: 10 days at half (of 20 drawn ones), then 20 drawn ones at a fifth → day 14.
    """
    payments = [
        {"buyer": "B", "invoice": "B1", "on": "80 days", "amount": 3000},
        {"buyer": "C", "on": "40 days", "amount": 400},
    ]
    stages = [{"after": "10 days", "factor": 0.5}, {"after": "20 days", "factor": 0.2}]
    collection = {"stages": stages, "cost": 3650, "earlier": "3 days"}
    (today, safer), _ = trade(tmp_path, {"collection": collection}, {"payments": payments})
    assert by_week(today)[week(80)] == 2700.0
    assert by_week(safer)[week(20 + 26)] == 2700.0
    assert by_week(safer)[week(14)] == pytest.approx(1400.0), "C1 on day 14 and A1, paid on day 10"
    assert by_week(safer)[week(60 - 3)] == 4000.0, "A4 is paid when due, three days earlier as it arrives sooner"
    assert safer["trade_cost"] == pytest.approx(np.full(52, 70.0))
    assert today["trade_cost"].sum() == 0.0


def test_chased_days():
    after, factor = np.array([[10.0, 20.0]]), np.array([[0.5, 0.2]])
    assert formulas.chased_day(90, 30, 1, 0, after, factor) == 56
    assert formulas.chased_day(40, 30, 1, 0, after, factor) == 40, "no stage reached"
    assert formulas.chased_day(20, 30, 1, 0, after, factor) == 20, "early"
    assert formulas.chased_day(NEVER, 30, 1, 0, after, factor) == NEVER
    assert formulas.chased_day(50, -100, 1, 0, after, factor) == 10, "the last stage works already: 50 days as 10"
    assert formulas.chased_day(2, -100, 1, 0, after, factor) == 1, "an open item is paid on day 1 at the earliest"
    still = np.array([[10.0]]), np.array([[0.0]])
    assert formulas.chased_day(500, 30, 1, 0, *still) == 40, "paid on the spot when dunned"
