"""From eligible receivables to what can be drawn of the credit line."""

from simulator.jit import row
from simulator.treasury.formulas import borrowing_base, line_available, over_concentration


@row
def lend(base, balances, s, p, line_limit, available):
    """What can be drawn at the end of each period under one programme: ``available`` float64[n_periods] is written."""
    v = base.of_programme[p]
    for t in range(available.shape[0]):
        uninsured = balances.uninsured[s, v, t]
        insured = balances.insured[s, v, t]
        eligible = uninsured + insured
        counted = uninsured
        for k in range(balances.largest.shape[3]):
            counted -= over_concentration(balances.largest[s, v, t, k], eligible, base.concentration)
        lent = borrowing_base(counted, base.advance_rate, insured, base.first_loss[v], base.insured_advance_rate)
        available[t] = line_available(line_limit, lent)
