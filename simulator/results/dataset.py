"""Units and long names on every variable of a dataset, from the dictionary ``simulator/terms.csv``."""

from __future__ import annotations

import sys
from functools import cache
from typing import TYPE_CHECKING

from simulator.errors import SimulatorError, closest
from simulator.terms import Term, load_terms

if TYPE_CHECKING:
    import xarray as xr

AXES = ("programme", "scenario", "quantile", "period")


def without_dask() -> None:
    """Have xarray take Dask for missing, once and for all, in a process in which no array is one of Dask's.

    Where Dask is installed, it imports all of it, 0.4 s, to find out whether an array is. It looks for Dask with its
    first dataset, and never again.
    """
    if {"dask", "xarray"} & sys.modules.keys():
        return
    sys.modules["dask"] = None  # type: ignore[assignment]
    try:
        import xarray as xr

        xr.Dataset(coords={"scenario": [0]})
    finally:
        del sys.modules["dask"]


@cache
def variable_terms() -> dict[str, Term]:
    """Entries of kind ``variable`` and ``axis`` in the dictionary, by name."""
    return {term.name: term for term in load_terms() if term.kind in ("variable", "axis")}


def stamp(dataset: xr.Dataset, currency: str) -> xr.Dataset:
    """The dataset with ``units`` and ``long_name`` on every variable and known axis.

    Args:
        dataset: variables named as in the dictionary; not changed.
        currency: study currency, written where the dictionary says ``money``.

    Raises:
        SimulatorError: a variable is not in the dictionary.
    """
    terms = variable_terms()
    unknown = [str(name) for name in dataset.data_vars if str(name) not in terms]
    if unknown:
        near = closest(unknown[0], terms)
        raise SimulatorError(
            f"no entry in terms.csv for the variable{'s' if len(unknown) > 1 else ''} {', '.join(unknown)}"
            + (f"; did you mean {near}?" if near else "")
        )
    stamped = dataset.copy()
    for name in [*dataset.data_vars, *(axis for axis in AXES if axis in dataset.coords)]:
        term = terms.get(str(name))
        if term is None:
            continue
        unit = " ".join(currency if word == "money" else word for word in term.unit.split())
        labels = {"long_name": term.meaning}
        if unit and stamped[name].dtype.kind != "M":  # dates carry their own unit in the file
            labels["units"] = unit
        stamped[name].attrs.update(labels)
    return stamped
