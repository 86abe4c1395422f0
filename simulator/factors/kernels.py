"""The loop that draws the common state of every scenario."""

import numpy as np

from simulator.factors.formulas import mixture_weight
from simulator.jit import kernel, prange, row
from simulator.streams import draw_words, normal, tabulated


@row
def draw_normals(first_quad, n_quads, key, entity, pair, word, score):
    """Standard normals of an entity in consecutive scenarios."""
    draw_words(first_quad, n_quads, key, entity, 0, pair)
    for p in range(4 * n_quads):
        score[p] = normal(word[p])


@row
def draw_part(
    part, driver_key, mixing_key, first_quad, driver_entity, mixing_entity, cholesky, cholesky_start, shift, tilt,
    mixing_table, drivers, mixing, weight, pair, word, score,
):  # fmt: skip
    """The scenarios of one part of a block; arguments as in :func:`draw_state`."""
    n_drivers = driver_entity.shape[0]
    width = score.shape[1]
    first = part * width
    n = min(width, mixing.shape[0] - first)
    quad = first_quad + first // 4
    for s in range(first, first + n):
        mixing[s] = 1.0
        weight[s] = 0.0
    # a table of zeros: the Gaussian copula, which has no mixing
    if mixing_table[0, 0] != 0.0 or mixing_table[0, mixing_table.shape[1] - 1] != 0.0:
        draw_normals(quad, n // 4, mixing_key, mixing_entity, pair[part], word[part], score[part])
        for p in range(n):
            mixing[first + p] = np.exp(tabulated(mixing_table, 0, score[part, p]))
    for j in range(n_drivers):
        draw_normals(quad, n // 4, driver_key, driver_entity[j], pair[part], word[part], score[part])
        for p in range(n):
            drivers[first + p, j] = score[part, p]
        if tilt[j] != 0.0:
            for p in range(n):
                xi = score[part, p]
                if p % 2 == 1:
                    xi += tilt[j]
                drivers[first + p, j] = xi
                # the exponent of the mixture's weight is gathered here
                weight[first + p] += tilt[j] * (xi - 0.5 * tilt[j])
    for s in range(first, first + n):
        weight[s] = mixture_weight(weight[s]) if weight[s] != 0.0 else 1.0
        # last driver first: a driver needs only itself and earlier ones, so ξ can be replaced in place
        for i in range(n_drivers - 1, -1, -1):
            total = shift[i]
            for j in range(cholesky_start[i], i + 1):
                total += cholesky[i, j] * drivers[s, j]
            drivers[s, i] = total


@kernel
def draw_state(
    driver_key, mixing_key, first_quad, driver_entity, mixing_entity, cholesky, cholesky_start, shift, tilt,
    mixing_table, drivers, mixing, weight, pair, word, score,
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
        pair, word: working rows of each part of the block, uint64[n_parts, width / 2] and the same as uint32.
        score: working rows, float64[n_parts, width], the width a multiple of four.
    """
    for part in prange(score.shape[0]):
        draw_part(
            np.int64(part), driver_key, mixing_key, first_quad, driver_entity, mixing_entity, cholesky, cholesky_start,
            shift, tilt, mixing_table, drivers, mixing, weight, pair, word, score,
        )  # fmt: skip
