"""Every problem of study and ledger at once, each with its place, by `check` exactly as by `run`."""

from __future__ import annotations

import os
import re
from pathlib import Path
from typing import Any

import pytest

from simulator.engine.check import check_study
from simulator.engine.model import build_model
from simulator.errors import InputError
from simulator.study.load import load_study

BUYERS = """\
buyer_id,country,sector,currency,rating,payment_terms_days,annual_sales
A,DE,steel,EUR,BB,30,100000
B,US,steel,USD,B,60,200000
"""
ITEMS = """\
buyer_id,invoice_id,document_type,issue_date,due_date,currency,amount_open
A,1,invoice,2026-09-01,2026-10-15,EUR,100.00
B,2,invoice,2026-10-01,2026-12-01,USD,200.00
"""
STUDY = """\
schema: 1
study: {title: T, as_of: 2026-10-30, currency: EUR}
portfolio: {buyers: b.csv, open_items: i.csv}
fx: {rates: {USD: 0.9}}
programmes:
  - {name: None, type: none}
"""
CONSTANT = """\
schema: 1
study: {title: T, as_of: 2026-10-30, currency: EUR}
portfolio: {exposure: constant, buyers: b.csv}
credit: {pd: {source: column}}
programmes:
  - {name: None, type: none}
"""
EXPOSURES = "buyer_id,currency,exposure,pd_annual\nA,EUR,100,1 %\nB,EUR,200,2 %\n"


@pytest.fixture(autouse=True)
def _inside(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)


def write(**files: str) -> None:
    for name, text in {"study_yaml": STUDY, "b_csv": BUYERS, "i_csv": ITEMS, **files}.items():
        Path(name.replace("_", ".")).write_text(text, encoding="utf-8")


def told(**files: str) -> str:
    """What is said of a study, after making sure that check and run say the same."""
    write(**files)
    with pytest.raises(InputError) as checked:
        check_study(load_study("study.yaml"))
    with pytest.raises(InputError) as run:
        build_model(load_study("study.yaml"))
    assert str(run.value) == str(checked.value)
    for problem in checked.value.problems:
        assert problem.file, problem
        assert problem.line, problem
        assert problem.column or not problem.source, problem
    return str(checked.value)


def heads(text: str) -> list[str]:
    """The first line of each problem."""
    return [part.splitlines()[0] for part in text.split("\n\n")[1:]]


def changed(text: str, old: str, new: str) -> str:
    assert old in text
    return text.replace(old, new)


def history(weeks: int, rate: float = 0.9) -> str:
    import datetime as dt

    days = [dt.date(2026, 10, 30) - dt.timedelta(days=7 * (weeks - k)) for k in range(weeks + 1)]
    return "date,USD\n" + "".join(f"{day},{rate + 0.01 * (k % 3)}\n" for k, day in enumerate(days))


def test_the_base_is_fine():
    write()
    assert len(check_study(load_study("study.yaml")).buyers) == 2
    build_model(load_study("study.yaml"))


def test_mistakes_in_every_room_are_told_together():
    study = """\
schema: 1
study: {title: T, as_of: 2026-10-30, currency: EUR}
portfolio: {buyers: b.csv, open_items: i.csv}
credit: {dependence: {correlation: {country:DE: {country:FR: 0.5}}}}
payment: {delay: {model: empirical, file: d.csv}}
liquidity: {outflows: o.csv}
programmes:
  - {name: None, type: none}
stresses:
  mild: {state_shift: {global: -0.5, country:UX: -1}}
"""
    text = told(
        study_yaml=changed(study, "country:DE: {country:FR: 0.5}", '"country:DE": {"country:FR": 0.5}'),
        b_csv=BUYERS.replace("BB", "B+++"),
        i_csv=ITEMS.replace("200.00", "2OO.00"),
        d_csv="delay_days\n3\nsoon\n",
        o_csv="date,amount\n2026-12-31,lots\n",
    )
    assert [re.sub(" +", " ", head) for head in heads(text)] == [
        "b.csv:2:16 rating = B+++",
        "d.csv:3:1 delay_days = soon",
        "i.csv:3:39 amount_open = 2OO.00",
        "o.csv:2:12 amount = lots",
        "study.yaml:4:52 credit.dependence.correlation.country:DE.country:FR",
        "study.yaml:10:38 stresses.mild.state_shift.country:UX",
    ]
    golden = Path(__file__).parent / "golden" / "problems_at_once.txt"
    if os.environ.get("UPDATE_GOLDEN") == "1":
        golden.write_text(text + "\n", encoding="utf-8")
    assert text + "\n" == golden.read_text(encoding="utf-8")
    assert "did you mean country:US?" in text


@pytest.mark.parametrize(
    ("files", "wanted", "words"),
    [
        pytest.param(
            {"b_csv": BUYERS.replace("B,60", "B+++,60")},
            "b.csv:3:16  rating = B+++",
            "unknown rating of buyer 'B'",
            id="rating",
        ),
        pytest.param(
            {
                "b_csv": BUYERS.replace("B,60", ",60"),
                "study_yaml": STUDY.replace("i.csv}", "i.csv, defaults: {rating: Z9}}"),
            },
            "study.yaml:3:66  portfolio.defaults.rating = Z9",
            "unknown rating of buyer 'B'",
            id="rating by default",
        ),
        pytest.param(
            {"study_yaml": STUDY.replace("fx: {rates: {USD: 0.9}}\n", "")},
            "study.yaml",
            "no exchange rate for USD",
            id="missing rate",
        ),
        pytest.param(
            {
                "study_yaml": STUDY.replace("{USD: 0.9}", "{USD: 0.9}, model: bootstrap, history: h.csv"),
                "h_csv": history(20),
            },
            "study.yaml:4:52  fx.history = h.csv",
            "at least 52 weeks",
            id="short history",
        ),
        pytest.param(
            {
                "study_yaml": STUDY.replace("{USD: 0.9}", "{USD: 0.9}, history: h.csv"),
                "h_csv": history(60).replace("0.91", "O.91", 1),
            },
            "h.csv:3:12  USD = O.91",
            "must be a positive number",
            id="history",
        ),
        pytest.param(
            {"study_yaml": STUDY.replace("{USD: 0.9}", "{USD: 0.9}, history: h.csv"), "h_csv": "Datum,USD\n1,2\n"},
            "h.csv:1:1  fx.history = Datum,USD",
            "begins with a header: date",
            id="history header",
        ),
        pytest.param(
            {"study_yaml": STUDY.replace("{USD: 0.9}", "{USD: 9}, history: h.csv"), "h_csv": history(60)},
            "study.yaml:4:19  fx.rates.USD = 9",
            "upside down",
            id="contradiction",
        ),
        pytest.param(
            {"study_yaml": STUDY.replace("{USD: 0.9}", "{USD: 0.9}, hedge: {AUD: 50 %}")},
            "study.yaml:4:33  fx.hedge.AUD",
            "no buyer or invoice is in this currency; the ledger has EUR, USD; did you mean USD?",
            id="hedge of nothing",
        ),
        pytest.param(
            {"study_yaml": STUDY + "stresses: {dollar: {fx_shock: {AUD: -10 %}}}\n"},
            "study.yaml:7:32  stresses.dollar.fx_shock.AUD",
            "did you mean USD?",
            id="shock of nothing",
        ),
        pytest.param(
            {
                "study_yaml": STUDY
                + "stresses: {bad: {state_shift: {sector:steal: -1}}}\n".replace("sector:steal", "'sector:steal'")
            },
            "study.yaml:7:32  stresses.bad.state_shift.sector:steal",
            "did you mean sector:steel?",
            id="shift of nobody",
        ),
        pytest.param(
            {
                "study_yaml": STUDY + "  - {name: P, type: whole_turnover, premium: {rate_on_turnover: 0.3 %}, "
                "maximum_liability: 30 x premium}\n",
                "b_csv": BUYERS.replace("100000", "0").replace("200000", "0"),
            },
            "study.yaml:7:92  programmes[1].maximum_liability = 30 x premium",
            "a multiple of premium needs a premium",
            id="multiple of nothing",
        ),
        pytest.param(
            {
                "study_yaml": STUDY.replace("fx:", "credit: {pd: {source: curve, file: c.csv}}\nfx:"),
                "c_csv": "buyer_id,month,cumulative_pd\nA,12,.4\n",
            },
            "b.csv:3:1  buyer_id = B",
            "c.csv has no curve for buyer 'B'",
            id="no curve",
        ),
        pytest.param(
            {"b_csv": BUYERS.replace(",US,", ",XX,")},
            "b.csv:3:3  country = XX",
            "not an ISO 3166 country code",
            id="country",
        ),
        pytest.param(
            {"b_csv": BUYERS.replace(",US,", ",ED,")},
            "b.csv:3:3  country = ED",
            "did you mean DE?",
            id="country turned round",
        ),
        pytest.param(
            {"i_csv": ITEMS.replace("2026-12-01", "2062-12-01")},
            "i.csv:3:24  due_date = 2062-12-01",
            "hardly meant",
            id="far future",
        ),
        pytest.param(
            {"i_csv": ITEMS.replace("2026-09-01", "1926-09-01")},
            "i.csv:2:13  issue_date = 1926-09-01",
            "hardly meant",
            id="far past",
        ),
        pytest.param(
            {"study_yaml": CONSTANT, "b_csv": EXPOSURES.replace("B,EUR", "B,USD")},
            "b.csv:3:3  currency = USD",
            "exposures are in study currency (EUR)",
            id="exposure in another currency",
        ),
        pytest.param(
            {"study_yaml": STUDY + "  - {name: P, type: whole_turnover, currency: GBP}\n"},
            "study.yaml:4:6  fx.rates.GBP",
            "no exchange rate for GBP",
            id="policy in a currency without a rate",
        ),
        pytest.param(
            {"b_csv": BUYERS.replace("annual_sales", "vat_rate").replace("200000", "20").replace("100000", "7 %")},
            "b.csv:3:21  vat_rate = 20",
            "did you mean 20 %?",
            id="tax without its sign",
        ),
        pytest.param(
            {"b_csv": BUYERS.replace("sector", "buyer_type").replace("A,DE,steel", "A,DE,relatd").replace("steel", "")},
            "b.csv:2:6  buyer_type = relatd",
            "did you mean related?",
            id="kind of buyer",
        ),
        pytest.param(
            {"study_yaml": STUDY + "  - {name: P, type: single_buyer, buyers: {ids: [A, a]}}\n"},
            "study.yaml:7:53  programmes[1].buyers.ids[1] = a",
            "did you mean A?",
            id="buyer named in a policy",
        ),
        pytest.param(
            {"study_yaml": STUDY + "  - {name: P, type: none, factoring: {}, prepayment: {buyers: {top: 1}}}\n"},
            "study.yaml:7:55  programmes[1].prepayment.buyers",
            "selects buyers that factoring selects too (B)",
            id="two ways to trade",
        ),
        pytest.param(
            {"study_yaml": STUDY + "  - {name: P, type: whole_turnover, insurer: {rating: A++}}\n"},
            "study.yaml:7:55  programmes[1].insurer.rating = A++",
            "did you mean A+?",
            id="insurer",
        ),
    ],
)
def test_each_at_its_place(files: dict[str, str], wanted: str, words: str) -> None:
    text = told(**files)
    assert len(heads(text)) == 1, text
    assert heads(text)[0].startswith(wanted), text
    assert words in text


@pytest.mark.parametrize(
    ("study", "wanted"),
    [
        (STUDY.replace("currency: EUR", "currency: EUE"), "study.currency = EUE | did you mean EUR?"),
        (STUDY.replace("{USD: 0.9}", "{USD: 0.9}, hedge: {USB: 0.5}"), "fx.hedge.USB | did you mean USD?"),
        (STUDY + "transfer: {annual_probability: {RB: 1 %}}\n", "transfer.annual_probability.RB | did you mean BR?"),
        (STUDY.replace("fx:", "credit: {dependence: {degrees_of_freedom: 0.05}}\nfx:"),
         "credit.dependence.degrees_of_freedom = 0.05 | from 0.1 to 1000"),
        *[
            (CONSTANT + f"stresses: {{s: {{{key}: {value}}}}}\n", f"stresses.s.{key} | no meaning with `exposure")
            for key, value in {"delay_shift": "5 days", "delay_multiplier": 2, "sales_multiplier": 0.9,
                               "fx_shock": "{USD: -10 %}"}.items()
        ],
    ],
)  # fmt: skip
def test_in_the_study_file(study: str, wanted: str) -> None:
    write(study_yaml=study, b_csv=EXPOSURES)
    with pytest.raises(InputError) as caught:
        load_study("study.yaml")
    (problem,) = caught.value.problems
    head, words = wanted.split(" | ")
    assert problem.line
    assert problem.column
    assert str(problem).splitlines()[0].endswith("  " + head)
    assert words in str(problem)


def test_the_ecb_extra_is_asked_for_at_its_key(monkeypatch: pytest.MonkeyPatch) -> None:
    import sys

    monkeypatch.setitem(sys.modules, "currency_converter", None)
    text = told(study_yaml=STUDY.replace("{USD: 0.9}", "{USD: 0.9}, history: ecb"))
    assert heads(text) == ["study.yaml:4:34  fx.history = ecb"]
    assert "trade-credit-simulator[ecb]" in text


def test_a_stress_that_leaves_no_premium() -> None:
    text = told(
        study_yaml=STUDY + "  - {name: P, type: whole_turnover, limits: unlimited, premium: {rate_on_turnover: 0.3 %}, "
        "maximum_liability: 30 x premium}\nstresses: {still: {sales_multiplier: 0}}\n"
    )
    assert heads(text) == ["study.yaml:8:38  stresses.still.sales_multiplier = 0"]


def test_settings_without_effect_are_noted() -> None:
    write(study_yaml=STUDY.replace("{USD: 0.9}", "{USD: 0.9}, volatility: {JPY: 9 %}, wrong_way: {GBP: 0.1}")
          + "transfer: {annual_probability: {BR: 1 %}}\n")  # fmt: skip
    notes = check_study(load_study("study.yaml")).profile["notes"]
    assert [note for note in notes if "without effect" in note] == [
        "fx.volatility names JPY, in which no buyer or invoice is: without effect",
        "fx.wrong_way names GBP, in which no buyer or invoice is: without effect",
        "transfer.annual_probability names BR, where no buyer is: without effect",
    ]


def test_labels_that_are_no_codes_are_left_alone() -> None:
    write(b_csv=BUYERS.replace(",US,", ",391,").replace(",DE", ",Bavaria") + "C,XK,,EUR,B,30,0\nD,uk,,EUR,B,30,0\n")
    assert check_study(load_study("study.yaml")).buyers.country == ["Bavaria", "391", "XK", "GB"]


def test_buyers_point_to_their_cells() -> None:
    write()
    buyers = check_study(load_study("study.yaml")).buyers
    problem = buyers.problem(1, "rating", "said", "B+")
    assert (problem.file, problem.line, problem.column, problem.source) == (
        "b.csv", 3, 16, "B,US,steel,USD,B,60,200000",
    )  # fmt: skip
    assert (problem.value, problem.suggestion) == ("B", "B+")
    assert buyers.problem(1, "lgd", "said").line == 3  # no such column: the line


def test_many_misspelt_countries_by_default_are_one_problem() -> None:
    text = told(
        study_yaml=STUDY.replace("i.csv}", "i.csv, defaults: {country: XX}}"),
        b_csv=re.sub(",(DE|US),", ",,", BUYERS),
    )
    assert heads(text) == ["study.yaml:3:67  portfolio.defaults.country = XX"]


@pytest.mark.parametrize("number", [".4", "0.4", "40 %", "4E-1", "4e-1"])
def test_numbers_of_a_curve_file(number: str) -> None:
    from simulator.defaults.curve_files import file_curves
    from simulator.errors import Problems

    Path("c.csv").write_text(f"grade,month,cumulative_pd\nx,12,{number}\n")
    problems = Problems()
    _, curves = file_curves("c.csv", Path(), problems)
    assert list(problems) == []
    assert curves["x"].hazard[1] == pytest.approx(0.5108256, abs=1e-6)


def test_check_refuses_what_run_refuses_on_the_command_line(capsys: Any) -> None:
    from simulator.__main__ import main

    write(study_yaml=STUDY + "liquidity: {outflows: o.csv}\n", o_csv="date,amount\n31.12.2026,5\n")
    for command in (["check", "study.yaml"], ["run", "study.yaml", "--quiet"]):
        with pytest.raises(SystemExit) as stop:
            main(command)
        assert stop.value.code == 2
        assert "o.csv:2:1  date = 31.12.2026" in capsys.readouterr().err
