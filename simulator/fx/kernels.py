"""Loops of the fx room: weekly rate paths, and transfer events with their devaluation."""

import numpy as np

from simulator.fx.formulas import hedge_settlement, next_week, rate_on, transfer_day
from simulator.jit import NEVER, kernel, prange
from simulator.streams import normal, tabulated, uniform, words


@kernel
def draw_diffusion(
    fx_key, mixing_key, first_quad, scenario_entity, currency_entity, spot, jump, step_drift, step_volatility,
    driver_weight, residual_root, mixing_table, drivers, rates,
):  # fmt: skip
    """Weekly log-normal (or Student-t) rate paths.

    log(rate_s/spot) = log(jump) + drift·s + σ·g·Σ_{r≤s} (A·n_r + w·dG_r), n_r independent standard normal, A the
    root of C − w·w', and dG the steps of a Brownian bridge that ends at √S·Z with Z the global driver:
    dG_r = m_r − mean(m) + Z/√S. Z being N(0, 1), the dG_r are independent standard normals, so every path has the
    law it has without the bridge. g is the scenario's mixing scale (1 in the normal case).

    Args:
        fx_key, mixing_key: uint32[2], streams ``fx`` and ``fx_mixing``.
        first_quad: first scenario of the block divided by four.
        scenario_entity: entity of what a scenario has only one of (m, g).
        currency_entity: uint64[n_currencies]; index 0 is the study currency.
        spot, jump, step_drift, step_volatility, driver_weight: float64[n_currencies]; σ and drift per step.
        residual_root: A, float64[n_currencies, n_currencies].
        mixing_table: log g by normal score, float64[1, TABLE_SIZE].
        drivers: common state, float64[n_scenarios, n_drivers]; the global driver is column 0.
        rates: out, float64[n_scenarios, n_currencies, n_steps + 1]; also the working space.
    """
    n_currencies = rates.shape[1]
    n_steps = rates.shape[2] - 1
    root_steps = np.sqrt(float(n_steps))
    for q in prange(rates.shape[0] // 4):
        quad = first_quad + q
        row = 4 * q
        for lane in range(4):
            for c in range(n_currencies):
                for s in range(n_steps + 1):
                    rates[row + lane, c, s] = 0.0
        for s in range(1, n_steps + 1):
            drawn = words(fx_key, quad, scenario_entity, s)
            for lane in range(4):
                # the study currency's row holds the common steps until the paths are finished
                rates[row + lane, 0, s] = normal(drawn[lane])
        for j in range(1, n_currencies):
            for s in range(1, n_steps + 1):
                drawn = words(fx_key, quad, currency_entity[j], s)
                for lane in range(4):
                    noise = normal(drawn[lane])
                    for c in range(1, n_currencies):
                        rates[row + lane, c, s] += residual_root[c, j] * noise
        drawn = words(mixing_key, quad, scenario_entity, 0)
        for lane in range(4):
            i = row + lane
            scale = np.exp(tabulated(mixing_table, 0, normal(drawn[lane])))
            mean = 0.0
            for s in range(1, n_steps + 1):
                mean += rates[i, 0, s]
            offset = drivers[i, 0] / root_steps - mean / n_steps
            for c in range(1, n_currencies):
                path = 0.0
                rates[i, c, 0] = spot[c]
                for s in range(1, n_steps + 1):
                    path += rates[i, c, s] + driver_weight[c] * (rates[i, 0, s] + offset)
                    rates[i, c, s] = spot[c] * jump[c] * np.exp(step_drift[c] * s + step_volatility[c] * scale * path)
            for s in range(n_steps + 1):
                rates[i, 0, s] = 1.0


@kernel
def draw_bootstrap(
    fx_key, bootstrap_key, first_quad, scenario_entity, spot, jump, step_drift, driver_weight, history,
    first_variance, decay, mean_block, drivers, variance, rates,
):  # fmt: skip
    """Weekly rate paths from filtered historical weeks.

    Each step plays the standardised residuals e of one historical week, all currencies together, at the variance v
    of the scenario's own path: r = √v·(e + w·dG), log step = drift − v/2 + r, v ← decay·v + (1 − decay)·r². dG is
    the bridge of :func:`draw_diffusion`; the history's residuals already leave room for it (covariance C − w·w').

    Args:
        fx_key, bootstrap_key: uint32[2], streams ``fx`` and ``fx_bootstrap``.
        first_quad, scenario_entity, spot, jump, step_drift, driver_weight, drivers: as in :func:`draw_diffusion`.
        history: residuals by week, float64[n_weeks, n_currencies].
        first_variance: weekly variance at day 0, float64[n_currencies].
        decay: EWMA decay of the variance, per week.
        mean_block: mean block length, weeks.
        variance: working space, float64[n_scenarios, n_currencies].
        rates: out, float64[n_scenarios, n_currencies, n_steps + 1].
    """
    n_currencies = rates.shape[1]
    n_steps = rates.shape[2] - 1
    n_weeks = history.shape[0]
    root_steps = np.sqrt(float(n_steps))
    for q in prange(rates.shape[0] // 4):
        quad = first_quad + q
        for lane in range(4):
            i = 4 * q + lane
            mean = 0.0
            for s in range(1, n_steps + 1):
                rates[i, 0, s] = normal(words(fx_key, quad, scenario_entity, s)[lane])
                mean += rates[i, 0, s]
            offset = drivers[i, 0] / root_steps - mean / n_steps
            for c in range(n_currencies):
                variance[i, c] = first_variance[c]
                rates[i, c, 0] = spot[c]
            week = -1
            for s in range(1, n_steps + 1):
                week = next_week(
                    week, uniform(words(bootstrap_key, quad, scenario_entity, s)[lane]), n_weeks, mean_block
                )
                for c in range(1, n_currencies):
                    v = variance[i, c]
                    move = np.sqrt(v) * (history[week, c] + driver_weight[c] * (rates[i, 0, s] + offset))
                    before = rates[i, c, s - 1] if s > 1 else spot[c] * jump[c]
                    rates[i, c, s] = before * np.exp(step_drift[c] - 0.5 * v + move)
                    variance[i, c] = decay * v + (1.0 - decay) * move * move
            for s in range(n_steps + 1):
                rates[i, 0, s] = 1.0


@kernel
def draw_events(
    transfer_key, first_quad, country_entity, probability, driver, weight, devaluation, currency_country, horizon,
    drivers, rates, start_day,
):  # fmt: skip
    """First day of each country's transfer event; its own currency is worth less from that day's step on.

    The latent variable is weight·Z + √(1 − weight²)·e with Z the country's driver (nothing but e without one).

    Args:
        transfer_key: uint32[2], stream ``transfer``.
        first_quad: first scenario of the block divided by four.
        country_entity: uint64[n_countries]; probability: float64[n_countries], over the horizon.
        driver: column of ``drivers`` of each country, −1 for none, int32[n_countries].
        weight: √ of the variance share of the driver.
        devaluation: fall of the country's currency, a fraction.
        currency_country: country of each currency, −1 for none, int32[n_currencies].
        horizon: days.
        drivers: common state, float64[n_scenarios, n_drivers].
        rates: in and out, float64[n_scenarios, n_currencies, n_steps + 1].
        start_day: out, int32[n_scenarios, n_countries]; NEVER if there is no event.
    """
    own = np.sqrt(1.0 - weight * weight)
    for q in prange(start_day.shape[0] // 4):
        for m in range(country_entity.shape[0]):
            drawn = words(transfer_key, first_quad + q, country_entity[m], 0)
            for lane in range(4):
                i = 4 * q + lane
                score = normal(drawn[lane])
                if driver[m] >= 0:
                    score = weight * drivers[i, driver[m]] + own * score
                day = transfer_day(score, probability[m], horizon)
                start_day[i, m] = day
                if day != NEVER:
                    for c in range(1, rates.shape[1]):
                        if currency_country[c] == m:
                            for s in range((day + 6) // 7, rates.shape[2]):
                                rates[i, c, s] *= 1.0 - devaluation


@kernel
def settle_forwards(notional, forward, settlement_day, rates, cash):
    """Cash from forward sales by period: they settle at their date, whoever has paid.

    Args:
        notional, forward: foreign units sold and agreed rate, float64[n_currencies, n_periods].
        settlement_day: int32[n_periods].
        rates: float64[n_scenarios, n_currencies, n_steps + 1].
        cash: out, study currency, float64[n_scenarios, n_periods].
    """
    for i in prange(cash.shape[0]):
        for t in range(cash.shape[1]):
            total = 0.0
            for c in range(1, notional.shape[0]):
                total += hedge_settlement(notional[c, t], forward[c, t], rate_on(rates, i, c, settlement_day[t]))
            cash[i, t] = total
