"""A realistic result made with numpy alone, for tests of measures, comparisons, stores and reports.

The numbers obey the money identities (gross = retained + indemnity; gap steps add up; cost of risk is the sum of
its parts) but come from a toy model: one common state, Poisson failures, log-normal debts, weekly cash. With
``written`` the policies have every term (limits taken back, VAT, an insurer that may fail), the first programme trades
against prepayment and keeps its reserve as a fund, and the bank lends against receivables.
"""

from __future__ import annotations

import datetime as dt
from typing import Any

import numpy as np
import pandas as pd
import xarray as xr

from simulator.policy.gaps import GAP_STEPS
from simulator.results.result import Result
from simulator.study.schema import Study

PROGRAMMES = ("Self-insurance", "Whole turnover 80 %", "Whole turnover 90 %", "Whole turnover 95 %", "Excess of loss")
QUANTILES = (0.005, 0.01, 0.05, 0.25, 0.5, 0.75, 0.95, 0.99, 0.995)
AS_OF = dt.date(2026, 10, 30)
RECOVERY = 0.35
TERMS: dict[str, dict[str, float]] = {
    "Self-insurance": {"percentage": 0.0, "premium": 0.0, "reserve": 1_500_000.0},
    "Whole turnover 80 %": {"percentage": 0.80, "premium": 230_000.0, "afl": 150_000.0, "cap": 6_900_000.0},
    "Whole turnover 90 %": {"percentage": 0.90, "premium": 280_000.0, "afl": 150_000.0, "cap": 8_400_000.0},
    "Whole turnover 95 %": {"percentage": 0.95, "premium": 330_000.0, "afl": 150_000.0, "cap": 9_900_000.0},
    "Excess of loss": {"percentage": 1.0, "premium": 120_000.0, "afl": 1_000_000.0, "cap": 10_000_000.0},
}


def fake_study(
    *, constant: bool = False, scenarios: int = 4000, stresses: tuple[str, ...] = (), written: bool = False
) -> Study:
    """A study that matches the fake result."""
    programmes: list[dict[str, Any]] = []
    for name in PROGRAMMES:
        terms = TERMS[name]
        if name == "Self-insurance":
            programmes.append({"name": name, "type": "none", "reserve": terms["reserve"], "cost_of_capital": 0.09})
            continue
        programmes.append(
            {
                "name": name,
                "type": "excess_of_loss" if name == "Excess of loss" else "whole_turnover",
                "insured_percentage": terms["percentage"],
                "aggregate_first_loss": terms["afl"],
                "maximum_liability": terms["cap"],
                "premium": {"rate_on_turnover": 0.0016, "minimum": terms["premium"]},
                "cost_of_capital": 0.09,
            }
        )
    line: dict[str, Any] = {"limit": 5_000_000}
    if written:
        line["borrowing_base"] = {"advance_rate": 0.8}
        programmes[0] |= {"prepayment": {"accepted": 0.7}, "reserve_fund": {"top_up": 50_000.0}}
        for programme in programmes[1:]:
            programme |= {"limit_changes": {"annual_probability": 0.1}, "insurer": {"rating": "A"}}
    exposure: dict[str, Any] = {"exposure": "constant", "buyers": "buyers.csv"}
    ledger: dict[str, Any] = {"buyers": "buyers.csv", "open_items": "open_items.csv"}
    return Study.model_validate(
        {
            "schema": 1,
            "study": {
                "title": "Fake exporter",
                "description": "What does 90 % cover change against self-insurance?",
                "authors": ["Tests"],
                "as_of": AS_OF,
                "currency": "EUR",
                "horizon": "52 weeks",
            },
            "portfolio": exposure if constant else ledger,
            "liquidity": {"opening_cash": 4_000_000, "minimum_cash": 2_000_000, "credit_line": line}
            | ({"operating_costs": 400_000.0, "variable_cost_rate": 0.6} if written else {}),
            "programmes": programmes,
            "stresses": {name: {"pd_multiplier": 2.0} for name in stresses},
            "simulation": {"scenarios": scenarios, "seed": 20261030},
        }
    )


def _claims(rng: np.random.Generator, n: int, stress: float) -> tuple[np.ndarray, ...]:
    """State of each scenario, debts and days of failures (n, 40), number of failures."""
    state = rng.standard_normal(n)
    n_defaults = np.minimum(rng.poisson(stress * np.exp(1.2 - 0.7 * state)), 40)
    debts = np.exp(rng.normal(11.2, 1.4, (n, 40))) * (np.arange(40) < n_defaults[:, None])
    days = np.sort(rng.integers(1, 365, (n, 40)), axis=1)
    return state, debts, days, n_defaults


def _apply(
    terms: dict[str, float], debts: np.ndarray, state: np.ndarray, written: bool
) -> tuple[np.ndarray, dict[str, np.ndarray]]:
    """Toy policy: indemnity per claim (n, 40) and the gap steps (n,)."""
    n = len(debts)
    gap = {step: np.zeros(n) for step in GAP_STEPS if step not in {"debt", "indemnity"}}
    if terms["percentage"] == 0.0:
        gap["not_covered"] = debts.sum(axis=1)
        return np.zeros_like(debts), gap
    place = np.arange(40)
    rest = debts
    if written:
        for step, cut in {
            "conversion": -0.01 * rest,
            "vat": np.where(place % 3 == 0, 0.15 * rest, 0.0),
            "disputed": np.where(place % 11 == 10, 0.5 * rest, 0.0),
            "limit_cancelled": np.where(place % 7 == 3, 0.3 * rest, 0.0),
        }.items():
            gap[step], rest = cut.sum(axis=1), rest - cut
    not_covered = np.where(place % 9 == 8, rest, 0.0)
    rest = rest - not_covered
    over = np.maximum(rest - 600_000.0, 0.0)
    rest = rest - over
    small = np.where(rest < 5_000.0, rest, 0.0)
    rest = rest - small
    share = rest * terms["percentage"]
    gap["coinsurance"] = (rest - share).sum(axis=1)
    if written:
        for step, first in {"each_and_every": 500.0, "minimum_retention": 1_000.0}.items():
            kept = np.minimum(share, first)
            gap[step], share = kept.sum(axis=1), share - kept
    before = np.cumsum(share, axis=1)
    after_afl = np.diff(np.maximum(before - terms["afl"], 0.0), axis=1, prepend=0.0)
    gap["aggregate_first_loss"] = (share - after_afl).sum(axis=1)
    cap = terms["cap"] * (0.2 if written else 1.0)
    paid = np.diff(np.minimum(np.cumsum(after_afl, axis=1), cap), axis=1, prepend=0.0)
    gap["maximum_liability"] = (after_afl - paid).sum(axis=1)
    gap["not_covered"], gap["over_limit"] = not_covered.sum(axis=1), over.sum(axis=1)
    gap["non_qualifying"] = small.sum(axis=1)
    if written:
        late = np.where(place % 13 == 0, 0.2 * paid, 0.0)
        failed = np.where(state[:, None] < -2.0, 0.4 * (paid - late), 0.0)
        gap["notification"], gap["insurer_default"] = late.sum(axis=1), failed.sum(axis=1)
        paid = paid - late - failed
    return paid, gap


def _tail_mean(values: np.ndarray, level: float) -> float:
    ordered = np.sort(values)
    return float(ordered[min(int(np.ceil(level * len(ordered))), len(ordered) - 1) :].mean())


def _quantiles(values: np.ndarray) -> np.ndarray:
    """Quantiles over scenarios (axis 0) → (quantile, period)."""
    return np.asarray(np.quantile(values, QUANTILES, axis=0, method="inverted_cdf"))


def _weekly(debts: np.ndarray, day: np.ndarray, periods: int) -> np.ndarray:
    """Money by the week of its day; later days drop out."""
    n = len(debts)
    week = (day - 1) // 7
    inside = (week >= 0) & (week < periods)
    flat = (np.arange(n)[:, None] * periods + np.clip(week, 0, periods - 1))[inside]
    return np.bincount(flat, weights=debts[inside], minlength=n * periods).reshape(n, periods)


def fake_result(
    n: int = 4000,
    seed: int = 20261030,
    periods: int = 52,
    *,
    constant: bool = False,
    weighted: bool = False,
    stress: float = 1.0,
    stresses: tuple[str, ...] = (),
    written: bool = False,
) -> Result:
    """A result with five programmes and ``periods`` weeks; ``constant`` leaves out everything that needs cash."""
    rng = np.random.default_rng(seed)
    state, debts, days, n_defaults = _claims(rng, n, stress)
    debt = debts.sum(axis=1)
    gross = debt * (1 - RECOVERY)
    weight = np.exp(-0.5 * state - 0.125) if weighted else np.ones(n)
    fx_loss = rng.normal(0.0, 120_000.0, n)
    receivables = 30e6 + np.cumsum(rng.normal(0.0, 200_000.0, (n, periods)), axis=1) - 4e5 * state[:, None]
    collections = 3.46e6 + rng.normal(0.0, 350_000.0, (n, periods)) + 40_000.0 * state[:, None]

    per_scenario: dict[str, np.ndarray] = {
        "weight": weight,
        "gross_loss": gross,
        "n_defaults": n_defaults.astype(np.int32),
        "n_protracted": rng.poisson(0.4 * np.exp(-0.5 * state)).astype(np.int32),
        "largest_loss": debts.max(axis=1) * (1 - RECOVERY),
        "fx_loss": fx_loss,
        "delay_cost": np.exp(rng.normal(11.0, 0.2, n) - 0.1 * state),
        "billed": np.full(n, 180e6),
        "fx_result": -fx_loss,
        "recovered": 0.2 * debt,
        "outstanding": receivables[:, -1],
    }
    per_scenario["collected"] = (
        per_scenario["billed"] + per_scenario["fx_result"] - gross - per_scenario["outstanding"] - 0.2 * debt
    )

    rows: dict[str, list[np.ndarray]] = {}
    fans: dict[str, list[np.ndarray]] = {}
    charges: dict[str, list[float]] = {"capital_charge": [], "reserve_cost": []}
    for name in PROGRAMMES:
        terms = TERMS[name]
        safer = written and name == PROGRAMMES[0]
        paid, gap = _apply(terms, debts, state, written)
        indemnity_gross = paid.sum(axis=1)
        indemnity = indemnity_gross * (1 - RECOVERY)
        claim_flow = _weekly(paid, days + 30, periods)
        credit_loss = 0.8 * gross if safer else gross
        retained = credit_loss - indemnity
        flows = collections - 3.45e6 - _weekly(debts, days, periods) + claim_flow - terms["premium"] / periods
        cash = 4e6 + np.cumsum(flows, axis=1)
        headroom = cash + 5e6 - 2e6
        line = np.clip(2e6 - cash, 0.0, 5e6)
        reserve = terms.get("reserve", 0.0)
        capital = 0.09 * 364 / 365 * max(0.0, _tail_mean(retained, 0.99) - retained.mean())
        struck = (headroom < 0).any(axis=1)
        first = np.where(struck, (headroom < 0).argmax(axis=1), -1).astype(np.int32)
        come = np.cumsum(claim_flow, axis=1)
        in_time = np.where(struck, come[np.arange(n), np.maximum(first, 0)], 0.0)
        values = {
            "indemnity": indemnity,
            "indemnity_gross": indemnity_gross,
            "indemnity_in_horizon": claim_flow.sum(axis=1) - 0.2 * indemnity_gross * RECOVERY,
            "retained_loss": retained,
            "premium": np.full(n, terms["premium"]) * 1.03,
            "financing_cost": line.sum(axis=1) * 0.06 / 52,
            "minimum_cash": np.minimum(cash + line, 4e6).min(axis=1),
            "minimum_headroom": headroom.min(axis=1),
            "shortfall_amount": np.maximum(0.0, -headroom.min(axis=1)),
            "first_shortfall_period": first,
            "claims_before_shortfall": in_time,
            "claims_after_shortfall": np.where(struck, come[:, -1] - in_time, 0.0),
            "ending_cash": cash[:, -1] + line[:, -1],
            "ending_line": line[:, -1],
            "gap_debt": debt,
        } | {f"gap_{step}": amount for step, amount in gap.items()}
        if constant:
            values["financing_cost"] = np.zeros(n)
        charges["capital_charge"].append(capital)
        charges["reserve_cost"].append(reserve * 0.09 * 364 / 365)
        values["cost_of_risk"] = values["premium"] + retained + values["financing_cost"] + capital
        if written:
            sales = (4e6 + 1e5 * state) * safer
            values |= {"credit_loss": credit_loss, "lost_sales": sales, "lost_margin": 0.4 * sales}
            values |= {"trade_cost": 25_000.0 * safer + 0.0 * state, "insurer_loss": gap["insurer_default"]}
            values["reserve_cost"] = charges["reserve_cost"][-1] * np.exp(0.1 * state)
            fund = reserve - np.cumsum(_weekly(debts, days, periods) * (1 - RECOVERY), axis=1).max(axis=1)
            values["minimum_fund"] = np.maximum(0.0, fund)
            values["periods_below_reserve"] = np.where(fund < reserve, periods // 2, 0).astype(np.int32)
            held = values["reserve_cost"] if safer else charges["reserve_cost"][-1]
            values["cost_of_risk"] += values["trade_cost"] + values["lost_margin"] + held
        else:
            values["cost_of_risk"] += charges["reserve_cost"][-1]
        for key, value in values.items():
            rows.setdefault(key, []).append(value)
        series = {
            "cash": _quantiles(cash),
            "headroom": _quantiles(headroom),
            "shortfall_probability": (headroom < 0).mean(axis=0),
            "mean_cash": cash.mean(axis=0),
            "mean_claim_cash": claim_flow.mean(axis=0),
        }
        if written:
            series["borrowing_base"] = _quantiles(0.15 * receivables)
            series["availability"] = np.minimum(5e6, series["borrowing_base"])
        for key, value in series.items():
            fans.setdefault(key, []).append(value)

    only_cash = {"fx_loss", "delay_cost", "billed", "fx_result", "collected", "recovered", "outstanding"} | {
        "n_protracted", "indemnity_in_horizon", "minimum_cash", "minimum_headroom", "shortfall_amount",
        "first_shortfall_period", "ending_cash", "ending_line", "claims_before_shortfall", "claims_after_shortfall",
        "trade_cost", "lost_sales", "lost_margin", "minimum_fund", "periods_below_reserve",
    }  # fmt: skip
    variables: dict[str, Any] = {k: ("scenario", v) for k, v in per_scenario.items()}
    variables |= {k: (("programme", "scenario"), np.stack(v)) for k, v in rows.items()}
    variables |= {k: ("programme", np.array(v)) for k, v in charges.items() if k not in rows}
    if constant:
        variables = {k: v for k, v in variables.items() if k not in only_cash}
    scenarios = xr.Dataset(
        variables, coords={"programme": np.array(PROGRAMMES, dtype=object), "scenario": np.arange(n)}
    )
    paths = _paths(fans, receivables, collections, periods) if not constant else xr.Dataset()
    for dataset in (scenarios, paths):
        for key, variable in dataset.data_vars.items():
            variable.attrs = {"units": "EUR", "long_name": str(key).replace("_", " ")}
    return Result(
        study=fake_study(constant=constant, scenarios=n, stresses=stresses, written=written),
        scenarios=scenarios,
        paths=paths,
        contributions=_contributions(rng, gross),
        manifest={"versions": {"simulator": "0.1.0"}, "seed": seed, "threads": 2, "seconds": 1.25, "scenarios": n},
        profile=_profile(),
        stresses={
            name: fake_result(n, seed, periods, constant=constant, weighted=weighted, stress=2.0 + i, written=written)
            for i, name in enumerate(stresses)
        },
    )


def fake_constant_result(n: int = 4000, seed: int = 20261030) -> Result:
    """The same book in constant-exposure mode: no cash, no currencies, no delays."""
    return fake_result(n, seed, constant=True)


def _paths(
    fans: dict[str, list[np.ndarray]], receivables: np.ndarray, collections: np.ndarray, periods: int
) -> xr.Dataset:
    ends = np.array([AS_OF + dt.timedelta(days=7 * (t + 1)) for t in range(periods)], dtype="datetime64[ns]")
    fan, line = ("programme", "quantile", "period"), ("programme", "period")
    dataset = xr.Dataset(
        {
            **{key: (fan if values[0].ndim == 2 else line, np.stack(values)) for key, values in fans.items()},
            "receivables": (("quantile", "period"), _quantiles(receivables)),
            "collections": (("quantile", "period"), _quantiles(collections)),
            "mean_receivables": ("period", receivables.mean(axis=0)),
            "dso": (("quantile", "period"), _quantiles(receivables) / 44.4e6 * 90),
            "mean_dso": ("period", receivables.mean(axis=0) / 44.4e6 * 90),
        },
        coords={"programme": np.array(PROGRAMMES, dtype=object), "quantile": np.array(QUANTILES), "period": ends},
    )
    dataset.attrs["rank_error"] = 0.0021
    return dataset


def _contributions(rng: np.random.Generator, gross: np.ndarray) -> dict[str, pd.DataFrame]:
    names = {
        "buyers": [f"B{i:04d}" for i in range(57)] + ["=1+1", "<script>alert(1)</script>", "Häfele & Söhne 有限公司"],
        "countries": ["DE", "FR", "NA", "US", "CN", "PL", "TR"],
        "currencies": ["EUR", "USD", "CNY", "PLN"],
        "sectors": ["wholesale", "machinery", "construction", "food"],
    }
    tail = _tail_mean(gross, 0.99)
    tables = {}
    for key, labels in names.items():
        share = np.sort(rng.dirichlet(np.full(len(labels), 0.6)))[::-1]
        tables[key] = pd.DataFrame(
            {
                "name": labels,
                "exposure": 30e6 * np.sort(rng.dirichlet(np.full(len(labels), 0.8)))[::-1],
                "mean_loss": gross.mean() * share,
                "tail_loss": tail * share,
                "share_of_tail": share,
                "n_defaults": 3.3 * share,
            }
        )
    return tables


def _profile() -> dict[str, Any]:
    return {
        "n_buyers": 60,
        "n_open_items": 412,
        "total": 30_000_000.0,
        "by_currency": [{"currency": "EUR", "amount": 18e6}, {"currency": "USD", "amount": 12e6}],
        "ageing": [{"bucket": "not due", "amount": 24e6}, {"bucket": "1-30", "amount": 4.5e6}],
        "top_10_share": 0.41,
        "hhi": 0.031,
        "notes": ["3 buyers have no rating; 2 items excluded: credit notes"],
    }
