"""Loops of the fx room: weekly rate paths, and transfer events with their devaluation."""

import numpy as np

from simulator.fx.formulas import exponential, hedge_settlement, next_week, rate_on, transfer_day
from simulator.jit import NEVER, kernel, prange, row
from simulator.streams import draw_words, inverse_normal, normal, tabulated, uniform, words


@row
def to_normals(word, score):
    """Standard normals of words."""
    for p in range(score.shape[0]):
        score[p] = normal(word[p])


@row
def draw_steps(key, quad, entity, n_quads, pair, word, steps):
    """Normals of an entity by step and scenario: draw s + 1 of step s."""
    for s in range(steps.shape[0]):
        draw_words(quad, n_quads, key, entity, np.int64(s) + 1, pair)
        to_normals(word, steps[s])


@row
def add_steps(weight, source, steps):
    """Add multiples of other steps."""
    for s in range(steps.shape[0]):
        for p in range(steps.shape[1]):
            steps[s, p] += weight * source[s, p]


@row
def sum_steps(steps, total):
    """Sum over the steps, in order."""
    for p in range(total.shape[0]):
        total[p] = 0.0
    for s in range(steps.shape[0]):
        for p in range(total.shape[0]):
            total[p] += steps[s, p]


@row
def to_rates(level, drift, volatility, weight, scale, common, offset, path, steps):
    """Turn one currency's steps into rates."""
    for p in range(path.shape[0]):
        path[p] = 0.0
    for s in range(steps.shape[0]):
        growth = drift * (s + 1)
        for p in range(path.shape[0]):
            path[p] += steps[s, p] + weight * (common[s, p] + offset[p])
            steps[s, p] = level * exponential(growth + volatility * scale[p] * path[p])


@row
def hand_over(first, n, steps, spot, rates):
    """Copy the rates of a tile to its scenarios, currency by currency; the study currency is worth one."""
    for p in range(n):
        for s in range(rates.shape[2]):
            rates[first + p, 0, s] = 1.0
        for c in range(1, rates.shape[1]):
            rates[first + p, c, 0] = spot[c]
            for s in range(steps.shape[1]):
                rates[first + p, c, s + 1] = steps[c, s, p]


@row
def diffuse(
    fx_key, mixing_key, first_quad, scenario_entity, currency_entity, spot, jump, step_drift, step_volatility,
    driver_weight, residual_root, mixing_table, drivers, pair, word, by_scenario, steps, rates, t,
):  # fmt: skip
    """One tile of :func:`draw_diffusion`."""
    width = steps.shape[3]
    first = t * width
    n = min(width, rates.shape[0] - first)
    n_currencies, n_steps = rates.shape[1], rates.shape[2] - 1
    quad, n_quads = first_quad + first // 4, width // 4
    # behind those of the currencies: what is drawn for one of them
    common, drawn = steps[t, 0], steps[t, n_currencies]
    scale, offset, path = by_scenario[t, 0], by_scenario[t, 1], by_scenario[t, 2]
    draw_steps(fx_key, quad, scenario_entity, n_quads, pair[t], word[t], common)
    steps[t, 1:n_currencies] = 0.0
    for j in range(1, n_currencies):
        draw_steps(fx_key, quad, currency_entity[j], n_quads, pair[t], word[t], drawn)
        for c in range(1, n_currencies):
            if residual_root[c, j] != 0.0:
                add_steps(residual_root[c, j], drawn, steps[t, c])
    draw_words(quad, n_quads, mixing_key, scenario_entity, np.int64(0), pair[t])
    to_normals(word[t], scale)
    sum_steps(common, offset)
    root_steps = np.sqrt(float(n_steps))
    for p in range(n):
        scale[p] = exponential(tabulated(mixing_table, 0, scale[p]))
        offset[p] = drivers[first + p, 0] / root_steps - offset[p] / n_steps
    for c in range(1, n_currencies):
        to_rates(
            spot[c] * jump[c], step_drift[c], step_volatility[c], driver_weight[c], scale, common, offset, path,
            steps[t, c],
        )  # fmt: skip
    hand_over(first, n, steps[t], spot, rates)


@kernel
def draw_diffusion(
    fx_key, mixing_key, first_quad, scenario_entity, currency_entity, spot, jump, step_drift, step_volatility,
    driver_weight, residual_root, mixing_table, drivers, pair, word, by_scenario, steps, rates,
):  # fmt: skip
    """Weekly log-normal (or Student-t) rate paths.

    log(rate_s/spot) = log(jump) + drift·s + σ·g·Σ_{r≤s} (A·n_r + w·dG_r), n_r independent standard normal, A the
    root of C − w·w', and dG the steps of a Brownian bridge that ends at √S·Z with Z the global driver:
    dG_r = m_r − mean(m) + Z/√S. Z being N(0, 1), the dG_r are independent standard normals, so every path has the
    law it has without the bridge. g is the scenario's mixing scale (1 in the normal case).

    Scenarios are drawn a tile at a time, in loops over its scenarios.

    Args:
        fx_key, mixing_key: uint32[2], streams ``fx`` and ``fx_mixing``.
        first_quad: first scenario of the block divided by four.
        scenario_entity: entity of what a scenario has only one of (m, g).
        currency_entity: uint64[n_currencies]; index 0 is the study currency.
        spot, jump, step_drift, step_volatility, driver_weight: float64[n_currencies]; σ and drift per step.
        residual_root: A, float64[n_currencies, n_currencies].
        mixing_table: log g by normal score, float64[1, TABLE_SIZE].
        drivers: common state, float64[n_scenarios, n_drivers]; the global driver is column 0.
        pair, word: working space for random words, uint64[n_tiles, width / 2] and the same memory as
            uint32[n_tiles, width].
        by_scenario, steps: working space, float64[n_tiles, 3, width] and [n_tiles, n_currencies + 1, n_steps, width].
        rates: out, float64[n_scenarios, n_currencies, n_steps + 1].
    """
    for t in prange(pair.shape[0]):
        diffuse(
            fx_key, mixing_key, first_quad, scenario_entity, currency_entity, spot, jump, step_drift, step_volatility,
            driver_weight, residual_root, mixing_table, drivers, pair, word, by_scenario, steps, rates, np.int64(t),
        )  # fmt: skip


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
    for q in prange(start_day.shape[0] // 4):
        events_of_quad(
            transfer_key, first_quad, country_entity, probability, driver, weight, devaluation, currency_country,
            horizon, drivers, rates, start_day, np.int64(q),
        )  # fmt: skip


@row
def events_of_quad(
    transfer_key, first_quad, country_entity, probability, driver, weight, devaluation, currency_country, horizon,
    drivers, rates, start_day, q,
):  # fmt: skip
    """Four scenarios of :func:`draw_events`."""
    own = np.sqrt(1.0 - weight * weight)
    for m in range(country_entity.shape[0]):
        drawn = words(transfer_key, first_quad + q, country_entity[m], 0)
        # above it there surely is no event
        edge = inverse_normal(probability[m]) + 1e-6 if probability[m] < 1.0 else np.inf
        for lane in range(4):
            i = 4 * q + lane
            score = normal(drawn[lane])
            if driver[m] >= 0:
                score = weight * drivers[i, driver[m]] + own * score
            day = np.int64(NEVER)
            if score <= edge:
                day = np.int64(transfer_day(score, probability[m], horizon))
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
        settle_scenario(notional, forward, settlement_day, rates, cash, np.int64(i))


@row
def settle_scenario(notional, forward, settlement_day, rates, cash, i):
    """One scenario of :func:`settle_forwards`."""
    for t in range(cash.shape[1]):
        cash[i, t] = 0.0
    for c in range(1, notional.shape[0]):
        for t in range(cash.shape[1]):
            if notional[c, t] != 0.0:
                rate = rate_on(rates, i, c, np.int64(settlement_day[t]))
                cash[i, t] += hedge_settlement(notional[c, t], forward[c, t], rate)
