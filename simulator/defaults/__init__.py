"""Who fails, and on which day: cumulative PD curves and the copula of default times."""
