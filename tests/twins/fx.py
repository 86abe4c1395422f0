"""Plain-Python twins of simulator.fx, written from the formulas. Arrays are nested lists or NumPy arrays."""

import math

from tests.twins.streams import normal, tabulated, uniform, words

NEVER = 2147483647


def rate_on(rates, scenario, currency, day):
    path = rates[scenario][currency]
    week = math.ceil(int(day) / 7)
    return path[max(0, min(week, len(path) - 1))]


def exponential(x):
    x = max(-700.0, min(x, 700.0))
    k = math.floor(x * 1.4426950408889634 + 0.5)
    r = x - k * 0.693147180369123816490 - k * 1.90821492927058770002e-10
    series = 0.0
    for power in range(13, -1, -1):
        series = series * r + 1.0 / math.factorial(power)
    return math.ldexp(series, k)


def hedge_settlement(notional, forward, rate):
    return notional * (forward - rate)


def transfer_day(score, probability, horizon):
    u = 0.5 * math.erfc(-score * (1.0 / math.sqrt(2.0)))
    if u > probability:
        return NEVER
    if probability >= 1:
        return 1
    share_of_horizon = horizon * math.log1p(-u) / math.log1p(-probability)
    return max(1, min(math.ceil(share_of_horizon), horizon))


def transfer_release(pay_day, start_day, duration):
    if pay_day == NEVER or start_day == NEVER:
        return pay_day
    blocked = int(start_day) <= int(pay_day) < int(start_day) + int(duration)
    return int(start_day) + int(duration) if blocked else int(pay_day)


def next_week(week, u, n_weeks, mean_block):
    if week == -1:
        return math.floor(u * n_weeks)
    if u * mean_block < 1:
        return math.floor(u * mean_block * n_weeks)
    return (week + 1) % n_weeks


def _common_steps(fx_key, quad, lane, scenario_entity, n_steps, state):
    """Steps of the bridge to the global driver: m_r − mean + Z/√S."""
    m = [normal(words(fx_key, quad, scenario_entity, s)[lane]) for s in range(1, n_steps + 1)]
    total = 0.0
    for value in m:
        total += value
    offset = state / math.sqrt(n_steps) - total / n_steps
    return [value + offset for value in m]


def draw_diffusion(
    fx_key, mixing_key, first_quad, scenario_entity, currency_entity, spot, jump, step_drift, step_volatility,
    driver_weight, residual_root, mixing_table, drivers, pair, word, by_scenario, steps, rates,
):  # fmt: skip
    n, n_currencies, n_steps = len(rates), len(spot), len(rates[0][0]) - 1
    for i in range(n):
        quad, lane = first_quad + i // 4, i % 4
        common = _common_steps(fx_key, quad, lane, scenario_entity, n_steps, drivers[i][0])
        scale = exponential(tabulated(mixing_table, 0, normal(words(mixing_key, quad, scenario_entity, 0)[lane])))
        noise = [
            [normal(words(fx_key, quad, entity, s)[lane]) for s in range(1, n_steps + 1)] for entity in currency_entity
        ]
        rates[i][0][:] = [1.0] * (n_steps + 1)
        for c in range(1, n_currencies):
            rates[i][c][0] = spot[c]
            path = 0.0
            for s in range(n_steps):
                own = 0.0
                for j in range(1, n_currencies):
                    own += residual_root[c][j] * noise[j][s]
                path += own + driver_weight[c] * common[s]
                growth = step_drift[c] * (s + 1) + step_volatility[c] * scale * path
                rates[i][c][s + 1] = spot[c] * jump[c] * exponential(growth)


def draw_bootstrap(
    fx_key, bootstrap_key, first_quad, scenario_entity, spot, jump, step_drift, driver_weight, history,
    first_variance, decay, mean_block, drivers, variance, rates,
):  # fmt: skip
    n, n_currencies, n_steps = len(rates), len(spot), len(rates[0][0]) - 1
    for i in range(n):
        quad, lane = first_quad + i // 4, i % 4
        common = _common_steps(fx_key, quad, lane, scenario_entity, n_steps, drivers[i][0])
        rates[i][0][:] = [1.0] * (n_steps + 1)
        weeks = []
        week = -1
        for s in range(1, n_steps + 1):
            u = uniform(words(bootstrap_key, quad, scenario_entity, s)[lane])
            week = next_week(week, u, len(history), mean_block)
            weeks.append(week)
        for c in range(n_currencies):
            variance[i][c] = first_variance[c]
        for c in range(1, n_currencies):
            rates[i][c][0] = spot[c]
            level, v = spot[c] * jump[c], first_variance[c]
            for s in range(n_steps):
                move = math.sqrt(v) * (history[weeks[s]][c] + driver_weight[c] * common[s])
                level = level * math.exp(step_drift[c] - 0.5 * v + move)
                rates[i][c][s + 1] = level
                v = decay * v + (1.0 - decay) * move * move
            variance[i][c] = v


def draw_events(
    transfer_key, first_quad, country_entity, probability, driver, weight, devaluation, currency_country, horizon,
    drivers, rates, start_day,
):  # fmt: skip
    for i in range(len(start_day)):
        for m, entity in enumerate(country_entity):
            own = normal(words(transfer_key, first_quad + i // 4, entity, 0)[i % 4])
            score = own
            if driver[m] != -1:
                score = weight * drivers[i][driver[m]] + math.sqrt(1.0 - weight * weight) * own
            day = transfer_day(score, probability[m], horizon)
            start_day[i][m] = day
            if day == NEVER:
                continue
            for c in range(1, len(rates[i])):
                if currency_country[c] == m:
                    for s in range(math.ceil(day / 7), len(rates[i][c])):
                        rates[i][c][s] *= 1.0 - devaluation


def settle_forwards(notional, forward, settlement_day, rates, cash):
    for i in range(len(cash)):
        for t, day in enumerate(settlement_day):
            total = 0.0
            for c in range(1, len(notional)):
                total += hedge_settlement(notional[c][t], forward[c][t], rate_on(rates, i, c, day))
            cash[i][t] = total
