"""What is lost: invoices paid, late, stopped or lost in each scenario, and the debts that insurance may answer."""
