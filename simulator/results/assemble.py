"""From the engine's rows to labelled datasets: scenarios, paths and contributions, with units."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from simulator.engine.model import CashSide, Model
from simulator.engine.rows import RunRows
from simulator.ledger.portfolio import Floats
from simulator.results.dataset import stamp

if TYPE_CHECKING:
    import pandas as pd
    import xarray as xr

#: Probabilities of the path quantiles.
QUANTILES = (0.005, 0.01, 0.05, 0.25, 0.5, 0.75, 0.95, 0.99, 0.995)
#: Share of the worst scenarios that tail contributions look at.
WORST = 0.01
#: Days of sales that days sales outstanding compares receivables with.
DSO_DAYS = 90


def scenario_dataset(model: Model, run: RunRows) -> xr.Dataset:
    """One number per scenario, or per programme and scenario; dims ``scenario`` and ``(programme, scenario)``."""
    import pandas as pd
    import xarray as xr

    variables = {}
    for name, values in run.rows.items():
        dims = ("scenario",) if values.ndim == 1 else ("programme", "scenario")
        variables[name] = (dims, values.T)
    dataset = xr.Dataset(
        variables, coords={"programme": programme_names(model), "scenario": pd.RangeIndex(run.n_scenarios)}
    )
    return stamp(dataset, model.study.study.currency)


def programme_names(model: Model) -> np.ndarray:
    """Names of the programmes, the baseline first."""
    return np.array([p.name for p in model.study.programmes], dtype=object)


def path_dataset(model: Model, run: RunRows) -> xr.Dataset:
    """Quantiles, means and shortfall probabilities by period; empty in constant-exposure mode."""
    import xarray as xr

    side, quantiles = model.cash_side, run.quantiles
    if side is None or quantiles is None:
        return xr.Dataset()
    n_periods, n_programmes = model.calendar.n_periods, model.n_programmes
    table = quantiles.quantile(QUANTILES)
    width = n_programmes * n_periods
    by_programme = (len(QUANTILES), n_programmes, n_periods)
    cash = np.moveaxis(table[:, :width].reshape(by_programme), 1, 0)
    headroom = np.moveaxis(table[:, width : 2 * width].reshape(by_programme), 1, 0)
    receivables = table[:, 2 * width : 2 * width + n_periods]
    mean = {name.removeprefix("sum/"): values / run.weight for name, values in run.sums.items() if "sum/" in name}
    sales = trailing_sales(model, side, mean["billing"])
    fan, line = ("programme", "quantile", "period"), ("programme", "period")
    with_base = {}
    if table.shape[1] > 2 * (width + n_periods):  # a borrowing base by programme and period
        base = np.moveaxis(table[:, -width:].reshape(by_programme), 1, 0)
        # quantiles of what can be drawn: the smaller one of base and limit keeps the order of scenarios
        with_base = {"borrowing_base": (fan, base), "availability": (fan, np.minimum(side.cash.line_limit, base))}
    collections = table[:, 2 * width + n_periods : 2 * (width + n_periods)]
    dataset = xr.Dataset(
        {
            "cash": (fan, cash),
            "headroom": (fan, headroom),
            "shortfall_probability": (line, mean["shortfall"]),
            "mean_cash": (line, mean["cash"]),
            "receivables": (("quantile", "period"), receivables),
            "collections": (("quantile", "period"), collections),
            "mean_receivables": (("period",), mean["receivables"]),
            "mean_collections": (("period",), mean["collections"]),
            "dso": (("quantile", "period"), receivables / sales * DSO_DAYS),
            "mean_dso": (("period",), mean["receivables"] / sales * DSO_DAYS),
            "mean_claim_cash": (line, mean["claim_cash"]),
            **with_base,
        },
        coords={
            "programme": programme_names(model),
            "quantile": np.array(QUANTILES),
            "period": np.array(model.calendar.period_dates, dtype="datetime64[ns]"),
        },
    )
    stamped = stamp(dataset, model.study.study.currency)
    stamped.attrs["rank_error"] = quantiles.rank_error
    return stamped


def trailing_sales(model: Model, side: CashSide, billing: Floats) -> Floats:
    """Mean credit sales of the 90 days up to each period end, float64[n_periods]; NaN before day 90.

    What was sold before the ledger's date and has been paid is not in the ledger, so the first 90 days have no
    trailing sales and no days sales outstanding.
    """
    end = model.calendar.period_end.astype(np.float64)
    sold = np.concatenate(([0.0], np.cumsum(billing)))
    day = np.concatenate(([0.0], end))
    trailing = np.interp(end, day, sold) - np.interp(end - DSO_DAYS, day, sold)
    return np.where((end >= DSO_DAYS) & (trailing > 0.0), trailing, np.nan)


def contribution_tables(model: Model, run: RunRows) -> dict[str, pd.DataFrame]:
    """Who makes the loss: by buyer, country, currency and sector.

    Columns: name, exposure (open at the ledger's date), mean_loss, tail_loss (mean in the worst 1 % of gross loss),
    share_of_tail, n_defaults (expected number of scenarios' failures with a loss).
    """
    import pandas as pd

    buyers = model.portfolio.buyers
    n = len(buyers)
    exposure = np.bincount(
        np.repeat(np.arange(n), np.diff(model.book.start)),
        weights=np.where(model.book.open_item, model.book.book_value, 0.0),
        minlength=n,
    )
    frame = pd.DataFrame(
        {
            "name": [name or key for name, key in zip(buyers.name, buyers.buyer_id, strict=True)],
            "exposure": exposure,
            "mean_loss": run.sums["buyer/loss"] / run.weight,
            "tail_loss": _tail_losses(run, n),
            "n_defaults": run.sums["buyer/failures"] / run.weight,
        }
    )
    keys = {
        "buyers": np.array(buyers.buyer_id, dtype=object),
        "countries": np.array([c or "unknown" for c in buyers.country], dtype=object),
        "currencies": np.array([c or model.portfolio.currency for c in buyers.currency], dtype=object),
        "sectors": np.array([s or "unknown" for s in buyers.sector], dtype=object),
    }
    tables = {}
    for kind, key in keys.items():
        numbers = frame.drop(columns="name").groupby(key, sort=True).sum()
        table = numbers.reset_index(names="name")
        if kind == "buyers":
            shown = dict(zip(keys["buyers"], frame["name"], strict=True))
            table["name"] = [shown[key] for key in table["name"]]
            table.insert(0, "buyer_id", numbers.index.to_numpy())
        total = float(table["tail_loss"].sum())
        table["share_of_tail"] = table["tail_loss"] / total if total > 0 else 0.0
        order = ["tail_loss", "exposure"]
        tables[kind] = table.sort_values(order, ascending=False, kind="stable").reset_index(drop=True)
    return tables


def _tail_losses(run: RunRows, n_buyers: int) -> Floats:
    """Mean loss of each buyer in the worst scenarios by gross loss, float64[n_buyers]."""
    worst, weight = _worst_scenarios(run)
    order = np.argsort(worst)
    worst, weight = worst[order], weight[order]
    summed = np.zeros(n_buyers)
    for scenario, buyer, loss in zip(run.tail["scenario"], run.tail["buyer"], run.tail["loss"], strict=True):
        place = np.minimum(np.searchsorted(worst, scenario), len(worst) - 1)
        found = worst[place] == scenario
        np.add.at(summed, buyer[found], loss[found] * weight[place[found]])
    return np.asarray(summed / weight.sum())


def _worst_scenarios(run: RunRows) -> tuple[np.ndarray, Floats]:
    """The worst 1 % of the scenarios by weight, the worst first, and their weights."""
    gross, weight = run.rows["gross_loss"], run.rows["weight"]
    share = WORST
    while True:
        # sort those only that come into question
        share = min(1.0, 2.0 * share)
        place = int((1.0 - share) * (run.n_scenarios - 1))
        least = np.partition(gross, place)[place]
        worst = np.flatnonzero(gross >= least)
        worst = worst[np.argsort(-gross[worst], kind="stable")]
        heavy = np.cumsum(weight[worst]) <= WORST * run.weight
        heavy[0] = True
        if share == 1.0 or not heavy[-1]:
            return worst[heavy], weight[worst[heavy]]
