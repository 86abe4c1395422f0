"""Rate histories, spot rates, volatilities and correlations: where they come from, and what is refused."""

import datetime as dt
import sys
from pathlib import Path
from types import ModuleType, SimpleNamespace

import numpy as np
import pytest

from simulator.errors import InputError
from simulator.fx.dynamics import build_dynamics, table_covariance
from simulator.fx.history import load_history
from simulator.fx.spot import resolve_spot
from tests.small_ledger import make_study

AS_OF = dt.date(2026, 10, 30)


def study_with(**fx):
    return make_study(fx=fx)


def write(folder, name, header, rows):
    (folder / name).write_text("\n".join([header, *rows]) + "\n", encoding="utf-8")


def weekly(n=120, seed=1, codes=("USD", "GBP"), spot=(0.92, 1.17), sd=(0.012, 0.01), rho=0.5):
    """Dates (rising, Fridays up to as_of) and rates of a made-up history."""
    random = np.random.default_rng(seed)
    root = np.linalg.cholesky(np.array([[1, rho], [rho, 1]]))
    moves = random.normal(size=(n, 2)) @ root.T * sd
    rates = np.exp(np.log(spot) - np.cumsum(moves[::-1], axis=0)[::-1] + moves[0] * 0)
    dates = [AS_OF - dt.timedelta(days=7 * (n - i)) for i in range(n)] + [AS_OF]
    return dates, np.vstack([rates, spot]), dict(zip(codes, spot, strict=True))


def test_tidy_file_is_in_study_currency_per_unit(tmp_path):
    write(tmp_path, "h.csv", "date,USD,GBP", ["2026-10-28,0.91,1.16", "2026-10-29,0.92,N/A", "2026-11-02,0.5,0.5"])
    spot = resolve_spot(study_with(history="h.csv"), tmp_path, ["EUR", "USD", "GBP"])
    assert spot == {"EUR": 1.0, "USD": 0.92, "GBP": 1.16}


def test_ecb_file_is_turned_over_and_crossed_into_any_study_currency(tmp_path):
    write(tmp_path, "e.csv", "Date,USD,JPY,BGN,", ["2026-10-30,1.25,160,N/A,", "2026-10-29,1.20,150,N/A,"])
    assert resolve_spot(study_with(history="e.csv"), tmp_path, ["EUR", "USD"])["USD"] == pytest.approx(0.8)
    dollars = make_study(study={"currency": "USD"}, fx={"history": "e.csv"})
    spot = resolve_spot(dollars, tmp_path, ["USD", "EUR", "JPY"])
    assert spot == pytest.approx({"USD": 1.0, "EUR": 1.25, "JPY": 1.25 / 160})


def test_explicit_quotations_may_stand_in_any_order(tmp_path):
    write(tmp_path, "q.csv", "Date,EUR per USD,CHF per EUR", ["2026-10-30,0.8,0.95", "2026-10-20,0.9,0.9"])
    spot = resolve_spot(study_with(history="q.csv"), tmp_path, ["EUR", "USD", "CHF"])
    assert spot == pytest.approx({"EUR": 1.0, "USD": 0.8, "CHF": 1 / 0.95})
    francs = make_study(study={"currency": "CHF"}, fx={"history": "q.csv"})
    assert resolve_spot(francs, tmp_path, ["CHF", "USD"])["USD"] == pytest.approx(0.8 * 0.95)


@pytest.mark.parametrize(
    ("header", "rows"),
    [
        ("Date,USD,GBP", ["2026-10-29,0.92,1.16", "2026-10-30,0.92,1.16"]),
        ("date,USD,GBP", ["2026-10-30,0.92,1.16", "2026-10-29,0.92,1.16"]),
        ("Date,USD,EUR", ["2026-10-30,0.92,1.16", "2026-10-29,0.92,1.16"]),
        ("date,USD,EUR", ["2026-10-29,0.92,1.16", "2026-10-30,0.92,1.16"]),
    ],
)
def test_a_quotation_that_is_not_certain_is_refused(tmp_path, header, rows):
    write(tmp_path, "a.csv", header, rows)
    with pytest.raises(InputError, match="not certain what these rates are quoted in") as caught:
        resolve_spot(study_with(history="a.csv"), tmp_path, ["EUR", "USD"])
    assert caught.value.problems[0].line == 1


def test_a_given_rate_counts_but_not_upside_down(tmp_path):
    write(tmp_path, "h.csv", "date,USD", ["2026-10-29,0.8"])
    assert resolve_spot(study_with(history="h.csv", rates={"USD": 0.81}), tmp_path, ["USD"])["USD"] == 0.81
    with pytest.raises(InputError, match="upside down"):
        resolve_spot(study_with(history="h.csv", rates={"USD": 1.25}), tmp_path, ["USD"])


@pytest.mark.parametrize(
    ("header", "rows", "message"),
    [
        ("date,USD", ["2026-10-29,0.9", "2026-10-30,zero"], r":3[\s\S]*zero[\s\S]*positive number"),
        ("date,USD", ["30.10.2026,0.9"], r":2:1[\s\S]*YYYY-MM-DD"),
        ("date,USD", ["2026-10-29,0.9", "2026-10-29,0.9"], "twice"),
        ("date,USD", ["2026-10-29,-0.9"], "positive number"),
        ("date,USD", [], "no rows"),
        ("day,USD", ["2026-10-29,0.9"], "begins with a header"),
        ("date,Dollar", ["2026-10-29,0.9"], "currency code such as USD"),
        ("date,USD per GBP,JPY per CHF", ["2026-10-29,0.9,2"], "no currency in common"),
        ("date,USD per GBP", ["2026-10-29,0.9"], "says nothing about the study currency"),
        ("date,USD", ["2026-11-29,0.9"], "no date up to"),
    ],
)
def test_bad_histories_are_problems(tmp_path, header, rows, message):
    write(tmp_path, "b.csv", header, rows)
    with pytest.raises(InputError, match=message):
        load_history(study_with(history="b.csv"), tmp_path, ["EUR", "USD"])


def test_missing_history_and_missing_or_stale_rates_are_problems(tmp_path):
    with pytest.raises(InputError, match="No such file"):
        resolve_spot(study_with(history="none.csv"), tmp_path, ["USD"])
    with pytest.raises(InputError) as caught:
        resolve_spot(study_with(rates={"USD": 0.9}), tmp_path, ["EUR", "USD", "GBP", "CHF"])
    assert [p.path for p in caught.value.problems] == ["fx.rates.GBP", "fx.rates.CHF"]
    write(tmp_path, "old.csv", "date,USD", ["2026-09-28,0.9"])
    with pytest.raises(InputError, match="none in the month up to 2026-10-30"):
        resolve_spot(study_with(history="old.csv"), tmp_path, ["USD"])


def test_ecb_without_its_extra_names_it(tmp_path, monkeypatch):
    monkeypatch.setitem(sys.modules, "currency_converter", None)
    with pytest.raises(InputError, match=r"install trade-credit-simulator\[ecb\]"):
        resolve_spot(study_with(history="ecb"), tmp_path, ["USD"])


def test_ecb_through_its_extra(tmp_path, monkeypatch):
    class RateNotFoundError(Exception):
        pass

    class CurrencyConverter:
        currencies = frozenset({"USD", "EUR", "GBP"})
        bounds = {"USD": SimpleNamespace(first_date=dt.date(2020, 1, 1), last_date=dt.date(2026, 11, 15))}  # noqa: RUF012

        def convert(self, amount, currency, new_currency, date):
            assert (amount, new_currency) == (1, "EUR")
            assert date.weekday() < 5
            if date.day == 25:
                raise RateNotFoundError
            return 0.8 + 0.001 * date.day if currency == "USD" else 1.2

    module = ModuleType("currency_converter")
    module.CurrencyConverter, module.RateNotFoundError = CurrencyConverter, RateNotFoundError
    monkeypatch.setitem(sys.modules, "currency_converter", module)
    spot = resolve_spot(make_study(study={"currency": "GBP"}, fx={"history": "ecb"}), tmp_path, ["GBP", "USD"])
    assert spot["USD"] == pytest.approx(0.83 / 1.2)
    with pytest.raises(InputError, match="no exchange rate for XAU"):
        resolve_spot(study_with(history="ecb"), tmp_path, ["XAU"])


def test_dollar_table_gives_crosses():
    """σ² of a cross = σ_i² + σ_s² − 2·ρ·σ_i·σ_s."""
    covariance = table_covariance(["EUR", "USD", "GBP", "JPY"])
    assert covariance[1, 1] == pytest.approx(0.088**2)
    assert covariance[2, 2] == pytest.approx(0.09**2 + 0.088**2 - 2 * 0.66 * 0.09 * 0.088)
    # USD against EUR is −x_EUR, GBP against EUR is x_GBP − x_EUR
    assert covariance[1, 2] == pytest.approx(0.088**2 - 0.66 * 0.09 * 0.088)
    expected = 0.088**2 + 0.14 * 0.09 * 0.098 - 0.66 * 0.09 * 0.088 - 0.34 * 0.098 * 0.088
    assert covariance[2, 3] == pytest.approx(expected)
    dollars = table_covariance(["USD", "EUR", "SEK"])
    assert dollars[1, 1] == pytest.approx(0.088**2)
    assert dollars[2, 2] == pytest.approx(0.107**2)
    assert np.isnan(dollars[1, 2])
    assert np.isnan(table_covariance(["EUR", "SEK"])[1, 1])


def test_every_table_currency_against_every_other_is_possible():
    codes = ["EUR", "GBP", "JPY", "CNY", "CHF", "CAD", "AUD", "INR", "KRW", "MXN", "BRL", "ZAR", "USD", "AED", "DKK"]
    for own in codes:
        dynamics = build_dynamics(make_study(study={"currency": own}), [own, *(c for c in codes if c != own)], None)
        assert np.all((dynamics.volatility[1:] > 0.0005) & (dynamics.volatility[1:] < 0.25))
        assert np.linalg.eigvalsh(dynamics.correlation)[0] > 0
        assert len(dynamics.notes) == len(codes) - 1


def test_a_peg_moves_with_its_anchor():
    dynamics = build_dynamics(make_study(), ["EUR", "USD", "AED", "DKK"], None)
    assert dynamics.volatility[2] == pytest.approx(np.hypot(0.088, 0.002))
    assert dynamics.correlation[1, 2] == pytest.approx(0.088 / np.hypot(0.088, 0.002))
    assert dynamics.volatility[3] == pytest.approx(0.005)


def test_unknown_currencies_are_listed_with_what_to_give():
    with pytest.raises(InputError) as caught:
        build_dynamics(make_study(), ["EUR", "TRY", "USD", "NGN"], None)
    assert [p.path for p in caught.value.problems] == ["fx.volatility.TRY", "fx.volatility.NGN"]
    assert "give fx.volatility: {TRY:" in str(caught.value)


def test_a_given_volatility_is_enough_and_its_correlation_is_said_to_be_taken_as_zero():
    dynamics = build_dynamics(study_with(volatility={"TRY": 0.3}), ["EUR", "TRY", "USD"], None)
    assert dynamics.volatility.tolist() == pytest.approx([0, 0.3, 0.088])
    assert dynamics.correlation[1, 2] == 0
    assert any("TRY and USD: correlation not known, taken as 0" in note for note in dynamics.notes)


def test_history_counts_before_the_table_and_the_study_before_both(tmp_path):
    dates, rates, _ = weekly(n=400)
    rows = [f"{d},{a:.8f},{b:.8f}" for d, (a, b) in zip(dates, rates, strict=True)]
    write(tmp_path, "h.csv", "date,USD,GBP", rows)
    study = study_with(history="h.csv", volatility={"GBP": 0.2}, correlation={"CHF": {"USD": 0.1}})
    codes = ["EUR", "USD", "GBP", "CHF"]
    dynamics = build_dynamics(study, codes, load_history(study, tmp_path, codes))
    returns = np.diff(np.log(rates), axis=0)
    assert dynamics.volatility[1] == pytest.approx(returns[:, 0].std(ddof=1) * np.sqrt(365 / 7), rel=1e-4)
    assert dynamics.volatility[2] == 0.2
    assert dynamics.correlation[1, 2] == pytest.approx(np.corrcoef(returns.T)[0, 1], abs=1e-4)
    assert dynamics.correlation[1, 3] == 0.1
    table = table_covariance(codes)
    assert dynamics.correlation[2, 3] == pytest.approx(table[2, 3] / np.sqrt(table[2, 2] * table[3, 3]))


def test_a_short_history_gives_no_volatility(tmp_path):
    dates, rates, _ = weekly(n=40)
    rows = [f"{d},{a:.8f},{b:.8f}" for d, (a, b) in zip(dates, rates, strict=True)]
    write(tmp_path, "h.csv", "date,USD,GBP", rows)
    study = study_with(history="h.csv")
    history = load_history(study, tmp_path, ["EUR", "USD"])
    assert build_dynamics(study, ["EUR", "USD"], history).volatility[1] == pytest.approx(0.088)


def test_weekly_returns_hold_the_last_rate_and_start_where_all_are_known(tmp_path):
    rows = [
        "2026-10-08,1.0,N/A",
        "2026-10-09,1.1,2.0",
        "2026-10-14,1.2,2.0",
        "2026-10-22,1.3,4.0",
        "2026-10-30,1.4,4.0",
    ]
    write(tmp_path, "h.csv", "date,USD,GBP", rows)
    history = load_history(study_with(history="h.csv"), tmp_path, ["EUR"])
    expected = np.log([[1.2 / 1.1, 1.0], [1.3 / 1.2, 2.0], [1.4 / 1.3, 1.0]])
    assert history.weekly_returns(["USD", "GBP"]) == pytest.approx(expected)


@pytest.mark.parametrize(
    ("correlation", "message"),
    [
        ({"USD": {"GBP": 1.5}}, "between -1 and 1"),
        ({"USD": {"USD": 0.5}}, "with itself is 1"),
        ({"USD": {"GBP": 0.5}, "GBP": {"USD": 0.4}}, "one value for both orders"),
        ({"USD": {"GBP": 0.9, "JPY": 0.9}, "GBP": {"JPY": -0.9}}, "smallest eigenvalue -0.8"),
    ],
)
def test_impossible_correlations_are_problems(correlation, message):
    with pytest.raises(InputError, match=message):
        build_dynamics(study_with(correlation=correlation), ["EUR", "USD", "GBP", "JPY"], None)


def test_tables_are_shipped_beside_the_code():
    folder = Path(__file__).parents[1] / "simulator" / "fx" / "tables"
    names = {path.name for path in folder.glob("*.csv")}
    assert {"fed_h10_2005_2025.csv", "oecd_2026.csv", "transfer_frequency.csv", "pegs.csv"} <= names
