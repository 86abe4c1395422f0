"""Who pays when: the signed delay of an invoice around its due date."""
