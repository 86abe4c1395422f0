"""Other terms of trade: each by hand on a few invoices, against the twin, and what may never change."""

import numpy as np
import pytest

import simulator
from simulator.engine.model import build_model
from simulator.factors.plan import draw_states
from simulator.fx.plan import draw_rates
from simulator.fx.transfer import draw_transfers
from simulator.jit import NEVER
from simulator.losses import formulas, kernels, script_kernels
from simulator.losses.balances import allocate_balances
from simulator.losses.regimes import complete_rows, if_several, rows_needed
from simulator.losses.rows import LedgerRows, allocate_events, allocate_rows, allocate_scratch
from tests.balance_cases import plain_rows, random_views
from tests.scripts import small
from tests.studies import random_study
from tests.test_losses import charged_on_balances, compare_rows, scripted_study, working_tiles
from tests.twins import losses as twin

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


def identity(rows):
    """Every bill ends somewhere: billed + fx result = collected + recovered + lost + outstanding + conceded."""
    ends = rows.collected + rows.recovered + rows.gross_loss + rows.outstanding + rows.conceded
    scale = max(1.0, float(rows.billed.max()))
    np.testing.assert_allclose(rows.billed + rows.fx_result, ends, rtol=0, atol=1e-9 * scale)
    np.testing.assert_allclose(rows.collections.sum(axis=1), rows.collected, rtol=0, atol=1e-9 * scale)
    np.testing.assert_allclose(rows.losses.sum(axis=1), rows.gross_loss, rtol=0, atol=1e-9 * scale)


def by_week(row, name="collections"):
    """{week: money} of what is not zero; week 0 holds days 1 … 7."""
    return {int(t): pytest.approx(float(row[name][t])) for t in np.flatnonzero(np.abs(row[name]) > 1e-9)}


def week(day):
    return (day - 1) // 7


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


# --- limits taken back, contracts frustrated ------------------------------------------------------------------------


def test_limit_change_day():
    """q = 5 % a year; with Φ(V) = 0.02: 365·log 0.98 / log 0.95 = 143.8 days."""
    intensity = -np.log(0.95)
    score = -2.0537489106318225
    assert formulas.limit_change_day(score, intensity, 364) == 144
    assert formulas.limit_change_day(score, intensity, 143) == NEVER
    assert formulas.limit_change_day(score, 0.0, 364) == NEVER
    assert formulas.limit_change_day(3.0, np.inf, 364) == 1, "a chance of 100 % means at once"
    assert formulas.limit_score(-1.0, -2.0, 0.5, 0.6, 0.5, np.sqrt(0.39)) == pytest.approx(-1.2877501, abs=1e-7)


def limited(folder, to, seller="stops"):
    """One buyer with a limit of 250 that is reduced on day 1, known on day 31; six invoices of 100, paid 45 late."""
    changes = {"annual_probability": 1.0, "to": to, "notice": "30 days", "seller": seller}
    policy = {"name": "P", "type": "whole_turnover", "limit_changes": changes}
    study = scripted_study(folder, late=45, limit="250")
    study["programmes"] = [{"name": "None", "type": "none"}, policy]
    return simulate(build_model(simulator.load_study(study)), 4)


def test_seller_stops_when_a_limit_is_cancelled(tmp_path):
    """Issued on days 2, 32, 63, 94, 122: from day 31 on nothing is shipped."""
    rows, events = limited(tmp_path, 0.0)
    assert rows.billed.tolist() == [600.0] * 4 + [200.0] * 4
    assert np.flatnonzero(rows.stopped[4]).tolist() == [week(32), week(63), week(94), week(122)]
    assert events.stopped_value[4, 0] == 400.0
    assert events.weak_count.tolist() == [1] * 8


def test_seller_ships_up_to_a_reduced_limit(tmp_path):
    """150 are left: on day 32 the open item (paid on day 46) and the first (day 77) are unpaid, so nothing ships; on
    day 63 the first alone: nothing; on day 94 nothing is unpaid: 100 ship, paid on day 169; on day 122 nothing."""
    rows, _ = limited(tmp_path, 0.6)
    assert np.flatnonzero(rows.stopped[4]).tolist() == [week(32), week(63), week(122)]
    assert rows.billed[4] == 300.0


def test_seller_continues_uncovered(tmp_path):
    rows, events = limited(tmp_path, 0.0, seller="continues")
    assert rows.billed.tolist() == [600.0] * 4, "one regime: shipments do not depend on the limit"
    assert events.weak_count.tolist() == [1] * 4, "but the policy is told whose limit changes"


def test_frustration_loses_what_a_buyer_owes(tmp_path):
    """A transfer event frustrates every contract: what is unpaid is lost on its first day, and it is no insolvency."""
    study = random_study(
        tmp_path, 3, transfer={"annual_probability": {"TR": 0.9, "CN": 0.9}, "frustration": 1.0},
        programmes=[{"name": "None", "type": "none"}],
    )  # fmt: skip
    model = build_model(simulator.load_study(study))
    n, side = 64, model.cash_side
    rows, events = simulate(model, n)
    states = draw_states(model.factor, model.seed, 0, n)
    rates = draw_rates(side.fx, model.seed, 0, states.drivers, model.calendar.fx_steps)
    blocked = draw_transfers(side.transfer, model.seed, 0, states.drivers, rates, model.calendar.horizon_days)
    listed = np.arange(events.buyer.shape[1]) < events.n_events[:, None]
    scenario, place = np.nonzero(listed & events.frustrated)
    assert len(scenario) > 100
    country = side.transfer.buyer_country[events.buyer[scenario, place]]
    assert (country >= 0).all()
    assert (events.default_day[scenario, place] == blocked[scenario, country]).all()
    lost, paid = events.loss_day[scenario, place], events.paid_day[scenario, place]
    day, protracted = blocked[scenario, country], events.protracted[scenario, place]
    assert (lost[(paid == NEVER) & ~protracted] == day[(paid == NEVER) & ~protracted]).all()
    assert (paid[paid != NEVER] <= day[paid != NEVER]).all(), "nothing is paid after it"
    failed = listed & ~events.frustrated & (events.default_day < NEVER)
    buyers_failed = [len(set(events.buyer[s][failed[s]])) for s in range(n)]
    assert (rows.n_defaults >= buyers_failed).all()
    study["transfer"]["frustration"] = 0.0
    calm, none = simulate(build_model(simulator.load_study(study)), n)
    assert (calm.n_defaults == rows.n_defaults).all(), "insolvencies are counted, frustrations are not"
    assert not (none.frustrated & (np.arange(none.buyer.shape[1]) < none.n_events[:, None])).any()


# --- against the twin, and laws -------------------------------------------------------------------------------------


def trading_study(folder, seed):
    """A random study whose programmes trade in every way, with limits that change and contracts frustrated."""
    rng = np.random.default_rng(seed + 500)
    ids = [f"B{b:03d}" for b in range(12)]

    def some(ids=ids):
        return {"ids": sorted(rng.choice(ids, size=int(rng.integers(2, 9)), replace=False).tolist())}

    stages = [{"after": f"{d} days", "factor": float(f)} for d, f in ((5, 0.8), (20, 0.5), (45, 0.25))]
    changes = {"annual_probability": float(rng.choice([0.3, 0.8])), "notice": f"{int(rng.choice([0, 30]))} days"}
    programmes = [
        {"name": "As today", "type": "none"},
        {"name": "Factoring", "type": "none", "factoring": {
            "buyers": some(), "advance_rate": float(rng.choice([0.7, 0.9])), "fee": 0.01,
            "protection": float(rng.choice([0.0, 0.8, 1.0])), "open_items": bool(rng.random() < 0.5)},
         "early_payment_discount": {"buyers": some(), "take_up": 0.5}},
        {"name": "Safe", "type": "none", "letter_of_credit": {"buyers": some(ids[3:]), "accepted": 0.7},
         "prepayment": {"buyers": {"ids": ids[:3]}, "accepted": 0.5}},
        {"name": "Chased", "type": "none", "early_payment_discount": {"buyers": some(), "within": "14 days"},
         "collection": {"buyers": some(), "stages": stages[: rng.integers(0, 4)], "cost": 5000, "earlier": 2}},
        {"name": "Stops", "type": "whole_turnover", "limit_changes": changes | {"to": 0.0}},
        {"name": "Cuts", "type": "whole_turnover", "limit_changes": changes | {"to": 0.4},
         "collection": {"stages": stages[:1]}},
        {"name": "Runs on", "type": "whole_turnover", "limit_changes": changes | {"seller": "continues"}},
    ]  # fmt: skip
    study = random_study(folder, seed, programmes=programmes)
    study["portfolio"]["sales"] = {"mode": "steady_state"}
    study["transfer"] |= {"frustration": 0.5, "annual_probability": {"TR": 0.6, "CN": 0.4}}
    study["credit"]["recovery"]["costs"] = 0.1
    return study


def simulate(model, n, first=0, simulate_ledger=kernels.simulate_ledger, complete=True, counted=(None, None)):
    """Rows and events of a block of scenarios under every regime; ``counted``: what a bank counts of them."""
    side = model.cash_side
    states = draw_states(model.factor, model.seed, first, n)
    rates = draw_rates(side.fx, model.seed, first, states.drivers, model.calendar.fx_steps)
    blocked = draw_transfers(side.transfer, model.seed, first, states.drivers, rates, model.calendar.horizon_days)
    rows = allocate_rows(n * rows_needed(model.regime), model.calendar.n_periods, model.balances)
    events = allocate_events(n * model.regime.count, 400)
    scratch = allocate_scratch(n, model.longest, model.n_groups, model.regime.count)
    simulate_ledger(
        first // 4, model.keys, states.drivers, states.mixing, rates, blocked, model.factor, model.default, side.delay,
        side.transfer, model.rules, model.clock, model.book, model.limits, if_several(model.regime),
        rows, events, scratch, working_tiles(model, n), *counted,
    )  # fmt: skip
    return (complete_rows(rows, model.regime) if complete else rows), events


@pytest.mark.parametrize("seed", range(8))
def test_regimes_equal_their_twin(seed, tmp_path):
    """Every row and event of every regime, bit for bit."""
    model = charged_on_balances(build_model(simulator.load_study(trading_study(tmp_path, seed))), seed % 3)
    assert model.regime.of_programme.tolist() == [0, 1, 2, 3, 4, 5, 0]
    counting = random_views(np.random.default_rng(seed), model.book, model.clock, range(model.regime.count))
    found = []
    tiled = allocate_balances(counting, 12, model.calendar.n_periods, 8)
    plain = plain_rows(counting, 12, model.calendar.n_periods)
    for simulate_ledger, balances in ((kernels.simulate_ledger, tiled), (twin.simulate_ledger, plain)):
        rows, events = simulate(model, 12, 8, simulate_ledger, complete=False, counted=(counting, balances))
        found.append((rows, events, balances))
    compare_rows(*found)
    assert (events.n_events > 0).any()
    assert (events.weak_count > 0).any()


@pytest.mark.parametrize("seed", range(20))
def test_laws_under_every_regime(seed, tmp_path):
    """Money goes somewhere; the listed losses are the loss; book value leaves the ledger once at most."""
    model = build_model(simulator.load_study(trading_study(tmp_path, seed)))
    rows, events = simulate(model, 64)
    identity(rows)
    listed = np.arange(events.buyer.shape[1]) < events.n_events[:, None]
    loss = np.where(listed, events.loss, 0.0).sum(axis=1)
    np.testing.assert_allclose(loss, rows.gross_loss, atol=1e-9 * rows.billed.max())
    left = (rows.billed - rows.settled.sum(axis=1)).reshape(-1, 64)
    # under factoring an advance beyond the protection may be due back after the horizon
    assert (left[[0, 2, 3, 4, 5]] > -1e-9 * rows.billed.max()).all()
    side = model.cash_side
    shipped = side.opening_book + side.planned_billing.sum() - rows.stopped.sum(axis=1)
    np.testing.assert_allclose(rows.billed, shipped, atol=1e-9 * rows.billed.max())
    assert (rows.trade_cost >= 0).all()
    assert (rows.trade_cost[:64] == 0).all()
    assert (rows.conceded[:64] == 0).all()
    assert (rows.n_defaults.reshape(-1, 64) == rows.n_defaults[:64]).all(), "buyers fail under every regime alike"


IDLE = {
    "collection": {"stages": [{"after": "10 days", "factor": 1.0}]},
    "early_payment_discount": {"take_up": 0.0},
}


@pytest.mark.parametrize("idle", ["collection", "early_payment_discount"])
@pytest.mark.parametrize("seed", range(4))
def test_a_regime_that_changes_nothing_is_regime_0(seed, idle, tmp_path):
    """To the byte, in rows and events."""
    programmes = [{"name": "As today", "type": "none"}, {"name": "Idle", "type": "none", idle: IDLE[idle]}]
    study = random_study(tmp_path, seed, programmes=programmes)
    model = build_model(simulator.load_study(study))
    assert model.regime.count == 2
    rows, events = simulate(model, 32)
    for name, values in rows._asdict().items():
        assert values[:32].tobytes() == values[32:].tobytes(), name
    compare_rows(
        (rows, type(events)(*(v[:32] for v in events))), (rows, type(events)(*(v[32:] for v in events)))
    )  # fmt: skip
    study["programmes"] = programmes[:1]
    alone, listed = simulate(build_model(simulator.load_study(study)), 32)
    # alone, troubled buyers are settled for a whole tile, else one by one
    compare_rows((rows, type(events)(*(v[:32] for v in events))), (rows, listed))
    for name, values in alone._asdict().items():
        np.testing.assert_allclose(rows._asdict()[name][:32], values, rtol=1e-12, atol=1e-6, err_msg=name)


def test_chasing_never_delays_and_regimes_share_their_luck(tmp_path):
    """Collection brings no payment later, and a regime's numbers do not depend on the other regimes."""
    study = trading_study(tmp_path, 5)
    model = build_model(simulator.load_study(study))
    rows, events = simulate(model, 64)
    study["programmes"] = [study["programmes"][k] for k in (0, 3, 6)]  # the last, of regime 0, for its waiting period
    only, few = simulate(build_model(simulator.load_study(study)), 64)
    chased = slice(3 * 64, 4 * 64)
    for name, values in only._asdict().items():
        np.testing.assert_allclose(rows._asdict()[name][chased], values[64:], rtol=1e-12, atol=1e-6, err_msg=name)
    assert (events.n_events[chased] == few.n_events[64:]).all()


def test_formulas_equal_their_twins():
    rng = np.random.default_rng(2)
    for _ in range(2000):
        score, q = rng.standard_normal() * 3, rng.choice([0.0, 1.0, rng.uniform(0, 1)])
        with np.errstate(divide="ignore"):
            intensity = float(-np.log1p(-q))
        assert formulas.limit_change_day(score, intensity, 364) == twin.limit_change_day(score, intensity, 364)
        weights = rng.uniform(0, 1, 3)
        z = rng.standard_normal(3)
        assert formulas.limit_score(*z, *weights) == twin.limit_score(*z, *weights)
        shared = weights * rng.choice([0.0, 1.0], 3)
        assert formulas.payer_rank(z[0], *shared) == twin.payer_rank(z[0], *shared)
        after = np.sort(rng.integers(0, 90, (1, 3))).astype(float)
        after[0, rng.integers(1, 4) :] = np.inf
        factor = rng.choice([0.0, 0.25, 0.8, 1.0], (1, 3))
        due = int(rng.integers(-100, 300))
        first = max(1, due - 30)
        day = int(rng.integers(first, first + 400))
        found = formulas.chased_day(day, due, first, 0, after, factor)
        assert found == twin.chased_day(day, due, first, 0, after, factor)
        assert first <= found <= day
        money, days, rate = rng.uniform(0, 1e6), int(rng.integers(0, 400)), rng.uniform(0, 0.2)
        assert formulas.advance_interest(money, days, rate) == twin.advance_interest(money, days, rate)
    assert formulas.advance_interest(73_000.0, 50, 0.06) == pytest.approx(600.0)
    assert formulas.payer_rank(-np.sqrt(0.5), 0.3, 0.4, 0.5) == pytest.approx(0.1586553)
    assert formulas.payer_rank(0.0, 0.0, 0.0, 0.0) == -1.0, "nothing shared"


def test_limit_scores_are_normal_and_follow_buyer_and_state(tmp_path):
    """N(0, 1) whatever the shares; a change comes within the year with its chance, more often for those that fail."""
    study = trading_study(tmp_path, 1)
    study["study"]["horizon"] = "365 days"
    study["credit"]["dependence"]["limit_changes"] = {"systemic": 0.3, "credit": 0.4}
    q = 0.8
    study["programmes"] = [{"name": "P", "type": "whole_turnover", "limit_changes": {"annual_probability": q}}]
    model = build_model(simulator.load_study(study))
    n = 4096
    _, events = simulate(model, n)
    chance = events.weak_count[:n].sum() / (n * 12)
    assert chance == pytest.approx(q, abs=4.5 * np.sqrt(q * (1 - q) / n)), "even if all twelve move together"
    listed = np.arange(events.buyer.shape[1]) < events.n_events[:n, None]
    failed = listed & (events.default_day[:n] < NEVER) & ~events.frustrated[:n]
    assert events.limit_score[:n][failed].mean() < -0.5


def offered(folder, take_up, shares, pd=0.0):
    """Rows of 4,096 scenarios of one buyer, as written and with an offer, and in which of them it takes the offer."""
    delay = {"model": "lognormal", "median_days": 30.0, "sigma": 0.5}
    study = scripted_study(
        folder, late=0, delay=delay, shares=dict.fromkeys(("systemic", "credit", "buyer"), 0) | shares
    )
    buyers = folder / "buyers.csv"
    buyers.write_text(buyers.read_text(encoding="utf-8").replace(",EUR,0,", f",EUR,{pd},"), encoding="utf-8")
    study["credit"]["dependence"] = {"shares": {"global": 0.0, "country": 0.3, "sector": 0.0}}
    study["liquidity"] = {"cost_of_delay": 0.1}
    offer = {"discount": 0.02, "within": "10 days", "take_up": take_up}
    study["programmes"] = [
        {"name": "As today", "type": "none"},
        {"name": "Offer", "type": "none", "early_payment_discount": offer},
    ]
    n = 4096
    rows, _ = simulate(build_model(simulator.load_study(study)), n)
    return rows, rows.conceded[n:] > 0.0


@pytest.mark.parametrize(
    "shares", [{"buyer": 0.4, "systemic": 0.2, "credit": 0.1}, {"buyer": 1.0}, {"systemic": 0.3}, {}]
)
@pytest.mark.parametrize("take_up", [0.1, 0.3, 0.8])
def test_a_discount_is_taken_as_often_as_asked_and_by_the_promptest(take_up, shares, tmp_path):
    """Takers would have paid sooner than the others; where invoices share nothing, just as late."""
    rows, takes = offered(tmp_path, take_up, shares)
    n = len(takes)
    assert takes.mean() == pytest.approx(take_up, abs=4.5 * np.sqrt(take_up * (1 - take_up) / n))
    cost = rows.delay_cost[:n]
    error = np.sqrt(cost[takes].var() / takes.sum() + cost[~takes].var() / (~takes).sum())
    later = (cost[~takes].mean() - cost[takes].mean()) / error
    assert later > 4.5 if shares else abs(later) < 4.5
    if shares == {"buyer": 1.0}:
        assert cost[takes].max() <= cost[~takes].min(), "ranked without exception"


def test_who_is_about_to_fail_takes_no_discount(tmp_path):
    """Delays that only the buyer's credit quality decides: takers are those of the best 30 %, who do not fail."""
    rows, takes = offered(tmp_path, 0.3, {"credit": 1.0}, pd=0.3)
    n = len(takes)
    failed = rows.n_defaults[:n] > 0
    assert failed.mean() == pytest.approx(0.3, abs=0.05)
    assert failed[takes].mean() < 0.12 < 0.3 < failed[~takes].mean()
