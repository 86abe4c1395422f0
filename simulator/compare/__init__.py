"""Comparison of programmes on the same scenarios."""
