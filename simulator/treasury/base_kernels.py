"""From eligible receivables to what a bank lends on them."""

from simulator.jit import row
from simulator.treasury.formulas import borrowing_base, over_concentration


@row
def lend(base, balances, s, p, lent):
    """The borrowing base at the end of each period under one programme: ``lent`` float64[n_periods] is written."""
    v = base.of_programme[p]
    width = balances.uninsured.shape[3]
    tile = s // width
    at = s - tile * width
    for t in range(lent.shape[0]):
        uninsured = balances.uninsured[tile, v, t, at]
        insured = balances.insured[tile, v, t, at]
        eligible = uninsured + insured
        counted = uninsured
        for k in range(balances.largest.shape[3]):
            counted -= over_concentration(balances.largest[tile, v, t, k, at], eligible, base.concentration)
        lent[t] = borrowing_base(counted, base.advance_rate, insured, base.first_loss[v], base.insured_advance_rate)
