"""Sums over the scenarios of a block, one scenario after the other, so that they depend on nothing else."""

from simulator.jit import row


@row
def add_weighted(weight, values, total):
    """Add weighted rows: ``values`` float64[n, k] to ``total`` float64[k]."""
    for s in range(weight.shape[0]):
        for k in range(total.shape[0]):
            total[k] += values[s, k] * weight[s]


@row
def add_short(weight, headroom, total):
    """Add the weight of scenarios without headroom."""
    for s in range(weight.shape[0]):
        for k in range(total.shape[0]):
            total[k] += weight[s] if headroom[s, k] < 0.0 else 0.0


@row
def split_claims(first_shortfall, claim_cash, before, after):
    """Claims money up to the end of the first period of shortfall and after it; zero where there is none."""
    for s in range(first_shortfall.shape[0]):
        for p in range(first_shortfall.shape[1]):
            before[s, p] = after[s, p] = 0.0
            if first_shortfall[s, p] >= 0:
                total = 0.0
                for t in range(claim_cash.shape[2]):
                    total += claim_cash[s, p, t]
                    if t == first_shortfall[s, p]:
                        before[s, p] = total
                after[s, p] = total - before[s, p]


@row
def turn(rows, columns, start):
    """Copy rows of scenarios into columns from ``start`` on, eight scenarios at a time."""
    for first in range(0, rows.shape[0], 8):
        last = min(first + 8, rows.shape[0])
        for k in range(rows.shape[1]):
            for s in range(first, last):
                columns[k, start + s] = rows[s, k]


@row
def list_losses(n, start, n_events, buyers, losses, scenario, buyer, loss):
    """List the losses of scenarios by buyer, scenario after scenario; returns how many.

    Args:
        n: scenarios.
        start: number of the first.
        n_events, buyers, losses: their events, those of one buyer side by side.
        scenario, buyer, loss: out, with room for all events.
    """
    count = 0
    for s in range(n):
        first = count
        for e in range(n_events[s]):
            if losses[s, e] != 0.0:
                if count > first and buyer[count - 1] == buyers[s, e]:
                    loss[count - 1] += losses[s, e]
                else:
                    scenario[count], buyer[count], loss[count] = start + s, buyers[s, e], losses[s, e]
                    count += 1
    return count
