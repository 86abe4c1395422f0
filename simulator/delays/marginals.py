"""Laws of the payment delay in days, as quantile functions, and their tables by normal score.

Each law is written with both tail probabilities, p below and q = 1 − p above, so that neither tail loses its
digits where the table is built. Delays are rounded half up to whole days when they are used.
"""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
from scipy.special import gammainccinv, gammaincinv, ndtr, ndtri, stdtrit

from simulator.delays.formulas import LONGEST_DELAY
from simulator.delays.observed import observed_delays
from simulator.errors import InputError, Problem
from simulator.ledger.portfolio import Floats
from simulator.streams import table_grid
from simulator.study.schema import (
    EmpiricalDelay,
    GammaDelay,
    LognormalDelay,
    MixtureDelay,
    NoDelay,
    StudentTDelay,
    WeibullDelay,
)

AnyDelay = NoDelay | LognormalDelay | GammaDelay | WeibullDelay | StudentTDelay | EmpiricalDelay | MixtureDelay

#: Half a day: a delay in [−½, ½) is a payment on the due date.
_HALF_DAY = 0.5


def quantile(model: AnyDelay, p: Floats, folder: Path = Path()) -> Floats:
    """Delay in days at lower probability p, vectorised.

    Args:
        model: a delay law of the study.
        p: probabilities in (0, 1).
        folder: where a file named by an empirical law is looked up.

    Raises:
        InputError: mixture shares above 1, or a delay file that cannot be used.
    """
    lower = np.asarray(p, dtype=np.float64)
    return _from_tails(model, lower, 1.0 - lower, folder)


def quantile_table(model: AnyDelay, folder: Path = Path()) -> Floats:
    """The law's delay at each normal score of :func:`simulator.streams.table_grid`, float64[1, TABLE_SIZE].

    Between knots (1/256 apart) the simulator interpolates linearly. For a smooth law the error is at most
    (1/256)²/8 = 1.9e-6 times the second derivative of Q(Φ(z)): below 1e-4 of the delay's own size (see
    docs/MODEL.md for each law). Where Q jumps (an atom's edges in the mixture, every step of an empirical law),
    the jump becomes a ramp inside one cell, so at most a probability of φ(z)/256 ≤ 0.16 % falls between the two
    values. Scores beyond ±6.5 (probability 8e-11) take the table's last value.

    Raises:
        InputError: as :func:`quantile`.
    """
    z = table_grid()
    days = _from_tails(model, ndtr(z), ndtr(-z), folder)
    return np.clip(days, -LONGEST_DELAY, LONGEST_DELAY).reshape(1, -1)


def _from_tails(model: AnyDelay, p: Floats, q: Floats, folder: Path) -> Floats:
    if isinstance(model, EmpiricalDelay):
        return _empirical(observed_delays(model, folder), p)
    return np.asarray(_LAWS[type(model)](model, p, q), dtype=np.float64)


def _none(model: NoDelay, p: Floats, q: Floats) -> Floats:
    return np.zeros_like(p)


def _lognormal(model: LognormalDelay, p: Floats, q: Floats) -> Floats:
    """shift + median·exp(σ·z)."""
    z = np.where(p < 0.5, ndtri(p), -ndtri(q))
    return np.asarray(model.shift_days + model.median_days * np.exp(model.sigma * z))


def _gamma(model: GammaDelay, p: Floats, q: Floats) -> Floats:
    standard = np.where(p < 0.5, gammaincinv(model.shape, p), gammainccinv(model.shape, q))
    return np.asarray(model.shift_days + model.scale_days * standard)


def _weibull(model: WeibullDelay, p: Floats, q: Floats) -> Floats:
    """shift + scale·(−log(1 − p))^(1/shape)."""
    hazard = np.where(p < 0.5, -np.log1p(-p), -np.log(q))
    return np.asarray(model.shift_days + model.scale_days * hazard ** (1.0 / model.shape))


def _student_t(model: StudentTDelay, p: Floats, q: Floats) -> Floats:
    nu = model.degrees_of_freedom
    return np.asarray(model.location_days + model.scale_days * np.where(p < 0.5, stdtrit(nu, p), -stdtrit(nu, q)))


def _mixture(model: MixtureDelay, p: Floats, q: Floats) -> Floats:
    """Early part, atom on the due date, heavy late part; the shares hold exactly for delays in whole days.

    Early: −(½ + X), X exponential with the rate that makes the mean of whole days early (1, 2, …) the one asked
    for. Late: ½ + scale·|T|, T Student-t. So early means at least one whole day early, late at least one late.
    """
    early, late = model.early_share, 1.0 - model.early_share - model.on_due_date_share
    if late < -1e-12:
        text = "early_share and on_due_date_share are shares of all invoices: together at most 1"
        raise InputError([Problem(text, path="payment.delay", value=f"{early:g} + {model.on_due_date_share:g}")])
    days = np.zeros_like(p)
    is_early = p < early
    # days early are geometric on 1, 2, … with mean m if X has mean −1/log(1 − 1/m); up to one day: all a day early
    mean = model.early_mean_days
    spread = -1.0 / np.log1p(-1.0 / mean) if mean > 1.0 else 0.0
    days[is_early] = -_HALF_DAY + spread * np.log(p[is_early] / early)
    is_late = q < late
    nu = model.late_degrees_of_freedom
    days[is_late] = _HALF_DAY - model.late_scale_days * stdtrit(nu, q[is_late] / (2.0 * late))
    return days


def _empirical(values: Floats, p: Floats) -> Floats:
    """Inverted distribution function: the smallest observation with at least p of all at or below it."""
    ordered = np.sort(values)
    rank = np.ceil(p * len(ordered)).astype(np.int64) - 1
    return np.asarray(ordered[np.clip(rank, 0, len(ordered) - 1)], dtype=np.float64)


_LAWS: dict[type[Any], Callable[[Any, Floats, Floats], Floats]] = {
    NoDelay: _none,
    LognormalDelay: _lognormal,
    GammaDelay: _gamma,
    WeibullDelay: _weibull,
    StudentTDelay: _student_t,
    MixtureDelay: _mixture,
}
