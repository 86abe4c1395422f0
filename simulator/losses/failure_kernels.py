"""Adding up a block's list of failures: by buyer, and those of a few scenarios in order of scenarios."""

from simulator.jit import row


@row
def add_by_buyer(size, failures, weight, loss_of, weight_of):
    """Add weighted losses and the weights of failures with a loss to their buyers.

    Each buyer's are added in order of scenarios, so that blocks and tiles do not matter.

    Args:
        size: scenarios of the block that count.
        failures: :class:`~simulator.losses.sieve.Failures`.
        weight: of the block's scenarios, float64[size or more].
        loss_of, weight_of: float64[n_buyers], added to.
    """
    for t in range(failures.listed.shape[0]):
        for k in range(failures.listed[t]):
            s = failures.scenario[t, k]
            loss = failures.loss[t, k]
            if s < size and loss != 0.0:
                b = failures.buyer[t, k]
                loss_of[b] += loss * weight[s]
                weight_of[b] += weight[s]


@row
def count_picked(start, size, failures, picked, count):
    """Add the number of failures with a loss to each scenario that is picked; scenarios count from ``start`` there."""
    for t in range(failures.listed.shape[0]):
        for k in range(failures.listed[t]):
            s = failures.scenario[t, k]
            if s < size and picked[start + s] and failures.loss[t, k] != 0.0:
                count[start + s] += 1


@row
def place_picked(start, size, failures, picked, at, scenario, buyer, loss):
    """Copy the failures of picked scenarios to where their scenario's entries begin (``at``, moved on)."""
    for t in range(failures.listed.shape[0]):
        for k in range(failures.listed[t]):
            s = failures.scenario[t, k]
            if s < size and picked[start + s] and failures.loss[t, k] != 0.0:
                j = at[start + s]
                at[start + s] = j + 1
                scenario[j] = start + s
                buyer[j] = failures.buyer[t, k]
                loss[j] = failures.loss[t, k]
