"""What is in the bank: the cash path, the credit line, headroom and shortfall."""
