"""The firm's own side of its cash: opening position, credit line, and the outflows that no buyer decides."""

from __future__ import annotations

import calendar as gregorian
import csv
import datetime as dt
from collections.abc import Iterator
from pathlib import Path
from typing import NamedTuple

import numpy as np

from simulator.errors import InputError, Problem, Problems, closest, display_path
from simulator.ledger.portfolio import Flags, Floats, Ints, Portfolio
from simulator.study.amounts import parse_date, parse_money
from simulator.study.calendar import Calendar
from simulator.study.schema import Policy, Study
from simulator.study.schema_trade import ReserveFund

#: Columns of the outflows file.
COLUMNS = ("date", "amount")


class CashPlan(NamedTuple):
    """Cash position, terms and planned outflows, study currency; T periods, P programmes.

    Rates are annual; ``outflow`` float64[T] holds operating costs and the outflows file, ``purchases`` float64[T] what
    planned sales cause, ``reserve`` and ``cost_of_capital`` float64[P], ``period_years`` float64[T]. ``regime``
    int32[P] says in which rows of the ledger a programme trades. ``line_rate`` holds below the first step of the
    margin grid, ``step_rate`` from a utilisation of ``step_from`` on (float64[steps]); ``saving`` float64[P] is what
    the bank takes off as loss payee (``loss_payee`` bool[P]). ``funded`` bool[P]: the reserve is a fund apart, with
    ``top_up`` float64[P, T] and ``fund_interest`` float64[P]; ``standing_reserve_cost`` float64[P] is the cost of a
    reserve over the horizon where it is not.
    """

    opening_cash: float
    minimum_cash: float
    line_limit: float
    line_rate: float
    cash_rate: float
    outflow: Floats
    purchases: Floats
    reserve: Floats
    cost_of_capital: Floats
    period_years: Floats
    regime: Ints
    step_from: Floats
    step_rate: Floats
    saving: Floats
    loss_payee: Flags
    funded: Flags
    top_up: Floats
    fund_interest: Floats
    standing_reserve_cost: Floats


def build_cash(
    study: Study,
    portfolio: Portfolio,
    calendar: Calendar,
    spot: Floats,
    folder: Path = Path(),
    regime: Ints | None = None,
    lent_on_cover: Flags | None = None,
) -> CashPlan:
    """The study's liquidity section and planned purchases as arrays.

    Args:
        study: the study.
        portfolio: its invoices cause purchases.
        calendar: days and periods.
        spot: study currency per unit of each of the portfolio's currencies on day 0.
        folder: the study's folder, where the outflows file is looked up.
        regime: number of the way of trading of each programme, int32[P]; the same for all by default.
        lent_on_cover: programmes that have the insured rate, bool[P]; those with the bank as loss payee by default.

    Raises:
        InputError: the outflows file is missing or has lines that cannot be used; all of them are reported.
    """
    cash, line, programmes = study.liquidity, study.liquidity.credit_line, study.programmes
    n = len(programmes)
    reserve = np.array([study.reserve(p) for p in range(n)], dtype=np.float64)
    cost_of_capital = np.array([programme.cost_of_capital for programme in programmes], dtype=np.float64)
    funds = [programme.reserve_fund or ReserveFund() for programme in programmes]
    insured_rate = line.rate if line.insured_rate is None else line.insured_rate
    payee = np.array([isinstance(programme, Policy) and programme.loss_payee for programme in programmes], np.bool_)
    outflow = operating_costs(cash.operating_costs, calendar)
    if cash.outflows is not None:
        outflow = outflow + planned_outflows(folder / cash.outflows, calendar)
    return CashPlan(
        opening_cash=cash.opening_cash,
        minimum_cash=cash.minimum_cash,
        line_limit=line.limit,
        line_rate=line.rate,
        cash_rate=cash.interest_on_cash,
        outflow=outflow,
        purchases=planned_purchases(portfolio, calendar, spot, cash.variable_cost_rate, cash.supplier_terms_days),
        reserve=reserve,
        cost_of_capital=cost_of_capital,
        period_years=calendar.period_years,
        regime=np.zeros(n, np.int32) if regime is None else regime,
        step_from=np.array([step.used_above for step in line.margin_grid], dtype=np.float64),
        step_rate=np.array([step.rate for step in line.margin_grid], dtype=np.float64),
        saving=np.where(payee if lent_on_cover is None else lent_on_cover, line.rate - insured_rate, 0.0),
        loss_payee=payee,
        funded=np.array([programme.reserve_fund is not None for programme in programmes], np.bool_),
        top_up=np.array([operating_costs(fund.top_up, calendar) for fund in funds], dtype=np.float64),
        fund_interest=np.array([fund.interest for fund in funds], dtype=np.float64),
        standing_reserve_cost=reserve * (cost_of_capital * calendar.horizon_years),
    )


def operating_costs(per_month: float, calendar: Calendar) -> Floats:
    """Fixed monthly costs by period: each day bears its share of the calendar month it lies in.

    30,000 a month is 1,000 on each day of April and exactly 30,000 in a monthly period of any length.

    Returns:
        float64[n_periods].
    """
    days = [calendar.date(day) for day in range(1, calendar.horizon_days + 1)]
    share = np.array([1.0 / gregorian.monthrange(date.year, date.month)[1] for date in days])
    months = np.bincount(calendar.period_of_day[1:], weights=share, minlength=calendar.n_periods).astype(np.float64)
    return per_month * months


def planned_purchases(
    portfolio: Portfolio, calendar: Calendar, spot: Floats, variable_cost_rate: float, supplier_terms_days: int
) -> Floats:
    """Payments to suppliers that sales cause: a share of each invoice's book value, so many days after its issue.

    Open items count too where the payment still lies ahead; payments due by day 0 have been made, those after the
    horizon are left out.

    Returns:
        float64[n_periods].
    """
    invoices = portfolio.invoices
    day = invoices.issue_day.astype(np.int64) + supplier_terms_days
    inside = (day >= 1) & (day <= calendar.horizon_days)
    value = variable_cost_rate * (invoices.amount * spot[invoices.currency])[inside]
    period = calendar.period_of_day[day[inside]]
    return np.bincount(period, weights=value, minlength=calendar.n_periods).astype(np.float64)


def planned_outflows(path: Path, calendar: Calendar) -> Floats:
    """Dated outflows of a file by period; amounts are as in the study file, negative ones are inflows.

    The file is UTF-8 CSV, comma or semicolon separated, with a header and at least the columns ``date``
    (YYYY-MM-DD) and ``amount``. Dates after the horizon are left out; dates up to ``as_of`` are refused, since that
    money has left the opening cash already.

    Returns:
        float64[n_periods].

    Raises:
        InputError: with every problem in the file.
    """
    problems = Problems()
    total = np.zeros(calendar.n_periods)
    for date, amount in _dated_amounts(path, calendar.as_of, problems):
        day = calendar.day(date)
        if day <= calendar.horizon_days:
            total[calendar.period_of_day[day]] += amount
    problems.raise_if_any()
    return total


def _dated_amounts(path: Path, as_of: dt.date, problems: Problems) -> Iterator[tuple[dt.date, float]]:
    """Date and amount of each usable line; what is not usable goes to the problems."""
    shown = display_path(path)
    source = _lines(path, shown)
    delimiter = ";" if source and source[0].count(";") > source[0].count(",") else ","
    header = [cell.strip().casefold() for cell in next(csv.reader(source[:1], delimiter=delimiter), [])]
    for name in COLUMNS:
        if name not in header:
            text = f"an outflows file needs the columns date and amount; {name} is missing"
            near = closest(name, header)
            problems.add(Problem(text, shown, 1, path=name, value=near or None, source=source[0] if source else ""))
    if len(problems):
        return
    date_column, amount_column = header.index("date"), header.index("amount")
    reader = csv.reader(source[1:], delimiter=delimiter)
    for cells in reader:
        line = reader.line_num + 1
        if not any(cell.strip() for cell in cells):
            continue
        cells += [""] * (len(header) - len(cells))
        found = len(problems)
        date, amount = as_of, 0.0
        text = source[line - 1]
        if len(cells) > len(header):
            message = f"this line has {len(cells)} cells, the header has {len(header)}; a decimal sign is a point"
            problems.add(Problem(message, shown, line, source=text))
            continue
        try:
            date = parse_date(cells[date_column])
            if date <= as_of:
                message = f"lies on or before the ledger's date {as_of}: that money is in the opening cash already"
                problems.add(_cell(message, shown, line, "date", cells, date_column, text))
        except ValueError as error:
            problems.add(_cell(f"must be {error}", shown, line, "date", cells, date_column, text))
        try:
            amount = parse_money(cells[amount_column])
        except ValueError as error:
            problems.add(_cell(f"must be {error}", shown, line, "amount", cells, amount_column, text))
        if len(problems) == found:
            yield date, amount


def _lines(path: Path, shown: str) -> list[str]:
    try:
        return path.read_text(encoding="utf-8-sig").splitlines()
    except (OSError, UnicodeDecodeError) as error:
        reason = "not UTF-8 text" if isinstance(error, UnicodeDecodeError) else (error.strerror or "cannot be read")
        message = f"outflows file cannot be read: {reason}"
        raise InputError([Problem(message, shown, path="liquidity.outflows", value=path.name)]) from error


def _cell(message: str, file: str, line: int, name: str, cells: list[str], column: int, source: str) -> Problem:
    """A problem at one cell, with its place in the line (the whole line where cells are quoted)."""
    value = cells[column].strip()
    start = 0
    if '"' not in source:
        before = sum(len(cell) + 1 for cell in cells[:column])
        start = before + len(cells[column]) - len(cells[column].lstrip()) + 1
    return Problem(message, file, line, start, name, value, source=source, width=max(1, len(value)))
