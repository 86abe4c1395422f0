"""Everything that is wrong with a study and its ledger, in every room, at once, each at its place.

``simulator check`` and :func:`simulator.engine.model.build_model` both come through here, so that what is checked is
what is run. Nothing here needs compiled code.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable
from dataclasses import replace
from functools import partial

from simulator.defaults.curves import check_ratings
from simulator.delays.observed import observed_delays
from simulator.engine.check_base import base_notes
from simulator.engine.check_terms import check_limit_files, check_selections, check_told_limits, term_notes
from simulator.engine.script import build_script
from simulator.engine.script_notes import script_notes
from simulator.errors import InputError, Problem, Problems, closest
from simulator.factors.drivers import check_drivers
from simulator.fx.countries import annual_probabilities
from simulator.fx.history import load_history
from simulator.fx.laws import currency_laws
from simulator.fx.spot import rates_of, resolve_spot
from simulator.ledger.load import load_portfolio
from simulator.ledger.portfolio import Portfolio
from simulator.policy.insurer import check_insurers
from simulator.policy.multiple import check_multiples
from simulator.study.calendar import Calendar
from simulator.study.load import LoadedStudy
from simulator.study.paths import KeyPath, locate, parse_path
from simulator.study.schema import EmpiricalDelay, Study
from simulator.treasury.plan import planned_outflows


def check_study(loaded: LoadedStudy, sales_multiplier: float = 1.0) -> Portfolio:
    """Read the ledger and check it and the study in every room, the study's stresses included.

    Args:
        loaded: the study.
        sales_multiplier: multiplies planned amounts (stress).

    Returns:
        The portfolio; its profile notes what of the study has nothing to act on.

    Raises:
        InputError: with every problem found, each once.
    """
    study, folder = loaded.study, loaded.folder
    found = Problems()
    portfolio: Portfolio | None = None
    try:
        lookup = partial(resolve_spot, study, folder)
        portfolio = load_portfolio(loaded, sales_multiplier, lookup, found)
    except InputError as error:
        _add(found, error.problems)
    sound = len(found) == 0
    calendar = Calendar.of(study)
    if portfolio is not None:
        _run(found, lambda: check_ratings(study, portfolio, folder))
        _run(found, lambda: check_drivers(study, portfolio))
    if study.portfolio.exposure == "ledger":
        _run(found, lambda: _check_currencies(loaded, portfolio, sound))
        delay, outflows = study.payment.delay, study.liquidity.outflows
        if isinstance(delay, EmpiricalDelay):
            _run(found, lambda: observed_delays(delay, folder))
        if outflows is not None:
            _run(found, lambda: planned_outflows(folder / outflows, calendar))
        if portfolio is not None:
            _run(found, lambda: _check_countries(study, portfolio))
    if portfolio is not None and sound:
        _run(found, lambda: check_multiples(study, portfolio, calendar))
        _run(found, lambda: check_selections(study, portfolio, folder))
        _run(found, lambda: check_limit_files(study, portfolio, calendar, folder))
        if study.portfolio.exposure == "ledger":
            _run(found, lambda: _check_used(loaded, portfolio))
            _run(found, lambda: build_script(study, portfolio, calendar))
            _run(found, lambda: check_told_limits(study, portfolio, calendar, folder))
    _run(found, lambda: check_insurers(study, folder))
    raise_placed(loaded, found)
    assert portfolio is not None
    idle = [*_idle(study, portfolio), *term_notes(study, portfolio, calendar)]
    idle += base_notes(study, portfolio, calendar, folder)
    notes = [*portfolio.profile["notes"], *idle, *script_notes(study)]
    return replace(portfolio, profile={**portfolio.profile, "notes": notes})


def raise_placed(loaded: LoadedStudy, problems: Iterable[Problem], stress: str = "") -> None:
    """Raise all problems, each once, those that name a key of the study where that key was written.

    Args:
        loaded: the study.
        problems: what was found.
        stress: the stress they were found in; a bare ``state_shift.<driver>`` then is that stress's.

    Raises:
        InputError: if there is any problem.
    """
    placed = Problems()
    _add(placed, (place(loaded, problem, stress) for problem in problems))
    placed.raise_if_any()


def place(loaded: LoadedStudy, problem: Problem, stress: str = "") -> Problem:
    """A problem that names a key of the study but no line, with file, line and column of that key."""
    if problem.line or not problem.path:
        return problem
    try:
        steps: KeyPath = tuple(locate(loaded.document.data, parse_path(problem.path)))
    except ValueError:
        return problem
    if stress and steps[0] == "state_shift":
        steps = ("stresses", stress, *steps)
    if steps[0] not in Study.model_fields:
        return problem
    at_key = problem.value is not None and problem.value == steps[-1]
    written = steps in loaded.document.places
    value = None if written or at_key else problem.value
    return loaded.problem(steps, problem.message, value, problem.suggestion, at_key)


def _run(found: Problems, step: Callable[[], object]) -> None:
    """Take one step and keep its problems, but for cells that are known to be wrong already."""
    told = {(p.file, p.line, p.column) for p in found if p.line and p.column}
    try:
        step()
    except InputError as error:
        _add(found, (p for p in error.problems if (p.file, p.line, p.column) not in told))


def _add(found: Problems, problems: Iterable[Problem]) -> None:
    told = {_place(problem) for problem in found}
    for problem in problems:
        key = _place(problem)
        if key not in told:
            told.add(key)
            found.add(problem)


def _place(problem: Problem) -> tuple[object, ...]:
    """Where and what: a term that several programmes inherit is wrong once, at the line that has it."""
    path = "" if problem.line else problem.path
    return problem.file, problem.line, problem.column, path, problem.message


def _check_currencies(loaded: LoadedStudy, portfolio: Portfolio | None, sound: bool) -> None:
    """The history, a rate for each currency, and laws for all of them together.

    Where the ledger has problems of its own its currencies are not all known, and only the rates of those that are
    get checked.
    """
    study = loaded.study
    codes = [study.study.currency] if portfolio is None else portfolio.currencies
    history = load_history(study, loaded.folder, codes)
    problems = Problems()
    _run(problems, lambda: rates_of(study, history, codes))
    if sound:
        _run(problems, lambda: currency_laws(study, codes, history))
    problems.raise_if_any()


def _check_countries(study: Study, portfolio: Portfolio) -> None:
    problems = Problems()
    annual_probabilities(study, portfolio, problems)
    problems.raise_if_any()


def _check_used(loaded: LoadedStudy, portfolio: Portfolio) -> None:
    """A hedge or a shock of a currency in which nobody owes anything would do nothing: it is a slip."""
    own = portfolio.currency
    owed = {portfolio.currencies[c] for c in portfolio.invoices.currency} | set(portfolio.buyers.currency)
    named: dict[KeyPath, tuple[dict[str, float], set[str]]] = {("fx", "hedge"): (loaded.study.fx.hedge, owed)}
    for name, stress in loaded.study.stresses.items():
        named["stresses", name, "fx_shock"] = (stress.fx_shock, owed | set(portfolio.currencies))
    problems = Problems()
    for path, (codes, known) in named.items():
        used = sorted(known - {own})
        said = f"no buyer or invoice is in this currency; the ledger has {', '.join([own, *used])}"
        for code in codes:
            if code not in used:
                problems.add(loaded.problem((*path, code), said, suggestion=closest(code, used), at_key=True))
    problems.raise_if_any()


def _currencies(portfolio: Portfolio) -> list[str]:
    return sorted({*portfolio.currencies, *portfolio.buyers.currency})


def _idle(study: Study, portfolio: Portfolio) -> list[str]:
    """Settings that the ledger gives nothing to act on: no mistake in a study that serves several ledgers."""
    if study.portfolio.exposure == "constant":
        return []
    used, countries = set(_currencies(portfolio)), set(portfolio.buyers.country)
    wrong_way = study.fx.wrong_way if isinstance(study.fx.wrong_way, dict) else {}
    notes = []
    for key, codes in (
        ("fx.volatility", study.fx.volatility),
        ("fx.drift", study.fx.drift),
        ("fx.wrong_way", wrong_way),
    ):
        idle = [code for code in codes if code not in used]
        if idle:
            notes.append(f"{key} names {', '.join(idle)}, in which no buyer or invoice is: without effect")
    idle = [code for code in study.transfer.annual_probability if code not in countries]
    if idle:
        notes.append(f"transfer.annual_probability names {', '.join(idle)}, where no buyer is: without effect")
    return notes
