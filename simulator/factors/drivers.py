"""Which drivers there are, how they are correlated, and how each buyer loads on them.

Nothing here needs compiled code, so ``simulator check`` can use it.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from typing import NamedTuple

import numpy as np

from simulator.errors import Problem, Problems, closest
from simulator.ledger.portfolio import Buyers, Floats, Portfolio
from simulator.study.schema import Dependence, Shares, Study

GLOBAL = "global"
CORRELATION_PATH = "credit.dependence.correlation"
TAIL_PATH = "simulation.tail"

#: A correlation matrix counts as positive semi-definite down to this eigenvalue (rounding of the eigenvalues).
_LEAST_EIGENVALUE = -1e-10
#: A Cholesky pivot below this is a driver fully explained by earlier ones.
_LEAST_PIVOT = 1e-12
#: A buyer whose covariance with the global driver is smaller than this does not depend on it (rounding).
_LEAST_COVARIANCE = 1e-12
#: Rounding allowed when the variance of a common part is compared with 1.
_VARIANCE_TOLERANCE = 1e-9


class Common(NamedTuple):
    """What the buyers have in common.

    Attributes:
        names: driver names, the global one first.
        correlation: correlation of the drivers, float64[n_drivers, n_drivers].
        pairs: drivers and loadings of each buyer.
        variance: variance of each buyer's common part, float64[n_buyers], at most 1.
    """

    names: list[str]
    correlation: Floats
    pairs: list[tuple[list[int], list[float]]]
    variance: Floats


def country_driver(country: str) -> str:
    """Name of a country's driver."""
    return f"country:{country}"


def sector_driver(sector: str) -> str:
    """Name of a sector's driver."""
    return f"sector:{sector}"


def driver_names(buyers: Buyers) -> list[str]:
    """All drivers, the global one first (index 0), then countries, sectors and freely named ones in order.

    A driver exists for every country and sector among the buyers, whatever its share: transfer events and
    stresses may refer to it.
    """
    countries = {country_driver(code) for code in buyers.country if code}
    sectors = {sector_driver(name) for name in buyers.sector if name}
    others = set(buyers.loadings) - countries - sectors - {GLOBAL}
    return [GLOBAL, *sorted(countries), *sorted(sectors), *sorted(others)]


def name_some(names: Sequence[str], most: int = 3) -> str:
    """The first few names in quotes, and how many more there are."""
    listed = ", ".join(repr(name) for name in names[:most])
    return listed + (f" and {len(names) - most} more" if len(names) > most else "")


def unknown_driver(name: str, path: str, known: Iterable[str]) -> Problem:
    """The problem of a driver that no buyer depends on."""
    names = list(known)
    text = f"no buyer depends on a driver of this name; known: {', '.join(names[:12])}{', …' * (len(names) > 12)}"
    return Problem(text, path=path, value=name, suggestion=closest(name, names))


def correlation_matrix(dependence: Dependence, names: list[str], problems: Problems) -> Floats:
    """Correlation of the drivers, float64[n_drivers, n_drivers]; pairs that are not named are 0.

    Problems: unknown drivers, values outside [-1, 1], a diagonal other than 1, a pair given twice with different
    values, a matrix that is not positive semi-definite. After a problem the identity is returned.
    """
    matrix = np.eye(len(names))
    given: dict[tuple[str, str], float] = {}
    before = len(problems)
    for first, row in (dependence.correlation or {}).items():
        if first not in names:
            problems.add(unknown_driver(first, f"{CORRELATION_PATH}.{first}", names))
            continue
        for second, value in row.items():
            path = f"{CORRELATION_PATH}.{first}.{second}"
            shown = f"{value:g}"
            pair = (min(first, second), max(first, second))
            if second not in names:
                problems.add(unknown_driver(second, path, names))
            elif not -1.0 <= value <= 1.0:
                problems.add(Problem("a correlation lies between -1 and 1", path=path, value=shown))
            elif first == second and value != 1.0:
                problems.add(Problem("a driver's correlation with itself is 1", path=path, value=shown))
            elif given.setdefault(pair, value) != value:
                text = f"this pair of drivers is given twice, the other time as {given[pair]:g}"
                problems.add(Problem(text, path=path, value=shown))
            else:
                i, j = names.index(first), names.index(second)
                matrix[i, j] = matrix[j, i] = value
    if len(problems) > before:
        return np.eye(len(names))
    smallest = float(np.linalg.eigvalsh(matrix)[0]) if given else 1.0
    if smallest < _LEAST_EIGENVALUE:
        text = (
            f"these correlations cannot hold together: the matrix of drivers, with 0 for pairs not named, is not "
            f"positive semi-definite (smallest eigenvalue {smallest:.4g}); lower them or name the missing pairs"
        )
        problems.add(Problem(text, path=CORRELATION_PATH))
        return np.eye(len(names))
    return matrix


def lower_factor(correlation: Floats) -> Floats:
    """L lower triangular with L·L' = C, for a positive *semi*-definite C too (a pivot of 0 gives a zero column)."""
    n = len(correlation)
    factor = np.zeros((n, n))
    for j in range(n):
        pivot = correlation[j, j] - factor[j, :j] @ factor[j, :j]
        if pivot > _LEAST_PIVOT:
            factor[j, j] = np.sqrt(pivot)
            below = correlation[j + 1 :, j] - factor[j + 1 :, :j] @ factor[j, :j]
            factor[j + 1 :, j] = below / factor[j, j]
    return factor


def buyer_loadings(
    buyers: Buyers, shares: Shares, names: list[str], problems: Problems
) -> list[tuple[list[int], list[float]]]:
    """Drivers and loadings of every buyer.

    A buyer with a value in any ``loading_<driver>`` column uses those columns alone, blank ones being 0. All others
    load √share on the global driver, their country and their sector; the share of a blank country or sector
    stays with the buyer itself.
    """
    index = {name: i for i, name in enumerate(names)}
    columns = [(index[name], values) for name, values in buyers.loadings.items()]
    explicit = np.zeros(len(buyers), dtype=bool)
    for name, values in buyers.loadings.items():
        explicit |= ~np.isnan(values)
        infinite = [buyers.buyer_id[b] for b in np.flatnonzero(np.isinf(values))]
        if infinite:
            text = f"loadings must be finite numbers; infinite for buyer {name_some(infinite)}"
            problems.add(Problem(text, path=f"loading_{name}"))
    roots = (float(np.sqrt(shares.global_)), float(np.sqrt(shares.country)), float(np.sqrt(shares.sector)))
    found: list[tuple[list[int], list[float]]] = []
    for b in range(len(buyers)):
        if explicit[b]:
            pairs = [(j, float(values[b])) for j, values in columns if np.isfinite(values[b])]
        else:
            pairs = [(0, roots[0])]
            if buyers.country[b]:
                pairs.append((index[country_driver(buyers.country[b])], roots[1]))
            if buyers.sector[b]:
                pairs.append((index[sector_driver(buyers.sector[b])], roots[2]))
        pairs = sorted(pair for pair in pairs if pair[1] != 0.0)
        found.append(([j for j, _ in pairs], [a for _, a in pairs]))
    return found


def common_parts(study: Study, portfolio: Portfolio, problems: Problems) -> Common:
    """Drivers, correlation and loadings of a study; a common part with a variance above 1 is a problem."""
    dependence, buyers = study.credit.dependence, portfolio.buyers
    names = driver_names(buyers)
    correlation = correlation_matrix(dependence, names, problems)
    pairs = buyer_loadings(buyers, dependence.shares, names, problems)
    variance = np.array([_variance(correlation, *pair) for pair in pairs], dtype=np.float64)
    too_large = np.flatnonzero(variance > 1.0 + _VARIANCE_TOLERANCE)
    if len(too_large):
        text = (
            "the common part of a buyer's latent variable has variance at most 1 (sum of squared loadings, or of "
            f"shares, with correlations); it is {variance.max():.4g} at most, and above 1 for buyer "
            f"{name_some([buyers.buyer_id[b] for b in too_large])}"
        )
        path = "loading_*" if buyers.loadings else "credit.dependence.shares"
        problems.add(Problem(text, file=study.portfolio.buyers or "" if buyers.loadings else "", path=path))
    return Common(names, correlation, pairs, np.minimum(variance, 1.0))


def shift_vector(state_shift: dict[str, float], names: list[str], path: str, problems: Problems) -> Floats:
    """Stress shift of every driver, float64[n_drivers]; an unknown driver is a problem."""
    shift = np.zeros(len(names))
    for name, value in state_shift.items():
        if name in names:
            shift[names.index(name)] = value
        else:
            problems.add(unknown_driver(name, f"{path}.{name}", names))
    return shift


def tilt_vector(study: Study, common: Common, problems: Problems) -> Floats:
    """Importance shift of every independent draw, float64[n_drivers]: towards bad states on the global one, or zeros.

    Importance sampling of a book in which no buyer's common part depends on the global driver is a problem: it would
    leave the losses as they are and only spend scenarios.
    """
    tilt = np.zeros(len(common.names))
    if study.simulation.tail != "importance":
        return tilt
    world = common.names.index(GLOBAL)
    # a country or sector that is correlated with the global driver carries its shift to the buyer
    shared = (sum(a * common.correlation[world, j] for j, a in zip(*pair, strict=True)) for pair in common.pairs)
    # after another problem the correlations are unknown, and so is what depends on what
    if not len(problems) and not any(abs(value) > _LEAST_COVARIANCE for value in shared):
        text = (
            "importance sampling shifts the global driver, and no buyer depends on it (directly or by correlation); "
            "use plain, or give the global driver a share or loadings"
        )
        problems.add(Problem(text, path=TAIL_PATH, value=study.simulation.tail))
    tilt[world] = -study.simulation.importance_shift
    return tilt


def check_drivers(study: Study, portfolio: Portfolio) -> None:
    """Check correlation, loadings, importance sampling and the drivers that stresses shift.

    Raises:
        InputError: unknown driver, impossible correlation, a buyer whose common variance exceeds 1, or importance
            sampling where no buyer depends on the global driver.
    """
    problems = Problems()
    common = common_parts(study, portfolio, problems)
    tilt_vector(study, common, problems)
    for stress, variant in study.stresses.items():
        shift_vector(variant.state_shift, common.names, f"stresses.{stress}.state_shift", problems)
    problems.raise_if_any()


def _variance(correlation: Floats, drivers: list[int], loadings: list[float]) -> float:
    """a'Ca of one buyer."""
    a = np.array(loadings)
    return float(a @ correlation[np.ix_(drivers, drivers)] @ a) if drivers else 0.0
