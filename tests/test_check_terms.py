"""Terms of programmes held against the ledger: mistakes at their place, notes on what has nothing to act on."""

from __future__ import annotations

from pathlib import Path

import pytest

from simulator.engine.check import check_study
from simulator.errors import InputError
from simulator.study.load import load_study

BUYERS = """\
buyer_id,country,sector,rating,payment_terms_days,annual_sales,credit_limit,buyer_type,group_id
A,DE,steel,BB,30,100000,5000,,
B,US,food,B,60,200000,,related,
C,US,food,B,60,300000,0,public,
D,FR,steel,B,60,50000,unlimited,company,
"""
ITEMS = """\
buyer_id,invoice_id,document_type,issue_date,due_date,currency,amount_open
A,1,invoice,2026-09-01,2026-10-15,EUR,100.00
B,2,invoice,2026-10-01,2026-12-01,EUR,200.00
"""
HEAD = """\
schema: 1
study: {title: T, as_of: 2026-10-30, currency: EUR}
portfolio: {buyers: b.csv, open_items: i.csv}
programmes:
  - {name: None, type: none}
"""


@pytest.fixture(autouse=True)
def _inside(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    Path("b.csv").write_text(BUYERS, encoding="utf-8")
    Path("i.csv").write_text(ITEMS, encoding="utf-8")


def check(policy: str = "", rest: str = "", kind: str = "whole_turnover"):
    """Check the study with one policy of the given terms, and further sections."""
    programme = f"  - {{name: P, type: {kind}, {policy}}}\n" if policy else ""
    Path("study.yaml").write_text(HEAD + programme + rest, encoding="utf-8")
    return check_study(load_study("study.yaml"))


def told(policy: str = "", rest: str = "", kind: str = "whole_turnover") -> list[tuple]:
    with pytest.raises(InputError) as caught:
        check(policy, rest, kind)
    for problem in caught.value.problems:
        assert problem.line, problem
        assert problem.column, problem
    return [(p.path.removeprefix("programmes[1]."), p.value, p.suggestion) for p in caught.value.problems]


def notes(policy: str, rest: str = "", kind: str = "whole_turnover") -> list[str]:
    return check(policy, rest, kind).profile["notes"]


def test_what_is_inherited_is_wrong_once():
    heirs = "".join(f"  - {{name: {heir}, extends: {of}, settlement: 9 days}}\n" for heir, of in ("QP", "RQ"))
    for policy in (
        "maximum_liability: 3 x premium",
        "buyers: {ids: [E]}",
        "limits: none.csv",
        "insurer: {rating: QQ}",
        "countries: {ZZ: {covered: false}}",
        "insured_percentage: 190 %",
    ):
        assert len(told(policy, heirs)) == 1, policy


def test_nothing_is_said_where_nothing_is_asked():
    assert notes("excludes: []") == []
    assert check().profile["notes"] == []


@pytest.mark.parametrize(
    ("policy", "problems"),
    [
        ("buyers: {ids: [A, E]}", [("buyers.ids[1]", "E", "")]),
        ("buyers: {countries: [DE, UX]}", [("buyers.countries[1]", "UX", "US")]),
        ("buyers: {ratings: [AAA]}", [("buyers", None, "")]),  # known, but nobody's
        ("buyers: {ratings: [BBX]}", [("buyers.ratings[0]", "BBX", "BB")]),
        ("factoring: {buyers: {sectors: [steal]}}", [("factoring.buyers.sectors[0]", "steal", "steel")]),
        ("collection: {buyers: {ids: [a]}}", [("collection.buyers.ids[0]", "a", "A")]),
        ("early_payment_discount: {buyers: {except_top: 4}}", [("early_payment_discount.buyers", None, "")]),
        ("factoring: {buyers: {ids: [A]}}, letter_of_credit: {buyers: {ids: [B]}}", None),
        ("factoring: {buyers: {top: 2}}, letter_of_credit: {buyers: {countries: [US]}}",
         [("letter_of_credit.buyers", None, "")]),
        ("factoring: {}, prepayment: {}", [("prepayment.buyers", None, "")]),
        ("insurer: {rating: AA}", None),
        ("insurer: {rating: aa}", None),
        ("insurer: {rating: AAB}", [("insurer.rating", "AAB", "AA")]),
        ("insurer: {rating: none of these, annual_pd: 0.1 %}", None),
        ("maximum_liability: 30 x premium, premium: {rate_on_turnover: 0.2 %}", None),
        ("maximum_liability: 30 x premium, buyers: {ids: [B, C]}, premium: {rate_on_turnover: 0.2 %}",
         [("maximum_liability", "30 x premium", "")]),  # B is related, C has no cover
        ("maximum_liability: 30 x premium, buyers: {ids: [B]}, excludes: [], blind_limit: 1, "
         "premium: {rate_on_turnover: 0.2 %}", None),
        ("maximum_liability: 30 x premium, buyers: {ids: [B]}, excludes: [], premium: {rate_on_turnover: 0.2 %}",
         [("maximum_liability", "30 x premium", "")]),  # no limit at all
        ("maximum_liability: 30 x premium, countries: {DE: {covered: false}, FR: {covered: false}}, "
         "premium: {rate_on_turnover: 0.2 %}", [("maximum_liability", "30 x premium", "")]),
        ("maximum_liability: 30 x premium, starts: 2027-10-29, premium: {rate_on_turnover: 0.2 %}",
         [("maximum_liability", "30 x premium", "")]),  # nothing is shipped on the last day
        ("maximum_liability: 30 x premium paid, buyers: {ids: [A]}, premium: {base: balance, rate_on_balance: 0.1 %}",
         None),
        ("maximum_liability: 30 x premium paid, buyers: {ids: [B]}, premium: {base: balance, rate_on_balance: 0.1 %}",
         [("maximum_liability", "30 x premium paid", "")]),
    ],
)  # fmt: skip
def test_mistakes(policy, problems):
    if problems is None:
        check(policy)
    else:
        assert told(policy) == problems


def test_a_file_of_limits_is_read():
    Path("limits.csv").write_text("buyer_id,limit,from\nA,5 k,2026-11-01\nE,5 k,\nB,lots,\n", encoding="utf-8")
    assert told("limits: limits.csv") == [("buyer_id", "E", ""), ("limit", "lots", "")]
    assert told("limits: limit.csv") == [("limits", "limit.csv", "limits.csv")]
    Path("limits.csv").write_text("buyer_id,limit,from\nA,5 k,2026-11-01\n", encoding="utf-8")
    check("limits: limits.csv")


def test_a_stress_without_sales_leaves_no_premium_on_turnover_but_one_on_balance():
    rest = "stresses: {none: {sales_multiplier: 0}}\n"
    policy = "maximum_liability: 30 x premium, buyers: {ids: [A, D]}, premium: "
    assert told(policy + "{rate_on_turnover: 0.2 %}", rest) == [("stresses.none.sales_multiplier", "0", "")]
    check(policy + "{base: balance, rate_on_balance: 0.1 %}", rest)


def test_a_policy_or_limit_in_a_currency_without_a_rate():
    assert told("currency: USD") == [("fx.rates.USD", None, "")]
    check("currency: USD", "fx: {rates: {USD: 0.9}}\n")
    Path("b.csv").write_text(BUYERS.replace("credit_limit", "limit_currency").replace(",5000,", ",CHF,")
                             .replace("unlimited", "").replace(",0,", ",,"), encoding="utf-8")  # fmt: skip
    assert told() == [("fx.rates.CHF", None, "")]


def test_a_hedge_of_a_policys_currency_is_a_slip_but_a_shock_of_it_is_not():
    rates = "fx: {rates: {USD: 0.9}, hedge: {USD: 50 %}}\n"
    assert told("currency: USD", rates) == [("fx.hedge.USD", None, "")]
    check("currency: USD", "fx: {rates: {USD: 0.9}}\nstresses: {s: {fx_shock: {USD: -10 %}}}\n")


def test_a_term_that_programmes_inherit_is_wrong_once():
    Path("study.yaml").write_text(
        HEAD + "  - {name: P, type: whole_turnover, buyers: {ids: [X]}}\n"
        "  - {name: Q, extends: P}\n  - {name: R, extends: Q, insured_percentage: 80 %}\n",
        encoding="utf-8",
    )
    with pytest.raises(InputError) as caught:
        check_study(load_study("study.yaml"))
    assert [p.path for p in caught.value.problems] == ["programmes[1].buyers.ids[0]"]


KINDS = "P: does not insure 2 buyers by their kind (1 related, 1 public)"
IDLE = [
    ("insured_percentage: 80 %", "", [KINDS]),
    ("excludes: [related]", "", ["P: does not insure 1 buyer by its kind (1 related)"]),
    ("buyers: {ids: [A]}", "", []),
    ("excludes: [], shared_limits: true", "", ["P: shared_limits has no effect: no buyer has a group_id"]),
    ("excludes: [], countries: {BR: {}, US: {}}", "", ["P: countries names BR, where no buyer is: without effect"]),
    ("excludes: [], blind_limit: 1", "", []),
    ("buyers: {ids: [A]}, blind_limit: 1, discretionary_limit: 1", "",
     ["P: discretionary_limit has no effect: every buyer has a named limit",
      "P: blind_limit has no effect: every buyer has a named limit",
      "P: blind_limit has no effect: buyers without a named limit have the discretionary one"]),
    ("excludes: [], blind_limit: 1, discretionary_limit: 1, discretionary_needs: rating", "", []),
    ("excludes: [], order: minimum_retention", "",
     ["P: minimum_retention is 0: the wording of that name works as percent_first"]),
    ("excludes: [], notification: {after: 30 days}", "",
     ["P: notification has no effect: none is missed, and the waiting clock starts elsewhere"]),
    ("excludes: [], notification: {missed: 1 %}", "", []),
    ("excludes: [], disputes: suspended", "", ["P: disputes has no effect: nothing is disputed"]),
    ("excludes: [], disputes: suspended", "payment: {disputes: {probability: 1 %}}\n", []),
    ("excludes: [], loss_payee: true", "",
     ["P: loss_payee has no effect: the line has neither a borrowing base nor an insured_rate"]),
    ("excludes: [], loss_payee: true", "liquidity: {credit_line: {insured_rate: 5 %}}\n", []),
    ("excludes: []", "liquidity: {credit_line: {insured_rate: 5 %, borrowing_base: {foreign: true}}}\n",
     ["liquidity.credit_line.borrowing_base has no effect: the line's limit is 0",
      "liquidity.credit_line.insured_rate has no effect: no policy has the bank as loss payee"]),
    ("excludes: []", "credit: {dependence: {limit_changes: {systemic: 50 %}}}\n",
     ["credit.dependence.limit_changes has no effect: no policy has limit_changes"]),
    ("excludes: []", "transfer: {frustration: 5 %}\n",
     ["transfer.frustration has no effect: there are no transfer events"]),
    ("excludes: [], starts: 2026-12-01", "", ["P: starts on 2026-12-01: shipments before it are not insured"]),
    ("excludes: [], period: 26 weeks", "", ["P: ends on 2027-04-30: shipments after it are not insured"]),
    ("excludes: [], period: 26 weeks, basis: losses_occurring", "",
     ["P: ends on 2027-04-30: losses after it are not insured"]),
    ("excludes: [], period: 1 year", "", []),
]  # fmt: skip


@pytest.mark.parametrize(("policy", "rest", "expected"), IDLE)
def test_what_is_noted(policy, rest, expected):
    assert notes(policy, rest) == expected


AMOUNTS = [
    ("premium: {minimum: 24 k}", "", []),
    ("period: 26 weeks, premium: {minimum: 24 k}", "",
     ["P: ends on 2027-04-30: shipments after it are not insured",
      "P: premium.minimum is a year's: of 24,000 are due 12,000 for the 182 days of the policy that lie within the "
      "horizon"]),
    ("premium: {rate_on_turnover: 1.9 %}", "", []),
    ("premium: {rate_on_turnover: 0.2}", "",
     ["P: premium.rate_on_turnover is 20 %, unusually high; did you mean 0.2 %?"]),
    ("premium: {base: balance, rate_on_balance: 0.05}", "",
     ["P: premium.rate_on_balance is 5 %, unusually high; did you mean 0.05 %?"]),
    ("maximum_liability: 30", "", ["P: maximum_liability is 30, an amount of money; did you mean 30 x premium?"]),
    ("maximum_liability: 0", "", ["P: maximum_liability is 0: the policy never pays"]),
    ("maximum_liability: 40 k, aggregate_first_loss: 50 k", "",
     ["P: maximum_liability (40,000) is less than aggregate_first_loss (50,000), which is borne before it"]),
    ("maximum_liability: 40 x minimum premium, each_and_every_first_loss: 50 k, premium: {minimum: 1 k}", "",
     ["P: maximum_liability (40,000) is less than each_and_every_first_loss (50,000), which is borne before it"]),
    ("maximum_liability: 30 x premium, aggregate_first_loss: 50 k, premium: {minimum: 1 k}", "", []),
    ("maximum_liability: 50 k, aggregate_first_loss: 50 k", "", []),
    ("insured_percentage: 100 %", "",
     ["P: covers 100 %, but nothing that is shipped after a buyer's date of loss: with payment.stop_shipment_after of "
      "180 days or less nothing is"]),
    ("insured_percentage: 100 %", "payment: {stop_shipment_after: 181 days}\n",
     ["P: covers 100 %, but nothing that is shipped after a buyer's date of loss: with payment.stop_shipment_after of "
      "180 days or less nothing is"]),
    ("insured_percentage: 100 %", "payment: {stop_shipment_after: 180 days}\n", []),
    ("insured_percentage: 100 %, non_qualifying_loss: 1", "", []),
    ("insured_percentage: {insolvency: 100 %, protracted_default: 100 %, transfer: 100 %}", "", []),
    ("buyers: {top: 4}", "", []),
    ("buyers: {top: 5}", "", ["programmes[1].buyers.top is 5: there are 4 to choose from, and all are taken"]),
    ("factoring: {buyers: {top: 3, countries: [US]}}", "",
     ["programmes[1].factoring.buyers.top is 3: there are 2 to choose from, and all are taken"]),
]  # fmt: skip


@pytest.mark.parametrize(("policy", "rest", "expected"), AMOUNTS)
def test_amounts_that_may_not_be_meant_are_noted(policy, rest, expected):
    assert notes("excludes: [], " + policy, rest) == expected


def test_an_excess_of_loss_without_a_first_loss_is_noted():
    noted = ["P: an excess of loss without aggregate_first_loss pays from the first claim on, like whole_turnover"]
    assert notes("excludes: []", kind="excess_of_loss") == noted
    assert notes("excludes: [], aggregate_first_loss: 1 k", kind="excess_of_loss") == []
    assert notes("excludes: [], each_and_every_first_loss: 1 k", kind="excess_of_loss") == []


def test_full_cover_of_a_ledger_in_run_off_is_full():
    run_off = HEAD.replace("open_items: i.csv", "open_items: i.csv, sales: {mode: run_off}")
    policy = "  - {name: P, type: whole_turnover, excludes: [], insured_percentage: 100 %}\n"
    Path("study.yaml").write_text(run_off + policy, encoding="utf-8")
    assert check_study(load_study("study.yaml")).profile["notes"] == []


def test_a_minimum_premium_in_a_short_study_is_noted():
    """13 weeks are a quarter of 24,000; without a period its instalments are within them."""
    short = HEAD.replace("currency: EUR}", "currency: EUR, horizon: 13 weeks}")
    policy = "  - {{name: P, type: whole_turnover, excludes: [], premium: {{minimum: 24 k}}{}}}\n"
    due = (
        "P: premium.minimum is a year's: of 24,000 are due 6,000 for the 91 days of the policy that lie within "
        "the horizon"
    )
    over = ", in 4 instalments; with `period: 1 year` these are spread over the year"
    for period, expected in (("", due + over), (", period: 1 year", due)):
        Path("study.yaml").write_text(short + policy.format(period), encoding="utf-8")
        assert check_study(load_study("study.yaml")).profile["notes"] == [expected]


BASED = "liquidity: {{credit_line: {{limit: 1000, borrowing_base: {{{}}}}}}}\n"
NOTHING = "nothing is eligible for the borrowing base, so nothing can be drawn: "
ABROAD = NOTHING + "no buyer is in ES, and foreign is false"
LENT = [
    ("excludes: []", "home_country: ES", ["None, P: " + ABROAD]),
    ("excludes: []", "home_country: DE", []),
    ("excludes: []", "foreign: true", []),
    ("excludes: []", "foreign: true, advance_rate: 0",
     ["None, P: " + NOTHING + "see advance_rate, disputed and what is sold to a factor"]),
    ("excludes: [], loss_payee: true", "home_country: ES", ["None: " + ABROAD]),
    ("excludes: [], loss_payee: true, insured_percentage: 0", "home_country: ES", ["None, P: " + ABROAD]),
    ("buyers: {ids: [C]}, excludes: [], loss_payee: true", "home_country: ES", ["None, P: " + ABROAD]),
]  # fmt: skip


@pytest.mark.parametrize(("policy", "base", "expected"), LENT)
def test_a_base_on_which_nothing_is_lent_is_noted(policy, base, expected):
    """Buyer A is in Germany, B is a related company, C has a limit of zero, D is unlimited."""
    assert notes(policy, BASED.format(base)) == expected


def test_one_note_for_policies_of_which_the_same_is_said():
    found = notes("insured_percentage: 80 %", "  - {name: Q, type: whole_turnover}\n")
    assert found == [KINDS.replace("P:", "P, Q:")]
