"""Task T3: the terms of a policy on the claims of many simulated years, in plain NumPy, and the study behind it.

The claims are those of task T1's portfolio: about 13 failures a year, each with its debt. Terms: a limit for each
buyer, 90 % of what is within it, 5,000 off each and every claim, the first 100,000 a year, at most 2 million of it.
"""

from __future__ import annotations

from pathlib import Path
from typing import Any, NamedTuple

import numpy as np

from benchmarks.numpy_exposures import one_factor_study
from simulator.engine.model import Model

#: Years done at once: the fastest of 512 (120 ns a year), 1,024, 4,096 (88) and 16,384 (81).
CHUNK_YEARS = 16_384
#: Years drawn at once, as dense arrays year × buyer.
DRAWN_YEARS = 512
#: The policy, in the words of a study.
POLICY = {
    "name": "Policy", "type": "whole_turnover", "insured_percentage": 0.9, "each_and_every_first_loss": 5_000,
    "aggregate_first_loss": 100_000, "maximum_liability": 2_000_000, "waiting_period": "180 days",
    "settlement": "30 days", "premium": {"rate_on_turnover": 0.002},
}  # fmt: skip


class Claims(NamedTuple):
    """Claims of many years, one after the other.

    Attributes:
        start: int64[n_years + 1] bounds each year's claims.
        buyer: int32[n_claims] whose debt it is.
        debt: float64[n_claims].
        limit: float64[n_buyers] credit limits.
    """

    start: np.ndarray
    buyer: np.ndarray
    debt: np.ndarray
    limit: np.ndarray


def policy_study(folder: Path) -> dict[str, Any]:
    """Task T1's study with limits and a policy beside self-insurance."""
    study = one_factor_study(folder, limit=150_000.0)
    study["study"]["title"] = "T3"
    study["programmes"].append(POLICY)
    return study


def draw_claims(model: Model, n_years: int, seed: int = 3) -> Claims:
    """Claims of ``n_years`` years of a one-factor portfolio, by NumPy: who fails, and what it owes."""
    rng = np.random.default_rng(seed)
    factor, default = model.factor, model.default
    exposure = model.book.amount
    n_buyers = len(exposure)
    threshold = default.threshold[default.curve, -1].astype(np.float32)
    own_root = np.sqrt(1.0 - factor.systematic_share).astype(np.float32)
    bound, slope = threshold / own_root, (factor.loading / own_root).astype(np.float32)
    counts, buyers = [], []
    for first in range(0, n_years, DRAWN_YEARS):
        c = min(DRAWN_YEARS, n_years - first)
        state = rng.standard_normal((c, 1), dtype=np.float32)
        at = np.flatnonzero(rng.standard_normal((c, n_buyers), dtype=np.float32) <= bound - slope * state)
        year, buyer = np.divmod(at, n_buyers)
        counts.append(np.bincount(year, minlength=c))
        buyers.append(buyer.astype(np.int32))
    start = np.concatenate([[0], np.cumsum(np.concatenate(counts))])
    buyer = np.concatenate(buyers)
    return Claims(start, buyer, exposure[buyer], np.asarray(model.portfolio.buyers.credit_limit))


def indemnities(claims: Claims, terms: np.record, percentage: float, chunk: int = CHUNK_YEARS) -> np.ndarray:
    """What a policy pays in each year, float64[n_years].

    Args:
        claims: the claims.
        terms: the policy's terms, as the engine has them.
        percentage: insured percentage.
        chunk: years done at once.
    """
    n_years = len(claims.start) - 1
    paid = np.empty(n_years)
    for first in range(0, n_years, chunk):
        last = min(first + chunk, n_years)
        bounds = claims.start[first : last + 1]
        part = slice(bounds[0], bounds[-1])
        claim = np.minimum(claims.debt[part], np.take(claims.limit, claims.buyer[part], mode="clip"))
        claim *= percentage
        claim -= terms.each_and_every_first_loss
        np.maximum(claim, 0.0, out=claim)
        # running totals, so that years without a claim need no thought
        total = np.concatenate([[0.0], np.cumsum(claim)])[bounds - bounds[0]]
        year = np.subtract(total[1:], total[:-1], out=paid[first:last])
        year -= terms.aggregate_first_loss
        np.clip(year, 0.0, terms.maximum_liability, out=year)
    return paid
