"""Plain-Python twins of simulator.factors, written from the formulas."""

import math

from tests.twins.streams import normal, tabulated, words


def normal_cdf(x):
    return 0.5 * math.erfc(-x * (1.0 / math.sqrt(2.0)))


def common_part(loading_start, loading_driver, loading, drivers, scenario, buyer):
    total = 0.0
    for i in range(loading_start[buyer], loading_start[buyer + 1]):
        total = total + float(loading[i]) * float(drivers[scenario][loading_driver[i]])
    return total


def latent(common, systematic_share, residual):
    return common + math.sqrt(1.0 - systematic_share) * residual


def mixture_weight(exponent):
    return 1.0 / (0.5 + 0.5 * math.exp(exponent))


def conditional_pd(threshold, common, systematic_share, mixing):
    if systematic_share >= 1.0:
        return 1.0 if common <= threshold / mixing else 0.0
    return normal_cdf((threshold / mixing - common) / math.sqrt(1.0 - systematic_share))


def draw_state(
    driver_key, mixing_key, first_quad, driver_entity, mixing_entity, cholesky, cholesky_start, shift, tilt,
    mixing_table, drivers, mixing, weight, pair, word, score,
):  # fmt: skip
    n_drivers = len(driver_entity)
    for scenario in range(len(mixing)):
        quad, lane = first_quad + scenario // 4, scenario % 4
        xi = []
        exponent = 0.0
        for j in range(n_drivers):
            value = normal(words(driver_key, quad, driver_entity[j], 0)[lane])
            if scenario % 2 == 1:
                value = value + float(tilt[j])
            exponent = exponent + float(tilt[j]) * (value - 0.5 * float(tilt[j]))
            xi.append(value)
        for i in range(n_drivers):
            total = float(shift[i])
            for j in range(cholesky_start[i], i + 1):
                total = total + float(cholesky[i][j]) * xi[j]
            drivers[scenario][i] = total
        z = normal(words(mixing_key, quad, mixing_entity, 0)[lane])
        mixing[scenario] = math.exp(tabulated(mixing_table, 0, z))
        weight[scenario] = mixture_weight(exponent)
