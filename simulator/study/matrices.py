"""Correlation matrices written as ``{a: {b: 0.5}}``: names, range, contradictions, positive definiteness."""

from __future__ import annotations

import re

from simulator.study.breaches import Breaches
from simulator.study.names import check_currency, check_driver
from simulator.study.paths import KeyPath
from simulator.study.schema import Study

Table = dict[str, dict[str, float]]

#: Below this a matrix counts as not positive definite: its Cholesky factor would be noise.
SMALLEST_EIGENVALUE = 1e-10


def check_matrices(study: Study, found: Breaches) -> None:
    """Check the correlations of drivers and of currencies."""
    drivers = study.credit.dependence.correlation
    if drivers:
        path: KeyPath = ("credit", "dependence", "correlation")
        for name in _names(drivers):
            check_driver(found, _where(path, drivers, name), name)
        _check(drivers, path, found, complete=True)
    currencies = study.fx.correlation
    if currencies:
        path = ("fx", "correlation")
        for name in _names(currencies):
            check_currency(found, _where(path, currencies, name), name, study.study.currency)
        _check(currencies, path, found, complete=False)


def pairs(table: Table) -> dict[tuple[str, str], float]:
    """Each correlation once, keyed by its two names in alphabetical order; the diagonal is left out."""
    found: dict[tuple[str, str], float] = {}
    for first, row in table.items():
        for second, value in row.items():
            if first != second:
                found[(min(first, second), max(first, second))] = value
    return found


def _names(table: Table) -> list[str]:
    return list(dict.fromkeys([*table, *(name for row in table.values() for name in row)]))


def _where(path: KeyPath, table: Table, name: str) -> KeyPath:
    if name in table:
        return (*path, name)
    return (*path, next(first for first, row in table.items() if name in row), name)


def _check(table: Table, path: KeyPath, found: Breaches, *, complete: bool) -> None:
    """Range, diagonal and symmetry of each entry; then definiteness of the whole.

    Args:
        table: the correlations.
        path: where they stand.
        found: what is wrong goes here.
        complete: whether unnamed pairs are 0; otherwise they come from elsewhere, and only a matrix that names
            every pair is judged.
    """
    sound = True
    for first, row in table.items():
        for second, value in row.items():
            where = (*path, first, second)
            mirrored = table.get(second, {}).get(first, value)
            if first == second:
                if value != 1:
                    found.add(where, "must be 1: a variable's correlation with itself")
                    sound = False
            elif not -1 <= value <= 1:
                found.add(where, "must be a correlation from -1 to 1")
                sound = False
            elif mirrored != value and _second_of_pair(table, first, second):
                found.add(where, f"contradicts {second} to {first}, which is {mirrored:g}; give each pair once")
                sound = False
    names = _names(table)
    known = pairs(table)
    if not sound or (not complete and len(known) < len(names) * (len(names) - 1) // 2):
        return
    smallest = smallest_eigenvalue(names, known)
    if smallest <= SMALLEST_EIGENVALUE:
        message = (
            f"these correlations contradict each other: the matrix is not positive definite "
            f"(smallest eigenvalue {_short(smallest)}, must be above 0); weaken some of them"
        )
        found.add(path, message, at_key=True)


def _second_of_pair(table: Table, first: str, second: str) -> bool:
    order = list(table)
    return order.index(first) > order.index(second)


def smallest_eigenvalue(names: list[str], known: dict[tuple[str, str], float]) -> float:
    """Smallest eigenvalue of a correlation matrix whose unnamed pairs are 0."""
    import numpy as np

    matrix = np.eye(len(names))
    place = {name: i for i, name in enumerate(names)}
    for (first, second), value in known.items():
        matrix[place[first], place[second]] = matrix[place[second], place[first]] = value
    return float(np.linalg.eigvalsh(matrix)[0])


def _short(value: float) -> str:
    return "0" if abs(value) < 1e-9 else re.sub(r"e-0?", "e-", f"{value:.3g}")
