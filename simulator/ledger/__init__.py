"""What is owed: ledger files as ERPs write them, read without guessing, as plain arrays for the model."""
