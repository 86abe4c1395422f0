"""What a run leaves behind: labelled arrays, tables and provenance in one immutable container."""

from __future__ import annotations

from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import TYPE_CHECKING, Any

from simulator.errors import SimulatorError

if TYPE_CHECKING:
    import pandas as pd
    import xarray as xr

    from simulator.study.schema import Study


@dataclass(frozen=True)
class Result:
    """The results of one study, its stresses beside it.

    Attributes:
        study: what was asked.
        scenarios: one number per scenario, or per programme and scenario; dims ``programme``, ``scenario``.
        paths: cash, receivables and collections by ``programme``, ``quantile``, ``period``; empty in
            constant-exposure mode.
        contributions: tables ``buyers``, ``countries``, ``currencies``, ``sectors`` with columns name, exposure,
            mean_loss, tail_loss, share_of_tail, n_defaults.
        manifest: provenance (see :mod:`simulator.results.provenance`).
        profile: the portfolio profile of the ledger.
        stresses: a result of the same kind for each named stress, on the same random numbers.
        story: tables of a scripted scenario, ``events`` and ``claims``; empty where scenarios are drawn.
        summary_rows: the tidy summary (see :mod:`simulator.measures.summary`), ``None`` until measured.
    """

    study: Study
    scenarios: xr.Dataset
    paths: xr.Dataset
    contributions: dict[str, pd.DataFrame]
    manifest: dict[str, Any]
    profile: dict[str, Any]
    stresses: dict[str, Result] = field(default_factory=dict)
    story: dict[str, pd.DataFrame] = field(default_factory=dict)
    summary_rows: pd.DataFrame | None = None

    @property
    def programmes(self) -> list[str]:
        """Names of the programmes, the baseline first."""
        return [str(name) for name in self.scenarios["programme"].values]

    @property
    def currency(self) -> str:
        """Study currency."""
        return self.study.study.currency

    @property
    def has_cash(self) -> bool:
        """Whether cash was simulated (not in constant-exposure mode)."""
        return "minimum_headroom" in self.scenarios

    def summary(self) -> pd.DataFrame:
        """The tidy summary: stress, measure, programme, level, value, errors and unit.

        Raises:
            SimulatorError: when the result has not been measured yet.
        """
        if self.summary_rows is None:
            raise SimulatorError("this result has no summary yet; measure it first (simulator.measures.summary)")
        return self.summary_rows

    def with_summary(self, rows: pd.DataFrame) -> Result:
        """The same result with its summary attached."""
        return replace(self, summary_rows=rows)

    def save(self, folder: str | Path, *, resolved_study: str | None = None) -> Path:
        """Write the run folder; see :func:`simulator.results.store.save`."""
        from simulator.results.store import save

        return save(self, folder, resolved_study=resolved_study)
