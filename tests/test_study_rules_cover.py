"""Rules between the terms of a policy, of alternatives, of the bank line, and of a script."""

from __future__ import annotations

from pathlib import Path

import pytest

from simulator.api import input_files
from simulator.errors import InputError
from simulator.study.load import load_study
from simulator.study.resolve import resolved_yaml

BASE = {
    "study": {"title": "T", "as_of": "2026-10-30", "currency": "EUR"},
    "portfolio": {"buyers": "buyers.csv"},
    "programmes": [{"name": "A", "type": "none"}, {"name": "P", "type": "whole_turnover"}],
}
P = "programmes[1]"


@pytest.fixture(autouse=True)
def _folder(tmp_path, monkeypatch):
    (tmp_path / "buyers.csv").write_text("buyer_id\n1\n")
    monkeypatch.chdir(tmp_path)


def problems(*changes):
    """Problems of the base after some changes: of the policy, of the first programme, or of a dotted key."""
    overrides = {}
    for change in changes:
        for key, value in change.items():
            overrides[key if "." in key else f"{P}.{key}"] = value
    try:
        load_study(BASE, overrides)
    except InputError as error:
        return list(error.problems)
    return []


def said(*changes):
    return [problem.path.removeprefix(f"{P}.") for problem in problems(*changes)]


YEARS = {"study.horizon": "3 years"}
AFTER_90 = {"payment.protracted_default": {"after": "90 days"}}
TWO = {"base": "balance", "rate_on_balance": "0.05 %"}
PERIOD = [
    ([YEARS, {"period": "1 year"}], []),
    ([YEARS, {"period": "52 weeks", "starts": "2028-01-01"}], []),
    ([YEARS], ["study.horizon"]),
    ([{"starts": "2026-10-30"}], []),
    ([{"starts": "2026-10-29"}], ["starts"]),
    ([{"starts": "2027-10-29"}], []),  # the last day of 52 weeks
    ([{"starts": "2027-10-30"}], ["starts"]),
    ([{"period": "53 weeks"}], []),
    ([{"period": "372 days"}], ["period"]),
    ([{"period": "27 days"}], ["period"]),
    ([{"period": "28 days"}], []),
    ([{"period": "1 year", "starts": "2027-10-01"}], []),  # it may last beyond the horizon
]
WAITING = [
    ([{"waiting_period": {"protracted_default": "170 days"}}], ["waiting_period.protracted_default"]),
    ([{"waiting_period": {"transfer": "170 days"}}], ["waiting_period.transfer"]),
    ([{"waiting_period": {"insolvency": "0 days", "contract_frustration": "10 days"}}], []),
    ([{"waiting_period": {"transfer": "0 days"}, "insured_percentage": {"transfer": 0}}], []),  # not insured at all
    ([{"waiting_period": "170 days", "insured_percentage": {"protracted_default": 0}}], ["waiting_period"]),
    ([{"waiting_period": "120 days", "waiting_clock": "collection"}], []),  # 60 + 120
    ([{"waiting_period": "119 days", "waiting_clock": "collection"}], ["waiting_period"]),
    ([{"waiting_period": "90 days", "waiting_clock": "collection", "collection_after": "90 days"}], []),
    ([{"waiting_clock": "notice"}], ["waiting_clock"]),
    ([{"waiting_period": "150 days", "waiting_clock": "notice", "notification": {"after": "30 days"}}], []),
    ([{"waiting_period": "149 days", "waiting_clock": "notice", "notification": {"after": "30 days"}}],
     ["waiting_period"]),
    ([{"countries": {"BR": {"waiting_period": "120 days"}}}], ["countries.BR.waiting_period"]),
    ([{"countries": {"BR": {"waiting_period": "120 days", "covered": False}}}], []),
    ([{"countries": {"BR": {"waiting_period": "120 days"}}}, AFTER_90], []),
    ([{"payment.protracted_default.after": "200 days"}], ["payment.protracted_default.after"]),
]  # fmt: skip
ORDER = [
    ([{"order": ["insured_percentage"]}], []),
    ([{"order": ["insured_percentage", "maximum_liability"], "maximum_liability": "1 M"}], []),
    ([{"order": ["maximum_liability", "insured_percentage"]}], ["order[0]"]),
    ([{"order": ["insured_percentage", "insured_percentage"]}], ["order[1]"]),
    ([{"order": ["each_and_every_first_loss"]}], ["order"]),
    ([{"order": ["insured_percentage"], "each_and_every_first_loss": "5 k"}], ["each_and_every_first_loss"]),
    ([{"order": ["insured_percentage"], "aggregate_first_loss": 1, "non_qualifying_loss": 1}],
     ["non_qualifying_loss", "aggregate_first_loss"]),
    ([{"order": ["minimum_retention", "insured_percentage"], "minimum_retention": 1}], ["order[0]"]),
    ([{"order": ["insured_percentage", "minimum_retention"], "minimum_retention": 1}], []),
    ([{"minimum_retention": "5 k"}], ["minimum_retention"]),
    ([{"minimum_retention": "5 k", "order": "minimum_retention"}], []),
    ([{"order": "minimum_retention"}], []),
]  # fmt: skip
LIMITS = [
    ([{"discretionary_percentage": 0.8}], ["discretionary_percentage"]),
    ([{"discretionary_percentage": 0.8, "discretionary_limit": "5 k"}], []),
    ([{"blind_percentage": 0.6}], ["blind_percentage"]),
    ([{"blind_percentage": 0.6, "blind_limit": "5 k"}], []),
    ([{"discretionary_needs": "rating"}], ["discretionary_needs"]),
    ([{"limit_changes": {"to": "100 %"}}], ["limit_changes.to"]),
    ([{"limit_changes": {"to": "50 %"}}], []),
    ([{"limits": "unlimited", "limit_changes": {}}], ["limit_changes"]),
    ([{"limits": "unlimited", "top_up": {"rate": 0.02}, "blind_limit": "1 k"}], ["top_up", "blind_limit"]),
    ([{"type": "single_buyer"}], ["buyers"]),
    ([{"type": "single_buyer", "buyers": {"top": 1}}], []),
    ([{"buyers": {"top": 3, "except_top": 3}}], ["buyers.top"]),
    ([{"buyers": {"top": 4, "except_top": 3}}], []),
    ([{"buyers": {"ids": ["a", "b"], "top": 2}}], ["buyers.top"]),
    ([{"buyers": {"ids": ["a", "b"], "top": 1}}], []),
    ([{"countries": {"BR": {}, "br": {}}}], ["countries.br"]),
    ([{"countries": {"UX": {}}}], ["countries.UX"]),
    ([{"currency": "USD"}], []),
    ([{"currency": "EUF"}], ["currency"]),
]
PREMIUM = [
    ([{"premium": {"rate_on_balance": "0.1 %"}}], ["premium.rate_on_balance"]),
    ([{"premium": {"base": "balance", "rate_on_turnover": "0.1 %"}}], ["premium.rate_on_turnover"]),
    ([{"premium": TWO}], []),
    ([{"premium": TWO, "maximum_liability": "30 x premium"}], []),
    ([{"premium": TWO, "maximum_liability": "30 x premium paid"}], []),
    ([{"premium": TWO, "maximum_liability": "30 x minimum premium"}], ["maximum_liability"]),
    ([{"premium": {"minimum": 1}, "maximum_liability": "30 x minimum premium"}], []),
    ([{"maximum_liability": "30 x premium paid"}], ["maximum_liability"]),
    ([{"premium": {"bonus": [{"claims_ratio": 0.3, "change": -0.1}, {"claims_ratio": 0.6, "change": 0}]}}], []),
    ([{"premium": {"bonus": [{"claims_ratio": 0.6, "change": -1.1}, {"claims_ratio": 0.6, "change": 0}]}}],
     ["premium.bonus[0].change", "premium.bonus[1].claims_ratio"]),
]  # fmt: skip
STAGES = [{"after": "10 days", "factor": 0.9}, {"after": "10 days", "factor": 0.8}]
GRID = [{"used_above": "50 %", "rate": "6 %"}, {"used_above": "40 %", "rate": "7 %"}]
BASE_KEY = "liquidity.credit_line.borrowing_base"
TRADE = [
    ([{"reserve": "1.5 x operating costs"}], ["reserve"]),
    ([{"reserve": "1.5 x operating costs", "liquidity.operating_costs": 1}], []),
    ([{"reserve_fund": {"top_up": "1 k"}}], ["reserve_fund"]),
    ([{"reserve_fund": {"top_up": "1 k"}, "reserve": "10 k"}], []),
    ([{"collection": {"stages": STAGES}}], ["collection.stages[1].after"]),
    ([{"collection": {"stages": STAGES[:1]}}], []),
    ([{"factoring": {"buyers": {"top": 1, "except_top": 1}}}], ["factoring.buyers.top"]),
    ([{"liquidity.credit_line.margin_grid": GRID}], ["liquidity.credit_line.margin_grid[1].used_above"]),
    ([{"liquidity.credit_line.margin_grid": GRID[::-1]}], []),
    ([{BASE_KEY: {"advance_rate": 0.8}}], [BASE_KEY]),
    ([{BASE_KEY: {"foreign": True}}], []),
    ([{BASE_KEY: {"home_country": "DE"}}], []),
    ([{BASE_KEY: {"home_country": "DU"}}], [f"{BASE_KEY}.home_country"]),
]
CUT = {"buyer": "1", "on": 7, "limit": 0}
CONSTANT = {"portfolio.exposure": "constant"}
NO_INVOICES = [
    ([CONSTANT], []),
    ([CONSTANT, {"waiting_period": "200 days", "maximum_terms": "60 days", "order": "deductible_first"}], []),
    ([CONSTANT, {"top_up": {}, "insurer": {}, "countries": {"BR": {}}, "blind_limit": 1, "shared_limits": True}], []),
    ([CONSTANT, {"currency": "EUR", "starts": None, "vat_covered": False}], []),
    ([CONSTANT, {"currency": "USD", "conversion": "lower_of", "vat_covered": True, "disputes": "suspended"}],
     ["conversion", "currency", "disputes", "vat_covered"]),
    ([CONSTANT, {"starts": "2027-01-01", "period": "1 year", "notification": {}, "waiting_clock": "notice"}],
     ["notification", "period", "starts", "waiting_clock"]),
    ([CONSTANT, {"premium": TWO, "loss_payee": True, "payment_allocation": "oldest_first", "limit_changes": {}}],
     ["limit_changes", "loss_payee", "payment_allocation", "premium.base"]),
    ([CONSTANT, {"factoring": {}, "letter_of_credit": {}, "prepayment": {}, "early_payment_discount": {}}],
     ["early_payment_discount", "factoring", "letter_of_credit", "prepayment"]),
    ([CONSTANT, {"collection": {}, "reserve": 1, "reserve_fund": {}, "maximum_extension_period": "60 days"}],
     ["collection", "maximum_extension_period", "reserve_fund"]),
    ([CONSTANT, {BASE_KEY: {"foreign": True}}], [BASE_KEY]),
]  # fmt: skip
PAYMENT = {"buyer": "1", "on": "10 weeks", "amount": 5}
SCRIPT = [
    ([{"script.otherwise": "never_pays"}], []),
    ([{"script.otherwise": "never_pays"}, CONSTANT], ["script"]),
    ([{"script.otherwise": "never_pays", "simulation.tail": "importance"}], []),
    ([{"script.payments": [PAYMENT, {**PAYMENT, "on": "70 days"}]}], ["script.payments[1]"]),
    ([{"script.payments": [PAYMENT, {**PAYMENT, "on": "2027-01-08"}]}], ["script.payments[1]"]),
    ([{"script.payments": [PAYMENT, {**PAYMENT, "amount": 6}]}], []),
    ([{"script.recoveries": [{"buyer": "1", "on": 70, "share": 0.1}, {"buyer": "1", "on": 70, "amount": 5}]}],
     ["script.recoveries[1]"]),
    ([{"script.rates": [{"currency": "USD", "on": 7, "rate": 2}, {"currency": "USD", "on": 7, "rate": 3}]}],
     ["script.rates[1]"]),
    ([{"script.rates": [{"currency": "EUR", "on": 7, "rate": 2}, {"currency": "EUF", "on": 7, "rate": 3}]}],
     ["script.rates[0].currency", "script.rates[1].currency"]),
    ([{"script.limits": [{"buyer": "1", "on": 7}]}], ["script.limits[0].limit"]),
    ([{"script.limits": [CUT, CUT | {"programmes": ["P"]}]}], []),
    ([{"script.limits": [CUT, {"buyer": "1", "on": "1 week", "limit": 5}]}], ["script.limits[1]"]),
]  # fmt: skip


@pytest.mark.parametrize(
    ("changes", "paths"),
    [*PERIOD, *WAITING, *ORDER, *LIMITS, *PREMIUM, *TRADE, *NO_INVOICES, *SCRIPT],
)
def test_rules(changes, paths):
    assert sorted(said(*changes)) == sorted(paths)


def test_a_resolved_study_without_invoices_is_not_refused():
    """Every key is written there, most of them with defaults that mean nothing without invoices."""
    loaded = load_study(BASE, CONSTANT)
    Path("resolved.yaml").write_text(resolved_yaml(loaded.study), encoding="utf-8")
    assert load_study("resolved.yaml").study == loaded.study


def test_a_file_of_limits_is_an_input_of_the_run(tmp_path):
    (tmp_path / "limits.csv").write_text("buyer_id,limit\n1,5\n")
    loaded = load_study(BASE, {f"{P}.limits": "limits.csv"})
    assert [path.name for path in input_files(loaded)] == ["buyers.csv", "limits.csv"]
    assert [path.name for path in input_files(load_study(BASE))] == ["buyers.csv"]


def test_the_clock_is_named():
    change = {"waiting_period": "100 days", "waiting_clock": "collection"}
    text = problems(change)[0].message
    assert text.endswith("the day a late debt counts as lost; it counts after the 60 days until collection")
    long = {"waiting_clock": "collection", "payment.protracted_default": {"after": "250 days"}}
    text = problems(long)[0].message
    assert (
        text
        == "must not be longer than the waiting period of programmes[1] (180 days after the 60 days until collection)"
    )


def test_malformed_terms_are_told_once():
    assert said({"period": "soon", "starts": "2026-10-01"}, YEARS) == ["period", "starts"]
    assert said({"order": ["insured_percentage", "excess"]}) == ["order[1]"]
    assert said({"maximum_liability": "30 x minimum premium", "premium": {"minimum": "lots"}}) == ["premium.minimum"]
