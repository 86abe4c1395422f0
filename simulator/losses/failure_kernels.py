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
def pick(start, size, failures, picked, filled, scenario, buyer, loss):
    """Append the failures with a loss of picked scenarios to lists; returns the lists' length.

    No branch hangs on who is picked: none could be foreseen, so the lists have room for one more.

    Args:
        start: number that ``picked`` and the lists give to the block's first scenario.
        size: scenarios of the block that count.
        failures: :class:`~simulator.losses.sieve.Failures`.
        picked: bool[start + size or more].
        filled: length of the lists so far.
        scenario, buyer, loss: the lists.
    """
    for t in range(failures.listed.shape[0]):
        for k in range(failures.listed[t]):
            s = failures.scenario[t, k]
            scenario[filled] = start + s
            buyer[filled] = failures.buyer[t, k]
            loss[filled] = failures.loss[t, k]
            filled += s < size and picked[start + min(s, size - 1)] and loss[filled] != 0.0
    return filled
