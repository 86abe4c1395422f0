"""Going through a block's list of failures: sums by buyer, and the losses of a few scenarios in order of scenarios."""

import numpy as np

from simulator.jit import row


@row
def share_out(start, size, failures, weight, picked, place, loss_of, weight_of, buyer, loss):
    """Add failures with a loss to their buyers, and put those of picked scenarios each into its scenario's place.

    Each buyer's are added in order of scenarios, so that blocks and tiles do not matter. No branch hangs on who is
    picked: none could be foreseen, so the others are put, one over the other, where nobody looks.

    Args:
        start: number that the arrays by scenario give to the block's first.
        size: scenarios of the block that count.
        failures: :class:`~simulator.losses.sieve.Failures`.
        weight: by scenario, float64[start + size or more].
        picked: likewise, bool.
        place: likewise, int64: where the next loss of a scenario goes; moved on where it is picked.
        loss_of, weight_of: float64[n_buyers], weighted losses and weights of failures with a loss, added to.
        buyer, loss: out.
    """
    for t in range(failures.listed.shape[0]):
        scenarios, buyers, losses = failures.scenario[t], failures.buyer[t], failures.loss[t]
        b = np.int64(0)
        lost, weighed = loss_of[b], weight_of[b]
        for k in range(failures.listed[t]):
            if buyers[k] != b:
                loss_of[b], weight_of[b] = lost, weighed
                b = np.int64(buyers[k])
                lost, weighed = loss_of[b], weight_of[b]
            if scenarios[k] < size and losses[k] != 0.0:
                # unsigned: an index that may be negative is looked at twice
                s = np.uint64(start) + np.uint64(scenarios[k])
                lost += losses[k] * weight[s]
                weighed += weight[s]
                at = np.uint64(place[s])
                buyer[at], loss[at] = b, losses[k]
                place[s] = np.int64(at) + picked[s]
        loss_of[b], weight_of[b] = lost, weighed


@row
def close_ranks(scenarios, begin, end, scenario, buyer, loss):
    """Move losses together where places between them were left empty, and note their scenarios; returns how many.

    Args:
        scenarios: those that have losses, in order.
        begin, end: their places.
        scenario: out.
        buyer, loss: moved.
    """
    count = 0
    for k in range(scenarios.shape[0]):
        for at in range(begin[k], end[k]):
            scenario[count], buyer[count], loss[count] = scenarios[k], buyer[at], loss[at]
            count += 1
    return count
