"""Volatilities and correlations of currencies against the study currency, and where each came from."""

from __future__ import annotations

import csv
from pathlib import Path
from typing import NamedTuple

import numpy as np

from simulator.errors import Problem, Problems
from simulator.fx.history import History
from simulator.fx.matrices import TOLERANCE, smallest_eigenvalue
from simulator.ledger.portfolio import Floats
from simulator.study.calendar import DAYS_PER_YEAR, FX_STEP_DAYS
from simulator.study.schema import Study

TABLES = Path(__file__).parent / "tables"
#: Shipped volatilities and correlations against the US dollar.
TABLE = "fed_h10_2005_2025"
#: Weekly steps in a year.
STEPS_PER_YEAR = DAYS_PER_YEAR / FX_STEP_DAYS
#: Fewest weekly returns from which a volatility or correlation is taken.
FEWEST_WEEKS = 52


class Dynamics(NamedTuple):
    """How currencies move.

    Attributes:
        volatility: annual, of log rates against the study currency, float64[n_currencies]; 0 for the study currency.
        correlation: of log rates, float64[n_currencies, n_currencies]; unit diagonal.
        notes: a sentence on the source of each volatility, and on each correlation that nobody gave.
    """

    volatility: Floats
    correlation: Floats
    notes: list[str]


def usable_history(history: History | None, codes: list[str]) -> list[str]:
    """Those of the codes whose history is fresh and has at least a year of weeks."""
    if history is None:
        return []
    fresh = [code for code in codes if history.spot(code) > 0]
    return [code for code in fresh if len(history.weekly_returns([code])) >= FEWEST_WEEKS]


def build_dynamics(study: Study, codes: list[str], history: History | None) -> Dynamics:
    """Volatility and correlation of each currency: from the study, else its history, else the shipped table.

    Args:
        study: ``fx.volatility`` and ``fx.correlation`` are read.
        codes: currencies, the study currency first.
        history: the rate history, if there is one.

    Raises:
        InputError: a currency nothing is known of, impossible correlations, or together an impossible matrix
            (with its smallest eigenvalue).
    """
    problems = Problems()
    own, foreign = codes[0], codes[1:]
    table = table_covariance(codes)
    observed = _observed(history, foreign)
    volatility = np.zeros(len(codes))
    notes: list[str] = []
    for c, code in enumerate(foreign, start=1):
        if code in study.fx.volatility:
            volatility[c], source = study.fx.volatility[code], "given"
        elif (code, code) in observed:
            volatility[c], source = np.sqrt(observed[code, code]), "from the rate history"
        else:
            volatility[c], source = np.sqrt(table[c, c]), f"from the table {TABLE}"
        if np.isnan(volatility[c]):
            text = (
                f"nothing is known about how {code} moves against {own}: give fx.volatility: {{{code}: <annual "
                f"volatility>}}, or a rate history with {code} in fx.history"
            )
            problems.add(Problem(text, path=f"fx.volatility.{code}"))
        elif volatility[c] < 0:
            text = "a volatility must not be negative"
            problems.add(Problem(text, path=f"fx.volatility.{code}", value=f"{volatility[c]:g}"))
        else:
            notes.append(f"{code}: volatility {volatility[c]:.1%} a year against {own}, {source}")
    given = _given_correlations(study, problems)
    problems.raise_if_any()
    correlation = _correlations(codes, given, observed, table, notes)
    least = smallest_eigenvalue(correlation)
    if least < -TOLERANCE:
        text = (
            f"the correlations of {', '.join(foreign)} cannot hold together (smallest eigenvalue {least:.4g}, must "
            f"not be negative): weaken the strongest given ones, or give a rate history for all of them"
        )
        problems.add(Problem(text, path="fx.correlation"))
    problems.raise_if_any()
    return Dynamics(volatility, correlation, notes)


def table_covariance(codes: list[str]) -> Floats:
    """Annual covariance of log rates against ``codes[0]`` from the shipped table, NaN where it is silent.

    The table is against the US dollar. With x_i the log dollar value of a currency, its log rate against the
    study currency s is x_i − x_s, hence cov(i, j) = Σ_ij − Σ_is − Σ_js + Σ_ss, and the variance of a cross is
    σ_i² + σ_s² − 2·ρ_is·σ_i·σ_s. A pegged currency moves as its anchor plus a small noise of its own.

    Returns:
        float64[n, n].
    """
    n = len(codes)
    dollar = _dollar_covariance(codes)
    if np.isnan(dollar[0, 0]):
        out = np.full((n, n), np.nan)
        out[0, :] = out[:, 0] = 0.0
        return out
    to_own = dollar[:, :1]
    out = np.asarray(dollar - to_own - to_own.T + dollar[0, 0])
    out[0, :] = out[:, 0] = 0.0
    return out


def _dollar_covariance(codes: list[str]) -> Floats:
    with (TABLES / f"{TABLE}.csv").open(encoding="utf-8", newline="") as stream:
        rows = {row["currency"]: row for row in csv.DictReader(stream)}
    with (TABLES / "pegs.csv").open(encoding="utf-8", newline="") as stream:
        pegs = {row["currency"]: (row["anchor"], float(row["volatility"])) for row in csv.DictReader(stream)}

    def against_dollar(a: str, b: str) -> float:
        if "USD" in (a, b):
            return 0.0 if a in (*rows, "USD") and b in (*rows, "USD") else np.nan
        if a not in rows or b not in rows:
            return np.nan
        correlation = 1.0 if a == b else float(rows[a].get(b) or "nan")
        return correlation * float(rows[a]["volatility"]) * float(rows[b]["volatility"])

    out = np.empty((len(codes), len(codes)))
    for i, a in enumerate(codes):
        for j, b in enumerate(codes):
            out[i, j] = against_dollar(pegs.get(a, (a, 0.0))[0], pegs.get(b, (b, 0.0))[0])
            if a == b and a in pegs:
                out[i, j] += pegs[a][1] ** 2
    return out


def _observed(history: History | None, foreign: list[str]) -> dict[tuple[str, str], float]:
    """Annual covariances by pair of codes, for the codes with enough history."""
    known = usable_history(history, foreign)
    if history is None or not known:
        return {}
    out: dict[tuple[str, str], float] = {}
    for i, a in enumerate(known):
        for b in known[i:]:
            returns = history.weekly_returns([a, b])
            if len(returns) >= FEWEST_WEEKS:
                value = float(np.cov(returns, rowvar=False)[0, 1]) * STEPS_PER_YEAR
                out[a, b] = out[b, a] = value
    return out


def _given_correlations(study: Study, problems: Problems) -> dict[tuple[str, str], float]:
    given: dict[tuple[str, str], float] = {}
    for a, row in (study.fx.correlation or {}).items():
        for b, value in row.items():
            path = f"fx.correlation.{a}.{b}"
            if not -1.0 <= value <= 1.0 or (a == b and value != 1.0):
                text = "a correlation lies between -1 and 1, that of a currency with itself is 1"
                problems.add(Problem(text, path=path, value=f"{value:g}"))
            elif given.get((a, b), value) != value:
                text = f"{b}.{a} says {given[a, b]:g}: a correlation has one value for both orders"
                problems.add(Problem(text, path=path, value=f"{value:g}"))
            given[a, b] = given[b, a] = value
    return given


def _correlations(
    codes: list[str],
    given: dict[tuple[str, str], float],
    observed: dict[tuple[str, str], float],
    table: Floats,
    notes: list[str],
) -> Floats:
    out = np.eye(len(codes))
    for i in range(1, len(codes)):
        for j in range(i + 1, len(codes)):
            pair = codes[i], codes[j]
            if pair in given:
                value = given[pair]
            elif pair in observed:
                spread = observed[pair[0], pair[0]] * observed[pair[1], pair[1]]
                value = observed[pair] / np.sqrt(spread) if spread > 0 else 0.0
            else:
                spread = table[i, i] * table[j, j]
                value = table[i, j] / np.sqrt(spread) if spread > 0 else np.nan
            if np.isnan(value):
                notes.append(f"{pair[0]} and {pair[1]}: correlation not known, taken as 0 against {codes[0]}")
                value = 0.0
            out[i, j] = out[j, i] = min(max(value, -1.0), 1.0)
    return out
