"""What is drawn, in plain NumPy: the common state, rates, transfer events, buyers and payment days."""

from __future__ import annotations

import numpy as np
from scipy.special import ndtr, ndtri

from benchmarks.numpy_plan import Prepared
from simulator.fx.plan import MODELS
from simulator.jit import NEVER
from simulator.streams import TABLE_EDGE, TABLE_PER_UNIT, TABLE_SIZE


class Draws(Prepared):
    """Draws of a chunk of scenarios."""

    def draw_states(self, c: int) -> tuple[np.ndarray, np.ndarray]:
        """Drivers [c, n_drivers] and mixing scale [c]."""
        factor, dependence = self.model.factor, self.model.study.credit.dependence
        drivers = self.rng.standard_normal((c, len(factor.driver_entity))) @ factor.cholesky.T + factor.shift
        if dependence.copula == "gaussian":
            return drivers, np.ones(c)
        nu = dependence.degrees_of_freedom
        return drivers, np.sqrt(nu / self.rng.chisquare(nu, c))

    def draw_rates(self, drivers: np.ndarray) -> np.ndarray:
        """Weekly rate paths [c, n_currencies, n_steps + 1], tied to the global driver by a bridge."""
        fx, c, n = self.side.fx, len(drivers), self.n_steps
        rates = np.empty((c, len(fx.spot), n + 1))
        rates[:] = (fx.spot * fx.jump)[:, None]
        rates[:, :, 0] = fx.spot
        if MODELS[fx.model] == "none":
            return rates
        noise = self.rng.standard_normal((c, n, len(fx.spot) - 1)) @ fx.residual_root[1:, 1:].T
        common = self.rng.standard_normal((c, n))
        common += (drivers[:, 0] / np.sqrt(n) - common.mean(axis=1))[:, None]
        noise += common[:, :, None] * fx.horizon_weight[1:]
        path = noise.cumsum(axis=1)
        if MODELS[fx.model] == "student_t":
            nu = self.model.study.fx.degrees_of_freedom
            path *= np.sqrt((nu - 2.0) / self.rng.chisquare(nu, c))[:, None, None]
        log_rate = fx.step_volatility[1:] * path + fx.step_drift[1:] * np.arange(1.0, n + 1.0)[:, None]
        rates[:, 1:, 1:] *= np.exp(log_rate).transpose(0, 2, 1)
        rates[:, 0] = 1.0
        return rates

    def draw_transfers(self, drivers: np.ndarray, rates: np.ndarray) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
        """Transfer events as a list: scenario, country, first blocked day; devalues the rates."""
        plan = self.side.transfer
        score = self.rng.standard_normal((len(drivers), len(plan.probability)))
        tied = plan.driver >= 0
        score[:, tied] = plan.weight * drivers[:, plan.driver[tied]] + np.sqrt(1 - plan.weight**2) * score[:, tied]
        u = ndtr(score)
        s, m = np.nonzero(u <= plan.probability)
        with np.errstate(divide="ignore"):
            day = np.ceil(self.horizon * np.log1p(-u[s, m]) / np.log1p(-plan.probability[m]))
        day = np.clip(day, 1, self.horizon).astype(np.int64)
        for currency in range(1, rates.shape[1]):
            hit = m == plan.currency_country[currency]
            from_step = (day[hit] + 6) // 7
            rates[s[hit], currency] *= np.where(
                np.arange(rates.shape[2]) >= from_step[:, None], 1.0 - plan.devaluation, 1.0
            )
        return s, m, day

    def draw_buyers(self, drivers: np.ndarray, mixing: np.ndarray) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
        """Standard state, default day and the shared part of the delay score, each [c, n_buyers]."""
        delay, default, c = self.side.delay, self.model.default, len(drivers)
        common = drivers @ self.loadings
        state = common * self.standard
        own = self.rng.standard_normal((c, int(self.residual_of.max()) + 1))[:, self.residual_of]
        shared = self.rng.standard_normal((c, self.n_buyers)) * delay.buyer
        shared -= state * delay.systemic
        shared -= own * delay.credit
        value = (common + self.own_root * own) * mixing[:, None]
        fails = np.full((c, self.n_buyers), NEVER, np.int64)
        s, b = np.nonzero(value <= self.last_threshold)
        drawn, curve = value[s, b], default.curve[b]
        for k in np.unique(curve):
            of = curve == k
            fails[s[of], b[of]] = np.searchsorted(default.threshold[k], drawn[of], side="left") + 1
        return state, fails, shared

    def draw_payments(self, shared: np.ndarray, out: np.ndarray) -> np.ndarray:
        """Payment day of every invoice before transfer blocks, int64[c, n_invoices], written into ``out``."""
        c = len(shared)
        y, other, knot = (self.buffers[k][:c] for k in (0, 1, 2))
        if self.draw_of is None:
            self.rng.standard_normal(out=y)
        else:
            np.take(self.rng.standard_normal((c, self.n_draws)), self.draw_of, axis=1, out=y, mode="clip")
        y *= self.own
        y += np.take(shared, self.buyer, axis=1, out=other, mode="clip")
        if len(self.held):
            y[:, self.held] = -ndtri(ndtr(-y[:, self.held]) * self.held_tail)
        # the tabulated law, linear between knots
        y += TABLE_EDGE
        y *= TABLE_PER_UNIT
        np.clip(y, 0.0, TABLE_SIZE - 1.001, out=y)
        np.copyto(knot, y, casting="unsafe")
        y -= knot
        y *= np.take(self.table_step, knot, out=other, mode="clip")
        y += np.take(self.table, knot, out=other, mode="clip")
        y *= self.scale
        y += self.constant
        np.floor(y, out=y)
        np.maximum(y, self.first_day, out=y)
        y += self.run_offset
        np.copyto(knot, y, casting="unsafe")
        np.take(self.run_day, knot, out=out, mode="clip")
        # beyond the table of pay runs a day stays as it is
        beyond = np.flatnonzero(y > len(self.run_day) - 1)
        out.ravel()[beyond] = knot.ravel()[beyond] - self.run_offset
        return out

    def release(self, drawn: np.ndarray, events: tuple[np.ndarray, np.ndarray, np.ndarray]) -> np.ndarray:
        """Payment days after transfer blocks; the same array where nothing is blocked."""
        scenario, country, day = events
        if not len(scenario):
            return drawn
        paid, until = drawn.copy(), day + self.side.transfer.duration
        for m in np.unique(country):
            hit = country == m
            where = np.ix_(scenario[hit], self.country_items[m])
            part, end = paid[where], until[hit][:, None]
            paid[where] = np.where((part >= day[hit][:, None]) & (part < end), end, part)
        return paid
