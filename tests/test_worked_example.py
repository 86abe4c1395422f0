"""The worked example of docs/MODEL.md §15, every number to the cent, through the whole production road.

Three buyers, six invoices, one scripted scenario: what the policies pay and when, what it does to cash, and where the
loss comes from. "Week t" is the end of week t; amounts are euros.
"""

from __future__ import annotations

from collections import defaultdict
from pathlib import Path

import numpy as np
import pytest

import simulator
from simulator.compare.verdict import verdict
from simulator.engine.model import build_model
from simulator.engine.replay import replay_scenario
from simulator.policy.gaps import GAP_STEPS

STUDY = Path(__file__).resolve().parent.parent / "configs" / "worked_example" / "study.yaml"
W1, W2, W3, XOL = "Percent first", "Deductible first", "Minimum retention", "Excess of loss"
UNCAPPED = 1e9
CENT = 0.005


def variant(**overrides):
    """The example with some values changed; ``__`` stands for a dot."""
    return simulator.load_study(STUDY, {key.replace("__", "."): value for key, value in overrides.items()})


def of_programme(name, **terms):
    """Overrides of one programme's terms."""
    index = ("Uninsured", W1, W2, W3, XOL).index(name)
    return {f"programmes[{index}].{key.replace('__', '.')}": value for key, value in terms.items()}


@pytest.fixture(scope="module")
def result():
    return simulator.run(variant())


@pytest.fixture(scope="module")
def replay():
    return replay_scenario(build_model(variant()), 0)


def claims(result, programme=W1):
    """Steps of each claim by buyer, empty ones left out."""
    table = result.story["claims"]
    rows = table[table["programme"] == programme].to_dict("records")
    return {row["buyer_id"]: {s: row[s] for s in GAP_STEPS if abs(row[s]) >= CENT} for row in rows}


def paid(result, programme=W1):
    return {buyer: steps["indemnity"] for buyer, steps in claims(result, programme).items()}


def value(result, name, programme=None):
    found = result.scenarios[name].isel(scenario=0)
    return float(found if programme is None else found.sel(programme=programme))


def week_of(result, date):
    return (np.datetime64(date) - np.datetime64(result.study.study.as_of)).astype(int) / 7


# --- claims ----------------------------------------------------------------------------------------------------------


def test_claims_step_by_step(result):
    """Debts at the market's rate of the date of loss: B's USD 110,000 are 88,000 at 1.25, and 100,000 at the policy's
    1.10 of the day of shipment."""
    assert claims(result) == {
        "A": pytest.approx(
            {
                "debt": 120_000, "vat": 20_000, "over_limit": 10_000, "coinsurance": 9_000, "each_and_every": 1_000,
                "aggregate_first_loss": 20_000, "indemnity": 60_000,
            },
            abs=CENT,
        ),
        "C": pytest.approx(
            {"debt": 12_000, "coinsurance": 2_400, "each_and_every": 1_000, "indemnity": 8_600}, abs=CENT
        ),
        "B": pytest.approx(
            {
                "debt": 88_000, "conversion": -12_000, "limit_cancelled": 20_000, "coinsurance": 8_000,
                "each_and_every": 1_000, "maximum_liability": 11_600, "indemnity": 59_400,
            },
            abs=CENT,
        ),
    }  # fmt: skip


def test_dates_of_loss_and_of_payment(result):
    """Insolvency waits no time, the protracted default 26 weeks from B1's due date; then four weeks of settlement."""
    rows = result.story["claims"]
    rows = rows[rows["programme"] == W1].set_index("buyer_id")
    assert {b: week_of(result, day) for b, day in rows["date_of_loss"].items()} == {"A": 10, "C": 15, "B": 36}
    assert {b: week_of(result, day) for b, day in rows["paid_on"].items()} == {"A": 14, "C": 19, "B": 40}
    assert list(rows.index) == ["A", "C", "B"], "in the order they are settled"


@pytest.mark.parametrize(
    ("programme", "amounts", "uncapped"),
    [
        (W1, {"A": 60_000, "C": 8_600, "B": 59_400}, 139_600),
        (W2, {"A": 62_100, "C": 8_800, "B": 57_100}, 142_000),
        (W3, {"A": 60_000, "C": 2_000, "B": 66_000}, 132_000),
        (XOL, {"A": 36_000, "C": 9_600, "B": 72_000}, 117_600),
    ],
)
def test_wordings(result, programme, amounts, uncapped):
    assert paid(result, programme) == pytest.approx(amounts, abs=CENT)
    assert value(result, "indemnity_gross", programme) == pytest.approx(sum(amounts.values()), abs=CENT)
    free = simulator.run(variant(**of_programme(programme, maximum_liability=UNCAPPED)))
    assert value(free, "indemnity_gross", programme) == pytest.approx(uncapped, abs=CENT)


def test_non_qualifying_loss_as_a_deduction():
    """Deducted after the percentage: A's 81,000 become 76,000."""
    order = [
        "insured_percentage", "non_qualifying_loss", "each_and_every_first_loss", "aggregate_first_loss",
        "maximum_liability",
    ]  # fmt: skip
    steps = claims(simulator.run(variant(**of_programme(W1, non_qualifying_mode="deduction", order=order))))["A"]
    assert 90_000 - steps["coinsurance"] == pytest.approx(81_000, abs=CENT)
    assert steps["non_qualifying"] == pytest.approx(5_000, abs=CENT)
    assert steps["indemnity"] == pytest.approx(55_000, abs=CENT)


def test_currency_of_the_date_of_loss():
    """At 1.25 B's covered USD 88,000 are 70,400: 63,360, then 62,360 before the cap."""
    changed = of_programme(W1, conversion="date_of_loss", maximum_liability=UNCAPPED)
    steps = claims(simulator.run(variant(**changed)))["B"]
    assert "conversion" not in steps
    assert steps["debt"] - steps["limit_cancelled"] == pytest.approx(70_400, abs=CENT)
    assert 70_400 - steps["coinsurance"] == pytest.approx(63_360, abs=CENT)
    assert steps["indemnity"] == pytest.approx(62_360, abs=CENT)


def test_payment_for_the_newest_invoice():
    """Counted for B2, as B said, it leaves B1 whole: 100,000 covered. Counted for the oldest by the policy: 80,000."""
    newest = {"script.payments[1].invoice": "B2"} | of_programme(W1, maximum_liability=UNCAPPED)
    steps = claims(simulator.run(variant(**newest)))["B"]
    assert steps["debt"] - steps["conversion"] == pytest.approx(100_000, abs=CENT)
    assert "limit_cancelled" not in steps
    assert steps["coinsurance"] == pytest.approx(10_000, abs=CENT)
    steps = claims(simulator.run(variant(**newest, **of_programme(W1, payment_allocation="oldest_first"))))["B"]
    assert steps["limit_cancelled"] == pytest.approx(20_000, abs=CENT)
    assert steps["coinsurance"] == pytest.approx(8_000, abs=CENT)


# --- premium and recoveries ------------------------------------------------------------------------------------------


def test_premium(result, replay):
    """0.5 % of 220,000 insured turnover, VAT and B2 left out, is 1,100: the minimum of 3,200 is due, 320 of tax, and
    120 for two named limits. Four deposits of 880, the first with the fees; nothing is adjusted."""
    assert value(result, "premium", W1) == pytest.approx(3_640, abs=CENT)
    cash = replay.block.policy.premium_cash[0, 1]
    assert {t + 1: v for t, v in enumerate(cash) if v} == pytest.approx({1: 1_000, 13: 880, 26: 880, 39: 880}, abs=CENT)
    dear = simulator.run(variant(**of_programme(W1, premium__minimum=0, maximum_liability=128_000)))
    assert value(dear, "premium", W1) == pytest.approx(220_000 * 0.005 * 1.1 + 120, abs=CENT)


def test_the_insurers_share_of_recoveries(result):
    """In proportion to indemnity and debt: A 12,000 · 60,000 / 120,000, B 10,000 · 59,400 / 100,000."""
    shared = value(result, "indemnity_gross", W1) - value(result, "indemnity", W1)
    assert shared == pytest.approx(6_000 + 5_940, abs=CENT)


@pytest.mark.parametrize(
    ("rule", "a", "b"),
    [
        ("by_covered_debt", 9_000, 8_000),
        ("oldest_first", 12_000 * (60_000 * 50 / 90) / 60_000, 10_000 * 59_400 / 80_000),
        ("insurer_first", 12_000, 10_000),
    ],
)
def test_other_rules_of_sharing(rule, a, b):
    """By covered debt: 90,000 of 120,000 and 80,000 of 100,000. To the oldest first: all of it is for A1, which has
    50,000 of A's 90,000 of covered debt, and for B1, which has all of B's. Insurer first: everything."""
    found = simulator.run(variant(**of_programme(W1, recoveries__rule=rule)))
    shared = value(found, "indemnity_gross", W1) - value(found, "indemnity", W1)
    assert shared == pytest.approx(a + b, abs=CENT)


# --- cash ------------------------------------------------------------------------------------------------------------

UNINSURED = {
    1: 145_000, 8: 118_000, 13: 93_000, 14: 88_000, 19: 63_000, 20: 75_600, 26: 45_600, 28: 35_600, 29: 30_600,
    35: 600, 36: -4_400, 39: -19_400, 40: -24_400, 50: -62_400, 52: -72_400, 54: -72_400, 56: -82_400,
}  # fmt: skip
INSURED = {
    1: 144_000, 8: 117_000, 13: 91_120, 14: 146_120, 19: 129_720, 20: 142_320, 26: 111_440, 28: 101_440, 29: 96_440,
    35: 66_440, 36: 61_440, 39: 45_560, 40: 99_960, 50: 55_960, 52: 45_960, 54: 40_020, 56: 30_020,
}  # fmt: skip


@pytest.mark.parametrize(("programme", "path"), [("Uninsured", UNINSURED), (W1, INSURED)])
def test_cash_path(result, programme, path):
    """What is paid on the ledger's date (fees and the first deposit) falls into the first week."""
    cash = result.paths["mean_cash"].sel(programme=programme).to_numpy()
    assert {t: cash[t - 1] for t in path} == pytest.approx(path, abs=CENT)


def test_what_the_cash_paths_mean(result):
    cash = result.paths["mean_cash"].transpose("programme", "period").sel(programme=["Uninsured", W1]).to_numpy()
    assert cash.min(axis=1) == pytest.approx([-82_400, 30_020], abs=CENT)
    assert cash.argmin(axis=1).tolist() == [55, 55]
    assert np.flatnonzero(cash[0] < 0)[0] == 36 - 1
    assert (cash < 0).sum(axis=1).tolist() == [21, 0]
    assert (cash < 32_500).sum(axis=1).tolist() == [28, 1]
    first = [value(result, "first_shortfall_period", name) for name in ("Uninsured", W1)]
    assert first == [29 - 1, 56 - 1]
    deepest = [value(result, "shortfall_amount", name) for name in ("Uninsured", W1)]
    assert deepest == pytest.approx([114_900, 2_480], abs=CENT)


# --- where the loss comes from ---------------------------------------------------------------------------------------


def test_loss_without_insurance(result, replay):
    """260,000 booked, 47,600 received: 212,400, of which 12,000 are the exchange rate's."""
    ledger = replay.block.ledger
    assert ledger.billed[0] == pytest.approx(260_000, abs=CENT)
    assert ledger.collected[0] + ledger.recovered[0] == pytest.approx(47_600, abs=CENT)
    assert value(result, "gross_loss") + value(result, "fx_loss") == pytest.approx(212_400, abs=CENT)
    book, buyers = replay.model.book, replay.model.portfolio.buyers
    events = result.story["events"]
    received = events[events["what"].isin(["pays", "recovered"])].groupby("buyer_id")["value"].sum()
    booked = {b: book.book_value[book.start[i] : book.start[i + 1]].sum() for i, b in enumerate(buyers.buyer_id)}
    assert {b: booked[b] - received[b] for b in booked} == pytest.approx(
        {"A": 108_000, "B": 92_400, "C": 12_000}, abs=CENT
    )


def test_net_loss_with_insurance(result):
    """128,000 paid, less 3,640 of premium and 11,940 handed over: a benefit of 112,420, so 99,980 are left."""
    benefit = value(result, "indemnity", W1) - value(result, "premium", W1)
    assert benefit == pytest.approx(112_420, abs=CENT)
    left = value(result, "retained_loss", W1) + value(result, "fx_loss") + value(result, "premium", W1)
    assert left == pytest.approx(99_980, abs=CENT)


def test_the_answer_reconciles_the_loss(result):
    said = [sentence.replace("\N{NO-BREAK SPACE}", " ") for sentence in verdict(result)]
    assert said[0].endswith("exchange rates take 12,000, which makes a loss of 212,400.")
    assert said[1] == (
        "Percent first pays 128,000 (55 % of the debt claimed or lost, at the policy's rate) and takes 11,940 of what "
        "is recovered, for a premium of 3,640: a loss of 212,400 becomes 99,980."
    )


def test_where_the_loss_stays(result):
    """Every step, the exchange rate of the part-payment, the share of recoveries that is kept, the price of cover."""
    steps = {name: value(result, f"gap_{name}", W1) for name in GAP_STEPS if name != "indemnity"}
    taken = {
        name: amount for name, amount in steps.items() if abs(amount) >= CENT and name not in ("debt", "conversion")
    }
    assert taken == pytest.approx(
        {
            "vat": 20_000, "limit_cancelled": 20_000, "over_limit": 10_000, "coinsurance": 19_400,
            "each_and_every": 3_000, "aggregate_first_loss": 20_000, "maximum_liability": 11_600,
        },
        abs=CENT,
    )  # fmt: skip
    debt = steps["debt"] - steps["conversion"]
    assert debt == pytest.approx(232_000, abs=CENT)
    assert debt - sum(taken.values()) == pytest.approx(value(result, "indemnity_gross", W1), abs=CENT)
    on_part_payment = 22_000 / 1.10 - 22_000 / 1.25
    assert sum(taken.values()) + on_part_payment == pytest.approx(106_400, abs=CENT)
    kept = 22_000 - (value(result, "indemnity_gross", W1) - value(result, "indemnity", W1))
    assert kept == pytest.approx(10_060, abs=CENT)
    assert sum(taken.values()) + on_part_payment - kept + 3_640 == pytest.approx(99_980, abs=CENT)


def test_ninety_percent_cover_pays_fifty_five(result):
    debt = value(result, "gap_debt", W1) - value(result, "gap_conversion", W1)
    assert round(value(result, "indemnity_gross", W1) / debt, 2) == 0.55


# --- the book on the way ---------------------------------------------------------------------------------------------


def test_ageing_in_week_12(replay):
    """Book value and weeks past due of what is unpaid at the end of week 12; C1 has been paid, C2 was just shipped."""
    book, invoices, plan = replay.model.book, replay.model.portfolio.invoices, replay.model.script.plan
    day = 12 * 7
    unpaid: dict[tuple[str, float], float] = defaultdict(float)
    for name, due, issued, until, worth in zip(
        invoices.invoice_id, book.due_day, book.issue_day, plan.paid_day, book.book_value, strict=True
    ):
        if issued <= day < until:
            unpaid[name.split("/")[0], (day - int(due)) / 7] += worth
    assert unpaid == pytest.approx(
        {("A1", 4): 60_000, ("A2", 0): 60_000, ("B1", 2): 100_000, ("B2", -3): 20_000, ("C2", -1): 12_000}, abs=CENT
    )


@pytest.mark.parametrize(
    ("insured_value", "amounts"),
    [("covered", (62_400, 181_800)), ("indemnifiable", (62_400, 160_600))],
)
def test_borrowing_base_in_week_9(insured_value, amounts):
    """Uninsured: at home only, A cut to half of 132,000, 80 % of 78,000. Insured: 90 % of covered debts, 202,000; or,
    with care, of what would be indemnified less the first loss."""
    base = {
        "advance_rate": 0.8, "insured_advance_rate": 0.9 if insured_value == "covered" else 1.0,
        "insured_value": insured_value, "concentration": 0.5, "foreign": False, "home_country": "DE",
        "cancelled_limits": "run_off", "maximum_overdue": None,
        "full_cover": 0.8, "uninsured_rest": "ineligible", "within_maximum_liability": False,
    }  # fmt: skip
    line = {"liquidity.credit_line": {"limit": 1_000_000, "rate": 0, "borrowing_base": base}}
    loaded = simulator.load_study(STUDY, line | of_programme(W1, loss_payee=True))
    cash = replay_scenario(build_model(loaded), 0).block.cash
    assert cash.borrowing_base[0, :2, 9 - 1] == pytest.approx(amounts, abs=CENT)


# --- one scenario ----------------------------------------------------------------------------------------------------


def test_only_what_one_scenario_can_say_is_measured(result):
    """No levels, no probabilities, no spread; every error is zero."""
    summary = result.summary()
    assert summary["level"].isna().all()
    assert (summary["standard_error"] == 0).all()
    assert not summary["measure"].str.contains("_sd$|probability|_at_risk|_tail_").any()
    found = summary[(summary["measure"] == "indemnity_gross_mean") & (summary["programme"] == W1)]
    assert found["value"].tolist() == pytest.approx([128_000], abs=CENT)
