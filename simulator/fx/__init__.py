"""What foreign money is worth: rate paths, hedges, transfer events."""
