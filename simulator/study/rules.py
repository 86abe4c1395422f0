"""Rules between keys: what no single field can see, each reported at the key that has to change.

A rule is a function that looks at the study and says what is wrong through :class:`Breaches`. Rules about values
that were already reported as malformed stay silent.
"""

from __future__ import annotations

import math
import re
from collections.abc import Callable, Iterable
from pathlib import Path

from simulator.errors import Problem
from simulator.study.breaches import Breaches
from simulator.study.check import Findings
from simulator.study.codes import currencies, likely_currency
from simulator.study.document import Document
from simulator.study.files import check_files
from simulator.study.matrices import check_matrices
from simulator.study.names import check_country, check_currency, check_driver
from simulator.study.paths import KeyPath
from simulator.study.rules_cover import COVER_RULES, MAX_YEARS, longest_horizon
from simulator.study.rules_script import SCRIPT_RULES
from simulator.study.rules_simulation import SIMULATION_RULES
from simulator.study.rules_trade import TRADE_RULES
from simulator.study.schema import EmpiricalDelay, MixtureDelay, Study

MAX_DELAY_DAYS = 3650
LOWEST_RATE, HIGHEST_RATE = 1e-9, 1e9

_RESERVED = {"base"}
#: Terms of a stress that only invoices, cash and currencies feel.
_LEDGER_STRESSES = ("delay_shift", "delay_multiplier", "sales_multiplier", "fx_shock")


def check_rules(findings: Findings, document: Document, folder: Path) -> list[Problem]:
    """Every breach of a rule between keys."""
    study = findings.study
    assert study is not None
    found = Breaches(document, findings)
    for rule in _RULES:
        rule(study, found)
    check_matrices(study, found)
    check_files(study, found, folder)
    return found.problems


def _time(study: Study, found: Breaches) -> None:
    info, path = study.study, ("study", "horizon")
    if not 1970 <= info.as_of.year <= 2100:
        found.add(("study", "as_of"), "must lie between the years 1970 and 2100")
        return
    days = info.horizon.days_from(info.as_of)
    shortest = 7 if info.period == "week" else 28
    if days < shortest:
        found.add(path, f"must be at least one {info.period}, the period of this study", reads=[("study", "period")])
    if days > longest_horizon(info.as_of):
        found.add(path, f"must be at most {MAX_YEARS} years")


def _shares(study: Study, found: Breaches) -> None:
    shares = study.credit.dependence.shares
    _sum_to_one(
        found,
        ("credit", "dependence", "shares"),
        {"global": shares.global_, "country": shares.country, "sector": shares.sector},
        "the rest is each buyer's own",
    )
    delay = study.payment.shares
    _sum_to_one(
        found,
        ("payment", "shares"),
        {"systemic": delay.systemic, "credit": delay.credit, "buyer": delay.buyer},
        "the rest is each invoice's own",
    )
    mixture = study.payment.delay
    if isinstance(mixture, MixtureDelay):
        parts = {"early_share": mixture.early_share, "on_due_date_share": mixture.on_due_date_share}
        _sum_to_one(found, ("payment", "delay"), parts, "the rest is paid late")


def _sum_to_one(found: Breaches, path: KeyPath, parts: dict[str, float], rest: str) -> None:
    total = math.fsum(parts.values())
    if total > 1 + 1e-12:
        listed = " + ".join(f"{name} {share:g}" for name, share in parts.items())
        found.add(path, f"{listed} = {total:g}; together they must be at most 1, {rest}", at_key=True)


def _recovery(study: Study, found: Breaches) -> None:
    recovery, path = study.credit.recovery, ("credit", "recovery")
    most = math.sqrt(recovery.mean * (1 - recovery.mean))
    if recovery.sd > 0 and recovery.sd >= most:
        limit = f"can only have a standard deviation below {most:.3g}" if most > 0 else "has no standard deviation"
        message = f"a recovery rate from 0 to 1 with mean {recovery.mean:g} {limit}"
        written = found.written((*path, "sd"))
        more = "" if written else f", but where `sd` is left out it is {recovery.sd:g}: add `sd: 0` for a certain rate"
        found.add((*path, "sd" if written else "mean"), message + more, reads=[(*path, "mean"), (*path, "sd")])


def _payment(study: Study, found: Breaches) -> None:
    delay, path = study.payment.delay, ("payment", "delay")
    if isinstance(delay, EmpiricalDelay):
        if (delay.values is None) == (delay.file is None):
            found.add(path, "empirical delays need either `values` or a `file`, and not both", at_key=True)
        elif delay.values is not None and not delay.values:
            found.add((*path, "values"), "must not be empty")
    _days_within(found, ("payment", "location"), study.payment.location)
    for name, stress in study.stresses.items():
        _days_within(found, ("stresses", name, "delay_shift"), stress.delay_shift)


def _days_within(found: Breaches, path: KeyPath, days: int) -> None:
    if abs(days) > MAX_DELAY_DAYS:
        found.add(path, f"must be within {MAX_DELAY_DAYS} days either way")


def _sales(study: Study, found: Breaches) -> None:
    portfolio, path = study.portfolio, ("portfolio", "sales")
    sales = portfolio.sales
    if portfolio.exposure == "constant":
        if portfolio.buyers is None:
            found.add(("portfolio", "buyers"), "`exposure: constant` needs a buyer file with a column exposure")
    elif portfolio.buyers is None and portfolio.open_items is None:
        message = "a ledger needs `buyers`, `open_items` or both: name the files"
        found.add(("portfolio",), message, at_key=True, reads=[("portfolio", "buyers"), ("portfolio", "open_items")])
    if sales.mode == "plan" and sales.file is None:
        found.add((*path, "mode"), "needs a plan: name it with `file`", reads=[(*path, "file")])
    if sales.mode != "plan" and sales.file is not None:
        message = f"a plan file is read only with `mode: plan`, but the mode is {sales.mode}"
        found.add((*path, "file"), message, reads=[(*path, "mode")])
    if sales.growth < -1:
        found.add((*path, "growth"), "must be at least -100 %")
    weights = sales.seasonality
    if weights is not None and (len(weights) != 12 or min(weights) < 0 or sum(weights) <= 0):
        found.add((*path, "seasonality"), f"must be 12 weights of at least 0, January first; there are {len(weights)}"
                   if len(weights) != 12 else "must be 12 weights of at least 0, not all 0")  # fmt: skip


def _default_source(study: Study, found: Breaches) -> None:
    pd, path = study.credit.pd, ("credit", "pd")
    if pd.source == "curve" and pd.file is None:
        found.add((*path, "source"), "needs a curve file: name it with `file`", reads=[(*path, "file")])
    if pd.source != "curve" and pd.file is not None:
        message = f"a curve file is read only with `source: curve`, but the source is {pd.source}"
        found.add((*path, "file"), message, reads=[(*path, "source")])


def _currencies(study: Study, found: Breaches) -> None:
    fx, own = study.fx, study.study.currency
    if own not in currencies():
        found.add(("study", "currency"), "not an ISO 4217 currency code", likely_currency(own))
    wrong_way = fx.wrong_way if isinstance(fx.wrong_way, dict) else {}
    named: dict[KeyPath, Iterable[str]] = {
        ("fx", "rates"): fx.rates,
        ("fx", "volatility"): fx.volatility,
        ("fx", "drift"): fx.drift,
        ("fx", "hedge"): fx.hedge,
        ("fx", "wrong_way"): wrong_way,
    }
    for stress, content in study.stresses.items():
        named[("stresses", stress, "fx_shock")] = content.fx_shock
        for code, change in content.fx_shock.items():
            if change <= -1:
                found.add(("stresses", stress, "fx_shock", code), "must be above -100 %: a currency keeps some value")
    for path, codes in named.items():
        for code in codes:
            check_currency(found, (*path, code), code, own)
    for country in study.transfer.annual_probability:
        check_country(found, ("transfer", "annual_probability", country), country)
    for code, rate in fx.rates.items():
        if rate <= 0 or (code == own and rate != 1):
            found.add(("fx", "rates", code), f"must be {'1' if code == own else 'above 0'}: it is {own} per {code}")
        elif not LOWEST_RATE <= rate <= HIGHEST_RATE:
            found.add(("fx", "rates", code), f"must lie between 1e-9 and 1e9: it is {own} per {code}")
    for code, volatility in fx.volatility.items():
        if not 0 <= volatility <= 5:
            found.add(("fx", "volatility", code), "must be a number from 0 to 5, or a percentage with its sign")
    for code, drift in fx.drift.items():
        if not -1 < drift <= 10:
            found.add(("fx", "drift", code), "must be above -100 % and at most 1000 %")


def _currency_model(study: Study, found: Breaches) -> None:
    fx = study.fx
    if fx.model == "bootstrap" and fx.history is None:
        found.add(("fx", "model"), "needs past rates to draw from: name them with `history`", reads=[("fx", "history")])


def _stresses(study: Study, found: Breaches) -> None:
    for name, stress in study.stresses.items():
        path: KeyPath = ("stresses", name)
        if name.strip().casefold() in _RESERVED:
            found.add(path, "this name is taken by the study itself; choose another", at_key=True)
        if not re.fullmatch(r"[\w][\w .+-]*", name):
            found.add(path, "a stress is named by letters, digits, blanks and . + - _", at_key=True)
        for driver in stress.state_shift:
            check_driver(found, (*path, "state_shift", driver), driver)
        if study.portfolio.exposure == "constant":
            for key in _LEDGER_STRESSES:
                if found.written((*path, key)):
                    message = "has no meaning with `exposure: constant`, which has no sales, delays or currencies"
                    found.add((*path, key), message, at_key=True, reads=[("portfolio", "exposure")])


def _levels(study: Study, found: Breaches) -> None:
    levels = study.report.levels
    path: KeyPath = ("report", "levels")
    if not levels:
        found.add(path, "must not be empty")
    for index, level in enumerate(levels):
        if not 0 < level < 1:
            found.add((*path, index), "must lie between 0 and 1, both excluded")
        elif index and level <= levels[index - 1]:
            found.add((*path, index), f"levels must ascend; {levels[index - 1]:g} stands before it")


_RULES: list[Callable[[Study, Breaches], None]] = [
    _time,
    _shares,
    _recovery,
    _payment,
    _sales,
    _default_source,
    _currencies,
    _currency_model,
    *COVER_RULES,
    *TRADE_RULES,
    _stresses,
    *SCRIPT_RULES,
    *SIMULATION_RULES,
    _levels,
]
