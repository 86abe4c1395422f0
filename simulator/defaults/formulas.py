"""When a buyer fails: the day its default-time curve reaches its latent draw."""

from simulator.jit import NEVER, scalar


@scalar
def default_day(threshold, row, value):
    """First day d on which ``value`` ≤ threshold[row, d − 1]; :data:`~simulator.jit.NEVER` if none.

    This is τ = F⁻¹(P(latent ≤ value)) rounded up to whole days: P(default_day ≤ d) = F(d) exactly.

    Args:
        threshold: latent threshold of every curve and day, float64[n_curves, n_days], nondecreasing in days.
        row: curve of the buyer.
        value: the buyer's latent variable times the scenario's mixing scale.

    Worked number: thresholds (−3, −2.5, −2) and value −2.7 → day 2.
    """
    days = threshold.shape[1]
    if not value <= threshold[row, days - 1]:
        return NEVER
    low = 0
    high = days - 1
    while low < high:
        middle = (low + high) // 2
        if value <= threshold[row, middle]:
            high = middle
        else:
            low = middle + 1
    return low + 1
