"""Going through a block's list of failures: sums by buyer, and the losses of a few scenarios in order of scenarios."""

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
        b, lost, weighed = failures.buyer[t, 0], 0.0, 0.0
        if failures.listed[t] > 0:
            lost, weighed = loss_of[b], weight_of[b]
        for k in range(failures.listed[t]):
            if failures.buyer[t, k] != b:
                loss_of[b], weight_of[b] = lost, weighed
                b = failures.buyer[t, k]
                lost, weighed = loss_of[b], weight_of[b]
            value = failures.loss[t, k]
            if failures.scenario[t, k] < size and value != 0.0:
                s = start + failures.scenario[t, k]
                lost += value * weight[s]
                weighed += weight[s]
                at = place[s]
                buyer[at], loss[at] = b, value
                place[s] = at + picked[s]
        if failures.listed[t] > 0:
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
