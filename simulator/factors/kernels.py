"""The loop that draws the common state of every scenario."""

import numpy as np

from simulator.factors.formulas import mixture_weight
from simulator.jit import kernel, prange
from simulator.streams import normal, tabulated, words


@kernel
def draw_state(
    driver_key, mixing_key, first_quad, driver_entity, mixing_entity, cholesky, cholesky_start, shift, tilt,
    mixing_table, drivers, mixing, weight,
):  # fmt: skip
    """Draw drivers, mixing scale and weight of a block of scenarios.

    With ξ_j independent N(0, 1), plus ``tilt`` in every second scenario: Z = L·ξ + shift; the weight is that of the
    mixture, :func:`~simulator.factors.formulas.mixture_weight`; mixing = exp(table at an own normal draw). Scenarios
    of odd number are the tilted ones. Blocks begin at a multiple of four, so this is known from the lane alone: no
    draw is added, and each scenario can be replayed by itself.

    Args:
        driver_key: uint32[2], stream ``driver``.
        mixing_key: uint32[2], stream ``mixing``.
        first_quad: first scenario of the block divided by four.
        driver_entity: uint64[n_drivers], so that a driver's draws do not depend on which others exist.
        mixing_entity: uint64, entity of the one mixing draw of a scenario.
        cholesky: L, lower triangular, float64[n_drivers, n_drivers].
        cholesky_start: column of the first non-zero entry of each row of L, int32[n_drivers]; without correlation
            that is the diagonal, and a hundred countries cost a hundred products, not five thousand.
        shift: stress shift of each driver in standard deviations, float64[n_drivers].
        tilt: importance shift of each independent draw in odd scenarios, float64[n_drivers].
        mixing_table: log of the mixing scale on :func:`~simulator.streams.table_grid`, float64[1, TABLE_SIZE].
        drivers: out, Z, float64[n_scenarios, n_drivers].
        mixing: out, float64[n_scenarios].
        weight: out, float64[n_scenarios].
    """
    n_drivers = driver_entity.shape[0]
    for q in prange(mixing.shape[0] // 4):
        row = 4 * q
        drawn = words(mixing_key, first_quad + q, mixing_entity, 0)
        for lane in range(4):
            mixing[row + lane] = np.exp(tabulated(mixing_table, 0, normal(drawn[lane])))
            weight[row + lane] = 0.0
        for j in range(n_drivers):
            drawn = words(driver_key, first_quad + q, driver_entity[j], 0)
            for lane in range(4):
                xi = normal(drawn[lane])
                if lane % 2 == 1:
                    xi += tilt[j]
                drivers[row + lane, j] = xi
                # the exponent of the mixture's weight is gathered here
                weight[row + lane] += tilt[j] * (xi - 0.5 * tilt[j])
        for lane in range(4):
            scenario = row + lane
            weight[scenario] = mixture_weight(weight[scenario])
            # last driver first: a driver needs only itself and earlier ones, so ξ can be replaced in place
            for i in range(n_drivers - 1, -1, -1):
                total = shift[i]
                for j in range(cholesky_start[i], i + 1):
                    total += cholesky[i, j] * drivers[scenario, j]
                drivers[scenario, i] = total
